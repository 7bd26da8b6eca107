"""Divergences and derivatives of random pairs, against textbook densities in 96 digits.

Each pair is integrated twice: by the package in binary64, and by `benchmarks.campaigns.integrals`.
A number is wrong where the truth lies outside of its error bar, vague where the bar is a
thousandth of it or more.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

from flint import arb

from benchmarks.campaigns.integrals import INFINITE, Answer, Oracle
from benchmarks.campaigns.integrands import DIVERGENCES
from benchmarks.campaigns.laws import Law, in_many_digits
from benchmarks.campaigns.outcome import Outcome, Unresolved, figures_of, try_pairs
from benchmarks.campaigns.pairs import Tree, ball_law, pair, parameters, text
from benchmarks.figures import Figure

FIRST = 20_260_000
SECONDS = 60  # of processor time for one pair
ORDERS = ("0.3", "0.7", "1.5", "-0.5", "2.5")
KNOWN = arb("1e-12")  # relative: as well as this, or a hundredth of the bar, the truth is known
GREATEST = arb("1.797e308")


def run(seeds: range, outcome: Outcome) -> None:
    """Try the pairs of the seeds."""
    try_pairs(seeds, outcome, SECONDS, try_pair)


def try_pair(seed: int, outcome: Outcome) -> None:
    """Compare what the package says of one pair with the oracle."""
    import gantheory
    from gantheory.errors import GantheoryError

    draw, p, q = pair(seed)
    r = draw.random
    names = [*r.sample(sorted(DIVERGENCES), 11), f"power_{r.choice(ORDERS)}"]
    side, tree = r.choice([("p", p), ("q", q)])
    name, size = r.choice(list(parameters(tree)))
    derive = r.random() < 0.5
    try:
        laws = [gantheory.density(text(t)) for t in (p, q)]
    except GantheoryError:
        outcome.note("illegal pairs")
        return
    oracle = solved(names, (p, q), (side, name, size) if derive else None)
    outcome.note("pairs")
    for what in (None, f"{side}.{name}"):
        if what and not (derive and oracle.step is not None):
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = {n: gantheory.divergence(n, *laws, wrt=what) for n in names}
        except GantheoryError as reason:
            outcome.note("refused by name", seed, what, reason)
            continue
        for n in names:
            compare(outcome, (seed, n, what, text(p), text(q)), oracle, found[n])


@in_many_digits
def solved(names: list[str], trees: tuple[Tree, Tree], wrt: Any) -> Oracle:
    """Return the oracle's answers; without derivatives where only these are not resolved."""

    def laws(t: arb) -> tuple[Law, Law]:
        found = []
        for side, tree in zip("pq", trees, strict=True):
            moves = wrt and side == wrt[0] and t != 0
            found.append(ball_law(tree, {wrt[1]: t} if moves else None))
        return found[0], found[1]

    step = None
    if wrt:
        places = [w for law in laws(arb(0)) for _, w in law.anchors]
        step = (arb(wrt[2]) if wrt[2] else min(places)).mid() * arb("1e-30")
    try:
        oracle = Oracle(names, laws, step)
        oracle.found = oracle.solve()
    except Unresolved:
        if step is None:
            raise
        return solved(names, trees, None)
    return oracle


@in_many_digits
def compare(outcome: Outcome, where: tuple[Any, ...], oracle: Oracle, found: Any) -> None:
    """Judge one number of the package; what it is goes to the outcome."""
    name, wrt = where[1:3]
    status = found.status.name
    if state := oracle.infinite.get(name):
        outcome.note("infinite" if state == INFINITE else "threshold")
        right = "UNDETERMINED" if wrt else "INFINITE"
        if state == INFINITE and status == "UNDETERMINED" != right:
            outcome.note("infinite, undetermined", *where, found)
        elif state == INFINITE and status != right:
            outcome.note("WRONG", *where, "is infinite, said", found)
        return
    value, slope = oracle.found[name]
    truth = slope if wrt else value
    if wrt and is_kink(truth, oracle):
        outcome.note("no derivative")
        if status != "UNDETERMINED" and abs(truth.bend) > arb(found.error):
            outcome.note("a kink given a derivative", *where, found, "jumps by", truth.bend)
        return
    bar = arb(found.error) if math.isfinite(found.error) else arb(0)
    if not (truth.error <= abs(truth.value) * KNOWN or truth.error <= bar / 100):
        outcome.note("not resolved by the oracle")
        return
    outcome.note("derivatives" if wrt else "values")
    outcome.note(status)
    judge(outcome, where, truth, found)


def is_kink(slope: Answer, oracle: Oracle) -> bool:
    """Whether the two one-sided derivatives differ by more than a second derivative makes them."""
    size = oracle.step * arb("1e30")
    small = abs(slope.value) * arb("1e-9") + slope.error * 1000 + arb("1e-15") / size
    return not abs(slope.bend) <= small


def judge(outcome: Outcome, where: tuple[Any, ...], truth: Answer, found: Any) -> None:
    """Tell whether a number is wrong, vague or undetermined, against what is known."""
    shown = truth.value.str(17, radius=False)
    if found.status.name == "UNDETERMINED":
        outcome.note("undetermined", *where, shown, found)
    elif math.isinf(found.value):
        if abs(truth.value) < GREATEST:
            outcome.note("WRONG", *where, shown, found)
    else:
        off, bar = abs(truth.value - arb(found.value)), arb(found.error)
        if not off <= (bar + truth.error) * arb("1.000001") + arb("4.95e-324"):
            times = float(off / bar) if bar > 0 else math.inf
            outcome.note("WRONG", *where, shown, found, f"{times:.3g} bars off")
        elif bar > abs(truth.value) / 1000 and abs(truth.value) > arb("1e-300"):
            outcome.note("vague", *where, shown, found)


def figures(quick: bool) -> Iterator[Figure]:
    """Yield what came of a campaign."""
    return figures_of(run, range(FIRST, FIRST + (12 if quick else 260)), "numbers")


if __name__ == "__main__":
    from benchmarks.campaigns.command import main

    main(run, Outcome())
