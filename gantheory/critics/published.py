"""What publications say of a critic's value, read as a formula and held against what is derived."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import sympy as sp

from gantheory.critics.record import judge_claim
from gantheory.critics.suprema import DENSITIES, F_p, F_q, mu, p, q
from gantheory.derivations.exposition import Step
from gantheory.divergences import DIVERGENCES
from gantheory.errors import GantheoryError
from gantheory.exact.assumptions import Assumptions
from gantheory.expressions import ELEMENTARY, ONE, Grammar, number, parse
from gantheory.functions import r, relu, to_sympy
from gantheory.losses.critic import Critic
from gantheory.records import How, Verdict
from gantheory.theory.branches import generator_formula
from gantheory.theory.curvature import algebra_of

NAMES = {**DENSITIES, "F_p": F_p, "F_q": F_q}
# Heights of p, q and mu, or of F_p, F_q and mu, on a cell of length 1.
CELLS = [
    tuple(map(sp.Rational, cell))
    for cell in (("1/3", "3/4", "1"), ("4/5", "1/10", "1/2"), ("1/2", "1/5", "1"))
]


@dataclass(frozen=True)
class Total:
    """constant + ∫ integrand, or constant + its root; the integrand in densities or in cdfs."""

    integrand: sp.Expr
    constant: sp.Expr = sp.S.Zero
    root: bool = False

    def scaled(self, factor: sp.Expr) -> Total:
        """Return a multiple."""
        inner = factor**2 if self.root else factor
        return replace(self, integrand=inner * self.integrand, constant=factor * self.constant)

    def on_cells(self, cell: tuple[sp.Expr, ...]) -> sp.Expr:
        """Return the value for two laws with these heights on one cell of length 1.

        In densities the laws have a second cell with the rest of their mass; in cdfs they are
        points at both ends of the cell.
        """
        total = self.integrand.xreplace(_heights(self.integrand, *cell))
        if not self.integrand.has(F_p, F_q):
            rest = (1 - cell[0], 1 - cell[1], cell[2])
            total += self.integrand.xreplace(_heights(self.integrand, *rest))
        return self.constant + (sp.sqrt(total) if self.root else total)


def _heights(
    integrand: sp.Expr, first: sp.Expr, second: sp.Expr, law: sp.Expr
) -> dict[sp.Expr, sp.Expr]:
    names = (F_p, F_q) if integrand.has(F_p, F_q) else (p, q)
    return {names[0]: first, names[1]: second, mu: law}


def read_value(text: str) -> Total:
    """Return a published value as an integral.

    >>> read_value("sqrt(2*triangular)").integrand.subs({p: 3, q: 1})
    2
    """
    names = frozenset({*NAMES, *DIVERGENCES, "w1"})
    return _read(parse(text, Grammar("value", {**ELEMENTARY, "integral": ONE}, names)), text)


def _read(node: ast.expr, text: str) -> Total:
    constant = number(node)
    if constant is not None:
        return Total(sp.S.Zero, sp.Rational(constant.numerator, constant.denominator))
    match node:
        case ast.Name(id="w1"):
            return Total(sp.Abs(F_p - F_q))
        case ast.Name(id=name) if name in DIVERGENCES:
            return Total(q * _opened(generator_formula(DIVERGENCES[name])).xreplace({r: p / q}))
        case ast.Call(func=ast.Name(id="integral"), args=[inner]):
            return Total(_opened(to_sympy(inner, NAMES)))
        case ast.Call(func=ast.Name(id="log")):
            return Total(sp.S.Zero, to_sympy(node, {}))
        case ast.Call(func=ast.Name(id="sqrt"), args=[inner]):
            found = _read(inner, text)
            if not found.root and found.constant == 0:
                return replace(found, root=True)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _read(operand, text).scaled(sp.Integer(-1))
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as op, right=right):
            sides = _read(left, text), _read(right, text)
            if isinstance(op, ast.Mult) and sides[0].integrand == 0:
                return sides[1].scaled(sides[0].constant)
            if sides[1].integrand == 0:
                factor = sides[1].constant
                return sides[0].scaled(factor if isinstance(op, ast.Mult) else 1 / factor)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
            one, other = _read(left, text), _read(right, text)
            other = other.scaled(sp.Integer(-1)) if isinstance(op, ast.Sub) else other
            roots = one.root or other.root
            if not roots or 0 in (one.integrand, other.integrand):
                total = one.constant + other.constant
                return Total(one.integrand + other.integrand, total, roots)
    raise GantheoryError(f"value {text[:60]!r} is not read: write sums of integrals, or one root")


def total_of(terms: Mapping[str, sp.Expr], constant: sp.Expr) -> Total:
    """Return a combination of named divergences as a total."""
    found = Total(sp.S.Zero, constant)
    for name, factor in terms.items():
        named = read_value(name).scaled(factor)
        found = replace(found, integrand=found.integrand + named.integrand)
    return found


def _opened(expr: sp.Expr) -> sp.Expr:
    """Return an expression whose kinks are absolute values."""
    return expr.replace(relu, lambda u: (u + sp.Abs(u)) / 2)


def is_same(one: Total, other: Total) -> bool:
    """Return whether two totals are equal by exact algebra for all laws.

    Integrands may differ by a multiple of p − q, whose integral is 0.
    """
    if one.root != other.root or sp.simplify(one.constant - other.constant) != 0:
        return False
    difference = one.integrand - other.integrand
    f = sp.simplify(difference.xreplace({p: r * q}) / q)
    if difference.has(F_p, F_q, mu) or f.has(q):
        return bool(sp.simplify(difference) == 0)
    algebra = algebra_of((sp.S.Zero, sp.oo), Assumptions())
    return bool(sp.simplify(f.subs(r, 1)) == 0) and algebra.is_zero(sp.diff(f, r, 2))


def difference_of(one: Total, other: Total) -> str | None:
    """Return two laws for which the totals differ."""
    for cell in CELLS:
        sides = [total.on_cells(cell) for total in (one, other)]
        if any(side.free_symbols for side in sides):
            return None
        left, right = (sp.N(side, 20) for side in sides)
        if abs(left - right) > sp.Float("1e-12"):
            where = "F_p = {}, F_q = {}, mu = {}" if _in_cdfs(one) else "p = {}, q = {}, mu = {}"
            shown = where.format(*cell)
            return f"with {shown} on a cell of length 1 it is {left:.6g}, not {right:.6g}"
    return None


def _in_cdfs(total: Total) -> bool:
    return bool(total.integrand.has(F_p, F_q))


def judge_value(
    loss: Critic, total: Total, derived: str, steps: Iterable[Step]
) -> tuple[Verdict, ...]:
    """Judge the published value of a critic against the total that was derived."""
    if not loss.claims or loss.claims[0].value is None:
        return ()
    claimed = read_value(loss.claims[0].value)
    if is_same(total, claimed):
        return judge_claim(loss, True, derived, steps)
    witness = difference_of(total, claimed)
    if witness is None:
        reason = f"neither algebra nor an example tells {loss.claims[0].value} from {derived}"
        statement = f"{loss.claims[0].source}: the value is {loss.claims[0].value}"
        return (Verdict(statement, How.UNDECIDED, reason=reason),)
    return judge_claim(loss, False, derived, steps, witness)
