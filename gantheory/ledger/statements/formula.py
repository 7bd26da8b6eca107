"""Comparisons of formulas in numbers that have intervals: derivatives, limits, signs, identities.

``diff(u, x)`` is a derivative, ``at(u, x, v)`` puts v in the place of x, and ``limit(u, x, v)``
is a limit from inside the interval of x. The text passes the whitelist parser.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product

import sympy as sp

from gantheory.deadline import Undecided, time_limit
from gantheory.derivations.difference import first_difference
from gantheory.errors import GantheoryError
from gantheory.exact.assumptions import Assumptions, end, positive_image
from gantheory.exact.limits import limit as limit_of
from gantheory.exact.signs import sign_on_positive
from gantheory.expressions import ELEMENTARY, Grammar, parse
from gantheory.formulas import RESERVED, interval
from gantheory.functions import r, sigmoid, softplus, to_sympy
from gantheory.records import How, Verdict
from gantheory.verify import decided

CALCULUS = {"diff": (2, 2), "at": (3, 3), "limit": (3, 3)}
GRAMMAR = Grammar(
    "formula", {**ELEMENTARY, **CALCULUS}, frozenset({"oo", "pi"}), parameters=True,
    comparisons=True, example="diff(x**2, x) = 2*x",
)  # fmt: skip
RELATIONS = {ast.LtE: "<=", ast.GtE: ">=", ast.Lt: "<", ast.Gt: ">", ast.Eq: "=="}
SECONDS = 10.0
# Relation -> the signs of left - right that meet it, and those that exclude it.
TRIALS = 400  # points at which a comparison of several numbers is tried
_RELATED: Mapping[str, Callable[[int], bool]] = {
    "<": lambda sign: sign < 0, "<=": lambda sign: sign <= 0, ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0, "==": lambda sign: sign == 0,
}  # fmt: skip
_MEETS = {
    "<": {"<0"}, "<=": {"<0", "<=0", "=0"}, ">": {">0"}, ">=": {">0", ">=0", "=0"},
}  # fmt: skip


@dataclass(frozen=True)
class Relation:
    """Two formulas in relation, in symbols with open intervals."""

    left: sp.Expr
    relation: str
    right: sp.Expr
    ranges: Mapping[sp.Symbol, tuple[sp.Expr, sp.Expr]]


def read_relation(text: str, where: Mapping[str, str]) -> Relation:
    """Parse a comparison; names without an interval are positive numbers.

    >>> read_relation("diff(log(1 - D), D) == -1/(1 - D)", {"D": "(0, 1)"}).left
    -1/(1 - D)
    """
    tree = parse(text, GRAMMAR)
    if not isinstance(tree, ast.Compare):
        raise GantheoryError(
            f"formula {text[:60]!r} compares nothing; write it like 'diff(log(D), D) == 1/D'"
        )
    reader = _Reader(where)
    left, right = reader.read(tree.left), reader.read(tree.comparators[0])
    if unused := sorted(set(where) - set(reader.symbols)):
        raise GantheoryError(f"{unused[0]!r} does not occur in the formula {text[:60]!r}")
    return Relation(left, RELATIONS[type(tree.ops[0])], right, reader.ranges)


class _Reader:
    """Turns a checked tree into a sympy expression, calculus carried out on the way."""

    def __init__(self, where: Mapping[str, str]) -> None:
        self.where = where
        self.symbols: dict[str, sp.Symbol] = {}
        self.ranges: dict[sp.Symbol, tuple[sp.Expr, sp.Expr]] = {}
        self.done: dict[str, sp.Expr] = {"oo": sp.oo, "pi": sp.pi}

    def read(self, node: ast.expr) -> sp.Expr:
        """Return the expression of a tree."""
        plain = _Calculus(self).visit(node)
        for name in (n.id for n in ast.walk(plain) if isinstance(n, ast.Name)):
            if name not in self.done and name not in ELEMENTARY:
                self.symbol(name)
        return to_sympy(plain, {**self.symbols, **self.done}, finite=False)

    def symbol(self, name: str) -> sp.Symbol:
        """Return the symbol of a name, its interval read once."""
        if name not in self.symbols:
            lower, upper = _open_interval(name, self.where.get(name, "(0, oo)"))
            symbol = sp.Symbol(name, positive=True) if lower >= 0 else sp.Symbol(name, real=True)
            self.symbols[name], self.ranges[symbol] = symbol, (lower, upper)
        return self.symbols[name]

    def carry_out(self, name: str, args: list[ast.expr]) -> sp.Expr:
        """Return a derivative, a substitution or a limit."""
        if not isinstance(args[1], ast.Name):
            raise GantheoryError(f"the second argument of {name} is a name, as in diff(u, x)")
        inner, x = self.read(args[0]), self.symbol(args[1].id)
        if name == "diff":
            return sp.diff(inner, x)
        value = self.read(args[2])
        return inner.subs(x, value) if name == "at" else self._limit(inner, x, value)

    def _limit(self, inner: sp.Expr, x: sp.Symbol, value: sp.Expr) -> sp.Expr:
        if value not in self.ranges[x]:
            raise GantheoryError(f"limit at {value}: {x} is confined to {self.ranges[x]}")
        turned, rising = _in_ratio(inner, x, self.ranges[x])
        at_end = value == self.ranges[x][1]
        point = sp.oo if at_end is rising else sp.S.Zero
        return limit_of(turned, r, point, -1 if point is sp.oo else 1, Assumptions())


def _open_interval(name: str, text: str) -> tuple[sp.Expr, sp.Expr]:
    """Return the ends of a name's interval, which must be open and not empty."""
    legal = interval(text)
    if legal.closed_lower or legal.closed_upper:
        raise GantheoryError(f"the interval of {name} is {text}; write an open one, as in (0, 1)")
    lower, upper = end(legal.lower, {}), end(legal.upper, {})
    if not (lower < upper) == True:  # noqa: E712 (sympy answers with its own truth)
        raise GantheoryError(f"the interval {text} of {name} is empty, or its ends are no numbers")
    return lower, upper


