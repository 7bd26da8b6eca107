r"""Exact functions of the density ratio: polynomials in x = r^(1/n) and in logarithms of such.

A `LogForm` is :math:`\frac1{d(x)}\sum_k c_k(x)\prod_j \ell_{kj}` with rational polynomials c and d
and generators :math:`\ell` that are logarithms of irreducible integer polynomials without a root
on (0, ∞), logarithms of primes, or other real constants. Every named divergence is one on either
side of r = 1. The form is closed under sums, products and substitutions x → a ± y and x → 1/x, so
that values, Taylor coefficients and end behaviour are computed exactly: a form without terms is
zero, which is how equalities are proved.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import sympy
from flint import fmpq, fmpq_poly, fmpz, fmpz_poly
from sympy.core.function import AppliedUndef

# A generator is the coefficients of the polynomial whose logarithm it is (a prime where there is
# one coefficient, x itself as (0, 1)), or a sympy constant.
Generator: TypeAlias = Any
Monomial: TypeAlias = frozenset[tuple[Generator, int]]
ONE: Monomial = frozenset()
LOG_X: Generator = (0, 1)
MAX_DEGREE = 400  # of a polynomial in x: beyond it root isolation is no longer instant


class NotALogForm(Exception):
    """The expression is outside this class of functions; the message says which part."""


@dataclass(frozen=True)
class LogForm:
    """Terms by monomial in the generators, over one common polynomial denominator."""

    terms: Mapping[Monomial, fmpq_poly]
    denominator: fmpq_poly

    @property
    def is_zero(self) -> bool:
        """Whether the form has no terms, hence is zero everywhere."""
        return not self.terms

    @property
    def is_rational(self) -> bool:
        """Whether it is a rational function of x with rational coefficients."""
        return all(monomial == ONE for monomial in self.terms)

    @property
    def numerator(self) -> fmpq_poly:
        """The numerator of a rational form."""
        return self.terms.get(ONE, fmpq_poly([]))

    @property
    def generators(self) -> set[Generator]:
        """Every generator that occurs."""
        return {generator for monomial in self.terms for generator, _ in monomial}

    def __add__(self, other: LogForm) -> LogForm:
        if self.denominator == other.denominator:
            common, left, right = self.denominator, fmpq_poly([1]), fmpq_poly([1])
        else:
            shared = self.denominator.gcd(other.denominator)
            left, right = other.denominator // shared, self.denominator // shared
            common = self.denominator * left
        terms = {monomial: poly * left for monomial, poly in self.terms.items()}
        for monomial, poly in other.terms.items():
            terms[monomial] = terms.get(monomial, fmpq_poly([])) + poly * right
        return _normal(terms, common)

    def __mul__(self, other: LogForm) -> LogForm:
        terms: dict[Monomial, fmpq_poly] = {}
        for left, a in self.terms.items():
            for right, b in other.terms.items():
                monomial = _product(left, right)
                terms[monomial] = terms.get(monomial, fmpq_poly([])) + a * b
        return _normal(terms, self.denominator * other.denominator)

    def __neg__(self) -> LogForm:
        return LogForm({key: -poly for key, poly in self.terms.items()}, self.denominator)

    def __sub__(self, other: LogForm) -> LogForm:
        return self + (-other)

    def inverse(self) -> LogForm:
        """Return the reciprocal of a rational form."""
        if not self.is_rational:
            raise NotALogForm("a division by something that contains a logarithm")
        if self.is_zero:
            raise NotALogForm("a division by zero")
        return _normal({ONE: self.denominator}, self.numerator)

    def power(self, exponent: int) -> LogForm:
        """Return an integer power."""
        base = self.inverse() if exponent < 0 else self
        result = rational(1)
        for _ in range(abs(exponent)):
            result = result * base
        return result

    def substitute(self, image: Callable[[fmpq_poly], fmpq_poly]) -> LogForm:
        """Return the form after a polynomial substitution x → a ± y, given on polynomials."""
        result = rational(0)
        for monomial, poly in self.terms.items():
            term = LogForm({ONE: image(poly)}, fmpq_poly([1]))
            for generator, exponent in monomial:
                factor = _constant_or_log(generator, image)
                term = term * factor.power(exponent)
            result = result + term
        return result * _normal({ONE: fmpq_poly([1])}, image(self.denominator))

    def shift(self, point: fmpq, direction: int) -> LogForm:
        """Return the form in y ≥ 0 where x = point + direction·y."""
        line = fmpq_poly([point, direction])
        return self.substitute(lambda poly: poly(line))

    def invert(self) -> LogForm:
        """Return the form in y where x = 1/y."""
        result = rational(0)
        for monomial, poly in self.terms.items():
            term = _reversed(poly)
            for generator, exponent in monomial:
                term = term * _inverted_generator(generator).power(exponent)
            result = result + term
        return result * _reversed(self.denominator).inverse()

    def derivative(self) -> LogForm:
        """Return the derivative in x."""
        result = rational(0)
        for monomial, poly in self.terms.items():
            result = result + _form({monomial: poly.derivative()})
            for generator, exponent in monomial:
                if isinstance(generator, tuple) and len(generator) > 1:
                    g = fmpq_poly(list(generator))
                    lowered = dict(monomial)
                    lowered[generator] = exponent - 1
                    rest = frozenset((key, k) for key, k in lowered.items() if k)
                    slope = _normal({rest: poly * g.derivative() * exponent}, g)
                    result = result + slope
        over = _normal({ONE: fmpq_poly([1])}, self.denominator)
        quotient = _normal({ONE: self.denominator.derivative()}, self.denominator)
        return (result - _form(self.terms) * quotient) * over


def rational(value: int | fmpq) -> LogForm:
    """Return the constant form."""
    return _form({ONE: fmpq_poly([value])})


def constant(value: sympy.Expr) -> LogForm:
    """Return a real constant as a form: exact in rationals, logarithms and roots.

    >>> import sympy
    >>> (constant(sympy.log(6)) - constant(sympy.log(2)) - constant(sympy.log(3))).is_zero
    True
    """
    return log_form(sympy.sympify(value, strict=True), sympy.Dummy("x", positive=True))


def log_form(expression: sympy.Expr, r: sympy.Symbol, root: int = 1) -> LogForm:
    """Return ``expression`` as a form in x with r = x**root.

    Raises:
        NotALogForm: where it is outside the class, with the part that is.

    >>> r = sympy.Symbol("r", positive=True)
    >>> identity = sympy.log(r**2 + r) - sympy.log(r) - sympy.log(1 + r)
    >>> log_form(identity, r).is_zero
    True
    """
    if expression == r:
        return _form({ONE: _power_of_x(root)})
    if isinstance(expression, sympy.Rational):
        return rational(fmpq(int(expression.p), int(expression.q)))
    if isinstance(expression, sympy.Add | sympy.Mul):
        parts = [log_form(part, r, root) for part in expression.args]
        result = parts[0]
        for part in parts[1:]:
            result = result + part if isinstance(expression, sympy.Add) else result * part
        return result
    if isinstance(expression, sympy.log):
        return _log(log_form(expression.args[0], r, root), expression)
    if isinstance(expression, sympy.Pow) and expression.exp.is_Rational:
        return _power(expression, r, root)
    if expression.is_number and expression.is_real and not expression.has(AppliedUndef):
        return _form({frozenset([(expression, 1)]): fmpq_poly([1])})
    raise NotALogForm(f"{str(expression)[:60]} is not made of r, its roots and logarithms")


def root_of(expression: sympy.Expr, r: sympy.Symbol) -> int:
    """Return the n for which every power of r is an integer power of r^(1/n)."""
    exponents = [power.exp for power in expression.atoms(sympy.Pow) if power.base == r]
    return math.lcm(*(int(e.q) for e in exponents if e.is_Rational))


def _power(expression: sympy.Pow, r: sympy.Symbol, root: int) -> LogForm:
    base, exponent = expression.args
    if exponent.is_Integer:
        return log_form(base, r, root).power(_bounded(int(exponent)))
    steps = exponent * root
    if base == r and steps.is_Integer:
        form = _form({ONE: _power_of_x(abs(int(steps)))})
        return form if steps > 0 else form.inverse()
    if base.is_number and expression.is_real:
        return _form({frozenset([(expression, 1)]): fmpq_poly([1])})
    raise NotALogForm(f"{expression} is a root of something other than r")


def _bounded(degree: int) -> int:
    if abs(degree) > MAX_DEGREE:
        raise NotALogForm(f"a power of {degree}; the limit is {MAX_DEGREE}")
    return degree


def _power_of_x(exponent: int) -> fmpq_poly:
    return fmpq_poly([0] * _bounded(exponent) + [1])


def _form(terms: Mapping[Monomial, fmpq_poly]) -> LogForm:
    return _normal(dict(terms), fmpq_poly([1]))


def _normal(terms: dict[Monomial, fmpq_poly], denominator: fmpq_poly) -> LogForm:
    terms = {monomial: poly for monomial, poly in terms.items() if poly != 0}
    if not terms:
        return LogForm({}, fmpq_poly([1]))
    common = denominator
    for poly in terms.values():
        common = common.gcd(poly) if common.degree() > 0 else fmpq_poly([1])
    scale = common * denominator.leading_coefficient()  # a gcd is monic: the result is, too
    if max(poly.degree() for poly in (denominator, *terms.values())) > MAX_DEGREE:
        raise NotALogForm(f"polynomials of a degree beyond {MAX_DEGREE}")
    return LogForm({key: poly // scale for key, poly in terms.items()}, denominator // scale)


def _product(left: Monomial, right: Monomial) -> Monomial:
    if not left or not right:
        return left or right
    exponents = dict(left)
    for generator, exponent in right:
        exponents[generator] = exponents.get(generator, 0) + exponent
    return frozenset(exponents.items())


def _generator(generator: Generator) -> LogForm:
    return _form({frozenset([(generator, 1)]): fmpq_poly([1])})


def _log(argument: LogForm, shown: sympy.Expr) -> LogForm:
    """Return the logarithm of a rational form as a sum over its irreducible factors."""
    if not argument.is_rational:
        raise NotALogForm(f"{shown} is the logarithm of something that is not rational")
    numerator, denominator = argument.numerator, argument.denominator
    if argument.is_zero or not numerator(fmpq(1)) / denominator(fmpq(1)) > 0:
        raise NotALogForm(f"{shown} is not real on all of (0, oo)")
    return _log_of_polynomial(numerator) - _log_of_polynomial(denominator)


def _log_of_polynomial(poly: fmpq_poly) -> LogForm:
    """Return log|poly|, for a polynomial without a root on (0, ∞)."""
    content, factors = fmpz_poly(poly.numer()).factor()
    result = _log_of_integer(abs(content)) - _log_of_integer(poly.denom())
    for factor, multiplicity in factors:
        if positive_roots(factor):
            raise NotALogForm(f"a logarithm whose argument vanishes at a root of {factor}")
        upright = factor if factor(1) > 0 else -factor
        key = tuple(int(c) for c in upright.coeffs())
        result = result + _generator(key) * rational(int(multiplicity))
    return result


def _log_of_integer(value: fmpz) -> LogForm:
    result = rational(0)
    for prime, multiplicity in fmpz(value).factor():
        if prime > 1:
            result = result + _generator((int(prime),)) * rational(int(multiplicity))
    return result


@lru_cache(maxsize=1024)
def _roots_on_positive(coefficients: tuple[int, ...]) -> tuple[tuple[fmpq, fmpq, int], ...]:
    found = []
    roots: Any = fmpz_poly(list(coefficients)).complex_roots()  # pairs, unlike its type stub
    for root, multiplicity in roots:
        if root.imag == 0 and root.real > 0:
            lower, upper = (_exact(end) for end in (root.real.lower(), root.real.upper()))
            found.append((lower, upper, int(multiplicity)))
    return tuple(sorted(found, key=lambda root: root[0]))


def positive_roots(poly: fmpz_poly) -> tuple[tuple[fmpq, fmpq, int], ...]:
    """Return isolating intervals of the roots on (0, ∞), with multiplicities, ascending.

    A root of negative real part or at zero is told apart exactly: Arb isolates every root and
    marks the real ones.
    """
    stripped = poly
    while stripped != 0 and stripped[0] == 0:
        stripped = stripped.right_shift(1)
    return _roots_on_positive(tuple(int(c) for c in stripped.coeffs()))


def _exact(ball: object) -> fmpq:
    mantissa, exponent = ball.man_exp()  # type: ignore[attr-defined]
    power = int(exponent)
    return fmpq(mantissa * fmpz(2) ** power) if power >= 0 else fmpq(mantissa, fmpz(2) ** -power)


def _constant_or_log(generator: Generator, image: Callable[[fmpq_poly], fmpq_poly]) -> LogForm:
    if not isinstance(generator, tuple) or len(generator) == 1:
        return _generator(generator)
    poly = image(fmpq_poly(list(generator)))
    if poly.degree() == 1 and poly[0] == 0:
        return _generator(LOG_X) + _log_of_positive(fmpq_poly([poly[1]]))
    return _log_of_positive(poly)


def _log_of_positive(poly: fmpq_poly) -> LogForm:
    """Return log|poly| for an irreducible polynomial that is not zero where it is used."""
    numerator = fmpz_poly(poly.numer())
    content = numerator.content()
    primitive = fmpz_poly([c // content for c in numerator.coeffs()])
    result = _log_of_integer(content) - _log_of_integer(poly.denom())
    if primitive.degree() == 0:
        return result
    return result + _generator(tuple(int(c) for c in primitive.coeffs()))


def _reversed(poly: fmpq_poly) -> LogForm:
    """Return poly(1/y) as a form in y."""
    reverse = fmpq_poly(list(reversed(poly.coeffs())))
    return _normal({ONE: reverse}, _power_of_x(max(poly.degree(), 0)))


def _inverted_generator(generator: Generator) -> LogForm:
    if not isinstance(generator, tuple) or len(generator) == 1:
        return _generator(generator)
    degree = rational(len(generator) - 1)
    if generator == LOG_X:
        return -_generator(LOG_X)
    reverse = _log_of_positive(fmpq_poly(list(reversed(generator))))
    return reverse - _generator(LOG_X) * degree
