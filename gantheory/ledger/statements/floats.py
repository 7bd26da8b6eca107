"""Formulas in floating point: the checked tree is walked, and nothing of sympy takes part.

Plain numbers serve where a formula is evaluated often; numbers of 80 digits where it is compared
once, with derivatives by differences and limits by approach.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product
from typing import Any

import mpmath

from gantheory.divergences import DIVERGENCES
from gantheory.expressions import ELEMENTARY, Grammar, parse
from gantheory.ledger.statements.formula import CALCULUS

Names = Mapping[str, Any]
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
OPERATIONS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b, ast.Pow: lambda a, b: a**b,
}  # fmt: skip


@dataclass(frozen=True)
class Numbers:
    """What a tree is evaluated in: a kind of number, its functions and constants.

    ``step`` is that of central differences, relative: their error is about step⁴ and
    rounding/step^order.
    """

    of: Callable[[Any], Any]
    functions: Mapping[str, Callable[..., Any]]
    constants: Mapping[str, Any]
    step: float


mp = mpmath.MPContext()
mp.dps = 80


def _precise_softplus(x: Any) -> Any:
    return max(x, mp.zero) + mp.log1p(mp.exp(-abs(x)))


PLAIN = Numbers(float, FUNCTIONS, CONSTANTS, STEP)
PRECISE = Numbers(
    lambda x: mp.mpf(str(x)),
    {
        "log": mp.log, "exp": mp.exp, "sqrt": mp.sqrt, "abs": abs, "max": max, "min": min,
        "relu": lambda x: max(x, mp.zero), "softplus": _precise_softplus,
        "sigmoid": lambda x: mp.exp(-_precise_softplus(-x)), "tanh": mp.tanh, "atan": mp.atan,
    },
    {"pi": mp.pi + 0, "oo": mp.inf},
    1e-18,
)  # fmt: skip


def read(text: str) -> ast.expr:
    """Return the checked tree of a formula or a comparison."""
    return parse(text, TEXT)


def free_names(node: ast.expr) -> set[str]:
    """Return the names in a tree that are no functions or constants."""
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return found - set(FUNCTIONS) - {*CONSTANTS, *CALCULUS}


def float_value(node: ast.expr, names: Names, numbers: Numbers = PLAIN) -> Any:
    """Return the value of a checked tree.

    Raises:
        NoRoute: where floating point has none.

    >>> round(float_value(read("diff(x**3, x)"), {"x": 2.0}), 4)
    12.0
    >>> float_value(read("limit(log(x), x, 0)"), {"x": mp.mpf(1)}, PRECISE)
    mpf('-inf')
    """
    try:
        found = _value(node, names, numbers)
    except (ArithmeticError, ValueError, KeyError, TypeError) as error:
        raise NoRoute(str(error)) from None
    if isinstance(found, complex | mp.mpc) or found != found:
        raise NoRoute("not real")
    return found


def _value(node: ast.expr, names: Names, kit: Numbers) -> Any:
    match node:
        case ast.Constant(value=number):
            return kit.of(number)
        case ast.Name(id=name):
            return names[name] if name in names else kit.constants[name]
        case ast.UnaryOp(op=op, operand=operand):
            inner = _value(operand, names, kit)
            return -inner if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=op, right=right):
            return OPERATIONS[type(op)](_value(left, names, kit), _value(right, names, kit))
        case ast.Call(func=ast.Name(id="diff"), args=[inner, ast.Name(id=x)]):
            return _slope(inner, x, names, kit)
        case ast.Call(func=ast.Name(id="at"), args=[inner, ast.Name(id=x), place]):
            return _value(inner, {**names, x: _value(place, names, kit)}, kit)
        case ast.Call(func=ast.Name(id="limit"), args=[inner, ast.Name(id=x), place]):
            if kit is PLAIN:
                raise NoRoute("a limit needs more digits")
            return _limit(inner, x, _value(place, names, kit), names, kit)
        case ast.Call(func=ast.Name(id=name), args=args) if name in kit.functions:
            return kit.functions[name](*(_value(argument, names, kit) for argument in args))
    raise NoRoute(f"no value in floating point of {ast.unparse(node)}")


def _slope(inner: ast.expr, x: str, names: Names, kit: Numbers) -> Any:
    h = kit.step * (abs(names[x]) + 1e-3) * (10 if _nested(inner) else 1)
    near, far = (
        _value(inner, {**names, x: names[x] + k * h}, kit)
        - _value(inner, {**names, x: names[x] - k * h}, kit)
        for k in (1, 2)
    )
    return (8 * near - far) / (12 * h)


def _limit(inner: ast.expr, x: str, place: Any, names: Names, kit: Numbers) -> Any:
    """Return where values settle as x approaches a place from where it is; ±∞ where they grow."""
    if mp.isinf(place):
        tried = ([10**k for k in (5, 10, 15, 20)], [10, 20, 40, 80])
        approaches = [[mp.sign(place) * mp.mpf(k) for k in one] for one in tried]
    else:
        away = names[x] - place
        approaches = [[place + away * mp.mpf(10) ** -k for k in (3, 6, 9, 12)]]
    for points in approaches:
        try:
            found = [_value(inner, {**names, x: point}, kit) for point in points]
        except (ArithmeticError, ValueError, TypeError):
            continue
        return limit_of_values(found)
    raise NoRoute("the values do not converge")


def limit_of_values(found: list[Any]) -> Any:
    """Return where four values settle, ±∞ where they grow; NoRoute where neither is seen."""
    gaps = [abs(b - a) for a, b in pairwise(found)]
    if gaps[2] <= gaps[1] / 2 or gaps[2] < 1e-9:
        return found[3]
    if abs(found[3]) > abs(found[2]) > abs(found[1]):
        return mp.sign(found[3]) * mp.inf
    raise NoRoute("the values do not converge")


def _nested(node: ast.expr) -> bool:
    calls = (n for n in ast.walk(node) if isinstance(n, ast.Call))
    return any(isinstance(n.func, ast.Name) and n.func.id == "diff" for n in calls)


def divergences_of_masses(
    tree: ast.expr,
    p: tuple[Any, ...],
    q: tuple[Any, ...],
    parameters: Names | None = None,
    numbers: Numbers = PLAIN,
) -> dict[str, Any]:
    """Return the divergences that a tree names, Σ q f(p/q) of two laws of positive masses."""
    known = parameters or {}
    return {
        name: sum(
            b * float_value(_generator(name), {**known, "r": a / b}, numbers)
            for a, b in zip(p, q, strict=True)
        )
        for name in free_names(tree) & set(DIVERGENCES)
    }


@cache
def _generator(name: str) -> ast.expr:
    return read(DIVERGENCES[name].f)


def grid_in(spans: Mapping[str, tuple[float, float]]) -> list[dict[str, float]]:
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
