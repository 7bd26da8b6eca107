"""Limits by leading terms: c·y^e·(log y)^k as y falls to 0, with symbolic exponents."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import sympy as sp

from gantheory.deadline import OutOfTime, Undecided, check_time
from gantheory.exact.algebra import Algebra, algebra_at
from gantheory.exact.assumptions import GENERIC, Assumptions
from gantheory.exact.quotients import Quotient

ZERO = sp.Integer(0)
NEAR = sp.Dummy("y", positive=True)  # one symbol, so that what is known of an expression serves
ORDERS = (2, 5)  # of expansions: the second where the terms up to the first cancel


class _Remainder(sp.Dummy):
    """A bounded unknown: the coefficient of the first term that an expansion leaves out."""


def _expanded(atom: sp.Expr, front: sp.Expr, delta: sp.Expr, order: int) -> sp.Expr:
    """Expand log(front·(1 + δ)) or (front·(1 + δ))^e in δ up to an order."""
    rest = _Remainder("R", positive=True) * delta ** (order + 1)
    powers = range(1, order + 1)
    if isinstance(atom, sp.log):
        return sp.log(front) - sp.Add(*((-delta) ** k / k for k in powers)) + rest
    terms = (sp.ff(atom.exp, k) / sp.factorial(k) * delta**k for k in powers)
    return front**atom.exp * (1 + sp.Add(*terms) + rest)


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
    expr: sp.Expr, x: sp.Symbol, point: sp.Expr, side: int, parameters: Assumptions
) -> sp.Expr:
    """Return the limit of ``expr`` as x approaches ``point`` from above (1) or below (-1).

    >>> r = sp.Symbol("r", positive=True)
    >>> limit(r * sp.log(1 + 1 / r), r, sp.oo, -1, Assumptions())
    1
    """
    if x not in expr.free_symbols:
        return expr
    key = limit, expr, x, point, side
    return parameters.remembered(key, lambda: _limit(expr, x, point, side, parameters))


def _limit(
    expr: sp.Expr, x: sp.Symbol, point: sp.Expr, side: int, parameters: Assumptions
) -> sp.Expr:
    if point in (sp.oo, -sp.oo):
        near = sp.sign(point) / NEAR
    elif point == 0 and side == 1:
        near = NEAR
    else:
        near = point + side * NEAR
    return _limit_at_zero(expr.xreplace({x: near}), NEAR, parameters)


class _Cancelled(Exception):
    """The dominating terms of a sum cancel; ``at`` is their common size."""

    def __init__(self, at: Leading) -> None:
        self.at = at


def _limit_at_zero(expr: sp.Expr, y: sp.Symbol, parameters: Assumptions) -> sp.Expr:
    if y not in expr.free_symbols:
        return expr
    dominated = _by_exponential(expr, y, parameters)
    if dominated is not None:
        return dominated
    quotient, scale = _prepare(expr, y, parameters)
    if quotient.num.is_zero():
        return ZERO
    try:
        num = scale.of_polynomial(quotient, quotient.num)
    except _Cancelled as cancelled:
        # The dominating terms have finite limits that add up to 0, and the rest vanishes.
        vanishes = parameters.sign(cancelled.at.exponent) in (0, 1) and not cancelled.at.logs
        if vanishes and y not in quotient.expression(quotient.den).free_symbols:
            return ZERO
        return value_at_zero(leading(expr, y, parameters), parameters)
    den = scale.leading_of(quotient, quotient.den)
    return value_at_zero(scale.divided(num, den), parameters)


def _by_exponential(expr: sp.Expr, y: sp.Symbol, parameters: Assumptions) -> sp.Expr | None:
    """Return the limit of exp(u)·rest where u is infinite, so that no power in the rest counts."""
    factors = sp.Mul.make_args(expr)
    argument = sp.Add(*(f.args[0] for f in factors if isinstance(f, sp.exp)))
    if y not in argument.free_symbols:
        return None
    end = value_at_zero(leading(argument, y, parameters), parameters)
    if end not in (sp.oo, -sp.oo):
        return None
    rest = leading(sp.Mul(*(f for f in factors if not isinstance(f, sp.exp))), y, parameters)
    sign = parameters.sign(rest.coefficient)
    if end == -sp.oo or sign == 0:
        return ZERO
    if sign is None:
        raise Undecided(f"a limit depends on the sign of {rest.coefficient}")
    return sp.oo * sign * (-1) ** rest.logs


def value_at_zero(term: Leading, parameters: Assumptions) -> sp.Expr:
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


def leading(expr: sp.Expr, y: sp.Symbol, parameters: Assumptions) -> Leading:
    """Return the leading term of ``expr`` as y falls to 0."""
    check_time()
    if y not in expr.free_symbols:
        return Leading(expr)
    return parameters.remembered((leading, expr, y), lambda: _leading(expr, y, parameters))


def _leading(expr: sp.Expr, y: sp.Symbol, parameters: Assumptions) -> Leading:
    quotient, scale = _prepare(expr, y, parameters)
    if quotient.num.is_zero():
        return Leading(ZERO)
    num, den = (scale.leading_of(quotient, side) for side in (quotient.num, quotient.den))
    return scale.divided(num, den)


def _prepare(expr: sp.Expr, y: sp.Symbol, parameters: Assumptions) -> tuple[Quotient, _Scale]:
    sample = {s: GENERIC[k % 6] for k, s in enumerate(sorted(expr.free_symbols, key=str))}
    values = sample | parameters.sample | {y: 1e-3}
    passing = any(isinstance(symbol, _Remainder) for symbol in sample)
    algebra = Algebra(values) if passing else algebra_at(values)
    return algebra.quotient(expr), _Scale(y, parameters, algebra)


def _base_and_exponent(atom: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Return b and e of b**e, with exp(e) as a power of Euler's number; of log(b), b and 1."""
    if isinstance(atom, sp.exp):
        return sp.E, atom.args[0]
    return (atom.base, atom.exp) if atom.is_Pow else (atom.args[0], sp.Integer(1))


