"""Distances of two samples in space: optimal transport, means over directions, kernels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from gantheory.densities.base import Array
from gantheory.errors import GantheoryError, require
from gantheory.integrals.empirical.line import between_levels
from gantheory.rounding import EPS

MOST_PAIRS = 25_000_000  # of distances held at once: 200 MB
DIRECTIONS = 1000
CHUNK = 2000
AT_ONCE = 1 << 21  # numbers along several directions
Kernel = Callable[[Array], Array]  # of squared distances


def as_rows(points: Array) -> Array:
    """Return points of shape (n, dim)."""
    return points.reshape(len(points), -1)


def transport(order: int, x: Array, y: Array) -> tuple[float, float]:
    """Return W1 or W2 and its rounding, by an optimal assignment or the network simplex of POT."""
    x, y = as_rows(x), as_rows(y)
    if len(x) * len(y) > MOST_PAIRS:
        raise GantheoryError(
            f"w{order} of {len(x)} and {len(y)} points in space needs {len(x) * len(y):.0e} "
            f"distances; take at most {math.isqrt(MOST_PAIRS)} points of each, or sliced_w{order}"
        )
    cost = cdist(x, y) if order == 1 else cdist(x, y, "sqeuclidean")
    if len(x) == len(y):
        value = math.fsum(cost[linear_sum_assignment(cost)]) / len(x)
    else:
        require(f"w{order} of samples of different sizes in space", "samples", "ot")
        import ot

        value = float(ot.emd2(*(np.full(n, 1 / n) for n in cost.shape), cost))
    noise = EPS * len(x) * float(cost.max())
    if order == 1:
        return value, noise
    root = math.sqrt(max(value, 0.0))
    return root, noise / root if root > math.sqrt(noise) else math.sqrt(noise)


def directions(dim: int, seed: int) -> Array:
    """Return unit vectors: in the plane evenly spaced over half a turn, else drawn at random."""
    if dim == 2:
        angle = (np.arange(DIRECTIONS) + 0.5) * math.pi / DIRECTIONS
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)
    drawn = np.random.default_rng(seed).normal(size=(DIRECTIONS, dim))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def sliced(order: int, x: Array, y: Array, seed: int) -> tuple[float, float, float]:
    """Return sliced W1 or W2, its error, and the probability that the error is exceeded.

    (mean over directions of W_p^p)^(1/p). In the plane the mean over angles is off by at most half
    a step times how fast W_p^p may change; else by an empirical Bernstein bound.

    Source of the bound: A. Maurer, M. Pontil (2009), COLT.
    """
    x, y = as_rows(x), as_rows(y)
    along = directions(x.shape[1], seed)
    found = _along(order, x, y, along)
    value = float(np.mean(found))
    centre = (x.mean(axis=0) + y.mean(axis=0)) / 2
    sizes = [np.linalg.norm(z - centre, axis=1) for z in (x, y)]
    if order == 1:
        most = rate = sum(float(np.mean(size)) for size in sizes)
    else:
        root = sum(math.sqrt(float(np.mean(size**2))) for size in sizes)
        most, rate = root**2, 2 * root**2
    if x.shape[1] == 2:
        error, chance = rate * math.pi / (4 * len(along)), 0.0
    else:
        chance = 1e-3
        log = math.log(4 / chance)
        spread = math.sqrt(2 * float(np.var(found, ddof=1)) * log / len(along))
        error = spread + 7 * most * log / (3 * (len(along) - 1))
    if order == 1:
        return value, error, chance
    root = math.sqrt(value)
    return root, min(error / root if root else math.inf, math.sqrt(error)), chance


def _along(order: int, x: Array, y: Array, along: Array) -> Array:
    """Return W1 or W2² along each direction, some of them at a time."""
    step = max(AT_ONCE // (len(x) + len(y)), 1)
    found = []
    for start in range(0, len(along), step):
        turned = along[start : start + step].T
        apart, weight = between_levels(np.sort(x @ turned, axis=0), np.sort(y @ turned, axis=0))
        found.append(weight @ (np.abs(apart) if order == 1 else apart**2))
    return np.concatenate(found)


def rows_of_distances(x: Array, y: Array) -> Iterator[Array]:
    """Yield squared distances, some rows at a time."""
    x, y = as_rows(x), as_rows(y)
    for start in range(0, len(x), CHUNK):
        yield cdist(x[start : start + CHUNK], y, "sqeuclidean")


def _mean_of(kernel: Kernel, x: Array, y: Array) -> float:
    """Return the mean of a kernel over all pairs of points."""
    return math.fsum(float(np.sum(kernel(d2))) for d2 in rows_of_distances(x, y)) / (
        len(x) * len(y)
    )


def empirical_mmd2(kernel: Kernel, x: Array, y: Array) -> tuple[float, float]:
    """Return the squared distance of the mean embeddings, and its rounding."""
    terms = [_mean_of(kernel, x, x), _mean_of(kernel, y, y), -2 * _mean_of(kernel, x, y)]
    return max(math.fsum(terms), 0.0), 16 * EPS * sum(map(abs, terms))


def energy_in_space(x: Array, y: Array) -> tuple[float, float]:
    """Return 2E‖X − Y‖ − E‖X − X'‖ − E‖Y − Y'‖, and its rounding."""
    terms = [2 * _mean_of(np.sqrt, x, y), -_mean_of(np.sqrt, x, x), -_mean_of(np.sqrt, y, y)]
    return max(math.fsum(terms), 0.0), 16 * EPS * sum(map(abs, terms))
