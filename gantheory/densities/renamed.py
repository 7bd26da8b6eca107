"""Laws that are another family's under the name that people know: they hand all questions to it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf, erfinv

from gantheory.densities.base import POSITIVE, REAL, SHAPE, Array, parameter, register_family
from gantheory.densities.inherited import of_family
from gantheory.densities.location_scale import StudentT
from gantheory.densities.normal import Normal
from gantheory.densities.positive import Gamma, inside
from gantheory.densities.tails import CONSTANT, Tail
from gantheory.densities.univariate import Interval, LogRatio, Points, StandardForm, Univariate

LOG_2, SQRT_2 = math.log(2), math.sqrt(2)


class Renamed(Univariate):
    """A law equal to ``law``, of another family.

    ``chain`` maps a parameter to that of ``law`` which it moves, and how fast; what it does not
    name is the law's own.
    """

    chain: ClassVar[dict[str, tuple[str, float]]] = {}

    @cached_property
    def law(self) -> Univariate:
        """The same law as a member of the family that knows all about it."""
        raise NotImplementedError

    @property
    def log_magnitude(self) -> float:
        return self.law.log_magnitude

    def log_density(self, at: Points) -> Array:
        return self.law.log_density(at)

    @property
    def pieces(self) -> tuple[Interval, ...]:
        return self.law.pieces

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        return self.law.centers

    def end_tail(self, end: float) -> Tail | None:
        return self.law.end_tail(end)

    def log_depth(self, at: Points) -> Array:
        return self.law.log_depth(at)

    def below(self, at: Points) -> Array:
        return self.law.below(at)

    def above(self, at: Points) -> Array:
        return self.law.above(at)

    def blur(self, at: Points) -> Array:
        return self.law.blur(at)

    def ppf(self, level: ArrayLike) -> Array:
        return self.law.ppf(level)

    def isf(self, level: ArrayLike) -> Array:
        return self.law.isf(level)

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return self.law.sample(rng, n)

    def mean(self) -> float:
        return self.law.mean()

    def slope(self, at: Points) -> Array:
        return self.law.slope(at)

    def elasticity(self, at: Points) -> Array:
        return self.law.elasticity(at)

    def scores(self, name: str, at: Points) -> Array:
        inner, speed = self.chain.get(name, (name, 1.0))
        if name not in self.chain and name not in {*self.parameters, "loc", "scale"}:
            return super().scores(name, at)
        return speed * self.law.scores(inner, at)

    def score_size(self, name: str) -> float:
        inner, speed = self.chain.get(name, (name, 1.0))
        return speed * self.law.score_size(inner)

    def end_velocity(self, name: str, end: float) -> float:
        inner, speed = self.chain.get(name, (name, 1.0))
        return speed * self.law.end_velocity(inner, end)

    def velocity(self, name: str, at: Points) -> Array | None:
        inner, speed = self.chain.get(name, (name, 1.0))
        moved = self.law.velocity(inner, at)
        return None if moved is None else speed * moved

    def standard_form(self) -> StandardForm | None:
        return self.law.standard_form()

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        return self.law.log_ratio(as_known(other), at)


def as_known(law: Any) -> Any:
    """Return a law as a member of the family that knows all about it."""
    return law.law if of_family(law, Renamed) else law


@register_family
@dataclass(frozen=True)
class Exponential(Renamed):
    """The exponential law of mean ``scale``, gamma(1, scale); its rate is 1/scale."""

    name: ClassVar[str] = "exponential"
    scale: float = parameter(POSITIVE, default=1.0)

    @cached_property
    def law(self) -> Univariate:
        return Gamma(1.0, self.scale)


@register_family
@dataclass(frozen=True)
class ChiSquared(Renamed):
    """The chi-squared law with ``df`` degrees of freedom, gamma(df/2, 2)."""

    name: ClassVar[str] = "chi_squared"
    aliases = ("chi2",)
    chain: ClassVar[dict[str, tuple[str, float]]] = {"df": ("shape", 0.5)}
    df: float = parameter(SHAPE)

    @cached_property
    def law(self) -> Univariate:
        return Gamma(self.df / 2, 2.0)

    def scores(self, name: str, at: Points) -> Array:
        # the scale of its image starts from 1, that of the gamma law from 2
        return super().scores(name, at) * (2.0 if name == "scale" else 1.0)

    def score_size(self, name: str) -> float:
        return super().score_size(name) * (2.0 if name == "scale" else 1.0)


@register_family
@dataclass(frozen=True)
class Cauchy(Renamed):
    """The Cauchy law, student_t(1, loc, scale)."""

    name: ClassVar[str] = "cauchy"
    aliases = ("lorentz",)
    loc: float = parameter(REAL, default=0.0)
    scale: float = parameter(POSITIVE, default=1.0)

    @cached_property
    def law(self) -> Univariate:
        return StudentT(1.0, self.loc, self.scale)


class Folded(Univariate):
    """The law of abs(X) for X of a ``whole`` law symmetric about 0."""

    scale: float

    @cached_property
    def whole(self) -> Univariate:
        """The symmetric law on the line."""
        raise NotImplementedError

    @property
    def log_magnitude(self) -> float:
        return 1 + self.whole.log_magnitude

    def log_density(self, at: Points) -> Array:
        value = self.whole.log_density(at) + LOG_2
        return np.where(inside(at, 0.0, math.inf), value, -np.inf)

    @property
    def pieces(self) -> tuple[Interval, ...]:
        return ((0.0, math.inf),)

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        return ((0.0, self.scale),)

    def end_tail(self, end: float) -> Tail | None:
        return self.whole.end_tail(end) if end else CONSTANT

    def log_depth(self, at: Points) -> Array:
        return self.whole.log_depth(at)

    def below(self, at: Points) -> Array:
        return np.where(at.x > 0, self._middle(at), 0.0)

    def _middle(self, at: Points) -> Array:
        """Return P(abs(X) <= x), which is about x itself next to 0."""
        raise NotImplementedError

    def above(self, at: Points) -> Array:
        return np.where(at.x > 0, 2 * self.whole.above(at), 1.0)

    def ppf(self, level: ArrayLike) -> Array:
        level = np.asarray(level, float)
        return np.where(level < 0.5, self._small(level), self.isf(1 - level))

    def _small(self, level: Array) -> Array:
        """Return the quantile by its own inverse, good where the level is small."""
        raise NotImplementedError

    def isf(self, level: ArrayLike) -> Array:
        return self.whole.isf(np.asarray(level, float) / 2)

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return np.abs(self.whole.sample(rng, n))

    def slope(self, at: Points) -> Array:
        return self.whole.slope(at)

    def scores(self, name: str, at: Points) -> Array:
        if name == "scale":
            return self.whole.scores("scale", at)
        return super().scores(name, at)

    def score_size(self, name: str) -> float:
        return self.whole.score_size(name)

    def end_velocity(self, name: str, end: float) -> float:
        return 1.0 if name == "loc" else 0.0

    def standard_form(self) -> StandardForm | None:
        return (self.name,), 0.0, self.scale

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        if not of_family(other, Folded):
            return None
        known = self.whole.log_ratio(other.whole, at)
        if known is None:
            return None
        return np.where(inside(at, 0.0, math.inf), known[0], 0.0), known[1]


@register_family
@dataclass(frozen=True)
class HalfNormal(Folded):
    """The law of abs(X), X normal about 0 with standard deviation ``scale``."""

    name: ClassVar[str] = "half_normal"
    scale: float = parameter(POSITIVE, default=1.0)

    @cached_property
    def whole(self) -> Univariate:
        return Normal(0.0, self.scale)

    def _middle(self, at: Points) -> Array:
        return np.asarray(erf(at.x / self.scale / SQRT_2))

    def _small(self, level: Array) -> Array:
        return np.asarray(self.scale * SQRT_2 * erfinv(level))

    def mean(self) -> float:
        return self.scale * math.sqrt(2 / math.pi)


@register_family
@dataclass(frozen=True)
class HalfCauchy(Folded):
    """The law of abs(X), X Cauchy about 0 with scale ``scale``."""

    name: ClassVar[str] = "half_cauchy"
    scale: float = parameter(POSITIVE, default=1.0)

    @cached_property
    def whole(self) -> Univariate:
        return StudentT(1.0, 0.0, self.scale)

    def _middle(self, at: Points) -> Array:
        return np.arctan(at.x / self.scale) * (2 / math.pi)

    def _small(self, level: Array) -> Array:
        return self.scale * np.tan(level * (math.pi / 2))

    def mean(self) -> float:
        return math.inf
