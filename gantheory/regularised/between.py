r"""The density of the points between a real and a fake sample, for any two laws with densities.

Given X = a and Y = b, the point αX + (1 − α)Y with α uniform on (0, 1) is uniform between them, so

.. math:: \mu(x) = \iint_{a<x<b} \frac{p(a)q(b) + q(a)p(b)}{b-a}\,da\,db
    = \int_0^\infty L_p U_q + L_q U_p\,ds,\qquad
    L_p(x, s) = \int_{a<x} p(a)\,e^{-s(x-a)}\,da,

and U in the same way from the right, since :math:`1/(b-a) = \int_0^\infty e^{-s(b-a)}\,ds`. Both
are carried from point to point along the line; over a short interval a density is a sum of Legendre
polynomials, whose integrals against an exponential are spherical Bessel functions. The integral
over s is a trapezoidal sum in log s.

Source: NIST Digital Library of Mathematical Functions, 10.54.2 (the integrals); L. N. Trefethen,
J. A. C. Weideman (2014), SIAM Review 56 (the trapezoidal rule).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre
from scipy import special

from gantheory.densities.base import Array
from gantheory.errors import GantheoryError

POINTS = 14  # of Gauss's rule on a panel: μ's logarithm is a polynomial through them
TERMS = 7  # of a density between two of them
STEP = 0.35  # of log s: an error of exp(-π²/0.35)
SMALLEST, LARGEST = 1e-15, 1e15  # of s, over the longest distance and the shortest
FAR = 1e8  # an argument from which a Bessel function is its leading term, to eight digits of it
CHUNK = 100  # intervals at a time
OFF = 1e-8  # what the mass may be off 1 by
TINY = 1e-300
GAUSS, WEIGHTS = legendre.leggauss(POINTS)
TO_SERIES = np.linalg.inv(legendre.legvander(GAUSS, POINTS - 1))
INNER = legendre.leggauss(TERMS)[0]
TO_TERMS = np.linalg.inv(legendre.legvander(INNER, TERMS - 1))

Density = Callable[[Array], Array]


@dataclass(frozen=True)
class Tabulated:
    """The density μ, by the Legendre series of its logarithm on each panel."""

    edges: Array
    series: Array

    @classmethod
    def of(cls, p: Density, q: Density, edges: Array) -> Tabulated:
        """Return the law between two laws, on panels on which both densities are smooth.

        Raises:
            GantheoryError: where its mass is seen not to be 1.
        """
        half = 0.5 * np.diff(edges)[:, None]
        inner = 0.5 * (edges[:-1] + edges[1:])[:, None] + half * GAUSS
        every = np.column_stack([edges[:-1], inner]).ravel()
        places = np.append(every, edges[-1])
        values = _at(p, q, places)[:-1].reshape(len(inner), -1)[:, 1:]
        mass = float((values * WEIGHTS * half).sum())
        if not abs(mass - 1) <= OFF:
            raise GantheoryError(
                f"the law between real and fake samples is not resolved (its mass is {mass:.9g}); "
                "penalise the samples themselves, as in 'r1(1)', or bound the slope, as in "
                "'slope(1)'"
            )
        return cls(edges, np.log(np.maximum(values, TINY)) @ TO_SERIES.T)

    def __call__(self, x: Array) -> Array:
        """Return μ(x), of the shape of x."""
        k = np.clip(np.searchsorted(self.edges, x, side="right") - 1, 0, len(self.series) - 1)
        low, high = self.edges[k], self.edges[k + 1]
        local = (2 * x - low - high) / (high - low)
        terms = legendre.legvander(local, POINTS - 1)
        inside = (x >= self.edges[0]) & (x <= self.edges[-1])
        return np.where(inside, np.exp((terms * self.series[k]).sum(-1)), 0.0)


def _at(p: Density, q: Density, places: Array) -> Array:
    """Return μ at ordered places, the first and last of which are the ends of both laws."""
    half = 0.5 * np.diff(places)
    middles = 0.5 * (places[:-1] + places[1:])
    lowest, highest = np.log(SMALLEST / np.ptp(places)), np.log(LARGEST / (2 * half.min()))
    s = np.exp(np.arange(lowest, highest, STEP))
    x = middles[:, None] + half[:, None] * INNER
    terms = np.stack([law(x) @ TO_TERMS.T for law in (p, q)])
    steps = [_steps(terms[:, k : k + CHUNK], half[k : k + CHUNK], s)
             for k in range(0, len(half), CHUNK)]  # fmt: skip
    from_left, from_right, fading = (
        np.concatenate(parts, axis=-2) for parts in zip(*steps, strict=True)
    )
    lower = _carried(from_left, fading)
    upper = _carried(from_right[:, ::-1], fading[::-1])[:, ::-1]
    found: Array = (lower[0] * upper[1] + lower[1] * upper[0]) @ (s * STEP)
    return found


def _steps(terms: Array, half: Array, s: Array) -> tuple[Array, Array, Array]:
    """Return what each interval adds at its right end and at its left, and how e^(-sx) falls."""
    sigma = half[:, None] * s
    orders = np.arange(TERMS)[:, None, None]
    held = np.minimum(sigma, FAR)
    bessel = special.ive(orders + 0.5, held) * np.sqrt(2 * np.pi / held) * (held / sigma)
    scaled = terms * half[:, None]
    left = np.einsum("lik,kis->lis", scaled, bessel)
    right = np.einsum("lik,kis->lis", scaled * (-1.0) ** np.arange(TERMS), bessel)
    return left, right, np.exp(-2 * sigma)


def _carried(added: Array, fading: Array) -> Array:
    """Return the sums along the line, at every end of an interval."""
    found = np.zeros((len(added), added.shape[1] + 1, added.shape[2]))
    for k in range(added.shape[1]):
        found[:, k + 1] = found[:, k] * fading[k] + added[:, k]
    return found
