r"""Sums of counts that are spread over too many numbers to be summed one by one.

The whole numbers are parted into cells :math:`b_i, ..., b_{i+1} - 1`. A sum over a cell of n
numbers is that of the cubic with its values and next steps at both ends, which is off by at most

.. math:: \tfrac1{24}\sum_j j(j-1)(n-j)(n+1-j)\,\max|\Delta^4 f|
   \le \tfrac{(n+1)^5}{720}\max|\Delta^4 f|.

Masses of a named family have a monotone ratio :math:`p_{k+1}/p_k = 1 + \rho_k`, so that
:math:`\Delta^m p = p\,g_m` with :math:`g_1 = \rho` and
:math:`g_{m+1} = \rho g_m + (1 + \rho)\,\Delta g_m`, which the ends of a cell bound. Cells of
one number are exact. Source: the remainder of Hermite's interpolation, e.g. P. J. Davis (1963),
Interpolation and Approximation, 3.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gantheory.densities.base import Array, Density
from gantheory.densities.counts import Binomial, Counts, Failures, Poisson, Zipf
from gantheory.densities.discrete import Discrete
from gantheory.densities.inherited import of_family
from gantheory.integrals.transport.ladders import REACH
from gantheory.rounding import EPS

COUNT = 1 << 13  # cells of one law on either side of its middle
NEAR = 4.0  # widths from the middle up to which cells are of nearly one size
RATIO = 2e-3  # by which cells grow away from the first number
FURTHEST = 2.0**52  # whole numbers that binary64 tells apart
ORDER = 4  # of the differences that are bounded
FAMILIES = (Poisson, Failures, Binomial, Zipf)


@dataclass(frozen=True)
class Masses:
    """One law's masses at the edges of cells.

    Attributes:
        value: the masses.
        step: the next differences, and what they are rounded by.
        most: bounds on the masses, and on their differences up to the fourth, in every cell.
    """

    value: Array
    step: tuple[Array, Array]
    most: tuple[Array, ...]


def can_part(*laws: Density) -> bool:
    """Whether the differences of the laws' masses are known."""
    return all(any(of_family(law, kind) for kind in (Discrete, *FAMILIES)) for law in laws)


def edges_of(p: Counts | Discrete, q: Counts | Discrete, finer: int = 1) -> Array:
    """Return the numbers at which cells start, in order, and the end of the last."""
    found = np.unique(np.round(np.concatenate([_edges(law, finer) for law in (p, q)])))
    return found[(found >= 0) & (found <= FURTHEST)]


def _edges(law: Counts | Discrete, finer: int) -> Array:
    if isinstance(law, Discrete):
        return np.arange(-1.0, len(law.masses) + 2)
    if of_family(law, Zipf):
        return _from(law.first, FURTHEST, finer)
    middle, width = law.center
    grown = np.linspace(-1, 1, 2 * finer * COUNT + 1) * math.asinh(REACH / NEAR)
    around = middle + NEAR * width * np.sinh(grown)
    ends = [end + np.arange(-1.0, 3) for end in (law.first, law.last) if math.isfinite(end)]
    found = np.concatenate([around, *ends, _from(law.first, middle + REACH * width, finer)])
    return found[(found >= law.first - 1) & (found <= law.last + 2)]


def _from(first: float, last: float, finer: int) -> Array:
    """Return numbers whose distances from the first one grow by one ratio."""
    ratio = RATIO / finer
    away = np.exp(np.arange(0.0, math.log(max(last - first, 2.0)) + ratio, ratio))
    return np.append(first + np.array([-1.0, 0.0]), first + away)


def masses_of(law: Counts | Discrete, edges: Array, value: Array) -> Masses:
    """Return what is known of masses whose values at the edges are given."""
    most = np.maximum(value[:-1], value[1:])
    zero = np.zeros_like(most)
    if isinstance(law, Discrete):
        return Masses(value, (np.zeros_like(value),) * 2, (most, zero, zero, zero, zero))
    several = (np.diff(edges) > 1) & (most > 0)
    with np.errstate(all="ignore"):
        ratio, off = _ratio(law, edges)
        last = _ratio(law, edges[1:] + ORDER)[0]
        size = np.maximum(np.abs(ratio[:-1]), np.abs(last))
        grown = np.where(ratio[:-1] * last < 0, np.diff(edges), 0.0) + ORDER
        most = most * np.exp(grown * np.log1p(size))
        relative = _relative(size, _further(law, edges[:-1]))
        found = [np.where(several, most * bound, 0.0) for bound in relative]
        step = np.where(value > 0, value * ratio, 0.0)
        rounding = np.where(value > 0, EPS * (value * off + 16 * np.abs(step)), 0.0)
    return Masses(value, (step, rounding), (most, *found))


