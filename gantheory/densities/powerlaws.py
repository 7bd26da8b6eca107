"""Laws on the half-line that fall like a power: Pareto and log-logistic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from gantheory.densities.base import POSITIVE, SHAPE, Array, Domain, parameter, register_family
from gantheory.densities.gammas import log_over
from gantheory.densities.inherited import of_family
from gantheory.densities.positive import inside
from gantheory.densities.tails import CONSTANT, Tail
from gantheory.densities.univariate import (
    Interval,
    LogRatio,
    Points,
    StandardForm,
    Univariate,
    log_quotient,
)

EXPONENT = Domain(0.01, 1e6, (0.5, 4.0))  # as of the Weibull law


def _over_scale(at: Points, scale: float) -> Array:
    """Return log(x/scale), to the last digits where x is near the scale."""
    w = at.minus(scale) / scale
    return log_over(w, at.minus(0.0), at.log_abs_minus(0.0), scale)


@register_family
@dataclass(frozen=True)
class Pareto(Univariate):
    """The Pareto law: P(X > x) = (scale/x)^shape for x >= scale."""

    name: ClassVar[str] = "pareto"
    shape: float = parameter(SHAPE)
    scale: float = parameter(POSITIVE, default=1.0)

    @property
    def log_magnitude(self) -> float:
        return 4 + abs(math.log(self.shape)) + abs(math.log(self.scale))

    def log_density(self, at: Points) -> Array:
        constant = math.log(self.shape) - math.log(self.scale)
        value = constant - (self.shape + 1) * _over_scale(at, self.scale)
        return np.where(inside(at, self.scale, math.inf), value, -np.inf)

    @property
    def pieces(self) -> tuple[Interval, ...]:
        return ((self.scale, math.inf),)

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        return ((self.scale, self.scale * min(1 / self.shape, 1.0)),)

    def end_tail(self, end: float) -> Tail | None:
        return Tail(log=-Fraction(self.shape) - 1) if math.isinf(end) else CONSTANT

    def below(self, at: Points) -> Array:
        return np.where(at.x > self.scale, -np.expm1(-self._depth(at)), 0.0)

    def above(self, at: Points) -> Array:
        return np.where(at.x > self.scale, np.exp(-self._depth(at)), 1.0)

    def _depth(self, at: Points) -> Array:
        with np.errstate(all="ignore"):
            depth = self.shape * _over_scale(at, self.scale)
        return np.where(at.x > self.scale, depth, 0.0)

    def blur(self, at: Points) -> Array:
        far = np.where(at.x > self.scale, _over_scale(at, self.scale), 0.0)
        return 4 * np.abs(at.minus(self.scale)) + 4 * np.abs(at.x) * far

    def ppf(self, level: ArrayLike) -> Array:
        with np.errstate(all="ignore"):
            return self.scale * np.exp(-np.log1p(-np.asarray(level, float)) / self.shape)

    def isf(self, level: ArrayLike) -> Array:
        with np.errstate(all="ignore"):
            return self.scale * np.exp(-np.log(np.asarray(level, float)) / self.shape)

    def mean(self) -> float:
        return self.scale * self.shape / (self.shape - 1) if self.shape > 1 else math.inf

    def slope(self, at: Points) -> Array:
        return -(self.shape + 1) / at.minus(0.0)

    def elasticity(self, at: Points) -> Array:
        return np.full_like(at.x, -(self.shape + 1))

    def scores(self, name: str, at: Points) -> Array:
        if name == "shape":
            return 1 / self.shape - _over_scale(at, self.scale)
        if name == "scale":
            return np.full_like(at.x, self.shape / self.scale)
        return super().scores(name, at)

    def score_size(self, name: str) -> float:
        return 1 / self.shape if name == "shape" else 0.0

    def end_velocity(self, name: str, end: float) -> float:
        return {"loc": 1.0, "scale": 1.0}.get(name, 0.0)

    def standard_form(self) -> StandardForm | None:
        return (self.name, self.shape), 0.0, self.scale

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        if not of_family(other, Pareto):
            return None
        # at our scale: log(a/b) − log(s/t)·(b + 1) − log s + log t, less what the shapes differ by
        one = log_quotient(self.shape, other.shape)
        two = other.shape * log_quotient(self.scale, other.scale)
        three = -(self.shape - other.shape) * _over_scale(at, self.scale)
        ours, theirs = inside(at, self.scale, math.inf), inside(at, other.scale, math.inf)
        outside = np.where(ours, np.inf, np.where(theirs, -np.inf, 0.0))
        size = abs(one) + abs(two) + np.abs(three)
        return np.where(ours & theirs, one + two + three, outside), size


@register_family
@dataclass(frozen=True)
class LogLogistic(Univariate):
    """The law whose logarithm is logistic: P(X <= x) = 1/(1 + (x/scale)^−shape)."""

    name: ClassVar[str] = "log_logistic"
    shape: float = parameter(EXPONENT)
    scale: float = parameter(POSITIVE, default=1.0)

    @property
    def log_magnitude(self) -> float:
        return 4 + abs(math.log(self.shape)) + abs(math.log(self.scale))

    def log_density(self, at: Points) -> Array:
        log = _over_scale(at, self.scale)
        falling = self.shape * np.abs(log)
        value = -log * (1 + self.shape * np.sign(log)) - 2 * np.log1p(np.exp(-falling))
        value = value + (math.log(self.shape) - math.log(self.scale))
        return np.where(inside(at, 0.0, math.inf), value, -np.inf)

    @property
    def pieces(self) -> tuple[Interval, ...]:
        return ((0.0, math.inf),)

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        return ((self.scale, self.scale * min(1 / self.shape, 1.0)),)

    def end_tail(self, end: float) -> Tail | None:
        shape = Fraction(self.shape)
        return Tail(log=-shape - 1) if end else Tail(finite=True, log=1 - shape)

    def _t(self, at: Points) -> Array:
        """Return shape·log(x/scale)."""
        with np.errstate(all="ignore"):
            t = self.shape * _over_scale(at, self.scale)
        return np.where(at.x > 0, t, -np.inf)

    def below(self, at: Points) -> Array:
        return np.asarray(special.expit(self._t(at)))

    def above(self, at: Points) -> Array:
        return np.asarray(special.expit(-self._t(at)))

    def blur(self, at: Points) -> Array:
        far = np.where(at.x > 0, np.abs(_over_scale(at, self.scale)), 0.0)
        return 4 * np.abs(at.x) * (1 + far)

    def ppf(self, level: ArrayLike) -> Array:
        return np.asarray(self.scale * np.exp(special.logit(level) / self.shape))

    def isf(self, level: ArrayLike) -> Array:
        return np.asarray(self.scale * np.exp(-special.logit(level) / self.shape))

    def mean(self) -> float:
        if self.shape <= 1:
            return math.inf
        return self.scale / float(np.sinc(1 / self.shape))

    def slope(self, at: Points) -> Array:
        return self.elasticity(at) / at.minus(0.0)

    def elasticity(self, at: Points) -> Array:
        return -1 - self.shape * np.tanh(self._t(at) / 2)

    def scores(self, name: str, at: Points) -> Array:
        t = self._t(at)
        if name == "shape":
            return (1 - t * np.tanh(t / 2)) / self.shape
        if name == "scale":
            return self.shape * np.tanh(t / 2) / self.scale
        return super().scores(name, at)

    def score_size(self, name: str) -> float:
        if name == "loc":
            return (1 + self.shape) / self.scale
        return 1 / self.shape if name == "shape" else self.shape / self.scale

    def end_velocity(self, name: str, end: float) -> float:
        return 1.0 if name == "loc" else 0.0

    def standard_form(self) -> StandardForm | None:
        return (self.name, self.shape), 0.0, self.scale