class _Calculus(ast.NodeTransformer):
    """Replaces each call of calculus by a name that stands for its result."""

    def __init__(self, reader: _Reader) -> None:
        self.reader = reader

    def visit_Call(self, node: ast.Call) -> ast.expr:
        assert isinstance(node.func, ast.Name)
        if node.func.id not in CALCULUS:
            self.generic_visit(node)
            return node
        name = f"_{len(self.reader.done)}"
        self.reader.done[name] = self.reader.carry_out(node.func.id, node.args)
        return ast.Name(name, ast.Load())


def _in_ratio(expr: sp.Expr, x: sp.Symbol, bounds: tuple[sp.Expr, sp.Expr]) -> tuple[sp.Expr, bool]:
    """Write an expression in r > 0 in the place of x; also whether x rises with r."""
    image = positive_image(x, *bounds)
    if image is None:
        turned, rising = expr.subs(x, sp.log(r)), True
    else:
        (free,) = image.free_symbols
        turned, rising = expr.subs(x, image.subs(free, r)), bounds[0] != -sp.oo
    plain = turned.rewrite(softplus, sp.log).rewrite(sigmoid, sp.exp)
    return plain.replace(sp.log, lambda u: sp.log(sp.together(u))), rising


def decide_formula(text: str, where: Mapping[str, str], statement: str = "") -> Verdict:
    """Decide a comparison for all numbers in the intervals.

    >>> decide_formula("limit(diff(log(1 - D), D), D, 0) == 0", {"D": "(0, 1)"}).counterexample
    'the left side is -1, the right side is 0'
    >>> str(decide_formula("1 - D > D", {"D": "(0, 1/2)"}).how)
    'proved'
    """
    claim = statement or text
    try:
        with time_limit(SECONDS):
            found = read_relation(text, where)
            return _decide(found, claim)
    except Undecided as reason:
        return Verdict(claim, How.UNDECIDED, reason=str(reason))


def _decide(relation: Relation, claim: str) -> Verdict:
    sides = str(relation.left), str(relation.right)
    if relation.left.has(sp.zoo, sp.nan) or relation.right.has(sp.zoo, sp.nan):
        raise GantheoryError(f"{claim[:60]!r} has no value there; write a limit")
    if relation.left.is_infinite or relation.right.is_infinite:
        holds = bool(sp.Rel(relation.left, relation.right, relation.relation))
        return decided(claim, holds, _both(sides))
    difference, main, others = _one_ratio(relation)
    if relation.relation == "==":
        return _decide_identity(relation, difference, others, claim)
    sign = sign_on_positive(difference, r, intervals=dict(others.ranges))
    if sign.sign in _MEETS[relation.relation]:
        return Verdict(claim, sign.how, *sides, reason=sign.reason)
    place = failing_numbers(relation)
    loose = {">=0": ">", "<=0": "<"}.get(sign.sign) == relation.relation  # it may touch 0 nowhere
    if place is None and (sign.sign == "undecided" or loose):
        return Verdict(claim, How.UNDECIDED, *sides, reason=sign.reason)
    if not difference.free_symbols:
        return decided(claim, False, _both(sides))
    if place is None:
        place = f"left − right is {sign.sign}" + (
            "" if sign.counterexample is None else _place(main, sign.counterexample)
        )
    return decided(claim, False, place)


