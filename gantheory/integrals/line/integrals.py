"""All divergences and derivatives of one pair of densities on the line, in one sweep."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.declared import refining
from gantheory.densities.images import steepness
from gantheory.densities.positive import inside
from gantheory.densities.univariate import LOG_HUGE, LogRatio, Points, Univariate
from gantheory.divergences.ratio import Ratio
from gantheory.divergences.stable import Integrand
from gantheory.errors import GantheoryError
from gantheory.integrals.line.panels import Panels, level_crossings, rays
from gantheory.integrals.line.probe import LOWEST, Probe
from gantheory.integrals.line.quadrature import HIDDEN, NodeSamples, Sums, integrate, shares
from gantheory.rounding import EPS

SMALLEST = 5e-324  # the spacing of subnormal numbers
# Panels are also cut where abs(u) is about these: there the kernels bend.
BENDS = (2.0, 8.0, 32.0)
DOUBTFUL = 1e3  # of the doubt of u: where u is less, an integrand is looked at on both sides
MOST = 300.0  # of what the logarithm of a sample is off by: e^300 is as good as no digit
PARTS = 13  # powers of 2: of what is integrated, in each of which a user's law is looked at
GROWS = 1e50  # a mantissa that is larger where a log-density ends grows with u
Scores = dict[str | None, Array]
Arrays = tuple[Array, Array]


@dataclass(frozen=True)
class Output:
    """One integrand: a kernel's formula, times a score where it is a derivative.

    Outputs with one ``number`` integrate to the same: only the one that cancels least is computed.
    A ``gated`` one may be 0 between two crossings of p and q and rise again beyond.
    """

    integrand: Integrand
    score: str | None = None
    touches: bool = True
    number: int | None = None
    gated: bool = False


@dataclass(frozen=True)
class LineIntegral:
    """One finished integral, as value·exp(shift) with its errors on the same scale."""

    value: float
    error: float
    absolute: float
    shift: float
    evaluations: int
    resolved: bool


class Pair:
    """Two densities on the line, sampled together."""

    def __init__(self, p: Univariate, q: Univariate) -> None:
        self.p, self.q = p, q

    def ratio_at(self, at: Points, log_jacobian: Array | float = 0.0) -> Ratio:
        """Return the ratio of both densities per unit of ξ."""
        log_p, log_q = _floored(self.p, at), _floored(self.q, at)
        u, doubt = log_p - log_q, 2 * self.summed(log_p, log_q)
        if (known := self._known(at)) is not None:
            alone = np.isinf(log_p) | np.isinf(log_q)
            # eight roundings of its terms against two of what the logarithms were summed from
            better = (8 * known[1] <= doubt) & ~np.isnan(known[0])
            better = np.where(np.isinf(known[0]), alone, better)
            u, doubt = np.where(better, known[0], u), np.where(better, 8 * known[1], doubt)
        doubt = EPS * np.minimum(doubt, -LOWEST) + np.add(*self.astray(at))
        return Ratio.of(log_p + log_jacobian, log_q + log_jacobian, u, doubt)

    def summed(self, log_p: Array, log_q: Array) -> Array:
        """Return the size of the terms that both log-densities were summed from."""
        size = self.constant + np.minimum(np.abs(log_p), -LOWEST)
        return size + np.minimum(np.abs(log_q), -LOWEST)

    @cached_property
    def constant(self) -> float:
        """The size of the constants inside both log-densities."""
        return self.p.log_magnitude + self.q.log_magnitude

    def astray(self, at: Points) -> Arrays:
        r"""Return what the places of both laws, as binary64 has them, make of log p and of log q.

        Next to an anchor one law is exact, and the other is off by its own slope times how far
        both are misplaced; beside an end `rounded_ends` counts what that alone does.
        """
        of_p, of_q = self.p.misread(at), self.q.misread(at)
        if not self.p.misplaced + self.q.misplaced:
            return of_p, of_q
        apart = self.p.misplaced_near(at) + self.q.misplaced_near(at)
        shifted = apart * np.minimum(steepness(self.p, at), steepness(self.q, at))
        beside = (at.distance <= apart) & np.isin(at.anchor, self._ends)
        anchors, below, above = self._seams
        k = np.minimum(np.searchsorted(anchors, at.anchor), len(anchors) - 1)
        seam = np.where(at.side < 0, below[k], above[k])
        shifted = shifted + np.where(anchors[k] == at.anchor, seam, 0.0)
        shifted = np.where(beside, np.minimum(shifted, 1.0), shifted)
        return of_p + shifted, of_q + shifted

    @cached_property
    def _ends(self) -> list[float]:
        laws = (self.p, self.q)
        return [x for law in laws for x in {*sum(law.pieces, ()), *law.kinks} if math.isfinite(x)]

    @cached_property
    def _seams(self) -> tuple[Array, Array, Array]:
        """The anchors of both laws; how far each is misplaced, as a share of the panels each side.

        Where the panels of two anchors meet, both end a little before or after that place.
        """
        owners: dict[float, float] = {}
        for law in (self.p, self.q):
            places = np.array(law.breakpoints)
            nothing = np.zeros_like(places)
            off = law.misplaced_near(Points(places, nothing, nothing, nothing))
            for x, away in zip(law.breakpoints, off.tolist(), strict=True):
                owners[x] = max(owners.get(x, 0.0), away)
        anchors = np.array(sorted(owners))
        widest = 2 * np.array([owners[x] for x in anchors])
        gaps = np.diff(anchors, prepend=-np.inf, append=np.inf)
        return anchors, widest / gaps[:-1], widest / gaps[1:]

    def _known(self, at: Points) -> LogRatio | None:
        if (forward := self.p.log_ratio(self.q, at)) is not None:
            return forward
        backward = self.q.log_ratio(self.p, at)
        return None if backward is None else (-backward[0], backward[1])

    def u(self, panels: Panels, xi: Array) -> Array:
        """Return u at coordinates of panels."""
        with np.errstate(all="ignore"):
            at, _ = panels.at(xi)
            return self.ratio_at(at).u

    def sampler(self, outputs: Sequence[Output], rough: bool = False) -> _Sampler:
        """Return the function that evaluates ``outputs`` at nodes; ``rough``: without noise."""
        return _Sampler(self, outputs, rough)


@dataclass(frozen=True)
class _Sampler:
    pair: Pair
    outputs: Sequence[Output]
    rough: bool = False

    def __call__(self, panels: Panels, xi: Array, drift: Array | float = 0.0) -> NodeSamples:
        with np.errstate(all="ignore"):
            at, log_jacobian = panels.at(xi, drift)
            n = self.pair.ratio_at(at, log_jacobian)
            wanted = {output.score for output in self.outputs} - {None}
            scores = {name: self.pair.q.scores(str(name), at) for name in wanted}
            weight, part = self._evaluated(n)
            mantissa = self._scored(part, scores)
            mantissa[np.isneginf(weight)] = 0.0
            lost = _lost(n, mantissa)
            lift = None if lost is None else self._lift(at, n, mantissa)
            lifted = weight if lift is None else weight + lift
            if self.rough:
                return NodeSamples(lifted, mantissa, np.ones(()))
            noise = self._noise(n, log_jacobian, weight, self.pair.astray(at))
            unsure = self._unsure(n, weight, part, scores)
            if lost is not None and lift is not None:
                noise = noise + EPS * np.where(lift > 0, lift + LOG_HUGE, 0.0)
                lost = lost & ~(lift > 0)
        return NodeSamples(lifted, mantissa, noise, unsure, lost)

    def _lift(self, at: Points, n: Ratio, mantissa: Array) -> Array:
        """Return the log of what u at `LOWEST` leaves out of mantissas that are linear in u.

        There the logarithm that ends at it is −exp(depth), which the densities know.
        """
        depth = np.where(n.positive, self.pair.q.log_depth(at), self.pair.p.log_depth(at))
        further = np.where(n.v >= -LOWEST * (1 - 1e-9), depth - LOG_HUGE, 0.0)
        linear = (np.abs(mantissa) > GROWS) & (np.abs(mantissa) < -LOWEST * GROWS)
        scored = np.array([output.score is not None for output in self.outputs])
        return np.where(linear & ~scored[:, None, None], np.maximum(further, 0.0), 0.0)

    def _evaluated(self, n: Ratio) -> tuple[Array, Array]:
        """Return the log weight of every output, and its mantissa without the score."""
        pairs = [output.integrand(n) for output in self.outputs]
        return np.stack([weight for weight, _ in pairs]), np.stack([part for _, part in pairs])

    def _scored(self, part: Array, scores: Scores) -> Array:
        """Return mantissas times the scores of their outputs; 0 times what overflows is 0."""
        rows = [
            np.where(row == 0, 0.0, row * scores[output.score]) if output.score else row
            for row, output in zip(part, self.outputs, strict=True)
        ]
        return np.stack(rows)

    def _noise(self, n: Ratio, log_jacobian: Array, weight: Array, astray: Arrays) -> Array:
        """Return a bound on the relative rounding error of each sample, u and score being sure.

        It is made of the constants and the jacobian; the log weight; and u, against which the
        integrand is taken to grow no faster than u itself (`_unsure` is for where it is unsure).
        What the logarithm of a sample is off by may be more than 1, as far out as e^−1e16.
        """
        assert n.doubt is not None
        size = self.pair.summed(n.log_p - log_jacobian, n.log_q - log_jacobian)
        fixed = EPS * (4 + self.pair.constant + np.abs(log_jacobian))
        fixed = fixed + np.where(weight == n.log_p, astray[0], astray[1])
        # a weight is rounded from itself where it is one of the logarithms, else as log q + α·u
        own = np.minimum(np.abs(weight - log_jacobian), size)
        single = (weight == n.log_p) | (weight == n.log_q)
        # less what is only the rounding of that difference
        grown = np.abs(weight - n.log_q) - 8 * EPS * (size + np.abs(log_jacobian)) - np.add(*astray)
        power = np.where(single, 0.0, np.maximum(grown, 0.0)) / np.maximum(n.v, 1e-300)
        base = np.minimum(np.abs(n.log_q - log_jacobian), size)
        off = fixed + np.where(single, EPS * own, EPS * base + power * n.doubt)
        noise = np.expm1(np.minimum(off, MOST))
        touching = [output.touches for output in self.outputs]
        noise[touching] += np.where(_doubtful(n), 0.0, n.doubt / np.maximum(n.v, 1e-300))
        return noise

    def _unsure(self, n: Ratio, weight: Array, part: Array, scores: Scores) -> Array | None:
        """Return by how much each mantissa may be off whatever its size, or None for nothing.

        That is what the terms of a score leave where they cancel; and where u is all but unknown,
        may be 0 or of the other sign, how far the integrand is from what it is at both its ends.
        """
        assert n.doubt is not None
        where = _doubtful(n)
        sizes = [self.pair.q.score_size(o.score) if o.score else 0.0 for o in self.outputs]
        if not where.any() and not any(sizes):
            return None
        off = 8 * EPS * np.array(sizes)[:, None, None] * np.abs(part)
        here = {name: score[where] for name, score in scores.items()}
        mantissa = self._scored(part[:, where], here)
        for side in (-1.0, 1.0):
            other, near = self._evaluated(n.doubtful(where, side))
            shifted = self._scored(near, here) * np.exp(other - weight[:, where])
            off[:, where] = np.fmax(off[:, where], np.abs(shifted - mantissa))
        return np.where(np.isneginf(weight), 0.0, off)


def _doubtful(n: Ratio) -> Array:
    """Return where so few digits of u are known that no relative error tells what it does."""
    assert n.doubt is not None
    return (n.v <= DOUBTFUL * n.doubt) & (n.doubt > 0) & np.isfinite(n.log_top)


def _lost(n: Ratio, mantissa: Array) -> Array | None:
    """Return where a mantissa grows with u, and u is where a log-density ends at `LOWEST`."""
    deep = np.isfinite(n.u) & (n.v >= -LOWEST * (1 - 1e-9))
    return deep & (np.abs(mantissa) > GROWS) if deep.any() else None


def _floored(density: Univariate, at: Points) -> Array:
    """Return log p, which inside the support never falls to -inf by overflow alone."""
    value = density.log_density(at)
    pieces = density.pieces
    within = np.any([inside(at, low, high) for low, high in pieces], axis=0)
    unknown = within & np.isnan(value)
    value = np.where(unknown, LOWEST, value)
    # at an anchor itself, a single point, a law may read 0·∞
    if (unknown := unknown & (at.log_distance > -np.inf)).any():
        raise GantheoryError(
            f"{density}: its log-density is nan at x={at.x[unknown][0]:.6g}, inside its support; "
            "the parameters are too extreme for binary64"
        )
    return np.where(within, np.maximum(value, LOWEST), -np.inf)


def integrals(
    pair: Pair, outputs: Sequence[Output], levels: Iterable[float]
) -> dict[int, LineIntegral]:
    """Integrate the outputs over the line, by index, but one only of those with one number."""
    probe = Probe.of(pair.sampler(outputs, rough=True), rays(pair.p, pair.q))
    kept = _chosen(outputs, probe)
    panels, log_left, resolved = probe.take(kept).cut()
    with np.errstate(all="ignore"):
        panels = _cut_at_crossings(pair, panels, {0.0, *levels})
    sample = pair.sampler([outputs[k] for k in kept])
    sums = integrate(sample, panels)
    if declared := [law for law in (pair.p, pair.q) if not law.normalised]:
        _look(declared, panels, shares(sample, panels))
    return dict(zip(kept, line_integrals(sums, log_left, resolved), strict=True))


def _look(laws: Sequence[Univariate], panels: Panels, part: Array) -> None:
    """Raise where laws are no numbers between the nodes, at places by what the panels hold."""
    weight = part + 0.1 * max(float(part.sum()), 1e-300) / len(panels)
    edges = np.append(0.0, np.cumsum(weight) / weight.sum())
    with np.errstate(all="ignore"):
        for share in refining(PARTS):
            owner = np.clip(np.searchsorted(edges, share) - 1, 0, len(panels) - 1)
            inner = (share - edges[owner]) / (edges[owner + 1] - edges[owner])
            low, high = panels.low[owner], panels.high[owner]
            xi = np.clip(low + (high - low) * inner, low, high)
            at, _ = panels.between(owner, xi, xi).at(xi[:, None])
            for law in laws:
                _floored(law, at)


def _chosen(outputs: Sequence[Output], probe: Probe) -> list[int]:
    """Return which outputs to integrate: of those with one number the smallest absolutely."""
    size = probe.absolute()
    best: dict[int, int] = {}
    for k, output in enumerate(outputs):
        if output.number is not None:
            other = best.setdefault(output.number, k)
            best[output.number] = k if size[k] < size[other] else other
    return [k for k, o in enumerate(outputs) if o.number is None or best[o.number] == k]


def line_integrals(sums: Sums, log_left: Array, resolved: Array) -> list[LineIntegral]:
    """Return every output's integral, with what the cut tails may hold added to its error."""
    left = np.exp(np.minimum(log_left - sums.shift, 700.0))
    error = sums.error + sums.rounding + left
    columns = (sums.value, error, sums.absolute, sums.shift)
    resolved = resolved & (sums.lost <= math.exp(-HIDDEN) * sums.absolute)
    numbers = zip(*(column.tolist() for column in columns), resolved.tolist(), strict=True)
    return [
        LineIntegral(v, e, size, shift, sums.evaluations, ok) for v, e, size, shift, ok in numbers
    ]


def _cut_at_crossings(pair: Pair, panels: Panels, levels: set[float]) -> Panels:
    owner, root, slope = level_crossings(panels, pair.u, sorted(levels))
    offsets = np.array([s * b for b in (0.0, *BENDS) for s in ((1.0, -1.0) if b else (1.0,))])
    with np.errstate(all="ignore"):
        xi = (root[:, None] + offsets / slope[:, None]).ravel()
    every = np.repeat(owner, len(offsets))
    inside = (xi > panels.low[every]) & (xi < panels.high[every])
    return panels.split(every[inside], xi[inside])
