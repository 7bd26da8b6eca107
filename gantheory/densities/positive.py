"""Laws on the positive half-line: gamma and lognormal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import mpmath
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
    register,
)
from gantheory.densities.tails import Tail
from gantheory.densities.univariate import (
    Interval,
    LogRatio,
    Points,
    Univariate,
    least_cancelled,
    log_quotient,
)

LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)


def inside(at: Points, low: float, high: float) -> Array:
    """Return where points lie in (low, high), by their anchors where x itself has rounded."""
    above = (at.minus(low) > 0) | ((at.anchor == low) & (at.side > 0))
    below = (at.minus(high) < 0) | ((at.anchor == high) & (at.side < 0))
    return above & below


def log_gamma_difference(a: float, b: float, apart: float) -> float:
    """Return log Γ(a) − log Γ(b), by the Taylor series at the middle where a is close to b.

    ``apart`` is a − b, given on its own because rounded sums may have lost it.
    """
    step, middle = apart / 2, (a + b) / 2
    if abs(step) > 1e-3 * middle:
        return math.lgamma(a) - math.lgamma(b)
    # the odd terms remain; the next is of relative size (step/middle)**4 = 1e-12 times 1e-2
    third = float(special.polygamma(2, middle)) * step**3 / 3
    return 2 * float(special.digamma(middle)) * step + third


# From this exponent on, densities are written relative to their mode: log x would cancel.
PEAKED = 8.0


def excess(w: Array, log_of: Array) -> Array:
    """Return w − log(1 + w) without cancellation; ``log_of`` is log(1 + w) where w is not small.

    With r = w/(2 + w) it is w·r − 2(r³/3 + r⁵/5 + ...), for log(1 + w) = 2 artanh r.
    """
    near = np.abs(w) < 0.5
    small = np.where(near, w, 0.0)
    r = small / (2 + small)
    square, total = r * r, np.zeros_like(r)
    for k in range(37, 1, -2):  # r² <= 1/9: 1/9**18 is below rounding
        total = (total + 1 / k) * square
    return np.where(near, small * r - 2 * r * total, w - log_of)


@register
@dataclass(frozen=True)
class Gamma(Univariate):
    """The gamma law with density proportional to x^(shape−1)·exp(−x/scale)."""

    name: ClassVar[str] = "gamma"
    shape: float = parameter(SHAPE)
    scale: float = parameter(POSITIVE, default=1.0)

    @property
    def log_constant(self) -> float:
        """Return minus the log of the normalising integral."""
        return -math.lgamma(self.shape) - self.shape * math.log(self.scale)

    @cached_property
    def log_peak(self) -> float:
        """The log-density at the mode for scale 1, in digits enough for its terms to cancel."""
        with mpmath.workdps(30 + int(math.log10(self.shape))):
            power = mpmath.mpf(self.shape) - 1
            return float(power * mpmath.log(power) - power - mpmath.loggamma(self.shape))

    @property
    def log_magnitude(self) -> float:
        k = self.shape
        if k > PEAKED:
            return 4 + abs(self.log_peak) + abs(math.log(self.scale)) + math.sqrt(k)
        return 2 + abs(math.lgamma(k)) + k * abs(math.log(self.scale)) + 2 * max(k - 1, 0.0)

    def log_density(self, at: Points) -> Array:
        t, power = at.log_abs_minus(0.0), self.shape - 1
        if self.shape > PEAKED:
            mode = self.scale * power
            w = at.minus(mode) / mode
            value = self.log_peak - math.log(self.scale) - power * excess(w, t - math.log(mode))
        else:
            value = power * t - at.minus(0.0) / self.scale + self.log_constant
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

    def cdf(self, x: ArrayLike) -> Array:
        return np.asarray(special.gammainc(self.shape, np.maximum(x, 0.0) / self.scale))

    def sf(self, x: ArrayLike) -> Array:
        return np.asarray(special.gammaincc(self.shape, np.maximum(x, 0.0) / self.scale))

    def ppf(self, level: ArrayLike) -> Array:
        return np.asarray(self.scale * special.gammaincinv(self.shape, level))

    def isf(self, level: ArrayLike) -> Array:
        return np.asarray(self.scale * special.gammainccinv(self.shape, level))

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return generator(rng).gamma(self.shape, self.scale, n)

    def mean(self) -> float:
        return self.shape * self.scale

    def slope(self, at: Points) -> Array:
        return (self.shape - 1) / at.minus(0.0) - 1 / self.scale

    def elasticity(self, at: Points) -> Array:
        return (self.shape - 1) - at.minus(0.0) / self.scale

    def scores(self, name: str, at: Points) -> Array:
        x = at.minus(0.0)
        if name == "scale":
            return (x / self.scale - self.shape) / self.scale
        if name == "shape":
            constant = float(special.digamma(self.shape)) + math.log(self.scale)
            return at.log_abs_minus(0.0) - constant
        return super().scores(name, at)

    def score_size(self, name: str) -> float:
        if name == "shape":
            return abs(float(special.digamma(self.shape))) + abs(math.log(self.scale))
        return self.shape / self.scale

    def end_velocity(self, name: str, end: float) -> float:
        return 1.0 if name == "loc" else 0.0

    def standard_form(self) -> tuple[Any, float, float] | None:
        return (self.name, self.shape), 0.0, self.scale

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        if not isinstance(other, Gamma):
            return None
        shapes = self.shape - other.shape
        rates = (other.scale - self.scale) / self.scale / other.scale
        constants = (
            -log_gamma_difference(self.shape, other.shape, shapes),
            -shapes * math.log(self.scale),
            -other.shape * log_quotient(self.scale, other.scale),
        )
        grown, falling = shapes * at.log_abs_minus(0.0), at.minus(0.0) * rates
        size = sum(map(abs, constants)) + np.abs(grown) + np.abs(falling)
        return np.where(inside(at, 0.0, math.inf), grown - falling + sum(constants), 0.0), size


@register
@dataclass(frozen=True)
class LogNormal(Univariate):
    """The law of exp(loc + scale·Z) for a standard normal Z."""

    name: ClassVar[str] = "lognormal"
    loc: float = parameter(Domain(-600.0, 600.0, (-1.0, 1.0)), default=0.0)
    scale: float = parameter(POSITIVE, default=1.0)

    def z(self, at: Points) -> Array:
        """Return (log x − loc)/scale."""
        return (at.log_abs_minus(0.0) - self.loc) / self.scale

    @property
    def log_magnitude(self) -> float:
        return 2 + abs(math.log(self.scale)) + abs(self.loc) / self.scale

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

    def cdf(self, x: ArrayLike) -> Array:
        with np.errstate(divide="ignore"):
            z = (np.log(np.maximum(x, 0.0)) - self.loc) / self.scale
        return np.asarray(special.ndtr(z))

    def sf(self, x: ArrayLike) -> Array:
        with np.errstate(divide="ignore"):
            z = (np.log(np.maximum(x, 0.0)) - self.loc) / self.scale
        return np.asarray(special.ndtr(-z))

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

    def velocity(self, name: str, x: Array) -> Array | None:
        if name == "loc":
            return x
        if name == "scale":
            return x * (np.log(np.maximum(x, 1e-308)) - self.loc) / self.scale  # 0·log 0 = 0
        return super().velocity(name, x)

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        if not isinstance(other, LogNormal):
            return None
        a, b = self.z(at), other.z(at)
        stretched = a * ((self.scale - other.scale) / other.scale)
        apart = least_cancelled((stretched, (self.loc - other.loc) / other.scale), (b, a))
        square, constant = 0.5 * apart * (a + b), -log_quotient(self.scale, other.scale)
        value = np.where(inside(at, 0.0, math.inf), square + constant, 0.0)
        return value, np.abs(square) + abs(constant)
