"""Distances between samples and a known law on the line, from its distribution function."""

from __future__ import annotations

import math

import numpy as np
from scipy.integrate import tanhsinh

from gantheory.densities.base import Array
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError

EPS = 2.0**-52
_X, _W = np.polynomial.legendre.leggauss(12)
_HALF_X, _HALF_W = np.polynomial.legendre.leggauss(6)


def against(name: str, points: Array, law: Univariate) -> tuple[float, float]:
    """Return W1, the energy or the Kolmogorov-Smirnov distance of samples and a law, with error."""
    x = np.sort(points)
    n = len(x)
    if name == "ks":
        below, above = np.asarray(law.cdf(x)), np.asarray(law.sf(x))
        k = np.arange(1, n + 1)
        steps = np.concatenate([k / n - below, below - (k - 1) / n, above - (n - k) / n])
        return float(np.max(np.abs(steps[: 2 * n]))), 8 * EPS
    power = 1 if name == "w1" else 2
    tails, off = _tails(law, x, power)
    inner, error = _between(law, x, power)
    scale = 1.0 if power == 1 else 2.0
    return scale * (inner + tails), scale * (error + off)


def _between(law: Univariate, x: Array, power: int) -> tuple[float, float]:
    """Return ∫ abs(F − G)^power between the first and the last point, and what its rule misses.

    Each stretch is cut where the law's distribution function crosses the sample's, and at the
    law's own breakpoints.
    """
    n = len(x)
    crossings = np.asarray(law.ppf(np.arange(1, n) / n), float) if n > 1 else np.empty(0)
    marks = [c + k * w for c, w in law.centers for k in (-6, -3, -1, 0, 1, 3, 6)]
    cuts = np.unique(np.concatenate([x, crossings, law.breakpoints, marks]))
    cuts = cuts[(cuts >= x[0]) & (cuts <= x[-1])]
    if len(cuts) < 2:
        return 0.0, 0.0
    low, high = cuts[:-1, None], cuts[1:, None]
    level = np.searchsorted(x, (low + high)[:, 0] / 2, side="right")[:, None] / n

    def rule(nodes: Array, weights: Array) -> Array:
        places = (low + high) / 2 + (high - low) / 2 * nodes
        gap = np.abs(np.asarray(law.cdf(places)) - level)
        return gap**power @ weights * (high - low)[:, 0] / 2

    fine, coarse = rule(_X, _W), rule(_HALF_X, _HALF_W)
    value = math.fsum(fine)
    rounding = 16 * EPS * float(x[-1] - x[0])
    return value, float(np.sum(np.abs(fine - coarse))) + rounding


def _tails(law: Univariate, x: Array, power: int) -> tuple[float, float]:
    """Return ∫ F^power below the first point and ∫ (1 − F)^power beyond the last one."""
    _check(law, power)
    low, high = law.support
    marks = [c + k * w for c, w in law.centers for k in (-30, -6, -3, -1, 0, 1, 3, 6, 30)]
    pieces = []
    if low < x[0]:
        inner = sorted({m for m in (*marks, *law.breakpoints) if low < m < x[0]})
        pieces.append((law.cdf, [low, *inner, float(x[0])]))
    if high > x[-1]:
        inner = sorted({m for m in (*marks, *law.breakpoints) if x[-1] < m < high})
        pieces.append((law.sf, [float(x[-1]), *inner, high]))
    value = error = 0.0
    for share, cuts in pieces:
        found = tanhsinh(
            lambda t, share=share: np.asarray(share(t)) ** power, cuts[:-1], cuts[1:], rtol=1e-12
        )
        value += float(np.sum(found.integral))
        error += 8 * float(np.sum(found.error))
    return value, error + 16 * EPS * value


def _check(law: Univariate, power: int) -> None:
    """Raise where a tail of the law makes the distance infinite, or is not known."""
    for far, side in ((-math.inf, 1), (math.inf, -1)):
        tail = law.tail(far, side) if far in law.support else None
        if tail is not None and tail.is_algebraic and power * (tail.log + 1) >= -1:
            raise GantheoryError(
                f"{law} has a tail so heavy that its distance from any sample is infinite"
            )
