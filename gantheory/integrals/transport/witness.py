r"""How much better a kernel fits one law than another, at points of the line.

With :math:`D = F_p - F_q` the witness of MMD is

.. math:: W(x) = E_p\,k(x, X) - E_q\,k(x, X) = \int k'(x - y)\,D(y)\,dy,

D being tabulated once on panels that resolve it. Where a panel is long beside the bandwidth and
near x, D is read anew on pieces cut at a few bandwidths from x.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.univariate import Points
from gantheory.integrals.line.panels import Panels, rays
from gantheory.integrals.line.probe import panels_of
from gantheory.integrals.line.quadrature import (
    EPS,
    FROM_LOW,
    KRONROD,
    NodeSamples,
    OneIntegrand,
    rule_error,
)
from gantheory.integrals.transport.gaps import Gap, hull
from gantheory.integrals.transport.radial import RadialKernel

AT_ONCE = 1 << 21  # numbers of one array
PAIRS = 4000  # of a place and a panel, looked at together
ROUNDS = 14
MOST_PANELS = 2000
RESOLVED = 1e-15  # of D: what its interpolation may be off by
SHORT = 2.0  # bandwidths: on a panel of at most that length the kernel is resolved from anywhere
APART = 0.125  # of a panel's length: from farther away a kernel that falls like a power is smooth
RATIO = math.log(4.0)  # of the ends of a panel of tabulated values
GROWTH = 8.0  # of the marks of a kernel that falls like a power, from 3 bandwidths on
FARTHEST = 1e150


@dataclass(frozen=True)
class Witness:
    """W = E_p k(x, ·) − E_q k(x, ·), tabulated from the gap of two distribution functions.

    Attributes:
        gap: F_p − F_q.
        kernel, bandwidth: k.
        origin: what places are counted from.
        panels: where D is tabulated.
        places: its nodes, from the origin, shape (panels, nodes).
        low, high: the ends of the panels, from the origin.
        gaps: D at the nodes times the weights of the rule; ``doubt`` is what that may be off by.
    """

    gap: Gap
    kernel: RadialKernel
    bandwidth: float
    origin: float
    panels: Panels
    places: Array
    low: Array
    high: Array
    gaps: Array
    doubt: Array

    @classmethod
    def of(cls, gap: Gap, kernel: RadialKernel, bandwidth: float) -> Witness:
        """Tabulate the gap on panels on which it is resolved."""
        origin = gap.p.centers[0][0]
        start, *_ = panels_of(
            _Gaps(gap, bandwidth), rays(gap.p, gap.q, (hull(gap.p, gap.q),), bandwidth)
        )
        with np.errstate(all="ignore"):
            panels, value, off = _resolved(gap, start)
            at, log_jacobian = panels.at(_nodes(panels))
            half = 0.5 * (panels.high - panels.low)[:, None]
            weight = half * np.exp(log_jacobian) * KRONROD
            ends, _ = panels.at(np.stack([panels.low, panels.high], axis=1))
            edges = np.sort(ends.minus(origin), axis=1)
            held = np.isfinite(edges).all(axis=1) & (np.abs(edges) < FARTHEST).all(axis=1)
        keep = np.nonzero(held)[0]
        return cls(
            gap,
            kernel,
            bandwidth,
            origin,
            panels.take(keep),
            at.minus(origin)[keep],
            edges[keep, 0],
            edges[keep, 1],
            (value * weight)[keep],
            (off * weight)[keep],
        )

    def at(self, at: Points) -> tuple[Array, Array]:
        """Return W at points, and a bound on its error."""
        x = at.minus(self.origin)
        flat = np.where(np.isfinite(x) & (np.abs(x) < FARTHEST), x, FARTHEST).ravel()
        size = max(AT_ONCE // self.places.size, 1)
        parts = [self._some(flat[k : k + size]) for k in range(0, len(flat), size)]
        value, error = (np.concatenate(column) for column in zip(*parts, strict=True))
        return value.reshape(x.shape), error.reshape(x.shape)

    def _some(self, x: Array) -> tuple[Array, Array]:
        h, near = self.bandwidth, self._near(x)
        apart = (x[:, None, None] - self.places) / h
        lost = np.minimum(EPS * np.abs(self.places) / h, 1.0) * np.abs(self.gaps)
        bound = self.kernel.bound(np.abs(apart))
        value = np.einsum("xjn,jn->xj", self.kernel.slope(apart), self.gaps)
        error = np.einsum("xjn,jn->xj", bound, self.doubt + lost)
        rounding = np.einsum("xjn,jn->xj", bound, np.abs(self.gaps))
        error += (np.minimum(EPS * np.abs(x) / h, 1.0)[:, None] + 8 * EPS) * rounding
        value, error = (np.where(near, 0.0, part).sum(axis=1) for part in (value, error))
        owner, panel = np.nonzero(near)
        for k in range(0, len(owner), PAIRS):
            few = slice(k, k + PAIRS)
            fresh, off = self._anew(x[owner[few]], panel[few])
            np.add.at(value, owner[few], fresh)
            np.add.at(error, owner[few], off)
        return value / h, error / h

    def _near(self, x: Array) -> Array:
        """Return which panels are long and near to which x, shape (x, panels)."""
        distance = np.maximum(self.low - x[:, None], x[:, None] - self.high).clip(min=0.0)
        length = self.high - self.low
        reach = self.kernel.grades[-1] * self.bandwidth if self.kernel.grades else APART * length
        near = (length > SHORT * self.bandwidth) & (distance < reach)
        return near | ((distance == 0) & self.kernel.kinked)

    def _anew(self, x: Array, panel: Array) -> tuple[Array, Array]:
        """Return ∫ k'(x − y) D(y) dy, per bandwidth, over one panel for each x, and its error."""
        low, high = self.low[panel] - x, self.high[panel] - x
        h = self.bandwidth
        outward = h * np.array(self.kernel.grades or self._powers(low, high))
        marks = np.concatenate([-outward[::-1], [0.0], outward])
        edges = np.clip(marks, low[:, None], high[:, None])
        if not self.kernel.grades:
            edges = np.concatenate([low[:, None], edges, high[:, None]], axis=1)
        owner, k = np.nonzero(np.diff(edges, axis=1) > 0)
        start, half = edges[owner, k], 0.5 * (edges[owner, k + 1] - edges[owner, k])
        away = start[:, None] + half[:, None] * FROM_LOW  # y − x
        anchor = self.panels.anchor[panel[owner]]
        side = self.panels.side[panel[owner]][:, None]
        distance = side * ((self.origin - anchor + x[owner])[:, None] + away)
        distance = np.maximum(distance, 0.0)
        anchors, sides = (np.broadcast_to(a, away.shape) for a in (anchor[:, None], side))
        with np.errstate(all="ignore"):
            value, off = self.gap.at(Points(anchors, sides, distance, np.log(distance)))
        t = -away / h
        f = self.kernel.slope(t) * value * half[:, None]
        noise = self.kernel.bound(np.abs(t)) * (off + 8 * EPS * np.abs(value)) * half[:, None]
        found = f @ KRONROD
        error = rule_error(f, found) + noise @ KRONROD
        sums = np.zeros((2, len(x)))
        np.add.at(sums[0], owner, found)
        np.add.at(sums[1], owner, error)
        return sums[0], sums[1]

    def _powers(self, low: Array, high: Array) -> Array:
        most = max(float(np.max(np.abs(low))), float(np.max(np.abs(high)))) / self.bandwidth
        return 3.0 * GROWTH ** np.arange(max(math.ceil(math.log(most, GROWTH)), 1))


