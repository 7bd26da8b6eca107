"""A user's own density on the line, given by its log-density and what is known of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from gantheory.densities.alone import follows
from gantheory.densities.base import Array
from gantheory.densities.beside import NOTHING, UNDERFLOW, Beside, places_beside, underflows
from gantheory.densities.declared import called, check_law, check_shape
from gantheory.densities.scanned import scan
from gantheory.densities.stated_functions import check_functions, levels_off
from gantheory.densities.tails import CONSTANT, Tail
from gantheory.densities.univariate import Interval, Points, Univariate
from gantheory.errors import GantheoryError
from gantheory.rounding import EPS

Function = Callable[[Array], Array]
FARTHEST = 1e100  # beyond, a user's formula may overflow on its way to 0


@dataclass(frozen=True, eq=False)
class OwnDensity(Univariate):
    """A density known by a vectorised callable; see `own_density`."""

    name: ClassVar[str] = "own"
    normalised: ClassVar[bool] = False  # type: ignore[misc]
    log_function: Function
    interval: Interval
    stated: tuple[tuple[float, float], ...] = ()
    inner_kinks: tuple[float, ...] = ()
    lower_tail: Tail | None = None
    upper_tail: Tail | None = None
    functions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, Any]:
        return {}

    @property
    def opaque(self) -> bool:  # type: ignore[override]
        return not self.stated

    def __str__(self) -> str:
        return f"own density on ({self.interval[0]:g}, {self.interval[1]:g})"

    def log_density(self, at: Points) -> Array:
        low, high = self.interval
        within = (at.x >= low) & (at.x <= high) & np.isfinite(at.x)
        x = np.where(within, at.x, self.centers[0][0])
        value = called(self, "its log-density", self.log_function, x)
        for beside in self._beside:
            nearer = beside.nearer(at)
            going = np.where(
                nearer > 0, beside.level + beside.power * nearer, value + beside.moved(at)
            )
            value = np.where(beside.holds(at), going, value)
        self._refuse_holes(at.x, within, value)
        # a nan that was not refused lies so far out that the formula overflows
        value = np.where(within & ~np.isnan(value), value, -np.inf)
        return np.where(within & np.isneginf(value), NOTHING, value) if self._sinks else value

    def misread(self, at: Points) -> Array:
        off = np.zeros_like(at.x)
        for beside in self._beside:
            off = np.where(beside.holds(at), beside.off(at), off)
        if self._sinks:
            off = np.where(self.log_density(at) == NOTHING, UNDERFLOW - NOTHING, off)
        return off

    @cached_property
    def _beside(self) -> tuple[Beside, ...]:
        return places_beside(self)

    @cached_property
    def _sinks(self) -> bool:
        """Whether its log-density is -inf where only the density has left the range."""
        return underflows(self)

    def _refuse_holes(self, x: Array, within: Array, value: Array) -> None:
        """Raise where the density is no number, or vanishes on a stretch of its own support."""
        holes = within & ~np.isfinite(value) & (np.abs(x) < FARTHEST)
        for place in x[holes][:5]:
            step = 1e-6 * max(abs(place - self.centers[0][0]), self.centers[0][1])
            near = self.log_function(np.array([place - step, place, place + step]))
            none = np.isneginf(near).all() and self._stops_before(float(place))
            if np.isnan(near[1]) or np.isposinf(near).all() or none:
                what = str(near[1])
                raise GantheoryError(
                    f"{self}: its log-density is {what} at x={place:.6g}, inside its support; "
                    "return finite numbers there, or state the support where it is positive"
                )

    def _stops_before(self, place: float) -> bool:
        """Whether the density ends at once before ``place``, and not by falling below the range."""
        side = 1.0 if place > self.centers[0][0] else -1.0
        known = self._ends_seen.get(side)
        if known is not None and (place - known[0]) * side >= 0:
            return known[1]
        edge, at_once = self._end_before(place)
        self._ends_seen[side] = (edge, at_once)
        return at_once

    @cached_property
    def _ends_seen(self) -> dict[float, tuple[float, bool]]:
        """Where it ended below and above its center, and whether at once."""
        return {}

    def _end_before(self, place: float) -> tuple[float, bool]:
        center, width = self.centers[0]
        starts = center + width * np.array([0.0, 0.37, -0.37])
        alive = starts[np.isfinite(self.log_function(starts))]
        if not len(alive):
            return center, True
        inside, outside = float(alive[0]), place
        for _ in range(1200):
            middle = 0.5 * (inside + outside)
            if not min(inside, outside) < middle < max(inside, outside):
                break
            lives = np.isfinite(self.log_function(np.array([middle]))[0])
            inside, outside = (middle, outside) if lives else (inside, middle)
        nearer = inside + math.copysign(1e-6 * width, inside - outside)
        last, before = self.log_function(np.array([inside, nearer]))
        # by exp(x) a density underflows at -745; one that ends smoothly falls at its very end
        return outside, bool(last > UNDERFLOW or (last < -1e4 and before > 1e-3 * last))

    @property
    def pieces(self) -> tuple[Interval, ...]:
        return (self.interval,)

    @property
    def centers(self) -> tuple[tuple[float, float], ...]:
        if self.stated:
            return self.stated
        low, high = self.interval
        if math.isfinite(low) and math.isfinite(high):
            return (((low + high) / 2, (high - low) / 4),)
        return ((low + 1 if math.isfinite(low) else high - 1 if math.isfinite(high) else 0.0, 1.0),)

    @property
    def kinks(self) -> tuple[float, ...]:
        return self.inner_kinks

    def end_tail(self, end: float) -> Tail | None:
        tail = self.lower_tail if end == self.interval[0] else self.upper_tail
        if tail is None and math.isfinite(end) and not self.opaque:
            return CONSTANT if self._follows(CONSTANT, end) else None
        return tail

    def check_tails(self) -> None:
        """Raise where a stated tail is not what the log-density does toward that end."""
        for end, tail in zip(self.interval, (self.lower_tail, self.upper_tail), strict=True):
            if tail is not None and not self._follows(tail, end):
                raise GantheoryError(
                    f"{self}: its log-density does not grow like the tail stated at {end:g} "
                    f"({tail}); correct the tail, or leave it out"
                )

    def _follows(self, tail: Tail, end: float) -> bool:
        return follows(self.log_function, self, tail, end)

    @property
    def log_magnitude(self) -> float:
        return 10.0  # nothing is known of the constants inside a user's callable

    def _known(self, what: str, x: ArrayLike) -> Array:
        if what not in self.functions:
            raise GantheoryError(f"{self}: no {what} was given; pass {what}=... to own_density")
        return np.asarray(self.functions[what](np.asarray(x, float)), float)

    def below(self, at: Points) -> Array:
        return self._known("cdf", at.x)

    def blur(self, at: Points) -> Array:
        """Return the same as of any law, and what its cdf was seen to be off by."""
        blur = super().blur(at)
        if not self.levels_off:
            return blur
        with np.errstate(all="ignore"):
            tail = np.minimum(self.below(at), self.above(at))
            off = np.exp(np.log(tail * self.levels_off / EPS) - self.log_density(at))
        return blur + np.where(np.isfinite(off), off, 0.0)

    @cached_property
    def levels_off(self) -> float:
        """The part of the smaller tail by which its cdf may miss the integral of its density."""
        return levels_off(self)

    def ppf(self, level: ArrayLike) -> Array:
        return self._known("ppf", level)

    def slope(self, at: Points) -> Array:
        return self._known("slope", at.x)

    def mean(self) -> float:
        if "mean" not in self.functions:
            raise GantheoryError(f"{self}: no mean was given; pass mean=... to own_density")
        return float(self.functions["mean"])

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        if "sample" in self.functions:
            return np.asarray(self.functions["sample"](rng, n))
        return super().sample(rng, n)


def own_density(
    log_density: Function,
    *,
    support: Interval = (-math.inf, math.inf),
    centers: Sequence[tuple[float, float]] = (),
    kinks: Sequence[float] = (),
    tails: tuple[Tail | None, Tail | None] = (None, None),
    **functions: Any,
) -> OwnDensity:
    """Return a density from its log-density and what is known of its shape.

    Args:
        log_density: the normalised natural log-density, vectorised over arrays. It is looked at
            around the centers, in each of 32 768 parts of its mass, and by every integral in each
            of 8 192 parts of what that adds up (in fewer of both where it is slow): a fault on a
            shorter stretch may go unseen.
        support: the interval on which it is positive.
        centers: (location, width) of every bump. Without them no quadrature can be sure to have
            seen a narrow spike, and every result says so.
        kinks: points inside the support at which it is not smooth.
        tails: its growth toward the two ends, as `gantheory.densities.Tail`; without them a
            divergence that depends on them is ``undetermined``.
        functions: ``cdf``, ``ppf``, ``slope`` (d log p/dx), ``mean``, ``sample(rng, n)``.

    >>> import numpy as np
    >>> d = own_density(lambda x: -np.log(2 * np.cosh(np.pi * x / 2)), centers=[(0, 1)])
    >>> round(float(d.logpdf(0)), 6)
    -0.693147
    """
    check_shape(support, centers, kinks, tails)
    low, high = map(float, support)
    stated = tuple((float(c), float(w)) for c, w in centers)
    inner = tuple(map(float, kinks))
    found = OwnDensity(log_density, (low, high), stated, inner, *tails, functions)
    check_law(found)
    scan(found)
    check_functions(found)
    return found
