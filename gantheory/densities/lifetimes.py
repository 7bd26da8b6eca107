r"""Positive laws of which a power is a gamma variable: Weibull, Rayleigh, inverse gamma.

With z = (x/unit)^c/divisor of law gamma(k) and t = log z, :math:`\log p = \log|c| - \log\Gamma(k)
+ kt - e^t - \log x`. All is written about a pivot next to the middle, where nothing cancels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
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
    register_family,
)
from gantheory.densities.gammas import excess, in_digits, log_over
from gantheory.densities.inherited import of_family
from gantheory.densities.positive import Gamma, inside
from gantheory.densities.tails import Tail
from gantheory.densities.univariate import Interval, LogRatio, Points, StandardForm, Univariate
from gantheory.rounding import EPS

OWN = 800.0  # nats below the middle: there a density has left the range of binary64
# Powers beyond these send what has mass out of the range of binary64, or into one rounding of 1.
EXPONENT = Domain(0.01, 1e6, (0.5, 4.0))
Form = tuple[float, float, float, float]  # k, c, unit, divisor


def _log_at(k: Any, c: Any, unit: Any, divisor: Any, m: Any) -> tuple[Any, Any]:
    """Return log p at m, and t there."""
    t = c * mpmath.log(m / unit) - mpmath.log(divisor)
    log = mpmath.log(abs(c)) - mpmath.loggamma(k) + k * t - mpmath.exp(t) - mpmath.log(m)
    return log, t


@lru_cache(maxsize=1024)
def _about(k: float, c: float, unit: float, divisor: float, pivot: float) -> tuple[float, ...]:
    """Return at the pivot: log p, its slope in τ, z, z − k, t − ψ(k) and log(pivot/unit)."""

    def compute(k: Any, c: Any, unit: Any, divisor: Any, m: Any) -> tuple[Any, ...]:
        log, t = _log_at(k, c, unit, divisor, m)
        z = mpmath.exp(t)
        return log, k - z - 1 / c, z, z - k, t - mpmath.digamma(k), mpmath.log(m / unit)

    return in_digits(compute, k, c, unit, divisor, pivot)


@lru_cache(maxsize=1024)
def _ratio_about(form: Form, other: Form, pivot: float) -> tuple[float, ...]:
    """Return log p − log q at the pivot, k − k' − (z − z') and z − z' there."""

    def compute(*numbers: Any) -> tuple[Any, ...]:
        *both, m = numbers
        k, c, unit, divisor, k2, c2, unit2, divisor2 = both
        log, t = _log_at(k, c, unit, divisor, m)
        log2, t2 = _log_at(k2, c2, unit2, divisor2, m)
        apart = mpmath.exp(t) - mpmath.exp(t2)
        return log - log2, k - k2 - apart, apart

    return in_digits(compute, *form, *other, pivot)


