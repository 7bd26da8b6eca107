"""For which step sizes an update converges: exact intervals with algebraic ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, pairwise

import sympy as sp

from gantheory.dynamics.circle import is_reciprocal, place
from gantheory.dynamics.operators import characteristic, eta, lamda


class Stability(StrEnum):
    """What a linear update does to a general start."""

    CONVERGES = "converges"
    BOUNDED = "bounded orbit"
    GROWS = "grows polynomially"
    DIVERGES = "diverges"


@dataclass(frozen=True)
class StepSizes:
    """The step sizes for which a linear update converges, and those for which it stays bounded.

    Both are sympy sets of positive numbers; ``bounded`` does not repeat ``converges``, and
    leaves out irrational end points.
    """

    converges: sp.Set
    bounded: sp.Set


def stability(matrix: sp.Matrix) -> Stability:
    """Decide exactly what the powers of a rational matrix do.

    >>> stability(sp.Matrix([[1, 1], [0, 1]])), stability(sp.Matrix([[0, -1], [1, 0]]))
    (<Stability.GROWS: 'grows polynomially'>, <Stability.BOUNDED: 'bounded orbit'>)
    """
    polynomial = characteristic(matrix)
    where = place(polynomial)
    if where.outside:
        return Stability.DIVERGES
    if not where.on:
        return Stability.CONVERGES
    return Stability.BOUNDED if _semisimple(matrix, polynomial) else Stability.GROWS


def _semisimple(matrix: sp.Matrix, polynomial: sp.Poly) -> bool:
    """Whether repeated eigenvalues on the unit circle have as many eigenvectors."""
    for factor, multiplicity in polynomial.factor_list()[1]:
        if multiplicity > 1 and place(factor).on:
            value = sp.zeros(*matrix.shape)
            for coefficient in factor.all_coeffs():
                value = value * matrix + coefficient * sp.eye(matrix.rows)
            if matrix.rows - value.rank() < multiplicity * factor.degree():
                return False
    return True


def step_sizes(matrix: sp.Matrix, step: sp.Symbol = eta) -> StepSizes:
    """Return the step sizes for which the powers of ``matrix``, rational in ``step``, converge.

    The number of roots on each side of the circle changes only where a factor of the
    characteristic polynomial has a root on it or a double root. These step sizes are the
    positive roots of polynomials; one exact sample decides each interval between them.

    >>> step_sizes(sp.Matrix([[1 - eta**2, -eta], [eta, 1 - eta**2]])).converges
    Interval.open(0, 1)
    """
    points = _critical_steps(matrix, step)
    found: dict[Stability, list[sp.Set]] = {kind: [] for kind in Stability}
    for left, right in pairwise([sp.S.Zero, *points, sp.oo]):
        kind = stability(matrix.subs(step, _between(left, right)))
        found[kind].append(sp.Interval.open(left, right))
        if right != sp.oo:
            at_end = _at(matrix, step, right, points[right], kind)
            found[at_end].append(sp.FiniteSet(right))
    return StepSizes(sp.Union(*found[Stability.CONVERGES]), sp.Union(*found[Stability.BOUNDED]))


def _critical_steps(matrix: sp.Matrix, step: sp.Symbol) -> dict[sp.Expr, sp.Poly]:
    """The positive step sizes at which what the update does can change, in order."""
    factors = _factors(matrix)
    conditions = [condition for f in factors for condition in _conditions(f)]
    conditions += [
        sp.resultant(f.as_expr(), g.as_expr(), lamda) for f, g in combinations(factors, 2)
    ]
    return _roots_with_polynomials(conditions, step)


def positive_real_roots(expressions: list[sp.Expr], symbol: sp.Symbol) -> list[sp.Expr]:
    """Return the distinct positive real roots of rational polynomials, exact and in order."""
    return list(_roots_with_polynomials(expressions, symbol))


def _roots_with_polynomials(
    expressions: list[sp.Expr], symbol: sp.Symbol
) -> dict[sp.Expr, sp.Poly]:
    """The positive roots in order, each with the irreducible polynomial that it is a root of."""
    roots: dict[sp.Expr, sp.Poly] = {}
    for expression in expressions:
        numerator = sp.numer(sp.together(expression))
        if numerator.has(symbol):
            for factor, _ in sp.factor_list(numerator, symbol)[1]:
                poly = sp.Poly(factor, symbol)
                roots |= {root: poly for root in poly.real_roots() if root.is_positive}
    return dict(sorted(roots.items(), key=lambda item: item[0].evalf(50)))


def _factors(matrix: sp.Matrix) -> list[sp.Poly]:
    listed = sp.factor_list(characteristic(matrix).as_expr())[1]
    return [sp.Poly(factor, lamda) for factor, _ in listed if factor.has(lamda)]


def _conditions(factor: sp.Poly) -> list[sp.Expr]:
    """Polynomials in the step size whose zeros are the only places where roots change sides."""
    conditions = [factor.LC()]
    if factor.degree() > 1:
        conditions.append(sp.discriminant(factor.as_expr(), lamda))
    return conditions if is_reciprocal(factor) else [*conditions, circle_condition(factor)]


def circle_condition(factor: sp.Poly) -> sp.Expr:
    r"""A polynomial that vanishes iff two roots, perhaps the same, multiply to 1.

    It is the resultant of the factor and its reversal. A root on the unit circle times its
    conjugate, which is a root too, makes it vanish.
    """
    reversal = sp.Poly(factor.all_coeffs()[::-1], lamda)
    return sp.resultant(factor.as_expr(), reversal.as_expr(), lamda)


def companion(factor: sp.Poly) -> sp.Matrix:
    """Return a matrix whose eigenvalues are the roots."""
    n, monic = factor.degree(), [sp.cancel(c / factor.LC()) for c in factor.all_coeffs()]
    matrix = sp.zeros(n, n)
    for k in range(n):
        matrix[0, k] = -monic[k + 1]
        if k:
            matrix[k, k - 1] = 1
    return matrix


def second_compound(matrix: sp.Matrix) -> sp.Matrix:
    """Return the matrix of 2 × 2 minors, whose eigenvalues are products of two eigenvalues."""
    pairs = list(combinations(range(matrix.rows), 2))
    return sp.Matrix(
        len(pairs), len(pairs), lambda i, j: sp.expand(matrix[pairs[i], pairs[j]].det())
    )


def _between(left: sp.Expr, right: sp.Expr) -> sp.Rational:
    """A rational number strictly between two step sizes."""
    if right == sp.oo:
        return sp.Rational(sp.ceiling(left) + 1)
    middle, width = (left + right) / 2, right - left
    digits = max(2, 3 - int(sp.floor(sp.log(width.evalf(20), 10))))
    return sp.Rational(str(middle.evalf(digits + 10))).limit_denominator(10**digits)


def _at(
    matrix: sp.Matrix, step: sp.Symbol, point: sp.Expr, minimal: sp.Poly, before: Stability
) -> Stability:
    """What the update does at a critical step size, given that just before it.

    A rational polynomial vanishes at an irrational ``point`` iff ``minimal`` divides it.
    """
    if point.is_rational:
        there = matrix.subs(step, point)
        lost = there.has(sp.zoo, sp.nan, sp.oo)  # an implicit step without a solution
        return Stability.DIVERGES if lost else stability(there)
    factors = _factors(matrix)
    circle = [sp.numer(sp.together(f.LC() * circle_condition(f))) for f in factors]
    touched = any(sp.Poly(c, step).rem(minimal).is_zero for c in circle)
    return Stability.CONVERGES if before is Stability.CONVERGES and not touched else Stability.GROWS
