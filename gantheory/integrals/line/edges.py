"""Ends of supports that are rounded: the end of loc + scale·X need not be a binary64 number.

Whether one support holds the other is decided from the exact ends
(`gantheory.integrals.kernels.infinite`).
An integral is taken between the rounded ones, which keep that order but may meet where the exact
ones do not: what lies between a rounded end and the exact one then counts for the wrong law.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from gantheory.densities.univariate import Place, Points, Univariate, nearest
from gantheory.divergences.ratio import Ratio
from gantheory.divergences.stable import Integrand
from gantheory.integrals.line.integrals import Pair

SAFETY = 4.0  # the strip is as wide as the end is moved, or twice that where two of them are


def rounded_ends(integrand: Integrand, pair: Pair, parameter: str | None = None) -> float:
    """Return a bound on what the strips between rounded and exact ends may hold of an integral.

    With a ``parameter`` of q the integrand is times that score.
    """
    # an end that both laws have is moved for both alike, as by a change of the axis
    moved = [
        place for place in pair.p.exact_breaks ^ pair.q.exact_breaks if place != nearest(place)
    ]
    return sum(
        _strip(integrand, pair, parameter, place, side) for place in moved for side in (-1, +1)
    )


def _strip(
    integrand: Integrand, pair: Pair, parameter: str | None, place: Place, side: int
) -> float:
    """Return what a strip beside an end may hold: both laws there, or one of them alone."""
    end = nearest(place)
    moved = abs(float(place - Fraction(end)))
    one = np.ones(1)
    at = Points(end * one, side * one, moved * one, math.log(moved) * one)
    with np.errstate(all="ignore"):
        log_p, log_q = pair.p.log_density(at), pair.q.log_density(at)
        nothing = np.full(1, -np.inf)
        both = [(log_p, log_q), (log_p, nothing), (nothing, log_q)]
        # which of the two lies alone is decided exactly: where that is infinite it does not
        size = sum(x for pair in both if math.isfinite(x := _size(integrand, *pair)))
        if parameter and size:
            size *= abs(float(pair.q.scores(parameter, at)[0])) + pair.q.score_size(parameter)
    return SAFETY * moved * size * max(_steepness(law, end, side) for law in (pair.p, pair.q))


def _size(integrand: Integrand, log_p: np.ndarray, log_q: np.ndarray) -> float:
    if np.isneginf(log_p[0]) and np.isneginf(log_q[0]):
        return 0.0
    weight, mantissa = integrand(Ratio.of(log_p, log_q))
    return 0.0 if np.isneginf(weight[0]) else float(np.abs(np.exp(weight[0]) * mantissa[0]))


def _steepness(law: Univariate, end: float, side: int) -> float:
    """Return ∫ y^−a dy over a strip as a multiple of its width times the density at its far end."""
    tail = law.tail(end, side)
    power = 0.5 if tail is None else float(tail.log)
    return 1 / (1 - power) if 0 < power < 1 else 1.0
