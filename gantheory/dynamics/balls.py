"""Enclosures of expressions over boxes: interval arithmetic in python-flint's real balls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

import sympy as sp
from flint import arb, fmpq

from gantheory.functions import relu, sigmoid, softplus

Box = Mapping[sp.Symbol, arb]
WHOLE = arb("nan")  # no bound is known: contains everything, excludes nothing


def enclose_on_box(expression: sp.Expr, box: Box, seen: dict[sp.Expr, arb] | None = None) -> arb:
    """Return a ball that holds every value of ``expression`` on ``box``; not finite if unknown.

    ``seen`` keeps the enclosures of parts, for expressions that share them.

    >>> x = sp.Symbol("x", real=True)
    >>> enclose_on_box(x**2 - 2, {x: arb(0, 1)}).contains(arb(-2))
    True
    """
    seen = {} if seen is None else seen
    if expression not in seen:
        seen[expression] = _enclose(expression, box, seen)
    return seen[expression]


def _enclose(expression: sp.Expr, box: Box, seen: dict[sp.Expr, arb]) -> arb:
    if expression.is_Symbol:
        return box[expression]
    if expression.is_Rational or expression.is_Float:
        number = sp.Rational(expression)
        return arb(fmpq(int(number.p), int(number.q)))
    if expression.is_Pow:
        return _power(expression, box, seen)
    parts = [enclose_on_box(part, box, seen) for part in expression.args]
    if expression.is_Add:
        return reduce(arb.__add__, parts)
    if expression.is_Mul:
        return reduce(arb.__mul__, parts)
    if expression in CONSTANTS:
        return CONSTANTS[expression]()
    function = FUNCTIONS.get(type(expression))
    return WHOLE if function is None else function(parts[0])


def _power(expression: sp.Expr, box: Box, seen: dict[sp.Expr, arb]) -> arb:
    base, exponent = enclose_on_box(expression.base, box, seen), expression.exp
    if exponent.is_Integer:
        whole = _natural_power(base, abs(int(exponent)))
        return whole if exponent >= 0 else 1 / whole
    power = enclose_on_box(exponent, box, seen)
    if not exponent.free_symbols:
        return _monotone(lambda u: u**power)(base)
    return (power * _monotone(arb.log)(base)).exp()


def _natural_power(base: arb, n: int) -> arb:
    if n % 2:
        return _monotone(lambda u: u**n)(base)
    return (base.abs_lower() ** n).union(base.abs_upper() ** n) if base.is_finite() else WHOLE


def _monotone(function: Callable[[arb], arb]) -> Callable[[arb], arb]:
    """The range of a monotone function of one ball: the hull of its values at the two ends."""

    def hull(u: arb) -> arb:
        if not u.is_finite():
            return WHOLE
        return function(u) if u.is_exact() else function(u.lower()).union(function(u.upper()))

    return hull


def _sigmoid(u: arb) -> arb:
    return 1 / (1 + (-u).exp()) if u > 0 else u.exp() / (1 + u.exp())


def _softplus(u: arb) -> arb:
    return u + (-u).exp().log1p() if u > 0 else u.exp().log1p()


def _step(u: arb) -> arb:
    if not u.is_finite() or u.contains(0):
        return arb(0.5, 0.5)
    return arb(int(u > 0))


def _relu(u: arb) -> arb:
    return u if u > 0 else arb(0) if u < 0 else arb(0).union(u.upper())


def _bounded(function: Callable[[arb], arb]) -> Callable[[arb], arb]:
    """A function with values in [-1, 1], whatever it is asked."""
    return lambda u: function(u) if u.is_finite() else arb(0, 1)


FUNCTIONS: Mapping[type, Callable[[arb], arb]] = {
    sp.exp: _monotone(arb.exp), sp.log: _monotone(arb.log), sp.tanh: _monotone(arb.tanh),
    sp.atan: _monotone(arb.atan), sigmoid: _monotone(_sigmoid), softplus: _monotone(_softplus),
    sp.sin: _bounded(arb.sin), sp.cos: _bounded(arb.cos), relu: _relu, sp.Heaviside: _step,
    sp.sign: lambda u: 2 * _step(u) - 1, sp.Abs: lambda u: abs(u),
}  # fmt: skip
CONSTANTS: Mapping[sp.Expr, Callable[[], arb]] = {sp.pi: arb.pi, sp.E: lambda: arb(1).exp()}
