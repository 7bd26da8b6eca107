r"""The law of the points between a real and a fake sample, on which gradient penalties act.

With X ~ P, Y ~ Q and α uniform on (0, 1), all independent, the point αX + (1 − α)Y has for normal
laws the density

.. math:: \mu(x) = \int_0^1 N\big(x;\ \alpha m_p + (1-\alpha) m_q,\
    \alpha^2 s_p^2 + (1-\alpha)^2 s_q^2\big)\,d\alpha,

and for mixtures of them the weighted sum over all pairs of components.

Source: I. Gulrajani et al. (2017), Improved Training of Wasserstein GANs, arXiv:1704.00028.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.inherited import of_family
from gantheory.densities.mixtures import AnyMixture
from gantheory.densities.normal import Normal
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError

NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)
FARTHEST = 2.0  # standard deviations that a panel's law moves or widens by
MOST_PANELS = 2000


@dataclass(frozen=True)
class Interpolates:
    """The density μ: columns are shares, means, standard deviations of normal laws in it."""

    shares: Array
    means: Array
    scales: Array

    @classmethod
    def of(cls, p: Univariate, q: Univariate) -> Interpolates:
        """Return the law between two normal laws or mixtures of them.

        Raises:
            GantheoryError: for other laws, and for normal laws too narrow for their distance.
        """
        columns: list[tuple[float, float, float]] = []
        for weight, first in _normals(p):
            for other, second in _normals(q):
                columns += _between(weight * other, first, second)
        return cls(*np.array(columns).T)

    def __call__(self, x: Array) -> Array:
        """Return μ(x), of the shape of x."""
        found = np.zeros_like(x)
        for share, mean, scale in zip(self.shares, self.means, self.scales, strict=True):
            found += share / scale * np.exp(-0.5 * ((x - mean) / scale) ** 2)
        return found / math.sqrt(2 * math.pi)


def _normals(law: Univariate) -> list[tuple[float, Normal]]:
    if of_family(law, Normal):
        return [(1.0, law)]
    if isinstance(law, AnyMixture):
        parts = zip(law.weights, law.parts, strict=True)
        return [(w * v, one) for w, part in parts for v, one in _normals(part)]
    raise GantheoryError(
        f"{law}: the law between real and fake samples is known for normal laws and mixtures of "
        "them; penalise the samples themselves, as in 'r1(1)', or bound the slope, as in 'slope(1)'"
    )


def _between(share: float, p: Normal, q: Normal) -> list[tuple[float, float, float]]:
    """Return Gauss's nodes in α, on panels in which the law moves and widens little."""

    def scale(a: float) -> float:
        return math.hypot(a * p.scale, (1 - a) * q.scale)

    least = p.scale * q.scale / math.hypot(p.scale, q.scale)
    rate = abs(p.loc - q.loc) + p.scale + q.scale
    if rate / least > FARTHEST * MOST_PANELS:
        raise GantheoryError(f"{p} and {q} are too narrow for the distance between them")
    waiting, found = [(0.0, 1.0)], []
    while waiting:
        low, high = waiting.pop()
        middle = 0.5 * (low + high)
        if (high - low) * rate > FARTHEST * min(map(scale, (low, middle, high))):
            waiting += [(low, middle), (middle, high)]
            continue
        half = 0.5 * (high - low)
        for node, weight in zip(middle + half * NODES, half * WEIGHTS, strict=True):
            found.append((share * weight, node * p.loc + (1 - node) * q.loc, scale(float(node))))
    return found
