r"""What slopes cost: a quadratic penalty, what they exceed a target by, or a barrier below a bound.

An energy E(w, s) of the slope s, where the densities give the weight w, has the flux
:math:`\partial E/\partial s` and the bend :math:`\partial^2 E/\partial s^2`. For any flux σ,
``missed`` is E(s) + E*(σ) − σs of the problem itself: what duality says a slope may still gain.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gantheory.densities.base import Array


@dataclass(frozen=True)
class Quadratic:
    """½·w·s² with w = real·p + fake·q: R1, R2, or both."""

    real: float
    fake: float
    most: float = math.inf

    def weight(self, x: Array, p: Array, q: Array) -> Array:
        """Return w."""
        return self.real * p + self.fake * q

    def cost(self, w: Array, s: Array) -> Array:
        """Return the energy."""
        return 0.5 * w * s**2

    def flux(self, w: Array, s: Array) -> Array:
        """Return ∂E/∂s."""
        return w * s

    def bend(self, w: Array, s: Array) -> Array:
        """Return ∂²E/∂s²."""
        return w

    def missed(self, sigma: Array, w: Array, s: Array) -> Array:
        """Return (σ − w·s)²/(2w)."""
        with np.errstate(all="ignore"):
            return np.where(w > 0, (sigma - w * s) ** 2 / (2 * w), 0.0)


@dataclass(frozen=True)
class Barrier:
    """−ε·w·log(1 − s²/K²), which holds the slope below K; w = p + q + floor."""

    most: float
    size: float
    floor: float

    def weight(self, x: Array, p: Array, q: Array) -> Array:
        """Return w: the laws' own, so that the barrier is as small as the forces that it holds."""
        return p + q + self.floor

    def cost(self, w: Array, s: Array) -> Array:
        """Return 0: the barrier is the method's and no part of the objective."""
        return np.zeros_like(s)

    def held(self, w: Array, s: Array) -> Array:
        """Return the barrier itself."""
        with np.errstate(all="ignore"):
            return -self.size * w * np.log(self._room(s) / self.most**2)

    def _room(self, s: Array) -> Array:
        room: Array = (self.most - s) * (self.most + s)
        return room

    def flux(self, w: Array, s: Array) -> Array:
        """Return 2εw·s/(K² − s²)."""
        return 2 * self.size * w * s / self._room(s)

    def bend(self, w: Array, s: Array) -> Array:
        """Return 2εw·(K² + s²)/(K² − s²)²."""
        return 2 * self.size * w * (self.most**2 + s**2) / self._room(s) ** 2

    def missed(self, sigma: Array, w: Array, s: Array) -> Array:
        """Return K·|σ| − σ·s, which is 0 where the slope is at its bound on σ's side."""
        return self.most * np.abs(sigma) - sigma * s


@dataclass(frozen=True)
class Excess:
    r"""λ·μ·max(|s| − k, 0)²: a one-sided gradient penalty with target k under the density μ.

    The maximum is rounded off over ``soft``: with z = |s| − k it is (z + √(z² + soft²))/2.
    Its conjugate is E*(σ) = k·|σ| + σ²/(4λμ), which ``missed`` has without the rounding.
    """

    size: float
    target: float
    density: Callable[[Array], Array]
    soft: float
    most: float = math.inf

    def weight(self, x: Array, p: Array, q: Array) -> Array:
        """Return λ·μ."""
        return self.size * self.density(x)

    def cost(self, w: Array, s: Array) -> Array:
        """Return the energy, not rounded off."""
        return w * np.maximum(np.abs(s) - self.target, 0.0) ** 2

    def _rounded(self, s: Array) -> tuple[Array, Array, Array]:
        """Return the excess, rounded off, and its derivatives in |s|."""
        z = np.abs(s) - self.target
        root = np.hypot(z, self.soft)
        # z + root cancels where z < 0
        excess = 0.5 * np.where(z > 0, z + root, self.soft**2 / (root + np.abs(z)))
        return excess, excess / root, 0.5 * self.soft**2 / root**3

    def held(self, w: Array, s: Array) -> Array:
        """Return the energy, rounded off."""
        return w * self._rounded(s)[0] ** 2

    def flux(self, w: Array, s: Array) -> Array:
        """Return ∂E/∂s."""
        excess, first, _ = self._rounded(s)
        return 2 * w * excess * first * np.sign(s)

    def bend(self, w: Array, s: Array) -> Array:
        """Return ∂²E/∂s²."""
        excess, first, second = self._rounded(s)
        return 2 * w * (first**2 + excess * second)

    def missed(self, sigma: Array, w: Array, s: Array) -> Array:
        """Return (|σ|/2w − e)²·w + |σ|·(k + e) − σ·s, where e is the excess."""
        excess = np.maximum(np.abs(s) - self.target, 0.0)
        with np.errstate(all="ignore"):
            squares = np.where(w > 0, (0.5 * np.abs(sigma) / w - excess) ** 2 * w, 0.0)
        aside: Array = np.abs(sigma) * (self.target + excess) - sigma * s
        return squares + np.maximum(aside, 0.0)


Energy = Quadratic | Barrier | Excess
