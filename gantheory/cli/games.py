"""``gantheory games``: the catalogue of losses."""

from __future__ import annotations

import click

from gantheory.cli import json_option, print_json


@click.command(name="games")
@click.option("--derive", "derived", is_flag=True, help="Add what each generator follows.")
@json_option
def command(derived: bool, as_json: bool) -> None:
    """List the catalogue of losses: D maximises E_p[real] + E_q[fake], G minimises E_q[generator].

    \b
    Example:
      gantheory games --derive
    """
    from gantheory.games import CATALOGUE, CRITICS

    rows = [game.as_dict() for game in CATALOGUE.values()]
    others = [critic.as_dict() for critic in CRITICS.values()]
    if derived:
        from gantheory.symbolic.engine import derive

        for row, game in zip(rows, CATALOGUE.values(), strict=True):
            row |= _properties(derive(game))
        others = [row | _value(str(row["name"])) for row in others]
    if as_json:
        print_json([*rows, *others])
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    columns = ["name", "title", "real", "fake", "generator"]
    columns = ["name", "value", "followed", "saturates"] if derived else columns
    table = Table(*columns)
    for row in rows:
        table.add_row(*(Text(_cell(row[column])) for column in columns))
    console = Console()
    console.print(table)
    columns = (
        ["name", "value", "status"] if derived else ["name", "title", "objective", "constraint"]
    )
    table = Table(*columns, title="Constrained critics, and games on pairs of samples")
    for row in others:
        table.add_row(*(Text(_cell(row[column])) for column in columns))
    console.print(table)


def _value(name: str) -> dict[str, object]:
    from gantheory.symbolic.critics import derive_critic

    found = derive_critic(name)
    return {"status": found.status, "value": found.named}


def _properties(derivation: object) -> dict[str, object]:
    from gantheory.symbolic.derivation import Derivation

    assert isinstance(derivation, Derivation)
    value, followed, saturation = derivation.value, derivation.followed, derivation.saturation
    return {
        "status": derivation.status,
        "value": value and value.divergence,
        "followed": followed and followed.divergence,
        "saturates": saturation and saturation.vanishing,
    }


def _cell(value: object) -> str:
    return {True: "yes", False: "no", None: "undecided"}.get(value, str(value))  # type: ignore[call-overload]
