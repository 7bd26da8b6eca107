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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

import sympy as sp
from flint import arb, ctx, fmpq, fmpq_mpoly_ctx

from gantheory.deadline import Undecided, check_time
from gantheory.exact.exponents import in_basis
from gantheory.exact.signs.balls import NoEnclosure, enclose

MOST_TERMS = 2000  # a catalogue curvature has fewer than 30; beyond it factoring takes seconds
NEAR_ZERO = 1e-6  # a floating-point value beyond it is no rounding of zero
MOST_BITS = 2048  # of an enclosure that looks for a digit of something that is formally not zero
MOST_DEGREES = 400  # the parser admits powers up to 64; factoring slows down far beyond that


def rational(value: Any) -> sp.Rational:
    """Return a flint rational as sympy's."""
    return sp.Rational(int(value.p), int(value.q))


def evaluate(expr: sp.Expr, values: Mapping[sp.Symbol, float]) -> float:
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
            terms.append(sp.Mul(rational(coefficient), *powers))
        return sp.Add(*terms)

    def coefficients(self, index: int) -> list[sp.Expr]:
        """Return the numerator's coefficients in one generator, the highest degree first."""
        terms: dict[int, list[sp.Expr]] = {}
        for exponents, coefficient in self.num.to_dict().items():
            others = enumerate(zip(self.generators, exponents, strict=True))
            powers = (g**k for place, (g, k) in others if k and place != index)
            term = sp.Mul(rational(coefficient), *powers)
            terms.setdefault(int(exponents[index]), []).append(term)
        return [sp.Add(*terms.get(degree, ())) for degree in range(max(terms), -1, -1)]

    def factors(self) -> tuple[sp.Rational, list[tuple[sp.Expr, int]]]:
        """Return the content and the irreducible factors with their multiplicities."""
        content = sp.Integer(1)
        found: list[tuple[sp.Expr, int]] = []
        for polynomial, sign in ((self.num, 1), (self.den, -1)):
            unit, powers = polynomial.factor()
            content *= rational(unit) ** sign
            found += [(self.expression(base), sign * int(power)) for base, power in powers]
        return content, found


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
        if expr.free_symbols - set(self.sample) or not abs(evaluate(expr, self.sample)) < NEAR_ZERO:
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
        ring = _Ring(self, prepared)
        return [ring.reduced(ring.pair(expr)) for expr in prepared]

    def factors(self, expr: sp.Expr) -> tuple[sp.Rational, list[tuple[sp.Expr, sp.Expr]]]:
        """Return ``expr`` as content times powers of irreducible bases; exponents any number."""
        quotient = self.quotient(expr)
        if quotient.num.is_zero():
            return sp.Integer(0), []
        content, factors = quotient.factors()
        merged: dict[sp.Expr, sp.Expr] = {}
        for base, power in factors:
            base, exponent = _split_power(base)
            turned = base.is_Add or (base.is_Symbol and not base.is_positive)
            if turned and exponent == 1 and evaluate(base, self.sample) < 0:
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
            if evaluate(base, self.sample) < 0:
                base, content = sp.expand(-base), content * sp.Integer(-1) ** power
            oriented.append((base, power))
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


def _split_power(base: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    if isinstance(base, sp.exp):
        return sp.E, base.args[0]
    return (base.base, base.exp) if base.is_Pow else (base, sp.Integer(1))


def _primes(content: sp.Rational) -> list[tuple[sp.Expr, sp.Expr]]:
    if content == 1:
        return []
    if max(abs(content.p), content.q) > 10**30:
        raise Undecided("a root or logarithm of a number with more than 30 digits")
    return [(sp.Integer(prime), sp.Integer(k)) for prime, k in sp.factorrat(content).items()]


class _Ring:
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
            base, exponent = _split_power(expr)
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
        base, exponent = _split_power(expr)
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
