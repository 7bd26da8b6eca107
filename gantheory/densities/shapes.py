"""Location-scale laws with a shape: the generalised normal and the skew normal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

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
from gantheory.densities.gammas import tail_integral
from gantheory.densities.location_scale import LocationScale
from gantheory.densities.mixing import inverted
from gantheory.densities.normal import LOG_SQRT_2PI
from gantheory.densities.tails import Tail
from gantheory.densities.univariate import Points
from gantheory.rounding import EPS

REACH = 40.0  # deviations: the normal distribution function has left the range of binary64
OWN = 800.0  # nats below the middle: there a density has left the range of binary64


@register_family
@dataclass(frozen=True)
class GeneralisedNormal(LocationScale):
    """The law of density ∝ exp(−abs(z)^shape), z = (x − loc)/scale; normal for shape 2."""

    name: ClassVar[str] = "generalised_normal"
    loc: float = parameter(REAL, default=0.0)
    scale: float = parameter(POSITIVE, default=1.0)
    # a smaller shape sends what has mass out of the range of binary64, a larger one is uniform
    shape: float = parameter(Domain(0.02, 1e5, (0.6, 5.0)), default=2.0)

    @property
    def _log_half(self) -> float:
        """The log of ∫ exp(−z^shape) over z > 0."""
        return math.lgamma(1 + 1 / self.shape)

    @property
    def log_magnitude(self) -> float:
        return 3 + abs(math.log(self.scale)) + 2 * abs(self._log_half)

    def _depth(self, at: Points) -> Array:
        with np.errstate(over="ignore"):
            return np.asarray(np.abs(self.z(at)) ** self.shape)

    def log_density(self, at: Points) -> Array:
        return -self._depth(at) - (math.log(2 * self.scale) + self._log_half)

    def misread(self, at: Points) -> Array:
        return EPS * self.shape * np.minimum(self._depth(at), OWN)

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        if self.shape <= 4:
            return ((self.loc, self.scale),)
        edge = self.scale / self.shape  # where the density falls from its plateau
        ends = ((self.loc + side * self.scale, edge) for side in (-1, 1))
        return ((self.loc, self.scale), *ends)

    @property
    def kinks(self) -> tuple[float, ...]:
        return () if self.shape in (2.0, 4.0, 6.0, 8.0) else (self.loc,)

    def end_tail(self, end: float) -> Tail | None:
        toward = math.copysign(1.0, end)
        powers = ((self.shape, 1, -1),)
        return Tail(powers=powers).affine(toward * self.loc, self.scale)

    def log_depth(self, at: Points) -> Array:
        return self.shape * (at.log_abs_minus(self.loc) - math.log(self.scale))

    def below(self, at: Points) -> Array:
        half = 0.5 * special.gammaincc(1 / self.shape, self._depth(at))
        return np.where(self.z(at) < 0, half, 1 - half)

    def above(self, at: Points) -> Array:
        half = 0.5 * special.gammaincc(1 / self.shape, self._depth(at))
        return np.where(self.z(at) > 0, half, 1 - half)

    def blur(self, at: Points) -> Array:
        return 4 * np.abs(at.minus(self.loc))

    def ppf(self, level: ArrayLike) -> Array:
        level = np.asarray(level, float)
        tail = np.minimum(level, 1 - level)
        depth = special.gammainccinv(1 / self.shape, 2 * tail)
        return self.loc + self.scale * np.sign(level - 0.5) * depth ** (1 / self.shape)

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        rng = generator(rng)
        size = rng.gamma(1 / self.shape, 1.0, n) ** (1 / self.shape)
        return self.loc + self.scale * size * rng.choice([-1.0, 1.0], n)

    def mean(self) -> float:
        return self.loc

    def slope(self, at: Points) -> Array:
        z = self.z(at)
        return -self.shape * np.sign(z) * np.abs(z) ** (self.shape - 1) / self.scale

    def scores(self, name: str, at: Points) -> Array:
        if name == "scale":
            return (self.shape * self._depth(at) - 1) / self.scale
        if name == "shape":
            with np.errstate(all="ignore"):
                steep = self._depth(at) * np.log(np.abs(self.z(at)))
            constant = float(special.digamma(1 + 1 / self.shape)) / self.shape**2
            return constant - np.where(self.z(at) == 0, 0.0, steep)
        return super().scores(name, at)

    def score_size(self, name: str) -> float:
        if name == "shape":  # of both terms where they cancel, and of the rounding of abs(z)^shape
            return 4 + (1 + abs(float(special.digamma(1 + 1 / self.shape)))) / self.shape**2
        return (1 + self.shape if name == "scale" else 1.0) / self.scale


@register_family
@dataclass(frozen=True)
class SkewNormal(LocationScale):
    r"""The skew normal law of density 2·φ(z)·Φ(shape·z)/scale, z = (x − loc)/scale.

    Source: A. Azzalini (1985), Scandinavian Journal of Statistics 12.
    """

    name: ClassVar[str] = "skew_normal"
    loc: float = parameter(REAL, default=0.0)
    scale: float = parameter(POSITIVE, default=1.0)
    shape: float = parameter(Domain(-1e6, 1e6, (-5.0, 5.0)), default=0.0)

    def _turned(self, z: Array) -> Array:
        """Return shape·z, which is 0 at every z for a shape of 0."""
        return self.shape * z if self.shape else np.zeros_like(z)

    def log_density(self, at: Points) -> Array:
        z = self.z(at)
        constant = math.log(self.scale) + LOG_SQRT_2PI - math.log(2)
        return -0.5 * z * z + special.log_ndtr(self._turned(z)) - constant

    @property
    def log_magnitude(self) -> float:
        return 4 + abs(math.log(self.scale))

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        if abs(self.shape) <= 1:
            return ((self.loc, self.scale),)
        side = math.copysign(1.0, self.shape)
        bulk = (self.loc + side * self.scale, self.scale)
        return ((self.loc, self.scale / abs(self.shape)), bulk)

    def end_tail(self, end: float) -> Tail | None:
        steep = Fraction(self.shape)
        thin = steep and (end > 0) != (steep > 0)
        square = -(1 + steep**2) / 2 if thin else Fraction(-1, 2)
        loc = math.copysign(1.0, end) * self.loc
        return Tail(square=square, log=-int(bool(thin))).affine(loc, self.scale)

    def log_depth(self, at: Points) -> Array:
        log_z = at.log_abs_minus(self.loc) - math.log(self.scale)
        thin = (self.z(at) < 0) == (self.shape > 0) if self.shape else np.zeros(at.x.shape, bool)
        return 2 * log_z + np.where(thin, math.log1p(self.shape**2), 0.0) - math.log(2)

    def below(self, at: Points) -> Array:
        return self._share(at, -1)

    def above(self, at: Points) -> Array:
        return self._share(at, 1)

    def _share(self, at: Points, side: int) -> Array:
        """Return the mass on a side: Φ(∓z) ± 2T(z, shape), by Owen's T, or from the density.

        In the thin tail the two terms cancel, and the density is log-concave.
        """
        z = self.z(at)
        near = np.clip(z, -REACH, REACH)  # beyond, both terms are 0 or 1
        value = special.ndtr(-side * z) + side * 2 * special.owens_t(near, self.shape)
        thin = (side * self.shape < 0) & (side * z > 0) & (value < 1e-2) & (np.abs(z) < REACH)
        if np.any(thin):
            there = z[thin]
            slope = side * (there - self.shape * hazard(self.shape * there))

            def fall(t: Array) -> Array:
                w = self.shape * there[:, None]
                further = special.log_ndtr(w + side * self.shape * t) - special.log_ndtr(w)
                square = 0.5 * t * t + side * there[:, None] * t
                return square - further - slope[:, None] * t

            log = -0.5 * there**2 + special.log_ndtr(self.shape * there)
            value = np.array(value)
            value[thin] = np.exp(log - LOG_SQRT_2PI + math.log(2)) * tail_integral(slope, fall)
        return np.clip(value, 0.0, 1.0)

    def ppf(self, level: ArrayLike) -> Array:
        level = np.asarray(level, float)
        return inverted(self._brackets(level), level, self.cdf, 1)

    def isf(self, level: ArrayLike) -> Array:
        level = np.asarray(level, float)
        return inverted(self._brackets(1 - level, level), level, self.sf, -1)

    def _brackets(self, level: Array, above: Array | None = None) -> list[Array]:
        """Return quantiles of ±abs(Z), between which all skew normal laws lie."""
        above = 1 - level if above is None else above
        return [
            self.loc + self.scale * special.ndtri(level / 2),
            self.loc - self.scale * special.ndtri(above / 2),
        ]

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        rng = generator(rng)
        u, v = rng.standard_normal((2, n))
        share = self.shape / math.hypot(1.0, self.shape)
        return self.loc + self.scale * (share * np.abs(u) + v / math.hypot(1.0, self.shape))

    def mean(self) -> float:
        return self.loc + self.scale * self.shape / math.hypot(1.0, self.shape) * math.sqrt(
            2 / math.pi
        )

    def blur(self, at: Points) -> Array:
        return 4 * np.abs(at.minus(self.loc))

    def slope(self, at: Points) -> Array:
        z = self.z(at)
        return (self.shape * hazard(self._turned(z)) - z) / self.scale

    def scores(self, name: str, at: Points) -> Array:
        if name == "shape":
            return self.z(at) * hazard(self._turned(self.z(at)))
        return super().scores(name, at)

    def score_size(self, name: str) -> float:
        return 0.0 if name == "shape" else (2 + abs(self.shape)) / self.scale


def hazard(w: Array) -> Array:
    """Return φ(w)/Φ(w), to the last digits in both tails."""
    with np.errstate(all="ignore"):
        return np.asarray(math.sqrt(2 / math.pi) / special.erfcx(-w / math.sqrt(2)))
