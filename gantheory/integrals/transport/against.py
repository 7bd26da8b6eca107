r"""Distances of weighted points, as samples and counts are, and a law on the line with a density.

W1, the energy and the Kolmogorov-Smirnov distance compare distribution functions; W2 moves what the
law has between two of its quantiles to one point:
:math:`W_2^2 = \sum_i \int_{F(y) \in (l_{i-1}, l_i)} (x_i - y)^2\,f(y)\,dy`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.integrate import tanhsinh

from gantheory.densities.base import Array
from gantheory.densities.counts import Counts
from gantheory.densities.discrete import Discrete
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError
from gantheory.integrals.counting.sums import check_masses
from gantheory.integrals.counting.terms import size_of
from gantheory.integrals.transport.ladders import above, ladder_of
from gantheory.records import Estimate
from gantheory.rounding import EPS

METHOD = "quadrature"
METRICS = ("w1", "w2", "energy", "ks")
LEAST = 1e-22  # masses below this are left out: 4000 of them weigh less than a rounding
MOST = 20_000  # points of a law of counts
ROUGH = 1e-13  # of the whole, what the rule may miss on a piece
MARKS = (-30, -6, -3, -1, 0, 1, 3, 6, 30)  # widths from a centre
_X, _W = np.polynomial.legendre.leggauss(12)
_HALF_X, _HALF_W = np.polynomial.legendre.leggauss(6)
Rule = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Weighted:
    """Points on the line in order, their weights, and what either sum of weights may be off by."""

    places: Array
    weights: Array
    off: float = 0.0

    @classmethod
    def of_sample(cls, points: Array) -> Weighted:
        """Return a sample's points, each of the same weight."""
        return cls(np.sort(points), np.full(len(points), 1 / len(points)))

    @classmethod
    def of_counts(cls, law: Counts | Discrete) -> Weighted:
        """Return the whole numbers on which a law has mass.

        Raises:
            GantheoryError: where there are too many of them, or its masses fall like a power.
        """
        check_masses(law)
        found = ladder_of(law, law)
        if found is None or above(law, float(found.k[-1])) > LEAST:
            raise GantheoryError(
                f"{law} has mass on too many numbers for a distance from a density or samples"
            )
        kept = found.p > LEAST
        k, mass = found.k[kept], found.p[kept]
        if len(k) > MOST:
            raise GantheoryError(
                f"{law} has mass on {len(k)} numbers; a distance from a density or samples takes "
                f"{MOST} at most"
            )
        noise = EPS * (8 + size_of(law, k) + np.abs(np.log(mass))) * mass
        return cls(k, mass, float(np.sum(noise)) + EPS * len(k))

    @property
    def levels(self) -> Array:
        """The distribution function at each point."""
        return np.append(self._sums(self.weights)[:-1], 1.0)

    @property
    def rest(self) -> Array:
        """What lies above each point."""
        return np.append(self._sums(self.weights[::-1])[-2::-1], 0.0)

    def _sums(self, weights: Array) -> Array:
        n = len(weights)
        equal = bool(np.all(weights == weights[0]))
        return np.arange(1, n + 1) / n if equal else np.cumsum(weights)

    def quantiles(self, law: Univariate) -> tuple[Array, Array]:
        """Return where a law has the levels between points, and by what it misses them."""
        levels, rest = self.levels[:-1], self.rest[:-1]
        low = levels < 0.5
        with np.errstate(all="ignore"):
            found = np.where(low, law.ppf(np.minimum(levels, 0.5)), law.isf(np.minimum(rest, 0.5)))
            missed = np.where(low, law.cdf(found) - levels, law.sf(found) - rest)
        return np.asarray(found, float), np.abs(missed)


