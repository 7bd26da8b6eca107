"""The whitelist parser: text from users becomes a checked syntax tree, and nothing is evaluated.

Every text that a person types (payoffs, densities, inequalities, games) passes through `parse`.
It accepts ASCII only, bounds length, depth, numbers and powers, and admits only the functions,
names and node types of a `Grammar`. What comes out is an `ast.expr` that translators walk
(`gantheory.functions.to_sympy`, `gantheory.densities.text`); none of them evaluates text.
"""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from gantheory.errors import GantheoryError, require_type, unknown_name

MAX_DEPTH = 40  # nested brackets or operators; a chain a + b + c counts once
MAX_POWER = 64  # absolute value of a numeric exponent, and degree of nested powers
MAX_DIGITS = 40  # of one number
MAX_ROOT = 10**6  # of the denominator of a numeric exponent: a decimal with six digits

_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
_COMPARISONS = (ast.LtE, ast.GtE, ast.Lt, ast.Gt, ast.Eq)


@dataclass(frozen=True)
class Grammar:
    """What one kind of text may contain.

    Attributes:
        kind: the noun for messages, e.g. ``"payoff"``.
        functions: name -> (least, most) number of arguments.
        names: the names that stand for something fixed.
        parameters: whether further identifiers are admitted as free parameters.
        keywords: whether calls may have keyword arguments.
        tuples: whether tuples and lists of expressions are admitted.
        comparisons: whether the whole text may be one comparison.
        means: whether E[...], a mean over random names, is admitted.
        length: the longest text in characters.
        example: a text to write it like, for messages.
    """

    kind: str
    functions: Mapping[str, tuple[int, int]]
    names: frozenset[str] = frozenset()
    parameters: bool = False
    keywords: bool = False
    tuples: bool = False
    comparisons: bool = False
    means: bool = False
    length: int = 1000  # a catalogue payoff has at most 60
    example: str = "0.5"


ONE = (1, 1)
ELEMENTARY: Mapping[str, tuple[int, int]] = {
    "log": ONE, "exp": ONE, "sqrt": ONE, "abs": ONE, "max": (2, 8), "min": (2, 8),
    "relu": ONE, "softplus": ONE, "sigmoid": ONE, "tanh": ONE, "atan": ONE,
}  # fmt: skip
MEAN = "E"  # E[relu(m - t)] is the mean over a random m
CHOICE = "where"  # where(t > 0, then, otherwise): its first argument compares two expressions


# as PDFs and word processors have them
_GREEK = {
    "\u03b1": "alpha", "\u03b2": "beta", "\u03b3": "gamma", "\u03b4": "delta", "\u03b5": "epsilon",
    "\u03b7": "eta", "\u03b8": "theta", "\u03bb": "lam", "\u03bc": "mu", "\u03c0": "pi",
    "\u03c1": "rho", "\u03c3": "sigma", "\u03c4": "tau", "\u03c9": "omega",
}  # fmt: skip
_TYPESET = str.maketrans({"\u2212": "-", "\u2013": "-", "\u00b7": "*", "\u00d7": "*", **_GREEK})
_MEAN_OVER = re.compile(r"\bE_[pq]\s*$")
_LN = re.compile(r"\bln(?=\s*\()")
_LAMBDA = re.compile(r"\blambda\b(?![^()]*:)")  # a parameter of losses, and no function
AVERAGES = frozenset({"mean", "sum", "average"})  # what code takes of a batch


def parse(text: str, grammar: Grammar) -> ast.expr:
    """Return the checked syntax tree of ``text``.

    Raises:
        GantheoryError: one clear line, for anything that ``grammar`` does not admit.

    ``ln`` is log, ``^`` is a power, a typeset minus or product sign is what it looks like, a Greek
    letter is its name, and that of lambda is ``lam``.

    >>> parse("ln(D)", Grammar("payoff", ELEMENTARY, frozenset({"D"}))).func.id
    'log'
    """
    require_type(grammar.kind, text, str, f"text like {grammar.example!r}")
    text = text.translate(_TYPESET)
    shown = _shown(text)
    _check_text(text, shown, grammar)
    text = _LAMBDA.sub("lam", _LN.sub("log", _called(text))).replace("^", "**")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(text.strip(), mode="eval").body
        _Checker(grammar, shown).check(tree)
    except GantheoryError:
        raise
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise GantheoryError(
            f"malformed {grammar.kind} {shown}; write it like {grammar.example!r}, with * for "
            "products"
        ) from None
    return tree


