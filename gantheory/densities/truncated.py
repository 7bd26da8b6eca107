"""The normal law given an interval, and the normal mass of an interval however far out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from gantheory.densities.base import (
    POSITIVE,
    REAL,
    Array,
    parameter,
    register_family,
)
from gantheory.densities.bounded import EXTENDED, check_order
from gantheory.densities.inherited import of_family
from gantheory.densities.normal import LOG_SQRT_2PI, Normal
from gantheory.densities.positive import inside
from gantheory.densities.tails import CONSTANT, Tail
from gantheory.densities.univariate import (
    Interval,
    LogRatio,
    Points,
    Univariate,
)
from gantheory.errors import GantheoryError


@register_family
@dataclass(frozen=True)
class TruncNormal(Univariate):
    """A normal(loc, scale) given a <= X <= b; the ends, on the axis of x, may be infinite.

    Its ``loc`` and ``scale`` are those of the normal: the ends stay where they are.
    """

    name: ClassVar[str] = "truncnormal"
    aliases = ("truncated_normal",)
    loc: float = parameter(REAL)
    scale: float = parameter(POSITIVE)
    a: float = parameter(EXTENDED)
    b: float = parameter(EXTENDED)

    def __post_init__(self) -> None:
        check_order(self.name, self.a, self.b)
        with np.errstate(all="ignore"):
            if not math.isfinite(self.log_mass):
                raise GantheoryError(
                    f"truncnormal: [{self.a:g}, {self.b:g}] lies {min(map(abs, self._ends)):.0e} "
                    "standard deviations from loc, where binary64 ends; take a wider scale"
                )

    @property
    def _ends(self) -> tuple[float, float]:
        return (self.a - self.loc) / self.scale, (self.b - self.loc) / self.scale

    @property
    def log_mass(self) -> float:
        """The log of the normal's mass on [a, b]."""
        return log_normal_mass(*self._ends, self._width)

    @property
    def _width(self) -> float:
        """The length of the standardised interval, which the difference of its ends may lose."""
        return (self.b - self.a) / self.scale

    @property
    def log_magnitude(self) -> float:
        # twice: far out the mass is cancelled by z², which is rounded in z as well
        return 4 + 2 * abs(self.log_mass) + abs(math.log(self.scale))

    def z(self, at: Points) -> Array:
        """Return (x − loc)/scale."""
        return at.minus(self.loc) / self.scale

    def log_density(self, at: Points) -> Array:
        constant = LOG_SQRT_2PI + math.log(self.scale) + self.log_mass
        return np.where(inside(at, self.a, self.b), -0.5 * self.z(at) ** 2 - constant, -np.inf)

    @property
    def pieces(self) -> tuple[Interval, ...]:
        return ((self.a, self.b),)

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        width = min(self.scale, (self.b - self.a) / 2)
        if self.a <= self.loc <= self.b:
            return ((self.loc, width),)
        end = self.a if self.loc < self.a else self.b
        return ((end, min(width, self.scale**2 / abs(end - self.loc))),)

    def end_tail(self, end: float) -> Tail | None:
        return CONSTANT if math.isfinite(end) else Normal(self.loc, self.scale).end_tail(end)

    def log_depth(self, at: Points) -> Array:
        return Normal(self.loc, self.scale).log_depth(at)

    def below(self, at: Points) -> Array:
        return self._mass_between(self._ends[0], self.z(at), at.minus(self.a))

    def above(self, at: Points) -> Array:
        return self._mass_between(self.z(at), self._ends[1], -at.minus(self.b))

    def blur(self, at: Points) -> Array:
        return 4 * np.abs(at.minus(self.loc))

    def _mass_between(self, low: ArrayLike, high: ArrayLike, apart: Array) -> Array:
        """Return the mass between standardised points whose distance on the axis is ``apart``."""
        a, b = self._ends
        total, shape = self.log_mass, np.broadcast(low, high).shape
        lows = np.broadcast_to(np.clip(low, a, b), shape).ravel()
        highs = np.broadcast_to(np.clip(high, a, b), shape).ravel()
        widths = np.clip(np.ravel(apart) / self.scale, 0.0, self._width)
        found = [
            math.exp(min(log_normal_mass(c, d, width) - total, 0.0)) if width > 0 else 0.0
            for c, d, width in zip(lows, highs, widths, strict=True)
        ]
        return np.array(found).reshape(shape)

    def ppf(self, level: ArrayLike) -> Array:
        level, (a, b) = np.asarray(level), self._ends
        flip = a > 0  # work in the left tail, where the log of the distribution function is exact
        low, high = (-b, -a) if flip else (a, b)
        level = 1 - level if flip else level
        log_low, log_high = special.log_ndtr(low), special.log_ndtr(high)
        with np.errstate(divide="ignore"):
            mixed = log_high + np.log(level + (1 - level) * np.exp(log_low - log_high))
        z = special.ndtri_exp(mixed)
        return np.clip(self.loc + self.scale * (-z if flip else z), self.a, self.b)

    def isf(self, level: ArrayLike) -> Array:
        return -TruncNormal(-self.loc, self.scale, -self.b, -self.a).ppf(level)

    def mean(self) -> float:
        return self.loc + self.scale * self._moment(1)

    def _moment(self, power: int) -> float:
        """Return the boundary part of E[z**power]: (a**(k−1) φ(a) − b**(k−1) φ(b))/mass."""
        terms = [
            sign * z ** (power - 1) * math.exp(-0.5 * z * z - LOG_SQRT_2PI - self.log_mass)
            for sign, z in zip((1, -1), self._ends, strict=True)
            if math.isfinite(z)
        ]
        return sum(terms)

    def slope(self, at: Points) -> Array:
        return -self.z(at) / self.scale

    def scores(self, name: str, at: Points) -> Array:
        z, s = self.z(at), self.scale
        if name == "loc":
            return (z - self._moment(1)) / s
        if name == "scale":
            return ((z - 1) * (z + 1) - self._moment(2)) / s
        if name in ("a", "b"):
            end = self._ends[name == "b"]
            level = math.exp(-0.5 * end * end - LOG_SQRT_2PI - self.log_mass) / s
            return np.full_like(z, level if name == "a" else -level)
        return super().scores(name, at)

    def score_size(self, name: str) -> float:
        # each term is the exponential of a difference of logarithms, with the rounding of those
        power = 2 if name == "scale" else 1
        sizes = (
            abs(z) ** (power - 1)
            * math.exp(-0.5 * z * z - LOG_SQRT_2PI - self.log_mass)
            * (1 + z * z + abs(self.log_mass))
            for z in self._ends
            if math.isfinite(z)
        )
        return sum(sizes) / self.scale

    def end_velocity(self, name: str, end: float) -> float:
        return float(name in ("a", "b") and end == getattr(self, name))

    def velocity(self, name: str, at: Points) -> Array | None:
        return None  # its loc and scale are those of the normal before it is cut

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        """Return the ratio of both normals less that of the masses on which they are kept."""
        if of_family(other, Normal):
            other = TruncNormal(other.loc, other.scale, -math.inf, math.inf)
        if not of_family(other, TruncNormal):
            return None
        pair = (Normal(law.loc, law.scale) for law in (self, other))
        known = next(pair).log_ratio(next(pair), at)
        assert known is not None
        constant, size = other.log_mass - self.log_mass, abs(other.log_mass) + abs(self.log_mass)
        ours, theirs = inside(at, self.a, self.b), inside(at, other.a, other.b)
        outside = np.where(ours, np.inf, np.where(theirs, -np.inf, 0.0))
        return np.where(ours & theirs, known[0] + constant, outside), known[1] + 4 * size


_X, _W = np.polynomial.legendre.leggauss(40)


def log_normal_mass(a: float, b: float, width: float) -> float:
    """Return log(Φ(b) − Φ(a)), accurate in both tails and for short intervals.

    ``width`` is b − a, given on its own because rounded ends may have lost it.

    >>> round(log_normal_mass(-1, 1, 2), 12)
    -0.381715146302
    """
    if a > 0:
        a, b = -b, -a
    # over less than two lengths of decay a difference of distribution functions would cancel
    if width * max(1.0, abs(b)) < 2:
        half, middle = width / 2, (a + b) / 2
        top = b if b < 0 else 0.0 if a < 0 else a
        z = middle + half * _X
        scaled = float(np.exp(0.5 * (top - z) * (top + z)) @ _W)
        return -0.5 * top * top - LOG_SQRT_2PI + math.log(half) + math.log(scaled)
    high = float(special.log_ndtr(b))
    if math.isinf(high):  # so far out that nothing of the mass is left
        return high
    return high + math.log1p(-math.exp(float(special.log_ndtr(a)) - high))
