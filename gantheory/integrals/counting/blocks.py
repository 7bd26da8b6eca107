r"""Sums of many terms, written out only where they are not smooth.

A block is parted into panels. On each the terms at 16 whole numbers are interpolated by a
polynomial, whose sum over all numbers of the panel is known: in the polynomials :math:`t_n` that
are orthogonal over 0, ..., N − 1 it is N times the first coefficient, and

.. math:: (n+1)\,t_{n+1} = (2n+1)\,\xi\,t_n - n\,(1 - n^2/N^2)\,t_{n-1}, \quad
   \xi = (2k - N + 1)/N.

A panel counts where its halves sum to the same, by what they differ; else they take its place,
down to panels that are written out. Source of the recurrence: P. L. Chebyshev (1875), Sur
l'interpolation des valeurs équidistantes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.counts import Counts
from gantheory.errors import InternalError
from gantheory.integrals.counting.terms import Sum, Terms, ends_of
from gantheory.rounding import EPS

WHOLE = 1 << 15  # terms that are written out at once
CHUNK = 1 << 17
SHORT = 128  # numbers of a panel that is written out
ROUNDS = 60
MOST = 1 << 23  # terms: seconds
LARGE = "a term of the sum is more than binary64 holds"
_NODES = np.polynomial.legendre.leggauss(16)[0]


def joined(*parts: Sum) -> Sum:
    """Return the sum of sums."""
    reason = next((part.reason for part in parts if part.reason), None)
    value, error, size = (
        math.fsum(getattr(part, name) for part in parts) for name in ("value", "error", "size")
    )
    return Sum(value, error, size, sum(part.count for part in parts), reason)


def block(terms: Terms, low: float, high: float) -> Sum:
    """Return the sum from ``low`` to ``high``."""
    if high - low <= WHOLE:
        return _written_out(terms, np.arange(low, high + 1))
    edges = _edges(terms, low, high)
    start, end = edges[:-1], edges[1:] - 1
    found, size = Sum(0.0, 0.0, 0.0, 0), 0.0
    for _ in range(ROUNDS):
        short = end - start < SHORT
        found = joined(found, _written_out(terms, _numbers(start[short], end[short])))
        start, end = start[~short], end[~short]
        if not len(start):
            return found
        if found.count > MOST:
            reason = f"{terms.p} and {terms.q} need more than {MOST:.0e} terms"
            return Sum(math.nan, math.inf, 0.0, found.count, reason)
        with np.errstate(invalid="ignore"):  # a term may be too large
            found, start, end, size = _halved(terms, found, start, end, size)
        if not math.isfinite(size):
            return Sum(math.nan, math.inf, size, found.count, LARGE)
    raise InternalError("a panel of whole numbers is halved no more than 60 times")


def _halved(
    terms: Terms, found: Sum, start: Array, end: Array, size: float
) -> tuple[Sum, Array, Array, float]:
    """Return the sum with the panels that are settled, the halves of the others, and the size."""
    middle = np.floor((start + end) / 2)
    left, right = np.stack([start, middle + 1]), np.stack([middle, end])
    whole, _, _ = _interpolated(terms, start, end)
    halves, noise, sizes = _interpolated(terms, left, right)
    value, noise, sizes = halves.sum(0), noise.sum(0), sizes.sum(0)
    size = max(size, found.size + float(np.sum(sizes)))
    apart = np.abs(value - whole)
    settled = apart <= 1e-16 * size + 2 * noise
    kept = Sum(
        math.fsum(value[settled]),
        float(np.sum((apart + noise)[settled])) + EPS * float(np.sum(sizes[settled])),
        float(np.sum(sizes[settled])),
        3 * 16 * len(start),
    )
    return joined(found, kept), left[:, ~settled].ravel(), right[:, ~settled].ravel(), size


def _written_out(terms: Terms, k: Array) -> Sum:
    value, error, size = [0.0], 0.0, 0.0
    for at in range(0, len(k), CHUNK):
        found, noise = terms(k[at : at + CHUNK])
        value.append(math.fsum(found))
        error += float(np.sum(noise))
        size += float(np.sum(np.abs(found)))
    return Sum(math.fsum(value), error, size, len(k))


def _numbers(start: Array, end: Array) -> Array:
    """Return the whole numbers of panels."""
    count = (end - start + 1).astype(int)
    offsets = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(start, count) + offsets


def _edges(terms: Terms, low: float, high: float) -> Array:
    """Return where panels start: they double away from the middles and the ends of laws."""
    found = [np.array([low, high + 1])]
    away = 2.0 ** np.arange(-2, 60)
    for law in (terms.p, terms.q):
        first, last = ends_of(law)
        if isinstance(law, Counts):
            center, width = law.center
            found += [center + width * away, center - width * away, np.array([center])]
            found += [end + side * away for end in (first, last) for side in (-1.0, 1.0)]
        else:
            found.append(np.arange(first, last + 1 + SHORT, SHORT))
    edges = np.concatenate(found)
    return np.unique(np.round(edges[(edges >= low) & (edges <= high + 1)]))


def _interpolated(terms: Terms, start: Array, end: Array) -> tuple[Array, Array, Array]:
    """Return sums over panels of at least 64 numbers, their rounding errors and their sizes."""
    count = (end - start + 1)[..., None]
    at = np.round((count - 1) * (1 + _NODES) / 2)
    weights = _weights(at, count)
    value, noise = _apart(terms, start[..., None] + at)
    return (
        np.sum(weights * value, -1),
        np.sum(np.abs(weights) * noise, -1),
        np.sum(np.abs(weights * value), -1),
    )


def _apart(terms: Callable[[Array], tuple[Array, Array]], k: Array) -> tuple[Array, Array]:
    value, noise = terms(k.ravel())
    return value.reshape(k.shape), noise.reshape(k.shape)


def _weights(at: Array, count: Array) -> Array:
    """Return the weights of terms at whole numbers in the sum over 0, ..., count − 1."""
    place = (2 * at - count + 1) / count
    rows = [np.ones_like(place), place]
    for n in range(1, len(_NODES) - 1):
        below = n * (1 - (n / count) ** 2) * rows[-2]
        rows.append(((2 * n + 1) * place * rows[-1] - below) / (n + 1))
    moments = np.zeros_like(place)
    moments[..., 0] = count[..., 0]
    return np.asarray(np.linalg.solve(np.stack(rows, -2), moments[..., None])[..., 0])