def _relative(size: Array, further: list[Array]) -> list[Array]:
    """Return bounds on g_1 to g_4, of bounds on abs(ρ) and on its differences."""
    steps = [size, *further]
    rows = [steps]
    for left in range(ORDER - 1, 0, -1):
        last = rows[-1]
        rows.append([
            sum(
                math.comb(j, i) * (steps[i] * last[j - i] + (steps[i] + (i == 0)) * last[j - i + 1])
                for i in range(j + 1)
            )
            for j in range(left)
        ])  # fmt: skip
    return [row[0] for row in rows]


def _ratio(law: Counts, k: Array) -> tuple[Array, Array]:
    """Return ρ, and how many roundings it is off by."""
    if of_family(law, Poisson):
        return (law.rate - k - 1) / (k + 1), 4 * (law.rate + k) / (k + 1)
    if of_family(law, Failures):
        r, p = law.successes, law.p
        return (r - 1 - p * (k + r)) / (k + 1), 4 * (abs(r - 1) + p * (k + r)) / (k + 1)
    if of_family(law, Binomial):
        won = np.maximum(law.n - k, 0.0) * law.p / (1 - law.p)
        return (won - k - 1) / (k + 1), 4 * (won + k) / (k + 1)
    assert of_family(law, Zipf)
    found = np.expm1(-law.exponent * np.log1p(1 / k))
    return found, 4 * np.abs(found)


def _further(law: Counts, k: Array) -> list[Array]:
    """Return bounds on the first three differences of ρ at k and after it."""
    if of_family(law, Zipf):  # derivatives of exp(−s·log(1 + 1/k)), no larger than 1
        s = law.exponent
        one, two, three = s / k**2, 2 * s / k**3, 6 * s / k**4
        return [one, one**2 + two, one**3 + 3 * one * two + three]
    if of_family(law, Poisson):
        scale = law.rate
    elif of_family(law, Failures):
        scale = abs(law.successes - 1) * (1 - law.p)
    else:
        assert of_family(law, Binomial)
        scale = (law.n + 1) * law.p / (1 - law.p)
    one = scale / ((k + 1) * (k + 2))
    two = 2 * one / (k + 3)
    return [one, two, 3 * two / (k + 4)]


def summed(count: Array, value: Array, step: Array) -> Array:
    """Return sums over cells of the cubics with the values and the next steps at their edges."""
    left, right, before, after = value[:-1], value[1:], step[:-1], step[1:]
    line = 0.5 * count * (left + right) + 0.5 * (left - right)
    bent = (count - 1) / 4 * (after + before) - (count**2 - 1) / 12 * (after - before)
    return np.where(count == 1, left, line + bent - 0.5 * (right - left - before))


def off_cubic(count: Array, fourth: Array) -> Array:
    """Return bounds on what such sums are off by, of bounds on fourth differences."""
    return np.where(count == 1, 0.0, (count + 1) ** 5 / 720 * fourth)


@dataclass(frozen=True)
class Levels:
    """What lies below every edge up to a split, and minus what lies above beyond it.

    Attributes:
        value: at the edges.
        doubt: bounds on the errors.
    """

    value: Array
    doubt: Array

    @staticmethod
    def of(cells: Array, doubt: Array, split: int, beyond: float = 0.0) -> Levels:
        """Return the levels of a law, or of a difference of laws, from its sums over cells."""
        below = np.cumsum(cells[:split], dtype=np.longdouble)
        above = np.cumsum(cells[: split - 1 : -1], dtype=np.longdouble)[::-1] + beyond
        value = np.concatenate([[0.0], below, -above[1:], [-beyond]]).astype(float)
        off_below = np.append(0.0, np.cumsum(doubt[:split]))
        off_above = np.append(np.cumsum(doubt[: split - 1 : -1])[::-1], 0.0)[1:]
        off = np.concatenate([off_below, off_above])
        return Levels(value, off + EPS * np.abs(value))
