"""Laws that are a fixed shape moved and stretched: Laplace, logistic, Gumbel, Student's t."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from gantheory.densities.base import (
    POSITIVE,
    REAL,
    Array,
    Domain,
    generator,
    parameter,
    register_family,
)
from gantheory.densities.gammas import excess, student_constants
from gantheory.densities.inherited import of_family
from gantheory.densities.tails import Tail
from gantheory.densities.univariate import (
    LogRatio,
    Points,
    StandardForm,
    Univariate,
    least_cancelled,
    log_quotient,
    two_product,
    two_sum,
)

FAR = 300.0  # of log abs(z): 1 beside z² has long rounded away, and soon z² overflows


class LocationScale(Univariate):
    """A law of loc + scale·Z; a family states the law of Z."""

    loc: float
    scale: float

    def z(self, at: Points) -> Array:
        """Return (x − loc)/scale."""
        return at.minus(self.loc) / self.scale

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        return ((self.loc, self.scale),)

    @property
    def log_magnitude(self) -> float:
        return 2.0 + abs(math.log(self.scale))

    def scores(self, name: str, at: Points) -> Array:
        if name == "scale":
            return (-1.0 - self.z(at) * self.scale * self.slope(at)) / self.scale
        return super().scores(name, at)

    def score_size(self, name: str) -> float:
        return 1 / self.scale if name == "scale" else 0.0

    def log_depth(self, at: Points) -> Array:
        return at.log_abs_minus(self.loc) - math.log(self.scale)  # as log p ~ −abs(z) falls

    def blur(self, at: Points) -> Array:
        return 4 * np.abs(at.minus(self.loc))

    def isf(self, level: ArrayLike) -> Array:
        return 2 * self.loc - self.ppf(level)  # the law is symmetric, but for Gumbel's

    def standard_form(self) -> StandardForm | None:
        shape = {k: v for k, v in self.parameters.items() if k not in ("loc", "scale")}
        return (self.name, *shape.values()), self.loc, self.scale

    def apart(self, other: LocationScale, at: Points) -> Array:
        """Return (x − other.loc)/other.scale − (x − loc)/scale without cancellation."""
        a, b = self.z(at), other.z(at)
        stretched = a * ((self.scale - other.scale) / other.scale)
        return least_cancelled((stretched, (self.loc - other.loc) / other.scale), (b, a))

    def apart_in_size(self, other: LocationScale, at: Points) -> Array:
        """Return the difference of the absolute standardised points, other's minus ours."""
        a, b = self.z(at), other.z(at)
        together = np.sign(a) * np.sign(b) > 0
        return np.where(together, np.sign(a) * self.apart(other, at), np.abs(b) - np.abs(a))

    def rescaled(self, other: LocationScale, ratio: Array) -> LogRatio:
        """Return the ratio of the densities from that of the standard ones, with its size."""
        constant = log_quotient(other.scale, self.scale)
        return ratio + constant, np.abs(ratio) + abs(constant)


@register_family
@dataclass(frozen=True)
class Laplace(LocationScale):
    """The double exponential law, of variance 2·scale²."""

    name: ClassVar[str] = "laplace"
    loc: float = parameter(REAL, default=0.0)
    scale: float = parameter(POSITIVE, default=1.0)

    def log_density(self, at: Points) -> Array:
        return -np.abs(self.z(at)) - math.log(2 * self.scale)

    @property
    def kinks(self) -> tuple[float, ...]:
        return (self.loc,)

    def end_tail(self, end: float) -> Tail | None:
        return Tail(linear=-1 / Fraction(self.scale))

    def below(self, at: Points) -> Array:
        z = self.z(at)
        half = 0.5 * np.exp(-np.abs(z))
        return np.where(z < 0, half, 1 - half)

    def above(self, at: Points) -> Array:
        z = self.z(at)
        half = 0.5 * np.exp(-np.abs(z))
        return np.where(z > 0, half, 1 - half)

    def ppf(self, level: ArrayLike) -> Array:
        level = np.asarray(level)
        tail = np.minimum(level, 1 - level)
        return self.loc + self.scale * np.sign(level - 0.5) * -np.log(2 * tail)

    def mean(self) -> float:
        return self.loc

    def slope(self, at: Points) -> Array:
        return -np.sign(self.z(at)) / self.scale

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        if not of_family(other, Laplace):
            return None
        return self.rescaled(other, self.apart_in_size(other, at))


