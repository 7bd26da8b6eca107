"""A law drawn in two steps: first which of some laws on the line, then a point of that one."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize.elementwise import find_root

from gantheory.densities.base import Array, generator
from gantheory.densities.base import parameter_text as as_text
from gantheory.densities.inherited import of_family
from gantheory.densities.tails import CONSTANT, Tail, heavier
from gantheory.densities.univariate import (
    Interval,
    LogRatio,
    Place,
    Points,
    Univariate,
    log_quotient,
    reaches,
)
from gantheory.errors import GantheoryError, shown

P = TypeVar("P", float, Place)


# Weights that a person types, such as 0.333 three times, may miss 1 by no more than rounding.
SUM_TOLERANCE = 1e-9


LEAST = 1e-320  # of a level, whose logarithm is taken
PAIRED = 32  # components up to which a ratio is taken one by one: it costs as many of either law


class AnyMixture(Univariate):
    """The law that draws its k-th part with probability ``weights[k]``."""

    weights: tuple[float, ...]

    @cached_property
    def parts(self) -> tuple[Univariate, ...]:
        """The components as densities."""
        raise NotImplementedError

    def __str__(self) -> str:
        pairs = zip(self.weights, self.parts, strict=True)
        return f"mixture({' + '.join(f'{as_text(w)}*{part}' for w, part in pairs)})"

    def log_parts(self, at: Points) -> Array:
        """Return log(weight·density) of each component, of shape (components, ...)."""
        pairs = zip(self.log_weights, self.parts, strict=True)
        return np.stack([log_weight + c.log_density(at) for log_weight, c in pairs])

    @cached_property
    def log_weights(self) -> tuple[float, ...]:
        """The logarithms of the probabilities."""
        return tuple(math.log(w) for w in self.probabilities)

    @cached_property
    def probabilities(self) -> tuple[float, ...]:
        """The weights, made to sum to 1 as closely as rounding lets them."""
        total = math.fsum(self.weights)
        return tuple(w / total for w in self.weights)

    def log_density(self, at: Points) -> Array:
        parts = self.log_parts(at)
        top = np.max(parts, axis=0)
        safe = np.where(np.isfinite(top), top, 0.0)
        with np.errstate(divide="ignore", under="ignore"):
            return safe + np.log(np.sum(np.exp(parts - safe), axis=0))

    @cached_property
    def pieces(self) -> tuple[Interval, ...]:
        return _merged(piece for c in self.parts for piece in c.pieces)

    @cached_property
    def exact_pieces(self) -> tuple[tuple[Place, Place], ...]:
        return _merged(piece for c in self.parts for piece in c.exact_pieces)

    @cached_property
    def exact_breaks(self) -> frozenset[Place]:
        return frozenset().union(*(c.exact_breaks for c in self.parts))

    @cached_property
    def centers(self) -> tuple[tuple[float, float], ...]:
        return tuple(dict.fromkeys(center for c in self.parts for center in c.centers))

    @cached_property
    def kinks(self) -> tuple[float, ...]:
        ends = {end for c in self.parts for piece in c.pieces for end in piece}
        inner = {e for e in ends if any(low < e < high for low, high in self.pieces)}
        return tuple(sorted(inner | {kink for c in self.parts for kink in c.kinks}))

    def tail(self, point: float, side: int) -> Tail | None:
        return _sum_of(c.tail(point, side) for c in self.parts if reaches(c.pieces, point, side))

    def exact_tail(self, place: Place, side: int) -> Tail | None:
        there = (c for c in self.parts if reaches(c.exact_pieces, place, side))
        return _sum_of(c.exact_tail(place, side) for c in there)

    def end_tail(self, end: float) -> Tail | None:
        lower = any(end == low for low, _ in self.pieces)
        return self.tail(end, 1 if lower else -1)

    @property
    def log_magnitude(self) -> float:
        return 2 + max(c.log_magnitude for c in self.parts)

    @cached_property
    def misplaced(self) -> float:
        return max(c.misplaced for c in self.parts)

    def misread(self, at: Points) -> Array:
        shares = self.shares(at)
        parts = [c.misread(at) for c in self.parts]
        return np.sum(np.where(shares > 0, shares * parts, 0.0), axis=0)

    @property
    def opaque(self) -> bool:  # type: ignore[override]
        return any(c.opaque for c in self.parts)

    @property
    def normalised(self) -> bool:  # type: ignore[override]
        return all(c.normalised for c in self.parts)

    def log_depth(self, at: Points) -> Array:
        return np.min([c.log_depth(at) for c in self.parts], axis=0)

    def below(self, at: Points) -> Array:
        pairs = zip(self.probabilities, self.parts, strict=True)
        return np.sum([w * c.below(at) for w, c in pairs], axis=0)

    def above(self, at: Points) -> Array:
        pairs = zip(self.probabilities, self.parts, strict=True)
        return np.sum([w * c.above(at) for w, c in pairs], axis=0)

    def blur(self, at: Points) -> Array:
        return np.max([c.blur(at) for c in self.parts], axis=0)

    def ppf(self, level: ArrayLike) -> Array:
        """Return the quantile function, between those of the components."""
        level = np.asarray(level, float)
        return inverted([c.ppf(level) for c in self.parts], level, self.cdf, 1)

    def isf(self, level: ArrayLike) -> Array:
        level = np.asarray(level, float)
        return inverted([c.isf(level) for c in self.parts], level, self.sf, -1)

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        rng = generator(rng)
        counts = rng.multinomial(n, self.probabilities)
        draws = [c.sample(rng, int(k)) for c, k in zip(self.parts, counts, strict=True)]
        return np.asarray(rng.permutation(np.concatenate(draws)))

    def mean(self) -> float:
        pairs = zip(self.probabilities, self.parts, strict=True)
        return math.fsum(w * c.mean() for w, c in pairs)

    def shares(self, at: Points) -> Array:
        """Return each component's share of the density, of shape (components, ...)."""
        parts = self.log_parts(at)
        total = self.log_density(at)
        return np.where(
            np.isfinite(total), np.exp(parts - np.where(np.isfinite(total), total, 0.0)), 0.0
        )

    def slope(self, at: Points) -> Array:
        shares = self.shares(at)
        slopes = [c.slope(at) for c in self.parts]
        return np.sum(np.where(shares > 0, shares * slopes, 0.0), axis=0)

    def elasticity(self, at: Points) -> Array:
        shares = self.shares(at)
        parts = [c.elasticity(at) for c in self.parts]
        return np.sum(np.where(shares > 0, shares * parts, 0.0), axis=0)

    def score_size(self, name: str) -> float:
        if match := re.fullmatch(r"components\[(\d+)\]\.(.+)", name):
            return self.parts[self._index(int(match[1]))].score_size(match[2])
        return 0.0

    def scores(self, name: str, at: Points) -> Array:
        """Return a score; ``weights[k]`` grows weight k at the expense of the others alike."""
        if match := re.fullmatch(r"weights\[(\d+)\]", name):
            k = self._index(int(match[1]))
            log_odds = self.parts[k].log_density(at) - self.log_density(at)
            return np.where(np.isfinite(log_odds), np.exp(log_odds), 0.0) - 1.0
        if match := re.fullmatch(r"components\[(\d+)\]\.(.+)", name):
            k = self._index(int(match[1]))
            share = self.shares(at)[k]
            return np.where(share > 0, share * self.parts[k].scores(match[2], at), 0.0)
        return super().scores(name, at)

    def _index(self, k: int) -> int:
        if k >= len(self.parts):
            raise GantheoryError(f"{self}: no component {k}; the last is {len(self.parts) - 1}")
        return k

    def end_velocity(self, name: str, end: float) -> float:
        if match := re.fullmatch(r"components\[(\d+)\]\.(.+)", name):
            k = self._index(int(match[1]))
            owners = [j for j, c in enumerate(self.parts) if end in {*sum(c.pieces, ()), *c.kinks}]
            if owners != [k] and k in owners:
                raise GantheoryError(f"{self}: several components end at {end:g}; move one of them")
            return self.parts[k].end_velocity(match[2], end) if k in owners else 0.0
        return super().end_velocity(name, end)

    def velocity(self, name: str, at: Points) -> Array | None:
        """Return a quantile's velocity: a component moves it by its share of the density."""
        if match := re.fullmatch(r"components\[(\d+)\]\.(.+)", name):
            k = self._index(int(match[1]))
            moved = self.parts[k].velocity(match[2], at)
            share = self.shares(at)[k]
            return None if moved is None else np.where(share > 0, share * moved, 0.0)
        return super().velocity(name, at)

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        """Return log(1 + Σ share·(exp(Δ) − 1)) with Δ the ratios of components that pair up."""
        theirs = _paired(self, other) if len(self.parts) <= PAIRED else None
        if theirs is None:
            return None
        change, size = np.zeros((2, *at.x.shape))
        total = other.log_density(at)
        for w, ours, (v, their) in zip(self.probabilities, self.parts, theirs, strict=True):
            of_p = math.log(w) + ours.log_density(at)
            of_q = math.log(v) + their.log_density(at)
            before, after = np.exp(of_q - total), np.exp(of_p - total)
            # an eighth: sizes count in units of eight roundings
            logs = (np.abs(of_p) + np.abs(of_q) + np.abs(total) + _magnitude(ours, their)) / 8
            delta, terms = of_p - of_q, logs
            if (known := ours.log_ratio(their, at)) is not None:
                exact = np.isfinite(known[0])
                delta = np.where(exact, known[0] + log_quotient(w, v), delta)
                terms = np.where(exact, known[1] + np.abs(log_quotient(w, v)), terms)
            near, alive = np.abs(delta) < 1, before + after > 0
            grown = before * np.expm1(np.clip(delta, -1.0, 1.0))
            change += np.where(alive, np.where(near, grown, after - before), 0.0)
            noise = np.where(near, before * terms + np.abs(grown) * logs, (before + after) * logs)
            size += np.where(alive, noise, 0.0)
        better = (np.abs(change) < 0.5) & (4 * size < 4 + 2 * np.abs(total)) & np.isfinite(total)
        return np.where(better, np.log1p(np.where(better, change, 0.0)), np.nan), size


