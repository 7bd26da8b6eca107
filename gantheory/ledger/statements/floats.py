"""Formulas in plain floating point: the checked tree is walked, and nothing of sympy takes part."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from functools import cache
from itertools import product

from gantheory.divergences import DIVERGENCES
from gantheory.expressions import ELEMENTARY, Grammar, parse
from gantheory.ledger.statements.formula import CALCULUS

Names = Mapping[str, float]
TEXT = Grammar("formula", {**ELEMENTARY, **CALCULUS}, frozenset({"oo", "pi"}), parameters=True,
               comparisons=True)  # fmt: skip
CONSTANTS = {"pi": math.pi, "oo": math.inf}
STEP = 2e-4  # of central differences, relative: their error is about STEP⁴ and 1e-16/STEP^order


class NoRoute(Exception):
    """There is no value in floating point: a limit, an unknown name, a domain that was left."""


def softplus(x: float) -> float:
    """Return log(1 + e^x)."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "log": math.log, "exp": math.exp, "sqrt": math.sqrt, "abs": abs, "max": max, "min": min,
    "relu": lambda x: max(x, 0.0), "softplus": softplus,
    "sigmoid": lambda x: math.exp(-softplus(-x)), "tanh": math.tanh, "atan": math.atan,
}  # fmt: skip
OPERATIONS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b, ast.Pow: lambda a, b: a**b,
}  # fmt: skip


def read(text: str) -> ast.expr:
    """Return the checked tree of a formula or a comparison."""
    return parse(text, TEXT)


def value(node: ast.expr, names: Names) -> float:
    """Return the value of a checked tree.

    Raises:
        NoRoute: where floating point has none.

    >>> round(value(read("diff(x**3, x)"), {"x": 2.0}), 4)
    12.0
    """
    try:
        found = _value(node, names)
    except (ArithmeticError, ValueError, KeyError) as error:
        raise NoRoute(str(error)) from None
    if isinstance(found, complex) or math.isnan(found):
        raise NoRoute("not real")
    return found


def _value(node: ast.expr, names: Names) -> float:
    match node:
        case ast.Constant(value=number):
            return float(number)  # type: ignore[arg-type]
        case ast.Name(id=name):
            return names[name] if name in names else CONSTANTS[name]
        case ast.UnaryOp(op=op, operand=operand):
            inner = _value(operand, names)
            return -inner if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=op, right=right):
            return OPERATIONS[type(op)](_value(left, names), _value(right, names))
        case ast.Call(func=ast.Name(id="diff"), args=[inner, ast.Name(id=x)]):
            h = STEP * (abs(names[x]) + 1e-3) * (10 if _nested(inner) else 1)
            near, far = (
                _value(inner, {**names, x: names[x] + k * h})
                - _value(inner, {**names, x: names[x] - k * h})
                for k in (1, 2)
            )
            return (8 * near - far) / (12 * h)
        case ast.Call(func=ast.Name(id="at"), args=[inner, ast.Name(id=x), place]):
            return _value(inner, {**names, x: _value(place, names)})
        case ast.Call(func=ast.Name(id=name), args=args) if name in FUNCTIONS:
            return FUNCTIONS[name](*(_value(argument, names) for argument in args))
    raise NoRoute(f"no value in floating point of {ast.unparse(node)}")


def _nested(node: ast.expr) -> bool:
    calls = (n for n in ast.walk(node) if isinstance(n, ast.Call))
    return any(isinstance(n.func, ast.Name) and n.func.id == "diff" for n in calls)


def divergences(tree: ast.expr, p: tuple[float, ...], q: tuple[float, ...]) -> dict[str, float]:
    """Return the divergences that a tree names, Σ q f(p/q) of two laws of positive masses."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} & set(DIVERGENCES)
    return {
        name: sum(b * value(_generator(name), {"r": a / b}) for a, b in zip(p, q, strict=True))
        for name in used
    }


@cache
def _generator(name: str) -> ast.expr:
    return read(DIVERGENCES[name].f)


def grid(spans: Mapping[str, tuple[float, float]]) -> list[dict[str, float]]:
    """Return points inside open intervals, no more than a few hundred."""
    axes = [_inside(*span) for span in spans.values()]
    while math.prod(map(len, axes)) > 400:
        axes = [axis[::2] if len(axis) > 2 else axis for axis in axes]
        if all(len(axis) <= 2 for axis in axes):
            break
    return [dict(zip(spans, point, strict=True)) for point in product(*axes)]


def _inside(lower: float, upper: float) -> list[float]:
    shares = (0.37, 0.05, 0.93, 0.61, 0.21, 0.78)
    if math.isinf(lower) and math.isinf(upper):
        return [math.tan(math.pi * (share - 0.5)) for share in shares]
    if math.isinf(upper):
        return [lower + share / (1 - share) for share in shares]
    if math.isinf(lower):
        return [upper - share / (1 - share) for share in shares]
    return [lower + share * (upper - lower) for share in shares]