def _called(text: str) -> str:
    """Return a text in which a mean over a law, E_p[log(D)], is a call."""
    found, closing = list(text), []
    for place, character in enumerate(text):
        if character == "[":
            mean = _MEAN_OVER.search(text, 0, place)
            closing.append(")" if mean else "]")
            found[place] = "(" if mean else "["
        elif character == "]" and closing:
            found[place] = closing.pop()
    return "".join(found)


def number(node: ast.expr) -> Fraction | None:
    """Return the exact rational value of a numeric subtree, or None where it has names.

    Decimal literals are exact: ``0.3`` is 3/10. The tree must have passed `parse`.
    """
    match node:
        case ast.Constant(value=int() | float() as value):
            return Fraction(repr(value))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = number(operand)
            return None if inner is None else -inner
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return number(operand)
        case ast.BinOp(left=left, op=op, right=right):
            return _arithmetic(op, number(left), number(right))
    return None


def _arithmetic(op: ast.operator, a: Fraction | None, b: Fraction | None) -> Fraction | None:
    if a is None or b is None:
        return None
    match op:
        case ast.Add():
            return a + b
        case ast.Sub():
            return a - b
        case ast.Mult():
            return a * b
        case ast.Div():
            return a / b if b else None
        case ast.Pow() if b.denominator == 1 and abs(b) <= MAX_POWER and (a or b >= 0):
            return a ** int(b)
    return None


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 60 else text[:57] + "...")


def _check_text(text: str, shown: str, grammar: Grammar) -> None:
    if not text.strip():
        raise GantheoryError(f"empty {grammar.kind}; write an expression such as 'log(1 - D)'")
    if len(text) > grammar.length:
        raise GantheoryError(
            f"{grammar.kind} {shown} has {len(text)} characters; the limit is {grammar.length}"
        )
    if not text.isascii() or not text.isprintable():
        raise GantheoryError(f"{grammar.kind} {shown} has a character outside plain ASCII")
    depth = deepest = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise GantheoryError(f"{grammar.kind} {shown} nests deeper than {MAX_DEPTH} brackets")
    for digits in re.findall(r"[0-9._]+(?:[eE][+-]?[0-9]+)?", text):
        exponent = re.search(r"[eE]([+-]?[0-9]+)", digits)
        if len(digits) > MAX_DIGITS or (exponent and abs(int(exponent[1])) > 300):
            raise GantheoryError(
                f"number {digits[:20]} in {grammar.kind} {shown} is too long or too large"
            )
        if not _is_kept(digits):
            raise GantheoryError(
                f"number {digits[:40]} in {grammar.kind} {shown} has more digits than a decimal "
                "keeps; write it as a fraction of integers"
            )


def _is_kept(digits: str) -> bool:
    """Return whether a decimal literal survives the syntax tree, which holds a double."""
    try:
        return "." not in digits or Fraction(digits) == Fraction(repr(float(digits)))
    except ValueError:  # not a number: a name with digits, or what the syntax check refuses
        return True


