"""The command line of the campaigns: ``python -m benchmarks.campaigns.numbers FIRST COUNT``."""

from __future__ import annotations

import argparse
import time
from typing import Any


def main(run: Any, outcome: Any) -> None:
    """Run seeds one by one, say what is to be looked at when it comes, and end with a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("first", type=int, help="the first seed")
    parser.add_argument("count", type=int, help="how many seeds")
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no seed after this time")
    options = parser.parse_args()
    start, shown, seed = time.monotonic(), 0, options.first
    while seed < options.first + options.count and time.monotonic() - start < options.seconds:
        run(range(seed, seed + 1), outcome)
        for line in outcome.lines[shown:]:
            print(line, flush=True)
        shown, seed = len(outcome.lines), seed + 1
    print(f"seeds {options.first} to {seed - 1}, {time.process_time():.0f} s of processor time")
    for word, count in sorted(outcome.counts.items()):
        print(f"{count:7d}  {word}")
