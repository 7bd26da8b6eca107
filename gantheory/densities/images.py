"""Densities made from another one: its affine image, and its restriction to an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from gantheory.densities.base import REAL, Array, Density, make, parameter, register_family
from gantheory.densities.inherited import of_family
from gantheory.densities.tails import Tail
from gantheory.densities.univariate import (
    Interval,
    LogRatio,
    Place,
    Points,
    StandardForm,
    Univariate,
    nearest,
    placed,
)
from gantheory.errors import GantheoryError, shown
from gantheory.rounding import EPS


class Image(Univariate):
    """A law made from ``base``, another density on the line."""

    base: Univariate

    def _check_base(self) -> None:
        if not isinstance(self.base, Univariate):
            raise GantheoryError(f"{self.name}: {shown(self.base)} is no density on the line")

    @property
    def opaque(self) -> bool:  # type: ignore[override]
        return self.base.opaque

    @property
    def normalised(self) -> bool:  # type: ignore[override]
        return self.base.normalised

    @property
    def log_magnitude(self) -> float:
        return 2 + self.base.log_magnitude

    @property
    def misplaced(self) -> float:
        return self.base.misplaced

    def misread(self, at: Points) -> Array:
        return self.base.misread(at)


READ = 4.0  # roundings of the distance to an anchor, in going back to the base


def steepness(law: Univariate, at: Points) -> Array:
    """Return abs(d log p/dx), or about one in a width where a law does not tell its slope."""
    try:
        slope = np.abs(law.slope(at))
    except GantheoryError:
        slope = np.full_like(at.x, 1 / min(width for _, width in law.centers))
    return np.where(np.isnan(slope), 0.0, slope)


@register_family
@dataclass(frozen=True)
class AffineImage(Image):
    """The law of loc + scale·X for X drawn from ``base``; a negative scale reflects it.

    >>> from gantheory.densities import density
    >>> print(density("affine(gumbel(0, 1), loc=1, scale=-2)"))
    affine(gumbel(0, 1), 1, -2)
    """

    name: ClassVar[str] = "affine"
    base: Univariate = parameter(None)  # noqa: RUF009
    loc: float = parameter(REAL, default=0.0)
    scale: float = parameter(REAL, default=1.0)

    def __post_init__(self) -> None:
        self._check_base()
        if self.scale == 0:
            raise GantheoryError("affine: scale=0 leaves no density; use a scale other than 0")

    @cached_property
    def misplaced(self) -> float:
        rounded = [abs(float(self._exactly(x) - Fraction(here))) for here, x in self._anchored]
        return max(rounded, default=0.0) + abs(self.scale) * self.base.misplaced

    def misplaced_near(self, at: Points) -> Array:
        # an anchor that counts lies no farther from theirs than half of that from loc
        own = EPS * (2 * np.abs(at.anchor) + abs(self.loc)) + abs(self.scale) * self.base.misplaced
        return np.minimum(own, self.misplaced)

    def misread(self, at: Points) -> Array:
        away = np.min([np.abs(at.minus(here)) for here, _ in self._anchored], axis=0)
        size = np.abs(self.log_density(at))
        steep = steepness(self, at)
        off = READ * EPS * np.where(np.isfinite(steep) & (steep > 0), steep * away, size)
        # where log p falls faster than its slope tells it stays far below 0 all the same
        off = np.minimum(off, np.maximum(size / 2, 1.0))
        return np.where(np.isfinite(size), off, 0.0) + self.base.misread(self._inner(at))

    def _exactly(self, x: Place) -> Place:
        if isinstance(x, float):
            x = placed(x)
        if isinstance(x, float):
            return math.copysign(1.0, self.scale) * x
        return Fraction(self.loc) + Fraction(self.scale) * x

    def _forward(self, x: float) -> float:
        return nearest(self._exactly(x))

    @cached_property
    def _anchored(self) -> list[tuple[float, float]]:
        """The base's own anchors, after the places at which they land."""
        inner = [*(center for center, _ in self.base.centers), *self.base.kinks]
        exact = {end for piece in self.base.exact_pieces for end in piece if math.isfinite(end)}
        ends = [(nearest(self._exactly(end)), nearest(end)) for end in exact]
        return [*((self._forward(x), x) for x in inner), *ends]

    @cached_property
    def _anchors(self) -> dict[float, float]:
        """Where the base's own anchors land, so that they map back to the last digit.

        Where rounding makes them one, an end is kept before a kink, and that before a centre.
        """
        return dict(self._anchored)

    def _inner(self, at: Points) -> Points:
        return at.standardised(self.loc, self.scale, self._anchors)

    def log_density(self, at: Points) -> Array:
        return self.base.log_density(self._inner(at)) - math.log(abs(self.scale))

    @cached_property
    def pieces(self) -> tuple[Interval, ...]:
        return tuple((nearest(low), nearest(high)) for low, high in self.exact_pieces)

    @cached_property
    def exact_pieces(self) -> tuple[tuple[Place, Place], ...]:
        images = [tuple(map(self._exactly, piece)) for piece in self.base.exact_pieces]
        return tuple(sorted((min(pair), max(pair)) for pair in images))

    @cached_property
    def exact_breaks(self) -> frozenset[Place]:
        return frozenset(map(self._exactly, self.base.exact_breaks))

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        return tuple((self._forward(c), abs(self.scale) * w) for c, w in self.base.centers)

    @property
    def kinks(self) -> tuple[float, ...]:
        return tuple(sorted(self._forward(kink) for kink in self.base.kinks))

    def tail(self, point: float, side: int) -> Tail | None:
        turn = 1 if self.scale > 0 else -1
        origin = turn * point if math.isinf(point) else self._anchors.get(point)
        if origin is None:
            return super().tail(point, side)
        return self._carried(self.base.tail(origin, turn * side), point)

    def exact_tail(self, place: Place, side: int) -> Tail | None:
        turn = 1 if self.scale > 0 else -1
        far = isinstance(place, float)
        origin = turn * place if far else (place - Fraction(self.loc)) / Fraction(self.scale)
        return self._carried(self.base.exact_tail(origin, turn * side), nearest(place))

    def _carried(self, tail: Tail | None, point: float) -> Tail | None:
        """Return a tail of the base as that of the image at a point."""
        shift = math.copysign(self.loc, self.loc * point) if math.isinf(point) else 0.0
        return None if tail is None else tail.affine(shift, self.scale)

    def end_tail(self, end: float) -> Tail | None:
        lower = any(end == low for low, _ in self.pieces)
        return self.tail(end, 1 if lower else -1)

    def log_depth(self, at: Points) -> Array:
        return self.base.log_depth(self._inner(at))

    def below(self, at: Points) -> Array:
        inner = self._inner(at)
        return self.base.below(inner) if self.scale > 0 else self.base.above(inner)

    def above(self, at: Points) -> Array:
        inner = self._inner(at)
        return self.base.above(inner) if self.scale > 0 else self.base.below(inner)

    def blur(self, at: Points) -> Array:
        away = np.min([np.abs(at.minus(here)) for here, _ in self._anchored], axis=0)
        return (
            abs(self.scale) * self.base.blur(self._inner(at)) + READ * away + self.misplaced / EPS
        )

    def standard_form(self) -> StandardForm | None:
        form = self.base.standard_form()
        if form is None:
            return None
        shape, loc, scale = form
        turned = shape if self.scale > 0 else ("turned", shape)
        moved = Fraction(self.loc) + Fraction(self.scale) * Fraction(loc)
        return turned, moved, abs(Fraction(self.scale)) * Fraction(scale)

    def ppf(self, level: ArrayLike) -> Array:
        return self.loc + self.scale * (self.base.ppf if self.scale > 0 else self.base.isf)(level)

    def isf(self, level: ArrayLike) -> Array:
        return self.loc + self.scale * (self.base.isf if self.scale > 0 else self.base.ppf)(level)

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return self.loc + self.scale * self.base.sample(rng, n)

    def mean(self) -> float:
        return self.loc + self.scale * self.base.mean()

    def slope(self, at: Points) -> Array:
        return self.base.slope(self._inner(at)) / self.scale

    def elasticity(self, at: Points) -> Array:
        inner = self._inner(at)
        shifted = self.loc / self.scale * self.base.slope(inner) if self.loc else 0.0
        return self.base.elasticity(inner) + shifted

    def scores(self, name: str, at: Points) -> Array:
        inner = self._inner(at)
        if name == "loc":
            return -self.base.slope(inner) / self.scale
        if name == "scale":
            return (-1 - self.base.elasticity(inner)) / self.scale
        if name.startswith("base."):
            return self.base.scores(name.removeprefix("base."), inner)
        return super().scores(name, at)

    def end_velocity(self, name: str, end: float) -> float:
        inner = self._anchors.get(end, (end - self.loc) / self.scale)
        if name.startswith("base."):
            return self.scale * self.base.end_velocity(name.removeprefix("base."), inner)
        return {"loc": 1.0, "scale": inner}.get(name, 0.0)

    def velocity(self, name: str, at: Points) -> Array | None:
        inner = self._inner(at)
        if name.startswith("base."):
            of_base = self.base.velocity(name.removeprefix("base."), inner)
            return None if of_base is None else self.scale * of_base
        return {"loc": np.ones_like(at.x), "scale": inner.x}.get(name)

    def score_size(self, name: str) -> float:
        if name == "scale":
            return 1 / abs(self.scale)
        return self.base.score_size(name.removeprefix("base.")) if "base." in name else 0.0

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        if of_family(other, AffineImage) and (self.loc, self.scale) == (other.loc, other.scale):
            anchors = other._anchors | self._anchors  # at ends of either no rounding crosses them
            inner = at.standardised(self.loc, self.scale, anchors)
            return self.base.log_ratio(other.base, inner)
        return None


# families whose own loc and scale are those of every image, turned over too where symmetric
LOCATED = frozenset({"normal", "laplace", "logistic", "cauchy", "student_t", "gumbel"})


def moved(law: Density, loc: float, scale: float) -> Density:
    """Return the law of loc + scale·X: its own family where its numbers stay exact, else an image.

    >>> from gantheory.densities import density
    >>> print(moved(density("normal(1, 2)"), -1.0, 3.0))
    normal(2, 6)
    """
    if (loc, scale) == (0.0, 1.0):
        return law
    if law.name in LOCATED and scale and (scale > 0 or law.name != "gumbel"):
        own = {name: Fraction(law.parameters[name]) for name in ("loc", "scale")}
        new = {"loc": Fraction(loc) + Fraction(scale) * own["loc"],
               "scale": Fraction(abs(scale)) * own["scale"]}  # fmt: skip
        near = {name: nearest(value) for name, value in new.items()}
        if all(math.isfinite(x) and Fraction(x) == new[name] for name, x in near.items()):
            return make(law.name, **{**law.parameters, **near})
    return make("affine", base=law, loc=loc, scale=scale)
