"""``gantheory sweep``: train and measure one GAN for every loss, pair of laws and seed."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gantheory.cli import completion, json_option, print_json, quiet_option
from gantheory.cli.files import file_option, loss_named
from gantheory.errors import GantheoryError, require, require_simulations

if TYPE_CHECKING:
    import polars

    from gantheory.losses.loss import Loss

SHOWN = 20  # rows in the terminal; the files hold all


@click.command()
@click.option(
    "--loss", "losses", multiple=True, metavar="LOSS", shell_complete=completion.losses,
    help="Give it again for more.",
)  # fmt: skip
@file_option
@click.option(
    "--p", "first", multiple=True, required=True, metavar="DENSITY",
    shell_complete=completion.densities, help="The data.",
)  # fmt: skip
@click.option(
    "--q", "second", multiple=True, required=True, metavar="DENSITY",
    shell_complete=completion.densities,
    help="The law of the fakes, or where G starts.",
)  # fmt: skip
@click.option("--seeds", default="0", show_default=True, metavar="FROM:TO", help="Or 1,2,7:10.")
@click.option(
    "--train", default="discriminator", show_default=True,
    shell_complete=completion.words("discriminator", "both"), help="discriminator or both.",
)  # fmt: skip
@click.option("--steps", type=int, default=1024, show_default=True)
@click.option("--batch", type=int, default=512, show_default=True)
@click.option("--hidden", default="32,32", show_default=True, help="Widths of D's layers.")
@click.option(
    "--activation", default="softplus", show_default=True, shell_complete=completion.activations,
    help="Of D's layers.",
)  # fmt: skip
@click.option("--rate", type=float, default=1e-2, show_default=True, help="D's.")
@click.option("--generator-rate", type=float, default=1e-2, show_default=True)
@click.option("--workers", type=int, help="Processes of this machine.  [default: one a core]")
@click.option("--scheduler", metavar="ADDRESS", help="A dask scheduler, whose workers measure.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("runs/sweep"), show_default=True,
    metavar="DIR", help="Where the records and the table go.",
)  # fmt: skip
@quiet_option
@json_option
def command(
    losses: tuple[str, ...],
    file: Loss | None,
    first: tuple[str, ...],
    second: tuple[str, ...],
    seeds: str,
    hidden: str,
    workers: int | None,
    scheduler: str | None,
    out: Path,
    quiet: bool,
    as_json: bool,
    **settings: Any,
) -> int:
    """Train and measure one GAN for every loss, pair of laws and seed.

    Every cell is kept as soon as it is known: kill anything at will, and the same command goes on
    with the cells that are missing. The table is DIR/table.csv and DIR/table.parquet. Exit status
    0 if every cell has its numbers, 1 otherwise.

    \b
    Example:
      gantheory sweep --loss minimax --p "normal(0, 1)" --q "normal(1, 1)" \\
          --seeds 0:4 --out runs/a
    """
    require_simulations("gantheory sweep")
    require("gantheory sweep", "torch", "torch")
    require("gantheory sweep", "samples", "polars")
    if scheduler:
        require("--scheduler", "dask", "distributed")
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from simulations.sweeps.sweep import sweep

    asked = losses or (loss_named(None, file),)
    columns = BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[t]}")
    with Progress(*columns, console=Console(file=sys.stderr), disable=quiet or as_json) as progress:
        task = progress.add_task("cells", total=None, t="", visible=False)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, visible=True)

        with _resumable(lambda: progress.tasks[task].completed, out):
            found = sweep(
                asked, first, second, seeds=whole_numbers(seeds), out=out, workers=workers,
                scheduler=scheduler, progress=show, hidden=_widths(hidden), **settings,
            )  # fmt: skip
    if as_json:
        print_json({"out": str(out), "cells": found.to_dicts()})
    else:
        _print(found, out)
    return 0 if (found["status"] == "ok").all() else 1


@contextmanager
def _resumable(done: Callable[[], float], out: Path) -> Iterator[None]:
    """Say of an interrupt how many cells are kept, where there are any."""
    try:
        yield
    except KeyboardInterrupt:
        if not (count := int(done())):
            raise
        kept = f"{count} cells are kept in {str(out)!r}, and the same command goes on"
        raise KeyboardInterrupt(kept) from None


def whole_numbers(text: str) -> list[int]:
    """Return the whole numbers of a list such as ``"0:100"`` or ``"1,2,7:10"``, ends left out.

    >>> whole_numbers("1,2,7:10")
    [1, 2, 7, 8, 9]
    """
    found: list[int] = []
    try:
        for part in text.split(","):
            begin, colon, end = part.partition(":")
            found += range(int(begin or 0), int(end)) if colon else [int(part)]
    except ValueError:
        raise GantheoryError(f"seeds {text[:40]!r}: write 0:100, or 1,2,7:10") from None
    return found


def _widths(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise GantheoryError(f"hidden {text[:40]!r}: write widths, as 32,32") from None


def _print(frame: polars.DataFrame, out: Path) -> None:
    from gantheory.cli.listing import print_table

    counts = (f"{count} {status}" for status, count in Counter(frame["status"]).items())
    click.echo(f"{len(frame)} cells: {', '.join(counts)}")
    rows = [
        {
            "loss": row["loss"], "p": row["p"], "q": row["q"], "seed": row["seed"],
            "value": _number(row["value"], row["value_error"]),
            "gap": _number(row["gap"], row["gap_error"]),
            "status": ": ".join(part for part in (row["status"], row["reason"]) if part),
        }
        for row in frame.head(SHOWN).iter_rows(named=True)
    ]  # fmt: skip
    print_table(["loss", "p", "q", "seed", "value", "gap", "status"], rows)
    if len(frame) > SHOWN:
        click.echo(f"and {len(frame) - SHOWN} rows more")
    click.echo(f"table: {out / 'table.csv'}, {out / 'table.parquet'}")


def _number(value: float | None, error: float | None) -> str:
    """Return a number with its error, which decides its digits."""
    from gantheory.records import number_text

    if value is None or error is None:
        return "none" if value is None else f"{value:.6g}"
    return number_text(value, error) if math.isfinite(value) else str(value)
