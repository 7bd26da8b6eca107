"""Taylor coefficients of a formula as typed: its syntax tree walked in ball arithmetic.

Nothing of the engine takes part, no sympy and no rewriting, so that what the engine derives can
be held against what was typed. A kink that is hit exactly has a value and no derivative (nan).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import partial, reduce

from flint import arb, arb_series, fmpq

from gantheory.expressions import greater, number
from gantheory.residues import LAWS, logistic_mean_of
from gantheory.smoothed import fermi_series, logistic_normal_series, order_of

LENGTH = 4  # coefficients: the loss's curvature takes the third derivative of the payoffs
NAN = arb("nan")


def constant_jet(value: arb) -> arb_series:
    """Return the jet of a constant."""
    return arb_series([value], prec=LENGTH)


def variable(value: arb) -> arb_series:
    """Return the jet of the variable itself at ``value``."""
    return arb_series([value, 1], prec=LENGTH)


def jet(tree: ast.expr, names: Mapping[str, arb_series]) -> arb_series:
    """Return the jet of a checked tree, given the jets of its names.

    >>> from gantheory.expressions import ELEMENTARY, Grammar, parse
    >>> tree = parse("exp(x)/2", Grammar("formula", ELEMENTARY, frozenset({"x"})))
    >>> float(jet(tree, {"x": variable(arb(0))})[1].mid())
    0.5
    """
    value = number(tree)
    if value is not None:
        return constant_jet(arb(fmpq(value.numerator, value.denominator)))
    match tree:
        case ast.Name(id=name):
            return names[name]
        case ast.UnaryOp(op=op, operand=operand):
            inner = jet(operand, names)
            return -inner if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(jet(left, names), right, names)
        case ast.BinOp(left=left, op=op, right=right):
            return _operate(op, jet(left, names), jet(right, names))
        case ast.Call(args=[ast.Compare() as condition, then, otherwise]):
            left, right, strict = greater(condition)
            gap = (jet(left, names) - jet(right, names))[0]
            return _choice(gap, strict, *(jet(value, names) for value in (then, otherwise)))
        case ast.Call(func=ast.Name(id=name), args=args):
            return FUNCTIONS[name](*(jet(argument, names) for argument in args))
    raise ValueError(f"{ast.unparse(tree)} is not an expression")


def _operate(op: ast.operator, left: arb_series, right: arb_series) -> arb_series:
    match op:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
    return left * _inverse(right)


def _power(base: arb_series, exponent: ast.expr, names: Mapping[str, arb_series]) -> arb_series:
    value = number(exponent)
    if value is not None and value.denominator == 1:
        whole = reduce(lambda a, b: a * b, [base] * abs(int(value)), constant_jet(arb(1)))
        return whole if value >= 0 else _inverse(whole)
    if base[0] == 0 and value is not None and value > 0:
        return _corner(arb(0))
    return (jet(exponent, names) * _analytic(base, arb_series.log)).exp()


def _analytic(u: arb_series, function: Callable[[arb_series], arb_series]) -> arb_series:
    """Apply log or sqrt where the argument is positive, else say nan."""
    return function(u) if u[0] > 0 else _corner(NAN)


def _inverse(u: arb_series) -> arb_series:
    return _corner(NAN) if u[0].contains(0) else 1 / u


def _corner(value: arb) -> arb_series:
    return arb_series([value, *[NAN] * (LENGTH - 1)], prec=LENGTH)


def _relu(u: arb_series) -> arb_series:
    if u[0] > 0:
        return u
    return constant_jet(arb(0)) if u[0] < 0 else _corner(u[0].max(arb(0)))


def _choice(gap: arb, strict: bool, then: arb_series, otherwise: arb_series) -> arb_series:
    """Return one of two jets by the sign of u − v; at a zero a value alone."""
    if gap > 0:
        return then
    if gap < 0:
        return otherwise
    if gap == 0:
        return _corner((otherwise if strict else then)[0])
    return _corner(NAN)


def _sign(u: arb_series) -> arb_series:
    if u[0] > 0 or u[0] < 0:
        return constant_jet(arb(1 if u[0] > 0 else -1))
    return _corner(arb(0) if u[0] == 0 else NAN)


def _clamp(u: arb_series, lower: arb_series, upper: arb_series) -> arb_series:
    return -_maximum(-_maximum(u, lower), -upper)


def _huber(u: arb_series, width: arb_series | None = None) -> arb_series:
    width = constant_jet(arb(1)) if width is None else width
    held = _clamp(u, -width, width)
    return held * (u - held / 2)


def _leaky_relu(u: arb_series, slope: arb_series | None = None) -> arb_series:
    slope = constant_jet(arb(1) / 100) if slope is None else slope
    return _relu(u) - slope * _relu(-u)


def _sqrt(u: arb_series) -> arb_series:
    return _corner(arb(0)) if u[0] == 0 else _analytic(u, arb_series.sqrt)


def _maximum(*values: arb_series) -> arb_series:
    return reduce(lambda a, b: b + _relu(a - b), values)


def _sigmoid(u: arb_series) -> arb_series:
    return 1 / (1 + (-u).exp())


FUNCTIONS: Mapping[str, Callable[..., arb_series]] = {
    "log": lambda u: _analytic(u, arb_series.log),
    "exp": arb_series.exp,
    "sqrt": _sqrt,
    "abs": lambda u: _relu(u) + _relu(-u),
    "max": _maximum,
    "min": lambda *values: -_maximum(*(-value for value in values)),
    "relu": _relu,
    "softplus": lambda u: (1 + u.exp()).log(),
    "sigmoid": _sigmoid,
    "tanh": lambda u: 2 * _sigmoid(2 * u) - 1,
    "atan": arb_series.atan,
    "sin": arb_series.sin,
    "cos": arb_series.cos,
    "erf": arb_series.erf,
    "log1p": lambda u: _analytic(1 + u, arb_series.log),
    "expm1": lambda u: u.exp() - 1,
    "logsumexp": lambda u, v: v + (1 + (u - v).exp()).log(),
    "sign": _sign,
    "clamp": _clamp,
    "leaky_relu": _leaky_relu,
    "huber": _huber,
    "fermi_dirac": lambda k, u: fermi_series(order_of(k), u),
    "logistic_normal": lambda k, u, s: logistic_normal_series(order_of(k), u, s[0]),
    **{f"logistic_{law}": partial(logistic_mean_of, law) for law in LAWS},
}
