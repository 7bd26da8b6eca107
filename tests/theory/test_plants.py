"""Deliberate errors: whichever is planted, ``gantheory check`` must notice and exit with 1.

A plant replaces one formula, constant or function of the toolkit by a wrong one, where a person
would make the mistake: a sign in a payoff, p and q swapped, a factor 2, the wrong curvature.
"""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from gantheory import divergences
from gantheory.cli import main
from gantheory.densities.normal import Normal
from gantheory.errors import InternalError
from gantheory.ledger import integrals
from gantheory.ledger.checks import CHECKS, run
from gantheory.losses import CATALOGUE
from gantheory.losses.classic import CLASSIC
from gantheory.theory import curvature, generator, identify

# Whatever remembers results across calls, and would hide a plant.
CACHES = [
    generator.formula, generator.generator_curve, generator._curvature, identify._coordinates_of,
    integrals._integrated, integrals._derived,
]  # fmt: skip


def plant_game(name, **changes):
    """Return a plant that changes one formula of a catalogue loss."""

    def plant(monkeypatch):
        monkeypatch.setitem(CATALOGUE, name, replace(CATALOGUE[name], **changes))

    return plant


def plant_divergence(name, f):
    """Return a plant that changes the generator of a named divergence."""

    def plant(monkeypatch):
        wrong = replace(divergences.DIVERGENCES[name], f=f)
        monkeypatch.setitem(divergences.DIVERGENCES, name, wrong)

    return plant


def plant_function(module, name, wrap):
    """Return a plant that wraps one function of the toolkit wherever it has been imported."""

    def plant(monkeypatch):
        right = getattr(module, name)
        wrong = wrap(right)
        for other in list(sys.modules.values()):
            if getattr(other, "__name__", "").startswith("gantheory"):
                for key, value in list(vars(other).items()):
                    if value is right:
                        monkeypatch.setattr(other, key, wrong)

    return plant


def plant_method(owner, name, wrap):
    """Return a plant that wraps one method."""

    def plant(monkeypatch):
        monkeypatch.setattr(owner, name, wrap(getattr(owner, name)))

    return plant


PLANTS = {
    "a sign in the real payoff": plant_game("minimax", real="-log(D)"),
    "a sign in the fake payoff": plant_game("non-saturating", fake="-log(1 - D)"),
    "a sign in the generator's loss": plant_game("non-saturating", generator="log(D)"),
    "the generator's loss of another game": plant_game("minimax", generator="-log(D)"),
    "real and fake swapped": plant_game("reverse-kl", real="log(1 - D)", fake="log(D)"),
    "a factor 2 in a payoff": plant_game("minimax", fake="2*log(1 - D)"),
    "a factor 2 in the generator's loss": plant_game("reverse-kl", generator="-2*log(D/(1 - D))"),
    "the half missing in jsd": plant_divergence("jsd", "r*log(r) - (1 + r)*log((1 + r)/2)"),
    "the factor 2 missing in kl_qm": plant_divergence("kl_qm", "log(1/(1 + r))"),
    "p and q swapped in kl_qp": plant_divergence("kl_qp", "r*log(r)"),
    "the wrong curvature followed": plant_function(
        curvature, "followed_curvature", lambda right: curvature.loss_curvature),
    "the wrong curvature of the loss": plant_function(
        curvature, "loss_curvature", lambda right: curvature.followed_curvature),
    "p and q swapped in the density's score": plant_method(
        Normal, "score", lambda right: lambda self, name, x: -right(self, name, x)),
    "a factor 2 in the normal density": plant_method(
        Normal, "log_density", lambda right: lambda self, at: right(self, at) + np.log(2)),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _fresh_caches():
    def clear():
        for cached in CACHES:
            cached.cache_clear()

    clear()
    yield
    clear()


NOT_PLANTED = tuple(f"{name}." for name in CATALOGUE if CATALOGUE[name] not in CLASSIC)
ORIGINAL = {id: check for id, check in CHECKS.items() if not id.startswith(NOT_PLANTED)}


def check(monkeypatch, capsys, tmp_path, checks=ORIGINAL):
    """Run ``gantheory check --quick`` on the original GAN alone; return its status and its JSON."""
    monkeypatch.setattr("gantheory.ledger.checks.CHECKS", checks)
    monkeypatch.setattr("gantheory.ledger.statements.checks.statement_checks", dict)
    arguments = ["gantheory", "check", "--quick", "--json", "--out", str(tmp_path / "report")]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code, json.loads(capsys.readouterr().out)


def test_without_a_plant_every_verdict_is_as_it_should_be(monkeypatch, capsys, tmp_path):
    status, answer = check(monkeypatch, capsys, tmp_path)
    wrong = [entry["id"] for entry in answer["checks"] if not entry["as_expected"]]
    assert (status, wrong) == (0, [])
    assert (tmp_path / "report" / "index.html").exists()


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_a_planted_error_is_noticed(plant, monkeypatch):
    plant(monkeypatch)
    outcomes = run(check for check in ORIGINAL.values() if not check.trains)
    try:
        noticed = any(not outcome.as_expected for outcome in outcomes)  # the first one decides
    except InternalError:  # the derivation was held against its formulas, and raised
        return
    assert noticed


def test_what_is_noticed_ends_the_command_with_status_1(monkeypatch, capsys, tmp_path):
    PLANTS["the half missing in jsd"](monkeypatch)
    some = {id: check for id, check in ORIGINAL.items() if id.startswith("minimax.")}
    status, answer = check(monkeypatch, capsys, tmp_path, some)
    assert status == 1
    assert not all(entry["as_expected"] for entry in answer["checks"])
