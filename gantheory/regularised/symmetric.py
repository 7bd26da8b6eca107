r"""Isotropic normal laws in any dimension: a penalised score of them depends on one number alone.

With equal widths it depends on the place along the line through the means: for any score t, the
mean of t over the other coordinates, which have one law under P and Q, has a payoff at least as
large (Jensen) and slopes at most as large. With equal means it depends on the distance from them:
the mean of t over all rotations does as well. So both are problems on the line, between two normal
laws or between the laws of the radius :math:`|X| = \sigma\chi_n`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gantheory.densities import Density
from gantheory.densities.base import parameter
from gantheory.densities.inherited import of_family
from gantheory.densities.lifetimes import PowerOfGamma
from gantheory.densities.normal import Normal
from gantheory.densities.plane import Spatial
from gantheory.densities.univariate import Univariate

SAME = 1e-12  # relative: means and widths that decimals may have parted

LINE = "the score depends on the place along the line through the means; q.loc is their distance"
RADIUS = "the score depends on the distance from the common mean"


@dataclass(frozen=True)
class Radius(PowerOfGamma):
    """The law of the norm of a normal vector: scale times a chi variable."""

    name: ClassVar[str] = "radius"
    roles: ClassVar[dict[str, str]] = {"scale": "unit"}
    dimensions: float = parameter(None)
    scale: float = parameter(None)

    @property
    def form(self) -> tuple[float, float, float, float]:
        return self.dimensions / 2, 2.0, self.scale, 2.0


@dataclass(frozen=True)
class _Reduced:
    """Two laws on the line, and what the score depends on."""

    p: Univariate
    q: Univariate
    why: str


def reduced(p: Density, q: Density) -> _Reduced | None:
    """Return the problem on the line of two isotropic normal laws, where it is one.

    >>> from gantheory.densities import parse_density
    >>> one, other = (parse_density(f"normal_2d_iso(({x}, {x}), 1)") for x in (0, 3))
    >>> str(reduced(one, other).q)
    'normal(4.242640687119285, 1)'
    """
    forms = [_isotropic(law) for law in (p, q)]
    if forms[0] is None or forms[1] is None or len(forms[0][0]) != len(forms[1][0]):
        return None
    (mean, width), (other, width_q) = forms[0], forms[1]
    apart = float(np.linalg.norm(other - mean))
    if abs(width - width_q) <= SAME * width:
        return _Reduced(Normal(0.0, width), Normal(apart, width_q), LINE)
    if apart <= SAME * min(width, width_q):
        n = float(len(mean))
        return _Reduced(Radius(n, width), Radius(n, width_q), RADIUS)
    return None


def _isotropic(law: Any) -> tuple[np.ndarray, float] | None:
    """Return the mean and the standard deviation of an isotropic normal law; else None."""
    if not of_family(law, Spatial) or len(law.components) != 1:
        return None
    ((_, mean, cov),) = law.components
    width = float(np.sqrt(cov[0, 0]))
    return (mean, width) if np.array_equal(cov, cov[0, 0] * np.eye(len(mean))) else None
