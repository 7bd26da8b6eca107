"""Quotients of polynomials over some generators, reduced; python-flint does the arithmetic."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import sympy as sp
from flint import fmpq, fmpq_mpoly_ctx

from gantheory.deadline import Undecided, check_time
from gantheory.exact.exponents import in_basis

if TYPE_CHECKING:
    from gantheory.exact.algebra import Algebra

MOST_TERMS = 2000  # a catalogue curvature has fewer than 30; beyond it factoring takes seconds


MOST_DEGREES = 400  # the parser admits powers up to 64; factoring slows down far beyond that


def _rational(value: Any) -> sp.Rational:
    """Return a flint rational as sympy's."""
    return sp.Rational(int(value.p), int(value.q))


@dataclass(frozen=True)
class Quotient:
    """num/den over the polynomial ring in ``generators``, without common factors."""

    num: Any
    den: Any
    generators: tuple[sp.Expr, ...]

    def expression(self, polynomial: Any) -> sp.Expr:
        """Return a polynomial of the ring as a sum of terms."""
        terms = []
        for exponents, coefficient in polynomial.to_dict().items():
            powers = (g**k for g, k in zip(self.generators, exponents, strict=True) if k)
            terms.append(sp.Mul(_rational(coefficient), *powers))
        return sp.Add(*terms)

    def coefficients(self, index: int) -> list[sp.Expr]:
        """Return the numerator's coefficients in one generator, the highest degree first."""
        terms: dict[int, list[sp.Expr]] = {}
        for exponents, coefficient in self.num.to_dict().items():
            others = enumerate(zip(self.generators, exponents, strict=True))
            powers = (g**k for place, (g, k) in others if k and place != index)
            term = sp.Mul(_rational(coefficient), *powers)
            terms.setdefault(int(exponents[index]), []).append(term)
        return [sp.Add(*terms.get(degree, ())) for degree in range(max(terms), -1, -1)]

    def factors(self) -> tuple[sp.Rational, list[tuple[sp.Expr, int]]]:
        """Return the content and the irreducible factors with their multiplicities."""
        content = sp.Integer(1)
        found: list[tuple[sp.Expr, int]] = []
        for polynomial, sign in ((self.num, 1), (self.den, -1)):
            unit, powers = polynomial.factor()
            content *= _rational(unit) ** sign
            found += [(self.expression(base), sign * int(power)) for base, power in powers]
        return content, found


