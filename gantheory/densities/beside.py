"""A user's log-density where binary64 cannot place its argument: next to ends, kinks, and far out.

The argument end + y is rounded, and log p grows like power·log(1/y) toward an end: it is corrected
for the rounded y, and below 2^-42 of the end continued by that power, which is read where y is
exact, at three places; what they differ by is the doubt. Where a density has underflown, its
logarithm is only known to be below that of the smallest number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gantheory.densities.base import Array
from gantheory.rounding import EPS

if TYPE_CHECKING:
    from gantheory.densities.univariate import Points
    from gantheory.densities.user import OwnDensity

LEAST = 2.0**-900  # of a distance from 0, which is placed exactly
UNDERFLOW = -690.0  # of log p: below, a density itself has left the range of binary64
NOTHING = -1e12  # taken for log p there; it lies between twice that and `UNDERFLOW`


@dataclass(frozen=True)
class Beside:
    """How a log-density goes on toward one side of a place.

    Attributes:
        place, side: an end or a kink, and +1 for above or -1 for below it.
        reach: the distance below which the argument is not placed well.
        level: log p at that distance.
        power: it grows by that times the log of one over the distance.
        doubt: of the power.
    """

    place: float
    side: float
    reach: float
    level: float
    power: float
    doubt: float

    @classmethod
    def of(cls, law: OwnDensity, place: float, side: float) -> Beside | None:
        """Return how a law goes on beside a place, or None where it has no power there."""
        reach = 2.0 ** (math.frexp(place)[1] - 42) if place else LEAST
        if reach > 1e-3 * min(w for _, w in law.centers):
            return None
        with np.errstate(all="ignore"):
            y = reach * np.array([1.0, 4.0, 16.0])
            value = np.asarray(law.log_function(place + side * y), float)
        if not np.isfinite(value).all():
            return None
        first, second = (value[:2] - value[1:]) / math.log(4)
        return cls(
            place, side, reach, float(value[0]), float(first), 10 * float(abs(first - second))
        )

    def holds(self, at: Points) -> Array:
        """Whether points are counted from this place, on this side."""
        return np.asarray((at.anchor == self.place) & (at.side == self.side))

    def nearer(self, at: Points) -> Array:
        """Return the log of how much nearer than `reach` points are, 0 where they are farther."""
        return np.maximum(math.log(self.reach) - at.log_distance, 0.0)

    def moved(self, at: Points) -> Array:
        """Return log p less what it is at the rounded argument; distances from 0 are exact."""
        if not self.place:
            return np.zeros_like(at.x)
        with np.errstate(all="ignore"):
            moved = self.power * (np.log(np.abs(at.x - self.place)) - at.log_distance)
        return np.where(np.isfinite(moved), moved, 0.0)

    def off(self, at: Points) -> Array:
        """Return by how much the log-density may be off at points of this side."""
        rounded = np.spacing(abs(self.place)) if self.place else 0.0
        away = self.nearer(at) + rounded / np.maximum(at.distance, self.reach)
        return np.asarray((self.doubt + 8 * EPS * abs(self.power)) * away)


def places_beside(law: OwnDensity) -> tuple[Beside, ...]:
    """Return how a law goes on beside its finite ends and its kinks."""
    low, high = law.interval
    sides = [(low, 1.0), (high, -1.0), *((k, s) for k in law.inner_kinks for s in (-1.0, 1.0))]
    found = (Beside.of(law, place, side) for place, side in sides if math.isfinite(place))
    return tuple(beside for beside in found if beside is not None)


def underflows(law: OwnDensity) -> bool:
    """Whether far out a log-density is -inf, as where the density leaves the range of binary64."""
    center, width = law.centers[0]
    low, high = law.interval
    x = center + width * np.concatenate([s * 2.0 ** np.arange(0, 61) for s in (-1.0, 1.0)])
    with np.errstate(all="ignore"):
        value = np.asarray(law.log_function(x[(x > low) & (x < high)]), float)
    return bool(np.isneginf(value).any())
