"""What is derived of a loss again: its best score found numerically, on its own text.

With H(r) the generator's loss at the best score for p/q = r, what is followed has f'' = -H'(r)/r:
it is a divergence where H falls, and f(0) + f'(∞) = H(0) - ∫₀¹ H(1/s) ds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from gantheory.formulas import interval
from gantheory.ledger.statements import floats
from gantheory.ledger.statements.floats import PRECISE, NoRoute, float_value, mp
from gantheory.ledger.statements.kinds import Derived
from gantheory.losses.loss import Loss

Case = tuple[str, float, float]  # where, and both sides there
TYPICAL = (1.3, 0.7, 2.1, 0.4)  # of parameters that have no typical number of their own


class Played:
    """A loss with typical numbers, its best score found by golden sections on its own text."""

    def __init__(self, loss: Loss, reach: float = 60.0) -> None:
        self.numbers = {name: float_value(floats.read(x), {}) for name, x in loss.typical.items()}
        self.trees = [floats.read(t) for t in (loss.real, loss.fake, loss.generator, loss.link)]
        used = sorted({name for tree in self.trees for name in floats.free_names(tree)})
        free = [name for name in used if name not in {*self.numbers, "t", "D"}]
        self.numbers |= dict(zip(free, TYPICAL, strict=False))
        legal = interval(loss.domain)
        lower, upper = (float_value(end, self.numbers) for end in (legal.lower, legal.upper))
        self.span = max(lower, -reach), min(upper, reach)

    def payoffs(self, t: float) -> tuple[float, ...]:
        """Return a, b, c and the link at a score."""
        names = {**self.numbers, "t": t, "D": floats.FUNCTIONS["sigmoid"](t)}
        return tuple(float_value(tree, names) for tree in self.trees)

    def best(self, ratio: float) -> float:
        """Return the score that maximises r a + b."""
        from scipy.optimize import minimize_scalar

        def cost(t: float) -> float:
            try:
                real, fake, *_ = self.payoffs(float(t))
            except NoRoute:
                return math.inf
            return -(ratio * real + fake)

        points = self.scores()
        k = min(range(len(points)), key=lambda k: cost(points[k]))
        if not math.isfinite(cost(points[k])):
            raise NoRoute("no score has a payoff")
        around = points[max(k - 1, 0)], points[min(k + 1, len(points) - 1)]
        found = minimize_scalar(cost, bounds=around, method="bounded", options={"xatol": 1e-11})
        return min((float(found.x), points[k]), key=cost)

    def scores(self) -> list[float]:
        """Return scores all over the domain, its ends too."""
        low, high = self.span
        return [low, *(low + (high - low) * (k + 0.5) / 240 for k in range(240)), high]

    def paid(self, ratio: float) -> float:
        """Return H(r), the generator's loss at the best score."""
        return self.payoffs(self.best(ratio))[2]

    def paid_at(self, log_ratio: float) -> float:
        """Return H where log p/q may be far from 0, of a payoff with one maximum, in 80 digits."""
        real, fake, generator, _ = self.trees
        low, high = (mp.mpf(5 * end) for end in self.span)
        share, ratio = (mp.sqrt(5) - 1) / 2, mp.exp(log_ratio)

        def at(tree: Any, t: Any) -> Any:
            names = {**self.numbers, "t": t, "D": PRECISE.functions["sigmoid"](t)}
            return float_value(tree, names, PRECISE)

        for _ in range(60):  # golden sections
            one, other = high - share * (high - low), low + share * (high - low)
            gains = [ratio * at(real, t) + at(fake, t) for t in (one, other)]
            low, high = (one, high) if gains[0] < gains[1] else (low, other)
        return float(at(generator, (low + high) / 2))


def cases(check: Derived) -> tuple[str, Iterator[Case]] | None:
    """Return a relation and both sides of a check in several cases; None where there is no route.

    Raises:
        NoRoute: where floating point has no value.
    """
    key = check.text if check.part == "law" else check.part
    key += " none" if check.text == "no divergence" else ""
    if key not in ROUTES:
        return None
    relation, run = ROUTES[key]
    return relation, run(Played(check.loss), check)


def _at_ratios(played: Played, check: Derived) -> Iterator[Case]:
    tree = floats.read(check.text)
    for ratio in (0.3, 0.8, 1.7, 4.0):
        t = played.best(ratio)
        real, fake, _, link = played.payoffs(t)
        found = link if check.part == "optimal_discriminator" else ratio * real + fake
        yield f"r = {ratio}", found, float_value(tree, {**played.numbers, "r": ratio})


def _at_equality(played: Played, check: Derived) -> Iterator[Case]:
    real, fake, cost, link = played.payoffs(played.best(1.0))
    found = {"equilibrium": link, "discriminator_loss": -real - fake, "generator_loss": cost}
    yield "p = q", found[check.part], float_value(floats.read(check.text), played.numbers)


