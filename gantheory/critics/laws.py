"""Laws on finitely many points of the line with rational weights, and exact quantities of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp

from gantheory.divergences import FDivergence, named
from gantheory.errors import GantheoryError
from gantheory.exact.signs.logforms import constant
from gantheory.functions import r
from gantheory.theory.branches import branch, combined_generator, number_of_form

Number = int | Fraction | str


@dataclass(frozen=True)
class DiscreteLaw:
    """A law with rational weights on increasing rational points.

    >>> DiscreteLaw.of([0, 1], ["1/4", "3/4"]).mean
    Fraction(3, 4)
    """

    points: tuple[Fraction, ...]
    weights: tuple[Fraction, ...]

    @classmethod
    def of(cls, points: Sequence[Number], weights: Sequence[Number]) -> DiscreteLaw:
        """Return the law; points may come in any order and repeat."""
        if len(points) != len(weights):
            raise GantheoryError(f"{len(points)} points and {len(weights)} weights")
        masses: dict[Fraction, Fraction] = {}
        for point, weight in zip(points, weights, strict=True):
            masses[Fraction(point)] = masses.get(Fraction(point), Fraction(0)) + Fraction(weight)
        if any(mass < 0 for mass in masses.values()) or sum(masses.values()) != 1:
            raise GantheoryError(f"weights {list(map(str, weights))} are not probabilities")
        ordered = sorted(point for point in masses if masses[point])
        return cls(tuple(ordered), tuple(masses[point] for point in ordered))

    @property
    def mean(self) -> Fraction:
        """The expectation."""
        return sum((x * w for x, w in self.items()), Fraction(0))

    def items(self) -> list[tuple[Fraction, Fraction]]:
        """Return (point, weight) pairs."""
        return list(zip(self.points, self.weights, strict=True))

    def mass(self, point: Fraction) -> Fraction:
        """Return the weight of one point."""
        return dict(self.items()).get(point, Fraction(0))


def f_divergence(entry: FDivergence | str, p: DiscreteLaw, q: DiscreteLaw) -> sp.Expr:
    """Return D_f(P‖Q) exactly, as a sum of rationals times logarithms; sympy's oo where infinite.

    >>> half = DiscreteLaw.of([0, 1], ["1/2", "1/2"])
    >>> f_divergence("pearson_chi2", half, DiscreteLaw.of([0, 1], ["1/4", "3/4"]))
    1/3
    """
    entry = named(entry) if isinstance(entry, str) else entry
    total = sp.Integer(0)
    for point in sorted({*p.points, *q.points}):
        a, b = _rational(p.mass(point)), _rational(q.mass(point))
        if a == 0 or b == 0:
            total += (a + b) * _at_an_end(entry, of_q=a == 0)
        else:
            side = sp.Integer(2) if a > b else sp.Rational(1, 2)
            total += b * branch(entry, side).subs(r, a / b)
    return total


def _at_an_end(entry: FDivergence, of_q: bool) -> sp.Expr:
    h = combined_generator({entry: sp.Integer(1)})
    end = h.at_zero() if of_q else h.slope_at_infinity()
    return sp.oo * end if isinstance(end, int) else number_of_form(end)


def _rational(value: Fraction) -> sp.Rational:
    return sp.Rational(value.numerator, value.denominator)


def is_equal(left: sp.Expr, right: sp.Expr) -> bool:
    """Return whether two sums of rationals times logarithms are the same number, exactly."""
    return constant(left - right).is_zero
