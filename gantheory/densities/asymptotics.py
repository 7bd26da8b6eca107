r"""How a formula grows toward an end of its variable, as far as its tail needs it.

Values are functions of s → ∞ with z = ±s at an infinite end and z = z₀ ± 1/s at a finite one: a
`Series` of powers of s, an exponential, or a logarithm. What is none of these, or is not known to
be, is None.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce

import numpy as np

from gantheory.densities.duals import evaluate

Order = Fraction | float  # an exponent of s; −inf of what is exponentially small
NONE = -math.inf
TERMS = 8  # of a series that are kept
SMOOTH = frozenset({"exp", "log", "sigmoid", "tanh", "softplus", "atan"})


@dataclass(frozen=True)
class Exp:
    """sign·exp(rate·s + constant), but for a relative O(1/s) where it is not ``exact``."""

    sign: int
    constant: Fraction
    rate: Fraction
    exact: bool = True


@dataclass(frozen=True)
class Log:
    """slope·log(s) + constant + O(s^rest)."""

    slope: Fraction
    constant: Fraction
    rest: Order = NONE


@dataclass(frozen=True)
class Series:
    """Σ coefficient·s^exponent + O(s^rest), and what is exponentially small where it is known.

    Attributes:
        terms: (exponent, coefficient), from the largest exponent down.
        rest: the order of what is left out.
        small: the largest exponentially small term (of negative rate), if it is the only other one.
        vague: whether exponentially small terms are there that are not known.
    """

    terms: tuple[tuple[Fraction, Fraction], ...]
    rest: Order = NONE
    small: Exp | None = None
    vague: bool = False

    @property
    def limit(self) -> Fraction | None:
        """What it tends to; None where it does not stay bounded."""
        if not self.terms:
            return Fraction(0) if self.rest < 0 else None
        exponent, coefficient = self.terms[0]
        return None if exponent > 0 else coefficient if exponent == 0 else Fraction(0)

    @property
    def leading(self) -> tuple[Fraction, Fraction] | None:
        """The largest term, None where it is exponentially small or left out."""
        return self.terms[0] if self.terms and self.terms[0][0] > self.rest else None


Value = Series | Exp | Log | None


def constant(number: float | Fraction) -> Series:
    """Return a constant."""
    return of_terms([(Fraction(0), Fraction(number))])


def of_terms(
    terms: Iterable[tuple[Fraction, Fraction]], rest: Order = NONE, small: Exp | None = None,
    vague: bool = False,
) -> Series:  # fmt: skip
    """Return the series of terms in any order."""
    sums: dict[Fraction, Fraction] = {}
    for exponent, coefficient in terms:
        sums[exponent] = sums.get(exponent, Fraction(0)) + coefficient
    kept = sorted(((e, c) for e, c in sums.items() if c and e > rest), reverse=True)
    if len(kept) > TERMS:
        kept, rest = kept[:TERMS], max(rest, kept[TERMS][0])
    return Series(tuple(kept), rest, small, vague)


def growth(tree: ast.expr, z: Series) -> Value:
    """Return how a checked expression grows as its variable does."""
    match tree:
        case ast.Constant(value=number):
            return constant(float(number))  # type: ignore[arg-type]
        case ast.Name():
            return z
        case ast.UnaryOp(op=op, operand=operand):
            value = growth(operand, z)
            return scaled(value, Fraction(-1)) if isinstance(op, ast.USub) else value
        case ast.BinOp(left=left, op=op, right=right):
            return _operation(op, growth(left, z), growth(right, z))
        case ast.Call(func=ast.Name(id=name), args=args):
            values = [growth(arg, z) for arg in args]
            if name in ("max", "min"):
                return reduce(lambda a, b: _extreme(name, a, b), values)
            return _function(name, values[0])
    return None


def _operation(op: ast.operator, a: Value, b: Value) -> Value:
    match op:
        case ast.Add():
            return added(a, b)
        case ast.Sub():
            return added(a, scaled(b, Fraction(-1)))
        case ast.Mult():
            return _product(a, b)
        case ast.Div():
            return _product(a, power(b, Fraction(-1)))
    if (exponent := _number(b)) is not None:
        return power(a, exponent)
    return _exponential(_product(b, _function("log", a)))


def _number(value: Value) -> Fraction | None:
    """Return the constant that a value is, or None."""
    if isinstance(value, Series) and _is_exact(value) and all(e == 0 for e, _ in value.terms):
        return value.terms[0][1] if value.terms else Fraction(0)
    return None


def _is_exact(value: Series) -> bool:
    return value.rest == NONE and value.small is None and not value.vague


def sign(value: Value) -> int | None:
    """Return the sign that a value has from some s on; None: it is not known."""
    match value:
        case Exp():
            return value.sign
        case Log():
            return 1 if value.slope > 0 else -1
        case Series():
            if value.leading:
                return 1 if value.leading[1] > 0 else -1
            if value.rest == NONE and not value.vague:
                return value.small.sign if value.small else 0
    return None


def scaled(value: Value, by: Fraction) -> Value:
    """Return a multiple of a value."""
    if not by:
        return constant(0)
    match value:
        case Exp():
            turned = value.sign * (1 if by > 0 else -1)
            return replace(value, sign=turned, constant=value.constant + log_of(abs(by)))
        case Log():
            return Log(value.slope * by, value.constant * by, value.rest)
        case Series():
            small = scaled(value.small, by) if value.small else None
            assert small is None or isinstance(small, Exp)
            return replace(value, terms=tuple((e, c * by) for e, c in value.terms), small=small)
    return None


def log_of(number: Fraction) -> Fraction:
    """Return the logarithm of a positive number, which may be beyond the range of binary64."""
    return Fraction(math.log(number.numerator) - math.log(number.denominator))


def added(a: Value, b: Value) -> Value:
    """Return a sum."""
    match a, b:
        case Series(), Series():
            small, lost = _together(a.small, b.small)
            vague = a.vague or b.vague or lost
            return of_terms((*a.terms, *b.terms), max(a.rest, b.rest), small, vague)
        case Exp(), Exp():
            found, lost = _together(a, b)
            return None if lost else found
        case (Exp() as one, Series() as other) | (Series() as other, Exp() as one):
            return replace(one, exact=one.exact and _is_exact(other) and not other.terms)
        case (Log() as one, Series() as other) | (Series() as other, Log() as one):
            if other.limit is None:
                return None
            beyond = [e for e, _ in other.terms if e < 0]
            rest = max(one.rest, other.rest, *beyond, NONE)
            return Log(one.slope, one.constant + other.limit, rest)
    return None


def _together(a: Exp | None, b: Exp | None) -> tuple[Exp | None, bool]:
    """Return the larger of two exponentials, and whether they cancel."""
    if a is None or b is None:
        return a or b, False
    if a.rate != b.rate:
        return replace(max(a, b, key=lambda x: x.rate), exact=False), False
    parts = [x.sign * math.exp(min(float(x.constant), 700.0)) for x in (a, b)]
    total = sum(parts)
    if abs(total) < 1e-6 * max(map(abs, parts)) or max(a.constant, b.constant) > 600:
        return None, True
    exact = a.exact and b.exact
    return Exp(1 if total > 0 else -1, Fraction(math.log(abs(total))), a.rate, exact), False


def _product(a: Value, b: Value) -> Value:
    for one, other in ((a, b), (b, a)):
        if (number := _number(one)) is not None:
            return scaled(other, number)
    match a, b:
        case Series(), Series():
            terms = [(e + f, c * d) for e, c in a.terms for f, d in b.terms]
            tops = [x.terms[0][0] if x.terms else x.rest for x in (a, b)]
            rest = max(a.rest + tops[1], b.rest + tops[0]) if NONE not in tops else NONE
            vague = a.vague or b.vague or a.small is not None or b.small is not None
            return of_terms(terms, rest, None, vague)
        case Exp(), Exp() if a.rate + b.rate > 0:
            exact = a.exact and b.exact
            return Exp(a.sign * b.sign, a.constant + b.constant, a.rate + b.rate, exact)
    return None


def power(value: Value, n: Fraction) -> Value:
    """Return a power of a value, of a negative one for whole exponents."""
    if not n:
        return constant(1)
    match value:
        case Exp():
            return _power_of_exp(value, n)
        case Series() if leading := value.leading:
            return _power_of_series(value, leading, n)
        case Series() if value.small and value.rest == NONE and not value.vague:
            return _power_of_exp(value.small, n)
    return None


def _power_of_exp(value: Exp, n: Fraction) -> Value:
    if value.sign < 0 and n.denominator != 1:
        return None
    found = Exp(value.sign if n % 2 == 1 else 1, n * value.constant, n * value.rate, value.exact)
    return found if found.rate > 0 else Series((), small=found)


def _power_of_series(value: Series, leading: tuple[Fraction, Fraction], n: Fraction) -> Value:
    exponent, c = leading
    if c < 0 and n.denominator != 1:
        return None
    first = _power_of_number(c, n)
    if first is None:
        return None
    inner = of_terms(
        [(e - exponent, d / c) for e, d in value.terms[1:]], value.rest - exponent,
        None, value.vague or value.small is not None,
    )  # fmt: skip
    found, term, weight = constant(1), constant(1), Fraction(1)
    for k in range(1, TERMS):
        weight = weight * (n - k + 1) / k
        term = _series(_product(term, inner))
        found = _series(added(found, scaled(term, weight)))
    if inner.terms and not (n.denominator == 1 and 0 < n < TERMS):
        found = of_terms(found.terms, max(found.rest, inner.terms[0][0] * TERMS), None, found.vague)
    moved = [(e + n * exponent, d * first) for e, d in found.terms]
    small = _small_of_power(value, c, n) if not value.terms[1:] and not exponent else None
    rest = found.rest + n * exponent
    return of_terms(moved, rest, small, found.vague and small is None)


def _series(value: Value) -> Series:
    assert isinstance(value, Series)
    return value


def _small_of_power(value: Series, c: Fraction, n: Fraction) -> Exp | None:
    """Return what a small term next to a constant becomes, to first order."""
    slope = _power_of_number(c, n - 1)
    if value.small is None or value.vague or slope is None:
        return None
    found = scaled(replace(value.small, exact=False), n * slope)
    return found if isinstance(found, Exp) else None


def _power_of_number(c: Fraction, n: Fraction) -> Fraction | None:
    try:
        if n.denominator == 1 and abs(n) < 64:
            return c ** int(n)
        return Fraction(float(c) ** float(n)) if c != 1 else c
    except (OverflowError, ZeroDivisionError):
        return None


def _extreme(name: str, a: Value, b: Value) -> Value:
    above = sign(added(a, scaled(b, Fraction(-1))))
    if above is None:
        return None
    return a if (above >= 0) == (name == "max") else b


def _function(name: str, value: Value) -> Value:
    """Return a function of a value."""
    if name == "sqrt":
        return power(value, Fraction(1, 2))
    if name in ("abs", "relu"):
        side = sign(value)
        if side is None:
            return None
        return value if side > 0 else scaled(value, Fraction(-1 if name == "abs" else 0))
    bounded = isinstance(value, Series) and value.limit is not None
    if bounded and not (name == "log" and not value.limit):  # type: ignore[union-attr]
        return _smooth(name, value)  # type: ignore[arg-type]
    one = constant(1)
    match name:
        case "exp" | "log":
            return _exponential(value) if name == "exp" else _logarithm(value)
        case "softplus":
            return _logarithm(added(one, _exponential(value)))
        case "sigmoid":
            return power(added(one, _exponential(scaled(value, Fraction(-1)))), Fraction(-1))
        case "tanh":
            share = power(added(one, _exponential(scaled(value, Fraction(2)))), Fraction(-1))
            return added(one, scaled(share, Fraction(-2)))
        case "atan":
            return _arctangent(value)
    return None


def _smooth(name: str, value: Series) -> Value:
    """Return a function next to a finite limit of its argument, to first order."""
    assert value.limit is not None
    at = ast.Call(ast.Name(name), [ast.Name("z")], [])
    found, slope = (float(part[0]) for part in evaluate(at, np.array([float(value.limit)])))
    beyond = [term for term in value.terms if term[0] < 0]
    if not (math.isfinite(found) and math.isfinite(slope) and slope):
        return None
    by = Fraction(slope)
    if beyond:
        exponent, c = beyond[0]
        orders = [e for e, _ in beyond[1:]]
        rest = max(value.rest, 2 * exponent, *orders)
        return of_terms([(Fraction(0), Fraction(found)), (exponent, c * by)], rest, None, True)
    small = scaled(replace(value.small, exact=False), by) if value.small else None
    assert small is None or isinstance(small, Exp)
    return of_terms([(Fraction(0), Fraction(found))], value.rest, small, value.vague)


def _exponential(value: Value) -> Value:
    """Return exp of what grows like s, like log s, or not at all."""
    match value:
        case Log():
            size = Fraction(math.exp(min(float(value.constant), 700.0)))
            return of_terms([(value.slope, size)], value.slope + value.rest)
        case Series(terms=((exponent, rate), *others)) if exponent == 1 and value.rest <= -1:
            if any(e > -1 and e != 0 for e, _ in others):
                return None
            exact = _is_exact(value) and all(e == 0 for e, _ in others)
            shift = sum((c for e, c in others if e == 0), Fraction(0))
            found = Exp(1, shift, rate, exact)
            return found if rate > 0 else Series((), small=found)
        case Series() if value.limit is not None:
            return _smooth("exp", value)
    return None


def _logarithm(value: Value) -> Value:
    match value:
        case Exp(sign=1):
            rest = NONE if value.exact else Fraction(-1)
            return of_terms([(Fraction(1), value.rate), (Fraction(0), value.constant)], rest)
        case Series() if leading := value.leading:
            exponent, c = leading
            if c < 0:
                return None
            if not exponent:
                return _smooth("log", value)
            orders = [e - exponent for e, _ in value.terms[1:]]
            rest = max(value.rest - exponent, *orders, NONE)
            return Log(exponent, log_of(c), rest)
        case Series() if value.small and value.rest == NONE and not value.vague:
            return _logarithm(value.small)
    return None


def _arctangent(value: Value) -> Value:
    side, inverse = sign(value), power(value, Fraction(-1))
    if side is None or not isinstance(inverse, Series):
        return None
    if inverse.terms:  # − 1/x + O(x^−3)
        rest = max(inverse.rest, 3 * inverse.terms[0][0])
        inverse = of_terms(inverse.terms, rest, None, vague=True)
    return added(constant(side * math.pi / 2), scaled(inverse, Fraction(-1)))
