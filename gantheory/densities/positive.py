"""Laws on the positive half-line: gamma and lognormal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from gantheory.densities.base import (
    POSITIVE,
    SHAPE,
    Array,
    Domain,
    generator,
    parameter,
    register_family,
)
from gantheory.densities.gammas import (
    excess,
    gamma_about,
    gamma_ratio_about,
    log_over,
    lognormal_rest,
    tail_integral,
)
from gantheory.densities.inherited import of_family
from gantheory.densities.tails import Tail
from gantheory.densities.univariate import (
    Interval,
    LogRatio,
    Points,
    StandardForm,
    Univariate,
    least_cancelled,
    log_quotient,
)

LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)


def inside(at: Points, low: float, high: float) -> Array:
    """Return where points lie in (low, high), by their anchors where x itself has rounded.

    A point whose distance overflows, but not its logarithm, still lies this side of infinity.
    """
    finite = at.log_distance < np.inf
    with np.errstate(invalid="ignore"):  # inf − inf
        above = (at.minus(low) > 0) | ((at.anchor == low) & (at.side > 0))
        below = (at.minus(high) < 0) | ((at.anchor == high) & (at.side < 0))
    above, below = above | (finite & (low == -np.inf)), below | (finite & (high == np.inf))
    return above & below


# From this exponent on, densities are written relative to their middle: log x would cancel.
PEAKED = 8.0


@register_family
@dataclass(frozen=True)
class Gamma(Univariate):
    """The gamma law with density proportional to x^(shape−1)·exp(−x/scale)."""

    name: ClassVar[str] = "gamma"
    shape: float = parameter(SHAPE)
    scale: float = parameter(POSITIVE, default=1.0)

    @property
    def log_constant(self) -> float:
        """Return minus the log of the normalising integral at scale 1."""
        return -math.lgamma(self.shape)

    @cached_property
    def pivot(self) -> float:
        """The binary64 number next to the mean, about which everything is written."""
        return self.shape * self.scale

    @cached_property
    def _about(self) -> tuple[float, ...]:
        return gamma_about(self.shape, self.scale, self.pivot)

    @property
    def log_magnitude(self) -> float:
        k, wide = self.shape, abs(math.log(self.scale))
        if k > PEAKED:
            return 4 + abs(self._about[0])
        return 2 + abs(self.log_constant) + wide + 2 * abs(k - 1) * wide + 2 * max(k - 1, 0.0)

    def log_density(self, at: Points) -> Array:
        t, power = at.log_abs_minus(0.0), self.shape - 1
        if self.shape > PEAKED:
            apart, (peak, slope, *_) = at.minus(self.pivot), self._about
            w = apart / self.pivot
            value = (
                peak + slope * apart - power * excess(w, log_over(w, at.minus(0.0), t, self.pivot))
            )
        else:
            wide = math.log(self.scale)
            value = power * (t - wide) - at.minus(0.0) / self.scale + (self.log_constant - wide)
        return np.where(inside(at, 0.0, math.inf), value, -np.inf)

    @property
    def pieces(self) -> tuple[Interval, ...]:
        return ((0.0, math.inf),)

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        k = self.shape
        return ((self.scale * max(k - 1, k / 2), self.scale * math.sqrt(k)),)

    def end_tail(self, end: float) -> Tail | None:
        if end == 0:
            return Tail(finite=True, log=1 - Fraction(self.shape))
        return Tail(linear=-1 / Fraction(self.scale), log=Fraction(self.shape) - 1)

    def log_depth(self, at: Points) -> Array:
        return at.log_abs_minus(0.0) - math.log(self.scale)

    def below(self, at: Points) -> Array:
        value = np.asarray(special.gammainc(self.shape, np.maximum(at.x, 0.0) / self.scale))
        return self._with_tails(at, value, -1)

    def above(self, at: Points) -> Array:
        value = np.asarray(special.gammaincc(self.shape, np.maximum(at.x, 0.0) / self.scale))
        return self._with_tails(at, value, 1)

    def _with_tails(self, at: Points, value: Array, side: int) -> Array:
        """Return a distribution function with both far tails from the density, for large shapes.

        There scipy ends its series early: 1e-5 to 0.1 of the smaller tail.
        """
        deviations = at.minus(self.pivot) / self.scale / math.sqrt(self.shape)
        far = (self.shape > PEAKED) & (np.abs(deviations) > 4) & (at.x > 0) & np.isfinite(at.x)
        if not np.any(far):
            return value
        there = Points(*(np.asarray(part)[far] for part in (at.anchor, at.side, at.distance,
                                                            at.log_distance)))  # fmt: skip
        turn = np.sign(deviations[far])

        def fall(t: Array) -> Array:
            w = np.maximum(turn[:, None] * t / there.x[:, None], -1.0)
            return (self.shape - 1) * excess(w, np.log1p(w))

        tail = np.exp(self.log_density(there)) * tail_integral(np.abs(self.slope(there)), fall)
        value = value.copy()
        value[far] = np.where(turn == side, tail, 1 - tail)
        return value

    def ppf(self, level: ArrayLike) -> Array:
        return np.asarray(self.scale * special.gammaincinv(self.shape, level))

    def isf(self, level: ArrayLike) -> Array:
        return np.asarray(self.scale * special.gammainccinv(self.shape, level))

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return generator(rng).gamma(self.shape, self.scale, n)

    def mean(self) -> float:
        return self.shape * self.scale

    def slope(self, at: Points) -> Array:
        return self.elasticity(at) / at.minus(0.0)

    def elasticity(self, at: Points) -> Array:
        return -(at.minus(self.pivot) + self._about[4]) / self.scale

    def scores(self, name: str, at: Points) -> Array:
        if name == "scale":
            return (at.minus(self.pivot) + self._about[3]) / self.scale / self.scale
        if name == "shape":
            w = at.minus(self.pivot) / self.pivot
            log = log_over(w, at.minus(0.0), at.log_abs_minus(0.0), self.pivot)
            return log + self._about[2]
        return super().scores(name, at)

    def score_size(self, name: str) -> float:
        if name == "shape":
            return abs(self._about[2]) + 1 / math.sqrt(self.shape) + abs(math.log(self.pivot))
        if name == "loc":
            return 1 / self.scale / math.sqrt(self.shape)
        return math.sqrt(self.shape) / self.scale

    def end_velocity(self, name: str, end: float) -> float:
        return 1.0 if name == "loc" else 0.0

    def standard_form(self) -> StandardForm | None:
        return (self.name, self.shape), 0.0, self.scale

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        if not of_family(other, Gamma):
            return None
        of_both = (self.shape, self.scale, other.shape, other.scale)
        constant, slope, shapes, rates = gamma_ratio_about(*of_both, self.pivot)
        apart = at.minus(self.pivot)
        w = apart / self.pivot
        log = log_over(w, at.minus(0.0), at.log_abs_minus(0.0), self.pivot)
        near = np.abs(w) < 0.5
        one = np.where(near, slope, -rates) * apart
        two = shapes * np.where(near, -excess(w, log), log)
        size = np.abs(one) + np.abs(two) + abs(constant)
        return np.where(inside(at, 0.0, math.inf), one + two + constant, 0.0), size


@register_family
@dataclass(frozen=True)
class LogNormal(Univariate):
    """The law of exp(loc + scale·Z) for a standard normal Z."""

    name: ClassVar[str] = "lognormal"
    aliases = ("lognorm",)
    loc: float = parameter(Domain(-600.0, 600.0, (-1.0, 1.0)), default=0.0)
    scale: float = parameter(POSITIVE, default=1.0)

    def z(self, at: Points) -> Array:
        """Return (log x − loc)/scale, by log(x/pivot), which keeps the digits of a small one."""
        w = at.minus(self.pivot) / self.pivot
        log = log_over(w, at.minus(0.0), at.log_abs_minus(0.0), self.pivot)
        return (log + lognormal_rest(self.loc, self.pivot)) / self.scale

    @cached_property
    def pivot(self) -> float:
        """The binary64 number next to the median."""
        return math.exp(self.loc)

    @property
    def log_magnitude(self) -> float:
        return 2 + abs(math.log(self.scale)) + abs(self.loc)

    def log_density(self, at: Points) -> Array:
        log_x = at.log_abs_minus(0.0)
        value = -0.5 * self.z(at) ** 2 - log_x - LOG_SQRT_2PI - math.log(self.scale)
        return np.where(inside(at, 0.0, math.inf), value, -np.inf)

    @property
    def pieces(self) -> tuple[Interval, ...]:
        return ((0.0, math.inf),)

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        return ((math.exp(self.loc), math.exp(self.loc) * min(self.scale, 0.5)),)

    def end_tail(self, end: float) -> Tail | None:
        a, side = 1 / Fraction(self.scale) ** 2, 1 if end else -1
        return Tail(finite=not end, logsquare=-a / 2, log=side * (Fraction(self.loc) * a - 1))

    def log_depth(self, at: Points) -> Array:
        return 2 * np.log(np.abs(self.z(at))) - math.log(2)

    def below(self, at: Points) -> Array:
        return np.asarray(special.ndtr(np.where(at.x > 0, self.z(at), -np.inf)))

    def above(self, at: Points) -> Array:
        return np.asarray(special.ndtr(np.where(at.x > 0, -self.z(at), np.inf)))

    def blur(self, at: Points) -> Array:
        log_x = np.where(at.x > 0, np.abs(at.log_abs_minus(0.0)), 0.0)
        return 4 * np.abs(at.x) * (1 + log_x + abs(self.loc))

    def ppf(self, level: ArrayLike) -> Array:
        return np.asarray(np.exp(self.loc + self.scale * special.ndtri(level)))

    def isf(self, level: ArrayLike) -> Array:
        return np.asarray(np.exp(self.loc - self.scale * special.ndtri(level)))

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return np.exp(self.loc + self.scale * generator(rng).standard_normal(n))

    def mean(self) -> float:
        return math.exp(min(self.loc + self.scale**2 / 2, 709.0))

    def slope(self, at: Points) -> Array:
        return -(1 + self.z(at) / self.scale) / at.minus(0.0)

    def elasticity(self, at: Points) -> Array:
        return -(1 + self.z(at) / self.scale)

    def scores(self, name: str, at: Points) -> Array:
        z = self.z(at)
        if name == "loc":
            return z / self.scale
        if name == "scale":
            return (z - 1) * (z + 1) / self.scale
        return super().scores(name, at)

    def end_velocity(self, name: str, end: float) -> float:
        return 0.0

    def velocity(self, name: str, at: Points) -> Array | None:
        if name == "loc":
            return at.x
        if name == "scale":
            with np.errstate(all="ignore"):
                return np.where(at.x > 0, at.x * self.z(at), 0.0)  # 0·log 0 = 0
        return super().velocity(name, at)

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        if not of_family(other, LogNormal):
            return None
        a, b = self.z(at), other.z(at)
        stretched = a * ((self.scale - other.scale) / other.scale)
        apart = least_cancelled((stretched, (self.loc - other.loc) / other.scale), (b, a))
        square, constant = 0.5 * apart * (a + b), -log_quotient(self.scale, other.scale)
        value = np.where(inside(at, 0.0, math.inf), square + constant, 0.0)
        return value, np.abs(square) + abs(constant)
