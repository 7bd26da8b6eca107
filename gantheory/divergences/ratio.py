"""The log density ratio at the nodes of a quadrature, and what every kernel needs of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gantheory.divergences.series import PHI, Array, series

LOG2 = float(np.log(2.0))
SYMMETRIC = ("v", "e", "drop", "phi", "ve", "log1pe", "share", "log_top")  # in p and q


@dataclass(frozen=True)
class Ratio:
    """log p, log q and u = log p − log q at some points; u = ±inf where one of them vanishes.

    ``doubt`` bounds the rounding error of u where that is known: u − doubt ≤ log(p/q) ≤ u + doubt.
    """

    log_p: Array
    log_q: Array
    u: Array
    doubt: Array | None = None

    @classmethod
    def of(
        cls, log_p: Array, log_q: Array, u: Array | None = None, doubt: Array | None = None
    ) -> Ratio:
        """Return the ratio of two log-densities; ``u`` where it is known without cancellation."""
        with np.errstate(invalid="ignore"):
            u = log_p - log_q if u is None else np.where(np.isnan(u), log_p - log_q, u)
        return cls(log_p, log_q, np.where(np.isnan(u), 0.0, u), doubt)

    def doubtful(self, where: Array, side: float) -> Ratio:
        """Return the points ``where``, with u at one end of the interval that holds it."""
        assert self.doubt is not None
        u = self.u[where] + side * self.doubt[where]
        return Ratio(self.log_p[where], self.log_q[where], u)

    @cached_property
    def positive(self) -> Array:
        """Where p > q."""
        return self.u > 0

    @cached_property
    def v(self) -> Array:
        """abs(u)."""
        return np.abs(self.u)

    @cached_property
    def e(self) -> Array:
        """exp(−abs(u)), in [0, 1]."""
        return np.exp(-self.v)

    @cached_property
    def drop(self) -> Array:
        """1 − exp(−abs(u))."""
        return -np.expm1(-self.v)

    @cached_property
    def phi(self) -> Array:
        """exp(−abs(u)) − 1 + abs(u), without cancellation."""
        return series(-self.v, PHI, self.v < 0.5, self.v - self.drop)

    @cached_property
    def ve(self) -> Array:
        """abs(u)·exp(−abs(u)), which is 0 at infinity."""
        return np.where(self.e > 0, self.v, 0.0) * self.e

    @cached_property
    def log1pe(self) -> Array:
        """log(1 + exp(−abs(u)))."""
        return np.log1p(self.e)

    @cached_property
    def log1pe_per_e(self) -> Array:
        """log(1 + e)/e, which tends to 1."""
        return np.where(self.e > 1e-17, self.log1pe / np.maximum(self.e, 1e-17), 1.0)

    @cached_property
    def s(self) -> Array:
        """tanh(u/2) = (p − q)/(p + q)."""
        return np.tanh(self.u / 2)

    @cached_property
    def share(self) -> Array:
        """1/(1 + e): the larger density's share of p + q."""
        return 1 / (1 + self.e)

    @cached_property
    def log_top(self) -> Array:
        """log max(p, q)."""
        return np.maximum(self.log_p, self.log_q)

    @cached_property
    def log_bottom(self) -> Array:
        """log min(p, q)."""
        return np.minimum(self.log_p, self.log_q)

    @cached_property
    def log_half(self) -> Array:
        """log sqrt(p q)."""
        return 0.5 * self.log_p + 0.5 * self.log_q

    def log_power(self, alpha: float) -> Array:
        """Return log(p^alpha q^(1−alpha)), −inf where either vanishes."""
        with np.errstate(invalid="ignore"):
            mixed = self.log_q + alpha * self.u
        return np.where(np.isinf(self.u) | np.isnan(mixed), -np.inf, mixed)

    @cached_property
    def log_mean(self) -> Array:
        """log((1 + r)/2)."""
        small = np.log1p(np.expm1(np.clip(self.u, -1.0, 1.0)) / 2)
        return np.where(self.v < 1, small, np.maximum(self.u, 0.0) + self.log1pe - LOG2)

    @cached_property
    def swapped(self) -> Ratio:
        """The ratio with p and q exchanged."""
        other = Ratio(self.log_q, self.log_p, -self.u, self.doubt)
        other.__dict__.update({name: getattr(self, name) for name in SYMMETRIC})
        return other

    @cached_property
    def log_q_power_of_bottom(self) -> Array:
        """log q + 2·min(u, 0)."""
        return np.where(self.positive, self.log_q, self.log_power(2.0))