def split_power(base: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    if isinstance(base, sp.exp):
        return sp.E, base.args[0]
    return (base.base, base.exp) if base.is_Pow else (base, sp.Integer(1))


class Ring:
    """The polynomial ring over the generators of some prepared expressions."""

    def __init__(self, algebra: Algebra, exprs: Iterable[sp.Expr]) -> None:
        self.algebra = algebra
        self.exponents: dict[sp.Expr, list[sp.Expr]] = {}
        self.generators: list[sp.Expr] = []
        self.radicals: dict[sp.Expr, tuple[int, sp.Expr]] = {}  # Wⁿ = base, and |g|² = g²
        for expr in exprs:
            self._collect(expr)
        self.coordinates: dict[tuple[sp.Expr, sp.Expr], list[tuple[sp.Expr, int]]] = {}
        for base, exponents in self.exponents.items():
            self._add_powers(base, exponents)
        self.generators.sort(key=sp.default_sort_key)
        context = fmpq_mpoly_ctx.get([f"g{k}" for k in range(max(len(self.generators), 1))], "lex")
        self.context = context
        self.one = context.constant(1)
        self.gen = dict(zip(self.generators, context.gens(), strict=False))

    def _collect(self, expr: sp.Expr) -> None:
        if expr.is_Number:
            return
        if expr.is_Add or expr.is_Mul or (expr.is_Pow and expr.exp.is_Integer):
            for argument in expr.args:
                self._collect(argument)
        elif expr.is_Pow or isinstance(expr, sp.exp) or expr.is_Symbol or expr is sp.E:
            base, exponent = split_power(expr)
            exponents = self.exponents.setdefault(base, [])
            if exponent not in exponents:
                exponents.append(exponent)
                if not (base.is_Symbol or base is sp.E):
                    self._collect(base)
        elif expr not in self.generators:
            if expr.is_finite is False or expr is sp.nan:
                raise Undecided(f"{expr} is not a finite expression")
            self.generators.append(expr)
            if isinstance(expr, sp.Abs):
                self.radicals[expr] = (2, expr.args[0] ** 2)
                self._collect(expr.args[0])

    def _add_powers(self, base: sp.Expr, exponents: list[sp.Expr]) -> None:
        """Choose generators base^b whose integer powers give every base^e that occurs."""
        free = base.is_Symbol or base is sp.E
        for exponent, parts in in_basis(self.algebra, exponents):
            self.coordinates[base, exponent] = [(base**part, k) for part, k in parts]
            for part, _ in parts:
                if base**part not in self.generators:
                    self.generators.append(base**part)
                if not free and part.is_Rational:
                    self.radicals[base**part] = (int(part.q), base)

    def pair(self, expr: sp.Expr) -> tuple[Any, Any]:
        """Return numerator and denominator polynomials of a prepared expression."""
        if expr.is_Rational:
            return self.context.constant(fmpq(int(expr.p), int(expr.q))), self.one
        if expr.is_Add:
            return reduce(self._add, map(self.pair, expr.args))
        if expr.is_Mul:
            return self._cancel(reduce(_multiply, map(self.pair, expr.args)))
        if expr.is_Pow and expr.exp.is_Integer:
            return _raise(self.pair(expr.base), int(expr.exp))
        if expr in self.gen:
            return self.gen[expr], self.one
        base, exponent = split_power(expr)
        if (base, exponent) not in self.coordinates:
            raise Undecided(f"{expr} is outside of the exact algebra")
        powers = (
            _raise((self.gen[part], self.one), k) for part, k in self.coordinates[base, exponent]
        )
        return reduce(_multiply, powers, (self.one, self.one))

    def _add(self, a: tuple[Any, Any], b: tuple[Any, Any]) -> tuple[Any, Any]:
        if a[1] == b[1]:
            return self._cancel((a[0] + b[0], a[1]))
        return self._cancel((a[0] * b[1] + b[0] * a[1], a[1] * b[1]))

    def _cancel(self, pair: tuple[Any, Any]) -> tuple[Any, Any]:
        num, den = pair
        if den.is_zero():
            raise Undecided("an expression divides by zero identically")
        if len(num) > MOST_TERMS or len(den) > MOST_TERMS:
            raise Undecided(f"an intermediate polynomial has more than {MOST_TERMS} terms")
        if max((*num.degrees(), *den.degrees())) > MOST_DEGREES:
            raise Undecided(f"an intermediate polynomial of a degree beyond {MOST_DEGREES}")
        if den.is_one():
            return pair
        check_time()
        common = num.gcd(den)
        return (num, den) if common.is_one() else (num // common, den // common)

    def reduced(self, pair: tuple[Any, Any]) -> Quotient:
        """Return the quotient with radicals reduced by Wⁿ = base, square roots out of den."""
        num, den = pair
        for radical, (order, base) in self.radicals.items():
            value, index = self.pair(base)[0], self.generators.index(radical)
            num, den = (self._reduce(side, index, order, value) for side in (num, den))
            if order == 2 and den.degrees()[index]:
                parts = _by_degree(den, index, self.context)
                conjugate = parts.get(0, 0 * self.one) - parts[1] * self.gen[radical]
                num = self._reduce(num * conjugate, index, order, value)
                den = self._reduce(den * conjugate, index, order, value)
        num, den = self._cancel((num, den))
        return Quotient(num, den, tuple(self.generators) or (sp.Symbol("_"),))

    def _reduce(self, polynomial: Any, index: int, order: int, value: Any) -> Any:
        if polynomial.degrees()[index] < order:
            return polynomial
        result = 0 * self.one
        radical = self.context.gens()[index]
        for degree, part in _by_degree(polynomial, index, self.context).items():
            result += part * radical ** (degree % order) * value ** (degree // order)
        return result


def _multiply(a: tuple[Any, Any], b: tuple[Any, Any]) -> tuple[Any, Any]:
    for left, right in zip(a, b, strict=True):
        if len(left) * len(right) > MOST_TERMS**2:
            raise Undecided("a product of two long polynomials")
    return a[0] * b[0], a[1] * b[1]


def _raise(pair: tuple[Any, Any], power: int) -> tuple[Any, Any]:
    num, den = pair if power >= 0 else pair[::-1]
    longest = max(len(num), len(den))
    if math.comb(longest + abs(power) - 1, abs(power)) > MOST_TERMS:
        raise Undecided(f"a power {power} of a long polynomial")
    if den.is_zero():
        raise Undecided("an expression divides by zero identically")
    return num ** abs(power), den ** abs(power)


def _by_degree(polynomial: Any, index: int, context: Any) -> dict[int, Any]:
    """Return the coefficients of a polynomial as one in its ``index``-th generator."""
    parts: dict[int, dict[tuple[int, ...], Any]] = {}
    for exponents, coefficient in polynomial.to_dict().items():
        rest = (*exponents[:index], 0, *exponents[index + 1 :])
        parts.setdefault(int(exponents[index]), {})[rest] = coefficient
    return {degree: context.from_dict(part) for degree, part in parts.items()}
