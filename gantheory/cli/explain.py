"""``gantheory explain``: what a game's losses mean when they stop moving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gantheory.cli import json_option, print_json

if TYPE_CHECKING:
    from gantheory.symbolic.explain import Explanation, LossRange


@click.command(name="explain")
@click.argument("game")
@click.option(
    "--discriminator-loss", type=float, metavar="X",
    help="A measured loss -V, both terms added, in nats: print what it certifies.",
)  # fmt: skip
@click.option("--stuck", type=float, metavar="X", help="A value at which a loss has stopped.")
@json_option
def command(
    game: str, discriminator_loss: float | None, stuck: float | None, as_json: bool
) -> None:
    """Say what the losses of GAME mean: ranges, plateaus, certified bounds, vanishing gradients.

    \b
    Example:
      gantheory explain non-saturating --stuck 13.8
      gantheory explain minimax --discriminator-loss 1.1
    """
    from gantheory.symbolic.explain import explain

    found = explain(game, discriminator_loss=discriminator_loss)
    if as_json:
        data: dict[str, Any] = found.as_dict()
        if stuck is not None:
            data["stuck"] = [one.__dict__ | {"number": one.number} for one in found.meanings(stuck)]
        print_json(data)
    else:
        _print(found, stuck)


def _print(found: Explanation, stuck: float | None) -> None:
    click.echo(found.game.title)
    click.echo(f"  discriminator loss at D*: {_range(found.discriminator)}")
    click.echo(f"  generator loss at D*: {_range(found.generator)}")
    if found.generator.lowest is not None and found.generator.lowest.is_finite:
        click.echo(
            f"  a mean generator loss below {found.generator.lowest} shows that D is not optimal"
        )
    click.echo(f"  G follows: {found.follows}")
    click.echo(f"  gradient: {found.gradient}")
    click.echo(f"  bound: {found.bound_rule}")
    if found.bound is not None:
        click.echo(
            f"  a loss of {found.bound.loss:g} certifies {found.bound.divergence} >= "
            f"{found.bound.at_least:.6g}: {found.bound.remark}"
        )
    shown = found.meanings(stuck) if stuck is not None else found.usual_plateaus
    if stuck is not None:
        click.echo(f"  stuck at {stuck:g}:" + ("" if shown else " no plateau of this game"))
    for one in shown:
        number = "" if one.number is None else f" = {one.number:.6g}"
        click.echo(f"  - {one.loss} loss {one.value}{number}: {one.when}; {one.meaning}")


def _range(losses: LossRange) -> str:
    if losses.lowest is None:
        between = "range not derived"
    else:
        between = f"between {losses.lowest} and {losses.highest}"
    sign = {True: "may be negative", False: "never negative", None: "sign not decided"}
    even = "arbitrary" if losses.equilibrium is None else losses.equilibrium
    return f"{even} at P = Q, {between}, {sign[losses.may_be_negative]}"
