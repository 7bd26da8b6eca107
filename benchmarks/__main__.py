"""Run benchmarks, print their figures as they come, and keep them as JSON.

    python -m benchmarks --list
    python -m benchmarks divergences curves
    python -m benchmarks --quick --out figures

Without a name all run that need neither a network nor a GPU. Exit status 1: a bar is missed.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import math
import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from benchmarks.figures import Figure, circumstances

ALONE = ("symbolic", "inequalities", "divergences", "curves", "arrays", "reference",
         "trajectories", "discriminator", "simulator", "sweeps")  # fmt: skip
WITH_OTHERS = ("peers", "competitors")  # these install packages, or want them installed
CAMPAIGNS = (
    "campaigns.numbers",
    "campaigns.embeddings",
    "campaigns.masses",
    "campaigns.coverage",
    "campaigns.distances",
    "campaigns.losses",
    "campaigns.games",
    "campaigns.inequalities",
    "campaigns.compositions",
    "campaigns.functions",
    "campaigns.kills",
)  # fmt: skip  (trials at random: minutes to hours)


def main() -> int:
    """Run what is asked for and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__.split("\n")[0]
    )
    names = [*ALONE, *WITH_OTHERS, *CAMPAIGNS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--list", action="store_true", help="say what each compares, and stop")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: to see that all runs")
    parser.add_argument("--out", type=Path, help="a folder for one JSON file per benchmark")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in names]:
        parser.error(f"unknown benchmark {unknown[0]!r}; there are: {', '.join(names)}")
    console = Console(soft_wrap=True)
    if options.list:
        for name in names:
            console.print(f"[bold]{name}[/bold]: {purpose(name)}")
        return 0
    missed = 0
    for name in options.names or ALONE:
        console.print(f"\n[bold]{name}[/bold]: {purpose(name)}")
        module = importlib.import_module(f"benchmarks.{name}")
        found = shown(module.figures(options.quick), console)
        missed += sum(figure.met is False for figure in found)
        if options.out:
            keep(options.out / f"{name}.json", name, found, options.quick)
    return 1 if missed else 0


def purpose(name: str) -> str:
    """Return the first sentence of a benchmark's docstring, without importing what it measures."""
    path = Path(__file__).parent.joinpath(*name.split(".")).with_suffix(".py")
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.split("\n\n")[0].replace("\n", " ")


def shown(figures: Iterable[Figure], console: Console) -> list[Figure]:
    """Print each figure when it comes, and return them all."""
    found = []
    for figure in figures:
        bar = ""
        if figure.bar is not None:
            colour = "green" if figure.met else "red"
            side = "at most" if figure.lower else "at least"
            word = "met" if figure.met else "MISSED"
            bar = f"  [{colour}]{word}[/{colour}] ({side} {figure.bar:g})"
        note = f"  {figure.note}" if figure.note else ""
        console.print(f"  {figure.what:46s} {figure.value:10.4g} {figure.unit}{bar}{note}")
        found.append(figure)
    return found


def keep(path: Path, name: str, found: list[Figure], quick: bool) -> None:
    """Write the figures of one benchmark as JSON; a figure that is no number is null."""
    rows = [figure.as_dict() for figure in found]
    for row in rows:
        row["value"] = row["value"] if math.isfinite(row["value"]) else None
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {"benchmark": name, "quick": quick} | circumstances() | {"figures": rows}
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
