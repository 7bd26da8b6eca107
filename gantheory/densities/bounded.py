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
    REAL,
    SHAPE,
    Array,
    Domain,
    generator,
    parameter,
    register_family,
)
from gantheory.densities.gammas import (
    beta_about,
    beta_ratio_about,
    excess,
    log_beta,
    log_over,
)
from gantheory.densities.inherited import of_family
from gantheory.densities.positive import PEAKED, inside
from gantheory.densities.tails import Tail
from gantheory.densities.univariate import (
    Interval,
    LogRatio,
    Points,
    StandardForm,
    Univariate,
    log_quotient,
)
from gantheory.errors import GantheoryError
from gantheory.rounding import EPS

EXTENDED = Domain(-math.inf, math.inf, (-3.0, 3.0), closed=True)


def check_order(family: str, a: float, b: float) -> None:
    """Raise where an interval is empty."""
    if not a < b:
        raise GantheoryError(f"{family}: a={a:g} must be less than b={b:g}")


@register_family
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
        if not of_family(other, Uniform):
            return None
        wider = (self.b - other.b) - (self.a - other.a)  # a difference of widths would lose it
        close = abs(wider) < 0.5 * other.width
        constant = (
            -math.log1p(wider / other.width) if close else -log_quotient(self.width, other.width)
        )
        ours, theirs = inside(at, self.a, self.b), inside(at, other.a, other.b)
        outside = np.where(ours, np.inf, np.where(theirs, -np.inf, 0.0))
        return np.where(ours & theirs, constant, outside), np.full(at.anchor.shape, abs(constant))


@register_family
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
        return min(max(Beta.mean(self), sys.float_info.min), 1 - EPS / 2)

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
        return ((Beta.mean(self), min(width, 0.25)),)

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
        if not of_family(other, Beta):
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
