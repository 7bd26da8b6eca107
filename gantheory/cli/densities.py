"""``gantheory densities``: the families that the text of a density may name."""

from __future__ import annotations

import click

from gantheory.cli import json_option, print_json


@click.command(name="densities")
@json_option
def command(as_json: bool) -> None:
    """List the families of densities, with their parameters in order.

    Beside them, mixture(0.5*normal(-2, 1) + 0.5*normal(2, 1)) adds densities with weights.

    \b
    Example:
      gantheory densities
    """
    import dataclasses

    from gantheory.densities import FAMILIES

    rows: list[dict[str, object]] = [
        {
            "name": name,
            "parameters": [field.name for field in dataclasses.fields(family)],  # type: ignore[arg-type]
            "dimension": family.dim if isinstance(family.dim, int) else "any",
            "aliases": list(family.aliases),
        }
        for name, family in FAMILIES.items()
    ]
    if as_json:
        print_json(rows)
        return
    from gantheory.cli.listing import print_list

    for row in rows:
        row["signature"] = f"({_listed(row['parameters'])})"
    kinds = {
        0: "on whole numbers or points (dimension 0)",
        1: "on the line (dimension 1)",
        2: "in the plane (dimension 2)",
        "any": "in any dimension",
    }
    for dimension, kind in kinds.items():
        click.echo(f"{kind}:")
        chosen = [row for row in rows if row["dimension"] == dimension]
        print_list(["name", "signature"], chosen, beside={"aliases": "also"})


def _listed(names: object) -> str:
    return ", ".join(names) if isinstance(names, list) else str(names)
