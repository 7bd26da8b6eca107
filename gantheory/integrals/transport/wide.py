r"""W1, W2 and the energy distance of counts by cells, where they are too wide to be summed.

With :math:`E_j = F_p(j - 1) - F_q(j - 1)`, W1 is :math:`\sum|E_j|` and the energy distance
:math:`2\sum E_j^2`, whose second differences follow from those of the masses. For W2 the quantiles
are taken as straight lines in every cell. The conditional level of a cell whose masses lie between
m and M times their mean is a diagonal but for :math:`(1-m)(M-1)/(M-m) \le (M-m)/4`, which bounds
what the lines are off by, and W2 by Minkowski's inequality.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mpmath
import numpy as np

from gantheory.densities.base import Array, Density
from gantheory.densities.counts import Counts, Zipf
from gantheory.densities.discrete import Discrete
from gantheory.densities.inherited import of_family
from gantheory.integrals.transport.cells import (
    Levels,
    Masses,
    edges_of,
    masses_of,
    off_cubic,
    summed,
)
from gantheory.integrals.transport.ladders import (
    above,
    energy_beyond,
    masses_at,
    sum_estimate,
    w1_beyond,
)
from gantheory.records import Estimate
from gantheory.rounding import EPS

ROUGH = 1e-2  # relative error from which on cells are made finer once more
FINER = 4  # times as many cells where quantiles are straight lines


@dataclass(frozen=True)
class Parted:
    """Two laws in common cells.

    Attributes:
        edges: the numbers at which cells start, and the end of the last.
        masses: of p and of q.
        apart: p − q at the edges, and bounds on its error.
        beyond: what the laws have from the end of the last cell on.
    """

    edges: Array
    masses: tuple[Masses, Masses]
    apart: tuple[Array, Array]
    beyond: tuple[float, float]

    @staticmethod
    def of(p: Counts | Discrete, q: Counts | Discrete, finer: int = 1) -> Parted:
        """Return the cells of two laws."""
        edges = edges_of(p, q, finer)
        ours, theirs, apart, noise = masses_at(p, q, edges)
        masses = masses_of(p, edges, ours), masses_of(q, edges, theirs)
        last = float(edges[-1]) - 1
        return Parted(edges, masses, (apart, noise), (above(p, last), above(q, last)))

    @cached_property
    def count(self) -> Array:
        """How many numbers a cell has."""
        return np.diff(self.edges)

    def cells(self, value: Array, step: Array, noise: tuple[Array, Array], fourth: Array) -> Any:
        """Return sums over cells, and bounds on their errors."""
        several = np.where(self.count > 1, self.count, 0.0)
        value_off, step_off = (np.maximum(x[:-1], x[1:]) for x in noise)
        rounding = 2 * self.count * value_off + several**2 / 4 * step_off
        return summed(self.count, value, step), off_cubic(self.count, fourth) + rounding

    @cached_property
    def sums(self) -> tuple[tuple[Array, Array], ...]:
        """The masses of cells, of p and of q, with bounds on their errors."""
        found = []
        for law in self.masses:
            logs = np.abs(np.log(np.where(law.value > 0, law.value, 1.0)))
            noise = np.maximum(self.apart[1], EPS * law.value * (16 + logs)), law.step[1]
            found.append(self.cells(law.value, law.step[0], noise, law.most[4]))
        return tuple(found)

    @cached_property
    def split(self) -> int:
        """The cell from which on levels are counted from above."""
        both = np.cumsum(self.sums[0][0] + self.sums[1][0])
        return min(int(np.searchsorted(both, 1.0)) + 1, len(self.count) - 1)

    @cached_property
    def gap(self) -> Levels:
        """E at the edges."""
        p, q = self.masses
        noise = self.apart[1], p.step[1] + q.step[1]
        found, doubt = self.cells(
            self.apart[0], p.step[0] - q.step[0], noise, p.most[4] + q.most[4]
        )
        return Levels.of(found, doubt, self.split, self.beyond[0] - self.beyond[1])

    @cached_property
    def most(self) -> list[Array]:
        """Bounds on abs(E) in every cell, and on its differences up to the fourth."""
        p, q = (law.most for law in self.masses)
        steps = [a + b for a, b in zip(p[:-1], q[:-1], strict=True)]
        value = np.abs(self.gap.value) + self.gap.doubt
        return [np.maximum(value[:-1], value[1:]) + self.count * steps[0], *steps]


def distance_of_wide(name: str, p: Counts | Discrete, q: Counts | Discrete) -> Estimate:
    """Return ``"w1"``, ``"w2"`` or ``"energy"`` of laws whose masses are bounded in a cell.

    >>> from gantheory.densities import density
    >>> p, q = density("geometric(1e-9)"), density("geometric(2e-9)")
    >>> round(distance_of_wide("w1", p, q).value)  # 1/1e-9 − 1/2e-9
    500000000
    """
    if name == "w2":
        found = _w2(Parted.of(p, q, FINER), p, q)
        rough = found.error > ROUGH * found.value  # of near laws
        return _w2(Parted.of(p, q, 4 * FINER), p, q) if rough else found
    return {"w1": _w1, "energy": _energy}[name](Parted.of(p, q), p, q)


def _w1(laws: Parted, p: Density, q: Density) -> Estimate:
    value, doubt, (apart, noise) = laws.gap.value, laws.gap.doubt, laws.apart
    size, sign = np.abs(value), np.sign(value)
    found, off = laws.cells(size, sign * apart, (doubt, noise), laws.most[4])
    crossed = (value[:-1] * value[1:] <= 0) & (laws.count > 1)
    line, off_line = _crossing(laws, size, doubt)
    found, off = np.where(crossed, line, found), np.where(crossed, off_line, off)
    rest, more = w1_beyond(p, q, float(laws.edges[-1]) - 1)
    total = math.fsum(found) + rest
    return sum_estimate(total, float(np.sum(off)) + more + 4 * EPS * total)


def _crossing(laws: Parted, size: Array, doubt: Array) -> tuple[Array, Array]:
    """Return sums over cells of the sizes of straight lines through 0, and what they are off by."""
    a, b, count = size[:-1], size[1:], laws.count
    height = a + b
    with np.errstate(all="ignore"):
        line = np.where(height > 0, count * (a * a + b * b) / (2 * height), 0.0)
    off = count * (doubt[:-1] + doubt[1:]) + count**3 / 8 * laws.most[2] + height
    return line, off


def _energy(laws: Parted, p: Density, q: Density) -> Estimate:
    value, doubt, (apart, noise) = laws.gap.value, laws.gap.doubt, laws.apart
    step = apart * (2 * value + apart)
    off_step = 2 * (noise * np.abs(value) + doubt * np.abs(apart) + noise * np.abs(apart))
    noises = doubt * (2 * np.abs(value) + doubt), off_step + noise**2
    m = laws.most
    fourth = 2 * m[0] * m[4] + 8 * m[1] * m[3] + 6 * m[2] ** 2
    found, off = laws.cells(value**2, step, noises, fourth)
    rest, more = energy_beyond(p, q, float(laws.edges[-1]) - 1)
    total = 2 * math.fsum(found) + rest
    return sum_estimate(total, 2 * float(np.sum(off)) + more + 4 * EPS * total)


@dataclass(frozen=True)
class Quantiles:
    """Quantiles of one law by levels of one of its ends, as straight lines in cells.

    Attributes:
        level: the levels at which cells begin, ascending.
        start, end: the lines at both ends of every cell.
        off: bounds on what they are off by.
    """

    level: Array
    start: Array
    end: Array
    off: Array

    def at(self, low: Array, high: Array) -> tuple[Array, Array, Array]:
        """Return the line at both ends of pieces of cells, and what it is off by."""
        cell = np.searchsorted(self.level, (low + high) / 2, side="right") - 1
        cell = np.clip(cell, 0, len(self.start) - 1)
        base, width = self.level[cell], self.level[cell + 1] - self.level[cell]
        length, width = self.end[cell] - self.start[cell], np.where(width > 0, width, 1.0)
        ends = [np.clip((level - base) / width, 0, 1) * length for level in (low, high)]
        return self.start[cell] + ends[0], self.start[cell] + ends[1], self.off[cell]


def _quantiles(laws: Parted, side: int, *, from_above: bool) -> Quantiles:
    cells, doubt = laws.sums[side]
    alone = laws.count == 1
    start, end = laws.edges[:-1] - 0.5, laws.edges[1:] - 0.5
    start, end = np.where(alone, laws.edges[:-1], start), np.where(alone, laws.edges[:-1], end)
    first = laws.masses[side].most[1]
    with np.errstate(all="ignore"):
        bend = np.where(cells > 0, laws.count**2 * first / (4 * cells), 1.0)
        off = np.where(alone, 0.0, 0.5 + laws.count * np.minimum(bend, 1.0))
    low = laws.beyond[side] if from_above else 0.0
    if from_above:
        cells, doubt, start, end, off = (x[::-1] for x in (cells, doubt, end, start, off))
    level = low + np.append(0.0, np.cumsum(cells, dtype=np.longdouble)).astype(float)
    moved = np.cumsum(doubt) + EPS * level[1:]
    with np.errstate(all="ignore"):
        share = np.where(cells > 0, 2 * moved / cells, 0.0)
        size = np.abs(end - start) + 1
    return Quantiles(level, start, end, off + size * np.minimum(share, 1e3))


def _w2(laws: Parted, p: Density, q: Density) -> Estimate:
    square, off = 0.0, 0.0
    for from_above in (False, True):
        one, other = (_quantiles(laws, side, from_above=from_above) for side in (0, 1))
        low = max(one.level[0], other.level[0])
        knots = np.unique(np.concatenate([one.level, other.level, np.array([low, 0.5])]))
        knots = knots[(knots >= low) & (knots <= 0.5)]
        left, right = knots[:-1], knots[1:]
        (a, b, more), (c, d, less) = one.at(left, right), other.at(left, right)
        x, y, weight = a - c, b - d, right - left
        square += math.fsum(weight * (x * x + x * y + y * y) / 3)
        off += float(np.sum(weight * (more + less) ** 2))
        if from_above and low > 0:
            sizes = [_size_above(law, of, low) for law, of in ((p, one), (q, other))]
            square += sum(sizes)
            off += 4 * sizes[0] * sizes[1] / max(sum(sizes), 1e-300)
    value = math.sqrt(square)
    return sum_estimate(value, math.sqrt(off) + 4 * EPS * value)


def _size_above(law: Density, quantiles: Quantiles, low: float) -> float:
    """Return ∫ Q² over the levels from above that are less than ``low``."""
    knots = quantiles.level[quantiles.level < low]
    knots = np.append(knots, low)
    a, b, _ = quantiles.at(knots[:-1], knots[1:])
    inner = math.fsum(np.diff(knots) * (a * a + a * b + b * b) / 3)
    if not of_family(law, Zipf):
        return inner
    with mpmath.workdps(40):
        s, start = mpmath.mpf(law.exponent), quantiles.start[0] + 0.5
        return inner + float(mpmath.zeta(s - 2, start) / mpmath.zeta(s))