class PowerOfGamma(Univariate):
    """A positive law with (X/unit)^c/divisor of law gamma(k); c may be negative."""

    roles: ClassVar[dict[str, str]] = {"scale": "unit"}

    @property
    def form(self) -> Form:
        """k, c, unit and divisor."""
        raise NotImplementedError

    @cached_property
    def pivot(self) -> float:
        """A binary64 number next to where z = k."""
        k, c, unit, divisor = self.form
        log = math.log(unit) + math.log(divisor * k) / c
        return unit if k * divisor == 1 else math.exp(min(max(log, -690.0), 690.0))

    @cached_property
    def _constants(self) -> tuple[float, ...]:
        return _about(*self.form, self.pivot)

    def _tau(self, at: Points) -> Array:
        """Return t less its value at the pivot."""
        w = at.minus(self.pivot) / self.pivot
        return self.form[1] * log_over(w, at.minus(0.0), at.log_abs_minus(0.0), self.pivot)

    def _grown(self, at: Points, tau: Array) -> Array:
        """Return exp(τ) − 1, from a power of the quotient where its logarithm is large."""
        quotient = at.minus(0.0) / self.pivot
        far = (quotient > 1e-290) & np.isfinite(quotient) & (np.abs(quotient - 1) > 0.5)
        with np.errstate(all="ignore"):
            power = np.where(far, quotient, 1.0) ** self.form[1] - 1
            return np.where(far, power, np.expm1(tau))

    @property
    def log_magnitude(self) -> float:
        k, c, _, _ = self.form
        return 4 + abs(self._constants[0]) + abs(math.log(k)) + 1 / abs(c)

    def log_density(self, at: Points) -> Array:
        log, slope, z, *_ = self._constants
        tau = self._tau(at)
        value = log + slope * tau - z * excess(self._grown(at, tau), tau)
        return np.where(inside(at, 0.0, math.inf), value, -np.inf)

    def misread(self, at: Points) -> Array:
        # a quotient x/pivot is rounded, and its power so much more; where z is far larger than
        # OWN no mass of the law is left, and only the size of log p counts
        tau, (_, slope, z, *_) = self._tau(at), self._constants
        steep = abs(slope) + np.minimum(z * np.abs(np.expm1(np.minimum(tau, 700.0))), OWN + z)
        off = np.minimum(np.abs(tau), abs(self.form[1])) * steep
        return 4 * EPS * np.where(inside(at, 0.0, math.inf), off, 0.0)

    @property
    def pieces(self) -> tuple[Interval, ...]:
        return ((0.0, math.inf),)

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        k, c, unit, divisor = self.form
        log = math.log(divisor * max(k - 1 / c, k / 2)) / c
        x = unit * math.exp(min(max(log, -300.0), 300.0))
        return ((x, x * min(1 / (abs(c) * math.sqrt(k)), 1.0)),)

    def end_tail(self, end: float) -> Tail | None:
        k, c, unit, divisor = map(Fraction, self.form)
        deep = (c < 0) == (end == 0)  # where z grows
        scale = unit if c > 0 else 1 / unit
        powers = ((abs(c), scale, -1 / divisor),) if deep else ()
        return Tail(finite=end == 0, log=(1 - k * c) * (-1 if end else 1), powers=powers)

    def log_depth(self, at: Points) -> Array:
        t = self._tau(at) + math.log(self._constants[2])
        return np.where(t > 40, t, super().log_depth(at))

    def _z(self, at: Points) -> Points:
        """Return z at points."""
        t = np.minimum(self._tau(at), 700.0)
        positive = inside(at, 0.0, math.inf)
        return Points.at(np.where(positive, self._constants[2] * np.exp(t), -1.0))

    def below(self, at: Points) -> Array:
        rising, z = self.form[1] > 0, self._z(at)
        share = self._of_z.below(z) if rising else self._of_z.above(z)
        return np.where(at.x > 0, np.where(at.x < np.inf, share, 1.0), 0.0)

    def above(self, at: Points) -> Array:
        rising, z = self.form[1] > 0, self._z(at)
        share = self._of_z.above(z) if rising else self._of_z.below(z)
        return np.where(at.x > 0, np.where(at.x < np.inf, share, 0.0), 1.0)

    @cached_property
    def _of_z(self) -> Gamma:
        return Gamma(self.form[0], 1.0)

    def blur(self, at: Points) -> Array:
        far = np.where(at.x > 0, np.abs(self._tau(at) / self.form[1]), 0.0)
        return 4 * np.abs(at.x) * (1 + far)

    def _of(self, z: Array) -> Array:
        _, c, unit, divisor = self.form
        with np.errstate(all="ignore"):
            return np.asarray(unit * (divisor * z) ** (1 / c))

    def ppf(self, level: ArrayLike) -> Array:
        rising = self.form[1] > 0
        inverse = special.gammaincinv if rising else special.gammainccinv
        return self._of(inverse(self.form[0], level))

    def isf(self, level: ArrayLike) -> Array:
        rising = self.form[1] > 0
        inverse = special.gammainccinv if rising else special.gammaincinv
        return self._of(inverse(self.form[0], level))

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return self._of(generator(rng).gamma(self.form[0], 1.0, n))

    def mean(self) -> float:
        k, c, unit, divisor = self.form
        if k + 1 / c <= 0:
            return math.inf
        log = math.lgamma(k + 1 / c) - math.lgamma(k) + math.log(divisor) / c + math.log(unit)
        return math.exp(log) if log < 709 else math.inf

    def slope(self, at: Points) -> Array:
        return self.elasticity(at) / at.minus(0.0)

    def elasticity(self, at: Points) -> Array:
        _, slope, z, *_ = self._constants
        return self.form[1] * (slope - z * np.expm1(self._tau(at)))

    def scores(self, name: str, at: Points) -> Array:
        (_, c, unit, _), tau = self.form, self._tau(at)
        _, _, z, excess_of_z, from_psi, log_pivot = self._constants
        risen = excess_of_z + z * np.expm1(tau)  # z − k
        match self.roles.get(name):
            case "unit":
                return c * risen / unit
            case "power":
                return (1 - risen * (tau + c * log_pivot)) / c
            case "k":
                return tau + from_psi
        return super().scores(name, at)

    def score_size(self, name: str) -> float:
        k, c, unit, _ = self.form
        spread = abs(c) * (math.sqrt(k) + abs(self._constants[3]))
        match self.roles.get(name):
            case "unit":
                return spread / unit
            case "power":
                return (1 + k) / abs(c)
            case "k":
                return abs(self._constants[4]) + 1 / math.sqrt(k)
        return (1 + spread) / (min(self.pivot, self.centers[0][0]) if name == "loc" else 1.0)

    def end_velocity(self, name: str, end: float) -> float:
        return 1.0 if name == "loc" else 0.0

    def standard_form(self) -> StandardForm | None:
        shape = {key: value for key, value in self.parameters.items() if key != "scale"}
        return (self.name, *shape.values()), 0.0, self.form[2]

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        if not of_family(other, PowerOfGamma) or other.form[1] != self.form[1]:
            return None
        constant, slope, apart = _ratio_about(self.form, other.form, self.pivot)
        tau = self._tau(at)
        one, two = slope * tau, -apart * excess(np.expm1(tau), tau)
        size = np.abs(one) + np.abs(two) + abs(constant)
        size = size + np.abs(tau) * np.abs(apart * np.expm1(np.minimum(tau, 700.0)))
        return np.where(inside(at, 0.0, math.inf), one + two + constant, 0.0), size


