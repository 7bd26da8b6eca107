r"""What slopes cost: a quadratic penalty, or a barrier that keeps them below a bound.

An energy E(w, s) of the slope s, where the densities give the weight w, has the flux
:math:`\partial E/\partial s` and the bend :math:`\partial^2 E/\partial s^2`. For any flux σ,
``missed`` is E(s) + E*(σ) − σs of the problem itself: what duality says a slope may still gain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gantheory.densities.base import Array


@dataclass(frozen=True)
class Quadratic:
    """½·w·s² with w = real·p + fake·q: R1, R2, or both."""

    real: float
    fake: float
    most: float = math.inf

    def weight(self, p: Array, q: Array) -> Array:
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

    def weight(self, p: Array, q: Array) -> Array:
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


Energy = Quadratic | Barrier
