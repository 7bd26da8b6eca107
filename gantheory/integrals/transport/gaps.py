"""The difference of two distribution functions and its sign, with what rounding leaves unknown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.inherited import of_family
from gantheory.densities.mixing import AnyMixture
from gantheory.densities.univariate import Interval, Points, Univariate
from gantheory.integrals.line.quadrature import NodeSamples
from gantheory.rounding import EPS

# Twice what scipy's distribution functions were off against 40 digits, on 300 random arguments;
# deep in a tail the rounding of the logarithm's argument adds EPS·abs(log F).
CDF_NOISE = 1e-14
UNKNOWN = 1e300  # in the place of a mantissa that is not known
HIGHEST = 1e6  # in the place of a log weight that is not known: more than any that counts
HELD = 320.0  # log of the largest abs(x) whose image under any scale keeps to binary64


@dataclass(frozen=True)
class Coupling:
    """The optimal coupling of one location-scale family: y − x = offset + slope·z."""

    offset: float
    slope: float
    far: float  # of z = 1: what is moved from there, not rounded twice
    loc: float
    scale: float

    @classmethod
    def of(cls, p: Univariate, q: Univariate) -> Coupling | None:
        """Return how mass at the standard point z of q moved there, or None for two families."""
        ours, theirs = p.standard_form(), q.standard_form()
        if ours is None or theirs is None or ours[0] != theirs[0]:
            return None
        (a, s), (b, t) = ((Fraction(form[1]), Fraction(form[2])) for form in (ours, theirs))
        return cls(float(b - a), float(t - s), float(b - a + t - s), float(b), float(t))

    def at(self, at: Points) -> Array:
        """Return how far the mass that arrives at x was moved."""
        if not self.slope:
            return np.full_like(at.x, self.offset)
        z = at.minus(self.loc) / self.scale
        return np.where(z < 0.5, self.offset + self.slope * z, self.far + self.slope * (z - 1))

    def error(self, at: Points) -> Array:
        """Return how far rounding may put it off."""
        z = np.abs(at.minus(self.loc) / self.scale)
        end = np.where(z < 0.5, abs(self.offset), abs(self.far) + abs(self.slope))
        place = np.abs(at.anchor - self.loc) / self.scale  # loc is itself rounded in an image
        return EPS * (4 * end + abs(self.slope) * (4 * z + place + abs(self.loc) / self.scale))


@dataclass(frozen=True)
class Gap:
    """F_p − F_q, from whichever tail is smaller; components that both laws share cancel exactly."""

    p: Univariate
    q: Univariate

    @cached_property
    def coupling(self) -> Coupling | None:
        """How one member of a location-scale family moves onto another; its sign is the gap's."""
        return Coupling.of(self.p, self.q)

    @cached_property
    def terms(self) -> list[tuple[float, float, Univariate]]:
        """The (coefficient, its size before cancellation, law) of each term of F_p − F_q."""
        terms: list[tuple[float, float, Univariate]] = []
        for sign, law in ((1.0, self.p), (-1.0, self.q)):
            for weight, part in _components(law):
                same = next((k for k, (_, _, other) in enumerate(terms) if other == part), None)
                if same is None:
                    terms.append((sign * weight, weight, part))
                else:
                    terms[same] = (terms[same][0] + sign * weight, terms[same][1] + weight, part)
        return terms

    def at(self, at: Points) -> tuple[Array, Array]:
        """Return F_p − F_q at points, and a bound on its rounding error.

        It is what each distribution function is off by itself, what its density makes of the
        rounding of x (`Univariate.blur`), and the rounding of the sum.
        """
        below, above, size_below, size_above = np.zeros((4, *at.x.shape))
        for coefficient, size, law in self.terms:
            if not coefficient:
                continue
            place = EPS * np.exp(_log_blurred(law, at))
            for sums, sizes, value in (
                (below, size_below, law.below(at)),
                (above, size_above, law.above(at)),
            ):
                sums += coefficient * value
                with np.errstate(divide="ignore", invalid="ignore"):
                    depth = np.where(value > 0, -EPS * np.log(value), 0.0)
                off = (CDF_NOISE + depth) * value + np.minimum(place, value)
                sizes += abs(coefficient) * off + EPS * size * value
        low = size_below < size_above
        return np.where(low, below, -above), np.where(low, size_below, size_above)

    def log_underflow(self, at: Points) -> Array:
        """Return the log of a bound on abs(F_p − F_q) where both tails underflow.

        The mass beyond x is at most x·density·(1 + abs(log x)), of which the blur is a multiple.
        """
        bounds = [
            math.log(size) + _log_blurred(law, at)
            for coefficient, size, law in self.terms
            if coefficient
        ]
        return np.asarray(np.logaddexp.reduce(bounds, axis=0, initial=-np.inf))

    def tail_sign(self, end: float) -> float:
        """Return the sign of F_p − F_q toward ±∞ by the heaviest tail, or 0 where two are alike."""
        side = 1 if end < 0 else -1
        tails = []
        for coefficient, _, law in self.terms:
            if coefficient and law.support[end > 0] == end:
                tail = law.tail(end, side)
                if tail is None:
                    return 0.0
                tails.append((tail.order, coefficient * side))
        tails.sort(reverse=True)
        alike = len(tails) > 1 and tails[0][0] == tails[1][0]
        return 0.0 if alike or not tails else math.copysign(1.0, tails[0][1])

    def sign(self, at: Points) -> tuple[Array, Array]:
        """Return a quantity with the sign of F_p − F_q, and the size below which it is rounding."""
        if self.coupling is None:
            return self.at(at)
        return self.coupling.at(at), self.coupling.error(at)


