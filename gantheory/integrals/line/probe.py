"""How large integrands are along the rays: what to integrate, and where to cut the open ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from gantheory.densities.base import Array
from gantheory.integrals.line.panels import OUTWARD, Panels, Ray
from gantheory.integrals.line.quadrature import NodeSamples

# Where a tail's integrand has fallen by exp(-46) = 1e-20 it no longer counts in binary64.
NEGLIGIBLE = 46.0
LOWEST = -1e300  # of log p where the density is positive
# Where a bounded panel is looked at, as shares of its length.
INSIDE = np.array([0.02, 0.18, 0.34, 0.5, 0.66, 0.82, 0.98])


class Sampling(Protocol):
    """What evaluates one or more integrands at nodes."""

    @property
    def outputs(self) -> Sequence[Any]:
        """The integrands."""
        ...

    def __call__(self, panels: Panels, xi: Array, drift: Array | float = 0.0) -> NodeSamples:
        """Return the integrands at coordinates of panels, and what rounding took from these."""
        ...


@dataclass(frozen=True)
class Probe:
    """The log magnitude of every output inside the bounded panels, and along every open end.

    Attributes:
        panels: the bounded panels.
        ends: one panel an open end, of which only the anchor and the side count.
        edges: the log distances in its unit, at which each end may be cut, from inside to outside,
            shape (ends, edges).
        inner: log magnitudes times the panel's length (outputs, panels·`INSIDE`).
        outer: log magnitudes per unit of log distance (outputs, ends, edges).
        extent: the same, and of the weight alone where an output that counts only on one side of a
            crossing is 0: it may rise again between two edges.
    """

    panels: Panels
    ends: Panels
    edges: Array
    inner: Array
    outer: Array
    extent: Array

    @classmethod
    def of(cls, sample: Sampling, found: list[Ray]) -> Probe:
        """Sample every output along all rays."""
        panels = Panels.of([row for ray in found for row in ray.rows()])
        open_ends = [(ray, *end) for ray in found for end in ray.open_ends()]
        ends = Panels.of([(ray.anchor, float(ray.side), unit, 0, 0) for ray, unit, _ in open_ends])
        edges = np.array([e for *_, e in open_ends]).reshape(-1, len(OUTWARD))
        inside = panels.low[:, None] + (panels.high - panels.low)[:, None] * INSIDE
        points = panels.each(inside).joined(ends.each(edges))
        size, weight = (a[:, :, 0] for a in _magnitude(sample, points, points.low[:, None]))
        inner, outer = size[:, : inside.size], size[:, inside.size :]
        inner = inner + np.log(np.repeat(panels.high - panels.low, len(INSIDE)))
        gated = [getattr(output, "gated", False) for output in sample.outputs]
        extent = np.where(np.array(gated)[:, None], weight, size)[:, inside.size :]
        outer, extent = (a.reshape(len(size), *edges.shape) for a in (outer, extent))
        return cls(panels, ends, edges, inner, outer, extent)

    def take(self, kept: list[int]) -> Probe:
        """Return the probe of some of the outputs."""
        inner, outer, extent = (a[kept] for a in (self.inner, self.outer, self.extent))
        return replace(self, inner=inner, outer=outer, extent=extent)

    @property
    def peak(self) -> Array:
        """The log of every output's largest magnitude."""
        inner = self.inner.max(axis=1, initial=-np.inf)
        return np.maximum(inner, self.outer.max(axis=(1, 2), initial=-np.inf))

    def absolute(self) -> Array:
        """Return the log of every output's integral of the absolute value, roughly.

        It is inf where an output does not die down along an open end.
        """
        peak = self.peak
        steps = np.abs(np.diff(self.edges, append=self.edges[:, -1:]))
        steps[:, -1] = steps[:, -2]
        with np.errstate(all="ignore"):
            total = np.exp(self.inner - peak[:, None]).sum(axis=1) / len(INSIDE)
            total += np.einsum("oek,ek->o", np.exp(self.outer - peak[:, None, None]), steps)
            total = np.where(peak > -np.inf, peak + np.log(total), -np.inf)
        alive = self.outer[:, :, -1] > (peak - NEGLIGIBLE)[:, None]
        return np.where(alive.any(axis=1), np.inf, total)

    def cut(self) -> tuple[Panels, Array, Array]:
        """Return the panels, and per output what the cut tails may hold, and if it dies down."""
        # a peak so deep that 46 nats below are lost in rounding is nothing, and has no tail
        nothing = (self.peak < 0) & (self.peak - NEGLIGIBLE == self.peak)
        least = np.where(nothing, np.inf, self.peak - NEGLIGIBLE)
        counts = self.extent >= least[:, None, None]  # the peak itself, however high, counts
        resolved = ~counts[:, :, -1].any(axis=1)
        # the first edge beyond which no output counts
        alive = counts.any(axis=0) * np.arange(1, len(OUTWARD) + 1)
        last = self._falling(np.clip(alive.max(axis=1, initial=0), 1, len(OUTWARD) - 1))
        owner, k = np.nonzero(np.arange(len(OUTWARD) - 1) < last[:, None])
        a, b = self.edges[owner, k], self.edges[owner, k + 1]
        tails = self.ends.between(owner, np.minimum(a, b), np.maximum(a, b))
        return self.panels.joined(tails), self._log_remainder(last), np.asarray(resolved)

    def _falling(self, first: Array) -> Array:
        """Return the first edges from ``first`` on at which no output rises any more."""
        falls = self.outer < LOWEST / 10
        falls[:, :, 1:] |= self.outer[:, :, 1:] < self.outer[:, :, :-1]
        fits = falls.all(axis=0) & (np.arange(len(OUTWARD)) >= first[:, None])
        return np.where(fits.any(axis=1), np.argmax(fits, axis=1), first)

    def _log_remainder(self, cut: Array) -> Array:
        """Return the log of a bound on what lies beyond the cuts, from the rate of decay there."""
        end = np.arange(len(cut))
        here, before = self.outer[:, end, cut], self.outer[:, end, cut - 1]
        with np.errstate(all="ignore"):
            slope = (before - here) / np.abs(self.edges[end, cut] - self.edges[end, cut - 1])
            # four times the exponential's remainder: decay never slows by more in these tails
            log_bound = here - np.log(slope) + math.log(4.0)
            log_bound = np.where(slope > 0, log_bound, np.inf)
            log_bound = np.where(here < LOWEST / 10, -np.inf, log_bound)
            return np.asarray(np.logaddexp.reduce(log_bound, axis=1))


def panels_of(sample: Sampling, found: list[Ray]) -> tuple[Panels, Array, Array]:
    """Return the panels of all rays, and per output what the cut tails may hold (as its log)."""
    return Probe.of(sample, found).cut()


def _magnitude(sample: Sampling, panels: Panels, xi: Array) -> tuple[Array, Array]:
    """Return the log magnitude of every output, and its log weight where the mantissa is 0."""
    got = sample(panels, xi)
    # a score that overflows grows like the square of the distance, or is beaten down far more
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.maximum(xi + np.log(panels.unit)[:, None] - 354.0, 0.0)
        largest = np.where(panels.unit[:, None] > 0, 710.0 + 2 * far, 1500.0)
        size = got.log_weight + np.minimum(np.log(np.abs(got.mantissa)), largest)
    size = np.where(np.isnan(size), -np.inf, size)
    return size, np.where(got.mantissa == 0, np.fmax(got.log_weight, -np.inf), size)