@register_family
@dataclass(frozen=True)
class Logistic(LocationScale):
    """The logistic law, whose distribution function is the sigmoid."""

    name: ClassVar[str] = "logistic"
    loc: float = parameter(REAL, default=0.0)
    scale: float = parameter(POSITIVE, default=1.0)

    def log_density(self, at: Points) -> Array:
        z = np.abs(self.z(at))
        return -z - 2 * np.log1p(np.exp(-z)) - math.log(self.scale)

    def end_tail(self, end: float) -> Tail | None:
        return Tail(linear=-1 / Fraction(self.scale))

    def below(self, at: Points) -> Array:
        return np.asarray(special.expit(self.z(at)))

    def above(self, at: Points) -> Array:
        return np.asarray(special.expit(-self.z(at)))

    def ppf(self, level: ArrayLike) -> Array:
        return np.asarray(self.loc + self.scale * special.logit(level))

    def mean(self) -> float:
        return self.loc

    def slope(self, at: Points) -> Array:
        return -np.tanh(self.z(at) / 2) / self.scale

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        if not of_family(other, Logistic):
            return None
        a, b = np.abs(self.z(at)), np.abs(other.z(at))
        apart = self.apart_in_size(other, at)
        share = np.exp(-a) / (1 + np.exp(-a))
        close = np.log1p(share * np.expm1(-np.clip(apart, -1.0, 1.0)))
        far = np.log1p(np.exp(-b)) - np.log1p(np.exp(-a))
        return self.rescaled(other, apart + 2 * np.where(np.abs(apart) < 1, close, far))


@register_family
@dataclass(frozen=True)
class Gumbel(LocationScale):
    """The extreme-value law of maxima: P(X <= x) = exp(−exp(−(x − loc)/scale))."""

    name: ClassVar[str] = "gumbel"
    loc: float = parameter(REAL, default=0.0)
    scale: float = parameter(POSITIVE, default=1.0)

    def surge(self, at: Points) -> Array:
        """Return exp(−z), with what the rounding of z leaves: abs(z) roundings of the result."""
        with np.errstate(over="ignore", invalid="ignore"):  # x may be ±inf
            apart, first = two_sum(at.anchor, np.asarray(-self.loc))
            apart, second = two_sum(apart, at.side * at.distance)
            z = apart / self.scale
            product, rest = two_product(z, np.asarray(self.scale))
            left = ((apart - product) - rest + (first + second)) / self.scale
            # further out exp(−z) is 0 or inf, and what is left of z may overflow the other way
            counts = np.isfinite(left) & (np.abs(z) < 800)
            return np.exp(-z) * np.exp(-np.where(counts, left, 0.0))

    def log_density(self, at: Points) -> Array:
        surge = self.surge(at)
        linear = np.where(np.isinf(surge), 0.0, -self.z(at))  # nothing beside it, even if infinite
        return linear - surge - math.log(self.scale)

    def end_tail(self, end: float) -> Tail | None:
        rate = 1 / Fraction(self.scale)
        if end > 0:
            return Tail(linear=-rate)
        return Tail(rate=rate, lift=Fraction(self.loc) * rate, linear=rate)

    def log_depth(self, at: Points) -> Array:
        rising = -self.z(at)  # log(exp(−z) + z) = −z to the last digit where z < −40
        return np.where(rising > 40, rising, super().log_depth(at))

    def below(self, at: Points) -> Array:
        return np.exp(-self.surge(at))

    def above(self, at: Points) -> Array:
        return -np.expm1(-self.surge(at))

    def ppf(self, level: ArrayLike) -> Array:
        return self.loc - self.scale * np.log(-np.log(level))

    def isf(self, level: ArrayLike) -> Array:
        return self.loc - self.scale * np.log(-np.log1p(-np.asarray(level)))

    def mean(self) -> float:
        return self.loc + self.scale * float(np.euler_gamma)

    def slope(self, at: Points) -> Array:
        z = self.z(at)
        steep = np.where(z < -1, self.surge(at) - 1, np.expm1(-np.maximum(z, -1.0)))
        return steep / self.scale

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        if not of_family(other, Gumbel):
            return None
        apart = self.apart(other, at)
        close = self.surge(at) * np.expm1(-np.clip(apart, -1.0, 1.0))
        doubles = np.where(np.abs(apart) < 1, close, other.surge(at) - self.surge(at))
        ratio, size = self.rescaled(other, apart + doubles)
        return ratio, size + np.abs(apart)