def _log_blurred(law: Univariate, at: Points) -> Array:
    """Return the log of blur·density, also where x or its blur overflows.

    There the blur goes on as x·log x, which is the most that any law states.
    """
    held, most = np.abs(at.x) < math.exp(HELD), HELD
    further = np.where(held, 0.0, at.log_distance - most + np.log(at.log_distance / most))
    blur = law.blur(_drawn_back(at, held))
    log_density = law.log_density(at)
    return np.where(np.isposinf(log_density), -np.inf, log_density + np.log(blur) + further)


def _drawn_back(at: Points, held: Array) -> Points:
    """Return the points, those beyond the range of binary64 drawn back into it."""
    distance = np.where(held, at.distance, math.exp(HELD))
    log_distance = np.where(held, at.log_distance, HELD)
    return Points(at.anchor, at.side, distance, log_distance)


def _components(law: Univariate) -> list[tuple[float, Univariate]]:
    if not of_family(law, AnyMixture):
        return [(1.0, law)]
    total = sum(law.weights)
    return [
        (weight / total * inner, part)
        for weight, component in zip(law.weights, law.parts, strict=True)
        for inner, part in _components(component)
    ]


def hull(p: Univariate, q: Univariate) -> Interval:
    """Return the smallest interval that holds both supports: in between, mass is carried across."""
    return min(p.support[0], q.support[0]), max(p.support[1], q.support[1])


def alive(weight: Array, mantissa: Array, noise: Array, unsure: Array | None = None) -> NodeSamples:
    """Return samples of one integrand; where one is not known it is taken to be huge, and lost.

    Where its weight vanishes there is nothing, whatever the other factor overflowed to.
    """
    nothing = np.isneginf(weight)
    lost = ~nothing & (~np.isfinite(weight) | ~np.isfinite(mantissa) | np.isnan(noise))
    weight = np.where(nothing | np.isfinite(weight), weight, HIGHEST)
    mantissa = np.where(lost, UNKNOWN, np.where(nothing, 0.0, mantissa))
    noise = np.where(lost | nothing, 0.0, noise)
    if unsure is not None:
        unsure = np.where(lost | nothing, 0.0, unsure)[None]
    return NodeSamples(weight[None], mantissa[None], noise[None], unsure, lost[None])
