"""More laws on an interval: triangular and Kumaraswamy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from gantheory.densities.base import REAL, Array, Domain, parameter, register_family
from gantheory.densities.positive import inside
from gantheory.densities.tails import CONSTANT, Tail
from gantheory.densities.univariate import Interval, Points, StandardForm, Univariate
from gantheory.errors import GantheoryError
from gantheory.rounding import EPS

OWN = 800.0  # nats below the middle: there a density has left the range of binary64
EXPONENT = Domain(0.01, 1e6, (0.5, 4.0))  # as of the Weibull law


@register_family
@dataclass(frozen=True)
class Triangular(Univariate):
    """The law on [a, b] whose density rises linearly up to the ``mode`` and falls beyond it."""

    name: ClassVar[str] = "triangular"
    a: float = parameter(REAL, default=0.0)
    mode: float = parameter(REAL, default=0.5)
    b: float = parameter(REAL, default=1.0)

    def __post_init__(self) -> None:
        if not self.a <= self.mode <= self.b or self.a == self.b:
            raise GantheoryError(
                f"triangular: a={self.a:g}, mode={self.mode:g}, b={self.b:g} must be in order, "
                "and a less than b"
            )

    @cached_property
    def _sides(self) -> tuple[float, float, float]:
        return self.mode - self.a, self.b - self.mode, self.b - self.a

    @property
    def log_magnitude(self) -> float:
        return 4 + sum(abs(math.log(side)) for side in self._sides if side)

    def log_density(self, at: Points) -> Array:
        left, right, whole = self._sides
        constant = math.log(2) - math.log(whole)
        with np.errstate(all="ignore"):
            rising = at.log_abs_minus(self.a) - (math.log(left) if left else 0.0)
            falling = at.log_abs_minus(self.b) - (math.log(right) if right else 0.0)
        value = constant + np.where(self._rises(at), rising, falling)
        return np.where(inside(at, self.a, self.b), value, -np.inf)

    def _rises(self, at: Points) -> Array:
        left, right, _ = self._sides
        below = at.minus(self.mode) + np.where(at.anchor == self.mode, at.side * 1e-323, 0.0) < 0
        return (below & (left > 0)) | (right == 0)

    @property
    def pieces(self) -> tuple[Interval, ...]:
        return ((self.a, self.b),)

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        left, right, whole = self._sides
        sides = [side for side in (left, right) if side]
        return ((self.mode, min(*sides, whole / 2)),)

    @property
    def kinks(self) -> tuple[float, ...]:
        return (self.mode,) if self.a < self.mode < self.b else ()

    def end_tail(self, end: float) -> Tail | None:
        return CONSTANT if end == self.mode else Tail(finite=True, log=-1)

    def below(self, at: Points) -> Array:
        left, right, whole = self._sides
        low = np.clip(at.minus(self.a), 0.0, whole)
        high = np.clip(-at.minus(self.b), 0.0, whole)
        rising = low / whole * (low / left) if left else np.zeros_like(low)
        falling = 1 - (high / whole * (high / right) if right else np.zeros_like(high))
        return np.where(self._rises(at), np.minimum(rising, 1.0), falling)

    def above(self, at: Points) -> Array:
        left, right, whole = self._sides
        low = np.clip(at.minus(self.a), 0.0, whole)
        high = np.clip(-at.minus(self.b), 0.0, whole)
        rising = 1 - (low / whole * (low / left) if left else np.zeros_like(low))
        falling = high / whole * (high / right) if right else np.zeros_like(high)
        return np.where(self._rises(at), rising, np.minimum(falling, 1.0))

    def blur(self, at: Points) -> Array:
        return np.full_like(at.x, 4 * self._sides[2])

    def ppf(self, level: ArrayLike) -> Array:
        level = np.asarray(level, float)
        left, right, whole = self._sides
        low = np.sqrt(level * whole * left)
        high = np.sqrt((1 - level) * whole * right)
        return np.where(level * whole < left, self.a + low, self.b - high)

    def isf(self, level: ArrayLike) -> Array:
        level = np.asarray(level, float)
        left, right, whole = self._sides
        low = np.sqrt((1 - level) * whole * left)
        high = np.sqrt(level * whole * right)
        return np.where(level * whole < right, self.b - high, self.a + low)

    def mean(self) -> float:
        return self.a + (self._sides[0] + self._sides[2]) / 3

    def slope(self, at: Points) -> Array:
        return np.where(self._rises(at), 1 / at.minus(self.a), 1 / at.minus(self.b))

    def scores(self, name: str, at: Points) -> Array:
        left, right, whole = self._sides
        rises, nothing = self._rises(at), np.zeros_like(at.x)
        with np.errstate(all="ignore"):
            if name == "a":  # −1/(x − a) + 1/(mode − a), and 1/(b − a) on both sides
                inner = at.minus(self.mode) / left / at.minus(self.a) if left else nothing
                return np.where(rises, inner, 0.0) + 1 / whole
            if name == "b":
                inner = at.minus(self.mode) / right / at.minus(self.b) if right else nothing
                return np.where(rises, 0.0, -inner) - 1 / whole
            if name == "mode":
                rising, falling = (-1 / left if left else 0.0), (1 / right if right else 0.0)
                return np.where(rises, rising, falling)
        return super().scores(name, at)

    def score_size(self, name: str) -> float:
        return {"a": 1 / self._sides[2], "b": 1 / self._sides[2], "scale": 1.0}.get(name, 0.0)

    def end_velocity(self, name: str, end: float) -> float:
        if name in ("a", "b", "mode"):
            place = getattr(self, name)
            meets = self.mode in (self.a, self.b) if name == "mode" else place == self.mode
            return float(end == place) if end != place or not meets else math.nan
        return super().end_velocity(name, end)

    def standard_form(self) -> StandardForm | None:
        exact = [Fraction(x) for x in (self.a, self.mode, self.b)]
        share = (exact[1] - exact[0]) / (exact[2] - exact[0])
        return (self.name, share), exact[0], exact[2] - exact[0]


@register_family
@dataclass(frozen=True)
class Kumaraswamy(Univariate):
    """The law on (0, 1) with P(X <= x) = 1 − (1 − x^a)^b."""

    name: ClassVar[str] = "kumaraswamy"
    a: float = parameter(EXPONENT)
    b: float = parameter(EXPONENT)

    @property
    def log_magnitude(self) -> float:
        # where the density is large, the terms of both exponents may cancel
        return 4 + abs(math.log(self.a)) + abs(math.log(self.b)) * (1 + 2 * max(1 / self.a, 1.0))

    def _t(self, at: Points) -> Array:
        """Return a·log x, which is at most 0."""
        return self.a * np.minimum(at.log_abs_minus(0.0), 0.0)

    def _log_rest(self, at: Points, t: Array) -> Array:
        """Return log(1 − x^a)."""
        with np.errstate(all="ignore"):
            log = np.where(t > -0.5, np.log(-np.expm1(t)), np.log1p(-np.exp(t)))
            beside = math.log(self.a) + at.log_abs_minus(1.0)
        return np.where(t > -1e-17, beside, log)

    def log_density(self, at: Points) -> Array:
        t = self._t(at)
        value = (self.a - 1) * (t / self.a) + (self.b - 1) * self._log_rest(at, t)
        value = value + (math.log(self.a) + math.log(self.b))
        return np.where(inside(at, 0.0, 1.0), value, -np.inf)

    def misread(self, at: Points) -> Array:
        with np.errstate(all="ignore"):
            t = self._t(at)
            off = abs(self.b - 1) * np.abs(t / np.expm1(-t))
        return 4 * EPS * np.where(np.isfinite(off), np.minimum(off, OWN), 0.0)

    @property
    def pieces(self) -> tuple[Interval, ...]:
        return ((0.0, 1.0),)

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        with np.errstate(all="ignore"):
            low, middle, high = (float(Kumaraswamy.ppf(self, level)) for level in (0.16, 0.5, 0.84))
        low, middle, high = (min(max(x, 1e-290), 1 - 2**-53) for x in (low, middle, high))
        width = max((high - low) / 2, 1e-3 * min(middle, 1 - middle))
        return ((middle, min(width, 0.25, max(middle, 1 - middle))),)

    def end_tail(self, end: float) -> Tail | None:
        return Tail(finite=True, log=1 - Fraction(self.b if end else self.a))

    def below(self, at: Points) -> Array:
        return np.where(at.x < 1, np.where(at.x > 0, -np.expm1(self._log_above(at)), 0.0), 1.0)

    def above(self, at: Points) -> Array:
        return np.where(at.x < 1, np.where(at.x > 0, np.exp(self._log_above(at)), 1.0), 0.0)

    def _log_above(self, at: Points) -> Array:
        with np.errstate(all="ignore"):
            return self.b * self._log_rest(at, self._t(at))

    def blur(self, at: Points) -> Array:
        with np.errstate(all="ignore"):
            rest = np.where(inside(at, 0.0, 1.0), -at.minus(1.0), 0.0)
            far = np.where(at.x > 0, np.abs(at.log_abs_minus(0.0)), 0.0)
        middle = (at.anchor > 0) & (at.anchor < 1)
        ends = np.minimum(at.x * (1 + far), rest * (1 + 1 / self.a))
        return 4 * np.abs(ends) + np.where(middle, 2 * at.anchor, 0.0)

    def ppf(self, level: ArrayLike) -> Array:
        return self._quantile(np.log1p(-np.asarray(level, float)))

    def isf(self, level: ArrayLike) -> Array:
        with np.errstate(divide="ignore"):
            return self._quantile(np.log(np.asarray(level, float)))

    def _quantile(self, log_above: Array) -> Array:
        with np.errstate(all="ignore"):
            return (-np.expm1(log_above / self.b)) ** (1 / self.a)

    def mean(self) -> float:
        log = math.lgamma(1 + 1 / self.a) + math.lgamma(self.b + 1)
        return math.exp(log - math.lgamma(1 + 1 / self.a + self.b))

    def _odds(self, at: Points) -> Array:
        """Return x^a/(1 − x^a)."""
        return 1 / np.expm1(-self._t(at))

    def slope(self, at: Points) -> Array:
        return self.elasticity(at) / at.minus(0.0)

    def elasticity(self, at: Points) -> Array:
        with np.errstate(all="ignore"):
            return (self.a - 1) - (self.b - 1) * self.a * self._odds(at)

    def scores(self, name: str, at: Points) -> Array:
        t = self._t(at)
        with np.errstate(all="ignore"):
            if name == "a":
                pull = np.where(t > -1e-17, -1.0, t / np.expm1(-t))
                return (1 + t - (self.b - 1) * pull) / self.a
            if name == "b":
                return 1 / self.b + self._log_rest(at, t)
        return super().scores(name, at)

    def score_size(self, name: str) -> float:
        if name == "a":
            return (1 + math.log1p(self.b)) / self.a
        if name == "b":
            return 1 / self.b
        return 1 + self.a
