r"""Losses whose optimum has no closed form, told apart before signs are certified for nothing.

S(x; r) = r·a'(x) + b'(x) = a'(x)·(r − ρ(x)). Where S(x; r) > 0 > S(y; r) for some x < y and r, a
maximum lies between them, and its coordinate solves ρ = r. With ρ = N/D in lowest terms
N − r·D is irreducible: an equation in several generators at once has no closed form here.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import sympy as sp
from flint import arb

from gantheory.deadline import Undecided
from gantheory.exact.algebra import Algebra
from gantheory.exact.assumptions import Assumptions
from gantheory.theory.patterns import equations, stationarity
from gantheory.theory.pieces import Piece, algebra_on, balls_along

Slopes = tuple[arb, ...]  # a' and b' at a point


def see_solvable(pieces: Sequence[Piece], x: sp.Symbol, parameters: Assumptions) -> None:
    """See that the maxima inside of pieces may have closed forms.

    Raises:
        Undecided: where there is one, and it has none.
    """
    for piece in pieces:
        algebra = algebra_on(piece, x, parameters)
        a, b = stationarity(piece, x, algebra)
        if a == 0 or b == 0:
            continue
        ratio = algebra.normal(-b / a)
        if x not in ratio.free_symbols or _may_be_solved(ratio, x, algebra):
            continue
        slopes = balls_along((a, b), piece, x, parameters)
        if any(_falls_between(*pair) for pair in pairwise(slopes)):
            raise Undecided(f"no closed form for the solution of {ratio} = r")


def _may_be_solved(ratio: sp.Expr, x: sp.Symbol, algebra: Algebra) -> bool:
    """Whether ρ = r, or a power of it, is an equation in one generator or in logarithms."""
    for equation in equations(ratio, x, algebra):
        quotient = algebra.quotient(equation)
        degrees = zip(quotient.generators, quotient.num.degrees(), strict=True)
        used = [g for g, degree in degrees if degree and x in g.free_symbols]
        if len(used) == 1 and _has_radicals(
            quotient.coefficients(quotient.generators.index(used[0]))
        ):
            return True
        if len(used) != 1 and all(isinstance(g, sp.log) for g in used):
            return True
    return False


def _has_radicals(coefficients: Sequence[sp.Expr]) -> bool:
    """Whether an irreducible polynomial is one whose zeros `solve_factor` writes out."""
    return len(coefficients) <= 3 or not any(coefficients[1:-1])


def _falls_between(one: Slopes, other: Slopes) -> bool:
    """Whether S falls from + to − between two points, for some r > 0."""
    (low, high), (least, most) = _rising(*one), _rising(*(-slope for slope in other))
    return bool(high.min(most) > low.max(least))


def _rising(a: arb, b: arb) -> tuple[arb, arb]:
    """Return the ends of the ratios for which r·a + b > 0."""
    level = -b / a
    return (level.max(arb(0)), arb("inf")) if a > 0 else (arb(0), level)
