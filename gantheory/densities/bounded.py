"""Laws on a bounded interval: uniform, beta and the truncated normal."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from gantheory.densities.base import (
    POSITIVE,
    REAL,
    SHAPE,
    Array,
    Domain,
    generator,
    parameter,
    register,
)
from gantheory.densities.gammas import (
    beta_about,
    beta_ratio_about,
    excess,
    log_beta,
    log_over,
)
from gantheory.densities.normal import LOG_SQRT_2PI, Normal
from gantheory.densities.positive import PEAKED, inside
from gantheory.densities.tails import CONSTANT, Tail
from gantheory.densities.univariate import (
    Interval,
    LogRatio,
    Points,
    StandardForm,
    Univariate,
    log_quotient,
)
from gantheory.errors import GantheoryError

EPS = sys.float_info.epsilon
EXTENDED = Domain(-math.inf, math.inf, (-3.0, 3.0), closed=True)


def check_order(family: str, a: float, b: float) -> None:
    """Raise where an interval is empty."""
    if not a < b:
        raise GantheoryError(f"{family}: a={a:g} must be less than b={b:g}")


@register
@dataclass(frozen=True)
class Uniform(Univariate):
    """The uniform law on [a, b]."""

    name: ClassVar[str] = "uniform"
    aliases = ("u", "unif")
    a: float = parameter(REAL, default=0.0)
    b: float = parameter(REAL, default=1.0)

    def __post_init__(self) -> None:
        check_order(self.name, self.a, self.b)

    @property
    def width(self) -> float:
        """b − a."""
        return self.b - self.a

    def log_density(self, at: Points) -> Array:
        return np.where(inside(at, self.a, self.b), -math.log(self.width), -np.inf)

    @property
    def pieces(self) -> tuple[Interval, ...]:
        return ((self.a, self.b),)

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        return ((self.a + self.width / 2, self.width / 2),)

    def below(self, at: Points) -> Array:
        return np.clip(at.minus(self.a) / self.width, 0.0, 1.0)

    def above(self, at: Points) -> Array:
        return np.clip(-at.minus(self.b) / self.width, 0.0, 1.0)

    def blur(self, at: Points) -> Array:
        return np.full_like(at.x, 4 * self.width)

    def ppf(self, level: ArrayLike) -> Array:
        return self.a + self.width * np.asarray(level)

    def isf(self, level: ArrayLike) -> Array:
        return self.b - self.width * np.asarray(level)

    def mean(self) -> float:
        return self.a + self.width / 2

    def slope(self, at: Points) -> Array:
        return np.zeros_like(at.x)

    def scores(self, name: str, at: Points) -> Array:
        if name in ("a", "b"):
            return np.full_like(at.x, (1 if name == "a" else -1) / self.width)
        return super().scores(name, at)

    def end_velocity(self, name: str, end: float) -> float:
        if name in ("a", "b"):
            return float(end == getattr(self, name))
        return super().end_velocity(name, end)

    def standard_form(self) -> StandardForm | None:
        return self.name, Fraction(self.a), Fraction(self.b) - Fraction(self.a)

    def velocity(self, name: str, at: Points) -> Array | None:
        share = at.minus(self.a) / self.width
        if name == "a":
            return 1 - share
        if name == "b":
            return share
        return {"loc": np.ones_like(at.x), "scale": at.x}.get(name)

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        if not isinstance(other, Uniform):
            return None
        wider = (self.b - other.b) - (self.a - other.a)  # a difference of widths would lose it
        close = abs(wider) < 0.5 * other.width
        constant = (
            -math.log1p(wider / other.width) if close else -log_quotient(self.width, other.width)
        )
        ours, theirs = inside(at, self.a, self.b), inside(at, other.a, other.b)
        outside = np.where(ours, np.inf, np.where(theirs, -np.inf, 0.0))
        return np.where(ours & theirs, constant, outside), np.full(at.anchor.shape, abs(constant))


@register
@dataclass(frozen=True)
class Beta(Univariate):
    """The beta law with density proportional to x^(a−1)·(1 − x)^(b−1) on (0, 1)."""

    name: ClassVar[str] = "beta"
    a: float = parameter(SHAPE)
    b: float = parameter(SHAPE)

    @property
    def log_magnitude(self) -> float:
        if self._is_peaked:
            return 4 + abs(self._about[0])
        return 4 + 2 * abs(self.log_constant)

    @property
    def _is_peaked(self) -> bool:
        return min(self.a, self.b) > PEAKED

    @cached_property
    def pivot(self) -> float:
        """The binary64 number next to the mean, but off both ends: all is written about it."""
        return min(max(self.mean(), sys.float_info.min), 1 - EPS / 2)

    @cached_property
    def _about(self) -> tuple[float, ...]:
        return beta_about(self.a, self.b, self.pivot)

    @cached_property
    def log_constant(self) -> float:
        """The log of the beta function."""
        return log_beta(self.a, self.b)

    def _relative(self, at: Points) -> tuple[Array, Array, Array, Array, Array]:
        """Return x − pivot, that relative to x and to 1 − x at the pivot, and both logarithms."""
        apart, rest = at.minus(self.pivot), 1 - self.pivot
        low, high = apart / self.pivot, -apart / rest
        log_low = log_over(low, at.minus(0.0), at.log_abs_minus(0.0), self.pivot)
        log_high = log_over(high, -at.minus(1.0), at.log_abs_minus(1.0), rest)
        return apart, low, high, log_low, log_high

    def log_density(self, at: Points) -> Array:
        a, b = self.a - 1, self.b - 1
        if self._is_peaked:
            apart, low, high, log_low, log_high = self._relative(at)
            value = self._about[0] + self._about[4] * apart
            value = value - a * excess(low, log_low) - b * excess(high, log_high)
        else:
            value = a * at.log_abs_minus(0.0) + b * at.log_abs_minus(1.0) - self.log_constant
        return np.where(inside(at, 0.0, 1.0), value, -np.inf)

    @property
    def pieces(self) -> tuple[Interval, ...]:
        return ((0.0, 1.0),)

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        total = self.a + self.b
        width = math.sqrt(self.a * self.b / (total + 1)) / total
        return ((self.mean(), min(width, 0.25)),)

    def end_tail(self, end: float) -> Tail | None:
        return Tail(finite=True, log=1 - Fraction(self.b if end else self.a))

    def below(self, at: Points) -> Array:
        low, high = self._shares(at)
        return np.where(
            low < 0.5,
            special.betainc(self.a, self.b, low),
            special.betaincc(self.b, self.a, high),
        )

    def above(self, at: Points) -> Array:
        low, high = self._shares(at)
        return np.where(
            low < 0.5,
            special.betaincc(self.a, self.b, low),
            special.betainc(self.b, self.a, high),
        )

    def _shares(self, at: Points) -> tuple[Array, Array]:
        """Return x and 1 − x, each clipped to [0, 1]."""
        return np.clip(at.minus(0.0), 0.0, 1.0), np.clip(-at.minus(1.0), 0.0, 1.0)

    def blur(self, at: Points) -> Array:
        low, high = self._shares(at)
        # from an anchor in the middle, the distance to an end is a difference that is rounded
        end = np.where(low < high, 0.0, 1.0)
        middle = (at.anchor > 0) & (at.anchor < 1)
        return 4 * np.minimum(low, high) + np.where(middle, 2 * np.abs(at.anchor - end), 0.0)

    def ppf(self, level: ArrayLike) -> Array:
        return _beta_quantile(self.a, self.b, self.log_constant, np.asarray(level, float))

    def isf(self, level: ArrayLike) -> Array:
        return 1 - _beta_quantile(self.b, self.a, self.log_constant, np.asarray(level, float))

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return generator(rng).beta(self.a, self.b, n)

    def mean(self) -> float:
        return self.a / (self.a + self.b)

    def _pull(self, at: Points) -> Array:
        """Return (a − 1)(1 − x) − (b − 1)x."""
        return self._about[3] - (self.a - 1 + (self.b - 1)) * at.minus(self.pivot)

    def slope(self, at: Points) -> Array:
        return -self._pull(at) / at.minus(0.0) / at.minus(1.0)

    def elasticity(self, at: Points) -> Array:
        return -self._pull(at) / at.minus(1.0)

    def scores(self, name: str, at: Points) -> Array:
        if name in ("a", "b"):
            *_, log_low, log_high = self._relative(at)
            return (log_low if name == "a" else log_high) + self._about[1 if name == "a" else 2]
        return super().scores(name, at)

    def score_size(self, name: str) -> float:
        if name not in ("a", "b"):
            unit = self.pivot if name == "scale" else 1.0  # times the slope at the pivot
            return super().score_size(name) + unit * abs(self._about[4])
        own, constant = (self.a, self._about[1]) if name == "a" else (self.b, self._about[2])
        return abs(constant) + 1 / math.sqrt(own)

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        if not isinstance(other, Beta):
            return None
        found = beta_ratio_about(self.a, self.b, other.a, other.b, self.pivot)
        constant, slope, of_a, of_b = found
        apart, low, high, log_low, log_high = self._relative(at)
        near = (np.abs(low) < 0.5) & (np.abs(high) < 0.5)
        terms = (
            np.where(near, slope * apart, 0.0),
            of_a * np.where(near, -excess(low, log_low), log_low),
            of_b * np.where(near, -excess(high, log_high), log_high),
        )
        size = np.sum(np.abs(terms), axis=0) + abs(constant)
        return np.where(inside(at, 0.0, 1.0), np.sum(terms, axis=0) + constant, 0.0), size


def _beta_quantile(a: float, b: float, log_beta: float, level: Array) -> Array:
    """Return the quantile; below 1e-17 it is the power law, where betaincinv may give nan."""
    with np.errstate(divide="ignore"):
        low = np.exp((np.log(level) + math.log(a) + log_beta) / a)
    return np.where(low < 1e-17, low, special.betaincinv(a, b, level))


@register
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
        if isinstance(other, Normal):
            other = TruncNormal(other.loc, other.scale, -math.inf, math.inf)
        if not isinstance(other, TruncNormal):
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
