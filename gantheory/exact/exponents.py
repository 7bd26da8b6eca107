"""Bases of exponents: how powers of one base become monomials in few generators."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Any

import sympy as sp

if TYPE_CHECKING:
    from gantheory.exact.algebra import Algebra

Vector = dict[tuple[int, ...], Fraction]


def in_basis(
    algebra: Algebra, exponents: list[sp.Expr]
) -> list[tuple[sp.Expr, list[tuple[sp.Expr, int]]]]:
    """Write each exponent as an integer combination of few basis exponents.

    The basis is independent over the rationals and begins with a fraction of 1, so the powers
    base^b are algebraically independent apart from base^(1/n)ⁿ = base.
    """
    if all(e.is_Rational for e in exponents):
        order = math.lcm(*(int(e.q) for e in exponents))
        step = sp.Rational(1, order)
        return [(e, [(step, int(e * order))]) for e in exponents]
    laurent = [_monomials(e) for e in exponents]
    if None not in laurent:
        return _in_monomials(exponents, [terms for terms in laurent if terms is not None])
    quotients = algebra.quotients([sp.Integer(1), *exponents])
    common = reduce(lambda a, b: a * (b // a.gcd(b)), (q.den for q in quotients))
    vectors = [_vector(q.num * (common // q.den)) for q in quotients]
    basis: list[tuple[sp.Expr, Vector]] = []
    rows: list[list[Fraction]] = []
    for expr, vector in zip([sp.Integer(1), *exponents], vectors, strict=True):
        coordinates = _solve([v for _, v in basis], vector)
        if coordinates is None:
            basis.append((expr, vector))
            coordinates = [Fraction(0)] * (len(basis) - 1) + [Fraction(1)]
        rows.append(coordinates)
    orders = [
        math.lcm(*(row[k].denominator for row in rows if k < len(row))) for k in range(len(basis))
    ]
    steps = [algebra.exponent(e / n) for (e, _), n in zip(basis, orders, strict=True)]
    return [
        (
            exponent,
            [(steps[k], int(c * orders[k])) for k, c in enumerate(row) if c],
        )
        for exponent, row in zip(exponents, rows[1:], strict=True)
    ]


def _monomials(exponent: sp.Expr) -> dict[sp.Expr, sp.Rational] | None:
    """Return an exponent as monomial -> coefficient; None if it has another denominator."""
    terms: dict[sp.Expr, sp.Rational] = {}
    for term in sp.Add.make_args(exponent):
        coefficient, monomial = term.as_coeff_Mul(rational=True)
        factors = (factor.as_base_exp() for factor in sp.Mul.make_args(monomial))
        if not all(b == 1 or (b.is_Symbol and e.is_Integer) for b, e in factors):
            return None
        terms[monomial] = coefficient
    return terms


def _in_monomials(
    exponents: list[sp.Expr], terms: list[dict[sp.Expr, sp.Rational]]
) -> list[tuple[sp.Expr, list[tuple[sp.Expr, int]]]]:
    """Take one generator for each monomial: the canonical choice, the same in every ring."""
    orders: dict[sp.Expr, int] = {}
    for found in terms:
        for monomial, coefficient in found.items():
            orders[monomial] = math.lcm(orders.get(monomial, 1), int(coefficient.q))
    return [
        (e, [(m / orders[m], int(c * orders[m])) for m, c in found.items()])
        for e, found in zip(exponents, terms, strict=True)
    ]


def _vector(polynomial: Any) -> Vector:
    return {
        tuple(int(k) for k in exponents): Fraction(int(c.p), int(c.q))
        for exponents, c in polynomial.to_dict().items()
    }


def _solve(columns: Sequence[Vector], target: Vector) -> list[Fraction] | None:
    """Return the coefficients of ``target`` in independent ``columns``, or None."""
    keys = sorted({key for vector in (*columns, target) for key in vector})
    matrix = [
        [*(column.get(key, Fraction(0)) for column in columns), target.get(key, Fraction(0))]
        for key in keys
    ]
    return solve_rows(matrix, len(columns))


def solve_rows(matrix: list[list[Fraction]], unknowns: int) -> list[Fraction] | None:
    """Return the one solution of the augmented ``matrix``; None if there is none or several."""
    row = 0
    for column in range(unknowns):
        pivot = next((k for k in range(row, len(matrix)) if matrix[k][column]), None)
        if pivot is None:
            return None
        matrix[row], matrix[pivot] = matrix[pivot], matrix[row]
        scale = matrix[row][column]
        matrix[row] = [value / scale for value in matrix[row]]
        for k in range(len(matrix)):
            if k != row and matrix[k][column]:
                factor = matrix[k][column]
                matrix[k] = [a - factor * b for a, b in zip(matrix[k], matrix[row], strict=True)]
        row += 1
    if any(line[unknowns] for line in matrix[row:]):
        return None
    return [matrix[k][unknowns] for k in range(unknowns)]
