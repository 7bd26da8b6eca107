"""An oracle that shares no code with the engine: formulas as typed, evaluated by mpmath."""

from __future__ import annotations

import ast
from collections.abc import Callable

import mpmath as mp

FUNCTIONS: dict[str, Callable[..., mp.mpf]] = {
    "log": mp.log, "exp": mp.exp, "sqrt": mp.sqrt, "abs": abs, "max": max, "min": min,
    "tanh": mp.tanh, "atan": mp.atan, "relu": lambda u: max(u, mp.mpf(0)),
    "softplus": lambda u: mp.log(1 + mp.exp(u)), "sigmoid": lambda u: 1 / (1 + mp.exp(-u)),
}  # fmt: skip
OPERATORS: dict[type, Callable[[mp.mpf, mp.mpf], mp.mpf]] = {
    ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b, ast.Pow: lambda a, b: a**b,
}  # fmt: skip


def value(text: str, **names: float | mp.mpf) -> mp.mpf:
    """Return the value of a formula; ``t`` also gives ``D``."""
    if "t" in names:
        names["D"] = FUNCTIONS["sigmoid"](names["t"])

    def walk(node: ast.expr) -> mp.mpf:
        match node:
            case ast.Constant(value=number):
                return mp.mpf(str(number))
            case ast.Name(id=name):
                return mp.mpf(names[name])
            case ast.UnaryOp(operand=operand):
                return -walk(operand)
            case ast.BinOp(left=left, op=op, right=right):
                return OPERATORS[type(op)](walk(left), walk(right))
            case ast.Call(func=ast.Name(id=name), args=args):
                return FUNCTIONS[name](*map(walk, args))
        raise TypeError(ast.dump(node))

    return walk(ast.parse(text, mode="eval").body)


def best_score(
    real: str, fake: str, ratio: float, lower: float, upper: float, **names: float
) -> tuple[mp.mpf, mp.mpf]:
    """Return the maximiser of r·a + b between two scores, and the maximum: a grid, then thirds."""

    def payoff(t: mp.mpf) -> mp.mpf:
        return ratio * value(real, t=t, **names) + value(fake, t=t, **names)

    with mp.workdps(15):
        start = max(mp.linspace(lower, upper, 61), key=payoff)
    width = (mp.mpf(upper) - lower) / 60
    low, high = max(lower, start - width), min(upper, start + width)
    for _ in range(90):
        one, other = low + (high - low) / 3, high - (high - low) / 3
        low, high = (one, high) if payoff(one) < payoff(other) else (low, other)
    return (low + high) / 2, payoff((low + high) / 2)
