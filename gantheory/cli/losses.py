"""``gantheory losses``: the catalogue of losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from gantheory.cli import json_option, print_json
from gantheory.cli.files import file_option

if TYPE_CHECKING:
    from gantheory.losses.loss import Loss

OTHERS = "Constrained critics, and games on pairs of samples"
# Whether fakes that D recognises (r -> 0) give no gradient, by where the gradient is looked at.
SATURATES = ("vanishes in log r", "vanishes in the score")
WIDE = 130  # columns of a terminal at which a row with its formulas is still readable


@click.command(name="losses")
@file_option
@click.option("--derive", "derived", is_flag=True, help="Add what each generator follows.")
@json_option
def command(file: Loss | None, derived: bool, as_json: bool) -> None:
    """List the catalogue of losses: D maximises E_p[real] + E_q[fake], G minimises E_q[generator].

    \b
    Example:
      gantheory losses --derive
    """
    from gantheory.losses import CATALOGUE, CRITICS

    rows = [loss.as_dict() for loss in CATALOGUE.values()]
    others = [critic.as_dict() for critic in CRITICS.values()]
    if derived:
        from gantheory.derivations.engine import derive

        for row, loss in zip(rows, CATALOGUE.values(), strict=True):
            row |= _properties(derive(loss))
        others = [row | _value(str(row["name"])) for row in others]
    if as_json:
        print_json([*rows, *others])
        return
    from gantheory.cli.listing import table_of
    from gantheory.report import terminal

    console = terminal.console()
    wide = console.width >= WIDE
    if derived:
        told, apart = ([_in_symbols(row) for row in some] for some in (rows, others))
        console.print(table_of(["name", "value", "followed", *SATURATES], told))
        console.print(table_of(["name", "value", "status"], apart, OTHERS))
        return
    formulas, problem = ["real", "fake", "generator"], ["objective", "constraint"]
    console.print(table_of(["name", "title", *(formulas if wide else [])], rows))
    console.print(table_of(["name", "title", *(problem if wide else [])], others, OTHERS))
    if not wide:
        console.print(f"A terminal of {WIDE} columns or more, or --json, shows the formulas too.")


def _in_symbols(row: Mapping[str, object]) -> dict[str, object]:
    """Return a row with divergences as people write them."""
    from gantheory.divergences.symbols import in_symbols

    told = {key: row[key] for key in ("value", "followed") if isinstance(row.get(key), str)}
    return {**row, **{key: in_symbols(str(text)) for key, text in told.items()}}


def _value(name: str) -> dict[str, object]:
    from gantheory.critics import derive_critic

    found = derive_critic(name)
    return {"status": found.status, "value": found.named}


def _properties(derivation: object) -> dict[str, object]:
    from gantheory.derivations.derivation import Derivation

    assert isinstance(derivation, Derivation)
    value, followed, saturation = derivation.value, derivation.followed, derivation.saturation
    return {
        "status": derivation.status,
        "value": value and value.divergence,
        "followed": followed and followed.divergence,
        SATURATES[0]: saturation and saturation.vanishing,
        SATURATES[1]: saturation and saturation.vanishing_in_score,
    }
