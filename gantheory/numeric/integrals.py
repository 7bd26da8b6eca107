"""All divergences and derivatives of one pair of densities on the line, in one sweep."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.positive import inside
from gantheory.densities.univariate import Points, Univariate
from gantheory.numeric.kernels import Integrand
from gantheory.numeric.panels import Panels, Ray, Row, level_crossings, rays
from gantheory.numeric.quadrature import EPS, Samples, Sums, integrate
from gantheory.numeric.ratio import Ratio

# Where a tail's integrand has fallen by exp(-46) = 1e-20 it no longer counts in binary64.
NEGLIGIBLE = 46.0
LOWEST = -1e300  # of log p where the density is positive
# Panels are also cut where abs(u) is about these: there the kernels bend.
BENDS = (2.0, 8.0, 32.0)
# Where a panel is looked at to see how large an integrand is.
INSIDE = (0.02, 0.18, 0.34, 0.5, 0.66, 0.82, 0.98)


@dataclass(frozen=True)
class Output:
    """One integrand: a kernel's formula, times a score where it is a derivative.

    Outputs with one ``number`` integrate to the same: only the one that cancels least is computed.
    """

    integrand: Integrand
    score: str | None = None
    touches: bool = True
    number: int | None = None


@dataclass(frozen=True)
class Integral:
    """One finished integral, as value·exp(shift) with its errors on the same scale."""

    value: float
    error: float
    absolute: float
    shift: float
    evaluations: int
    resolved: bool


class Sampling(Protocol):
    """What evaluates one or more integrands at nodes."""

    @property
    def outputs(self) -> Sequence[Any]:
        """The integrands."""
        ...

    def __call__(self, panels: Panels, xi: Array) -> Samples:
        """Return the integrands at coordinates of panels."""
        ...


class Pair:
    """Two densities on the line, sampled together."""

    def __init__(self, p: Univariate, q: Univariate) -> None:
        self.p, self.q = p, q

    def ratio_at(self, at: Points, log_jacobian: Array | float = 0.0) -> tuple[Ratio, bool]:
        """Return the ratio of both densities per unit of ξ, and whether u came uncancelled."""
        log_p, log_q = _floored(self.p, at), _floored(self.q, at)
        u = self.p.log_ratio(self.q, at)
        exact = u is not None
        if u is None:
            u = log_p - log_q
        return Ratio.of(log_p + log_jacobian, log_q + log_jacobian, u), exact

    def u(self, panels: Panels, xi: Array) -> Array:
        """Return u at coordinates of panels."""
        with np.errstate(all="ignore"):
            return self.ratio_at(panels.at(xi)[0])[0].u

    def sampler(self, outputs: Sequence[Output], rough: bool = False) -> _Sampler:
        """Return the function that evaluates ``outputs`` at nodes; ``rough``: without noise."""
        return _Sampler(self, outputs, rough)


@dataclass(frozen=True)
class _Sampler:
    pair: Pair
    outputs: Sequence[Output]
    rough: bool = False

    def __call__(self, panels: Panels, xi: Array) -> Samples:
        with np.errstate(all="ignore"):
            at, log_jacobian = panels.at(xi)
            n, exact = self.pair.ratio_at(at, log_jacobian)
            wanted = {output.score for output in self.outputs} - {None}
            scores = {name: self.pair.q.scores(str(name), at) for name in wanted}
            pairs = [output.integrand(n) for output in self.outputs]
            mantissa = np.stack([part for _, part in pairs])
            for k, output in enumerate(self.outputs):
                if output.score:
                    mantissa[k] *= scores[output.score]
            weights = [weight for weight, _ in pairs]
            weight = np.stack(weights)
            mantissa[np.isneginf(weight)] = 0.0
            if self.rough:
                return Samples(weight, mantissa, np.ones(()))
            noise = self._noise(n, exact, log_jacobian, weights, scores)
        return Samples(weight, mantissa, np.minimum(noise, 1.0, out=noise))

    def _noise(
        self, n: Ratio, exact: bool, log_jacobian: Array, weights: list[Array], scores: Any
    ) -> Array:
        """Return a bound on the relative rounding error of each sample."""
        constant = self.pair.p.log_magnitude + self.pair.q.log_magnitude
        size = constant + np.minimum(np.abs(n.log_p - log_jacobian), -LOWEST)
        size = size + np.minimum(np.abs(n.log_q - log_jacobian), -LOWEST)
        fixed = EPS * (4 + constant + np.abs(log_jacobian))
        cancelled = 8 * EPS if exact else 2 * EPS * size / np.maximum(n.v, 1e-300)
        # most integrands share a weight: its rounding is worked out once
        shared = {id(w): fixed + EPS * _rounding(w, n, size, log_jacobian) for w in weights}
        noise = np.stack([shared[id(w)] for w in weights])
        for k, output in enumerate(self.outputs):
            if output.touches:
                noise[k] += cancelled
            if output.score and (inside_score := self.pair.q.score_size(output.score)):
                noise[k] += 8 * EPS * inside_score / np.abs(scores[output.score])
        return noise


def _rounding(weight: Array, n: Ratio, size: Array, log_jacobian: Array) -> Array:
    """Return the size of the numbers that a log weight was rounded from."""
    own = np.minimum(np.abs(weight - log_jacobian), size)
    if weight is n.log_p or weight is n.log_q:
        return own
    mixed = (weight != n.log_p) & (weight != n.log_q)
    return np.where(mixed, size, own)


def _floored(density: Univariate, at: Points) -> Array:
    """Return log p, which inside the support never falls to -inf by overflow alone."""
    value = density.log_density(at)
    pieces = density.pieces
    if pieces == ((-math.inf, math.inf),):
        return np.fmax(value, LOWEST)
    within = np.any([inside(at, low, high) for low, high in pieces], axis=0)
    return np.where(within, np.fmax(value, LOWEST), -np.inf)


def integrals(
    pair: Pair, outputs: Sequence[Output], levels: Iterable[float]
) -> dict[int, Integral]:
    """Integrate the outputs over the line, by index, but one only of those with one number."""
    probe = Probe.of(pair.sampler(outputs, rough=True), rays(pair.p, pair.q))
    kept = _chosen(outputs, probe)
    panels, log_left, resolved = probe.take(kept).panels()
    with np.errstate(all="ignore"):
        panels = _cut_at_crossings(pair, panels, {0.0, *levels})
    sums = integrate(pair.sampler([outputs[k] for k in kept]), panels)
    return {k: integral_of(sums, j, log_left[j], bool(resolved[j])) for j, k in enumerate(kept)}


def _chosen(outputs: Sequence[Output], probe: Probe) -> list[int]:
    """Return which outputs to integrate: of those with one number the smallest absolutely."""
    size = probe.absolute()
    best: dict[int, int] = {}
    for k, output in enumerate(outputs):
        if output.number is not None:
            other = best.setdefault(output.number, k)
            best[output.number] = k if size[k] < size[other] else other
    return [k for k, o in enumerate(outputs) if o.number is None or best[o.number] == k]


def integral_of(sums: Sums, k: int, log_left: float, resolved: bool) -> Integral:
    left = math.exp(min(log_left - sums.shift[k], 700.0))
    error = float(sums.error[k] + sums.rounding[k] + left)
    return Integral(
        float(sums.value[k]),
        error,
        float(sums.absolute[k]),
        float(sums.shift[k]),
        sums.evaluations,
        resolved,
    )


def panels_of(sample: Sampling, found: list[Ray]) -> tuple[Panels, Array, Array]:
    """Return the panels of all rays, and per output what the cut tails may hold (as its log)."""
    return Probe.of(sample, found).panels()


@dataclass(frozen=True)
class Probe:
    """The log magnitude of every output inside the bounded panels, and along every open end.

    ``size`` has one row an output: `INSIDE` of each of ``rows``, then the edges of all ``ends``.
    """

    rows: list[Row]
    ends: list[tuple[Ray, Array]]
    size: Array

    @classmethod
    def of(cls, sample: Sampling, found: list[Ray]) -> Probe:
        """Sample every output along all rays."""
        rows = [row for ray in found for row in ray.rows()]
        ends = [(ray, edges) for ray in found for edges in ray.open_ends()]
        points = [(c, s, log, a + (b - a) * k, 0.0) for c, s, log, a, b in rows for k in INSIDE]
        points += [(ray.anchor, float(ray.side), True, t, 0.0) for ray, ts in ends for t in ts]
        panels = Panels.of(points)
        return cls(rows, ends, _magnitude(sample, panels, panels.low[:, None])[:, :, 0])

    def take(self, kept: list[int]) -> Probe:
        """Return the probe of some of the outputs."""
        return self if len(kept) == len(self.size) else replace(self, size=self.size[kept])

    def along_ends(self) -> list[Array]:
        """Return every output's log magnitudes at the edges of each open end."""
        starts = np.cumsum([len(self.rows) * len(INSIDE), *(len(edges) for _, edges in self.ends)])
        return [self.size[:, a:b] for a, b in pairwise(starts)]

    def absolute(self) -> Array:
        """Return the log of every output's integral of the absolute value, roughly.

        It is inf where an output does not die down along an open end.
        """
        lengths = np.array([(b - a) / len(INSIDE) for _, _, _, a, b in self.rows for _ in INSIDE])
        steps = [np.abs(np.diff(edges, append=2 * edges[-1] - edges[-2])) for _, edges in self.ends]
        peak = self.size.max(axis=1)
        with np.errstate(all="ignore"):
            total = np.exp(self.size - peak[:, None]) @ np.concatenate([lengths, *steps])
            total = np.where(peak > -np.inf, peak + np.log(total), -np.inf)
        for probe in self.along_ends():
            total[probe[:, -1] > peak - NEGLIGIBLE] = np.inf
        return np.asarray(total)

    def panels(self) -> tuple[Panels, Array, Array]:
        """Return the panels, and per output what the cut tails may hold, and if it dies down."""
        peak, rows = self.size.max(axis=1), list(self.rows)
        log_left = np.full(len(self.size), -np.inf)
        resolved = np.ones(len(self.size), bool)
        for (ray, edges), probe in zip(self.ends, self.along_ends(), strict=True):
            cut, settled = _cut(probe, peak)
            resolved &= settled
            log_left = np.logaddexp(log_left, _log_remainder(probe, edges, cut))
            inner_to_outer = np.sort(edges[: cut + 1])
            rows += [(ray.anchor, float(ray.side), True, a, b) for a, b in pairwise(inner_to_outer)]
        return Panels.of(rows), log_left, resolved


