r"""Derivatives of W1 and of the energy distance of counts in a parameter, by cells.

With :math:`E_j = F_p(j-1) - F_q(j-1)` they are :math:`\sum \mathrm{sign}(E_j)\,E_j'` and
:math:`4\sum E_j E_j'`. The next difference of :math:`E'` is that of the masses, p times its score
g, whose own differences follow from those of p and of g:

.. math:: |\Delta^m(pg)| \le \sum_j \tbinom mj |\Delta^{m-j}p|\,|\Delta^j g|.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.counts import Binomial, Counts, Failures, Poisson, Zipf
from gantheory.densities.discrete import Discrete
from gantheory.densities.inherited import of_family
from gantheory.integrals.counting.terms import size_of
from gantheory.integrals.transport.cells import ORDER, Levels, Masses
from gantheory.integrals.transport.count_slopes import KINK
from gantheory.integrals.transport.ladders import (
    energy_of_powers,
    excess_over,
    mass_above,
    sum_estimate,
)
from gantheory.integrals.transport.wide import Parted
from gantheory.records import Estimate
from gantheory.rounding import EPS


@dataclass(frozen=True)
class Moved:
    """How the levels of one law move.

    Attributes:
        masses: the derivatives of masses.
        noise: bounds on their errors.
        level: those of the level below every edge, with bounds on their errors.
        most: bounds on the latter in every cell, and on their differences up to the fourth.
    """

    masses: Masses
    noise: Array
    level: Levels
    most: list[Array]


def slope_of_wide(
    name: str, p: Counts | Discrete, q: Counts | Discrete, side: str, parameter: str
) -> Estimate:
    """Return the derivative of ``"w1"`` or ``"energy"`` in a parameter of the law p or q.

    >>> from gantheory.densities import density
    >>> p, q = density("geometric(1e-9)"), density("geometric(2e-9)")
    >>> float(f"{slope_of_wide('w1', p, q, 'p', 'p').value:.9g}")  # of 1/p − 1/q
    -1e+18
    """
    laws = Parted.of(p, q)
    k = "pq".index(side)
    moved = _moved(laws, (p, q)[k], k, parameter)
    last = float(laws.edges[-1]) - 1
    value, error = (_w1 if name == "w1" else _energy)(laws, moved)
    rest, more = _beyond(name, (p, q), k, last)
    value, error = value + rest, error + more
    error += 4 * EPS * abs(value)
    if name == "w1" and error > 1e-2 * abs(value):
        return Estimate.undetermined(KINK.format(name="W1"))
    return sum_estimate(value, error)


def _moved(laws: Parted, law: Any, k: int, parameter: str) -> Moved:
    edges, own = laws.edges, laws.masses[k]
    inside = np.clip(edges, law.first, law.last)
    with np.errstate(all="ignore"):
        score = np.where(own.value > 0, law.scores(parameter, inside), 0.0)
        grown = _score_steps(law, parameter, inside)
        logs = np.abs(np.log(np.where(own.value > 0, own.value, 1.0)))
        rounding = EPS * (24 + logs + size_of(law, inside)) * np.abs(score)
        rounding = rounding + EPS * law.score_size(parameter, inside)
    value = own.value * score
    step = own.step[0] * (score + grown[0]) + own.value * grown[0]
    noise = own.value * np.where(own.value > 0, rounding, 0.0)
    off = own.step[1] * np.abs(score) + np.abs(own.step[0]) * rounding + 8 * EPS * np.abs(step)
    top = np.maximum(np.abs(score[:-1]), np.abs(score[1:])) + ORDER * np.abs(grown[0][:-1])
    steps = [top, *(np.abs(g[:-1]) for g in grown)]
    most = [
        sum(math.comb(m, j) * own.most[m - j] * steps[j] for j in range(m + 1))
        for m in range(ORDER + 1)
    ]
    masses = Masses(value, (step, off), tuple(most))
    return _levels(laws, masses, noise, law, parameter, 1.0 if k == 0 else -1.0)


def _levels(
    laws: Parted, masses: Masses, noise: Array, law: Any, parameter: str, sign: float
) -> Moved:
    """Return how the levels of p − q move."""
    value, (step, off) = sign * masses.value, masses.step
    cells, doubt = laws.cells(value, sign * step, (noise, off), masses.most[4])
    beyond, _ = _tail(mass_above, law, float(laws.edges[-1]) - 1)
    level = Levels.of(cells, doubt, laws.split, sign * beyond)
    most = list(masses.most[:-1])
    size = np.abs(level.value) + level.doubt
    first = np.maximum(size[:-1], size[1:]) + laws.count * most[0]
    signed = Masses(value, (sign * step, off), masses.most)
    return Moved(signed, noise, level, [first, *most])


def _score_steps(law: Any, parameter: str, k: Array) -> list[Array]:
    """Return the first difference of a score at k, and bounds on its next ones from there on."""
    if of_family(law, Zipf):
        return [-np.log1p(1 / k), *(math.factorial(j - 1) / k**j for j in range(2, ORDER + 1))]
    if of_family(law, Failures) and parameter == "r":
        x = k + law.successes
        return [1 / x, *(math.factorial(j - 1) / x**j for j in range(2, ORDER + 1))]
    if of_family(law, Poisson):
        first = 1 / law.rate
    elif of_family(law, Failures):
        first = -1 / (1 - law.p)
    else:
        assert of_family(law, Binomial)
        first = 1 / (law.p * (1 - law.p))
    return [np.full_like(k, first), *[np.zeros_like(k)] * (ORDER - 1)]


def _energy(laws: Parted, moved: Moved) -> tuple[float, float]:
    """Return 4 ΣEE', and a bound on its error."""
    (gap, off), (apart, noise), own = (laws.gap.value, laws.gap.doubt), laws.apart, moved
    level, doubt, speed = own.level.value, own.level.doubt, own.masses.value
    value = gap * level
    step = gap * speed + level * apart + apart * speed
    lost = off * np.abs(level) + doubt * np.abs(gap) + off * doubt
    lost_step = off * np.abs(speed) + (np.abs(gap) + np.abs(apart)) * own.noise
    lost_step = lost_step + doubt * np.abs(apart) + (np.abs(level) + np.abs(speed)) * noise
    fourth = np.sum([math.comb(4, j) * laws.most[j] * own.most[4 - j] for j in range(5)], axis=0)
    found, error = laws.cells(value, step, (lost, lost_step), fourth)
    return 4 * math.fsum(found), 4 * float(np.sum(error))


