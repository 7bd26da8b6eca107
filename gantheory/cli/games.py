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
    from gantheory.games import CATALOGUE

    rows = [game.as_dict() for game in CATALOGUE.values()]
    if derived:
        from gantheory.symbolic.engine import derive

        for row, game in zip(rows, CATALOGUE.values(), strict=True):
            row |= _properties(derive(game))
    if as_json:
        print_json(rows)
        return
    from rich.console import Console
    from rich.table import Table

    columns = ["name", "title", "real", "fake", "generator"]
    columns = ["name", "value", "followed", "saturates"] if derived else columns
    table = Table(*columns)
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in columns))
    Console().print(table)


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
    return {True: "yes", False: "no", None: "undecided"}.get(value, str(value))  # type: ignore[call-overload, no-any-return]
