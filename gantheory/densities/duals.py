"""A formula in z with its derivative: forward differentiation over a checked expression."""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np

from gantheory.densities.base import Array
from gantheory.errors import InternalError

Dual = tuple[Array, Array]  # a value and its derivative in z

_FUNCTIONS: dict[str, Callable[[Array], Dual]] = {
    "log": lambda v: (np.log(v), 1 / v),
    "exp": lambda v: (np.exp(v), np.exp(v)),
    "sqrt": lambda v: (np.sqrt(v), 0.5 / np.sqrt(v)),
    "abs": lambda v: (np.abs(v), np.sign(v)),
    "relu": lambda v: (np.maximum(v, 0.0), np.heaviside(v, 0.0)),
    "softplus": lambda v: (np.logaddexp(0.0, v), _sigmoid(v)),
    "sigmoid": lambda v: (_sigmoid(v), _sigmoid(v) * _sigmoid(-v)),
    "tanh": lambda v: (np.tanh(v), 1 / np.cosh(v) ** 2),
    "atan": lambda v: (np.arctan(v), 1 / (1 + v * v)),
}


def _sigmoid(v: Array) -> Array:
    return np.exp(-np.logaddexp(0.0, -v))


def evaluate(tree: ast.expr, z: Array) -> Dual:
    """Return G(z) and G'(z) of a checked expression."""
    match tree:
        case ast.Constant(value=number):
            return np.full_like(z, float(number)), np.zeros_like(z)  # type: ignore[arg-type]
        case ast.Name():
            return z, np.ones_like(z)
        case ast.UnaryOp(op=op, operand=operand):
            value, slope = evaluate(operand, z)
            return (-value, -slope) if isinstance(op, ast.USub) else (value, slope)
        case ast.BinOp(left=left, op=op, right=right):
            return _operation(op, evaluate(left, z), evaluate(right, z))
        case ast.Call(func=ast.Name(id="max" | "min" as name), args=args):
            return _extreme(name, [evaluate(arg, z) for arg in args])
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            value, slope = evaluate(argument, z)
            outer, derivative = _FUNCTIONS[name](value)
            return outer, derivative * slope
    raise InternalError(f"the grammar admits no {type(tree).__name__}")


def _operation(op: ast.operator, a: Dual, b: Dual) -> Dual:
    match op:
        case ast.Add():
            return a[0] + b[0], a[1] + b[1]
        case ast.Sub():
            return a[0] - b[0], a[1] - b[1]
        case ast.Mult():
            return a[0] * b[0], a[1] * b[0] + a[0] * b[1]
        case ast.Div():
            return a[0] / b[0], (a[1] - a[0] / b[0] * b[1]) / b[0]
    value = a[0] ** b[0]
    if not np.any(b[1]):
        return value, b[0] * a[0] ** (b[0] - 1) * a[1]
    return value, value * (b[1] * np.log(a[0]) + b[0] * a[1] / a[0])


def _extreme(name: str, items: list[Dual]) -> Dual:
    values, slopes = np.stack([v for v, _ in items]), np.stack([s for _, s in items])
    which = (np.argmax if name == "max" else np.argmin)(values, axis=0)[None]
    value, slope = (np.take_along_axis(part, which, axis=0)[0] for part in (values, slopes))
    return value, slope
