"""Distances between discrete laws on the line, exact, each by a route that certifies it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from gantheory.critics.laws import DiscreteLaw, cells


@dataclass(frozen=True)
class Kantorovich:
    """An optimal critic and an optimal plan with the same value: each proves the other optimal."""

    value: Fraction
    potential: dict[Fraction, Fraction]
    plan: tuple[tuple[Fraction, Fraction, Fraction], ...]


def kantorovich(law: DiscreteLaw, other: DiscreteLaw) -> Kantorovich:
    """Return W1 of two laws on the line with a 1-Lipschitz critic and a plan that certify it.

    >>> kantorovich(DiscreteLaw.of([0], [1]), DiscreteLaw.of([3], [1])).value
    Fraction(3, 1)
    """
    intervals = cells(law, other)
    value = sum((length * abs(gap) for _, length, gap in intervals), Fraction(0))
    grid = sorted({*law.points, *other.points})
    potential = {grid[0]: Fraction(0)}
    for (a, b), (_, length, gap) in zip(pairwise(grid), intervals, strict=True):
        slope = 0 if gap == 0 else -1 if gap > 0 else 1
        potential[b] = potential[a] + slope * length
    return Kantorovich(value, potential, _quantile_plan(law, other))


def _quantile_plan(
    law: DiscreteLaw, other: DiscreteLaw
) -> tuple[tuple[Fraction, Fraction, Fraction], ...]:
    """Return the increasing coupling as (x, y, mass)."""
    left, right = law.items(), other.items()
    plan = []
    while left and right:
        (x, a), (y, b) = left[0], right[0]
        mass = min(a, b)
        plan.append((x, y, mass))
        left = [(x, a - mass), *left[1:]] if a > mass else left[1:]
        right = [(y, b - mass), *right[1:]] if b > mass else right[1:]
    return tuple(plan)


def energy_of_points(law: DiscreteLaw, other: DiscreteLaw) -> Fraction:
    """Return 2 E|X − Y| − E|X − X'| − E|Y − Y'| from the double sums."""

    def mean(a: DiscreteLaw, b: DiscreteLaw) -> Fraction:
        return sum((u * t * abs(x - y) for x, u in a.items() for y, t in b.items()), Fraction(0))

    return 2 * mean(law, other) - mean(law, law) - mean(other, other)


def squared_cdf_distance(law: DiscreteLaw, other: DiscreteLaw) -> Fraction:
    """Return 2 ∫ (F_p − F_q)² dx from the cdfs."""
    return sum((2 * length * gap**2 for _, length, gap in cells(law, other)), Fraction(0))
