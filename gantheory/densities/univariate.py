"""Densities on the line: what quadrature needs to know about them beyond the log-density."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from gantheory.densities.base import Array, Density, generator
from gantheory.densities.tails import CONSTANT, Tail
from gantheory.errors import GantheoryError, unknown_name

Interval = tuple[float, float]
Place = Fraction | float  # an exact number, or an infinity
StandardForm = tuple[Any, float | Fraction, float | Fraction]  # shape, loc, scale
LOG_HUGE = math.log(1e300)
LogRatio = tuple[Array, Array]  # log p − log q, and the size of the terms summed for it


@dataclass(frozen=True)
class Points:
    """Points anchor ± distance, kept apart so that none of their digits is lost.

    Next to an end at which a density is singular only the distance to it matters: 1 − 1e-40 is 1
    in binary64. ``log_distance`` may lie far beyond the range of exp.
    """

    anchor: Array
    side: Array
    distance: Array
    log_distance: Array

    @classmethod
    def at(cls, x: ArrayLike) -> Points:
        """Return the points x themselves, anchored at 0."""
        x = np.asarray(x, float)
        with np.errstate(divide="ignore"):
            return cls(np.zeros_like(x), np.sign(x), np.abs(x), np.log(np.abs(x)))

    @cached_property
    def x(self) -> Array:
        """The points as plain numbers."""
        return self.anchor + self.side * self.distance

    def minus(self, c: float | Array) -> Array:
        """Return x − c without loss where c is the anchor."""
        return (self.anchor - c) + self.side * self.distance

    def log_abs_minus(self, c: float) -> Array:
        """Return log abs(x − c), exact to the last digits as x tends to an anchor c, or to 0."""
        gap = self.anchor - c
        with np.errstate(all="ignore"):
            log_gap = np.log(np.abs(gap))
            if c:  # log(1 − x) is about −x for small x, of which 1 − x loses digits
                small = math.log(abs(c)) + np.log1p(-self.anchor / c)
                log_gap = np.where(np.abs(self.anchor / c) < 0.5, small, log_gap)
            relative = self.side * self.distance / gap
            close = log_gap + np.log1p(np.where(np.abs(relative) < 0.5, relative, 0.0))
            apart = np.where(np.abs(relative) < 0.5, close, np.log(np.abs(self.minus(c))))
        return np.where((self.anchor == c) | np.isinf(apart), self.log_distance, apart)

    def standardised(self, loc: float, scale: float, ends: dict[float, float]) -> Points:
        """Return (x − loc)/scale; ``ends`` maps anchors whose images are known exactly.

        An anchor near one of them is counted from it, so that no rounding moves it across.
        """
        anchor, away = (self.anchor - loc) / scale, 0.5 * np.abs(self.anchor - loc)
        shift = np.zeros_like(anchor)
        for here, there in ends.items():
            gap = self.anchor - here
            close = (np.abs(gap) < away) | (gap == 0)
            anchor, away = np.where(close, there, anchor), np.where(close, np.abs(gap), away)
            shift = np.where(close, gap, shift)
        size, step = abs(scale), shift + self.side * self.distance
        same = (shift == 0) | np.isinf(step)
        with np.errstate(divide="ignore", over="ignore"):
            log_distance = np.where(same, self.log_distance, np.log(np.abs(step)))
            log_distance = log_distance - math.log(size)
            distance = np.where(same, self.distance, np.abs(step)) / size
            distance = np.where(np.isinf(step), np.exp(log_distance), distance)
        return Points(
            anchor,
            np.where(same, self.side, np.sign(step)) * math.copysign(1.0, scale),
            distance,
            log_distance,
        )


class Univariate(Density):
    """A density on the line.

    A family defines ``log_density`` at `Points`, and its structure: where it lives (``pieces``),
    where its mass sits and how wide (``centers``), how it ends (``tail``), and the derivatives of
    its log-density. What it does not know (``cdf``, ``ppf``) raises, and is never invented.
    """

    dim = 1
    wraps: ClassVar[str] = "log_density"
    wrappers: ClassVar[frozenset[str]] = frozenset({"logpdf", "pdf"})
    opaque: bool = False  # a user's own callable without stated structure
    normalised: bool = True  # known to integrate to 1; else every integral checks it

    def log_density(self, at: Points) -> Array:
        """Return log p at the points, -inf outside of the support."""
        raise NotImplementedError

    def logpdf(self, x: ArrayLike) -> Array:
        with np.errstate(all="ignore"):
            return self.log_density(Points.at(x))

    @property
    def pieces(self) -> tuple[Interval, ...]:
        """The disjoint intervals on which the density is positive, in order."""
        return ((-math.inf, math.inf),)

    @property
    def exact_pieces(self) -> tuple[tuple[Place, Place], ...]:
        """The pieces by their exact ends, which those of images are rounded from."""
        return tuple((placed(low), placed(high)) for low, high in self.pieces)

    @property
    def exact_breaks(self) -> frozenset[Place]:
        """Every exact place at which the density may end or bend."""
        return frozenset(map(placed, {*sum(self.pieces, ()), *self.kinks}))

    @property
    def support(self) -> Interval:
        """The smallest interval that holds all the mass."""
        return self.pieces[0][0], self.pieces[-1][1]

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        """Where the mass sits: (location, width) of each bump."""
        raise NotImplementedError

    @property
    def kinks(self) -> tuple[float, ...]:
        """Points inside the support where the density is not smooth."""
        return ()

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """Every point at which an integral over the line must be split."""
        ends = {end for piece in self.pieces for end in piece if math.isfinite(end)}
        return tuple(sorted(ends | set(self.kinks) | {c for c, _ in self.centers}))

    def tail(self, point: float, side: int) -> Tail | None:
        """Return the growth of log p toward ``point`` from its ``side`` (+1: from above).

        At an infinite end the side is that of the line's inside. None says "not known".
        """
        ends = {(low, +1) for low, _ in self.pieces} | {(high, -1) for _, high in self.pieces}
        return self.end_tail(point) if (point, side) in ends else CONSTANT

    def end_tail(self, end: float) -> Tail | None:
        """Return the growth of log p toward an end of a piece of the support."""
        return CONSTANT

    def exact_tail(self, place: Place, side: int) -> Tail | None:
        """Return the growth of log p toward an exact place, which no rounding moves to an end."""
        near = nearest(place)
        return self.tail(near, side) if near == place else CONSTANT

    @property
    def log_magnitude(self) -> float:
        """The size of the constants inside log p: what its rounding errors scale with."""
        return 2.0

    @property
    def misplaced(self) -> float:
        """How far rounding puts the law from its exact place, at most, next to any anchor."""
        return 0.0

    def misplaced_near(self, at: Points) -> Array:
        """Return the same for the anchors from which each of the points is counted."""
        return np.full_like(at.x, self.misplaced)

    def misread(self, at: Points) -> Array:
        """Return what rounding of the points makes of log p, beyond what its size tells."""
        return np.zeros_like(at.x)

    def log_depth(self, at: Points) -> Array:
        """Return log(−log p), known where log p itself is below the range of binary64."""
        with np.errstate(all="ignore"):
            return np.minimum(np.log(-self.log_density(at)), LOG_HUGE)

    @property
    def tails(self) -> tuple[Tail | None, Tail | None]:
        """The tails at the lower and the upper end of the support."""
        lower, upper = self.support
        return self.tail(lower, +1), self.tail(upper, -1)

    def below(self, at: Points) -> Array:
        """Return P(X <= x) at `Points`."""
        raise GantheoryError(f"{self}: no distribution function is known")

    def above(self, at: Points) -> Array:
        """Return P(X > x) at `Points`, accurate where it is tiny."""
        return 1.0 - self.below(at)

    def blur(self, at: Points) -> Array:
        """Return by how much of x, in units of rounding, the distribution functions miss it."""
        return 4 * np.abs(at.x)

    def cdf(self, x: ArrayLike) -> Array:
        """Return P(X <= x)."""
        return self.below(Points.at(x))

    def sf(self, x: ArrayLike) -> Array:
        """Return P(X > x), accurate where it is tiny."""
        return self.above(Points.at(x))

    def ppf(self, level: ArrayLike) -> Array:
        """Return the quantile function."""
        raise GantheoryError(f"{self}: no quantile function is known")

    def isf(self, level: ArrayLike) -> Array:
        """Return the x with P(X > x) = level: the quantile counted from above."""
        return self.ppf(1 - np.asarray(level))

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return np.asarray(self.ppf(generator(rng).random(n)))

    def mean(self) -> float:
        """Return E[X]: nan where it does not exist, ±inf where it is infinite."""
        raise GantheoryError(f"{self}: no mean is known")

    def slope(self, at: Points) -> Array:
        """Return the derivative of log p in x."""
        raise GantheoryError(f"{self}: the derivative of its log-density is not known")

    def elasticity(self, at: Points) -> Array:
        """Return x times the derivative of log p in x, finite as x tends to an end at 0."""
        return at.x * self.slope(at)

    def scores(self, name: str, at: Points) -> Array:
        """Return the derivative of log p in a parameter at `Points`.

        Besides its own parameters every law has ``loc`` and ``scale``: those of its affine image
        loc + scale·X at loc = 0, scale = 1.
        """
        with np.errstate(all="ignore"):
            if name == "loc":
                return -self.slope(at)
            if name == "scale":
                return -1.0 - self.elasticity(at)
        known = [key for key, value in self.parameters.items() if isinstance(value, float)]
        raise unknown_name(f"parameter of {self}:", name, {*known, "loc", "scale"})

    def score(self, name: str, x: ArrayLike) -> Array:
        return self.scores(name, Points.at(x))

    def score_size(self, name: str) -> float:
        """Return the size of the constants inside a score, which its rounding scales with."""
        return float(name == "scale")  # −1 less an elasticity

    def end_velocity(self, name: str, end: float) -> float:
        """Return how fast a finite end of the support moves with the parameter ``name``."""
        return {"loc": 1.0, "scale": end}.get(name, 0.0)

    def standard_form(self) -> StandardForm | None:
        """Return (shape, loc, scale) where the law is that of loc + scale·Z, Z given by shape."""
        return None

    def velocity(self, name: str, at: Points) -> Array | None:
        """Return how fast the quantile at x moves with ``name``; None: only the score is known."""
        form = self.standard_form()
        if name == "loc":
            return np.ones_like(at.x)
        if name == "scale":
            return at.x if form is None else at.minus(float(form[1])) / float(form[2])
        return None

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        """Return log p − log q without cancellation for a close relative q, else None.

        It comes with the size of the terms that it was summed from, which its rounding scales
        with. It is nan where the plain difference is no worse.
        """
        return None


def placed(x: float) -> Place:
    """Return a binary64 number exactly."""
    return Fraction(x) if math.isfinite(x) else x


def reaches(pieces: Iterable[tuple[Place, Place]], point: Place, side: int) -> bool:
    """Whether intervals hold what lies next to ``point`` on its ``side`` (+1: above)."""
    if side > 0:
        return any(low <= point < high for low, high in pieces)
    return any(low < point <= high for low, high in pieces)


def nearest(place: Place) -> float:
    """Return the binary64 number next to an exact one: rounding keeps the order of places."""
    try:
        return float(place)
    except OverflowError:
        return math.inf if place > 0 else -math.inf


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Return a + b and what its rounding left out, exactly.

    Source: D. E. Knuth (1969), The Art of Computer Programming 2, 4.2.2.
    """
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """Return a·b and what its rounding left out; nan beyond 1e300.

    Source: T. J. Dekker (1971), Numerische Mathematik 18.
    """
    (a1, a2), (b1, b2) = _split(a), _split(b)
    product = a * b
    return product, a2 * b2 - (((product - a1 * b1) - a2 * b1) - a1 * b2)


def _split(a: Array) -> tuple[Array, Array]:
    """Return the upper and the lower half of the digits."""
    c = 134217729.0 * a  # 2**27 + 1
    high = c - (c - a)
    return high, a - high


def log_quotient(a: float, b: float) -> float:
    """Return log(a/b) for positive numbers, to the last digits where they are close or far.

    >>> log_quotient(1.0, 1 - 2**-50) * 2**50
    1.0000000000000004
    """
    small = (a - b) / b
    return math.log1p(small) if abs(small) < 0.5 else math.log(a) - math.log(b)


def least_cancelled(sum_of: tuple[Array, Array | float], difference: tuple[Array, Array]) -> Array:
    """Return x + y where its terms are smaller than those of b − a, which is the same number."""
    (x, y), (b, a) = sum_of, difference
    return np.where(np.abs(x) + np.abs(y) < np.abs(a) + np.abs(b), x + y, b - a)
