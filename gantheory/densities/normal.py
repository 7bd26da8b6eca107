"""The normal law."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from gantheory.densities.base import POSITIVE, REAL, Array, generator, parameter, register_family
from gantheory.densities.inherited import of_family
from gantheory.densities.tails import Tail
from gantheory.densities.univariate import (
    LogRatio,
    Points,
    StandardForm,
    Univariate,
    least_cancelled,
    log_quotient,
)

LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)


@register_family
@dataclass(frozen=True)
class Normal(Univariate):
    """The normal law with mean ``loc`` and standard deviation ``scale``.

    >>> import gantheory
    >>> print(gantheory.density("normal", loc=0, scale=1))
    normal(0, 1)
    """

    name: ClassVar[str] = "normal"
    aliases = ("n", "gaussian")
    loc: float = parameter(REAL, default=0.0)
    scale: float = parameter(POSITIVE, default=1.0)

    def _z(self, at: Points) -> Array:
        return at.minus(self.loc) / self.scale

    def log_density(self, at: Points) -> Array:
        return -0.5 * self._z(at) ** 2 - (LOG_SQRT_2PI + math.log(self.scale))

    @property
    def log_magnitude(self) -> float:
        return 2 + abs(math.log(self.scale))

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        return ((self.loc, self.scale),)

    def end_tail(self, end: float) -> Tail | None:
        a = 1 / Fraction(self.scale) ** 2
        return Tail(square=-a / 2, linear=(a if end > 0 else -a) * Fraction(self.loc))

    def log_depth(self, at: Points) -> Array:
        return 2 * (at.log_abs_minus(self.loc) - math.log(self.scale)) - math.log(2)

    def below(self, at: Points) -> Array:
        return np.asarray(special.ndtr(self._z(at)))

    def above(self, at: Points) -> Array:
        return np.asarray(special.ndtr(-self._z(at)))

    def blur(self, at: Points) -> Array:
        return 4 * np.abs(at.minus(self.loc))

    def ppf(self, level: ArrayLike) -> Array:
        return np.asarray(self.loc + self.scale * special.ndtri(level))

    def isf(self, level: ArrayLike) -> Array:
        return 2 * self.loc - self.ppf(level)

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return self.loc + self.scale * generator(rng).standard_normal(n)

    def mean(self) -> float:
        return self.loc

    def slope(self, at: Points) -> Array:
        return -self._z(at) / self.scale

    def scores(self, name: str, at: Points) -> Array:
        if name == "scale":  # (z − 1)(z + 1)/scale, its factors straight from the anchor
            offset, step, s = at.anchor - self.loc, at.side * at.distance, self.scale
            return (((offset - s) + step) / s) * (((offset + s) + step) / s) / s
        return super().scores(name, at)

    def score_size(self, name: str) -> float:
        return 0.0  # a product: no constant is subtracted

    def standard_form(self) -> StandardForm | None:
        return self.name, self.loc, self.scale

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        if not of_family(other, Normal):
            return None
        # (b-a)(b+a)/2 with a, b the standardised points: their difference is taken exactly
        a, b = self._z(at), other._z(at)
        stretched = a * ((self.scale - other.scale) / other.scale)
        apart = least_cancelled((stretched, (self.loc - other.loc) / other.scale), (b, a))
        square, constant = 0.5 * apart * (a + b), -log_quotient(self.scale, other.scale)
        return square + constant, np.abs(square) + abs(constant)
