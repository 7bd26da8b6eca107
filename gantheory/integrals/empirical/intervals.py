r"""How far the empirical laws of samples may be from the laws behind them, in a metric d.

Where d is the norm of a difference, as W1, KS and the roots of the energy distance and MMD² are,
:math:`|d(P_n, Q_m) - d(P, Q)| \le \|(P_n - P) - (Q_m - Q)\|`, whose quantile is that of
:math:`\|(P_n^* - P_n) - (Q_m^* - Q_m)\|` over bootstrap samples, right as n and m grow. For other
metrics it is at most :math:`d(P_n, P) + d(Q_m, Q)`, each bounded by its own bootstrap.
Concentration bounds are wider and hold for every n.

Source of the bootstrap: P. J. Bickel, D. A. Freedman (1981), Annals of Statistics 9(6).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy.spatial.distance import cdist

from gantheory.densities.base import Array
from gantheory.integrals.empirical import space

REPEATS = 199  # so that a quantile of rank k is exceeded with probability 1 − k/200
FEW = 39  # where every repeat solves a transport problem
MOST_IN_SPACE = 600  # points for which that takes seconds
MOST_PAIRED = 5000  # points of which all distances are held
AT_ONCE = 1 << 22
CONCENTRATION = "concentration bound"
JOINT = "bootstrap of the difference of both laws (right as samples grow)"
EACH = "bootstrap of each sample and the triangle inequality (right as samples grow)"
NORMS = ("w1", "energy", "ks", "mmd2", "sliced_w1")


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


def together(
    name: str, drawn: Sequence[Array], kernel: space.Kernel, error: float, seed: int
) -> float:
    """Return the radius of one or two samples in a norm; inf where it cannot be had."""
    points = np.concatenate(drawn)
    sizes = [len(x) for x in drawn]
    rng = np.random.default_rng(seed)
    if name == "mmd2" or (name == "energy" and points.ndim > 1):
        if len(points) > MOST_PAIRED:
            return math.inf
        rows = space.as_rows(points)
        apart = cdist(rows, rows, "sqeuclidean")
        form = kernel(apart) if name == "mmd2" else -np.sqrt(apart)
        squares = [np.sum((w @ form) * w, axis=1) for w in _weights(sizes, rng)]
        return rank(np.sqrt(np.maximum(np.concatenate(squares), 0.0)), error)
    if name == "sliced_w1" and points.ndim > 1:
        along = space.directions(points.shape[1], 0)[::10]
        return rank(_means(points, sizes, along, _l1, rng), error)
    norm = {"w1": _l1, "sliced_w1": _l1, "ks": _sup, "energy": _l2}[name]
    return rank(_means(points[:, None], sizes, np.ones((1, 1)), norm, rng), error)


def _weights(sizes: Sequence[int], rng: np.random.Generator) -> Iterator[Array]:
    """Yield what resampling adds to the points' weights, some repeats at a time."""
    step = max(AT_ONCE // sum(sizes), 1)
    for start in range(0, REPEATS, step):
        size = min(step, REPEATS - start)
        yield np.concatenate(
            [
                sign * (rng.multinomial(n, np.full(n, 1 / n), size=size) - 1) / n
                for sign, n in zip((1, -1), sizes, strict=False)
            ],
            axis=1,
        )


def _means(
    points: Array,
    sizes: Sequence[int],
    along: Array,
    norm: Callable[[Array, Array], Array],
    rng: np.random.Generator,
) -> Array:
    """Return the mean over directions of a norm of the gap of distribution functions."""
    found = []
    for weights in _weights(sizes, rng):
        total = np.zeros(len(weights))
        for direction in along:
            z = points @ direction
            order = np.argsort(z)
            total += norm(np.cumsum(weights[:, order], axis=1)[:, :-1], np.diff(z[order]))
        found.append(total / len(along))
    return np.concatenate(found)


def _l1(gap: Array, length: Array) -> Array:
    return np.asarray(np.abs(gap) @ length)


def _l2(gap: Array, length: Array) -> Array:
    return np.asarray(np.sqrt(2 * (gap**2 @ length)))


def _sup(gap: Array, length: Array) -> Array:
    return np.asarray(np.max(np.abs(gap) * (length > 0), axis=1, initial=0.0))


def alone(metric: str, x: Array, error: float, seed: int) -> float:
    """Return the radius of one sample in W2 or W1, or sliced W2; inf where it cannot be had."""
    rng, n = np.random.default_rng(seed), len(x)
    if x.ndim > 1:
        return _in_space(metric, x, error, rng)
    counts = rng.multinomial(n, np.full(n, 1 / n), size=REPEATS)
    return rank(np.sqrt(_squares(np.sort(x), counts)), error)


def _squares(x: Array, counts: Array) -> Array:
    """Return W2² of a sorted sample and of resamples that hold its points so many times."""
    again = np.repeat(np.tile(x, len(counts)), counts.ravel()).reshape(counts.shape)
    return np.asarray(np.mean((again - x) ** 2, axis=1))


def _in_space(metric: str, x: Array, error: float, rng: np.random.Generator) -> float:
    n = len(x)
    if metric.startswith("sliced"):
        return _sliced(x, error, rng)
    if n > MOST_IN_SPACE:
        return math.inf
    drawn = (x[rng.integers(n, size=n)] for _ in range(FEW))
    return rank(np.array([space.transport(int(metric[-1]), x, y)[0] for y in drawn]), error)


def _sliced(x: Array, error: float, rng: np.random.Generator) -> float:
    """Return the radius in sliced W2 over a tenth of the directions, which all resamples share."""
    n = len(x)
    counts = rng.multinomial(n, np.full(n, 1 / n), size=REPEATS)
    total = np.zeros(REPEATS)
    along = space.directions(x.shape[1], 0)[::10]
    for a in along:
        order_of = np.argsort(x @ a)
        total += _squares((x @ a)[order_of], counts[:, order_of])
    return rank(np.sqrt(total / len(along)), error)


def square_root_of(metric: str) -> bool:
    """Whether what is asked for is the square of a metric."""
    return metric in ("energy", "mmd2")
