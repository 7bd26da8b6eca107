"""Antiderivatives by the textbook's rules, each result differentiated to check it."""

from __future__ import annotations

import math
from collections.abc import Callable

import sympy as sp
from sympy.integrals.rationaltools import ratint

from gantheory.deadline import OutOfTime, Undecided, check_time
from gantheory.exact.algebra import Algebra
from gantheory.exact.derivative import derivative
from gantheory.exact.partial import parts_of

MOST_PARTS = 6  # integrations by parts, one inside of the other


def antiderivative(expr: sp.Expr, x: sp.Symbol, algebra: Algebra, depth: int = 0) -> sp.Expr:
    """Return a function of x > 0 whose derivative is ``expr``.

    Raises:
        Undecided: where none of the rules finds one.

    >>> x = sp.Symbol("x", positive=True)
    >>> antiderivative(sp.log(1 + x) / x**2, x, Algebra({x: 1.3}))
    log(x) - log(x + 1) - log(x + 1)/x
    """
    check_time()
    if expr == 0 or x not in expr.free_symbols:
        return expr * x
    rules: tuple[Callable[..., sp.Expr], ...] = (
        _by_partial_fractions, _by_a_root, _by_parts, _rational,
    )  # fmt: skip
    for rule in rules if depth <= MOST_PARTS else ():
        try:
            found = rule(expr, x, algebra, depth)
            if algebra.is_zero(derivative(found, x) - expr):
                return found
        except OutOfTime:
            raise
        except (Undecided, sp.PolynomialError):
            continue
    raise Undecided("no closed form for the integral of {}", expr)


def _by_partial_fractions(expr: sp.Expr, x: sp.Symbol, algebra: Algebra, _: int) -> sp.Expr:
    total = sp.Integer(0)
    for part in parts_of(expr, x, algebra):
        slope, e = sp.expand(part.base).coeff(x), part.exponent
        raised = sp.log(part.base) if e == -1 else part.base ** (e + 1) / (e + 1)
        total += part.coefficient * raised / slope
    return total


def _by_a_root(expr: sp.Expr, x: sp.Symbol, algebra: Algebra, depth: int) -> sp.Expr:
    """Put x = uⁿ, which leaves no fractional power of x alone."""
    exponents = [p.exp for p in expr.atoms(sp.Pow) if p.base == x and p.exp.is_Rational]
    order = math.lcm(*(int(e.q) for e in exponents)) if exponents else 1
    if order == 1:
        raise Undecided("no fractional power")
    u = sp.Dummy("u", positive=True)
    inner = Algebra({**algebra.sample, u: algebra.sample[x] ** (1 / order)})
    changed = inner.normal(expr.xreplace({x: u**order}) * order * u ** (order - 1))
    found = antiderivative(changed, u, inner, depth + 1)
    return found.xreplace({u: x ** sp.Rational(1, order)})


def _by_parts(expr: sp.Expr, x: sp.Symbol, algebra: Algebra, depth: int) -> sp.Expr:
    """∫ A'·log(L) = A·log(L) − ∫ A·L'/L; log(L)·L'/L is half the derivative of log(L)²."""
    logs = [a for a in expr.atoms(sp.log) if x in a.free_symbols]
    if not logs:
        raise Undecided("no logarithm")
    total, rest = sp.Integer(0), expr
    for chosen in sorted(logs, key=sp.default_sort_key):
        place = sp.Dummy("l", positive=True)
        opened = rest.xreplace({chosen: place})
        factor = algebra_with(algebra, place).normal(derivative(opened, place))
        if factor == 0:
            continue
        if place in factor.free_symbols or factor.atoms(sp.log) & set(logs):
            return _by_square(expr, x, algebra, chosen)
        outer = antiderivative(factor, x, algebra, depth + 1)
        if any(x in a.free_symbols for a in outer.atoms(sp.log)):
            total += _by_square(factor * chosen, x, algebra, chosen)
            rest = opened.xreplace({place: sp.Integer(0)})
            continue
        total += outer * chosen
        rest = opened.xreplace({place: sp.Integer(0)}) - outer * derivative(chosen, x)
    return total + antiderivative(algebra.normal(rest), x, algebra, depth + 1)


def _by_square(expr: sp.Expr, x: sp.Symbol, algebra: Algebra, chosen: sp.Expr) -> sp.Expr:
    """Integrate c·log(L)^k·L'/L."""
    for power in (1, 2, 3):
        ratio = algebra.normal(expr / (chosen**power * derivative(chosen, x)))
        if x not in ratio.free_symbols:
            return ratio * chosen ** (power + 1) / (power + 1)
    raise Undecided("no closed form for the integral of {}", expr)


def algebra_with(algebra: Algebra, symbol: sp.Symbol) -> Algebra:
    """Return the normal forms with one more positive symbol."""
    return Algebra({**algebra.sample, symbol: 0.7310732})


def _rational(expr: sp.Expr, x: sp.Symbol, algebra: Algebra, _: int) -> sp.Expr:
    """Rational functions with quadratic poles: logarithms and arctangents."""
    if (
        not expr.is_rational_function(x)
        or expr.free_symbols != {x}
        or expr.has(sp.Function, sp.NumberSymbol)  # sympy takes minutes over such fields
    ):
        raise Undecided("not a rational function over the rational numbers")
    found = ratint(expr, x)
    if found.has(sp.RootSum, sp.I):
        raise Undecided("a sum over the roots of a polynomial")
    return found
