"""Distances of laws on 0, 1, 2, ...: finite sums of exact fractions, rounded once."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import accumulate

from gantheory.densities.discrete import Discrete
from gantheory.records import Estimate
from gantheory.rounding import EPS

METHOD = "finite sum"


def _gaps(p: Discrete, q: Discrete) -> list[Fraction]:
    """Return F_p − F_q on [k, k + 1) for k = 0, 1, ..."""
    size = max(len(p.masses), len(q.masses))
    return list(accumulate(a - b for a, b in zip(p.shares(size), q.shares(size), strict=True)))


def wasserstein_of_masses(order: int, p: Discrete, q: Discrete) -> Estimate:
    """Return W1 = Σ abs(F_p − F_q), or W2 by moving mass in the order of the line.

    >>> from gantheory.densities import density
    >>> p, q = density("discrete([1/4, 3/4])"), density("discrete([3/4, 1/4])")
    >>> wasserstein_of_masses(1, p, q)
    Estimate(0.5 ± 2.3e-16, finite sum)
    """
    if order == 1:
        return _rounded(float(sum(map(abs, _gaps(p, q)))))
    return _rounded(math.sqrt(_square(p, q)))


def energy_of_masses(p: Discrete, q: Discrete) -> Estimate:
    """Return the energy distance 2 Σ (F_p − F_q)²."""
    return _rounded(float(2 * sum(gap * gap for gap in _gaps(p, q))))


def _square(p: Discrete, q: Discrete) -> Fraction:
    ours, theirs = list(p.shares(len(p.masses))), list(q.shares(len(q.masses)))
    i = j = 0
    total = Fraction(0)
    while i < len(ours) and j < len(theirs):
        moved = min(ours[i], theirs[j])
        total += moved * (i - j) ** 2
        ours[i] -= moved
        theirs[j] -= moved
        i, j = i + (not ours[i]), j + (not theirs[j])
    return total


def _rounded(value: float) -> Estimate:
    return Estimate(value, 2 * EPS * value, method=METHOD)
