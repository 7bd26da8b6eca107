"""A user's own law in the plane or beyond: its log-density and how to draw from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from gantheory.densities.base import Array, Density, generator
from gantheory.errors import GantheoryError


@dataclass(frozen=True, eq=False)
class SampledDensity(Density):
    """A law of which only the log-density and a sampler are known; see `own_density_nd`."""

    name: ClassVar[str] = "own"
    log_function: Callable[[Array], Array]
    sampler: Callable[[np.random.Generator, int], Array]
    dim: int = 2

    @property
    def parameters(self) -> dict[str, Any]:
        return {}

    def __str__(self) -> str:
        return f"own density in {self.dim} dimensions"

    def logpdf(self, x: ArrayLike) -> Array:
        points = np.asarray(x, float)
        value = np.asarray(self.log_function(points), float)
        if value.shape != points.shape[:-1]:
            raise GantheoryError(
                f"{self}: its log-density maps shape {points.shape} to {value.shape}; it must map "
                f"points of shape (n, {self.dim}) to shape (n,)"
            )
        return value

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        points = np.asarray(self.sampler(generator(rng), n), float)
        if points.shape != (n, self.dim):
            raise GantheoryError(
                f"{self}: its sampler returned shape {points.shape}, not {(n, self.dim)}"
            )
        return points


def own_density_nd(
    logpdf: Callable[[Array], Array],
    sampler: Callable[[np.random.Generator, int], Array],
    *,
    dim: int = 2,
) -> SampledDensity:
    """Return a law given by its log-density and a sampler; its divergences are sampled.

    Args:
        logpdf: maps points of shape (n, dim) to log-densities of shape (n,), normalised.
        sampler: maps a numpy generator and n to draws of shape (n, dim).
        dim: the number of dimensions, at least 2 (on the line use `own_density`).
    """
    if dim < 2:
        raise GantheoryError(f"dim={dim}: use own_density for a law on the line")
    return SampledDensity(logpdf, sampler, dim)