def failing_numbers(relation: Relation) -> str | None:
    """Return numbers in the intervals, to 40 digits, for which a comparison fails."""
    for point, value in _values(relation):
        sign = _sign(value)
        if sign is not None and not _RELATED[relation.relation](sign):
            where = ", ".join(f"{name} = {x}" for name, x in point.items())
            return f"left − right is {sp.N(value, 6)}" + (f" at {where}" if where else "")
    return None


def _values(relation: Relation) -> Iterator[tuple[dict[sp.Symbol, sp.Expr], sp.Expr]]:
    """Yield points of the intervals, with left − right at each, exactly."""
    difference = relation.left - relation.right
    symbols = sorted(difference.free_symbols, key=str)
    grids = [_grid(*relation.ranges[symbol]) for symbol in symbols]
    for numbers in islice(product(*grids), TRIALS):
        point = dict(zip(symbols, numbers, strict=True))
        yield point, difference.subs(point)


def _signs(relation: Relation) -> Iterator[int | None]:
    """Yield the sign of left − right at each point; None where it is not real."""
    for _, value in islice(_values(relation), 25):
        yield _sign(value)


def _grid(lower: sp.Expr, upper: sp.Expr) -> list[sp.Expr]:
    if lower == -sp.oo and upper == sp.oo:
        return [sp.Rational(k, 6) for k in (6, -6, 0, 2, -15, 24)]
    if upper == sp.oo or lower == -sp.oo:
        steps = [sp.Rational(k, 20) for k in (20, 7, 40, 140, 1)]
        return [lower + k if upper == sp.oo else upper - k for k in steps]
    return [lower + (upper - lower) * sp.Rational(k, 12) for k in (6, 1, 4, 11, 9)]


def _sign(value: sp.Expr) -> int | None:
    """Return the sign of a constant; None where it is not real, or not known."""
    number = sp.N(value, 40)
    if not (number.is_Float or number.is_Rational) or not number.is_finite:
        return None
    if abs(number) > sp.Float("1e-25"):
        return 1 if number > 0 else -1
    return 0 if sp.simplify(value) == 0 else None


def _both(sides: tuple[str, str]) -> str:
    return f"the left side is {sides[0]}, the right side is {sides[1]}"


def _place(main: tuple[str, sp.Expr] | None, ratio: sp.Expr) -> str:
    if main is None:
        return ""
    name, image = main
    return f" at {name} = {sp.nsimplify(image.subs(r, ratio)) if image != r else ratio}"


def _one_ratio(
    relation: Relation,
) -> tuple[sp.Expr, tuple[str, sp.Expr] | None, Assumptions]:
    """Return left − right with one of its names written as a function of r, and the others."""
    difference = relation.left - relation.right
    used = sorted(difference.free_symbols, key=lambda s: (str(s) not in RESERVED, str(s)))
    if not used:
        return difference, None, Assumptions()
    first, *rest = used
    image, _ = _in_ratio(first, first, relation.ranges[first])
    turned, _ = _in_ratio(difference, first, relation.ranges[first])
    names = {symbol: f"{symbol}_" if str(symbol) in RESERVED else str(symbol) for symbol in rest}
    ranges = {name: "({}, {})".format(*relation.ranges[symbol]) for symbol, name in names.items()}
    others = Assumptions.of(ranges)
    return (
        turned.subs({s: others.symbols[name] for s, name in names.items()}),
        (str(first), image),
        others,
    )


def _decide_identity(
    relation: Relation, difference: sp.Expr, others: Assumptions, claim: str
) -> Verdict:
    sides = str(relation.left), str(relation.right)
    try:
        where = first_difference(difference, others)
    except Undecided as reason:
        place = failing_numbers(relation)
        if place is not None:
            return decided(claim, False, place)
        opened = sp.expand_log(difference)
        if sp.simplify(opened) != 0 or not all(sign == 0 for sign in _signs(relation)):
            return Verdict(claim, How.UNDECIDED, *sides, reason=str(reason))
        where = None
    if where is None:
        return Verdict(claim, How.PROVED, *sides)
    if not difference.free_symbols:
        return decided(claim, False, _both(sides))
    apart = f"the two sides differ by {float(where[1].mid()):.6g} for some numbers"
    return decided(claim, False, failing_numbers(relation) or apart)