def _w1(laws: Parted, moved: Moved) -> tuple[float, float]:
    """Return Σ sign(E) E', and a bound on its error; E is a straight line where it is 0."""
    gap, doubt, level = laws.gap.value, laws.gap.doubt, moved.level.value
    noises = moved.level.doubt, moved.noise
    found, error = laws.cells(level, moved.masses.value, noises, moved.most[4])
    a, b, count = gap[:-1], gap[1:], laws.count
    unsure = np.minimum(np.abs(a) - doubt[:-1], np.abs(b) - doubt[1:]) <= 0
    crossed = (a * b <= 0) | unsure
    with np.errstate(all="ignore"):
        share = np.clip(np.where(a != b, a / (a - b), 0.5), 0, 1)
        bent = (doubt[:-1] + doubt[1:] + count**2 / 8 * laws.most[2]) / np.abs(b - a)
        astray = np.where(np.isfinite(bent), np.minimum(bent, 1.0), 1.0)
    astray = np.where(unsure & (a * b > 0), 1.0, astray)
    start, end = level[:-1], level[1:]
    before = count * share * (start + (end - start) * share / 2)
    line = np.sign(a - b) * (2 * before - count * (start + end) / 2)
    off = 2 * (count * astray + 1) * moved.most[0] + count**3 / 6 * moved.most[2]
    value = np.where(crossed, line, np.sign(a + b) * found)
    error = np.where(crossed, off + error, error)
    known = np.abs(a) > doubt[:-1]
    value = np.where(count == 1, np.where(known, np.sign(a) * start, 0.0), value)
    alone = noises[0][:-1] + np.where(known, 0.0, np.abs(start))
    return math.fsum(value), float(np.sum(np.where(count == 1, alone, error)))


def _beyond(name: str, laws: tuple[Any, Any], k: int, last: float) -> tuple[float, float]:
    """Return what lies beyond the last cell, of laws that fall like a power, and its error."""
    if not of_family(laws[k], Zipf):
        return 0.0, 0.0
    if name == "w1":
        (speed, size), (_, other) = (
            _tail(excess_over, law, last) for law in (laws[k], laws[1 - k])
        )
        value = speed if size >= other else -speed
        return value, 64 * EPS * abs(value)

    def above(exponent: Any) -> Any:
        moved = [exponent if j == k else law.exponent for j, law in enumerate(laws)
                 if of_family(law, Zipf)]  # fmt: skip
        signs = [1 - 2 * j for j, law in enumerate(laws) if of_family(law, Zipf)]
        return energy_of_powers(list(zip(moved, signs, strict=True)), last)[0]

    s = laws[k].exponent
    with mpmath.workdps(60):
        value = float(mpmath.diff(above, mpmath.mpf(s)))
    return value, abs(value) * (64 * EPS + (s / last) ** 2)


def _tail(of: Any, law: Any, last: float) -> tuple[float, float]:
    """Return the derivative in the exponent of what a Zipf law has beyond, and that itself."""
    if not of_family(law, Zipf):
        return 0.0, 0.0
    with mpmath.workdps(60):
        s = mpmath.mpf(law.exponent)
        return float(mpmath.diff(lambda x: of(x, last), s)), float(of(s, last))
