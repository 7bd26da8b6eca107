"""The command line of the campaigns: ``python -m benchmarks.campaigns.numbers FIRST COUNT``."""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from pathlib import Path
from typing import Any


def main(run: Any, outcome: Any, figures: Any = None) -> None:
    """Run seeds one by one, say what is to be looked at when it comes, and end with a table.

    With ``--keep FILE`` what comes of each seed is written there with the commit that it was tried
    on, and seeds that are there already are counted and not tried again: a campaign may be made in
    portions, each of which goes on where the last one ended. ``figures`` makes the table of what
    came of all; without it counts are printed.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("first", type=int, help="the first seed")
    parser.add_argument("count", type=int, help="how many seeds")
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no seed after this time")
    parser.add_argument("--keep", type=Path, help="a file of what came of each seed")
    options = parser.parse_args()
    done = _kept(options.keep, outcome)
    start, tried = time.monotonic(), 0
    for seed in range(options.first, options.first + options.count):
        if time.monotonic() - start >= options.seconds:
            break
        if seed in done:
            continue
        new = type(outcome)()
        run(range(seed, seed + 1), new)
        tried += 1
        print(*new.lines, sep="\n", end="\n" if new.lines else "", flush=True)
        _add(outcome, new.counts, new.lines)
        if options.keep:
            row = {"seed": seed, "commit": commit(), "counts": new.counts, "lines": new.lines}
            with options.keep.open("a") as file:
                file.write(json.dumps(row) + "\n")
    print(f"{tried} seeds tried, {time.process_time():.0f} s of processor time")
    if figures is None:
        for word, count in sorted(outcome.counts.items()):
            print(f"{count:7d}  {word}")
        return
    for figure in figures(outcome):
        print(f"{figure.value:7.4g}  {figure.what}  ({figure.note})")


def _add(outcome: Any, counts: dict[str, int], lines: list[str]) -> None:
    outcome.counts.update(counts)
    outcome.lines.extend(lines)


def _kept(path: Path | None, outcome: Any) -> set[int]:
    """Count what a file keeps; return its seeds."""
    seeds = set()
    if path and path.exists():
        for line in path.read_text().splitlines():
            row = json.loads(line)
            seeds.add(row["seed"])
            _add(outcome, row["counts"], row["lines"])
    return seeds


def commit() -> str:
    """Return the commit that is checked out, with a + where files differ from it."""
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, check=False
    )
    return told.stdout.strip()
