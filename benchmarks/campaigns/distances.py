"""W1, W2 and the energy distance of random pairs on the line, by their tails in many digits.

.. math:: W_1 = \\int |F - G|\\,dx, \\qquad E = 2\\int (F - G)^2\\,dx, \\qquad
          W_2^2 = \\int (x - G^{-1}(F(x)))^2\\,p(x)\\,dx

Panels lie between places at distances that grow fourfold from every anchor, and are halved until
nothing changes; derivatives of W1 are central differences. Source: S. S. Vallender (1974),
Theory of Probability and its Applications 18.
"""

from __future__ import annotations

import warnings
from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from flint import arb, ctx

from benchmarks.campaigns.integrals import RULE, Answer
from benchmarks.campaigns.laws import HALF, ZERO, Law, Place, in_many_digits, within
from benchmarks.campaigns.numbers import judge
from benchmarks.campaigns.outcome import Outcome, Unresolved, figures_of, try_pairs
from benchmarks.campaigns.pairs import Draw, Tree, ball_law, parameters, text
from benchmarks.figures import Figure

FIRST = 50_000
SECONDS = 30  # of processor time for one pair
INWARD, OUTWARD = 40, 200  # fourfold steps from the width of an anchor
SMALL = arb("1e-18")  # of the whole: what is less does not count
STEP = arb("1e-20")
PRECISION = 160  # bits
CHEAP = ("normal", "laplace", "logistic", "gumbel", "uniform", "exponential", "weibull",
         "lognormal", "rayleigh", "log_logistic", "triangular", "half_normal")  # fmt: skip


def mass(law: Law, x: arb, up: bool) -> arb:
    """Return the mass above or below a place."""
    assert law.tail is not None
    low, high = law.support
    if (low is not None and not x > low) or (high is not None and not x < high):
        above = low is not None and not x > low
        return arb(1) if above == up else ZERO
    found = law.tail(x, up)
    return found if found.is_finite() else ZERO  # so far out that an exponential overflowed


def gap(p: Law, q: Law, x: arb) -> arb:
    """Return F(x) − G(x), from the smaller tails."""
    below = mass(p, x, False), mass(q, x, False)
    if below[0] + below[1] < 1:
        return (below[0] - below[1]).mid()
    return (mass(q, x, True) - mass(p, x, True)).mid()


def ladder(laws: tuple[Law, Law]) -> list[arb]:
    """Return places about every anchor, at distances that grow fourfold."""
    found = set()
    for law in laws:
        for place, width in law.anchors:
            found.add(place.mid())
            for k in range(-INWARD, OUTWARD):
                apart = (abs(width) * arb(4) ** k).mid()
                found |= {(place - apart).mid(), (place + apart).mid()}
    ordered = sorted(found)
    kept = ordered[:1]
    for x in ordered[1:]:  # of two places that are all but one, one
        if x - kept[-1] > (abs(x) + abs(kept[-1])) * arb(2) ** -120:
            kept.append(x)
    return kept


def over(low: arb, high: arb, f: Callable[[arb], list[arb]]) -> list[arb]:
    """Return integrals over a panel by Gauss and Legendre."""
    centre, radius = ((low + high) / 2).mid(), ((high - low) / 2).mid()
    columns = [[weight * v for v in f((centre + radius * z).mid())] for z, weight in RULE]
    return [(sum(column, ZERO) * radius).mid() for column in zip(*columns, strict=True)]


def integral(
    panels: list[tuple[arb, arb]], f: Callable[[arb], list[arb]], most: int = 5
) -> list[tuple[arb, arb]]:
    """Return integrals over all panels with what the last halving changed."""
    coarse = [over(a, b, f) for a, b in panels]
    total = [sum((abs(one[k]) for one in coarse), ZERO) for k in range(len(coarse[0]))]
    values, errors = [ZERO] * len(total), [ZERO] * len(total)
    todo = [(a, b, one, most) for (a, b), one in zip(panels, coarse, strict=True)]
    while todo:
        a, b, whole, left = todo.pop()
        if all(abs(v) <= SMALL * t / 1000 for v, t in zip(whole, total, strict=True)):
            values = [v + w for v, w in zip(values, whole, strict=True)]
            continue
        m = ((a + b) / 2).mid()
        halves = over(a, m, f), over(m, b, f)
        both = [v + w for v, w in zip(*halves, strict=True)]
        off = [abs(v - w) for v, w in zip(whole, both, strict=True)]
        if left and any(o > SMALL * t for o, t in zip(off, total, strict=True)):
            todo += [(a, m, halves[0], left - 1), (m, b, halves[1], left - 1)]
            continue
        values = [v + w for v, w in zip(values, both, strict=True)]
        errors = [v + w for v, w in zip(errors, off, strict=True)]
    return list(zip(values, errors, strict=True))


