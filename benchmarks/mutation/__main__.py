"""The command line of the mutation run."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import Queue
from shutil import copytree, rmtree

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.mutation.selection import Record, record
from benchmarks.mutation.sites import Mutant, sample
from benchmarks.mutation.trial import Outcome, attempt

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENTS = Path(__file__).with_name("equivalents.toml")
DEFAULT = ROOT / ".mutation"  # ignored by git
folder_option = click.option(
    "--folder", type=click.Path(path_type=Path), default=DEFAULT, help="Where all is kept."
)


@click.group()
def main() -> None:
    """Plant small errors in the packages, and see whether the tests notice."""


@main.command("record")
@folder_option
def record_command(folder: Path) -> None:
    """Run the suite once and keep which test runs which line."""
    raise SystemExit(record(ROOT, folder.resolve()))


@main.command("run")
@folder_option
@click.option("--count", default=200, show_default=True, help="How many mutants.")
@click.option("--seed", default=2026, show_default=True)
@click.option("--workers", default=1, show_default=True, help="Trials at a time.")
@click.option("--seconds", default=900.0, show_default=True, help="The most that a trial may take.")
@click.option("--only", default="", help="Only files whose name starts so.")
def run_command(
    folder: Path, count: int, seed: int, workers: int, seconds: float, only: str
) -> None:
    """Try mutants, appending one line each to FOLDER/seed-SEED.jsonl; known ones are not tried.

    Lines that ended unfinished may be deleted from that file to try them with more --seconds.
    """
    recorded = Record.read(folder.resolve())
    results = folder / f"seed-{seed}.jsonl"
    known = {row["key"] for row in read(results)}
    drawn = sample(recorded.tree, count, seed, only)
    left = [mutant for mutant in drawn if mutant.key not in known]
    trees: Queue[Path] = Queue()
    for index in range(workers):
        tree = folder.resolve() / f"tree-{seed}-{index}"
        rmtree(tree, ignore_errors=True)
        trees.put(copytree(recorded.tree, tree))

    def tried(mutant: Mutant) -> tuple[Mutant, Outcome]:
        tree = trees.get()
        try:
            return mutant, attempt(mutant, tree, recorded.stages(mutant), seconds)
        finally:
            trees.put(tree)

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn()) as bar, ThreadPoolExecutor(workers) as pool:
        task = bar.add_task("mutants", total=len(drawn), completed=len(drawn) - len(left))
        for done in as_completed([pool.submit(tried, mutant) for mutant in left]):
            mutant, outcome = done.result()
            with results.open("a") as lines:
                lines.write(json.dumps(mutant.record() | {"outcome": vars(outcome)}) + "\n")
            if outcome.status not in ("killed", "timed out"):
                bar.console.print(told(mutant.record(), outcome.status), markup=False)
            bar.advance(task)
    summary(read(results))


@main.command("show")
@folder_option
@click.option("--seed", default=2026, show_default=True)
def show_command(folder: Path, seed: int) -> None:
    """Print the table of a run and its survivors."""
    summary(read(folder / f"seed-{seed}.jsonl"))


def read(path: Path) -> list[dict]:
    """Return the mutants tried so far."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def told(row: dict, status: str) -> str:
    """Return a mutant in two lines."""
    before = " ".join(row["before"].split())
    where = f"{status} {row['key']} {row['file']}:{row['line']} {row['place']}"
    return f"{where}\n  {before[:160]}\n  → {row['after'][:160]}"


def summary(rows: list[dict]) -> None:
    """Print the counts by folder, the share killed, and each survivor."""
    explained = tomllib.loads(EQUIVALENTS.read_text()) if EQUIVALENTS.exists() else {}
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        status = row["outcome"]["status"]
        row["status"] = "equivalent" if row["key"] in explained and alive(status) else status
        counts.setdefault(str(Path(row["file"]).parent), Counter())[row["status"]] += 1
    words = ("killed", "timed out", "survived", "unreached", "unfinished", "equivalent")
    table = Table("folder", *words)
    for folder, found in [*sorted(counts.items()), ("all", sum(counts.values(), Counter()))]:
        table.add_row(folder, *(str(found[word]) for word in words))
    console = Console()
    for row in rows:
        if alive(row["status"]):
            console.print(told(row, row["status"]), markup=False, highlight=False)
    console.print(table)
    total = sum(counts.values(), Counter())
    caught, real = total["killed"] + total["timed out"], sum(total.values()) - total["equivalent"]
    console.print(f"{caught} of {real} mutants that change a result are killed")


def alive(status: str) -> bool:
    """Tell whether a mutant was not noticed."""
    return status in ("survived", "unreached", "unfinished")


if __name__ == "__main__":
    main()
