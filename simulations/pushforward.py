"""The exact density of a trained generator's samples: x = g(z) on the line, and flows in the plane.

On the line, with z standard normal,

.. math:: q(x) = \\sum_{z:\\ g(z) = x} \\varphi(z) / |g'(z)|,

a sum over every z that g sends to x. A flow is invertible by construction and has its own formula.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gantheory.errors import GantheoryError
from simulations.networks import Affine, Mlp

Array = NDArray[np.float64]

REACH = 9.0  # Φ(−9) = 1e-19: what lies beyond has no weight in float64
_GRID = 2**14  # intervals in which preimages are sought; 0.0011 wide
_BISECTIONS = 12  # halvings of an interval, to 3e-7; two Newton steps then reach rounding
_TO_ROUNDING = 44  # halvings of an interval, to 6e-17


@dataclass(frozen=True)
class GeneratorLaw:
    """The law of g(z), z standard normal, for one member's generator on the line.

    Args:
        network: an `Mlp` or `Affine` with one input and one output.
        parameters: the member's row, shape (count,).

    Preimages are found as sign changes of g(z) − x between 16 385 nodes on [−9, 9] and the turns
    of g, and refined to rounding. At the image of a turn q has a pole. Two turns within one
    interval, 0.0011 wide, are not seen. Atoms, as of a relu network that is constant somewhere,
    are no part of the density: see `flat_mass`.

    >>> law = GeneratorLaw(Affine(), torch.tensor([1.0, -2.0], dtype=torch.float64))
    >>> float(law.logpdf(np.array([1.0]))[0])  # −log(2√(2π))
    -1.612085713764618
    """

    network: Mlp | Affine
    parameters: Tensor

    def __post_init__(self) -> None:
        if (self.network.inputs, self.network.outputs) != (1, 1):
            raise GantheoryError(
                f"the generator maps {self.network.inputs} numbers to {self.network.outputs}; "
                "an exact density on the line needs 1 to 1"
            )
        if getattr(self.network, "norm", None) == "batch":
            raise GantheoryError(
                "under batch normalisation a sample depends on its whole minibatch, so it has no "
                "density of its own; compare samples instead (simulations.samples)"
            )

    def __call__(self, z: Array) -> tuple[Array, Array]:
        """Return g(z) and g'(z)."""
        points = torch.from_numpy(np.asarray(z, dtype=np.float64)).reshape(1, -1, 1)
        points = points.requires_grad_()
        x = self.network(self.parameters[None].double(), points)
        (slope,) = torch.autograd.grad(x.sum(), points)
        shape = np.shape(z)
        return x.detach().numpy().reshape(shape), slope.numpy().reshape(shape)

    def value(self, z: Array) -> Array:
        """Return g(z) alone."""
        with torch.no_grad():
            points = torch.from_numpy(np.asarray(z, dtype=np.float64)).reshape(1, -1, 1)
            x = self.network(self.parameters[None].double(), points)
        return x.numpy().reshape(np.shape(z))

    @cached_property
    def turns(self) -> Array:
        """Return every z in [−9, 9] where g turns, in order: what g sends them to are q's poles."""
        z = np.linspace(-REACH, REACH, _GRID + 1)
        sign = np.sign(self(z)[1])
        at_node = z[1:-1][(sign[1:-1] == 0) & (sign[:-2] * sign[2:] < 0)]
        (k,) = np.nonzero(sign[:-1] * sign[1:] < 0)
        a, b = z[k], z[k + 1]
        for _ in range(_TO_ROUNDING):
            middle = (a + b) / 2
            before = np.sign(self(middle)[1]) == sign[k]
            a, b = np.where(before, middle, a), np.where(before, b, middle)
        return np.sort(np.concatenate([at_node, (a + b) / 2]))

    @cached_property
    def _nodes(self) -> tuple[Array, Array]:
        z = np.union1d(np.linspace(-REACH, REACH, _GRID + 1), self.turns)
        return z, self.value(z)

    def preimages(self, x: Array) -> tuple[NDArray[np.intp], Array]:
        """Return every pair (index into ``x``, z) with g(z) = x[index], z in [−9, 9]."""
        z, g = self._nodes
        low, high = np.minimum(g[:-1], g[1:]), np.maximum(g[:-1], g[1:])
        order = np.argsort(x)
        first = np.searchsorted(x[order], low, side="left")
        last = np.searchsorted(x[order], high, side="left")  # x = high belongs to the next
        counts = last - first
        interval = np.repeat(np.arange(len(low)), counts)
        within = np.arange(len(interval)) - np.repeat(np.cumsum(counts) - counts, counts)
        index = order[np.repeat(first, counts) + within]
        return index, self._refined(x[index], z[interval], z[interval + 1])

    def _refined(self, x: Array, a: Array, b: Array) -> Array:
        """Return the preimage of each x between a and b, by halving and then Newton's method."""
        rising = self.value(b) > self.value(a)
        for _ in range(_BISECTIONS):
            middle = (a + b) / 2
            below = (self.value(middle) < x) == rising
            a, b = np.where(below, middle, a), np.where(below, b, middle)
        z = (a + b) / 2
        for _ in range(2):
            g, slope = self(z)
            step = np.divide(g - x, slope, out=np.zeros_like(x), where=slope != 0)
            z = np.clip(z - step, a, b)
        return z

    @cached_property
    def flat_mass(self) -> float:
        """Return the mass of the z where g is constant: there x has an atom and no density."""
        from scipy.special import ndtr

        z, g = self._nodes
        return float(np.diff(ndtr(z))[np.diff(g) == 0].sum())

    def logpdf(self, x: Array) -> Array:
        """Return log q(x), −inf where no z within nine deviations reaches x."""
        x = np.asarray(x, dtype=np.float64)
        index, z = self.preimages(x.ravel())
        with np.errstate(divide="ignore"):
            slope = np.abs(self(z)[1])
            terms = np.exp(-(z**2) / 2) / (math.sqrt(2 * math.pi) * slope)
            density = np.bincount(index, terms, minlength=x.size)
            return np.asarray(np.log(density).reshape(x.shape))

    def cdf(self, x: Array) -> Array:
        """Return P(g(z) ≤ x): the mass of the intervals of z between preimages.

        It needs no derivative, so it checks `logpdf` by another route.
        """
        from scipy.special import ndtr

        x = np.asarray(x, dtype=np.float64)
        flat, result = x.ravel(), np.zeros(x.size)
        index, z = self.preimages(flat)
        starts_below = self.value(np.array([-REACH]))[0] <= flat
        for k in range(flat.size):
            ends = np.concatenate([[-np.inf], np.sort(z[index == k]), [np.inf]])
            masses = np.diff(ndtr(ends))
            result[k] = masses[0 if starts_below[k] else 1 :: 2].sum()
        return result.reshape(x.shape)


def log_density(network: Mlp | Affine, parameters: Tensor) -> Callable[[Array], Array]:
    """Return the exact log-density of one member's generator on the line."""
    return GeneratorLaw(network, parameters.detach().cpu()).logpdf
