r"""The law of x = G(z): what a generator on the line does to the density of its latent variable.

Where G is smooth and strictly monotone piece by piece,
:math:`q(x) = \sum_{z : G(z) = x} p_z(z)/|G'(z)|`: a generator that moves slowly piles up mass.
"""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import pairwise, product
from typing import Any, ClassVar

import numpy as np

from gantheory.densities.base import Array, Density, generator, make
from gantheory.densities.duals import Dual
from gantheory.densities.from_ends import distance_from_end, followed, within_range
from gantheory.densities.map_tails import image_tail, toward, unbounded
from gantheory.densities.tails import CONSTANT, Tail, heavier
from gantheory.densities.turns import Map, numbered, ordered, pole_among
from gantheory.densities.univariate import Interval, Points, Univariate
from gantheory.errors import GantheoryError
from gantheory.expressions import ELEMENTARY, Grammar, parse

GENERATOR = Grammar("generator", ELEMENTARY, frozenset({"z"}), example="tanh(2*z)")
LEVEL = 1e-16  # latent mass beyond either end of the window in which G is searched for turns
BEYOND = 4.7  # how far past the window G is followed: to 38 deviations, where a normal underflows
DEEPEST = 1e-300  # latent mass beyond the last z that is told apart from the end
NEAR = 1e-3  # of an end's image, within which the distance to that end is found from itself
SCAN = 8001  # points of that window: turns closer than 1/8000 of it are not told apart
DOUBLINGS = 1000  # of z, over which G is followed on


@dataclass(frozen=True)
class _Branch:
    """A stretch of z on which G is strictly monotone, and its image."""

    low: float
    high: float
    image: Interval
    rising: bool


