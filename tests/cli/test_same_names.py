"""The command line and Python say the same things by the same names."""

import dataclasses
import importlib
import inspect

import click
import pytest

import gantheory as gt
from gantheory.audits import audit_target
from gantheory.audits.target import target_of
from gantheory.cli import COMMANDS
from gantheory.ledger.simulated import simulate
from simulations.protocols import run_protocol
from simulations.sweeps.sweep import sweep

# What each command stands for in Python: their keywords together are its options.
STANDS_FOR = {
    "check": (gt.check,),
    "claims": (gt.claims,),
    "derive": (
        gt.derive, gt.Loss, gt.Critic, gt.derive_estimator, gt.derive_preference,
        gt.derive_reward, gt.derive_bound, gt.derive_regularised,
    ),
    "audit": (gt.audit, audit_target, target_of),
    "prove": (gt.prove,),
    "explain": (gt.explain,),
    "divergence": (
        gt.divergence, gt.certify, gt.optimal_discriminator, gt.optimal_critic, gt.samples,
    ),
    "curve": (gt.curve,),
    "simulate": (simulate,),
    "sweep": (sweep,),
    "protocols": (gt.list_protocols, gt.get_protocol, run_protocol),
    "game": (gt.get_game, gt.read_game, gt.make_method, gt.analyse),
    "losses": (gt.list_losses,),
    "divergences": (gt.list_divergences,),
    "densities": (gt.list_densities,),
    "cite": (gt.Reference.bibtex,),
}  # fmt: skip

# How an answer is shown or kept is a method of it in Python, and a loss is given as itself.
SHOWN = {"json", "quiet", "file", "explain", "steps", "latex", "html", "plot", "figure", "at"}
OTHERWISE = {
    "derive": {
        "frozen": "derive_estimator says so by its name",
        "parameter": "Loss(parameters=...) and `loss.partly`",
        "save": "`write_loss`",
    },
    "audit": {"fail_on": "a program's exit status"},
    "curve": {
        "from": "a word of Python: values=...", "to": "values=...", "out": "`Curves.to_csv`",
        "generator": "`pushforward`, for a figure", "measure": "`simulations.fit`", "seed": "of it",
    },
    "protocols": {"run": "`run_protocol`, by its name"},
    "game": {"parameter": "`Game.at`"},
    "losses": {"derive": "`derive` of each"},
    "cite": {"loss": "`get_loss(name).reference.bibtex()`"},
}  # fmt: skip
# Keywords that have no option: what a shell cannot pass, or passes as an argument.
IN_PYTHON_ALONE = {
    "claims": set(),
    "derive": {
        "name", "typical", "title", "reference", "claims", "aliases", "typed", "general", "numbers",
        "constraint", "generator_on_real",
    },
    "audit": {"losses", "name"},
    "divergence": {"loss", "given"},
    "curve": {"values", "progress"},
    "simulate": {"progress"},
    "sweep": {"executor", "progress"},
    "protocols": {"protocol", "progress"},
    "cite": {"self"},
    "game": {"game"},
}  # fmt: skip


def options_of(command):
    """The options and arguments of a command, as names of Python."""
    found = importlib.import_module(f"gantheory.cli.{command}").command
    names = set()
    for one in found.params:
        if isinstance(one, click.Option):
            names.add(max(one.opts, key=len).lstrip("-").replace("-", "_"))
        else:
            names.add(one.name)
    return names


def keywords_of(command):
    """What the functions behind a command take."""
    return {
        name for function in STANDS_FOR[command] for name in inspect.signature(function).parameters
    }


def singular(name):
    """An option that is given again for more is a list in Python: --divergence, divergences."""
    return "loss" if name in ("loss", "losses") else name.removesuffix("s")


def same(names):
    return {singular(name) for name in names}


def test_every_command_is_compared():
    assert set(COMMANDS) - set(STANDS_FOR) == {"workbench"}  # a page, which Python has no use for


@pytest.mark.parametrize("command", STANDS_FOR)
def test_every_option_is_a_keyword_of_what_the_command_stands_for(command):
    otherwise = {*SHOWN, *OTHERWISE.get(command, {})}
    missing = same(options_of(command) - otherwise) - same(keywords_of(command))
    assert not missing
    assert not set(OTHERWISE.get(command, {})) & keywords_of(command)  # no excuse is out of date


@pytest.mark.parametrize("command", STANDS_FOR)
def test_every_keyword_of_what_a_command_stands_for_is_an_option(command):
    alone = IN_PYTHON_ALONE.get(command, set())
    missing = same(keywords_of(command) - alone) - same(options_of(command))
    assert not missing
    assert not alone - keywords_of(command)


def test_what_trains_a_users_modules_takes_every_field_of_a_recipe():
    from simulations.ensembles import Recipe
    from simulations.models import Options, train_modules

    fields = {field.name for field in dataclasses.fields(Recipe)}
    own = set(inspect.signature(train_modules).parameters)
    assert set(Options.__annotations__) == fields - own
