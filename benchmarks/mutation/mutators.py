"""The small changes of a result: each takes one node of the syntax tree and returns its variants.

A variant is text that replaces the node's own text. Words, annotations and decorators are left
alone: what is planted is an error of mathematics or of control, never of spelling.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator

Variant = tuple[str, str]  # (kind of the change, new text)

ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
ARITHMETIC |= {ast.FloorDiv: ast.Mult, ast.Pow: ast.Mult}
COMPARISONS = {ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt}
COMPARISONS |= {ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is}
COMPARISONS |= {ast.In: ast.NotIn, ast.NotIn: ast.In}
EDGES = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
TWINS = (
    ("min", "max"),
    ("minimum", "maximum"),
    ("fmin", "fmax"),
    ("Min", "Max"),
    ("any", "all"),
    ("log1p", "log"),
    ("expm1", "exp"),
    ("floor", "ceil"),
    ("argmin", "argmax"),
    ("lower", "upper"),
)
TWIN = {a: b for pair in TWINS for a, b in (pair, pair[::-1])}
BOUNDS = ("error", "bound", "slack", "tolerance", "allow", "half_width", "width", "radius", "atol")


def text(node: ast.AST) -> str:
    """Return the source of an expression, safe to stand anywhere."""
    plain = (ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.Subscript, ast.stmt)
    return ast.unparse(node) if isinstance(node, plain) else f"({ast.unparse(node)})"


def changed(node: ast.AST, **fields: object) -> str:
    """Return the source of ``node`` with other fields."""
    twin = copy.copy(node)
    for name, value in fields.items():
        setattr(twin, name, value)
    return text(twin)


def arithmetic(node: ast.AST) -> Iterator[Variant]:
    """+ for −, · for /, a sign dropped, the operands exchanged."""
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC and is_number(node):
        yield "arithmetic", changed(node, op=ARITHMETIC[type(node.op)]())
        if isinstance(node.op, ast.Sub | ast.Div | ast.Pow | ast.MatMult):
            yield "exchanged", changed(node, left=node.right, right=node.left)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        yield "sign" if isinstance(node.op, ast.USub) else "condition", text(node.operand)
    if isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
        yield "arithmetic", changed(node, op=ARITHMETIC[type(node.op)]())


def is_number(node: ast.BinOp) -> bool:
    """Tell whether neither side is visibly a text or a sequence."""
    words = (ast.JoinedStr, ast.List, ast.Tuple, ast.ListComp, ast.Dict)
    return not any(
        isinstance(part, words) or (isinstance(part, ast.Constant) and isinstance(part.value, str))
        for side in (node.left, node.right)
        for part in ast.walk(side)
        if not isinstance(side, ast.Call | ast.Subscript)
    )


def constants(node: ast.AST) -> Iterator[Variant]:
    """A number times 1.01, 2 or 1000; an index or a count off by one; True for False."""
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield "constant", repr(not value)
    elif isinstance(value, int):
        yield "constant", repr(value + 1)
        yield "constant", repr(2 * value if value > 1 else value - 1 if value == 1 else -1)
    elif isinstance(value, float):
        for factor in (1.01, 2.0, 1000.0):
            yield "constant", repr(value * factor) if value else "0.01"


def comparisons(node: ast.AST) -> Iterator[Variant]:
    """A comparison negated, or its edge taken in or out where it is against an integer."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        operator = type(node.ops[0])
        yield "comparison", changed(node, ops=[COMPARISONS[operator]()])
        against = node.comparators[0]
        whole = isinstance(against, ast.Constant) and type(against.value) is int
        if operator in EDGES and whole:
            yield "comparison", changed(node, ops=[EDGES[operator]()])


def conditions(node: ast.AST) -> Iterator[Variant]:
    """``and`` for ``or``, one side dropped; a condition forced; a filter of a loop taken out."""
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "condition", changed(node, op=other)
        for index in range(len(node.values)):
            rest = node.values[:index] + node.values[index + 1 :]
            yield "condition", changed(node, values=rest) if rest[1:] else text(rest[0])


def tests(node: ast.AST) -> Iterator[Variant]:
    """The test of an ``if`` (statement, expression or filter), forced either way."""
    yield "condition", "True"
    yield "condition", "False"


