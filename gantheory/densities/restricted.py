"""The law of a density on the line, given that it falls into an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from gantheory.densities.base import Array, generator, parameter, register_family
from gantheory.densities.bounded import EXTENDED, check_order
from gantheory.densities.images import Image
from gantheory.densities.inherited import of_family
from gantheory.densities.positive import inside
from gantheory.densities.tails import Tail
from gantheory.densities.univariate import (
    Interval,
    LogRatio,
    Place,
    Points,
    Univariate,
    nearest,
    placed,
)
from gantheory.errors import GantheoryError


@register_family
@dataclass(frozen=True)
class Restrict(Image):
    """The law of X given a <= X <= b, for X drawn from ``base``.

    >>> from gantheory.densities import density
    >>> print(density("restrict(student_t(3), -1, inf)"))
    restrict(student_t(3, 0, 1), -1, inf)
    """

    name: ClassVar[str] = "restrict"
    base: Univariate = parameter(None)  # noqa: RUF009
    a: float = parameter(EXTENDED, default=-math.inf)
    b: float = parameter(EXTENDED, default=math.inf)

    def __post_init__(self) -> None:
        self._check_base()
        check_order(self.name, self.a, self.b)
        if not self.pieces or not self.mass > 0:
            raise GantheoryError(f"restrict: {self.base} has no mass on [{self.a:g}, {self.b:g}]")

    @cached_property
    def mass(self) -> float:
        """The base's mass on [a, b], from whichever tail does not cancel."""
        return abs(self._levels[1] - self._levels[0])

    @cached_property
    def _levels(self) -> tuple[float, float]:
        """The distribution function at both ends, or its complement in the upper half."""
        return float(self._level(self.a)), float(self._level(self.b))

    @cached_property
    def _upper(self) -> bool:
        return float(self.base.cdf(self.a)) >= 0.5

    def _level(self, x: ArrayLike) -> Array:
        return (self.base.sf if self._upper else self.base.cdf)(x)

    @cached_property
    def log_mass(self) -> float:
        """The log of the base's mass on [a, b], to its own last digits where it is nearly 0."""
        outside = float(self.base.cdf(self.a)) + float(self.base.sf(self.b))
        return math.log1p(-outside) if outside < 0.5 else math.log(self.mass)

    def log_density(self, at: Points) -> Array:
        value = self.base.log_density(at) - self.log_mass
        return np.where(inside(at, self.a, self.b), value, -np.inf)

    @property
    def log_magnitude(self) -> float:
        # a difference of two values of a distribution function, each off by some 4e-15 of itself
        noise = 20 + self.base.log_magnitude - 4 * math.log(max(self._levels))
        return self.base.log_magnitude + 4 + (noise * max(self._levels) + self._moved) / self.mass

    @cached_property
    def _moved(self) -> float:
        """What the mass moves by where x/scale is rounded, in last digits: x times the density."""
        low, high = self.base.support
        ends = [x for x in (self.a, self.b) if low < x < high]
        if not ends or not math.isfinite(low) or math.isfinite(high):
            return 0.0  # (x - loc)/scale moves it by less than counted; no scale on an interval
        density = np.exp(self.base.log_density(Points.at(np.array(ends))))
        return float(np.sum(density * (np.array(ends) - low)))

    @cached_property
    def pieces(self) -> tuple[Interval, ...]:
        cut = ((nearest(low), nearest(high)) for low, high in self.exact_pieces)
        return tuple((low, high) for low, high in cut if low < high)

    @cached_property
    def exact_pieces(self) -> tuple[tuple[Place, Place], ...]:
        a, b = placed(self.a), placed(self.b)
        cut = ((max(low, a), min(high, b)) for low, high in self.base.exact_pieces)
        return tuple((low, high) for low, high in cut if low < high)

    @cached_property
    def exact_breaks(self) -> frozenset[Place]:
        ends = {end for piece in self.exact_pieces for end in piece}
        return frozenset(ends | {x for x in self.base.exact_breaks if self.a < x < self.b})

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        kept = [(c, w) for c, w in self.base.centers if self.a <= c <= self.b]
        return tuple(kept) or tuple(self._far_centers())

    def _far_centers(self) -> list[tuple[float, float]]:
        """Return the end nearest to the base's bumps, with the width of the slope there."""
        low, high = self.support
        center, width = min(self.base.centers, key=lambda c: min(abs(c[0] - low), abs(c[0] - high)))
        end = low if center <= low else high
        slope = abs(float(self.base.slope(Points.at(np.array([end])))[0]))
        return [(end, min(width, high - low, 1 / slope if slope > 0 else math.inf))]

    @property
    def kinks(self) -> tuple[float, ...]:
        return tuple(kink for kink in self.base.kinks if self.a < kink < self.b)

    def tail(self, point: float, side: int) -> Tail | None:
        return self.base.tail(point, side)

    def exact_tail(self, place: Place, side: int) -> Tail | None:
        return self.base.exact_tail(place, side)

    def end_tail(self, end: float) -> Tail | None:
        lower = any(end == low for low, _ in self.pieces)
        return self.tail(end, 1 if lower else -1)

    def log_depth(self, at: Points) -> Array:
        return self.base.log_depth(at)

    def below(self, at: Points) -> Array:
        share = self._between(Points.at(self.a), at)
        return np.where(at.minus(self.a) > 0, np.where(at.minus(self.b) < 0, share, 1.0), 0.0)

    def above(self, at: Points) -> Array:
        share = self._between(at, Points.at(self.b))
        return np.where(at.minus(self.b) < 0, np.where(at.minus(self.a) > 0, share, 1.0), 0.0)

    def blur(self, at: Points) -> Array:
        return self.base.blur(at)

    def _between(self, low: Points, high: Points) -> Array:
        """Return the share of the mass between two points, from the tail that is smaller there."""
        base = self.base
        below = base.below(high) - base.below(low)
        above = base.above(low) - base.above(high)
        return np.where(base.below(high) < base.above(low), below, above) / self.mass

    def ppf(self, level: ArrayLike) -> Array:
        return self._quantile(np.asarray(level, float) * self.mass, self.a, 1)

    def isf(self, level: ArrayLike) -> Array:
        return self._quantile(np.asarray(level, float) * self.mass, self.b, -1)

    def _quantile(self, mass: Array, end: float, side: int) -> Array:
        """Return the point that leaves ``mass`` between it and an end, on its ``side``."""
        below, above = float(self.base.cdf(end)), float(self.base.sf(end))
        low = below + side * mass < 0.5
        inner = np.where(
            low,
            self.base.ppf(np.where(low, below + side * mass, 0.5)),
            self.base.isf(np.where(low, 0.5, above - side * mass)),
        )
        return np.clip(inner, self.a, self.b)

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return np.asarray(self.ppf(generator(rng).random(n)))

    def slope(self, at: Points) -> Array:
        return self.base.slope(at)

    def elasticity(self, at: Points) -> Array:
        return self.base.elasticity(at)

    def scores(self, name: str, at: Points) -> Array:
        if name in ("a", "b"):
            end = getattr(self, name)
            level = float(self.base.pdf(end)) / self.mass if math.isfinite(end) else 0.0
            return np.full_like(at.x, level if name == "a" else -level)
        if name.startswith("base."):
            inner = name.removeprefix("base.")
            return self.base.scores(inner, at) - math.fsum(self._flows(inner))
        return super().scores(name, at)

    def score_size(self, name: str) -> float:
        if not name.startswith("base."):
            return super().score_size(name)
        inner = name.removeprefix("base.")
        flows = math.fsum(map(abs, self._flows(inner)))  # off as the mass and the density are
        return self.base.score_size(inner) + flows * self.log_magnitude

    def _flows(self, name: str) -> list[float]:
        """Return how fast mass enters [a, b] past each end as a parameter of the base grows.

        It is density·velocity of the quantile there, as a share of the mass on [a, b].
        """
        flows = []
        for end in (self.a, self.b):
            if math.isinf(end):
                continue
            velocity = self.base.velocity(name, Points.at(np.array([end])))
            if velocity is None:
                raise GantheoryError(
                    f"{self}: how the mass on it changes with base.{name} is not known; "
                    "differentiate in a, b, loc or scale"
                )
            density = float(self.base.pdf(end)) / self.mass
            flows.append((1 if end == self.a else -1) * density * float(velocity[0]))
        return flows

    def end_velocity(self, name: str, end: float) -> float:
        if name in ("a", "b"):
            return float(end == getattr(self, name))
        if name.startswith("base."):
            inside_base = self.a < end < self.b
            return self.base.end_velocity(name.removeprefix("base."), end) if inside_base else 0.0
        return super().end_velocity(name, end)

    def velocity(self, name: str, at: Points) -> Array | None:
        return super().velocity(name, at) if name in ("loc", "scale") else None

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        """Return the ratio of both bases less that of the masses on which they are kept."""
        base = other.base if of_family(other, Restrict) else other
        same = self.base == base
        known = (np.zeros_like(at.x),) * 2 if same else self.base.log_ratio(base, at)
        if known is None:
            return None
        law = other if of_family(other, Restrict) else Restrict(other)
        constant, size = law.log_mass - self.log_mass, abs(law.log_mass) + abs(self.log_mass)
        ours, theirs = inside(at, self.a, self.b), inside(at, law.a, law.b)
        outside = np.where(ours, np.inf, np.where(theirs, -np.inf, 0.0))
        # four: a distribution function is good to some thirty roundings, u's terms to eight
        return np.where(ours & theirs, known[0] + constant, outside), known[1] + 4 * size