def _on_two_points(played: Played, check: Derived) -> Iterator[Case]:
    """Hold V, G's loss or its gradient, at the best scores, against divergences of two laws."""
    tree = floats.read(check.text)

    def claimed(p: tuple[float, ...], q: tuple[float, ...]) -> float:
        known = floats.divergences_of_masses(tree, p, q, played.numbers)
        return float_value(tree, {**played.numbers, **known})

    for first, second in ((0.3, 0.6), (0.8, 0.45), (0.15, 0.35)):
        p, q = (first, 1 - first), (second, 1 - second)
        at = [played.payoffs(played.best(a / b)) for a, b in zip(p, q, strict=True)]
        found = {
            "value": sum(a * x[0] + b * x[1] for a, b, x in zip(p, q, at, strict=True)),
            "loss": sum(b * x[2] for b, x in zip(q, at, strict=True)),
            "followed": at[0][2] - at[1][2],
        }[check.part]
        said = claimed(p, q)
        if check.part == "followed":  # the slope as mass moves from the second point to the first
            up, down = (claimed(p, (second + h, 1 - second - h)) for h in (1e-5, -1e-5))
            said = (up - down) / 2e-5
        yield f"P = {p}, Q = {q}", found, said


def _disjoint(played: Played, check: Derived) -> Iterator[Case]:
    places, weights = np.polynomial.legendre.leggauss(60)
    places, weights = 12 * (places + 1), 12 * weights  # -log s from 0 to 24
    tail = sum(w * math.exp(-x) * played.paid(math.exp(x))
               for x, w in zip(map(float, places), map(float, weights), strict=True))  # fmt: skip
    yield (
        "disjoint laws",
        played.paid(math.exp(-24)) - tail,
        float_value(floats.read(check.text), played.numbers),
    )


def _falls(played: Played, least: float) -> Iterator[tuple[str, float]]:
    """Yield how much H falls from one ratio to the next, less what it must."""
    ratios = [math.exp(k / 3) for k in range(-18, 19)]
    paid = [played.paid(r) for r in ratios]
    for r, now, then in zip(ratios, paid, paid[1:], strict=False):
        yield f"from r = {r:.4g}", now - then - least


def _is_divergence(played: Played, check: Derived) -> Iterator[Case]:
    strict = check.text == "equality"
    for where, fall in _falls(played, 1e-9 if strict else 0.0):
        yield where, fall, 0.0


def _rises_somewhere(played: Played, check: Derived) -> Iterator[Case]:
    where, fall = min(_falls(played, 0.0), key=lambda one: one[1])
    yield where, float(fall < -1e-6), 1.0


def _bends_down_somewhere(played: Played, check: Derived) -> Iterator[Case]:
    ratios = [math.exp(k / 4) for k in range(-12, 13)]
    paid = [played.paid(r) for r in ratios]
    chords = [(b - a) / (s - r) for r, s, a, b in zip(ratios, ratios[1:], paid, paid[1:],
                                                      strict=False)]  # fmt: skip
    least = min(then - now for now, then in pairwise(chords))
    yield "chords of the loss in r", float(least < -1e-6), 1.0


def _weight(played: Played) -> float:
    """Return -dH/dlog r where p/q is small."""
    return abs(played.paid(math.exp(-12.1)) - played.paid(math.exp(-11.9))) / 0.2


def _vanishing(played: Played, check: Derived) -> Iterator[Case]:
    yield "log r = -12", float(_weight(played) < 1e-3), float(check.text == "vanishing")


def _unique_maximum(played: Played, check: Derived) -> Iterator[Case]:
    for ratio in (0.3, 1.0, 4.0):
        best = played.best(ratio)
        real, fake, *_ = played.payoffs(best)
        for t in played.scores()[1:-1]:
            if abs(t - best) > 0.3:
                try:
                    other = played.payoffs(t)
                except NoRoute:
                    continue
                gap = ratio * (real - other[0]) + fake - other[1]
                yield f"r = {ratio}, t = {t:.3g}", float(gap > 0), 1.0


def _zero_sum(played: Played, check: Derived) -> Iterator[Case]:
    scores = [t for t in played.scores()[1:-1] if abs(t) < 20]
    gaps = [played.payoffs(t)[2] - played.payoffs(t)[1] for t in scores]
    yield "all scores", float(max(gaps) - min(gaps) < 1e-9), float(check.text == "true")


ROUTES: Mapping[str, tuple[str, Callable[[Played, Any], Iterator[Case]]]] = {
    **dict.fromkeys(("optimal_discriminator", "f"), ("==", _at_ratios)),
    **dict.fromkeys(("equilibrium", "discriminator_loss", "generator_loss"), ("==", _at_equality)),
    **dict.fromkeys(("value", "loss", "followed"), ("==", _on_two_points)),
    **dict.fromkeys(("is-divergence", "equality"), (">=", _is_divergence)),
    **dict.fromkeys(("vanishing", "not-vanishing"), ("==", _vanishing)),
    "disjoint": ("==", _disjoint),
    "followed none": ("==", _rises_somewhere),
    "loss none": ("==", _bends_down_somewhere),
    "second-order": ("==", _unique_maximum),
    "zero_sum": ("==", _zero_sum),
}