class _Checker:
    """One walk over a tree, refusing whatever the grammar does not admit."""

    def __init__(self, grammar: Grammar, shown: str) -> None:
        self.grammar = grammar
        self.where = f"{grammar.kind} {shown}"

    def check(self, tree: ast.expr) -> None:
        if self.grammar.comparisons and isinstance(tree, ast.Compare):
            if len(tree.ops) != 1 or not isinstance(tree.ops[0], _COMPARISONS):
                raise GantheoryError(f"{self.where}: compare two sides, as in 'jsd <= log(2)'")
            sides = [tree.left, tree.comparators[0]]
        else:
            sides = [tree]
        for side in sides:
            self.visit(side, 0)

    def visit(self, node: ast.expr, depth: int) -> int:
        """Check ``node`` and return a bound on its degree as nested powers count it."""
        if depth > MAX_DEPTH:
            raise GantheoryError(f"{self.where} nests deeper than {MAX_DEPTH} operations")
        match node:
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int() | float() as value) if math.isfinite(value):
                return 0
            case ast.Name(id=name):
                return self.name(name)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                return self.visit(operand, depth + 1)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self.power(left, right, depth)
            case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _OPERATORS):
                degrees = self.visit(left, depth), self.visit(right, depth + 1)
                if isinstance(op, ast.Div) and number(right) == 0:
                    raise GantheoryError(f"{self.where} divides by zero")
                return self.bounded(sum(degrees) if isinstance(op, ast.Mult) else max(degrees))
            case ast.Call():
                return self.call(node, depth)
            case ast.Subscript(value=ast.Name(id=name), slice=inner) if name == MEAN:
                if not self.grammar.means:
                    raise GantheoryError(
                        f"{self.where}: E[...] is a mean over a random name whose law is declared, "
                        "as in E[relu(m - t)] with the law m=uniform(0.8, 1)"
                    )
                return self.visit(inner, depth + 1)
            case ast.Tuple(elts=items) | ast.List(elts=items) if self.grammar.tuples:
                return max((self.visit(item, depth + 1) for item in items), default=0)
        raise GantheoryError(
            f"{self.where} contains {type(node).__name__.lower()!r}, which is not arithmetic; "
            "use numbers, names, + - * / ** and known functions"
        )

    def name(self, name: str) -> int:
        known = self.grammar.names
        if name in known:
            return 1
        admitted = self.grammar.parameters and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,30}", name)
        if not admitted or "__" in name or name in self.grammar.functions:
            raise unknown_name(f"name in {self.where}:", name, known)
        return 0

    def power(self, base: ast.expr, exponent: ast.expr, depth: int) -> int:
        self.visit(exponent, depth + 1)
        degree = self.visit(base, depth + 1)
        value = number(exponent)
        if value is None:
            return max(degree, 1)
        if abs(value) > MAX_POWER:
            raise GantheoryError(f"{self.where} has an exponent beyond {MAX_POWER}")
        if value.denominator > MAX_ROOT:
            raise GantheoryError(f"{self.where} has an exponent over more than {MAX_ROOT}")
        if number(base) == 0 and value < 0:
            raise GantheoryError(f"{self.where} divides by zero")
        inner = degree if number(base) is None else self.size(base)
        return self.bounded(max(inner, 1) * max(1, math.ceil(abs(value))))

    def size(self, base: ast.expr) -> int:
        """Return how many 40-digit numbers fit into an exact numeric base: its cost as a power."""
        value = number(base) or Fraction(1)
        return max(value.numerator.bit_length(), value.denominator.bit_length()) // 133

    def bounded(self, degree: int) -> int:
        if degree > MAX_POWER:
            raise GantheoryError(f"{self.where} has powers that multiply beyond {MAX_POWER}")
        return degree

    def call(self, node: ast.Call, depth: int) -> int:
        functions = self.grammar.functions
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if called in AVERAGES and called not in functions:
            raise GantheoryError(
                f"{self.where}: leave {called}() out and write what one sample gives, as in "
                f"{self.grammar.example!r}"
            )
        if isinstance(node.func, ast.Attribute) and node.func.attr in functions:
            raise GantheoryError(f"{self.where}: write {node.func.attr}(...) without a module")
        if not isinstance(node.func, ast.Name):
            raise GantheoryError(f"{self.where} calls something that is not a known function")
        if node.func.id in self.grammar.names:
            raise GantheoryError(
                f"{self.where}: {node.func.id} stands for a number; write {node.func.id} alone, "
                "without arguments, and * for products"
            )
        if node.func.id not in functions:
            raise unknown_name(f"function in {self.where}:", node.func.id, functions)
        if node.keywords and not self.grammar.keywords:
            raise GantheoryError(f"{self.where}: {node.func.id} takes no keyword arguments")
        if any(keyword.arg is None for keyword in node.keywords):
            raise GantheoryError(f"{self.where}: {node.func.id} takes no ** arguments")
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        least, most = functions[node.func.id]
        if not least <= len(arguments) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise GantheoryError(
                f"{self.where}: {node.func.id} takes {wanted} argument(s), got {len(arguments)}"
            )
        if node.func.id == CHOICE:
            arguments = [*self.sides(arguments[0]), *arguments[1:]]
        return max((self.visit(argument, depth + 1) for argument in arguments), default=0)

    def sides(self, condition: ast.expr) -> list[ast.expr]:
        """Return the two sides of the one comparison that a condition may be."""
        match condition:
            case ast.Compare(left=left, ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE()]):
                return [left, condition.comparators[0]]
        raise GantheoryError(
            f"{self.where}: the condition of where compares two sides, as in where(t > 0, t, 0)"
        )


def greater(condition: ast.Compare) -> tuple[ast.expr, ast.expr, bool]:
    """Return (u, v, strict) of a checked condition that says u > v, or u >= v.

    >>> greater(ast.parse("t <= 1", mode="eval").body)[2]
    False
    """
    left, right, op = condition.left, condition.comparators[0], condition.ops[0]
    if isinstance(op, ast.Lt | ast.LtE):
        left, right = right, left
    return left, right, isinstance(op, ast.Lt | ast.Gt)
