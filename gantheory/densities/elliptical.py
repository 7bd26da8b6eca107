"""Student's t law in any number of dimensions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from gantheory.densities.base import SHAPE, Array, Density, generator, parameter, register_family
from gantheory.densities.plane import NormalNd
from gantheory.errors import GantheoryError


@register_family
@dataclass(frozen=True)
class StudentTNd(Density):
    """The law of loc + Z/√(V/df), Z normal with covariance ``shape`` and V chi-squared.

    Its covariance is df/(df − 2) times ``shape`` where df > 2.

    Source: S. Kotz, S. Nadarajah (2004), Multivariate t Distributions and Their Applications.

    >>> from gantheory.densities import parse_density
    >>> parse_density("student_t_nd(3, (0, 0), ((1, 0), (0, 2)))").dim
    2
    """

    name: ClassVar[str] = "student_t_nd"
    aliases = ("multivariate_t",)
    df: float = parameter(SHAPE)
    loc: tuple[float, ...] = parameter(None)
    shape: tuple[tuple[float, ...], ...] = parameter(None)

    def __post_init__(self) -> None:
        try:
            normal = NormalNd(self.loc, self.shape)
        except GantheoryError as error:
            what = str(error).removeprefix("normal_nd: ").replace("cov=", "shape=")
            raise GantheoryError(f"{self.name}: {what}") from None
        object.__setattr__(self, "loc", normal.loc)
        object.__setattr__(self, "shape", normal.cov)

    @property
    def dim(self) -> int:  # type: ignore[override]
        """The number of dimensions."""
        return len(self.loc)

    @cached_property
    def _factor(self) -> Array:
        return np.linalg.cholesky(np.array(self.shape))

    def logpdf(self, x: ArrayLike) -> Array:
        n, df, factor = self.dim, self.df, self._factor
        z = (np.asarray(x, float) - np.array(self.loc)) @ np.linalg.inv(factor).T
        constant = math.lgamma((df + n) / 2) - math.lgamma(df / 2) - n / 2 * math.log(df * math.pi)
        constant -= math.fsum(np.log(np.diag(factor)))
        return constant - (df + n) / 2 * np.log1p(np.sum(z * z, axis=-1) / df)

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        rng = generator(rng)
        z = rng.standard_normal((n, self.dim)) @ self._factor.T
        mixing: Any = np.sqrt(rng.chisquare(self.df, n) / self.df)
        return np.array(self.loc) + z / mixing[:, None]
