"""Laws that vary along a curve: one row a law, parameters affine in the varying number.

A `Row` evaluates the log-density and its derivative in the varying number at a whole matrix of
points at once. Only what quadrature in bulk can serve is here: location-scale families with light
tails and their mixtures; `rows` says None for anything else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gantheory.densities.base import Array, Density
from gantheory.densities.mixtures import AnyMixture
from gantheory.densities.univariate import least_cancelled
from gantheory.numeric.ratio import LOG2

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
class Affine:
    """A number for each row: ``start + slope·(d − d₀)``, as a column, and its slope in d."""

    value: Array
    slope: float

    def take(self, rows: slice | Array) -> Affine:
        """Return some of the rows."""
        return Affine(self.value[rows], self.slope)


@dataclass(frozen=True)
class Row:
    """Location-scale laws, one for each row."""

    standard: Standard
    loc: Affine
    scale: Affine

    def take(self, rows: slice | Array) -> Row:
        """Return some of the rows."""
        return Row(self.standard, self.loc.take(rows), self.scale.take(rows))

    @property
    def varies(self) -> bool:
        """Whether the law depends on the varying number at all."""
        return bool(self.loc.slope or self.scale.slope)

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
        total = -slope * self.loc.slope if self.loc.slope else np.zeros_like(z)
        if self.scale.slope:
            total = total - (1 + z * slope) * self.scale.slope
        return total / self.scale.value

    def log_ratio(self, other: Row | Sum, x: Array) -> Array | None:
        """Return log p − log q of two normals without cancellation, else None."""
        if not isinstance(other, Row) or not self.standard is other.standard is STANDARD["normal"]:
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
class Sum:
    """Mixtures of location-scale laws, one for each row."""

    weights: tuple[Affine, ...]
    parts: tuple[Row, ...]

    def take(self, rows: slice | Array) -> Sum:
        """Return some of the rows."""
        return Sum(
            tuple(weight.take(rows) for weight in self.weights),
            tuple(part.take(rows) for part in self.parts),
        )

    @property
    def varies(self) -> bool:
        """Whether the law depends on the varying number at all."""
        return any(w.slope for w in self.weights) or any(part.varies for part in self.parts)

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
            if weight.slope:
                found += weight.slope * np.exp(part.log_density(x) - top) / total
        return found

    def log_ratio(self, other: Row | Sum, x: Array) -> Array | None:
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


def rows(samples: Sequence[Density], at: Array, values: Array) -> Row | Sum | None:
    """Return the laws at all ``values``, from the law at a few of them.

    Args:
        samples: the law at each of ``at``.
        at: at least three of the values, the ends among them.
        values: every value of the varying number.

    Returns:
        None where the family is not served in bulk, or where a parameter is not affine.
    """
    first = samples[0]
    if isinstance(first, AnyMixture):
        mixtures = [sample for sample in samples if isinstance(sample, AnyMixture)]
        sizes = {len(sample.parts) for sample in mixtures}
        if len(sizes) > 1 or len(mixtures) < len(samples):
            return None
        return _sum(mixtures, at, values, sizes.pop())
    if first.name not in STANDARD or any(sample.name != first.name for sample in samples):
        return None
    found = [_affine([s.parameters[k] for s in samples], at, values) for k in ("loc", "scale")]
    if any(number is None for number in found):
        return None
    return Row(STANDARD[first.name], found[0], found[1])  # type: ignore[arg-type]


def _sum(samples: Sequence[AnyMixture], at: Array, values: Array, size: int) -> Sum | None:
    weights, parts = [], []
    for k in range(size):
        given = [sample.weights[k] / math.fsum(sample.weights) for sample in samples]
        weight = _affine(given, at, values)
        part = rows([sample.parts[k] for sample in samples], at, values)
        if weight is None or not isinstance(part, Row):
            return None
        weights.append(weight)
        parts.append(part)
    return Sum(tuple(weights), tuple(parts))


def _affine(samples: Sequence[Any], at: Array, values: Array) -> Affine | None:
    """Return the affine function through the first and last sample, if it meets all of them."""
    span = at[-1] - at[0]
    slope = (samples[-1] - samples[0]) / span if span else 0.0
    met = samples[0] + slope * (at - at[0])
    if np.max(np.abs(met - samples)) > 1e-13 * (1 + np.max(np.abs(samples))):
        return None
    return Affine((samples[0] + slope * (values - at[0]))[:, None], float(slope))
