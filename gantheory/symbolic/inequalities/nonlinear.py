r"""Statements that are not linear in the divergences, such as Pinsker's ``tv**2 <= kl_pq/2``.

They are not pointwise. Where the margin is concave in the divergences its region is convex, so
that pairs of laws on two points decide it (Harremoës and Vajda, 2011, arXiv:1007.0097): the vector
of divergences of any pair is an average of vectors of such pairs. With P = (p, 1 − p),
Q = (q, 1 − q) and p > q without loss of generality, the margin or one of its first two derivatives
is then a rational function on a triangle, whose sign is decided by exact algebra.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import product

import sympy as sp
from flint import fmpq

from gantheory.records import How
from gantheory.symbolic.inequalities.bounds import (
    certificate_by_bounds,
    certificate_by_jensen,
    largest,
)
from gantheory.symbolic.inequalities.linear import Decision
from gantheory.symbolic.inequalities.pairs import certificate
from gantheory.symbolic.inequalities.search import counterexample
from gantheory.symbolic.inequalities.statements import Statement
from gantheory.symbolic.inequalities.twopoint import evaluate, grids, laws_of
from gantheory.symbolic.inequalities.values import is_nonnegative_between
from gantheory.symbolic.signs import sign_on_positive
from gantheory.symbolic.signs.balls import NoEnclosure
from gantheory.symbolic.signs.logforms import NotALogForm


def decide_nonlinear(statement: Statement, seconds: float) -> Decision:
    """Decide a statement about several divergences by laws on two points, or on a few."""
    levels = list(grids())
    found = _refute(statement, levels[0], time.monotonic() + seconds)
    found = found or _searched(statement, seconds, points=(2,), starts=1)
    decision = found or _prove(statement)
    if decision.how is not How.UNDECIDED:
        return decision
    found = _searched(statement, seconds, points=(2, 3, 4), starts=3)
    return found or _refute(statement, levels[2], time.monotonic() + seconds) or decision


def _searched(
    statement: Statement, seconds: float, points: tuple[int, ...], starts: int
) -> Decision | None:
    if statement.relation == "==":
        return None
    laws = counterexample(statement, seconds, points, starts)
    if laws is None:
        return None
    size = {2: "two", 3: "three", 4: "four"}[len(laws.p)]
    return Decision(How.REFUTED, f"it fails for two laws on {size} points", laws)


def _prove(statement: Statement) -> Decision:
    if statement.relation == "==" or statement.is_strict:
        return _undecided("only <= and >= are proved where the statement is not linear")
    several = len(statement.divergences) > 1
    if several and (found := certificate_by_jensen(statement)):
        return Decision(found.how, found.text)
    decision = prove_convex(statement)
    if several and decision.how is How.UNDECIDED and (found := certificate_by_bounds(statement)):
        return Decision(found.how, found.text)
    return decision


def prove_convex(statement: Statement) -> Decision:
    """Prove a statement about one divergence on its values, a convex one on two points."""
    margin = _tidy_margin(statement)
    if len(statement.divergences) == 1:
        return _prove_on_range(margin, statement)
    why = None
    for form in (margin, *_solved(margin, statement)):
        reason = _why_not_concave(form, statement)
        if reason is None:
            return _prove_on_two_points(form, statement)
        why = why or reason
    return _undecided(str(why))


def _solved(margin: sp.Expr, statement: Statement) -> Iterator[sp.Expr]:
    """Yield x + b/a where the margin is a·x + b with a positive coefficient free of x.

    Where a vanishes, at an end of what the others take, x is as large as b/a asks by continuity,
    or a·x is not defined.
    """
    for symbol in statement.divergences:
        slope = sp.factor(sp.diff(margin, symbol))
        if (
            slope.free_symbols
            and symbol not in slope.free_symbols
            and _is_positive(slope, statement)
        ):
            yield symbol + sp.cancel((margin - slope * symbol).expand() / slope)


def _is_positive(slope: sp.Expr, statement: Statement) -> bool:
    if slope.is_nonnegative:
        return True
    if len(slope.free_symbols) > 1:
        return False
    (symbol,) = slope.free_symbols
    found = sign_on_positive(slope, symbol, intervals=_range(symbol, statement))
    return found.sign == ">0"


def _prove_on_range(margin: sp.Expr, statement: Statement) -> Decision:
    """Decide a statement about one divergence D on all values that D takes."""
    (symbol,) = statement.divergences
    found = sign_on_positive(margin, symbol, intervals=_range(symbol, statement))
    if found.sign in {">0", ">=0", "=0"}:
        return Decision(found.how, f"on every value that {symbol} takes: {found.reason}")
    low, high = _range(symbol, statement)[symbol]
    if is_nonnegative_between(margin, symbol, low, high):
        return Decision(How.CERTIFIED, f"on every value that {symbol} takes, by intervals")
    return _undecided(f"no certificate on the values that {symbol} takes: {found.reason}")


def _undecided(reason: str) -> Decision:
    return Decision(How.UNDECIDED, reason)


def _refute(
    statement: Statement, grid: tuple[list[fmpq], list[fmpq]], stop: float
) -> Decision | None:
    """Return two laws on two points for which the statement certainly fails, if they are found."""
    for low, high in product(reversed(grid[0]), grid[1]):
        laws = laws_of(low**2, high**2)
        if time.monotonic() > stop:
            return None
        try:
            value = evaluate(statement.margin, statement.divergences, laws)
        except NoEnclosure:
            return None
        if value is None:
            continue
        if value < 0 or (statement.relation == "==" and not value.contains(0)):
            return Decision(How.REFUTED, "it fails for two laws on two points", laws)
    return None


def _tidy_margin(statement: Statement) -> sp.Expr:
    """Return an equivalent margin without an outer root or exponential."""
    small, large = statement.left, statement.right
    if statement.relation in {">=", ">"}:
        small, large = large, small
    if small.is_nonnegative and large.is_nonnegative is not False and _is_root(large):
        small, large = small**2, sp.expand(large**2)
    margin = large - small
    exponentials = margin.atoms(sp.exp)
    if len(exponentials) == 1:
        (one,) = exponentials
        weight = sp.expand(margin).coeff(one)
        rest = sp.expand(margin - weight * one)
        if weight.is_negative and not rest.has(one):
            return sp.log(rest) - sp.log(-weight) - one.args[0]
    return margin


def _is_root(expression: sp.Expr) -> bool:
    """Return whether it is one square root, times a positive number."""
    number, root = expression.as_independent(*expression.free_symbols)
    return bool(number.is_positive and root.is_Pow and root.exp == sp.Rational(1, 2))


def _why_not_concave(margin: sp.Expr, statement: Statement) -> str | None:
    """Return None where the margin is concave in the divergences, else what is missing."""
    symbols = sorted(statement.divergences, key=str)
    hessian = sp.hessian(margin, symbols)
    off_diagonal = [hessian[i, j] for i in range(len(symbols)) for j in range(i)]
    if any(entry != 0 for entry in off_diagonal):
        return "it multiplies different divergences, so its region is not known to be convex"
    for k, symbol in enumerate(symbols):
        curvature = sp.simplify(hessian[k, k])
        if curvature.free_symbols - {symbol}:
            return "its region is not known to be convex"
        found = sign_on_positive(curvature, symbol, intervals=_range(symbol, statement))
        if found.sign not in {"<0", "<=0", "=0"}:
            return f"it is not concave in {symbol}, so that laws on two points do not decide it"
    return None


def _range(symbol: sp.Symbol, statement: Statement) -> dict[sp.Symbol, tuple[sp.Expr, sp.Expr]]:
    """Return (0, f(0) + f'(∞)), where a divergence takes its values."""
    return {symbol: (sp.Integer(0), largest(statement.divergences[symbol]))}


def _prove_on_two_points(margin: sp.Expr, statement: Statement) -> Decision:
    try:
        found = certificate(margin, statement.divergences)
    except NotALogForm as reason:
        return _undecided(f"no exact form: {reason}")
    if found:
        return Decision(How.PROVED, f"on laws of two points, {found}, exactly")
    return _undecided("laws on two points decide it, but no exact certificate was found for them")
