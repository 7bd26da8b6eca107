"""``gantheory divergences``: every name that ``gantheory divergence`` takes."""

from __future__ import annotations

import click

from gantheory.cli import json_option, print_json


@click.command(name="divergences")
@json_option
def command(as_json: bool) -> None:
    """List the named divergences, the distances to their maxima, and the distances beside them.

    Further names are power_<alpha>, LOSS.value, LOSS.loss and LOSS.followed; a formula in r is
    taken as the generator f itself.

    \b
    Example:
      gantheory divergences
    """
    rows = known_divergences()
    if as_json:
        print_json(rows)
        return
    from gantheory.cli.listing import print_list
    from gantheory.divergences.symbols import dotted

    told = [row | {"formula": dotted(str(row["formula"]))} for row in rows]
    print_list(["name", "title", "formula"], told, beside={"aliases": "also"})


def known_divergences() -> list[dict[str, object]]:
    """Return every divergence and distance: name, title, formula, aliases."""
    from gantheory.divergences import COMPLEMENTS, DIVERGENCES
    from gantheory.integrals.transport.catalogue import DISTANCES

    rows = [_row(e.name, e.title, f"f = {e.f}", e.aliases) for e in DIVERGENCES.values()]
    rows += [
        _row(e.name, e.title, f"{e.maximum} - {e.of}", e.aliases) for e in COMPLEMENTS.values()
    ]
    return rows + [_row(e.name, e.title, "no f-divergence", e.aliases) for e in DISTANCES.values()]


def _row(name: str, title: str, formula: str, aliases: tuple[str, ...]) -> dict[str, object]:
    return {"name": name, "title": title, "formula": formula, "aliases": list(aliases)}
