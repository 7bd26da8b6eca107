r"""How far the empirical laws of samples may be from the laws behind them, in a metric d.

Where d is the norm of a difference, as W1, KS and the roots of the energy distance and MMD² are,
:math:`|d(P_n, Q_m) - d(P, Q)| \le \|(P_n - P) - (Q_m - Q)\|`, whose quantile is that of
:math:`\|(P_n^* - P_n) - (Q_m^* - Q_m)\| \cdot s/s^*` over bootstrap samples, right as n and m grow.
Here s is the same norm of the standard deviation of :math:`P_n - Q_m` at each place, and s* that
of a bootstrap sample: where few large draws make the difference, both are small at once. Half of
the probability of a miss is kept for what this misses of finite samples. For other metrics the
difference is at most :math:`d(P_n, P) + d(Q_m, Q)`, each bounded by its own bootstrap.
Concentration bounds are wider and hold for every n.

Sources: P. J. Bickel, D. A. Freedman (1981), Annals of Statistics 9(6); P. Hall (1992), The
Bootstrap and Edgeworth Expansion, chapter 3 (dividing by s*).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

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


def of_both_ks(n: int, m: int, error: float) -> float:
    """Return the radius of the difference between two samples of one law.

    Source: F. Wei, R. M. Dudley (2012), Statistics & Probability Letters 82(3), arXiv:1107.5356.
    """
    return math.sqrt(math.log(2 / error) / 2 * (1 / n + 1 / m))


def of_mmd(n: int, error: float) -> float:
    """Return the radius in MMD for a kernel between 0 and 1, of value 1 at distance 0.

    Source: A. Gretton et al. (2012), Journal of Machine Learning Research 13, Theorem 7.
    """
    return (1 + math.sqrt(2 * math.log(1 / error))) / math.sqrt(n)


def rank(distances: Array, error: float) -> float:
    """Return the quantile of repeats that a further one exceeds with at most that probability."""
    k = math.ceil((len(distances) + 1) * (1 - error))
    return float(np.sort(distances)[k - 1]) if k <= len(distances) else math.inf


def repeats(error: float) -> int:
    """Return how many repeats tell a quantile that is exceeded with that probability."""
    return max(REPEATS, math.ceil(1 / error) - 1)


def joint_radius(
    name: str, drawn: Sequence[Array], kernel: space.Kernel, error: float, seed: int
) -> float:
    """Return the radius of one or two samples in a norm; inf where it cannot be had."""
    points = np.concatenate(drawn)
    shares = _Shares(tuple(len(x) for x in drawn), seed, error / 2)
    if name == "mmd2" or (name == "energy" and points.ndim > 1):
        if len(points) > MOST_PAIRED:
            return math.inf
        rows = space.as_rows(points)
        apart = cdist(rows, rows, "sqeuclidean")
        return shares.radius(_of_form(kernel(apart) if name == "mmd2" else -np.sqrt(apart)))
    norm = {"w1": _l1, "sliced_w1": _l1, "ks": _sup, "energy": _l2}[name]
    if name == "sliced_w1" and points.ndim > 1:
        turned = space.directions(points.shape[1], 0)[::10] @ points.T
        return shares.radius(_of_steps(turned, norm))
    radius = shares.radius(_of_steps(points[None], norm))
    if name == "ks" and len(drawn) == 2:  # it takes few values, between which a bootstrap may fall
        return max(radius, of_both_ks(len(drawn[0]), len(drawn[1]), error))
    return radius


Sized = Callable[[Array, tuple[int, ...]], tuple[Array, Array]]


@dataclass(frozen=True)
class _Shares:
    """Bootstrap samples, by the share that each point of one or two samples has in its own."""

    sizes: tuple[int, ...]
    seed: int
    error: float

    def radius(self, sized: Sized) -> float:
        """Return the quantile of a norm, times what its spread is over that of each repeat.

        Args:
            sized: maps shares of shape (samples, repeats, points) to the norm of the difference
                between each repeat and the last one, and to its spread.
        """
        parts = [sized(shares, self.sizes) for shares in self]
        own = float(parts[0][1][-1])
        found = [(size / np.maximum(spread, own / 10))[:-1] for size, spread in parts if own > 0]
        return rank(np.concatenate(found), self.error) * own if own > 0 else 0.0

    def __iter__(self) -> Iterator[Array]:
        """Yield shares, some repeats at a time, each time with the samples themselves at last."""
        rng = np.random.default_rng(self.seed)
        step, most = max(AT_ONCE // sum(self.sizes), 1), repeats(self.error)
        for start in range(0, most, step):
            count = min(step, most - start)
            shares = np.zeros((len(self.sizes), count + 1, sum(self.sizes)))
            for k, n in enumerate(self.sizes):
                block = shares[k, :, sum(self.sizes[:k]) :][:, :n]
                block[:-1] = rng.multinomial(n, np.full(n, 1 / n), size=count) / n
                block[-1] = 1 / n
            yield shares


def _signed(parts: Array) -> Array:
    """Return the first sample's part less the second's, where there are two."""
    return np.asarray(parts[0] - parts[1] if len(parts) > 1 else parts[0])


def _of_form(form: Array) -> Sized:
    """Return what sizes differences by a quadratic form, the square of a norm."""

    def sized(shares: Array, sizes: tuple[int, ...]) -> tuple[Array, Array]:
        apart = _signed(shares - shares[:, -1:])
        square = np.sum((apart @ form) * apart, axis=1)
        spread = np.zeros(len(square))
        for part, n in zip(shares, sizes, strict=True):
            spread += (part @ np.diag(form) - np.sum((part @ form) * part, axis=1)) / n
        return np.sqrt(np.maximum(square, 0.0)), np.sqrt(np.maximum(spread, 0.0))

    return sized


def _of_steps(lines: Array, norm: Callable[[Array, Array], Array]) -> Sized:
    """Return what sizes differences of distribution functions, as a mean over lines.

    Args:
        lines: the points along each, shape (lines, points).
        norm: of a function on the line that is constant between points.
    """

    def sized(shares: Array, sizes: tuple[int, ...]) -> tuple[Array, Array]:
        size = spread = np.zeros(shares.shape[1])
        for line in lines:
            order = np.argsort(line)
            length = np.diff(line[order])
            below = np.cumsum(shares[:, :, order], axis=2)[:, :, :-1]
            size = size + norm(_signed(below - below[:, -1:]), length)
            count = np.array(sizes)[:, None, None]
            variance = np.sum(np.maximum(below * (1 - below), 0.0) / count, axis=0)
            spread = spread + norm(np.sqrt(variance), length)
        return size / len(lines), spread / len(lines)

    return sized


def _l1(gap: Array, length: Array) -> Array:
    return np.asarray(np.abs(gap) @ length)


def _l2(gap: Array, length: Array) -> Array:
    return np.asarray(np.sqrt(2 * (gap**2 @ length)))


def _sup(gap: Array, length: Array) -> Array:
    return np.asarray(np.max(np.abs(gap) * (length > 0), axis=1, initial=0.0))


def alone(metric: str, x: Array, error: float, seed: int) -> float:
    """Return the radius of one sample in W2 or W1, or sliced W2; inf where it cannot be had."""
    rng = np.random.default_rng(seed)
    return _w2_on_line(x, error, rng) if x.ndim == 1 else _in_space(metric, x, error, rng)


def _w2_on_line(x: Array, error: float, rng: np.random.Generator) -> float:
    """Return the radius in W2, which is divided by each repeat's own standard deviation."""
    x, n = np.sort(x - np.mean(x)), len(x)
    counts = rng.multinomial(n, np.full(n, 1 / n), size=repeats(error))
    own = float(np.std(x))
    variance = counts @ x**2 / n - (counts @ x / n) ** 2
    spread = np.sqrt(np.maximum(variance, (own / 10) ** 2))
    return rank(np.sqrt(_squares(x, counts)) / spread, error) * own if own > 0 else 0.0


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
    counts = rng.multinomial(n, np.full(n, 1 / n), size=repeats(error))
    total = np.zeros(len(counts))
    along = space.directions(x.shape[1], 0)[::10]
    for a in along:
        order_of = np.argsort(x @ a)
        total += _squares((x @ a)[order_of], counts[:, order_of])
    return rank(np.sqrt(total / len(along)), error)


def square_root_of(metric: str) -> bool:
    """Whether what is asked for is the square of a metric."""
    return metric in ("energy", "mmd2")