@register_family
@dataclass(frozen=True)
class StudentT(LocationScale):
    """Student's t law with ``df`` degrees of freedom; df = 1 is the Cauchy law."""

    name: ClassVar[str] = "student_t"
    aliases = ("t", "student")
    df: float = parameter(Domain(1e-9, math.inf, (1.0, 10.0)), default=1.0)  # as SHAPE
    loc: float = parameter(REAL, default=0.0)
    scale: float = parameter(POSITIVE, default=1.0)

    @property
    def log_constant(self) -> float:
        """Return the log-density at the centre for scale 1."""
        return student_constants(self.df)[0]

    @property
    def log_magnitude(self) -> float:
        return 2.0 + abs(self.log_constant) + abs(math.log(self.scale))

    def log_density(self, at: Points) -> Array:
        spread = (self.df + 1) / 2 * self._log_spread(at)
        return (self.log_constant - math.log(self.scale)) - spread

    def _log_spread(self, at: Points) -> Array:
        """Return log(1 + z²/df)."""
        far = 2 * (at.log_abs_minus(self.loc) - math.log(self.scale)) - math.log(self.df)
        z = self.z(at)
        return np.where(far > 100, far, np.log1p(z * z / self.df))

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        return ((self.loc, self.scale * min(1.0, math.sqrt(self.df))),)

    def end_tail(self, end: float) -> Tail | None:
        return Tail(log=-(Fraction(self.df) + 1))

    def below(self, at: Points) -> Array:
        return self._level(at, self.z(at))

    def above(self, at: Points) -> Array:
        return self._level(at, -self.z(at))

    def _level(self, at: Points, z: Array) -> Array:
        """Return F(z); far out F falls like C·abs(z)^−df, also where z itself overflows."""
        log_z = at.log_abs_minus(self.loc) - math.log(self.scale)
        far = np.exp(np.minimum(self._log_mass - self.df * log_z, 0.0))
        return np.where((log_z > FAR) & (z < 0), far, special.stdtr(self.df, z))

    @property
    def _log_mass(self) -> float:
        """The log of C where F falls like C·abs(z)^−df."""
        return self.log_constant + (self.df - 1) / 2 * math.log(self.df)

    def ppf(self, level: ArrayLike) -> Array:
        level = np.asarray(level, float)
        with np.errstate(divide="ignore"):
            # far out F falls like C·abs(z)^−df, and stdtrit returns anything
            log_far = (self._log_mass - np.log(np.minimum(level, 1 - level))) / self.df
        far = np.where(level < 0.5, -1.0, 1.0) * np.exp(np.minimum(log_far, 709.0))
        beyond = log_far > 20 + 0.5 * math.log(self.df)  # z²/df > 1e17
        z = np.where(beyond, far, special.stdtrit(self.df, np.where(beyond, 0.5, level)))
        return np.asarray(self.loc + self.scale * z)

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return self.loc + self.scale * generator(rng).standard_t(self.df, n)

    def mean(self) -> float:
        return self.loc if self.df > 1 else math.nan

    def slope(self, at: Points) -> Array:
        z = self.z(at)
        pull = np.where(np.abs(z) > 1, 1 / (z + self.df / z), z / (self.df + z * z))
        return -(self.df + 1) * pull / self.scale

    def _share(self, at: Points) -> Array:
        """Return z²/(df + z²)."""
        z = self.z(at)
        return 1 / (1 + self.df / (z * z))

    def scores(self, name: str, at: Points) -> Array:
        df = self.df
        if name == "scale":
            return ((df + 1) * self._share(at) - 1) / self.scale
        if name == "df":
            # log(1 + z²/df) = −log(1 − share), and what is linear in the share all but cancels
            share, spread = self._share(at), self._log_spread(at)
            constant = student_constants(df)[1]
            return 0.5 * (constant + share / df - excess(-share, -spread))
        return super().scores(name, at)

    def score_size(self, name: str) -> float:
        if name == "df":
            return 4 * abs(student_constants(self.df)[1])
        return super().score_size(name)

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        if not of_family(other, StudentT) or other.df != self.df:
            return None
        a, b = self.z(at), other.z(at)
        apart = self.apart(other, at)
        big = np.abs(a) > 1
        scaled = np.where(big, (apart / a) * ((a + b) / a) / (1 + self.df / (a * a)), 0.0)
        rho = np.where(big, scaled, apart * (a + b) / (self.df + a * a))
        shape = (self.df + 1) / 2
        close = np.where(np.abs(rho) < 0.5, shape * np.log1p(np.clip(rho, -0.5, 0.5)), np.nan)
        return self.rescaled(other, close)
