"""How the numbers in a density's text depend on the letter ``d``: read from its tree, exactly.

Nothing is decided from samples: a number varies if its formula names d, and its slope is the
derivative of the formula, by the rules of differentiation in exact fractions.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

from gantheory.densities.base import FAMILIES
from gantheory.densities.fitted import fitted_law
from gantheory.densities.text import tree_of as tree_of_density
from gantheory.errors import GantheoryError
from gantheory.expressions import number

LETTER = "d"
ONE = ast.Constant(1)
Dual = tuple[Fraction, Fraction]  # a value, and its derivative in d


def tree_in_d(text: str) -> ast.Call:
    """Return the syntax tree of a density's text, in which d is a name.

    What a law fitted to a file is written like is read anew each time: the file may change.
    """
    fitted = fitted_law(text)
    return _tree(text if fitted is None else str(fitted))


@lru_cache(maxsize=64)
def _tree(text: str) -> ast.Call:
    return tree_of_density(text, frozenset({LETTER}))


def varies(node: ast.AST) -> bool:
    """Whether a formula names d."""
    return any(isinstance(part, ast.Name) and part.id == LETTER for part in ast.walk(node))


def arguments(call: ast.Call) -> dict[str, ast.expr]:
    """Return the arguments of a density's text by the names of its parameters."""
    names = [f.name for f in dataclasses.fields(FAMILIES[_family(call)])]  # type: ignore[arg-type]
    given = dict(zip(names, call.args, strict=False))
    return given | {str(keyword.arg): keyword.value for keyword in call.keywords}


def _family(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def terms(call: ast.Call) -> list[tuple[ast.expr, ast.expr]]:
    """Return (weight, component) of each term of a mixture's text."""
    node: ast.expr = call.args[0] if call.args else call.keywords[0].value
    found = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        found.append(_term(node.right))
        node = node.left
    return [_term(node), *reversed(found)]


def _term(node: ast.expr) -> tuple[ast.expr, ast.expr]:
    match node:
        case ast.BinOp(left=left, op=ast.Mult(), right=ast.Call() as right):
            return left, right
        case ast.BinOp(left=ast.Call() as left, op=ast.Mult(), right=right):
            return right, left
        case ast.BinOp(left=ast.Call() as left, op=ast.Div(), right=right):
            return ast.BinOp(ONE, ast.Div(), right), left
    return ONE, node


def leaves(node: ast.expr, path: str = "") -> Iterator[tuple[str, ast.expr]]:
    """Yield every number of a density that names d, under the name to differentiate in."""
    if not varies(node):
        return
    match node:
        case ast.Call() as call if _family(call) == "mixture":
            for k, (weight, component) in enumerate(terms(call)):
                yield from leaves(weight, f"{path}weights[{k}]")
                yield from leaves(component, f"{path}components[{k}].")
        case ast.Call() as call:
            for name, value in arguments(call).items():
                inner = "." if isinstance(value, ast.Call) else ""
                yield from leaves(value, f"{path}{name}{inner}")
        case ast.Tuple(elts=items) | ast.List(elts=items):
            for k, item in enumerate(items):
                yield from leaves(item, f"{path}[{k}]")
        case _:
            yield path, node


def dual(node: ast.expr, d: Fraction) -> Dual:
    """Return a formula's exact value and derivative at one d.

    Raises:
        GantheoryError: where it has no rational value.
    """
    if not varies(node):
        value = number(node)
        if value is not None:
            return value, Fraction(0)
    match node:
        case ast.Name():
            return d, Fraction(1)
        case ast.UnaryOp(op=op, operand=operand):
            value, slope = dual(operand, d)
            return (-value, -slope) if isinstance(op, ast.USub) else (value, slope)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(dual(left, d), number(right), node)
        case ast.BinOp(left=left, op=op, right=right):
            return _arithmetic(op, dual(left, d), dual(right, d), node)
    raise GantheoryError(f"{ast.unparse(node)[:60]!r} is no number; use + - * / and whole powers")


def _power(base: Dual, exponent: Fraction | None, node: ast.expr) -> Dual:
    if exponent is None or exponent.denominator != 1 or (exponent <= 0 and not base[0]):
        raise GantheoryError(f"{ast.unparse(node)[:60]!r}: d may be raised to whole powers only")
    n = int(exponent)
    return base[0] ** n, n * base[0] ** (n - 1) * base[1]


def _arithmetic(op: ast.operator, left: Dual, right: Dual, node: ast.expr) -> Dual:
    (a, da), (b, db) = left, right
    match op:
        case ast.Add():
            return a + b, da + db
        case ast.Sub():
            return a - b, da - db
        case ast.Mult():
            return a * b, da * b + a * db
        case ast.Div() if b:
            return a / b, (da - a / b * db) / b
    raise GantheoryError(f"{ast.unparse(node)[:60]!r} divides by zero here; choose another d")
