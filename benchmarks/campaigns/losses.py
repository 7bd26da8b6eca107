"""The theory of random losses, against a numerical search for the best discriminator.

For each loss the payoff r·a(t) + b(t) is maximised on a grid and then in 50 digits; curvatures are
differences of what its maximiser gives. A statement is wrong where these disagree with it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import sympy as sp
from flint import arb, ctx

from benchmarks.campaigns.outcome import Outcome, figures_of, timed
from benchmarks.campaigns.payoffs import Arrays, Digits, compiled, draw, text
from benchmarks.figures import Figure

FIRST = 30_000
SECONDS = 90  # of processor time for one loss
ALLOWED = 30.0  # for one derivation
RATIOS = (0.05, 0.3, 0.7, 1.0, 1.5, 3.0, 20.0)
FAR = 400.0  # scores beyond are not searched
NEAR = 1e-6  # relative: of values; of curvatures, which are differences, a thousand times as much
GOLDEN = (arb(5).sqrt() - 1).mid() / 2


class Search:
    """The best score at each density ratio, found without derivatives."""

    def __init__(self, loss: dict[str, Any], numbers: dict[str, Any]) -> None:
        self.loss, self.numbers = loss, numbers
        self.functions = {
            (name, m): compiled(loss[name], m)
            for name in ("real", "fake", "generator")
            for m in (Arrays, Digits)
        }
        self.floats = {name: float(x) for name, x in numbers.items()}
        low, high = (x.strip() for x in loss["domain"][1:-1].split(","))
        ends = {"-oo": -math.inf, "oo": math.inf, "1/2": 0.5}
        self.low, self.high = (ends[x] if x in ends else float(x) for x in (low, high))
        self.best = lru_cache(None)(self._best)

    def payoff(self, name: str, t: Any, m: Any = Digits) -> Any:
        """Return one of the three payoffs at a score."""
        value = self.functions[name, m](t, self.numbers if m is Digits else self.floats)
        return value.mid() if m is Digits else value

    def total(self, r: Any, t: Any, m: Any = Digits) -> Any:
        """Return r·a(t) + b(t)."""
        value = r * self.payoff("real", t, m) + self.payoff("fake", t, m)
        return value.mid() if m is Digits else value

    @property
    def inside(self) -> tuple[float, float]:
        """The ends of the scores that are searched."""
        return max(self.low, -FAR), min(self.high, FAR)

    def _best(self, r: Any) -> tuple[Any, Any]:
        """Return the best score and the supremum, on the domain cut at ±FAR."""
        low, high = self.inside
        dense = np.clip(np.linspace(-8, 8, 16001), low, high)
        places = np.concatenate([np.linspace(low, high, 8001), dense])
        grid = np.clip(np.unique(np.round(places, 6)), low, high)
        with np.errstate(all="ignore"):
            values = self.total(float(r), grid, Arrays)
        values = np.where(np.isnan(values), -np.inf, values)
        found = []
        for k in self._tops(values):
            a, b = grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)]
            found.append(self._refined(r, arb(float(a)), arb(float(b))))
        return max(found, key=lambda pair: pair[1])

    @staticmethod
    def _tops(values: Any) -> list[int]:
        """Return the places of the greatest local maxima of a sampled function."""
        padded = np.concatenate([[-np.inf], values, [-np.inf]])
        tops = np.nonzero((values >= padded[:-2]) & (values >= padded[2:]))[0]
        order = tops[np.argsort(-values[tops], kind="stable")]
        kept: list[int] = []
        enough = values[order[0]] - 1e-5 * (1 + abs(values[order[0]]))
        for k in order:
            if values[k] < enough:
                break
            if all(abs(int(k) - other) > 2 for other in kept):
                kept.append(int(k))
            if len(kept) == 3:
                break
        return kept

    def _refined(self, r: Any, a: Any, b: Any) -> tuple[Any, Any]:
        c, d = (b - GOLDEN * (b - a)).mid(), (a + GOLDEN * (b - a)).mid()
        at_c, at_d = self.total(r, c), self.total(r, d)
        for _ in range(80):
            if at_c > at_d:
                b, d, at_d = d, c, at_c
                c = (b - GOLDEN * (b - a)).mid()
                at_c = self.total(r, c)
            else:
                a, c, at_c = c, d, at_d
                d = (a + GOLDEN * (b - a)).mid()
                at_d = self.total(r, d)
        places = [a, b, c]
        return max(((t, self.total(r, t)) for t in places), key=lambda pair: pair[1])

    def at_the_cut(self, r: Any) -> bool:
        """Whether the best score is where the search ends and the domain does not."""
        t = self.best(r)[0]
        low, high = self.inside
        return (t > high - 1 and self.high == math.inf) or (t < low + 1 and self.low == -math.inf)

    def grows(self, r: Any) -> bool:
        """Whether the payoff grows beyond all bounds towards an open end of the domain."""
        for end in (self.low, self.high):
            if math.isinf(end):
                near, far = (self.total(r, arb(math.copysign(x, end))) for x in (1e4, 1e8))
                if far > near + 1 or not far.is_finite():
                    return True
        return False

    def slopes(self, r: Any, name: str) -> tuple[Any, Any, bool]:
        """Return first and second derivative of a payoff at the best score in r.

        The last entry says that the best score does not jump or bend here.
        """
        h = (arb(r) / 10**4).mid()
        places = [self.best((r + k * h).mid()) for k in (-2, -1, 0, 1, 2)]
        t = [place[0] for place in places]
        y = [self.payoff(name, s) for s in t]
        first = [(b - a) / h for a, b in pairwise(t)]
        calm = max(first) - min(first) <= abs(first[0]) / 100 + arb("1e-15")
        one = (y[0] - 8 * y[1] + 8 * y[3] - y[4]) / (12 * h)
        two = (-y[0] + 16 * y[1] - 30 * y[2] + 16 * y[3] - y[4]) / (12 * h * h)
        return one, two, bool(calm)


def run(seeds: range, outcome: Outcome) -> None:
    """Try the losses of the seeds."""
    for seed in seeds:
        with ctx.workprec(180), timed(SECONDS, outcome, seed):
            try_loss(seed, outcome)


def try_loss(seed: int, outcome: Outcome) -> None:
    """Compare all that the package derives of one loss with the search."""
    from gantheory import Loss, derive
    from gantheory.errors import InternalError

    r = random.Random(seed)
    loss = draw(r)
    numbers = {"c": arb(r.choice([0.5, 1.25, 2.0, 3.0]))}
    texts = {k: v if k == "domain" else text(v) for k, v in loss.items()}
    where = (seed, *texts.values())
    outcome.note("losses")
    try:
        found = derive(Loss("random", **texts), seconds=ALLOWED)
    except InternalError as error:
        outcome.note("WRONG", *where, "refutes itself:", str(error)[-200:])
        return
    search = Search(loss, numbers)
    outcome.note(found.status)
    if found.no_optimum:
        if not any(search.grows(x) for x in np.geomspace(1e-4, 1e4, 33)):
            outcome.note("WRONG", *where, found.no_optimum)
    elif found.optimum is None:
        outcome.note("undecided:", *where, found.undecided["optimum"][-150:])
    else:
        for name, reason in (found.undecided or {}).items():
            outcome.note(f"undecided part {name}", *where, reason[:150])
        for check in (optimum, curvatures, equality, disjoint, saturated, verdicts):
            check(found, search, lambda *what: outcome.note("WRONG", *where, *what), outcome)


def numbered(expression: Any, search: Search, r: float | None = None) -> arb:
    """Return an expression of the package as a number; a nan where it is none."""
    table = {str(k): v for k, v in {**search.floats, "r": r}.items() if v is not None}
    names = {s: sp.Float(table[str(s)], 40) for s in expression.free_symbols if str(s) in table}
    value = sp.N(expression.subs(names), 30)
    if value in (sp.oo, -sp.oo):
        return arb("inf") if value == sp.oo else arb("-inf")
    return arb(str(value)) if value.is_real else arb("nan")


def is_infinite(x: arb) -> bool:
    return not (x.is_finite() or x.is_nan())


def shown(x: Any) -> str:
    """Return nine digits."""
    return x.str(9, radius=False) if isinstance(x, arb) else str(x)


def at(found: Any, search: Search, r: float) -> dict[str, Any]:
    """Return the score and the curvatures that the package states at a ratio."""
    if "c" not in found.definition.parameters:
        row = found.at(repr(r))[0]
        told = {"t": row.t, "value": row.value, "loss": row.loss, "followed": row.followed}
        return {k: arb(v.value) for k, v in told.items() if v is not None}
    out = {}
    if not found.implicit:
        for name, curvature in found.curvatures.items():
            out[name] = numbered(curvature.curvature, search, r)
    return {k: v for k, v in out.items() if not v.is_nan()}


def optimum(found: Any, search: Search, wrong: Callable[..., None], outcome: Outcome) -> None:
    """Check that no score is better than the one that is stated."""
    for r in RATIOS:
        t = at(found, search, r).get("t")
        if t is None or t.is_nan():
            continue
        outcome.note("compared")
        best, top = search.best(r)
        if is_infinite(t):
            if abs(best) < 30 and top - search.total(r, arb(math.copysign(FAR, t))) > NEAR:
                wrong("score", t, "at r =", r, "where", shown(best), "is better")
        elif not top - search.total(r, t) <= NEAR * (1 + abs(top)) * 1e-3:
            wrong("score", shown(t), "at r =", r, "not", shown(best))


def curvatures(found: Any, search: Search, wrong: Callable[..., None], outcome: Outcome) -> None:
    """Check f'' of value, loss and what is followed against differences."""
    for r in RATIOS:
        told = at(found, search, r)
        if search.at_the_cut(r):
            continue
        slope, _, calm = search.slopes(r, "real")
        down, bend, _ = search.slopes(r, "generator")
        truth = {"value": slope, "loss": bend, "followed": -down / r}
        for name, value in told.items():
            if name in truth and calm:
                outcome.note("compared")
                off = abs(value - truth[name])
                if not off <= 1e3 * NEAR * (abs(truth[name]) + abs(value)) + 1e-9 / r:
                    wrong(name, shown(value), "at r =", r, shown(truth[name]))


def equality(found: Any, search: Search, wrong: Callable[..., None], outcome: Outcome) -> None:
    """Check what holds at P = Q."""
    told = found.equilibrium
    if told is None:
        return
    t, top = search.best(1.0)
    if told.discriminator_loss is not None:
        outcome.note("compared")
        value = numbered(told.discriminator_loss, search)
        if not abs(value + top) <= NEAR * (1 + abs(top)) and not search.at_the_cut(1.0):
            wrong("discriminator's loss at P = Q", value, "not", shown(-top))
    ambiguous = told.generator_range or told.others or told.D_range or search.at_the_cut(1.0)
    if told.generator_loss is not None and not ambiguous:
        outcome.note("compared")
        value, truth = numbered(told.generator_loss, search), search.payoff("generator", t)
        if not abs(value - truth) <= 1e3 * NEAR * (1 + abs(truth)):
            wrong("generator's loss at P = Q", value, "not", shown(truth))


def disjoint(found: Any, search: Search, wrong: Callable[..., None], outcome: Outcome) -> None:
    """Check what value and loss are where the supports are disjoint: suprema of single payoffs."""
    told = found.disjoint
    if told is None or found.value is None:
        return
    if told.value is not None:
        near, far = (_sum_of_suprema(search, k) for k in (30, 60))
        outcome.note("compared")
        value = numbered(told.value, search)
        if is_infinite(value):
            cut = any(search.at_the_cut((arb(10) ** k).mid()) for k in (-60, 60))
            fine = cut or far > near + 0.01
        else:
            fine = abs(value - far) <= 0.02 * (1 + abs(value)) or abs(value - far) < abs(
                value - near
            )
        if not fine:
            wrong("disjoint value", shown(value), "not", shown(far))


def _sum_of_suprema(search: Search, k: int) -> arb:
    """Return sup b + sup a − V(1), each payoff being all but alone."""
    tiny, huge = (arb(10) ** -k).mid(), (arb(10) ** k).mid()
    return search.best(tiny)[1] + search.best(huge)[1] / huge - search.best(1.0)[1]


def saturated(found: Any, search: Search, wrong: Callable[..., None], outcome: Outcome) -> None:
    """Check the limits of the weight c'(t*) of the gradient in the score."""
    told = found.saturation
    if told is None or told.in_score is None:
        return
    limits = ((told.score_limit_at_0, -1), (told.score_limit_at_inf, 1))
    for limit, sign in limits:
        if limit is None:
            continue
        value, gaps = numbered(limit, search), []
        for exponent in (6, 12, 24):
            t = search.best((arb(10) ** (sign * exponent)).mid())[0]
            h = arb("1e-20")
            up, down = (search.payoff("generator", t + k * h) for k in (1, -1))
            gaps.append((up - down) / (2 * h))
        outcome.note("compared")
        if is_infinite(value):
            fine = abs(gaps[2]) > abs(gaps[0]) and (gaps[2] > 0) == (value > 0)
        else:
            apart = [abs(gap - value) for gap in gaps]
            fine = apart[2] <= 1e-6 * (1 + abs(value)) or apart[2] < 0.8 * apart[0]
        if not fine:
            wrong("limit of the weight", value, "not", [shown(gap) for gap in gaps])


def verdicts(found: Any, search: Search, wrong: Callable[..., None], outcome: Outcome) -> None:
    """Check whether what is followed is a divergence: then E_q of the loss falls with r."""
    told = found.followed
    if told is None or told.is_divergence is None:
        return
    ratios = np.geomspace(1e-3, 1e3, 33)
    heights = [search.payoff("generator", search.best(float(r))[0]) for r in ratios]
    rises = max(b - a for a, b in pairwise(heights))
    size = max(map(abs, heights))
    outcome.note("compared")
    if told.is_divergence and rises > NEAR * (1 + size):
        wrong("followed is said to be a divergence, and the loss rises by", shown(rises))
    if told.is_divergence is False and told.counterexample is not None:
        r = numbered(told.counterexample, search)
        slope, _, calm = search.slopes(r, "generator")
        if calm and slope < -NEAR:
            wrong("followed is said to bend down at r =", r, "where the loss falls")


def figures(quick: bool) -> Iterator[Figure]:
    """Yield what came of a campaign."""
    return figures_of(run, range(FIRST, FIRST + (6 if quick else 300)), "statements")


if __name__ == "__main__":
    from benchmarks.campaigns.command import main

    main(run, Outcome())