class _Scale:
    def __init__(self, y: sp.Symbol, parameters: Assumptions, algebra: Algebra) -> None:
        self.y, self.parameters, self.algebra = y, parameters, algebra

    def divided(self, num: Leading, den: Leading) -> Leading:
        """Return the quotient of two leading terms."""
        found = num * den.power(sp.Integer(-1))
        return Leading(
            self.algebra.normal(found.coefficient), sp.expand(found.exponent), found.logs
        )

    def leading_of(self, quotient: Quotient, polynomial: Any) -> Leading:
        """Return the leading term of a polynomial, by expansion where leading terms cancel."""
        try:
            return self.of_polynomial(quotient, polynomial)
        except _Cancelled:
            expr = quotient.expression(polynomial)
        if any(isinstance(symbol, _Remainder) for symbol in expr.free_symbols):
            raise Undecided(f"the leading term of {expr} is not found by expansion")
        for order in ORDERS:
            found = self._by_expansion(expr, order)
            if found is not None:
                return found
        raise Undecided(f"the leading term of {expr} is not found at order {ORDERS[-1]}")

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
        raise _Cancelled(best)

    def _order(self, a: Leading, b: Leading) -> int:
        difference = sp.expand(a.exponent - b.exponent)
        sign = self.parameters.sign(difference)
        if sign is None:
            raise Undecided(f"the leading term of a limit depends on the sign of {difference}")
        return sign or b.logs - a.logs

    def _by_expansion(self, expr: sp.Expr, order: int) -> Leading | None:
        """Expand powers and logarithms of c·y^k·(1 + δ) to an order n in δ.

        The remainder is R·δ^(n+1) with R unknown and bounded; a leading term without R is exact,
        and None stands for one with R.
        """
        images = {}
        atoms = [a for a in expr.atoms(sp.Pow, sp.log, sp.exp) if self.y in a.free_symbols]
        for atom in atoms:
            base, exponent = _base_and_exponent(atom)
            if self.y in exponent.free_symbols:
                images[atom] = self._expanded_exponential(exponent * sp.log(base), order)
                continue
            if base == self.y or (atom.is_Pow and exponent.is_Integer):
                continue
            start = leading(base, self.y, self.parameters)
            if start.logs:
                raise Undecided(f"the expansion of {atom}")
            front = start.coefficient * self.y**start.exponent
            delta = self.algebra.normal(base / front - 1)
            images[atom] = _expanded(atom, front, delta, order)
        if not images:
            raise Undecided(f"the leading term of {expr} is not found by expansion")
        try:
            found = leading(expr.xreplace(images), self.y, self.parameters)
        except OutOfTime:
            raise
        except Undecided:
            return None
        unknown = any(isinstance(symbol, _Remainder) for symbol in found.coefficient.free_symbols)
        return None if unknown else found

    def _expanded_exponential(self, argument: sp.Expr, order: int) -> sp.Expr:
        """Expand exp(u₀ + δ) in δ up to an order, for a finite limit u₀."""
        start = self._finite_limit(argument)
        delta = self.algebra.normal(argument - start)
        terms = (delta**k / sp.factorial(k) for k in range(order + 1))
        return sp.exp(start) * (
            sp.Add(*terms) + _Remainder("R", positive=True) * delta ** (order + 1)
        )

    def _finite_limit(self, argument: sp.Expr) -> sp.Expr:
        value = value_at_zero(leading(argument, self.y, self.parameters), self.parameters)
        if value in (sp.oo, -sp.oo):
            raise Undecided(f"an exponential of {argument} in a limit")
        return value

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
        if isinstance(generator, sp.exp):
            return Leading(sp.exp(self._finite_limit(generator.args[0])))
        if generator.is_Pow and self.y not in generator.base.free_symbols:
            return Leading(generator.base ** self._finite_limit(generator.exp))
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