@dataclass(frozen=True, eq=False)
class Pushforward(Univariate):
    """The law of G(z) for z drawn from ``latent``; see `image_of`."""

    name: ClassVar[str] = "pushforward"
    normalised = False  # G may carry mass to within one rounding of an end of its image
    formula: str
    latent: Univariate
    tree: ast.expr = field(repr=False)

    @property
    def parameters(self) -> dict[str, Any]:
        return {"formula": self.formula, "latent": self.latent}

    def __str__(self) -> str:
        return f"pushforward({self.formula}, z ~ {self.latent})"

    @cached_property
    def map(self) -> Map:
        """G on its window."""
        return Map(self.tree, self.window)

    def generate(self, z: Array) -> Dual:
        """Return G(z) and G'(z)."""
        return self.map.generate(z)

    @cached_property
    def window(self) -> Interval:
        """The stretch of z that holds all but 1e-16 of the latent mass on either side."""
        low, high = self.latent.support
        tails = np.asarray(self.latent.ppf(np.array([LEVEL, 1 - LEVEL])), float)
        return max(low, float(tails[0])), min(high, float(tails[1]))

    @cached_property
    def branches(self) -> tuple[_Branch, ...]:
        """The monotone stretches, from left to right."""
        z = np.linspace(*self.window, SCAN)
        value, slope = self.generate(z)
        if (pole := pole_among(z, value, slope)) is not None:
            raise GantheoryError(
                f"generator {self.formula!r} is not finite near z={pole:.6g}, where {self.latent} "
                "has mass"
            )
        flat = slope == 0
        if np.any(flat[1:] & flat[:-1]):
            where = z[:-1][flat[1:] & flat[:-1]][0]
            raise GantheoryError(
                f"generator {self.formula!r} is constant near z={where:.4g}: x = G(z) has an atom "
                "there, and no density"
            )
        turns = [self.map.turn(z[k], z[k + 1]) for k in np.nonzero(slope[:-1] * slope[1:] < 0)[0]]
        turns += self.map.flat_places(z, slope)
        ends = [self._followed(0), *sorted(map(float, turns)), self._followed(1)]
        images = [self._limit(end) for end in ends]
        ends[0], ends[-1] = self._farthest(ends[0], 0), self._farthest(ends[-1], 1)
        return tuple(
            _Branch(a, b, (min(image), max(image)), image[0] < image[1])
            for (a, b), image in zip(pairwise(ends), pairwise(images), strict=True)
        )

    def _followed(self, side: int) -> float:
        """Return the z up to which G is inverted: past the window, as far as the support goes."""
        middle = 0.5 * (self.window[0] + self.window[1])
        z = middle + BEYOND * (self.window[side] - middle)
        with np.errstate(all="ignore"):
            deep = float((self.latent.isf if side else self.latent.ppf)(DEEPEST))
        if math.isfinite(deep):
            z = max(z, deep) if side else min(z, deep)
        low, high = self.latent.support
        return self.map.monotone_until(self.window[side], min(max(z, low), high))

    def _farthest(self, start: float, side: int) -> float:
        """Return the z up to which G goes on to rise or fall beyond ``start`` in binary64.

        No mass is counted there, but densities are, against which other laws have mass.
        """
        end = self.latent.support[side]
        if math.isfinite(end) or start == end:
            return start
        middle = 0.5 * (self.window[0] + self.window[1])
        with np.errstate(all="ignore"):
            z = middle + (start - middle) * 2.0 ** np.arange(DOUBLINGS)
        z = z[np.isfinite(z)]
        for _ in range(3):  # and between the last place at which it does and the first beyond
            last = self.map.last_rising(z)
            z = np.linspace(z[last], z[min(last + 1, len(z) - 1)], 33)
        return float(z[0])

    def _limit(self, z: float) -> float:
        """Return G(z), or what it tends to where z is a far end of an infinite latent support."""
        low, high = self.latent.support
        below = z <= self.window[0] and math.isinf(low)
        far = below or (z >= self.window[1] and math.isinf(high))
        places = [z, *(-x if below else x for x in (1e9, 1e150, 1e300))]
        values, slopes = self.generate(np.array(places))
        value, *there = values.tolist()
        known = [v for v in there if not math.isnan(v)]
        if not far or not known:
            return value
        last, outward = known[-1], float(-slopes[0] if below else slopes[0])
        sure = unbounded(toward(self.tree, low if below else high, below))
        if sure is not None and sure * outward > 0:
            return sure
        if (last - value) * outward < 0:  # G turns, or has a pole, where there is no mass
            return math.copysign(math.inf, outward)
        if abs(last) > 1e6 * (1 + abs(value)):
            return math.copysign(math.inf, last)
        return 0.0 if abs(last) < 1e-100 else last

    def log_density(self, at: Points) -> Array:
        at, beyond = within_range(at, self._tails)
        return self._followed_density(at) + beyond

    @cached_property
    def _tails(self) -> dict[float, Tail]:
        ends = {end for piece in self.pieces for end in piece}
        return followed({end: self.end_tail(end) for end in ends}, self._followed_density)

    def _followed_density(self, at: Points) -> Array:
        x = at.x
        total = np.full(x.shape, -np.inf)
        for branch in self.branches:
            reached = np.sort(self.generate(np.array([branch.low, branch.high]))[0])
            inside = (x >= reached[0]) & (x <= reached[1])  # beyond, the density underflows
            z = self._inverse(branch, np.clip(x, *reached))
            log_slope = self._log_slope(branch, z, at)
            with np.errstate(all="ignore"):
                log = self.latent.logpdf(z) - log_slope
            log = self._beside_ends(branch, at, log)
            total = np.logaddexp(total, np.where(inside, log, -np.inf))
        return total

    def _beside_ends(self, branch: _Branch, at: Points, log: Array) -> Array:
        """Return log p, next to the image c of an end of z from the distance to that end alone.

        There x = c + y has few digits of y, and the latent law may have mass within one of them.
        """
        reach = NEAR * (self.window[1] - self.window[0])
        for end, side in ((branch.low, +1), (branch.high, -1)):
            if end not in self.latent.support or not (image := self._image(end)):
                continue
            log_gap = at.log_abs_minus(image)
            toward = np.where(at.anchor == image, at.side, np.sign(at.minus(image)))
            inward = side if branch.rising else -side
            close = (log_gap < math.log(NEAR * abs(image))) & (toward == inward)
            if not close.any():
                continue
            log_d, log_slope = distance_from_end(
                lambda z: self.generate(z)[1], end, side, log_gap[close], reach
            )
            places = np.full(log_d.shape, end), np.full(log_d.shape, float(side))
            latent = self.latent.log_density(Points(*places, np.exp(log_d), log_d))
            log[close] = np.where(np.isfinite(log_d), latent - log_slope, log[close])
        return log

    def _image(self, end: float) -> float:
        """Return G at an end of z, 0 where it has none."""
        value = float(self.generate(np.array([end]))[0][0])
        return value if math.isfinite(value) else 0.0

    def _log_slope(self, branch: _Branch, z: Array, at: Points) -> Array:
        """Return log abs(G'(z)): next to a turn c = G(z₀) from G'² = 2·abs(G''(z₀)(x − c))."""
        with np.errstate(divide="ignore"):
            log_slope = np.log(np.abs(self.generate(z)[1]))
        for turn, side in ((branch.low, +1), (branch.high, -1)):
            if not self.map.folds(turn):
                continue
            end = float(self.generate(np.array([turn]))[0][0])
            log_gap = at.log_abs_minus(end)
            if turn in self._flatter:
                log_slope = self._flat_slope(turn, side, self._flatter[turn], log_gap, log_slope)
                continue
            # there both formulas are right to 1e-8: one to first order, one to √binary64
            close = log_gap < math.log(1e-8 * (1 + abs(end)))
            step = 1e-5 * (self.window[1] - self.window[0])
            before, after = self.generate(np.array([turn - step, turn + step]))[1]
            bend = abs(after - before) / (2 * step)
            log_slope = np.where(close, 0.5 * (math.log(2 * bend) + log_gap), log_slope)
        return log_slope

    @cached_property
    def _flatter(self) -> dict[float, float | None]:
        """The places at which G' vanishes to another order than the first.

        Each with the power of abs(G(z) − G(place)) that G' goes like; None where it is not known.
        """
        found: dict[float, float | None] = {}
        for branch in self.branches:
            for turn, lower in ((branch.low, True), (branch.high, False)):
                if self.map.folds(turn):
                    tail = self._fold_tail(branch, branch.image[0 if lower == branch.rising else 1])
                    if tail is None or tail.log != Fraction(1, 2):
                        found[turn] = None if tail is None else self._power_of(tail, turn)
        return found

    def _power_of(self, tail: Tail, turn: float) -> float | None:
        inner = self.latent.tail(turn, 1)
        return float(tail.log) if inner is not None and inner.is_constant else None

    def _flat_slope(
        self, turn: float, side: int, power: float | None, log_gap: Array, log_slope: Array
    ) -> Array:
        """Return log abs(G'), by its power next to a place at which G' vanishes."""
        if power is None:
            return log_slope
        step = 1e-7 * (self.window[1] - self.window[0])
        last = math.log(abs(float(self.generate(np.array([turn + side * step]))[1][0])))
        gap = last + math.log(step * (1 - power))  # of a·t^m, G' times t/m
        return np.where(log_gap < gap, last + power * (log_gap - gap), log_slope)

    def _inverse(self, branch: _Branch, x: Array) -> Array:
        """Return z by bisection over the numbers of binary64, as many below 1 as above it."""
        ends = ordered(np.array([branch.low, branch.high]))
        low, high = np.full(x.shape, ends[0]), np.full(x.shape, ends[1])
        for _ in range(65):
            middle = (low >> 1) + (high >> 1) + (low & high & 1)
            below = (self.generate(numbered(middle))[0] < x) == branch.rising
            low, high = np.where(below, middle, low), np.where(below, high, middle)
            if np.all(high - low <= 1):
                break
        return numbered(high)

    @cached_property
    def pieces(self) -> tuple[Interval, ...]:
        merged: list[Interval] = []
        for low, high in sorted(branch.image for branch in self.branches):
            if merged and low <= merged[-1][1]:
                merged[-1] = merged[-1][0], max(merged[-1][1], high)
            else:
                merged.append((low, high))
        return tuple(merged)

    @property
    def kinks(self) -> tuple[float, ...]:
        ends = {end for piece in self.pieces for end in piece}
        inner = {end for branch in self.branches for end in branch.image}
        return tuple(sorted(inner - ends))

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        found = []
        for center, width in self.latent.centers:
            value, slope = (float(part[0]) for part in self.generate(np.array([center])))
            found.append((value, max(abs(slope) * width, 1e-6 * (1 + abs(value)))))
        return tuple(found)

    def end_tail(self, end: float) -> Tail | None:
        """Return the heaviest tail that G carries to an end; None where one is not known."""
        found: list[Tail | None] = []
        for branch, lower in product(self.branches, (True, False)):
            if branch.image[0 if lower == branch.rising else 1] == end:
                found.append(self._carried(branch, lower, end))
        known = [tail for tail in found if tail is not None]
        return heavier(known) if known and len(known) == len(found) else None

    def _carried(self, branch: _Branch, lower: bool, end: float) -> Tail | None:
        """Return the tail that comes from one end of a monotone stretch."""
        outer = branch is self.branches[0 if lower else -1]
        place = branch.low if lower else branch.high
        if outer:
            place = self.latent.support[0 if lower else 1]
        tail = self.latent.tail(place, 1 if lower else -1)
        if tail is None or outer:
            return tail and image_tail(self.tree, tail, place, lower, end)
        steps = (self.window[1] - self.window[0]) * np.array([1e-5, 1e-9])
        far, near = np.abs(self.generate(place + (steps if lower else -steps))[1])
        return CONSTANT if tail.is_constant and 0.5 * far < near < 2 * far else None

    def tail(self, point: float, side: int) -> Tail | None:
        """Return the singularity at the image of a turn, on the side that it folds to."""
        for branch in self.branches:
            inner = branch.image[0] if side > 0 else branch.image[1]
            if inner == point and math.isfinite(point) and self._turns_at(branch, point):
                return self._fold_tail(branch, point)
        return super().tail(point, side)

    def _fold_tail(self, branch: _Branch, point: float) -> Tail | None:
        """Return the tail next to the image of a turn: 1/√y, or what a flatter one makes of it."""
        lower = (branch.image[0] == point) == branch.rising
        turn = branch.low if lower else branch.high
        inner = self.latent.tail(turn, 1 if lower else -1)
        known = inner and image_tail(self.tree, inner, turn, lower, point)
        if known is None or known.is_constant:  # where G' is 0 but for rounding
            return Tail(finite=True, log=0.5) if self._changes_way(turn) else None
        return known

    def _changes_way(self, turn: float) -> bool:
        """Whether G rises on one side of a place and falls on the other."""
        ways = {b.rising for b in self.branches if turn in (b.low, b.high)}
        return len(ways) == 2

    def _turns_at(self, branch: _Branch, point: float) -> bool:
        return self.map.folds(
            branch.low if (branch.image[0] == point) == branch.rising else branch.high
        )

    @property
    def log_magnitude(self) -> float:
        # next to a turn z is known to the square root of binary64 only: 2e-16 times this is 2e-8
        folds = any(self.map.folds(end) for b in self.branches for end in (b.low, b.high))
        return 1e8 if folds else 1e3

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return self.generate(self.latent.sample(generator(rng), n))[0]

    def below(self, at: Points) -> Array:
        """Return P(G(z) <= x), summed over the monotone stretches."""
        points = at.x
        total = np.zeros(points.shape)
        for b in self.branches:
            z = self._inverse(b, np.clip(points, *b.image))
            z = np.where(points <= b.image[0], b.low if b.rising else b.high, z)
            z = np.where(points >= b.image[1], b.high if b.rising else b.low, z)
            low, high = (b.low, z) if b.rising else (z, b.high)
            total = total + self.latent.cdf(high) - self.latent.cdf(low)
        return np.clip(total, 0.0, 1.0)


