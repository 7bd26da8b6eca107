"""The von Mises law: angles around a direction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import mpmath
import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from gantheory.densities.base import Array, Domain, generator, parameter, register_family
from gantheory.densities.gammas import in_digits
from gantheory.densities.inherited import of_family
from gantheory.densities.mixing import inverted
from gantheory.densities.positive import inside
from gantheory.densities.univariate import Interval, LogRatio, Points, Univariate
from gantheory.rounding import EPS

TWO_PI = 2 * math.pi


@lru_cache(maxsize=1024)
def _constants(concentration: float) -> tuple[float, ...]:
    """Return log(2π·I₀(κ)) − κ, and 1 − I₁(κ)/I₀(κ)."""

    def compute(k: Any) -> tuple[Any, ...]:
        zero, one = mpmath.besseli(0, k), mpmath.besseli(1, k)
        return mpmath.log(2 * mpmath.pi * zero) - k, 1 - one / zero

    return in_digits(compute, concentration)


@lru_cache(maxsize=1024)
def _turned(loc: float) -> tuple[float, float]:
    """Return an angle in [−π, π], and what its rounding leaves."""

    def compute(angle: Any) -> tuple[Any, ...]:
        turned = angle - 2 * mpmath.pi * mpmath.nint(angle / (2 * mpmath.pi))
        return turned, turned - mpmath.mpf(float(turned))

    return in_digits(compute, loc)  # type: ignore[return-value]


@lru_cache(maxsize=1024)
def _angle_between(loc: float, other: float) -> float:
    """Return the angle in [−π, π] from one direction to another."""

    def compute(one: Any, two: Any) -> tuple[Any, ...]:
        angle = two - one
        return (angle - 2 * mpmath.pi * mpmath.nint(angle / (2 * mpmath.pi)),)

    return in_digits(compute, loc, other)[0]


@lru_cache(maxsize=1024)
def _ratio_of_constants(concentration: float, other: float) -> float:
    """Return log(I₀(κ)/I₀(κ')) − (κ − κ')."""

    def compute(k: Any, k2: Any) -> tuple[Any, ...]:
        return (mpmath.log(mpmath.besseli(0, k) / mpmath.besseli(0, k2)) - k + k2,)

    return in_digits(compute, concentration, other)[0]


@register_family
@dataclass(frozen=True)
class VonMises(Univariate):
    """The law of an angle in [−π, π) with density ∝ exp(concentration·cos(x − loc)).

    ``loc`` turns the circle: the support does not move with it, as it does for an interval.
    """

    name: ClassVar[str] = "von_mises"
    loc: float = parameter(Domain(-1e6, 1e6, (-3.0, 3.0)), default=0.0)
    concentration: float = parameter(Domain(1e-9, 1e8, (0.2, 5.0)), default=1.0)

    @cached_property
    def _turn(self) -> tuple[float, float]:
        """``loc`` in [−π, π], and what its rounding leaves."""
        return _turned(self.loc)

    @property
    def direction(self) -> float:
        """The direction in [−π, π]."""
        return self._turn[0]

    @property
    def log_magnitude(self) -> float:
        return 4 + abs(_constants(self.concentration)[0])

    def _angle(self, at: Points) -> Array:
        """Return x less the direction, to its own last digits."""
        return at.minus(self.direction) - self._turn[1]

    def log_density(self, at: Points) -> Array:
        half = np.sin(self._angle(at) / 2)
        value = -2 * self.concentration * half * half - _constants(self.concentration)[0]
        return np.where(inside(at, -math.pi, math.pi), value, -np.inf)

    def misread(self, at: Points) -> Array:
        angle = self._angle(at)
        return 2 * EPS * self.concentration * np.abs(angle * np.sin(angle))

    @property
    def pieces(self) -> tuple[Interval, ...]:
        return ((-math.pi, math.pi),)

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        width = min(1 / math.sqrt(self.concentration), 1.5)
        around = (self.direction, -math.pi, math.pi)
        far = [abs(self.direction) + math.pi, *(abs(self.direction - x) for x in around[1:])]
        seen = min(far[1:]) < 40 * width or min(abs(x - TWO_PI) for x in far[1:]) < 40 * width
        return tuple((x, width) for x in around) if seen else ((self.direction, width),)

    def below(self, at: Points) -> Array:
        return self._share(at.x)

    def above(self, at: Points) -> Array:
        return 1 - self._share(at.x)

    def _share(self, x: Array) -> Array:
        """Return P(X <= x) by its Fourier series, to some roundings of 1."""
        x = np.clip(np.asarray(x, float), -math.pi, math.pi)
        k = self.concentration
        count = 20 + int(9 * math.sqrt(k) if k > 1 else 20 * k**0.2)
        j = np.arange(1, count)
        waves = special.ive(j, k) / special.ive(0, k) / j / math.pi
        shape = (-1,) + (1,) * x.ndim
        wave = waves.reshape(shape)
        turned = np.sin(np.multiply.outer(j, x - self.direction)) + np.sin(
            j * (math.pi + self.direction)
        ).reshape(shape)
        return np.clip((x + math.pi) / TWO_PI + np.sum(wave * turned, axis=0), 0.0, 1.0)

    def blur(self, at: Points) -> Array:
        with np.errstate(all="ignore"):  # what a rounding of the distribution function moves x by
            return 8 * (1 + math.sqrt(self.concentration)) / np.exp(self.log_density(at))

    def ppf(self, level: ArrayLike) -> Array:
        level = np.asarray(level, float)
        ends = [np.full(level.shape, end) for end in (-math.pi, math.pi)]
        return inverted(ends, level, self.cdf, 1)

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return generator(rng).vonmises(self.direction, self.concentration, n)

    def mean(self) -> float:
        """Return E[X] of the angle as a number in [−π, π], by its Fourier series."""
        k = self.concentration
        j = np.arange(1, 40 + int(9 * math.sqrt(k)))
        waves = special.ive(j, k) / special.ive(0, k) * 2 / j * np.where(j % 2, 1.0, -1.0)
        return float(math.fsum(waves * np.sin(j * self.direction)))

    def slope(self, at: Points) -> Array:
        return -self.concentration * np.sin(self._angle(at))

    def scores(self, name: str, at: Points) -> Array:
        if name == "loc":
            return self.concentration * np.sin(self._angle(at))
        if name == "concentration":
            half = np.sin(self._angle(at) / 2)
            return _constants(self.concentration)[1] - 2 * half * half
        return super().scores(name, at)

    def score_size(self, name: str) -> float:
        k = self.concentration
        return 1 / k if name == "concentration" else k + float(name == "scale")

    def end_velocity(self, name: str, end: float) -> float:
        return end if name == "scale" else 0.0

    def velocity(self, name: str, at: Points) -> Array | None:
        """Return None for ``loc``: what passes π comes in at −π, so it is no translation."""
        return None if name == "loc" else super().velocity(name, at)

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        if not of_family(other, VonMises):
            return None
        turned = _angle_between(self.loc, other.loc)
        steep, wide = self.concentration - other.concentration, other.concentration
        half, angle = np.sin(self._angle(at) / 2), self._angle(at)
        one = -2 * steep * half * half
        two = -2 * wide * math.sin(turned / 2) * np.sin(angle - turned / 2)
        three = _ratio_of_constants(other.concentration, self.concentration)
        value = np.where(inside(at, -math.pi, math.pi), one + two + three, 0.0)
        # where the sine of an angle is near 0, the rounding of the angle is all of its error
        lean = abs(wide * math.sin(turned / 2)) + np.abs(steep * half)
        return value, np.abs(one) + np.abs(two) + abs(three) + 2 * lean