def _magnitude(sample: Sampling, panels: Panels, xi: Array) -> Array:
    got = sample(panels, xi)
    # a score that overflows grows like the square of the distance, or is beaten down far more
    with np.errstate(divide="ignore", invalid="ignore"):
        largest = np.where(panels.log[:, None], 710.0 + 2 * np.maximum(xi - 354.0, 0.0), 1500.0)
        size = got.log_weight + np.minimum(np.log(np.abs(got.mantissa)), largest)
    return np.where(np.isnan(size), -np.inf, size)


def _cut(probe: Array, peak: Array) -> tuple[int, Array]:
    """Return the edge beyond which no output counts, and which outputs die down at all."""
    counts = probe > (peak - NEGLIGIBLE)[:, None]
    settled = ~counts[:, -1]
    alive = np.nonzero(counts.any(axis=0))[0]
    last = int(alive[-1]) + 1 if len(alive) else 1
    return min(max(last, 1), probe.shape[1] - 1), settled


def _log_remainder(probe: Array, edges: Array, cut: int) -> Array:
    """Return the log of a bound on what lies beyond a cut, from the rate of decay there."""
    here, before = probe[:, cut], probe[:, cut - 1]
    with np.errstate(all="ignore"):
        slope = (before - here) / abs(edges[cut] - edges[cut - 1])
        # four times the exponential's remainder: decay never slows by more in these tails
        log_bound = here - np.log(slope) + math.log(4.0)
    return np.where(here < LOWEST / 10, -np.inf, np.where(slope > 0, log_bound, np.inf))


def _cut_at_crossings(pair: Pair, panels: Panels, levels: set[float]) -> Panels:
    owner, root, slope = level_crossings(panels, pair.u, sorted(levels))
    offsets = np.array([s * b for b in (0.0, *BENDS) for s in ((1.0, -1.0) if b else (1.0,))])
    with np.errstate(all="ignore"):
        xi = (root[:, None] + offsets / slope[:, None]).ravel()
    every = np.repeat(owner, len(offsets))
    inside = (xi > panels.low[every]) & (xi < panels.high[every])
    return panels.split(every[inside], xi[inside])
