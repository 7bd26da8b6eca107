"""Partial fractions in powers of r and of linear functions of r, coefficients with parameters."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from gantheory.deadline import Undecided
from gantheory.exact.algebra import Algebra


@dataclass(frozen=True)
class _Part:
    """coefficient · base**exponent, the base being x or linear in x."""

    coefficient: sp.Expr
    base: sp.Expr
    exponent: sp.Expr


def parts_of(expr: sp.Expr, x: sp.Symbol, algebra: Algebra) -> list[_Part]:
    """Return the partial fractions of ``expr``.

    Raises:
        Undecided: if a pole is neither at 0 nor of a linear function, or if fractional powers
            of x meet another pole.

    >>> r = sp.Symbol("r", positive=True)
    >>> [(p.coefficient, p.base, p.exponent) for p in parts_of(1/(r*(r + 1)), r, Algebra({r: 2.3}))]
    [(1, r, -1), (-1, r + 1, -1)]
    """
    content, factors = algebra.factors(expr)
    if content == 0:
        return []
    poles, fixed, numerator, shift = [], content, sp.Integer(1), sp.Integer(0)
    for base, exponent in factors:
        if x not in base.free_symbols and x not in exponent.free_symbols:
            fixed *= base**exponent
        elif base == x:
            shift = exponent
        elif exponent.is_Integer and exponent > 0:
            numerator *= base**exponent
        elif exponent.is_Integer and _is_linear(base, x):
            poles.append((base, int(-exponent)))
        elif not poles and numerator == 1 and len(factors) == 1 and _is_linear(base, x):
            return [_Part(fixed, base, exponent)]
        else:
            raise Undecided("{} has no partial fractions in powers of linear functions", expr)
    terms = _terms(numerator, x, shift, algebra)
    if not poles:
        return [_Part(algebra.normal(fixed * c), x, e) for e, c in terms.items() if c != 0]
    return [
        _Part(value, part.base, part.exponent)
        for fraction, group in _by_fraction(terms).items()
        for part in _shifted(_with_poles(group, poles, x, algebra), fraction, x)
        if (value := algebra.normal(fixed * part.coefficient)) != 0
    ]


def _by_fraction(terms: dict[sp.Expr, sp.Expr]) -> dict[sp.Expr, dict[int, sp.Expr]]:
    """Group powers of x by what their exponents have beside an integer."""
    groups: dict[sp.Expr, dict[int, sp.Expr]] = {}
    for exponent, coefficient in terms.items():
        constant, rest = exponent.as_coeff_Add()
        whole = sp.floor(constant)
        groups.setdefault(rest + constant - whole, {})[int(whole)] = coefficient
    return groups


def _shifted(parts: list[_Part], fraction: sp.Expr, x: sp.Symbol) -> list[_Part]:
    """Multiply partial fractions by x**fraction."""
    if fraction == 0:
        return parts
    if any(part.base != x and part.coefficient != 0 for part in parts):
        raise Undecided(f"a fractional power of {x} meets another pole")
    return [_Part(part.coefficient, x, part.exponent + fraction) for part in parts]


def _is_linear(base: sp.Expr, x: sp.Symbol) -> bool:
    return bool(base.is_polynomial(x) and sp.degree(base, x) == 1)


def _terms(
    numerator: sp.Expr, x: sp.Symbol, shift: sp.Expr, algebra: Algebra
) -> dict[sp.Expr, sp.Expr]:
    """Return a sum of powers of x as exponent -> coefficient."""
    terms: dict[sp.Expr, sp.Expr] = {}
    for term in sp.Add.make_args(sp.expand(numerator)):
        coefficient, power = term.as_independent(x, as_Add=False)
        base, exponent = power.as_base_exp() if power != 1 else (x, sp.Integer(0))
        if base != x or x in exponent.free_symbols:
            raise Undecided("{} is no power of {}", term, x)
        exponent = algebra.exponent(exponent + shift)
        terms[exponent] = terms.get(exponent, sp.Integer(0)) + coefficient
    return terms


def _with_poles(
    terms: dict[int, sp.Expr], poles: list[tuple[sp.Expr, int]], x: sp.Symbol, algebra: Algebra
) -> list[_Part]:
    """Split Σ c_e x^e / Π base^order by peeling off the leading coefficient at each pole."""
    denominator = sp.Mul(*(base**order for base, order in poles))
    rest = sp.Add(*(c * x**e for e, c in terms.items())) / denominator
    found = []
    for base, order in poles:
        slope = sp.expand(base).coeff(x)
        place = algebra.normal(-(base - slope * x) / slope)
        for k in range(order, 0, -1):
            value = algebra.normal(algebra.normal(rest * base**k).xreplace({x: place}))
            found.append(_Part(value, base, sp.Integer(-k)))
            rest = algebra.normal(rest - value / base**k)
    content, factors = algebra.factors(rest)
    if content == 0:
        return found
    numerator = sp.Mul(*(b**e for b, e in factors if b != x))
    shift = sp.Add(*(e for b, e in factors if b == x))
    powers = _terms(content * numerator, x, shift, algebra)
    return [*(_Part(c, x, e) for e, c in powers.items()), *found]
