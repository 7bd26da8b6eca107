r"""The rest of a sum whose terms fall like a power, by an integral over the logarithm of k.

:math:`\sum_{k>h} f(k) = \int f + f'(h)/24 - 7f'''(h)/5760 + \dots` from h + ½ on (Euler and
Maclaurin). Where one of two laws falls faster than a power, log p − log q leaves binary64 far
out, while :math:`k f(k) k^{-c}` has become a polynomial in log k: it is fitted, held against more
places than it needs, and integrated.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.integrate import tanhsinh

from gantheory.densities.base import Array
from gantheory.integrals.counting.terms import FAR, Sum, Terms, slope_in_log
from gantheory.rounding import EPS

DOUBLINGS = 30  # of log k, over which the rest of a sum that falls like a power is integrated
LEFT = 1e-18  # of the sum: what may be left out
STRAIGHT = 60.0  # of log k: from there on a law that falls faster than a power has nothing
PLACES = 12  # of log k, at which what is left is looked at
DEGREES = 4  # of polynomials in log k
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)


def beyond(terms: Terms, high: float) -> Sum:
    """Return Σ over k > high of terms that fall like a power, by the midpoint rule's own sum."""
    h = high + 0.5
    edges = math.log(h) + np.append(0.0, 2.0 ** np.arange(-1, DOUBLINGS))
    bent = math.inf in (-slope_in_log(terms.p), -slope_in_log(terms.q))  # log P is no line in log k
    bent = bent and (terms.score is not None or not np.all(np.isfinite(terms.in_log(edges)[0])))
    if bent:
        edges = np.unique(np.minimum(edges, max(STRAIGHT, math.log(h) + 1)))
    height = np.abs(terms.in_log(edges)[0]) * np.diff(edges, append=2 * edges[-1])
    most = float(np.max(height))
    count = int(np.nonzero(height > LEFT * most)[0][-1]) + 1 if most else 1
    low, top = edges[:-1][:count], edges[1:][:count]
    found = tanhsinh(
        lambda t: terms.in_log(t)[0], low, top, rtol=1e-13, atol=LEFT * most, maxlevel=12
    )
    parts = np.asarray(found.integral)
    half = (top - low)[:, None] / 2
    _, noise = terms.in_log(low[:, None] + half * (1 + _NODES))
    step = 1e-2 * h
    near = h + step * np.arange(5.0)
    places = terms.in_log(np.log(near))[0] / near
    slope = float(np.dot([-25 / 12, 4, -3, 4 / 3, -1 / 4], places)) / step
    third = float(np.abs(np.diff(places, 3)).max()) / step**3
    size = float(np.sum(np.abs(parts)))
    error = 8 * float(np.sum(found.error)) + float(np.sum((noise @ _WEIGHTS) * half[:, 0]))
    error += third * 7 / 2880 + abs(slope) * 1e-5 + 8 * EPS * size
    value = math.fsum(parts) + slope / 24
    if count == len(edges):
        rest, off = _far(terms, float(edges[-1])) if bent else (0.0, math.inf)
        value, error, size = value + rest, error + off, size + abs(rest)
    return Sum(value, error, size, int(np.sum(found.nfev)))


def _far(terms: Terms, start: float) -> tuple[float, float]:
    """Return the integral from log k = ``start`` on, and a bound on its error."""
    power = float(1 + max(s for s in map(slope_in_log, (terms.p, terms.q)) if math.isfinite(s)))
    span = min(FAR - 10, 600 / max(-power, 1e-3)) - start  # so far a mass is no less than e^-600
    x = span * (1 - np.cos(np.pi * (np.arange(PLACES) + 0.5) / PLACES)) / 2
    value, noise = terms.in_log(start + x)
    with np.errstate(all="ignore"):
        seen = math.log(abs(value[-1] / value[-2])) / (x[-1] - x[-2])
        fall = power + round(seen - power) if math.isfinite(seen) else 0.0
        height, off = value * np.exp(-fall * x), noise * np.exp(-fall * x)
    if not (span > 0 > fall and np.all(np.isfinite(height) & np.isfinite(off))):
        return 0.0, math.inf
    off = off + 8 * EPS * np.abs(height)
    unit = 1 / -fall  # in which a polynomial under an exponential has moments j!
    for degree in range(DEGREES + 1):
        rows: Array = (x[:, None] / unit) ** np.arange(degree + 1)
        inverse = np.linalg.pinv(rows)
        fitted = inverse @ height
        if np.all(np.abs(rows @ fitted - height) <= 4 * off):
            moments = unit * np.array([math.factorial(j) for j in range(degree + 1)])
            rounding = np.abs(inverse) @ (4 * off)
            return float(moments @ fitted), float(moments @ rounding)
    return 0.0, math.inf