def calls(node: ast.AST) -> Iterator[Variant]:
    """min for max and their like; the first two arguments exchanged; a bound dropped to 0."""
    if not isinstance(node, ast.Call):
        return
    function = node.func
    if isinstance(function, ast.Name) and function.id in TWIN:
        yield "twin", changed(node, func=ast.Name(TWIN[function.id]))
    if isinstance(function, ast.Attribute) and function.attr in TWIN and node.args:
        yield "twin", changed(node, func=ast.Attribute(function.value, TWIN[function.attr]))
    if len(node.args) > 1 and not any(isinstance(a, ast.Starred) for a in node.args[:2]):
        first, second, *rest = node.args
        if alike(first, second) and not is_check(function):
            yield "exchanged", changed(node, args=[second, first, *rest])
    for index, keyword in enumerate(node.keywords):
        if keyword.arg and any(word in keyword.arg for word in BOUNDS) and constant_free(keyword):
            zero = ast.keyword(keyword.arg, nothing(keyword.value))
            keywords = [*node.keywords[:index], zero, *node.keywords[index + 1 :]]
            yield "bound", changed(node, keywords=keywords)


def alike(first: ast.expr, second: ast.expr) -> bool:
    """Tell whether two arguments differ, and not plainly in kind, which would only crash."""
    words = (ast.JoinedStr, ast.List, ast.Tuple, ast.Lambda, ast.GeneratorExp, ast.Dict)
    kinds = [
        type(part) if isinstance(part, words) else getattr(part, "value", None).__class__ is str
        for part in (first, second)
    ]
    return kinds[0] == kinds[1] and ast.dump(first) != ast.dump(second)


def is_check(function: ast.expr) -> bool:
    """Tell whether exchanging the arguments would only crash, or change nothing."""
    free = {"isinstance", "getattr", "hasattr", "setattr", "issubclass", "cast", "field", "replace"}
    free |= {"min", "max", "Min", "Max", "minimum", "maximum", "fmin", "fmax", "logaddexp", "hypot"}
    free |= {"Add", "Mul", "isclose", "gcd", "Symbol", "And", "Or", "zip", "array_equal", "option"}
    return getattr(function, "id", getattr(function, "attr", "")) in free


def constant_free(keyword: ast.keyword) -> bool:
    """Tell whether a keyword's value is computed (constants have changes of their own)."""
    return not isinstance(keyword.value, ast.Constant)


def nothing(value: ast.expr) -> ast.expr:
    """Return 0 in the shape of ``value``."""
    return ast.BinOp(ast.Constant(0), ast.Mult(), value)


def statements(node: ast.AST) -> Iterator[Variant]:
    """A statement, a refusal or a correction left out."""
    kinds = (ast.Raise, ast.AugAssign, ast.Continue, ast.Break)
    effect = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    if isinstance(node, kinds) or effect or (isinstance(node, ast.Assign) and corrects(node)):
        yield "left out", "pass"


def corrects(node: ast.Assign) -> bool:
    """Tell whether an assignment changes what already has a value, so that it can be left out."""
    target = node.targets[0]
    if isinstance(target, ast.Subscript):
        return True
    names = {part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)}
    return isinstance(target, ast.Name) and target.id in names


def results(node: ast.AST, returns: str) -> Iterator[Variant]:
    """What a function returns: a number dropped to 0 or doubled, a truth turned round."""
    if not isinstance(node, ast.Return) or node.value is None:
        return
    value = ast.unparse(node.value)
    if returns == "bool":
        yield "returned", f"return not ({value})"
    elif value in ("float('nan')", "math.nan", "np.nan"):
        yield "returned", "return 0.0"  # twice, or less than, no number is none either
    elif returns in ("float", "int", "Array", "np.ndarray", "ndarray", "arb", "Tensor", "Expr"):
        yield "returned", f"return 0 * ({value})"
        yield "returned", f"return 2 * ({value})"
        yield "returned", f"return -({value})"


EVERYWHERE: tuple[Callable[[ast.AST], Iterator[Variant]], ...] = (
    arithmetic,
    constants,
    comparisons,
    conditions,
    calls,
    statements,
)
