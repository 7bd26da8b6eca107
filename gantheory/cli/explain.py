"""``gantheory explain``: what a loss's values mean when they stop moving."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from gantheory.cli import completion, json_option, print_json
from gantheory.cli.files import file_option, heads_option, loss_named
from gantheory.cli.wrapping import say
from gantheory.errors import GantheoryError

if TYPE_CHECKING:
    from gantheory.losses.loss import Loss
    from gantheory.report.explanation import Bound, Explanation, LossRange, Plateau

_VALUE = re.compile(r"[-+]?\d*\.?\d+(e[-+]?\d+)?")


@click.command(name="explain")
@click.argument("loss", required=False, shell_complete=completion.losses)
@file_option
@click.option(
    "--discriminator-loss", type=float, metavar="X",
    help="A measured loss -V, both terms added, in nats: print what it certifies.",
)  # fmt: skip
@click.option("--stuck", type=float, metavar="X", help="A value at which a loss has stopped.")
@heads_option
@json_option
def command(
    loss: str | None,
    file: Loss | None,
    discriminator_loss: float | None,
    stuck: float | None,
    heads: int | None,
    as_json: bool,
) -> None:
    """Say what the values of LOSS mean: ranges, plateaus, certified bounds, vanishing gradients.

    \b
    Example:
      gantheory explain non-saturating --stuck 13.8
      gantheory explain minimax --discriminator-loss 1.1
      gantheory explain "least-squares(a=0, b=1, c=1)" --heads 8 --stuck 4
    """
    from gantheory.report.explain import explain

    if loss is not None and _VALUE.fullmatch(loss.strip()):
        raise GantheoryError(
            f"{loss} is a value; name the loss that reads it: gantheory explain non-saturating "
            f"--stuck {loss}"
        )
    found = explain(
        loss_named(loss, file), discriminator_loss=discriminator_loss, stuck=stuck, heads=heads
    )
    if as_json:
        print_json(found.as_dict())
    else:
        _print(found)


def _print(explanation: Explanation) -> None:
    say(explanation.definition.title)
    if explanation.bound is not None:
        bound = explanation.bound
        _say(f"  a discriminator loss of {bound.loss:g}: {_bound(bound)}")
    if explanation.stuck is not None:
        _print_meanings(explanation.stuck_at, f"stuck at {explanation.stuck:g}:")
    _say(f"  discriminator loss at D*: {_range(explanation.discriminator)}")
    _say(f"  generator loss at D*: {_range(explanation.generator)}")
    lowest = explanation.generator.lowest
    if lowest is not None and lowest.is_finite:
        _say(f"  a mean generator loss below {lowest} shows that D is not optimal")
    _say(f"  G follows: {explanation.follows}")
    _say(f"  gradient: {explanation.gradient}")
    _say(f"  bound: {explanation.bound_rule}")
    if explanation.stuck is None:
        _print_meanings(explanation.usual_plateaus, "where a loss may stop:")


def _say(line: str) -> None:
    """Print a line with its formulas in the one notation of everything that is read."""
    from gantheory.divergences.symbols import in_prose

    say(in_prose(line))


def _print_meanings(shown: Sequence[Plateau], title: str) -> None:
    """Print plateaus under their title, those of one meaning together, and below what it is."""
    say(f"  {title}" + ("" if shown else " no plateau of this loss"))
    for meaning in dict.fromkeys(one.meaning for one in shown):
        for one in shown:
            if one.meaning == meaning:
                _say(f"  - {one.loss} loss {_value(one)}: {one.when}")
        say(f"    {meaning}")


def _value(one: Plateau) -> str:
    from gantheory.derivations.wording import value_text

    exact = value_text(one.value) or ""
    number = "" if one.number is None else f"{one.number:.6g}"
    return exact if number in ("", exact) else f"{exact} = {number}"


def _bound(bound: Bound) -> str:
    if bound.at_least <= 0 or bound.remark.startswith("impossible"):
        return bound.remark
    return f"{bound.divergence} >= {bound.at_least:.6g}; {bound.remark}"


def _range(losses: LossRange) -> str:
    from gantheory.derivations.wording import value_text

    if losses.lowest is None:
        between = "range not derived"
    else:
        between = f"between {value_text(losses.lowest)} and {value_text(losses.highest)}"
    sign = {True: "may be negative", False: "never negative", None: "sign not decided"}
    even = value_text(losses.equilibrium) or "undetermined"
    return f"{even} at P = Q, {between}, {sign[losses.may_be_negative]}"
