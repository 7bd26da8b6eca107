"""Mixtures: any densities on the line added with weights, and normal mixtures by their numbers."""

from __future__ import annotations

import bisect
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from scipy import special

from gantheory.densities.base import POSITIVE, REAL, Array, parameter, register_family
from gantheory.densities.inherited import of_family
from gantheory.densities.mixing import PAIRED, AnyMixture, check_weights
from gantheory.densities.normal import LOG_SQRT_2PI, Normal
from gantheory.densities.tails import CONSTANT, Tail
from gantheory.densities.univariate import (
    Interval,
    Place,
    Points,
    Univariate,
)
from gantheory.errors import GantheoryError, shown

HELD = 200_000  # numbers at once: what a cache holds
APART = 0.5  # of a width: bumps nearer to each other are looked at from one anchor


@register_family
@dataclass(frozen=True)
class Mixture(AnyMixture):
    """A mixture of any densities on the line.

    >>> from gantheory.densities import density
    >>> print(density("mixture(0.9*normal(0, 1) + 0.1*laplace(3, 0.1))"))
    mixture(0.9*normal(0, 1) + 0.1*laplace(3, 0.1))
    """

    name: ClassVar[str] = "mixture"
    weights: tuple[float, ...] = parameter(POSITIVE)
    components: tuple[Univariate, ...] = parameter(None)

    def __post_init__(self) -> None:
        for component in self.components:
            if not isinstance(component, Univariate):
                raise GantheoryError(f"mixture: {shown(component)} is no density on the line")
        check_weights(self.weights, len(self.components))

    @cached_property
    def parts(self) -> tuple[Univariate, ...]:
        return self.components

    @cached_property
    def _of_normals(self) -> NormalMixture | None:
        """The same law as a mixture of normals alone, which is computed at once."""
        normals = [c for c in self.components if of_family(c, Normal)]
        if len(normals) < len(self.components) or len(normals) <= PAIRED:
            return None
        locs, scales = tuple(c.loc for c in normals), tuple(c.scale for c in normals)
        return NormalMixture(self.weights, locs, scales)

    def log_density(self, at: Points) -> Array:
        return self._of_normals.log_density(at) if self._of_normals else super().log_density(at)

    def log_parts(self, at: Points) -> Array:
        return self._of_normals.log_parts(at) if self._of_normals else super().log_parts(at)

    def below(self, at: Points) -> Array:
        return self._of_normals.below(at) if self._of_normals else super().below(at)

    def above(self, at: Points) -> Array:
        return self._of_normals.above(at) if self._of_normals else super().above(at)

    @cached_property
    def centers(self) -> tuple[tuple[float, float], ...]:
        return self._of_normals.centers if self._of_normals else super().centers

    @property
    def breakpoints(self) -> tuple[float, ...]:
        return self._of_normals.breakpoints if self._of_normals else super().breakpoints

    def tail(self, point: float, side: int) -> Tail | None:
        law = self._of_normals
        return law.tail(point, side) if law else super().tail(point, side)

    def misread(self, at: Points) -> Array:
        return self._of_normals.misread(at) if self._of_normals else super().misread(at)

    def log_depth(self, at: Points) -> Array:
        return self._of_normals.log_depth(at) if self._of_normals else super().log_depth(at)


