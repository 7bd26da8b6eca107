r"""How far the empirical law of a sample may be from the law behind it, in a metric d.

For every metric :math:`|d(P_n, Q_m) - d(P, Q)| \le d(P_n, P) + d(Q_m, Q)`: an interval follows from
a radius for each sample. A radius is a concentration bound where there is one, else the quantile of
:math:`d(P_n^*, P_n)` over bootstrap samples :math:`P_n^*`, which is right as n grows.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.distance import cdist

from gantheory.densities.base import Array
from gantheory.integrals.empirical import line, space

REPEATS = 199  # so that a quantile of rank k is exceeded with probability 1 − k/200
FEW = 39  # where every repeat solves a transport problem
MOST_IN_SPACE = 600  # points for which that takes seconds
CONCENTRATION = "concentration bound"
BOOTSTRAP = "bootstrap of each sample and the triangle inequality (right as samples grow)"


def of_ks(n: int, error: float) -> float:
    """Return the radius in the Kolmogorov-Smirnov distance.

    Source: P. Massart (1990), Annals of Probability 18(3).
    """
    return math.sqrt(math.log(2 / error) / (2 * n))


def of_mmd(n: int, error: float) -> float:
    """Return the radius in MMD for a kernel between 0 and 1, of value 1 at distance 0.

    Source: A. Gretton et al. (2012), Journal of Machine Learning Research 13, Theorem 7.
    """
    return (1 + math.sqrt(2 * math.log(1 / error))) / math.sqrt(n)


def rank(distances: Array, error: float) -> float:
    """Return the quantile of repeats that a further one exceeds with at most that probability."""
    k = math.ceil((len(distances) + 1) * (1 - error))
    return float(np.sort(distances)[k - 1]) if k <= len(distances) else math.inf


def resampled(metric: str, x: Array, error: float, seed: int) -> float:
    """Return the radius of a sample in a metric, by the bootstrap; inf where it cannot be had."""
    rng, n = np.random.default_rng(seed), len(x)
    if x.ndim > 1:
        return _in_space(metric, x, error, rng)
    x = np.sort(x)
    counts = rng.multinomial(n, np.full(n, 1 / n), size=REPEATS)
    if metric == "w2":
        again = np.array([x[np.repeat(np.arange(n), row)] for row in counts])
        return rank(np.sqrt(np.mean((again - x) ** 2, axis=1)), error)
    gap = np.cumsum(counts - 1, axis=1)[:, :-1] / n
    if metric == "w1":
        return rank(np.abs(gap) @ np.diff(x), error)
    return rank(np.sqrt(2 * (gap**2 @ np.diff(x))), error)  # the square root of the energy distance


def _in_space(metric: str, x: Array, error: float, rng: np.random.Generator) -> float:
    n = len(x)
    if metric == "energy":
        if n > 5000:
            return math.inf
        weights = (rng.multinomial(n, np.full(n, 1 / n), size=REPEATS) - 1) / n
        apart = cdist(x, x)
        squares = -np.einsum("ki,ij,kj->k", weights, apart, weights, optimize=True)
        return rank(np.sqrt(np.maximum(squares, 0.0)), error)
    if metric.startswith("sliced"):
        return _sliced(int(metric[-1]), x, error, rng)
    if n > MOST_IN_SPACE:
        return math.inf
    drawn = (x[rng.integers(n, size=n)] for _ in range(FEW))
    return rank(np.array([space.transport(int(metric[-1]), x, y)[0] for y in drawn]), error)


def _sliced(order: int, x: Array, error: float, rng: np.random.Generator) -> float:
    """Return the radius over a tenth of the directions, which all resamples share."""
    n = len(x)
    counts = rng.multinomial(n, np.full(n, 1 / n), size=REPEATS)
    total = np.zeros(REPEATS)
    along = space.directions(x.shape[1], 0)[::10]
    for a in along:
        order_of = np.argsort(x @ a)
        z = (x @ a)[order_of]
        if order == 1:
            gap = np.cumsum(counts[:, order_of] - 1, axis=1)[:, :-1] / n
            total += np.abs(gap) @ np.diff(z)
        else:
            again = np.array([z[np.repeat(np.arange(n), row)] for row in counts[:, order_of]])
            total += np.mean((again - z) ** 2, axis=1)
    mean = total / len(along)
    return rank(mean if order == 1 else np.sqrt(mean), error)


def square_root_of(metric: str) -> bool:
    """Whether what is asked for is the square of a metric."""
    return metric in ("energy", "mmd2")


__all__ = ["BOOTSTRAP", "CONCENTRATION", "line", "of_ks", "of_mmd", "resampled", "square_root_of"]