def trimmed(laws: tuple[Law, Law]) -> list[tuple[arb, arb]]:
    """Return the panels that count, cut where F crosses G."""
    p, q = laws
    places = ladder(laws)
    gaps = [gap(p, q, x) for x in places]
    sizes = [(b - a) * (abs(g) + abs(h)) for (a, b), (g, h)
             in zip(pairwise(places), pairwise(gaps), strict=True)]  # fmt: skip
    top = sum(sizes, ZERO)
    if any(size > SMALL * top for size in (*sizes[:8], *sizes[-8:])):
        raise Unresolved("a tail that decays slowly, or not at all")
    kept = []
    for (a, b), (g, h), size in zip(pairwise(places), pairwise(gaps), sizes, strict=True):
        if size > SMALL * top / 1000 or g * h < 0:
            cut = _crossing(laws, a, b, g) if g * h < 0 else None
            kept += [(a, b)] if cut is None else [(a, cut), (cut, b)]
    return kept


def _crossing(laws: tuple[Law, Law], low: arb, high: arb, at_low: arb) -> arb:
    for _ in range(70):
        x = ((low + high) / 2).mid()
        low, high = (x, high) if gap(*laws, x) * at_low > 0 else (low, x)
    return low


def quantile(law: Law, places: list[arb], masses: list[arb], share: arb, up: bool) -> arb:
    """Return the place with a share above it (``up``) or below it, by halving and Newton."""
    k = bisect_left(masses, share)
    if not 0 < k < len(places):
        raise Unresolved("a quantile beyond all places")
    low, high = sorted((places[k - 1], places[k]))
    for _ in range(20):
        x = ((low + high) / 2).mid()
        low, high = (x, high) if (mass(law, x, up) < share) != up else (low, x)
    x = ((low + high) / 2).mid()
    for _ in range(8):
        log = law.log(Place(x, ZERO))
        if log is None:
            break
        off = (mass(law, x, up) - share).mid()
        step = (off / log.exp()).mid()
        x = (x + step if up else x - step).mid()
        if abs(step) < abs(x) * SMALL**2 or abs(off) < share * SMALL**2:
            return x
    raise Unresolved("a quantile")


@ctx.workprec(PRECISION)
def solved(trees: tuple[Tree, Tree], wrt: Any) -> dict[str, tuple[Answer, Answer | None]]:
    """Return W1 with its derivative, energy and W2."""

    def laws(t: arb) -> tuple[Law, Law]:
        found = []
        for side, tree in zip("pq", trees, strict=True):
            moves = wrt and side == wrt[0] and t != 0
            found.append(ball_law(tree, {wrt[1]: t} if moves else None))
        return found[0], found[1]

    here = laws(ZERO)
    if any(law.tail is None for law in here):
        raise Unresolved("no tails")
    panels = trimmed(here)
    if not panels:
        raise Unresolved("one law")
    size = wrt and (arb(wrt[2]) if wrt[2] else min(w for law in here for _, w in law.anchors))
    versions = [here, *([laws(size * STEP), laws(-size * STEP)] if wrt else [])]

    def terms(x: arb) -> list[arb]:
        gaps = [gap(*two, x) for two in versions]
        return [abs(g) for g in gaps] + [2 * gaps[0] ** 2]

    value, *moved, energy = integral(panels, terms)
    slope = None
    if wrt:
        (up, error), (down, _) = moved
        step = size * STEP
        bend = (up + down - 2 * value[0]) / step
        slope = Answer((up - down) / (2 * step), error, bend)
    told = {"w1": (Answer(*value), slope), "energy": (Answer(*energy), None)}
    if not {tree[0] for tree in trees} & {"log_logistic"}:  # whose second moment may be infinite
        told["w2"] = (second(here), None)
    return told