@dataclass(frozen=True)
class _Gaps(OneIntegrand):
    """F_p − F_q per unit of a panel's coordinate, or per bandwidth where that is less.

    What is tabulated dies down with it, far out as well as next to an end.
    """

    gap: Gap
    bandwidth: float

    def __call__(self, panels: Panels, xi: Array, drift: Array | float = 0.0) -> NodeSamples:
        with np.errstate(all="ignore"):
            at, log_jacobian = panels.at(xi, drift)
            value, error = self.gap.at(at)
        size = np.maximum(np.abs(value), error)
        weight = np.minimum(log_jacobian - math.log(self.bandwidth), 0.0)
        return NodeSamples(weight[None], size[None], np.ones((1, 1, 1)))


def _nodes(panels: Panels) -> Array:
    half = 0.5 * (panels.high - panels.low)[:, None]
    return panels.low[:, None] + half * FROM_LOW


def _shortened(panels: Panels) -> Panels:
    """Return the panels, those in log distance cut so that their ends are at most `RATIO` apart."""
    length = panels.high - panels.low
    parts = np.where(panels.unit > 0, np.ceil(length / RATIO), 1.0).astype(int)
    index = np.repeat(np.arange(len(panels)), parts)
    nth = np.arange(len(index)) - np.repeat(np.cumsum(parts) - parts, parts)
    step = (length / parts)[index]
    low = panels.low[index] + nth * step
    return panels.between(index, low, low + step)


def _resolved(gap: Gap, panels: Panels) -> tuple[Panels, Array, Array]:
    """Return panels, halved until D is resolved on each, with D at the nodes and its error."""
    done: list[tuple[Panels, Array, Array]] = []
    panels = _shortened(panels)
    for turn in range(ROUNDS):
        value, noise = gap.at(panels.at(_nodes(panels))[0])
        off = 0.5 * rule_error(value, value @ KRONROD)
        least = np.maximum(RESOLVED, noise.mean(axis=1))
        bad = (off > least) & (len(panels) < MOST_PANELS) & (turn < ROUNDS - 1)
        kept = np.nonzero(~bad)[0]
        done.append((panels.take(kept), value[kept], (noise + off[:, None])[kept]))
        if not bad.any():
            break
        panels = panels.halves(np.nonzero(bad)[0])
    found = done[0][0]
    for more, *_ in done[1:]:
        found = found.joined(more)
    value, off = (np.concatenate([part[k] for part in done]) for k in (1, 2))
    return found, value, off
