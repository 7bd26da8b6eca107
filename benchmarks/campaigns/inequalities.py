"""Inequalities between divergences, true and false, against a search over laws of few points.

A statement is A ≤ c·B with powers, c being a little above or below the greatest A/B that the search
finds. What is proved must not be violated by any pair of the search, and a counterexample must be
one by formulas written here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from benchmarks.campaigns.outcome import Outcome, figures_of, timed
from benchmarks.figures import Figure

FIRST = 50_000
SECONDS = 60
ALLOWED = 5.0  # seconds for one proof
SHARES = ("1/2", "9/10", "99/100", "101/100", "11/10", "2")  # of the greatest quotient found
Array = Any


def _log_ratio(p: Array, q: Array) -> Array:
    """Return p·log(p/q), 0 where p is."""
    with np.errstate(all="ignore"):
        return np.where(p > 0, p * (np.log(p) - np.log(q)), 0.0)


def _sum(term: Array) -> Array:
    return term.sum(axis=-1)


def _over(a: Array, b: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.where(a > 0, a / b, 0.0)


DIVERGENCES: dict[str, Callable[[Array, Array], Array]] = {
    "kl_pq": lambda p, q: _sum(_log_ratio(p, q)),
    "kl_qp": lambda p, q: _sum(_log_ratio(q, p)),
    "jeffreys": lambda p, q: _sum(_log_ratio(p, q) + _log_ratio(q, p)),
    "jsd": lambda p, q: _sum(_log_ratio(p, (p + q) / 2) + _log_ratio(q, (p + q) / 2)) / 2,
    "tv": lambda p, q: _sum(abs(p - q)) / 2,
    "hellinger2": lambda p, q: _sum((np.sqrt(p) - np.sqrt(q)) ** 2) / 2,
    "pearson_chi2": lambda p, q: _sum(_over((p - q) ** 2, q)),
    "neyman_chi2": lambda p, q: _sum(_over((p - q) ** 2, p)),
    "triangular": lambda p, q: _sum(_over((p - q) ** 2, p + q)),
    "kl_pm": lambda p, q: _sum(_log_ratio(p, (p + q) / 2)),
    "kl_qm": lambda p, q: _sum(_log_ratio(q, (p + q) / 2)),
    "kl_mp": lambda p, q: _sum(_log_ratio((p + q) / 2, p)),
    "kl_mq": lambda p, q: _sum(_log_ratio((p + q) / 2, q)),
}


def laws(seed: int, count: int = 60_000) -> tuple[Array, Array]:
    """Return pairs of laws of two to four points: any, nearly equal, and all but singular."""
    rng = np.random.default_rng(seed)
    p, q = (rng.dirichlet(np.full(4, 0.4), count) for _ in range(2))
    two, three = np.arange(count) % 3 == 0, np.arange(count) % 3 == 1
    for law in (p, q):
        law[two, 2:] = 0
        law[three, 3] = 0
    p, q = (law / law.sum(axis=1, keepdims=True) for law in (p, q))
    near = rng.uniform(size=count) < 0.3
    share = 10 ** rng.uniform(-3, 0, (count, 1))
    return p, np.where(near[:, None], p + share * (q - p), q)


def draw(seed: int) -> tuple[str, str, str, str]:
    """Return two sides as names with powers, and the two names."""
    r = random.Random(seed)
    a, b = r.sample(sorted(DIVERGENCES), 2)
    power = r.choice(["", "", "", "**2"])
    return f"{a}{power}", b, a, power


def run(seeds: range, outcome: Outcome) -> None:
    """Try one statement for each seed."""
    for seed in seeds:
        with timed(SECONDS, outcome, seed):
            try_statement(seed, outcome)


def try_statement(seed: int, outcome: Outcome) -> None:
    """Compare what is proved or refuted with the search."""
    import gantheory

    left, b, a, power = draw(seed)
    p, q = laws(seed)
    one, other = DIVERGENCES[a](p, q) ** (2 if power else 1), DIVERGENCES[b](p, q)
    known = np.isfinite(one) & np.isfinite(other) & (other > 1e-7)
    greatest = float(np.max(one[known] / other[known]))
    share = random.Random(seed + 1).choice(SHARES)
    constant = Fraction(share) * Fraction(greatest).limit_denominator(1000)
    if constant == 0:
        constant = Fraction(1, 2)
    text = f"{left} <= {constant}*{b}"
    violated = known & (one > float(constant) * other * (1 + 1e-9) + 1e-12)
    outcome.note("statements")
    found = gantheory.prove(text, seconds=ALLOWED)
    outcome.note(f"{found.how.value}, {'false' if violated.any() else 'not refuted by the search'}")
    if found.how.value in ("proved", "certified") and violated.any():
        k = int(np.argmax(np.where(violated, one - float(constant) * other, -np.inf)))
        outcome.note("WRONG", seed, text, found.how.value, "fails at", p[k], q[k])
    elif found.how.value == "refuted":
        check_counterexample(seed, text, (a, power, constant, b), found, outcome)
    elif found.how.value not in ("proved", "certified"):
        outcome.note("undecided:", seed, text, found.how.value, found.reason, f"sup {greatest:.6g}")


def check_counterexample(
    seed: int, text: str, parts: tuple[str, str, Fraction, str], found: Any, outcome: Outcome
) -> None:
    """Evaluate both sides at the pair that is said to violate a statement."""
    a, power, constant, b = parts
    if not found.p:
        outcome.note("refuted without a pair", seed, text, found.counterexample)
        return
    p, q = (np.array([float(Fraction(x)) for x in law]) for law in (found.p, found.q))
    one = float(DIVERGENCES[a](p, q)) ** (2 if power else 1)
    other = float(constant) * float(DIVERGENCES[b](p, q))
    outcome.note("counterexamples compared")
    if not one > other * (1 - 1e-9):
        outcome.note("WRONG", seed, text, "holds at its counterexample", found.counterexample)


def figures(quick: bool) -> Iterator[Figure]:
    """Yield what came of a campaign."""
    return figures_of(run, range(FIRST, FIRST + (5 if quick else 80)), "statements")


if __name__ == "__main__":
    from benchmarks.campaigns.command import main

    main(run, Outcome())
