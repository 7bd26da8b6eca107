"""Limits by leading terms: c·y^e·(log y)^k as y falls to 0, with symbolic exponents."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import sympy as sp

from gantheory.symbolic.algebra import Algebra, Quotient, evaluate
from gantheory.symbolic.limits import Undecided, check_time
from gantheory.symbolic.positivity import GENERIC, Parameters

ZERO = sp.Integer(0)


@dataclass(frozen=True)
class Leading:
    """The leading term ``coefficient * y**exponent * log(y)**logs`` as y falls to 0."""

    coefficient: sp.Expr
    exponent: sp.Expr = ZERO
    logs: int = 0

    def __mul__(self, other: Leading) -> Leading:
        return Leading(
            self.coefficient * other.coefficient,
            self.exponent + other.exponent,
            self.logs + other.logs,
        )

    def power(self, exponent: sp.Expr) -> Leading:
        """Return the leading term of a power."""
        if self.logs and not exponent.is_Integer:
            raise Undecided("a fractional power of a logarithm in a limit")
        return Leading(
            self.coefficient**exponent,
            sp.expand(self.exponent * exponent),
            int(self.logs * exponent) if self.logs else 0,
        )


def limit(
    expr: sp.Expr, x: sp.Symbol, point: sp.Expr, side: int, parameters: Parameters
) -> sp.Expr:
    """Return the limit of ``expr`` as x approaches ``point`` from above (1) or below (-1).

    >>> r = sp.Symbol("r", positive=True)
    >>> limit(r * sp.log(1 + 1 / r), r, sp.oo, -1, Parameters())
    1
    """
    if x not in expr.free_symbols:
        return expr
    y = sp.Dummy("y", positive=True)
    if point in (sp.oo, -sp.oo):
        near = sp.sign(point) / y
    elif point == 0 and side == 1:
        near = y
    else:
        near = point + side * y
    return value_at_zero(leading(expr.xreplace({x: near}), y, parameters), parameters)


def value_at_zero(term: Leading, parameters: Parameters) -> sp.Expr:
    """Return the limit that a leading term has."""
    direction = parameters.sign(term.exponent)
    if direction is None:
        raise Undecided(f"a limit depends on the sign of {term.exponent}")
    if direction == 0 and term.logs == 0:
        return term.coefficient
    if direction > 0 or (direction == 0 and term.logs < 0):
        return sp.Integer(0)
    sign = parameters.sign(term.coefficient)
    if sign is None:
        raise Undecided(f"a limit depends on the sign of {term.coefficient}")
    return sp.oo * sign * (-1) ** term.logs


def leading(expr: sp.Expr, y: sp.Symbol, parameters: Parameters) -> Leading:
    """Return the leading term of ``expr`` as y falls to 0."""
    check_time()
    if y not in expr.free_symbols:
        return Leading(expr)
    sample = {s: GENERIC[k % 6] for k, s in enumerate(sorted(expr.free_symbols, key=str))}
    sample |= parameters.sample | {y: 1e-3}
    algebra = Algebra(sample)
    quotient = algebra.quotient(expr)
    if quotient.num.is_zero():
        return Leading(sp.Integer(0))
    scale = _Scale(y, parameters, algebra)
    num, den = (scale.of_polynomial(quotient, side) for side in (quotient.num, quotient.den))
    found = num * den.power(sp.Integer(-1))
    return Leading(algebra.normal(found.coefficient), sp.expand(found.exponent), found.logs)


class _Scale:
    def __init__(self, y: sp.Symbol, parameters: Parameters, algebra: Algebra) -> None:
        self.y, self.parameters, self.algebra = y, parameters, algebra

    def of_polynomial(self, quotient: Quotient, polynomial: Any) -> Leading:
        """Add up the dominating terms of a polynomial in the generators."""
        used = polynomial.degrees()
        scales = [
            self.of_generator(g) if degree else Leading(sp.Integer(1))
            for g, degree in zip(quotient.generators, used, strict=False)
        ]
        terms = []
        for exponents, coefficient in polynomial.to_dict().items():
            powers = (
                scale.power(sp.Integer(int(k)))
                for scale, k in zip(scales, exponents, strict=False)
                if k
            )
            start = Leading(sp.Rational(int(coefficient.p), int(coefficient.q)))
            terms.append(reduce(Leading.__mul__, powers, start))
        return self._dominating(terms, quotient, polynomial)

    def _dominating(self, terms: list[Leading], quotient: Quotient, polynomial: Any) -> Leading:
        best = terms[0]
        for term in terms[1:]:
            if self._order(term, best) < 0:
                best = term
        total = sp.Add(*(t.coefficient for t in terms if self._order(t, best) == 0))
        if not self.algebra.is_zero(total):
            return Leading(total, best.exponent, best.logs)
        return self._by_series(quotient.expression(polynomial))

    def _order(self, a: Leading, b: Leading) -> int:
        difference = sp.expand(a.exponent - b.exponent)
        sign = self.parameters.sign(difference)
        if sign is None:
            raise Undecided(f"the leading term of a limit depends on the sign of {difference}")
        return sign or b.logs - a.logs

    def _by_series(self, expr: sp.Expr) -> Leading:
        """Return the leading term where the leading terms of the generators cancel."""
        try:
            coefficient, exponent = expr.leadterm(self.y)
        except (ValueError, NotImplementedError, TypeError) as reason:
            raise Undecided(f"no leading term of {expr} as {self.y} falls to 0") from reason
        return Leading(coefficient, exponent)

    def of_generator(self, generator: sp.Expr) -> Leading:
        """Return the leading term of one generator."""
        if self.y not in generator.free_symbols:
            return Leading(generator)
        if generator == self.y:
            return Leading(sp.Integer(1), sp.Integer(1))
        if generator.is_Pow and self.y not in generator.exp.free_symbols:
            return leading(generator.base, self.y, self.parameters).power(generator.exp)
        if generator.is_Add:
            return leading(generator, self.y, self.parameters)
        if isinstance(generator, sp.log):
            return self._of_logarithm(generator.args[0])
        if isinstance(generator, sp.atan):
            return self._of_arctangent(generator.args[0])
        raise Undecided(f"the limit of {generator}")

    def _of_logarithm(self, argument: sp.Expr) -> Leading:
        inner = leading(argument, self.y, self.parameters)
        if inner.logs:
            raise Undecided("a logarithm of a logarithm in a limit")
        if not self.algebra.is_zero(inner.exponent):
            return Leading(inner.exponent, sp.Integer(0), 1)
        if self.algebra.is_zero(inner.coefficient - 1):
            return leading(argument - 1, self.y, self.parameters)
        return Leading(sp.log(inner.coefficient))

    def _of_arctangent(self, argument: sp.Expr) -> Leading:
        inner = leading(argument, self.y, self.parameters)
        value = value_at_zero(inner, self.parameters)
        return inner if value == 0 else Leading(sp.atan(value))


def number(expr: sp.Expr, parameters: Parameters) -> float:
    """Return the value of a constant at the generic parameters."""
    return evaluate(expr, parameters.sample)