@register_family
@dataclass(frozen=True)
class Weibull(PowerOfGamma):
    """The Weibull law: P(X > x) = exp(−(x/scale)^shape) on the positive half-line."""

    name: ClassVar[str] = "weibull"
    roles: ClassVar[dict[str, str]] = {"shape": "power", "scale": "unit"}
    shape: float = parameter(EXPONENT)
    scale: float = parameter(POSITIVE, default=1.0)

    @property
    def form(self) -> Form:
        return 1.0, self.shape, self.scale, 1.0


@register_family
@dataclass(frozen=True)
class Rayleigh(PowerOfGamma):
    """The Rayleigh law, of density x/scale²·exp(−x²/(2·scale²)) on the positive half-line."""

    name: ClassVar[str] = "rayleigh"
    scale: float = parameter(POSITIVE, default=1.0)

    @property
    def form(self) -> Form:
        return 1.0, 2.0, self.scale, 2.0


@register_family
@dataclass(frozen=True)
class InverseGamma(PowerOfGamma):
    """The law of scale/G for G of law gamma(shape): density ∝ x^(−shape−1)·exp(−scale/x)."""

    name: ClassVar[str] = "inverse_gamma"
    roles: ClassVar[dict[str, str]] = {"shape": "k", "scale": "unit"}
    shape: float = parameter(SHAPE)
    scale: float = parameter(POSITIVE, default=1.0)

    @property
    def form(self) -> Form:
        return self.shape, -1.0, self.scale, 1.0
