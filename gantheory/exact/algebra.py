r"""Exact normal forms: rational functions over powers and logarithms of positive bases.

Every expression that a derivation meets is a rational function of a few *generators*: symbols,
powers such as r^α or (1 + r)^(1/2), logarithms of primes and of irreducible polynomials, and exp
of a parameter. Bases are positive on the domain considered, so a power of a product is the
product of the powers. `Algebra.normal` brings an expression into the one factored quotient over
its generators (python-flint does the polynomial arithmetic), so that two expressions are equal
exactly when the normal form of their difference is 0, up to algebraic relations between
generators other than Wⁿ = base, which are reduced.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sympy as sp
from flint import arb, ctx, fmpz

from gantheory.deadline import Undecided, check_time
from gantheory.exact.quotients import Quotient, Ring, split_power
from gantheory.exact.signs.balls import NoEnclosure, enclose

NEAR_ZERO = 1e-6  # a floating-point value beyond it is no rounding of zero
MOST_DIGITS = 50  # of a number that is factored
MOST_BITS = 2048  # of an enclosure that looks for a digit of something that is formally not zero


def floating_value(expr: sp.Expr, values: Mapping[sp.Symbol, float]) -> float:
    """Return the floating-point value of ``expr``; nan or inf where it has none."""
    try:
        return _evaluate(expr, values)
    except (OverflowError, ZeroDivisionError, ValueError, TypeError):
        return math.nan


FLOATS: Mapping[Any, Callable[[float], float]] = {
    sp.log: math.log,
    sp.exp: math.exp,
    sp.atan: math.atan,
    sp.Abs: abs,
}


def _evaluate(expr: sp.Expr, values: Mapping[sp.Symbol, float]) -> float:
    if expr.is_Symbol:
        if expr not in values:
            raise Undecided(f"the sign of {expr} is not known where it is needed")
        return float(values[expr])
    if expr.is_Number or expr.is_NumberSymbol:
        return float(expr)
    if expr is sp.oo or expr is -sp.oo:
        return math.copysign(math.inf, 1 if expr is sp.oo else -1)
    arguments = [_evaluate(argument, values) for argument in expr.args]
    if expr.is_Add:
        return math.fsum(arguments)
    if expr.is_Mul:
        return math.prod(arguments)
    if expr.is_Pow:
        value = arguments[0] ** arguments[1]
        return math.nan if isinstance(value, complex) else float(value)
    if expr.func in FLOATS:
        return FLOATS[expr.func](*arguments)
    return float(expr.func(*map(sp.Float, arguments)).evalf())


class Algebra:
    """Normal forms where the symbols are positive, or take the signs that ``sample`` shows.

    ``sample`` gives one interior point of the domain considered; a base of a fractional power or
    of a logarithm is taken with the sign that makes it positive there.
    """

    def __init__(self, sample: Mapping[sp.Symbol, float]) -> None:
        self.sample = dict(sample)
        self._prepared: dict[sp.Expr, sp.Expr] = {}
        self._quotients: dict[sp.Expr, Quotient] = {}

    def normal(self, expr: sp.Expr) -> sp.Expr:
        """Return the factored normal form."""
        if expr.is_Number or expr.is_Symbol:
            return expr
        content, factors = self.factors(expr)
        return sp.Mul(content, *(base ** self.exponent(power) for base, power in factors))

    def is_zero(self, expr: sp.Expr) -> bool:
        """Return whether ``expr`` vanishes identically.

        Raises:
            Undecided: where it is not formally zero and no digit of its value at the sample is.
        """
        if self.quotient(expr).num.is_zero():
            return True
        if self._seems_zero(expr):
            raise Undecided(f"whether {expr} is zero is not known")
        return False

    def _seems_zero(self, expr: sp.Expr) -> bool:
        """Return whether the value at the sample encloses zero to the last bit asked for."""
        if (
            expr.free_symbols - set(self.sample)
            or not abs(floating_value(expr, self.sample)) < NEAR_ZERO
        ):
            return False
        point = {symbol: arb(value) for symbol, value in self.sample.items()}
        with ctx.workprec(MOST_BITS):
            try:
                return bool(enclose(expr, point).contains(0))
            except NoEnclosure:
                return False

    def quotient(self, expr: sp.Expr) -> Quotient:
        """Return ``expr`` as a quotient of polynomials in its generators."""
        if expr not in self._quotients:
            self._quotients[expr] = self.quotients([expr])[0]
        return self._quotients[expr]

    def quotients(self, exprs: Sequence[sp.Expr]) -> list[Quotient]:
        """Return several expressions over one common ring."""
        check_time()
        prepared = [self.prepare(expr) for expr in exprs]
        ring = Ring(self, prepared)
        return [ring.reduced(ring.pair(expr)) for expr in prepared]

    def factors(self, expr: sp.Expr) -> tuple[sp.Rational, list[tuple[sp.Expr, sp.Expr]]]:
        """Return ``expr`` as content times powers of irreducible bases; exponents any number."""
        quotient = self.quotient(expr)
        if quotient.num.is_zero():
            return sp.Integer(0), []
        content, factors = quotient.factors()
        merged: dict[sp.Expr, sp.Expr] = {}
        for base, power in factors:
            base, exponent = split_power(base)
            turned = base.is_Add or (base.is_Symbol and not base.is_positive)
            if turned and exponent == 1 and floating_value(base, self.sample) < 0:
                base, content = sp.expand(-base), content * sp.Integer(-1) ** power
            merged[base] = merged.get(base, sp.Integer(0)) + exponent * power
        return content, [(base, e) for base, e in merged.items() if e != 0]

    def prepare(self, expr: sp.Expr) -> sp.Expr:
        """Return an equal expression whose powers and logarithms have irreducible bases."""
        if expr.is_Atom:
            return expr
        if expr not in self._prepared:
            self._prepared[expr] = self._prepare(expr)
        return self._prepared[expr]

    def _prepare(self, expr: sp.Expr) -> sp.Expr:
        if expr.is_Add or expr.is_Mul:
            return expr.func(*map(self.prepare, expr.args))
        if expr.is_Piecewise or expr.is_Relational:
            raise Undecided("an expression in several pieces is outside of the exact algebra")
        if isinstance(expr, sp.exp):
            return self._exponential(expr.args[0])
        if expr.is_Pow:
            if expr.exp.is_Integer:
                return self.prepare(expr.base) ** expr.exp
            nested = expr.is_number and expr.base.is_Add and expr.exp.q == 2
            flat = sp.sqrtdenest(expr) if nested else expr
            if flat != expr:
                return self.prepare(flat)
            return self._power(expr.base, self.exponent(expr.exp))
        if isinstance(expr, sp.log):
            content, factors = self._positive_factors(expr.args[0])
            return sp.Add(*(e * _log(base) for base, e in [*_primes(content), *factors]))
        if isinstance(expr, sp.Abs):
            content, bases = self.factors(expr.args[0])
            return sp.Mul(
                abs(content), *((b if b.is_positive else sp.Abs(b)) ** e for b, e in bases)
            )
        return expr.func(*(self.normal(argument) for argument in expr.args))

    def exponent(self, expr: sp.Expr) -> sp.Expr:
        """Return an exponent as a sum of terms over a common denominator."""
        if expr.is_Number:
            return expr
        quotient = self.quotient(expr)
        den = quotient.expression(quotient.den)
        if den.is_Add:
            return quotient.expression(quotient.num) / den
        num = sp.Add.make_args(quotient.expression(quotient.num))
        return sp.Add(*(term / den for term in num))

    def _exponential(self, argument: sp.Expr) -> sp.Expr:
        """exp(a + c*log(b)) = exp(a)*b**c."""
        result = sp.Integer(1)
        for term in sp.Add.make_args(sp.expand(self.prepare(argument))):
            logs = [factor for factor in sp.Mul.make_args(term) if isinstance(factor, sp.log)]
            if len(logs) == 1:
                result *= logs[0].args[0] ** self.exponent(term / logs[0])
            else:
                result *= sp.exp(term)
        return result

    def _power(self, base: sp.Expr, exponent: sp.Expr) -> sp.Expr:
        content, factors = self._positive_factors(base)
        powers = (b ** self.exponent(e * exponent) for b, e in [*_primes(content), *factors])
        return sp.Mul(*powers)

    def _positive_factors(self, expr: sp.Expr) -> tuple[sp.Rational, list[tuple[sp.Expr, sp.Expr]]]:
        content, factors = self.factors(expr)
        oriented = []
        for base, power in factors:
            if floating_value(base, self.sample) < 0:
                base, content = sp.expand(-base), content * sp.Integer(-1) ** power
            oriented.append((base, power))
        if content == 0:
            raise Undecided("whether a power of 0 is 0 or infinite depends on the parameters")
        if not content.is_positive:
            raise Undecided(f"{expr} is not positive where its root or logarithm is taken")
        return content, oriented


@lru_cache(maxsize=64)
def _shared(sample: frozenset[tuple[sp.Symbol, float]]) -> Algebra:
    return Algebra(dict(sample))


def algebra_at(sample: Mapping[sp.Symbol, float]) -> Algebra:
    """Return the algebra of a sample, which remembers what it has brought to normal form."""
    return _shared(frozenset(sample.items()))


def _log(base: sp.Expr) -> sp.Expr:
    return sp.log(base, evaluate=True)


def _primes(content: sp.Rational) -> list[tuple[sp.Expr, sp.Expr]]:
    if content == 1:
        return []
    if max(abs(content.p), content.q) > 10**MOST_DIGITS:
        raise Undecided(f"a root or logarithm of a number with more than {MOST_DIGITS} digits")
    above, below = (fmpz(int(part)).factor() for part in (content.p, content.q))
    signed = [*above, *((prime, -power) for prime, power in below)]
    return [(sp.Integer(int(prime)), sp.Integer(power)) for prime, power in signed]
