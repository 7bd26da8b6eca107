r"""The law of the points between a real and a fake sample, on which gradient penalties act.

With X ~ P, Y ~ Q and α uniform on (0, 1), all independent, the point αX + (1 − α)Y has for normal
laws the density

.. math:: \mu(x) = \int_0^1 N\big(x;\ \alpha m_p + (1-\alpha) m_q,\
    \alpha^2 s_p^2 + (1-\alpha)^2 s_q^2\big)\,d\alpha,

and for mixtures of them the weighted sum over all pairs of components. Of two isotropic normal
laws of one mean it has the radius :math:`\sigma_\alpha\chi_n`. Other laws are left to `between`.

Source: I. Gulrajani et al. (2017), Improved Training of Wasserstein GANs, arXiv:1704.00028.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.inherited import of_family
from gantheory.densities.mixtures import AnyMixture
from gantheory.densities.normal import Normal
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError
from gantheory.regularised.between import Tabulated
from gantheory.regularised.mesh import elements, ends_of
from gantheory.regularised.symmetric import Radius

NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)
FARTHEST = 2.0  # standard deviations that a panel's law moves or widens by
MOST_PANELS = 2000
GRADES = 12  # panels towards a jump, each a quarter of the one before


def between_laws(p: Univariate, q: Univariate) -> Callable[[Array], Array]:
    """Return the density of the law between two laws on the line, or between two radii.

    Raises:
        GantheoryError: for laws whose law between is not resolved, as normal laws too narrow for
            their distance.
    """
    if isinstance(p, Radius) and isinstance(q, Radius):
        return Radii.of(p, q)
    if _normals(p) and _normals(q):
        return Interpolates.of(p, q)
    reach = [ends_of(law) for law in (p, q)]
    low, high = min(a for a, _ in reach), max(b for _, b in reach)
    return Tabulated.of(p.pdf, q.pdf, _panels(p, q, elements(p, q, low, high)))


def _panels(p: Univariate, q: Univariate, edges: Array) -> Array:
    """Crowd panels towards the places where a density may jump: there μ has the slope log|x|."""
    places = {end for law in (p, q) for piece in law.pieces for end in piece} | {*p.kinks, *q.kinks}
    finer = [edges]
    for place in {min(max(one, edges[0]), edges[-1]) for one in places}:
        for near in (edges[edges < place][-1:], edges[edges > place][:1]):
            finer.append(place + (near[:, None] - place) * 4.0 ** -np.arange(1, GRADES)[None])
    found = np.unique(np.concatenate([one.ravel() for one in finer]))
    keep: Array = found[(found >= edges[0]) & (found <= edges[-1])]
    return keep


@dataclass(frozen=True)
class Radii:
    """The density of the radius between two isotropic normal vectors of one mean."""

    shares: Array
    scales: Array
    dimensions: float

    @classmethod
    def of(cls, p: Radius, q: Radius) -> Radii:
        """Return the law between two radii of one dimension."""
        columns = np.array(_between(1.0, Normal(0.0, p.scale), Normal(0.0, q.scale)))
        return cls(columns[:, 0], columns[:, 2], p.dimensions)

    def __call__(self, x: Array) -> Array:
        """Return μ(x), of the shape of x."""
        n, found = self.dimensions, np.zeros_like(x)
        with np.errstate(divide="ignore"):
            steep = (n - 1) * np.log(x) - (n / 2 - 1) * math.log(2) - math.lgamma(n / 2)
        for share, scale in zip(self.shares, self.scales, strict=True):
            found += share * np.exp(steep - n * math.log(scale) - 0.5 * (x / scale) ** 2)
        return found


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
            GantheoryError: for normal laws too narrow for their distance.
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
    """Return the normal laws that a law is a mixture of, with their weights; none if it is not."""
    if of_family(law, Normal):
        return [(1.0, law)]
    if isinstance(law, AnyMixture):
        parts = [(w, _normals(part)) for w, part in zip(law.weights, law.parts, strict=True)]
        if all(inner for _, inner in parts):
            return [(w * v, one) for w, inner in parts for v, one in inner]
    return []


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
