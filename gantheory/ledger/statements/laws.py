"""Comparisons of divergences on two given discrete laws, in balls."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp

from gantheory.errors import GantheoryError
from gantheory.inequalities.statements import Statement, read_statement
from gantheory.inequalities.twopoint import Laws, enclosed_value, infinite_ones
from gantheory.records import How, Verdict
from gantheory.verify import decided


def compare_on_laws(text: str, p: tuple[str, ...], q: tuple[str, ...]) -> Verdict:
    """Decide a comparison on two laws with exact rational probabilities.

    >>> compare_on_laws("kl_qm >= jsd", ("9/10", "1/10"), ("1/2", "1/2")).counterexample
    'P = (9/10, 1/10), Q = (1/2, 1/2): 0.0871767 >= 0.1017492 fails'
    """
    statement, laws = read_comparison(text, p, q)
    told = f"{text} for {laws}"
    sides = [_side(side, statement, laws) for side in (statement.left, statement.right)]
    gap = sides[0] - sides[1] if sp.oo not in map(abs, sides) else None
    shown = f" {statement.relation} ".join(f"{float(side):.7f}" for side in sides)
    holds = _holds(sides, gap, statement.relation)
    why = f"{laws}: {shown}" + (" fails" if holds is False else "")
    return decided(told, holds, why, how=How.CERTIFIED)


def read_comparison(text: str, p: tuple[str, ...], q: tuple[str, ...]) -> tuple[Statement, Laws]:
    """Return the comparison and the two laws.

    Raises:
        GantheoryError: for what are no probabilities, or no comparison.
    """
    if len(p) != len(q):
        raise GantheoryError(f"p has {len(p)} probabilities and q has {len(q)}; give as many")
    first, second = (tuple(map(_rational, as_fractions(law))) for law in (p, q))
    return read_statement(text), Laws(first, second)


def as_fractions(texts: tuple[str, ...]) -> tuple[Fraction, ...]:
    """Return exact probabilities; they must be at least 0 and add up to 1."""
    try:
        found = tuple(Fraction(text) for text in texts)
    except (ValueError, ZeroDivisionError):
        raise GantheoryError(f"{list(texts)} are no probabilities; write them like '1/3'") from None
    if sum(found) != 1 or min(found) < 0:
        raise GantheoryError(f"the probabilities {list(texts)} do not add up to 1; write fractions")
    return found


def _rational(value: object) -> sp.Rational:
    return sp.Rational(str(value))


def _side(side: sp.Expr, statement: Statement, laws: Laws) -> sp.Expr:
    """Return one side to 40 digits, or an infinity."""
    value = enclosed_value(side, statement.divergences, laws)
    if value is not None:
        return sp.Float(value.mid().str(40, radius=False), 40)
    used = {s: d for s, d in statement.divergences.items() if s in side.free_symbols}
    rises = {sp.diff(side, one).is_positive for one in infinite_ones(used, laws)}
    if rises == {True}:
        return sp.oo
    slopes = [sp.diff(side, one).is_negative for one in infinite_ones(used, laws)]
    if all(slopes):
        return -sp.oo
    raise GantheoryError(f"{side} is undetermined for {laws}: infinities of both signs")


def _holds(sides: list[sp.Expr], gap: sp.Expr | None, relation: str) -> bool | None:
    """Return whether the relation holds; None where the two sides are too close to tell."""
    if gap is not None and abs(gap) < sp.Float("1e-35"):
        return None
    left, right = sides
    return {"<": bool(left < right), "<=": bool(left <= right), ">": bool(left > right),
            ">=": bool(left >= right), "==": bool(left == right)}[relation]  # fmt: skip