def distance_of_two(name: str, p: Weighted, q: Weighted) -> Estimate:
    """Return W1, W2, the energy or the Kolmogorov-Smirnov distance of two sets of points."""
    off = p.off + q.off + EPS * (len(p.places) + len(q.places))
    places = np.union1d(p.places, q.places)
    reach = float(places[-1] - places[0])
    size = float(np.max(np.abs(places)))
    if name == "w2":
        return _w2_of_two(p, q, off)
    ours, theirs = (np.append(0.0, law.levels)[law.places.searchsorted(places, "right")]
                    for law in (p, q))  # fmt: skip
    gap, length = np.abs(ours - theirs), np.diff(places)
    if name == "ks":
        return Estimate(float(np.max(gap)), off, method="finite sum")
    power = 1 if name == "w1" else 2
    value = power * math.fsum(gap[:-1] ** power * length)
    return Estimate(value, power**2 * off * reach + 4 * EPS * size, method="finite sum")


def _w2_of_two(p: Weighted, q: Weighted, off: float) -> Estimate:
    levels = np.union1d(p.levels, q.levels)
    middle = np.append(0.0, levels[:-1]) / 2 + levels / 2
    x, y = (law.places[law.levels.searchsorted(middle)] for law in (p, q))
    square = (x - y) ** 2
    value = math.fsum(square * np.diff(levels, prepend=0.0))
    error = off * (float(np.sum(np.abs(np.diff(square)))) + float(square[-1])) + 8 * EPS * value
    root = math.sqrt(value)
    off = min(error / root if root else math.inf, math.sqrt(error))
    return Estimate(root, off, method="finite sum")


def distance_of_points(name: str, points: Weighted, law: Univariate) -> Estimate:
    """Return W1, W2, the energy or the Kolmogorov-Smirnov distance of points and a law."""
    if (far := _infinite(name, law)) is not None:
        return far
    if name == "ks":
        return _ks(points, law)
    if name == "w2":
        return _w2(points, law)
    power = 1 if name == "w1" else 2
    tails, off = _tails(law, points, power)
    inner, error = _between(law, points, power)
    error += points.off * float(points.places[-1] - points.places[0]) * power
    return Estimate(power * (inner + tails), power * (error + off), method=METHOD)


def _infinite(name: str, law: Univariate) -> Estimate | None:
    """Return the infinite answer where a tail of the law makes the distance so."""
    for far, side in ((-math.inf, 1), (math.inf, -1)):
        tail = law.tail(far, side) if far in law.support and name != "ks" else None
        if tail is None or not tail.is_algebraic:
            continue
        power = {"w1": tail.log + 1, "w2": tail.log + 2, "energy": 2 * (tail.log + 1)}[name]
        if power >= -1:
            return Estimate.infinite(
                f"{law} has a tail so heavy that its {name} from any points is infinite"
            )
    return None


def _ks(points: Weighted, law: Univariate) -> Estimate:
    x, levels = points.places, points.levels
    under = np.append(0.0, levels[:-1])
    below, over = np.asarray(law.cdf(x)), np.asarray(law.sf(x))
    steps = [np.where(over < 0.5, levels - 1 + over, levels - below)]
    steps.append(np.where(over < 0.5, under - 1 + over, under - below))
    return Estimate(float(np.max(np.abs(steps))), 8 * EPS + points.off, method=METHOD)


def _cuts(law: Univariate, low: float, high: float, *more: Array) -> Array:
    marks = [c + k * w for c, w in law.centers for k in MARKS]
    cuts = np.unique(np.concatenate([*more, law.breakpoints, marks]))
    return cuts[(cuts >= low) & (cuts <= high)]


