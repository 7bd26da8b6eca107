"""Statements on a convex region: proved on the range of one divergence, or on two points."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import sympy as sp

from gantheory.divergences import FDivergence
from gantheory.exact.signs import sign_on_positive
from gantheory.exact.signs.logforms import NotALogForm
from gantheory.inequalities.linear import LinearDecision
from gantheory.inequalities.pairs import certificate
from gantheory.inequalities.statements import Statement
from gantheory.inequalities.values import is_nonnegative_between
from gantheory.records import How
from gantheory.theory.branches import (
    combined_generator,
    number_of_form,
)


@lru_cache(maxsize=256)
def largest(entry: FDivergence) -> sp.Expr:
    """Return f(0) + f'(∞), the supremum of a divergence, exactly; sympy's oo where it is infinite.

    >>> from gantheory.divergences import named
    >>> largest(named("jsd"))
    log(2)
    """
    h, total = combined_generator({entry: sp.Integer(1)}), sp.Integer(0)
    for end in (h.at_zero(), h.slope_at_infinity()):
        if isinstance(end, int):
            return sp.oo
        total += number_of_form(end)
    return sp.logcombine(total, force=False)


def prove_convex(statement: Statement) -> LinearDecision:
    """Prove a statement about one divergence on its values, a convex one on two points."""
    margin = tidy_margin(statement)
    if len(statement.divergences) == 1:
        return _prove_on_range(margin, statement)
    why = None
    for form in (margin, *_solved(margin, statement)):
        reason = _why_not_concave(form, statement)
        if reason is None:
            return _prove_on_two_points(form, statement)
        why = why or reason
    return undecided(str(why))


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


def _prove_on_range(margin: sp.Expr, statement: Statement) -> LinearDecision:
    """Decide a statement about one divergence D on all values that D takes."""
    (symbol,) = statement.divergences
    found = sign_on_positive(margin, symbol, intervals=_range(symbol, statement))
    if found.sign in {">0", ">=0", "=0"}:
        return LinearDecision(found.how, f"on every value that {symbol} takes: {found.reason}")
    low, high = _range(symbol, statement)[symbol]
    if is_nonnegative_between(margin, symbol, low, high):
        return LinearDecision(How.CERTIFIED, f"on every value that {symbol} takes, by intervals")
    return undecided(f"no certificate on the values that {symbol} takes: {found.reason}")


def undecided(reason: str) -> LinearDecision:
    return LinearDecision(How.UNDECIDED, reason)


def tidy_margin(statement: Statement) -> sp.Expr:
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
    """Return whether it is a square root, or a product of some, times a positive number."""
    number, root = expression.as_independent(*expression.free_symbols)
    roots = sp.Mul.make_args(root)
    half = sp.Rational(1, 2)
    return bool(number.is_positive and all(one.is_Pow and one.exp == half for one in roots))


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


def _prove_on_two_points(margin: sp.Expr, statement: Statement) -> LinearDecision:
    try:
        found = certificate(margin, statement.divergences)
    except NotALogForm as reason:
        return undecided(f"no exact form: {reason}")
    if found:
        return LinearDecision(How.PROVED, f"on laws of two points, {found}, exactly")
    return undecided("laws on two points decide it, but no exact certificate was found for them")
