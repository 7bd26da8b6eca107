r"""Entropic optimal transport of two samples: the Sinkhorn cost.

.. math:: S_\varepsilon = \min_\pi \langle c, \pi\rangle
    + \varepsilon\,\mathrm{KL}(\pi\|a\otimes b), \qquad c = \|x - y\|^{\mathrm{order}}

The potentials are POT's; the value lies between the dual at them and the cost of their plan, made
feasible. √n(S(P_n, Q_m) − S(P, Q)) tends to a normal law whose variance is that of the potentials.

Sources: M. Cuturi (2013), NeurIPS; J. Altschuler, J. Weed, P. Rigollet (2017), NeurIPS (the
feasible plan); E. del Barrio, A. González-Sanz, J.-M. Loubes, J. Niles-Weed (2023), SIAM Journal on
Mathematics of Data Science 5(3), arXiv:2204.09105 (the limit law).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import logsumexp, ndtri

from gantheory.densities.base import Array
from gantheory.errors import GantheoryError, require, shown
from gantheory.integrals.empirical.space import MOST_PAIRS, as_rows
from gantheory.rounding import EPS

ROUNDS = 20_000
CLOSE = 1e-11  # of the marginals, where POT stops
LIMIT_LAW = "limit law of entropic transport (right as samples grow)"


@dataclass(frozen=True)
class Entropic:
    """A Sinkhorn cost: value and error, its plan's transport cost, and the potentials' spread."""

    value: float
    error: float
    linear: float
    spread: float

    def radius(self, error: float) -> float:
        """Return how far the cost of the laws may be, but with probability ``error``.

        Half of it is kept for what the limit law misses of finite samples.
        """
        return float(-ndtri(error / 4)) * self.spread


def sinkhorn(x: Array, y: Array, eps: float | None, order: float) -> Entropic:
    """Return the Sinkhorn cost of two samples.

    Args:
        x, y: points of shape (n,) or (n, dim).
        eps: the weight of the entropy, in the unit of the cost.
        order: the power of the distance that is the cost, 1 or 2.
    """
    if not isinstance(eps, int | float) or not 0 < eps < math.inf:
        raise GantheoryError(
            f"sinkhorn: eps={shown(eps)}: say the regularisation, like sinkhorn(eps=0.1)"
        )
    if order not in (1, 2):
        raise GantheoryError(f"sinkhorn: order={shown(order)} must be 1 or 2")
    require("sinkhorn", "samples", "ot")
    x, y = as_rows(x), as_rows(y)
    if len(x) * len(y) > MOST_PAIRS:
        raise GantheoryError(
            f"sinkhorn of {len(x)} and {len(y)} points: take at most "
            f"{math.isqrt(MOST_PAIRS)} of each"
        )
    import ot

    cost = cdist(x, y, "sqeuclidean" if order == 2 else "euclidean")
    uniform = [np.full(size, 1 / size) for size in cost.shape]
    _, found = ot.bregman.sinkhorn_log(
        *uniform, cost, eps, numItermax=ROUNDS, stopThr=CLOSE, log=True, warn=False
    )
    return _bounded(cost, eps * np.asarray(found["log_u"]), float(eps))


def _spread(f: Array, g: Array) -> float:
    """Return the standard deviation of the cost: that of the means of its potentials."""
    return math.sqrt(sum(float(np.var(z)) / max(len(z) - 1, 1) for z in (f, g)))


def _bounded(cost: Array, f: Array, eps: float) -> Entropic:
    """Return the dual at a potential made best for it, with the gap to a feasible plan as error."""
    n, m = cost.shape
    if not np.isfinite(f).all():
        f = np.zeros(n)
    g = -eps * (logsumexp((f[:, None] - cost) / eps, axis=0) - math.log(n))
    f = -eps * (logsumexp((g[None] - cost) / eps, axis=1) - math.log(m))
    lower = math.fsum(f) / n + math.fsum(g) / m  # rows of the plan have mass 1/n exactly
    plan = np.exp((f[:, None] + g - cost) / eps) / (n * m)
    columns = plan.sum(axis=0)
    plan *= np.minimum(1 / (m * columns), 1.0)
    rows, columns = (1 / size - plan.sum(axis=axis) for size, axis in ((n, 1), (m, 0)))
    if (missing := rows.clip(0).sum()) > 0:
        plan += np.outer(rows.clip(0), columns.clip(0)) / missing
    linear = float(np.sum(plan * cost))
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = np.where(plan > 0, plan * np.log(plan * n * m), 0.0)
    upper = linear + eps * float(entropy.sum())
    size = float(np.abs(f).max() + np.abs(g).max() + cost.max())
    error = max(upper - lower, 0.0) + 16 * EPS * (size + eps * math.log(n * m))
    return Entropic(lower, error, linear, _spread(f, g))