def _summed(cuts: Array, at: Callable[[Array, Array], Array]) -> tuple[float, float]:
    """Return a sum of integrals between cuts, and what its rule misses.

    Args:
        at: maps places, a row for each piece, and the pieces' middles to the integrand.
    """
    if len(cuts) < 2:
        return 0.0, 0.0
    low, high = cuts[:-1, None], cuts[1:, None]
    middle, half = (low + high) / 2, (high - low) / 2

    def rule(nodes: Array, weights: Array) -> Array:
        return np.asarray(at(middle + half * nodes, middle) @ weights * half[:, 0])

    fine, coarse = rule(_X, _W), rule(_HALF_X, _HALF_W)
    off = np.abs(fine - coarse)
    rough = off > ROUGH * np.sum(np.abs(fine))
    if rough.any():  # as beside an end at which the law is singular
        found = tanhsinh(at, low[rough, 0], high[rough, 0], args=(middle[rough, 0],), rtol=1e-13)
        fine[rough], off[rough] = found.integral, 8 * np.abs(found.error)
    return math.fsum(fine), float(np.sum(off))


def _between(law: Univariate, points: Weighted, power: int) -> tuple[float, float]:
    """Return ∫ abs(F − G)^power between the first and the last point, and its error.

    Each stretch is cut where the law's distribution function crosses that of the points, and at the
    law's own breakpoints.
    """
    x, levels = points.places, points.levels
    crossings, _ = points.quantiles(law)
    cuts = _cuts(law, float(x[0]), float(x[-1]), x, crossings)

    def gap(places: Array, middle: Array) -> Array:
        level = levels[np.searchsorted(x, middle, side="right") - 1]
        return np.abs(np.asarray(law.cdf(places)) - level) ** power

    value, error = _summed(cuts, gap)
    return value, error + 16 * EPS * float(x[-1] - x[0])


def _tails(law: Univariate, points: Weighted, power: int) -> tuple[float, float]:
    """Return ∫ F^power below the first point and ∫ (1 − F)^power beyond the last one."""
    x = points.places
    below = _beyond(law, -1, float(x[0]), lambda t: np.asarray(law.cdf(t)) ** power)
    over = _beyond(law, +1, float(x[-1]), lambda t: np.asarray(law.sf(t)) ** power)
    return below[0] + over[0], below[1] + over[1]


def _beyond(
    law: Univariate, side: int, start: float, at: Callable[[Array], Array]
) -> tuple[float, float]:
    """Return an integral from a place to an end of the support, with its error."""
    end = law.support[side > 0]
    if (end - start) * side <= 0:
        return 0.0, 0.0
    low, high = min(start, end), max(start, end)
    inner = _cuts(law, low, high)
    cuts = np.unique([low, *inner[(inner > low) & (inner < high)], high])
    found = tanhsinh(at, cuts[:-1], cuts[1:], rtol=1e-12)
    value = float(np.sum(found.integral))
    return value, 8 * float(np.sum(found.error)) + 16 * EPS * value


def _w2(points: Weighted, law: Univariate) -> Estimate:
    x = points.places
    inner, missed = points.quantiles(law)
    if len(x) == 1:  # its one stretch is cut somewhere
        inner, x, missed = np.asarray(law.ppf(np.array([0.5]))), np.repeat(x, 2), np.zeros(1)

    def cost(places: Array, middle: Array) -> Array:
        nearest = x[np.searchsorted(inner, middle)]
        return np.asarray((nearest - places) ** 2 * law.pdf(places))

    def left(places: Array) -> Array:
        return np.asarray((x[0] - places) ** 2 * law.pdf(places))

    def right(places: Array) -> Array:
        return np.asarray((x[-1] - places) ** 2 * law.pdf(places))

    low, high = float(inner[0]), float(inner[-1])
    parts = [_summed(_cuts(law, low, high, inner), cost)]
    parts += [_beyond(law, -1, low, left), _beyond(law, +1, high, right)]
    value, error = (math.fsum(column) for column in zip(*parts, strict=True))
    # the mass between a quantile and where it was found goes to the other point
    moved = missed + points.off + 4 * EPS
    error += float(np.sum(moved * np.abs((x[:-1] - inner) ** 2 - (x[1:] - inner) ** 2)))
    error += 64 * EPS * value
    root = math.sqrt(max(value, 0.0))
    return Estimate(root, min(error / root if root else math.inf, math.sqrt(error)), method=METHOD)