def inverted(
    quantiles: list[Array], level: Array, function: Callable[[Array], Array], side: int
) -> Array:
    """Return where a distribution function (side 1) or its complement (side −1) has a level.

    The place lies between given quantiles; of a stretch on which the function is flat it is the
    lower end. Logarithms of levels are compared, which bend less in the tails.
    """
    ends = np.min(quantiles, axis=0), np.max(quantiles, axis=0)
    low, high, levels = (np.array(x).ravel() for x in np.broadcast_arrays(*ends, level))

    def excess(x: Array, level: Array) -> Array:
        with np.errstate(all="ignore"):
            value = np.maximum(function(x), LEAST)
            return side * np.where(level > LEAST, np.log(value / level), value)

    with np.errstate(all="ignore"):
        root = find_root(excess, (low, high), args=(levels,), maxiter=100).x
        step = 4 * np.spacing(np.abs(root))
    for place in (root - step, root + step):  # a bracket of a few roundings, where it holds
        inside = (low < place) & (place < high)
        below = excess(np.where(inside, place, high), levels) < 0
        low = np.where(inside & below, place, low)
        high = np.where(inside & ~below, place, high)
    for _ in range(100):  # halves of any binary64 interval, down to its last digit
        middle = low + (high - low) / 2
        left = (low < middle) & (middle < high)
        if not left.any():
            break
        below = excess(middle[left], levels[left]) < 0
        low[left] = np.where(below, middle[left], low[left])
        high[left] = np.where(below, high[left], middle[left])
    return np.asarray(high.reshape(np.shape(ends[1])))


