"""Panels: where a pair of densities must be looked at, from what they declare.

The line is cut at every declared centre, kink and end of support; each half-gap is measured from
its own anchor. Near an anchor a panel is linear in the distance; far out, and toward an end at
which a density is singular or vanishes, it is linear in the logarithm of the distance.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.univariate import Interval, Points, Univariate
from gantheory.errors import GantheoryError
from gantheory.rounding import EPS

# Widths of successive panels in log distance grow by this factor: 45 of them span exp(±6e4).
GROWTH = 1.25
OUTWARD = np.concatenate([[0.0], np.cumsum(math.log(2.0) * GROWTH ** np.arange(45))])

Row = tuple[float, float, float, float, float]  # anchor, side, unit, low, high

# A law wider than the finest by more than this gets anchors of its own: a panel that comes from so
# far inside could step over it.
SPREAD = 1e30
FARTHEST = 1e250  # quotients of larger ones, and of what lies between, overflow


@dataclass(frozen=True)
class Panels:
    """Panels as parallel arrays: x = anchor + side·y with y = unit·exp ξ, or y = ξ for unit 0.

    In a unit of their own ξ stays small where densities are steep, and so does its rounding; where
    two rays meet it is 0.
    """

    anchor: Array
    side: Array
    unit: Array
    low: Array
    high: Array

    def __len__(self) -> int:
        return len(self.low)

    def at(self, xi: Array, drift: Array | float = 0.0) -> tuple[Points, Array]:
        """Return the points at coordinates ``xi`` of shape (panels, nodes), and log dy/dξ.

        ``drift`` is what rounding took from each ξ: as a share of the distance it grows with ξ.
        """
        anchor, side, unit = (a[:, None] for a in (self.anchor, self.side, self.unit))
        with np.errstate(all="ignore"):
            log, log_unit = unit > 0, np.log(unit)
            # by two halves: exp ξ may leave the range of binary64 where the distance does not
            half = np.exp(np.where(log, xi, 0.0) / 2)
            distance = np.where(log, unit * half * half * (1 + drift), xi)
            log_distance = np.where(log, xi + log_unit, np.log(xi))
        anchors, sides = (np.repeat(a, xi.shape[1], axis=1) for a in (anchor, side))
        return Points(anchors, sides, distance, log_distance), np.where(log, log_distance, 0.0)

    def take(self, index: Array) -> Panels:
        """Return some of the panels."""
        return Panels(*(getattr(self, f)[index] for f in self.__dataclass_fields__))

    def between(self, index: Array, low: Array, high: Array) -> Panels:
        """Return parts of the panels ``index``, from ``low`` to ``high``."""
        return Panels(self.anchor[index], self.side[index], self.unit[index], low, high)

    def each(self, xi: Array) -> Panels:
        """Return one empty panel at every coordinate ``xi`` of shape (panels, points)."""
        owner = np.repeat(np.arange(len(self)), xi.shape[1])
        return self.between(owner, xi.ravel(), xi.ravel())

    def joined(self, other: Panels) -> Panels:
        """Return these panels and the others."""
        fields = self.__dataclass_fields__
        return Panels(*(np.concatenate([getattr(self, f), getattr(other, f)]) for f in fields))

    def halves(self, index: Array) -> Panels:
        """Return both halves of the panels ``index``."""
        low, high = self.low[index], self.high[index]
        middle = 0.5 * (low + high)
        twice = np.concatenate([index, index])
        return self.between(twice, np.concatenate([low, middle]), np.concatenate([middle, high]))

    def split(self, owner: Array, xi: Array) -> Panels:
        """Return all panels, those in ``owner`` cut at the inner coordinates ``xi``."""
        if not len(xi):
            return self
        every = np.concatenate([np.arange(len(self)), owner])
        low = np.concatenate([self.low, xi])
        order = np.lexsort((low, every))
        every, low = every[order], low[order]
        last = np.append(every[1:] != every[:-1], True)
        high = np.where(last, self.high[every], np.append(low[1:], 0.0))
        keep = high > low
        return self.between(every[keep], low[keep], high[keep])

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Panels:
        """Return panels from rows (anchor, side, unit, low, high)."""
        return cls(*np.array(list(rows), float).reshape(-1, 5).T.copy())


@dataclass(frozen=True)
class Ray:
    """The line seen from one anchor in one direction, up to a distance ``reach``.

    ``width`` is the scale at which the densities vary next to the anchor; ``end`` says that one
    of them is singular or vanishes there.
    """

    anchor: float
    side: int
    width: float
    reach: float
    end: bool

    def rows(self) -> list[Row]:
        """Return the panels of a bounded ray; open ends are left to `tail_edges`."""
        start = min(self.width, self.reach / 2 if math.isfinite(self.reach) else math.inf)
        rows = []
        if not self.end:
            near = self.reach if self.reach <= 4 * self.width else 2 * self.width
            rows.append((self.anchor, float(self.side), 0.0, 0.0, near))
            start = near
        elif start < self.reach:
            start = min(start, self.reach)
        if math.isfinite(self.reach) and start < self.reach:
            rows += self._outward(start)
        return rows

    def _outward(self, start: float) -> list[Row]:
        span = math.log(self.reach / start)
        edges = [0.0]
        step = math.log(2.0)
        while edges[-1] < span:
            edges.append(min(edges[-1] + step, span))
            step *= GROWTH
        return [
            (self.anchor, float(self.side), self.reach, a - span, b - span)
            for a, b in pairwise(edges)
            if b > a
        ]

    def open_ends(self) -> list[tuple[float, Array]]:
        """Return units and the ξ, from inside to outside, at which open ends may be cut."""
        ends = []
        if math.isinf(self.reach):
            ends.append((self.width if self.end else 2 * self.width, OUTWARD))
        if self.end:
            finite = math.isfinite(self.reach)
            start = min(self.width, self.reach / 2 if finite else self.width)
            ends.append((start, -OUTWARD))
        return ends


def rays(
    p: Univariate, q: Univariate, within: tuple[Interval, ...] = (), finest: float = math.inf
) -> list[Ray]:
    """Return every ray on which p or q has mass, or those ``within`` other intervals too.

    ``finest`` is the width of whatever else varies next to the anchors.
    """
    widths = {x: min(width, finest) for x, width in _anchors(p, q).items()}
    points = sorted(widths)
    bounds = [-math.inf, *points, math.inf]
    pieces = [*p.pieces, *q.pieces, *within]
    found = []
    for low, high in pairwise(bounds):
        if not any(a <= low and high <= b for a, b in pieces):
            continue
        if math.isinf(low) or math.isinf(high):
            c, side = (high, -1) if math.isinf(low) else (low, +1)
            found.append(_ray(c, side, widths[c], math.inf, p, q))
            continue
        gap = high - low
        found.append(_ray(low, +1, widths[low], gap / 2, p, q))
        found.append(_ray(high, -1, widths[high], gap / 2, p, q))
    return found


def _anchors(p: Univariate, q: Univariate) -> dict[float, float]:
    """Return the anchors and how finely the line must be looked at next to each.

    Close to a bump that is its width; further away it is the distance to it, since the tails of a
    narrow bump at a neighbouring anchor must not fall between the nodes.
    """
    centers = [*p.centers, *q.centers]
    ends = {end for law in (p, q) for piece in law.pieces for end in piece}
    finest, widest = (pick(w for _, w in centers) for pick in (min, max))
    if widest > FARTHEST * finest:
        raise GantheoryError(
            f"widths of {finest:g} and {widest:g} lie too far apart for binary64; "
            "give laws of more similar widths"
        )
    far = {c + side * w for c, w in centers if w / SPREAD > finest for side in (-2, 2)}
    named = {c for c, _ in centers} | {*p.breakpoints, *q.breakpoints}
    points = _apart(named | {x for x in far if math.isfinite(x)}, ends)
    return {x: min(max(w, abs(x - c)) for c, w in centers) for x in points}


def _apart(points: set[float], ends: set[float]) -> list[float]:
    """Drop a point at a subnormal distance from another, for half of it is 0; ends are kept.

    Raises:
        GantheoryError: where two ends of supports are that near.
    """
    kept: list[float] = []
    for x in sorted(points):
        if not kept or x - kept[-1] >= sys.float_info.min:
            kept.append(x)
        elif x in ends and kept[-1] in ends:
            raise GantheoryError(
                f"ends of supports at {kept[-1]!r} and {x!r} are nearer than binary64 can halve; "
                "change the unit of length"
            )
        elif x in ends:
            kept[-1] = x
    return kept


def _ray(c: float, side: int, width: float, reach: float, p: Univariate, q: Univariate) -> Ray:
    tails = (p.tail(c, side), q.tail(c, side))
    end = any(tail is None or not tail.is_constant for tail in tails)
    return Ray(c, side, width, reach, end)


def sampled(panels: Panels) -> Array:
    """Return the coordinates at which panels are searched for crossings, both ends among them."""
    half = 0.5 * (panels.high - panels.low)[:, None]
    xi = panels.low[:, None] + half * (1 + SAMPLES)
    xi[:, -1] = panels.high
    return xi


def level_crossings(
    panels: Panels, ratio: Callable[[Panels, Array], Array], levels: Iterable[float]
) -> tuple[Array, Array, Array]:
    """Return where u crosses a level: owning panel, coordinate, and abs(du/dξ) there.

    ``ratio(panels, xi)`` is u; it is sampled at 23 places a panel, and each bracket is closed by
    bisection on all of them at once.
    """
    xi = sampled(panels)
    u = ratio(panels, xi)
    found = [_crossings(panels, ratio, xi, u, level) for level in levels]
    owner, root, slope = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return owner, root, slope


SEAM = 64 * EPS  # of the largest v near an end: what rounding makes of 0
# Chebyshev-Lobatto points: dense next to the ends of a panel, as the nodes are.
SAMPLES = -np.cos(np.pi * np.arange(23) / 22)


def _crossings(
    panels: Panels, ratio: Callable[[Panels, Array], Array], xi: Array, u: Array, level: float
) -> tuple[Array, Array, Array]:
    sign = signs(u - level)
    owner, k = np.nonzero(sign[:, :-1] * sign[:, 1:] < 0)
    # zeros at a sample: beyond an end of the panel u goes on as before
    around = np.concatenate([-sign[:, 1:2], sign, -sign[:, -2:-1]], axis=1)
    touching, j = np.nonzero((sign == 0) & (around[:, :-2] * around[:, 2:] < 0))
    crossed = panels.take(owner)
    root = _root(
        lambda x: ratio(crossed, x[:, None])[:, 0] - level,
        (xi[owner, k], xi[owner, k + 1]),
        (u[owner, k] - level, u[owner, k + 1] - level),
    )
    slope = np.abs(u[owner, k + 1] - u[owner, k]) / (xi[owner, k + 1] - xi[owner, k])
    before, after = np.maximum(j - 1, 0), np.minimum(j + 1, sign.shape[1] - 1)
    flat = np.abs(u[touching, after] - u[touching, before])
    flat /= xi[touching, after] - xi[touching, before]
    return (
        np.concatenate([owner, touching]),
        np.concatenate([root, xi[touching, j]]),
        np.concatenate([slope, flat]),
    )


def signs(v: Array) -> Array:
    """Return the signs of samples; 0 at an end of a panel where v is within its own rounding.

    A seam has two names, one from each anchor: a zero there may hide between their roundings. How
    large v is at the other end of the panel, where a density may vanish, does not count.
    """
    sign = np.sign(v)
    size = np.where(np.isfinite(v), np.abs(v), 0.0)
    half = size.shape[1] // 2
    for end, near in ((0, size[:, :half]), (-1, size[:, -half:])):
        sign[np.abs(v[:, end]) <= SEAM * np.max(near, axis=1), end] = 0.0
    return sign


def _root(
    function: Callable[[Array], Array], ends: tuple[Array, Array], values: tuple[Array, Array]
) -> Array:
    """Return a zero in each bracket, by inverse quadratic interpolation or else by halving it.

    Source: T. R. Chandrupatla (1997), Advances in Engineering Software 28. The same method in
    ``scipy.optimize.elementwise.find_root`` gives the same roots, and takes six to thirteen times
    as long for the few brackets of one pair (one to forty, SciPy 1.17).
    """
    (a, b), (fa, fb) = ends, values
    root = a
    if not len(a):
        return root
    with np.errstate(all="ignore"):
        share = _within(fa / (fa - fb), 0.0)
        for _ in range(90):
            root = guess = a + share * (b - a)
            f = function(guess)
            same = (f > 0) == (fa > 0)
            c, fc = np.where(same, a, b), np.where(same, fa, fb)
            b, fb = np.where(same, b, a), np.where(same, fb, fa)
            a, fa = guess, f
            least = 2e-16 * np.abs(guess) / np.abs(b - a)  # the share of one rounding
            if np.all((f == 0) | (least >= 0.5)):
                break
            place, level = (a - b) / (c - b), (fa - fb) / (fc - fb)
            smooth = (level**2 < place) & ((1 - level) ** 2 < 1 - place)
            fitted = fa / (fb - fa) * fc / (fb - fc)
            fitted += (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
            share = np.where(smooth, _within(fitted, least), 0.5)
    return root


def _within(share: Array, least: Array | float) -> Array:
    """Return a share of a bracket that moves off its ends, or a half where there is none."""
    return np.where(np.isfinite(share), np.clip(share, least, 1 - least), 0.5)
