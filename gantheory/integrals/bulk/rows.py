"""Laws whose parameters vary from row to row, as quadrature in bulk takes them.

A `Row` evaluates the log-density and its derivative in the varying number at a whole matrix of
points at once. Only what quadrature in bulk can serve is here: location-scale families with light
tails and their mixtures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.univariate import least_cancelled
from gantheory.divergences.ratio import LOG2

LOG_SQRT_2PI = 0.5 * float(np.log(2 * np.pi))
Function = Callable[[Array], Array]


@dataclass(frozen=True)
class Standard:
    """A standardised law: log-density, its slope, and the reach where the density is below 1e-19.

    The reach is that of density·z⁴, so that scores and log-ratios have died down as well.
    """

    log_density: Function
    slope: Function
    reach: tuple[float, float]
    kink: bool = False


STANDARD = {
    "normal": Standard(lambda z: -0.5 * z * z - LOG_SQRT_2PI, lambda z: -z, (-9.8, 9.8)),
    "laplace": Standard(
        lambda z: -np.abs(z) - LOG2, lambda z: -np.sign(z), (-52.0, 52.0), kink=True
    ),
    "logistic": Standard(
        lambda z: -np.abs(z) - 2 * np.log1p(np.exp(-np.abs(z))),
        lambda z: -np.tanh(z / 2),
        (-52.0, 52.0),
    ),
    "gumbel": Standard(
        lambda z: -z - np.exp(-np.maximum(z, -500.0)),
        lambda z: np.exp(-np.maximum(z, -500.0)) - 1,
        (-4.2, 52.0),
    ),
}


@dataclass(frozen=True)
class Number:
    """A number for each row, as a column, and its slope in d; None where its formula has no d."""

    value: Array
    slope: Array | None = None

    def take(self, rows: slice | Array) -> Number:
        """Return some of the rows."""
        return Number(self.value[rows], None if self.slope is None else self.slope[rows])


@dataclass(frozen=True)
class LawRows:
    """Location-scale laws, one for each row."""

    standard: Standard
    loc: Number
    scale: Number

    def take(self, rows: slice | Array) -> LawRows:
        """Return some of the rows."""
        return LawRows(self.standard, self.loc.take(rows), self.scale.take(rows))

    @property
    def varies(self) -> bool:
        """Whether the law depends on the varying number at all."""
        return self.loc.slope is not None or self.scale.slope is not None

    def z(self, x: Array) -> Array:
        """Return the standardised points."""
        return (x - self.loc.value) / self.scale.value

    def log_density(self, x: Array) -> Array:
        """Return log p at points of shape (rows, points)."""
        return self.standard.log_density(self.z(x)) - np.log(self.scale.value)

    def score(self, x: Array) -> Array:
        """Return the derivative of log p in the varying number."""
        z = self.z(x)
        slope = self.standard.slope(z)
        total = np.zeros_like(z) if self.loc.slope is None else -slope * self.loc.slope
        if self.scale.slope is not None:
            total = total - (1 + z * slope) * self.scale.slope
        return total / self.scale.value

    def log_ratio(self, other: LawRows | MixtureRows, x: Array) -> Array | None:
        """Return log p − log q of two normals without cancellation, else None."""
        if (
            not isinstance(other, LawRows)
            or not self.standard is other.standard is STANDARD["normal"]
        ):
            return None
        a, b = self.z(x), other.z(x)
        s, k = self.scale.value, other.scale.value
        wider, shift = (s - k) / k, (self.loc.value - other.loc.value) / k
        apart = least_cancelled((a * wider, shift), (b, a))
        with np.errstate(all="ignore"):
            log_scales = np.where(np.abs(wider) < 0.5, np.log1p(wider), np.log(s) - np.log(k))
        return 0.5 * apart * (a + b) - log_scales

    def window(self) -> tuple[Array, Array]:
        """Return the ends beyond which the law is negligible."""
        low, high = self.standard.reach
        return self.loc.value + low * self.scale.value, self.loc.value + high * self.scale.value

    def bumps(self) -> list[tuple[Array, Array]]:
        """Return (center, width) of each bump."""
        return [(self.loc.value, self.scale.value)]

    def kinks(self) -> list[Array]:
        """Return the points at which the density is not smooth."""
        return [self.loc.value] if self.standard.kink else []


@dataclass(frozen=True)
class MixtureRows:
    """Mixtures of location-scale laws, one for each row."""

    weights: tuple[Number, ...]
    parts: tuple[LawRows, ...]

    def take(self, rows: slice | Array) -> MixtureRows:
        """Return some of the rows."""
        return MixtureRows(
            tuple(weight.take(rows) for weight in self.weights),
            tuple(part.take(rows) for part in self.parts),
        )

    @property
    def varies(self) -> bool:
        """Whether the law depends on the varying number at all."""
        moving = any(weight.slope is not None for weight in self.weights)
        return moving or any(part.varies for part in self.parts)

    def _logs(self, x: Array) -> Array:
        pairs = zip(self.weights, self.parts, strict=True)
        with np.errstate(divide="ignore"):
            return np.stack([np.log(w.value) + part.log_density(x) for w, part in pairs])

    def log_density(self, x: Array) -> Array:
        """Return the log of the sum, with its largest term factored out."""
        logs = self._logs(x)
        top = logs.max(axis=0)
        return top + np.log(np.exp(logs - top).sum(axis=0))

    def score(self, x: Array) -> Array:
        """Return the derivative of log p: scores by responsibility, and that of the weights."""
        logs = self._logs(x)
        top = logs.max(axis=0)
        total = np.exp(logs - top).sum(axis=0)
        found = np.zeros_like(top)
        for weight, part, log in zip(self.weights, self.parts, logs, strict=True):
            if part.varies:
                found += np.exp(log - top) / total * part.score(x)
            if weight.slope is not None:
                found += weight.slope * np.exp(part.log_density(x) - top) / total
        return found

    def log_ratio(self, other: LawRows | MixtureRows, x: Array) -> Array | None:
        """Return None: no general form without cancellation is known."""
        return None

    def window(self) -> tuple[Array, Array]:
        """Return the ends beyond which every component is negligible."""
        lows, highs = zip(*(part.window() for part in self.parts), strict=True)
        return np.min(lows, axis=0), np.max(highs, axis=0)

    def bumps(self) -> list[tuple[Array, Array]]:
        """Return (center, width) of each bump."""
        return [bump for part in self.parts for bump in part.bumps()]

    def kinks(self) -> list[Array]:
        """Return the points at which the density is not smooth."""
        return [kink for part in self.parts for kink in part.kinks()]