def _paired(mixture: AnyMixture, other: Any) -> list[tuple[float, Univariate]] | None:
    """Return (weight, component) of ``other`` for each of ours, or None where they do not pair."""
    if of_family(other, AnyMixture):
        if len(other.parts) != len(mixture.parts):
            return None
        return list(zip(other.probabilities, other.parts, strict=True))
    return [(w, other) for w in mixture.probabilities] if isinstance(other, Univariate) else None


def _magnitude(p: Univariate, q: Univariate) -> float:
    return p.log_magnitude + q.log_magnitude


def _sum_of(tails: Iterable[Tail | None]) -> Tail | None:
    """Return the tail of a sum of densities, or None where one of theirs is not known."""
    found = list(tails)
    known = [tail for tail in found if tail is not None]
    if len(known) < len(found):
        return None
    return heavier(known) if known else CONSTANT


def _merged(pieces: Iterable[tuple[P, P]]) -> tuple[tuple[P, P], ...]:
    """Return the union of intervals as disjoint ones, in order."""
    merged: list[tuple[P, P]] = []
    for low, high in sorted(pieces):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def check_weights(weights: Any, count: int) -> None:
    """Raise unless there are ``count`` weights that sum to 1."""
    if not isinstance(weights, tuple) or len(weights) != count or not count:
        raise GantheoryError(
            f"mixture: {count} components need {count} weights, got {shown(weights)}"
        )
    if abs(math.fsum(weights) - 1) > SUM_TOLERANCE:
        total = math.fsum(weights)
        raise GantheoryError(f"mixture: the weights sum to {total:.12g}; they must sum to 1")