@register_family
@dataclass(frozen=True)
class NormalMixture(AnyMixture):
    """A mixture of normals, given by its weights, locations and standard deviations.

    >>> from gantheory.densities import density
    >>> print(density("normal_mixture", weights=[0.5, 0.5], locs=[-2, 2], scales=[0.1, 0.1]))
    normal_mixture((0.5, 0.5), (-2, 2), (0.1, 0.1))
    """

    name: ClassVar[str] = "normal_mixture"
    weights: tuple[float, ...] = parameter(POSITIVE)
    locs: tuple[float, ...] = parameter(REAL)
    scales: tuple[float, ...] = parameter(POSITIVE)

    def __post_init__(self) -> None:
        for name in ("weights", "locs", "scales"):
            if not isinstance(getattr(self, name), tuple):
                raise GantheoryError(f"normal_mixture: {name} must be a list of numbers")
        if len(self.locs) != len(self.scales):
            raise GantheoryError(
                f"normal_mixture: {len(self.locs)} locs need as many scales, got {len(self.scales)}"
            )
        check_weights(self.weights, len(self.locs))

    def __str__(self) -> str:
        return Univariate.__str__(self)

    @cached_property
    def parts(self) -> tuple[Univariate, ...]:
        return tuple(Normal(m, s) for m, s in zip(self.locs, self.scales, strict=True))

    @cached_property
    def centers(self) -> tuple[tuple[float, float], ...]:
        return _thinned(self.locs, self.scales)

    @property
    def pieces(self) -> tuple[Interval, ...]:
        return ((-math.inf, math.inf),)

    @property
    def exact_pieces(self) -> tuple[tuple[Place, Place], ...]:
        return self.pieces

    @property
    def exact_breaks(self) -> frozenset[Place]:
        return frozenset((-math.inf, math.inf))

    @property
    def kinks(self) -> tuple[float, ...]:
        return ()

    def tail(self, point: float, side: int) -> Tail | None:
        return self._outer[point > 0] if math.isinf(point) else CONSTANT

    def exact_tail(self, place: Place, side: int) -> Tail | None:
        return self.tail(float(place), side) if isinstance(place, float) else CONSTANT

    @cached_property
    def _outer(self) -> tuple[Tail | None, Tail | None]:
        """The tails of the widest components that lie furthest out."""
        pairs = list(zip(self.scales, self.locs, strict=True))
        lower, upper = max(pairs, key=lambda c: (c[0], -c[1])), max(pairs)
        return (
            Normal(lower[1], lower[0]).end_tail(-math.inf),
            Normal(upper[1], upper[0]).end_tail(math.inf),
        )

    @cached_property
    def log_magnitude(self) -> float:
        return 4 + float(np.max(np.abs(np.log(self.scales))))

    @property
    def misplaced(self) -> float:
        return 0.0

    def misread(self, at: Points) -> Array:
        return np.zeros_like(at.x)

    def log_depth(self, at: Points) -> Array:
        widest = max(zip(self.scales, self.locs, strict=True))
        return Normal(widest[1], widest[0]).log_depth(at)

    def log_density(self, at: Points) -> Array:
        if len(self.locs) <= PAIRED:
            return super().log_density(at)
        scales = np.array(self.scales)[:, None]
        constants = np.reshape(self.log_weights, (-1, 1)) - np.log(scales) - LOG_SQRT_2PI

        def of_places(z: Array) -> Array:
            logs = constants - 0.5 * z**2
            top = np.max(logs, axis=0)
            top[np.isneginf(top)] = 0.0
            with np.errstate(divide="ignore", under="ignore"):
                return np.asarray(top + np.log(np.sum(np.exp(logs - top), axis=0)))

        return self._at_once(of_places, at)

    def below(self, at: Points) -> Array:
        if len(self.locs) <= PAIRED:
            return super().below(at)
        shares = np.array(self.probabilities)
        return self._at_once(lambda z: shares @ special.ndtr(z), at)

    def above(self, at: Points) -> Array:
        if len(self.locs) <= PAIRED:
            return super().above(at)
        shares = np.array(self.probabilities)
        return self._at_once(lambda z: shares @ special.ndtr(-z), at)

    def _at_once(self, function: Callable[[Array], Array], at: Points) -> Array:
        """Return a function of the standard places by component, of as many as a cache holds."""
        anchor = np.asarray(at.anchor, float).ravel()
        step = np.broadcast_to(at.side * at.distance, np.shape(at.anchor)).ravel()
        locs, scales = np.array(self.locs)[:, None], np.array(self.scales)[:, None]
        value, size = np.empty_like(anchor), max(1, HELD // len(self.locs))
        for start in range(0, len(anchor), size):
            part = slice(start, start + size)
            value[part] = function((anchor[part] - locs + step[part]) / scales)
        return value.reshape(np.shape(at.anchor))

    def log_parts(self, at: Points) -> Array:
        shape = (-1,) + (1,) * np.ndim(at.anchor)
        locs, scales = np.reshape(self.locs, shape), np.reshape(self.scales, shape)
        constants = np.reshape(self.log_weights, shape) - np.log(scales) - LOG_SQRT_2PI
        return constants - 0.5 * (at.minus(locs) / scales) ** 2

    def scores(self, name: str, at: Points) -> Array:
        return super().scores(_of_component(name), at)

    def score_size(self, name: str) -> float:
        return super().score_size(_of_component(name))

    def velocity(self, name: str, at: Points) -> Array | None:
        return super().velocity(_of_component(name), at)


def _thinned(locs: Sequence[float], scales: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """Return bumps of which none lies within half the width of another that is no wider."""
    kept: list[tuple[float, float]] = []
    places: list[float] = []
    for width, loc in sorted(zip(scales, locs, strict=True)):
        k = bisect.bisect_left(places, loc)
        if any(abs(x - loc) < APART * width for x in places[max(k - 1, 0) : k + 1]):
            continue
        places.insert(k, loc)
        kept.append((loc, width))
    return tuple(kept)


def _of_component(name: str) -> str:
    """Return locs[k] or scales[k] as the component's own parameter."""
    match = re.fullmatch(r"(loc|scale)s\[(\d+)\]", name)
    return f"components[{match[2]}].{match[1]}" if match else name
