"""A set of draws: points on the line or in space, each of the same weight."""

from __future__ import annotations

from dataclasses import dataclass

from gantheory.densities import Density
from gantheory.densities.base import Array
from gantheory.densities.fitted import kde
from gantheory.shown import Shown
from gantheory.tables import numbers


@dataclass(frozen=True, eq=False)
class Samples(Shown):
    """Draws from an unknown law, and where they come from.

    Attributes:
        points: shape (n,) on the line, else (n, dim); finite numbers.
        source: a file, or what the draws are called in messages.

    >>> from gantheory import samples
    >>> samples([1.0, 2.0, 4.0])
    samples (3 points on the line)
    """

    points: Array
    source: str = "samples"

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", numbers(self.points, self.source))

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
        """Return a kernel density estimate on the line: see `gantheory.densities.fitted.kde`."""
        return kde(self.points, bandwidth, str(self))
