"""What comes of a campaign: counts by word, and lines for what is to be looked at."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.figures import Figure

WRONG = "WRONG"


@dataclass
class Outcome:
    """Counts by word, and a line for each thing to look at."""

    counts: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)

    def note(self, word: str, *what: Any) -> None:
        """Count a word, and keep what it was where that is told."""
        self.counts[word] += 1
        if what:
            self.lines.append(f"{word}: " + " | ".join(map(str, what)))

    def figures(self, of: str) -> Iterator[Figure]:
        """Yield the count of what is wrong, which is to be 0, with its lines; then the others."""
        lines = "\n".join(line for line in self.lines if line.startswith(f"{WRONG}:"))
        yield Figure("wrong", self.counts[WRONG], of, 0, True, lines)
        for word in sorted(set(self.counts) - {WRONG}):
            yield Figure(word, self.counts[word], "counted")


def figures_of(run: Callable[[range, Outcome], None], seeds: range, of: str) -> Iterator[Figure]:
    """Yield what comes of a campaign on some seeds."""
    outcome = Outcome()
    run(seeds, outcome)
    yield from outcome.figures(of)


class Late(BaseException):
    """The time for one trial is up; no handler of ordinary errors stops it."""


class Unresolved(Exception):
    """The oracle does not know the answer."""


@contextmanager
def timed(seconds: float, outcome: Outcome, trial: Any) -> Iterator[None]:
    """Allow one trial some processor time; what takes longer is counted and left."""

    def late(*_: Any) -> None:
        raise Late

    signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    except Late:
        outcome.note("not finished in time", trial)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def try_pairs(
    seeds: range, outcome: Outcome, seconds: float, try_pair: Callable[[int, Outcome], None]
) -> None:
    """Try the pair of each seed, and count those that the oracle or the time leaves open."""
    for seed in seeds:
        with timed(seconds, outcome, seed):
            try:
                try_pair(seed, outcome)
            except (Unresolved, ArithmeticError) as reason:
                outcome.note("not resolved by the oracle: pairs", seed, repr(reason))
