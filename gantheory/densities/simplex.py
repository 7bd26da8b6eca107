"""The Dirichlet law: shares that sum to 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from gantheory.densities.base import SHAPE, Array, Density, generator, parameter, register_family
from gantheory.errors import GantheoryError

SUM = 1e-9  # by how much shares may miss 1


@register_family
@dataclass(frozen=True)
class Dirichlet(Density):
    """The Dirichlet law of shares x ≥ 0 that sum to 1, with density ∝ Π x_k^(concentration_k − 1).

    >>> from gantheory.densities import density
    >>> print(density("dirichlet", concentration=[1, 2, 3]))
    dirichlet((1, 2, 3))
    """

    name: ClassVar[str] = "dirichlet"
    concentration: tuple[float, ...] = parameter(SHAPE)

    def __post_init__(self) -> None:
        if not isinstance(self.concentration, tuple) or len(self.concentration) < 2:
            raise GantheoryError(
                "dirichlet: concentration must be a list of at least two numbers, like "
                "dirichlet([1, 2, 3])"
            )

    @property
    def dim(self) -> int:  # type: ignore[override]
        """The number of shares."""
        return len(self.concentration)

    def logpdf(self, x: ArrayLike) -> Array:
        points, a = np.asarray(x, float), np.array(self.concentration)
        inside = np.all(points >= 0, axis=-1) & (np.abs(np.sum(points, axis=-1) - 1) < SUM)
        constant = special.gammaln(a.sum()) - np.sum(special.gammaln(a))
        value = np.sum(special.xlogy(a - 1, points), axis=-1) + constant
        return np.where(inside, value, -np.inf)

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return generator(rng).dirichlet(self.concentration, n)

    def index(self, name: str) -> int:
        """Return the k of a parameter ``concentration[k]``."""
        head, _, tail = name.removesuffix("]").partition("[")
        if head != "concentration" or not tail.isdigit() or int(tail) >= self.dim:
            raise GantheoryError(
                f"{self}: unknown parameter {name!r}; write it like 'q.concentration[0]', up to "
                f"[{self.dim - 1}]"
            )
        return int(tail)

    def score(self, name: str, x: ArrayLike) -> Array:
        k, a = self.index(name), self.concentration
        with np.errstate(divide="ignore"):
            logs = np.log(np.asarray(x, float)[..., k])
        return np.asarray(logs + special.digamma(sum(a)) - special.digamma(a[k]))
