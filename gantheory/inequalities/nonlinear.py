r"""Statements that are not linear in the divergences, such as Pinsker's ``tv**2 <= kl_pq/2``.

They are not pointwise. Where the margin is concave in the divergences its region is convex, so
that pairs of laws on two points decide it (Harremoës and Vajda, 2011, arXiv:1007.0097): the vector
of divergences of any pair is an average of vectors of such pairs. With P = (p, 1 − p),
Q = (q, 1 − q) and p > q without loss of generality, the margin or one of its first two derivatives
is then a rational function on a triangle, whose sign is decided by exact algebra.
"""

from __future__ import annotations

import time
from itertools import product

from flint import fmpq

from gantheory.exact.signs.balls import NoEnclosure
from gantheory.inequalities.bounds import (
    certificate_by_bounds,
    certificate_by_jensen,
)
from gantheory.inequalities.convex import prove_convex, undecided
from gantheory.inequalities.linear import LinearDecision
from gantheory.inequalities.search import counterexample
from gantheory.inequalities.statements import Statement
from gantheory.inequalities.twopoint import enclosed_value, grids, laws_of
from gantheory.records import How


def decide_nonlinear(statement: Statement, seconds: float) -> LinearDecision:
    """Decide a statement about several divergences by laws on two points, or on a few."""
    levels = list(grids())
    found = _refute(statement, levels[0], time.thread_time() + seconds)
    found = found or _searched(statement, seconds, points=(2,), starts=1)
    decision = found or _prove(statement)
    if decision.how is not How.UNDECIDED:
        return decision
    found = _searched(statement, seconds, points=(2, 3, 4), starts=3)
    return found or _refute(statement, levels[2], time.thread_time() + seconds) or decision


def _searched(
    statement: Statement, seconds: float, points: tuple[int, ...], starts: int
) -> LinearDecision | None:
    if statement.relation == "==":
        return None
    laws = counterexample(statement, seconds, points, starts)
    if laws is None:
        return None
    size = {2: "two", 3: "three", 4: "four"}[len(laws.p)]
    return LinearDecision(How.REFUTED, f"it fails for two laws on {size} points", laws)


def _prove(statement: Statement) -> LinearDecision:
    if statement.relation == "==" or statement.is_strict:
        return undecided("only <= and >= are proved where the statement is not linear")
    several = len(statement.divergences) > 1
    if several and (found := certificate_by_jensen(statement)):
        return LinearDecision(found.how, found.text)
    decision = prove_convex(statement)
    if several and decision.how is How.UNDECIDED and (found := certificate_by_bounds(statement)):
        return LinearDecision(found.how, found.text)
    return decision


def _refute(
    statement: Statement, grid: tuple[list[fmpq], list[fmpq]], stop: float
) -> LinearDecision | None:
    """Return two laws on two points for which the statement certainly fails, if they are found."""
    for low, high in product(reversed(grid[0]), grid[1]):
        laws = laws_of(low**2, high**2)
        if time.thread_time() > stop:
            return None
        try:
            value = enclosed_value(statement.margin, statement.divergences, laws)
        except NoEnclosure:
            return None
        if value is None:
            continue
        if value < 0 or (statement.relation == "==" and not value.contains(0)):
            return LinearDecision(How.REFUTED, "it fails for two laws on two points", laws)
    return None