def image_of(formula: str, latent: Any) -> Pushforward:
    """Return the law of G(z) for z drawn from a law; see `gantheory.densities.pushforward`."""
    tree = parse(formula, GENERATOR)
    if isinstance(latent, Pushforward):  # G of the other formula
        return image_of(re.sub(r"\bz\b", f"({latent.formula})", formula), latent.latent)
    if not isinstance(latent, Univariate):
        raise GantheoryError(f"latent law {latent}: it must live on the line")
    found = Pushforward(formula, latent, tree)
    if not any(isinstance(node, ast.Name) and node.id == "z" for node in ast.walk(tree)):
        raise GantheoryError(f"generator {formula!r} does not contain z, so G(z) has no density")
    _ = found.branches  # raises where G is infinite, or constant on a stretch
    return found


# of laws symmetric about 0: the family of abs(X), with the same scale
HALVES = {"normal": "half_normal", "cauchy": "half_cauchy", "laplace": "exponential"}


def folded(law: Density) -> Density:
    """Return the law of abs(X): a family where X is symmetric and has one, else an image.

    >>> from gantheory.densities import density
    >>> print(folded(density("normal(0, 2)")))
    half_normal(2)
    """
    if law.name in HALVES and law.parameters["loc"] == 0:
        return make(HALVES[law.name], scale=law.parameters["scale"])
    positive = isinstance(law, Univariate) and law.support[0] >= 0
    return law if positive else image_of("abs(z)", law)
