"""Ball arithmetic (Arb through python-flint) for sympy expressions: enclosures, not estimates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import sympy
from flint import arb, arb_series, fmpq

from gantheory.residues import LAWS, logistic_mean
from gantheory.smoothed import fermi_value, logistic_normal_series

_UNARY: Mapping[str, Callable[[arb], arb]] = {
    "exp": lambda x: x.exp(), "log": lambda x: x.log(), "tanh": lambda x: x.tanh(),
    "atan": lambda x: x.atan(), "Abs": abs, "sinh": lambda x: x.sinh(),
    "cosh": lambda x: x.cosh(), "erf": lambda x: x.erf(), "erfc": lambda x: x.erfc(),
    "LambertW": lambda x: x.lambertw(), "sin": lambda x: x.sin(), "cos": lambda x: x.cos(),
    "relu": lambda x: x.max(arb(0)), "softplus": lambda x: x.exp().log1p(),
    "sigmoid": lambda x: 1 / (1 + (-x).exp()),
}  # fmt: skip

_ORDERED: Mapping[str, Callable[..., arb]] = {
    "fermi_dirac": fermi_value,
    "logistic_normal": lambda k, u, s: logistic_normal_series(k, arb_series([u], prec=1), s)[0],
    **{f"logistic_{law}": partial(logistic_mean, law) for law in LAWS},
}


class NoEnclosure(Exception):
    """The expression contains something that has no ball arithmetic here."""


def enclose(expression: sympy.Expr, values: Mapping[sympy.Symbol, arb] | None = None) -> arb:
    """Return a ball that contains the value of ``expression`` for symbols within ``values``.

    Raises:
        NoEnclosure: for functions without a ball version, with their name.

    >>> enclose(sympy.log(2) ** 2).contains(arb("0.480453013918201424667102526327"))
    True
    """
    if expression.is_Symbol and values and expression in values:
        return values[expression]
    if isinstance(expression, sympy.Rational):
        return arb(fmpq(int(expression.p), int(expression.q)))
    if isinstance(expression, sympy.Float):  # to its last digit
        shown = arb(expression._to_mpmath(expression._prec))
        return arb(shown, (abs(shown) * arb(2) ** (1 - expression._prec)).abs_upper())
    if expression is sympy.pi:
        return arb.pi()
    if expression is sympy.E:
        return arb.const_e()
    if isinstance(expression, sympy.Piecewise):
        return enclose(piece_at(expression, values), values)
    if hasattr(expression, "enclosed"):
        found: arb = expression.enclosed(values or {})
        return found
    if type(expression).__name__ == "choice":
        gap = enclose(expression.args[0], values)
        if not (gap > 0 or gap <= 0):
            raise NoEnclosure(f"which value {str(expression)[:60]} has there is not decided")
        return enclose(expression.args[1 if gap > 0 else 2], values)
    parts = [enclose(part, values) for part in expression.args]
    if isinstance(expression, sympy.Add | sympy.Mul):
        total = parts[0]
        for part in parts[1:]:
            total = total + part if isinstance(expression, sympy.Add) else total * part
        return total
    if isinstance(expression, sympy.Pow):
        return _power(expression.exp, *parts)
    if isinstance(expression, sympy.Max | sympy.Min):
        total = parts[0]
        for part in parts[1:]:
            total = total.max(part) if isinstance(expression, sympy.Max) else total.min(part)
        return total
    if type(expression).__name__ in _ORDERED:
        return _ORDERED[type(expression).__name__](int(expression.args[0]), *parts[1:])
    if type(expression).__name__ in _UNARY and len(parts) == 1:
        return _UNARY[type(expression).__name__](parts[0])
    raise NoEnclosure(f"{str(expression)[:60]} has no enclosure")


def piece_at(expression: sympy.Expr, values: Mapping[sympy.Symbol, arb] | None) -> sympy.Expr:
    """Return the piece of a piecewise expression that holds there; any other as it is."""
    if not isinstance(expression, sympy.Piecewise):
        return expression
    for piece, condition in expression.args:
        if holds(condition, values):
            return piece
    raise NoEnclosure(f"{str(expression)[:60]} has no piece there")


def holds(condition: sympy.Basic, values: Mapping[sympy.Symbol, arb] | None = None) -> bool:
    """Return whether a comparison, or a combination of some, holds for symbols within ``values``.

    >>> x = sympy.Symbol("x")
    >>> holds(x < sympy.log(8), {x: arb(2)})
    True
    """
    if condition in (sympy.true, sympy.false):
        return bool(condition)
    if isinstance(condition, sympy.And | sympy.Or):
        parts = (holds(part, values) for part in condition.args)
        return all(parts) if isinstance(condition, sympy.And) else any(parts)
    if not isinstance(condition, sympy.core.relational.Relational) or condition.has(sympy.oo):
        raise NoEnclosure(f"{str(condition)[:60]} is no comparison of numbers")
    gap = enclose(condition.lhs, values) - enclose(condition.rhs, values)
    if gap > 0 or gap < 0 or gap == 0:
        return bool(condition.func(int(gap > 0) - int(gap < 0), 0))
    raise NoEnclosure(f"whether {str(condition)[:60]} holds is not decided")


def _power(exponent: sympy.Expr, base: arb, value: arb) -> arb:
    if exponent.is_Integer:
        return base ** int(exponent)
    if exponent == sympy.Rational(1, 2):
        return base.sqrt()
    return base**value
