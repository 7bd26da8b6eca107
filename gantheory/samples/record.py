"""A set of draws: points on the line or in space, each of the same weight."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gantheory.densities import Density, density
from gantheory.densities.base import Array
from gantheory.errors import GantheoryError
from gantheory.shown import Shown

RULES = ("scott", "silverman")


@dataclass(frozen=True, eq=False)
class Samples(Shown):
    """Draws from an unknown law, and where they come from.

    Attributes:
        points: shape (n,) on the line, else (n, dim); finite numbers.
        source: a file, or what the draws are called in messages.
    """

    points: Array
    source: str = "samples"

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", _checked(self.points, self.source))

    @property
    def dim(self) -> int:
        """The number of dimensions."""
        return 1 if self.points.ndim == 1 else self.points.shape[1]

    def __len__(self) -> int:
        return len(self.points)

    def __str__(self) -> str:
        where = "on the line" if self.dim == 1 else f"in {self.dim} dimensions"
        return f"{self.source} ({len(self)} points {where})"

    __repr__ = __str__

    def kde(self, bandwidth: float | str = "scott") -> Density:
        """Return a kernel density estimate on the line: a mixture of normals, one a sample.

        Args:
            bandwidth: the normals' standard deviation, or a rule for it: ``"scott"``
                (σ·n^(−1/5)) or ``"silverman"`` (σ·(3n/4)^(−1/5)), σ the sample's own.

        A divergence of such a law is that of a fitted model, and none of the law behind the draws.
        """
        if self.dim != 1:
            raise GantheoryError(f"{self}: a kernel density estimate is made on the line; take a "
                                 "column")  # fmt: skip
        width = self._bandwidth(bandwidth)
        n = len(self)
        return density(
            "normal_mixture", weights=(1 / n,) * n, locs=self.points, scales=(width,) * n
        )

    def _bandwidth(self, rule: float | str) -> float:
        if not isinstance(rule, str):
            return float(rule)
        if rule not in RULES:
            raise GantheoryError(
                f"bandwidth={rule!r} must be a number or one of {', '.join(RULES)}"
            )
        n = len(self)
        spread = float(np.std(self.points, ddof=1)) if n > 1 else 0.0
        if not spread:
            raise GantheoryError(f"{self}: all points are equal, so no rule gives a bandwidth; "
                                 "give a number")  # fmt: skip
        return spread * (n if rule == "scott" else 3 * n / 4) ** -0.2


def _checked(values: Any, source: str) -> Array:
    """Return points as floats, or raise in one line that names no array."""
    try:
        given = np.asarray(values)
        if given.dtype.kind not in "biuf":
            raise ValueError
        points = np.array(given, float)
    except (TypeError, ValueError):
        raise GantheoryError(f"{source}: samples must be numbers of equal rows") from None
    if points.ndim not in (1, 2) or not points.size:
        raise GantheoryError(
            f"{source}: samples of shape {points.shape} must have shape (n,) or (n, dim)"
        )
    if bad := int(np.sum(~np.isfinite(points))):
        at = int(np.argwhere(~np.isfinite(points))[0][0])
        raise GantheoryError(
            f"{source}: {bad} of {points.size} numbers are nan or infinite, the first in row {at}; "
            "drop or fill them"
        )
    if float(np.max(np.abs(points))) > 1e150:
        raise GantheoryError(f"{source}: numbers beyond 1e150 overflow in squares; change the unit")
    points.setflags(write=False)
    return points[:, 0] if points.ndim == 2 and points.shape[1] == 1 else points


def mean_norm(samples: Samples, centre: Array) -> float:
    """Return the mean distance of the points from a centre."""
    apart = samples.points.reshape(len(samples), -1) - centre
    return math.fsum(np.sqrt(np.sum(apart**2, axis=1))) / len(samples)