def second(laws: tuple[Law, Law]) -> Answer:
    """Return W2."""
    p, q = laws
    places = ladder(laws)
    below = [mass(q, x, False).mid() for x in places]
    above = [mass(q, x, True).mid() for x in reversed(places)]
    backwards = places[::-1]

    def moved(x: arb) -> list[arb]:
        if not within(Place(x, ZERO), p.support):
            return [ZERO]
        log = p.log(Place(x, ZERO))
        share = mass(p, x, False).mid()
        if share < HALF:
            y = quantile(q, places, below, share, False)
        else:
            y = quantile(q, backwards, above, mass(p, x, True).mid(), True)
        return [(x - y) ** 2 * log.exp()] if log is not None else [ZERO]

    panels = [(a, b) for a, b in pairwise(places) if _counts(p, q, a, b)]
    ((value, error),) = integral(panels, moved)
    root = value.sqrt()
    return Answer(root, error / root if root > 0 else error)


def _counts(p: Law, q: Law, low: arb, high: arb) -> bool:
    share = mass(p, low, True) if mass(p, low, False) > HALF else mass(p, high, False)
    return bool(share > arb("1e-60"))


def run(seeds: range, outcome: Outcome) -> None:
    """Try the pairs of the seeds."""
    try_pairs(seeds, outcome, SECONDS, try_pair)


def try_pair(seed: int, outcome: Outcome) -> None:
    """Compare what the package says of one pair with the oracle."""
    import gantheory
    from gantheory.errors import GantheoryError

    draw = Draw(seed)
    p = draw.law(CHEAP)
    near = draw.random.random() < 0.45
    q = draw.neighbour(p, 10 ** draw.random.uniform(-12, 0)) if near else draw.law(CHEAP)
    side, tree = draw.random.choice([("p", p), ("q", q)])
    name, size = draw.random.choice(list(parameters(tree)))
    try:
        laws = [gantheory.density(text(t)) for t in (p, q)]
    except GantheoryError:
        outcome.note("illegal pairs")
        return
    told = solved((p, q), (side, name, size))
    outcome.note("pairs")
    for what in (None, f"{side}.{name}"):
        for n in ("w1", "energy", "w2"):
            where = (seed, n, what, text(p), text(q))
            if n not in told or (what and told[n][1] is None):
                continue
            ask(outcome, where, told[n][what is not None], n, laws, what)


@in_many_digits
def ask(
    outcome: Outcome, where: tuple[Any, ...], truth: Any, name: str, laws: Any, wrt: str | None
) -> None:
    """Compare what the package says of two laws with the truth; a warning is a fault."""
    import gantheory
    from gantheory.errors import GantheoryError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = gantheory.divergence(name, *laws, wrt=wrt)
    except GantheoryError as reason:
        outcome.note("refused", *where, reason)
    else:
        compare(outcome, where, truth, found)


def compare(outcome: Outcome, where: tuple[Any, ...], truth: Any, found: Any) -> None:
    status = found.status.name
    bar = arb(found.error) if found.error < float("inf") else ZERO
    if where[2] and not abs(truth.bend) <= abs(truth.value) * arb("1e-9"):
        outcome.note("no derivative")
        return
    if not (truth.error <= abs(truth.value) * arb("1e-14") or truth.error <= bar / 100):
        outcome.note("not resolved by the oracle")
        return
    outcome.note(f"{'derivatives' if where[2] else 'values'} of {where[1]}")
    outcome.note(status)
    judge(outcome, where, truth, found)


def figures(quick: bool) -> Iterator[Figure]:
    """Yield what came of a campaign."""
    return figures_of(run, range(FIRST, FIRST + (6 if quick else 120)), "distances")


if __name__ == "__main__":
    from benchmarks.campaigns.command import main

    main(run, Outcome())
