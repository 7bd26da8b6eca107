"""A density given by its values on a grid, linear in between."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from gantheory.densities.base import Array, refuse_unreal
from gantheory.densities.positive import inside
from gantheory.densities.tails import CONSTANT, Tail
from gantheory.densities.univariate import Interval, Points, Univariate
from gantheory.errors import GantheoryError

MISSED = 0.01  # by how much the trapezoids may miss 1: what a grid leaves of the tails


@dataclass(frozen=True, eq=False)
class Gridded(Univariate):
    """The law of a density that is linear between points of a grid and 0 beyond them."""

    name: ClassVar[str] = "gridded"
    x: Array = field(repr=False)
    heights: Array = field(repr=False)

    @property
    def parameters(self) -> dict[str, Any]:
        return {}

    def __str__(self) -> str:
        return f"density of {len(self.x)} values on ({self.x[0]:g}, {self.x[-1]:g})"

    @property
    def log_magnitude(self) -> float:
        return 6.0 + float(np.max(np.abs(np.log(self.heights[self.heights > 0]))))

    def _cell(self, at: Points) -> Array:
        """Return the number of the stretch that holds each point, by its side at an anchor."""
        place = np.searchsorted(self.x, at.x, side="right") - 1
        here = np.searchsorted(self.x, at.anchor, side="left")
        known = (here < len(self.x)) & (np.take(self.x, here, mode="clip") == at.anchor)
        tiny = known & (at.x == at.anchor)
        return np.clip(np.where(tiny & (at.side < 0), here - 1, place), 0, len(self.x) - 2)

    @cached_property
    def _slopes(self) -> Array:
        return np.diff(self.heights) / np.diff(self.x)

    def _height(self, at: Points) -> Array:
        """Return the density, counted from the lower end of a stretch so that no digit is lost."""
        k = self._cell(at)
        left, right, slope = self.heights[k], self.heights[k + 1], self._slopes[k]
        from_left = left + slope * (at.minus(0.0) - self.x[k])
        apart = np.where(at.anchor == self.x[k], at.side * at.distance, at.x - self.x[k])
        beyond = np.where(at.anchor == self.x[k + 1], at.side * at.distance, at.x - self.x[k + 1])
        rising = left <= right
        value = np.where(rising, left + slope * apart, right + slope * beyond)
        return np.where(np.isfinite(value), np.maximum(value, 0.0), from_left)

    def log_density(self, at: Points) -> Array:
        within = np.any([inside(at, low, high) for low, high in self.pieces], axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(within, np.log(self._height(at)), -np.inf)

    @cached_property
    def pieces(self) -> tuple[Interval, ...]:
        alive = (self.heights[:-1] > 0) | (self.heights[1:] > 0)
        found: list[Interval] = []
        for k in np.nonzero(alive)[0]:
            low, high = float(self.x[k]), float(self.x[k + 1])
            touching = found and found[-1][1] == low and self.heights[k] > 0
            if touching:
                found[-1] = (found[-1][0], high)
            else:
                found.append((low, high))
        return tuple(found)

    @property
    def kinks(self) -> tuple[float, ...]:
        ends = {end for piece in self.pieces for end in piece}
        return tuple(float(x) for x in self.x[1:-1] if float(x) not in ends)

    @cached_property
    def centers(self) -> tuple[tuple[float, float], ...]:
        k = int(np.argmax(self.heights))
        return ((float(self.x[k]), float(np.min(np.diff(self.x)))),)

    def end_tail(self, end: float) -> Tail | None:
        height = self.heights[int(np.searchsorted(self.x, end))]
        return CONSTANT if height > 0 else Tail(finite=True, log=-1)

    @cached_property
    def _levels(self) -> Array:
        steps = np.diff(self.x) * (self.heights[1:] + self.heights[:-1]) / 2
        return np.concatenate([[0.0], np.cumsum(steps)])

    def below(self, at: Points) -> Array:
        x = np.clip(at.x, self.x[0], self.x[-1])
        k = np.clip(np.searchsorted(self.x, x, side="right") - 1, 0, len(self.x) - 2)
        apart = x - self.x[k]
        value = self._levels[k] + apart * (self.heights[k] + self._slopes[k] * apart / 2)
        return np.clip(value, 0.0, 1.0)

    def ppf(self, level: ArrayLike) -> Array:
        level = np.asarray(level, float)
        k = np.clip(np.searchsorted(self._levels, level) - 1, 0, len(self.x) - 2)
        rest, a, b = level - self._levels[k], self._slopes[k], self.heights[k]
        with np.errstate(all="ignore"):
            apart = 2 * rest / (b + np.sqrt(np.maximum(b * b + 2 * a * rest, 0.0)))
        return self.x[k] + np.clip(np.nan_to_num(apart), 0.0, np.diff(self.x)[k])

    def mean(self) -> float:
        x, y = self.x, self.heights
        parts = np.diff(x) * (y[:-1] * (2 * x[:-1] + x[1:]) + y[1:] * (x[:-1] + 2 * x[1:])) / 6
        return math.fsum(parts)

    def slope(self, at: Points) -> Array:
        return self._slopes[self._cell(at)] / self._height(at)


def gridded(x: Any, pdf: Any) -> Gridded:
    """Return the law of a density given by its values on an increasing grid.

    Raises:
        GantheoryError: for values that are no density, with what to do.
    """
    for name, values in (("x", x), ("pdf", pdf)):
        refuse_unreal(f"a pair (x, pdf): {name}", values)
    try:
        places, heights = np.array(x, float), np.array(pdf, float)
    except (TypeError, ValueError):
        raise GantheoryError("a pair (x, pdf) must be two arrays of numbers") from None
    if places.ndim == heights.ndim == 1 and len(heights) == len(places) + 1:
        raise GantheoryError(
            "a histogram's counts and edges are no pair (x, pdf); give "
            "scipy.stats.rv_histogram((counts, edges))"
        )
    if places.ndim != 1 or places.shape != heights.shape or len(places) < 2:
        raise GantheoryError(
            f"a pair (x, pdf) must be two arrays of one length, not of shapes {places.shape} and "
            f"{heights.shape}"
        )
    if not (np.all(np.isfinite(places)) and np.all(np.isfinite(heights))):
        raise GantheoryError("a pair (x, pdf) must be finite numbers; drop nan and inf")
    if not np.all(np.diff(places) > 0):
        raise GantheoryError("a pair (x, pdf): x must increase strictly; sort it")
    if np.any(heights < 0):
        raise GantheoryError(f"a pair (x, pdf): pdf is negative, as low as {heights.min():g}")
    total = float(np.sum(np.diff(places) * (heights[1:] + heights[:-1]) / 2))
    if not abs(total - 1) <= MISSED:
        raise GantheoryError(
            f"a pair (x, pdf): the trapezoids of pdf sum to {total:.6g} and not to 1; "
            "divide by it, or take a wider or finer grid"
        )
    return Gridded(places, heights / total)
