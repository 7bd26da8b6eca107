"""Distances of two samples on the line, from their steps: exact counts, rounded lengths."""

from __future__ import annotations

import math

import numpy as np

from gantheory.densities.base import Array


def _gaps(x: Array, y: Array) -> tuple[Array, Array]:
    """Return F_x − F_y between consecutive points of both samples, and the lengths between."""
    places = np.sort(np.concatenate([x, y]))
    n, m = len(x), len(y)
    ours = np.searchsorted(np.sort(x), places[:-1], side="right").astype(np.int64)
    theirs = np.searchsorted(np.sort(y), places[:-1], side="right").astype(np.int64)
    return (ours * m - theirs * n) / (n * m), np.diff(places)


def empirical_w1(x: Array, y: Array) -> float:
    """Return W1 = ∫ abs(F − G)."""
    gap, length = _gaps(x, y)
    return math.fsum(np.abs(gap) * length)


def empirical_energy(x: Array, y: Array) -> float:
    """Return the energy distance 2∫(F − G)²."""
    gap, length = _gaps(x, y)
    return 2 * math.fsum(gap**2 * length)


def ks(x: Array, y: Array) -> float:
    """Return the Kolmogorov-Smirnov distance max abs(F − G)."""
    gap, length = _gaps(x, y)
    return float(np.max(np.abs(gap[length > 0]), initial=0.0))


def empirical_w2(x: Array, y: Array) -> float:
    """Return W2: the draws are moved in the order of the line."""
    return math.sqrt(square_of_w2(np.sort(x), np.sort(y)))


def square_of_w2(x: Array, y: Array) -> float:
    """Return W2² of sorted samples, from the exact levels at which either quantile jumps."""
    apart, weight = between_levels(x, y)
    return math.fsum(apart**2 * weight)


def between_levels(x: Array, y: Array) -> tuple[Array, Array]:
    """Return the gaps of two sorted samples' quantiles between jumps, and the levels' lengths.

    Args:
        x, y: shape (n,) and (m,), or (n, k) and (m, k): k pairs of samples, each sorted.
    """
    n, m = len(x), len(y)
    if n == m:
        return x - y, np.full(n, 1 / n)
    levels = np.union1d(np.arange(n + 1) * m, np.arange(m + 1) * n)  # in units of 1/(n·m)
    middle = levels[:-1]
    return x[middle // m] - y[middle // n], np.diff(levels) / (n * m)
