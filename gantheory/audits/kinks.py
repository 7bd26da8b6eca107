"""Pieces of a formula: written by relu alone, and without kinks at which nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import sympy as sp

from gantheory.functions import relu, t

Piece = Callable[[sp.Expr], sp.Expr]  # a point -> the formula around it


def by_relu(formula: sp.Expr) -> sp.Expr | None:
    """Return a continuous formula of ``t`` by relu alone; None where it jumps.

    >>> by_relu((relu(t) + relu(-t)) ** 2)
    t**2
    """
    whole = _without_pieces(formula)
    return None if whole is None else _without_kinks(whole)


def _without_pieces(formula: sp.Expr) -> sp.Expr | None:
    """Return a piecewise formula by relu; None where it jumps or its pieces are not intervals."""
    if not formula.has(sp.Piecewise):
        return formula
    folded = sp.piecewise_fold(formula)
    edges: set[sp.Expr] = set()
    for condition in folded.atoms(sp.core.relational.Relational):
        edges |= set(sp.solveset(condition.lhs - condition.rhs, t, sp.S.Reals) or ())
    places = sorted(edges, key=float)
    if not places or not all(edge.is_real for edge in places):
        return None
    return _joined(places, [_chosen(folded, point) for point in _between(places)])


def _without_kinks(formula: sp.Expr) -> sp.Expr:
    """Return a formula without the kinks at which the same function goes on."""
    kinks = formula.atoms(relu)
    arguments = [kink.args[0] for kink in kinks]
    if len(kinks) < 2 or not all(_linear(argument) for argument in arguments):
        return formula
    places = sorted({-a.coeff(t, 0) / a.coeff(t, 1) for a in map(sp.expand, arguments)}, key=float)
    pieces = [_active(formula, point) for point in _between(places)]
    if all(_differ(before, after) for before, after in pairwise(pieces)):
        return formula
    joined = _joined(places, pieces)
    return formula if joined is None else joined


def _linear(argument: sp.Expr) -> bool:
    return bool(argument.is_polynomial(t)) and sp.degree(argument, t) == 1 and all(
        number.is_number for number in sp.Poly(argument, t).all_coeffs()
    )  # fmt: skip


def _between(places: Sequence[sp.Expr]) -> list[sp.Expr]:
    """Return a point of each interval that the places leave."""
    return [places[0] - 1, *((a + b) / 2 for a, b in pairwise(places)), places[-1] + 1]


def _joined(places: Sequence[sp.Expr], pieces: Sequence[sp.Expr]) -> sp.Expr | None:
    """Return pieces g₀, g₁, ... that meet at c₁ < c₂ < ... as one formula; None where one jumps.

    It is g₀(t) + Σ h_k(c_k + relu(t − c_k)), where h_k = g_k − g_(k−1) vanishes at c_k.
    """
    result = pieces[0]
    for edge, (before, after) in zip(places, pairwise(pieces), strict=True):
        step = after - before
        if sp.simplify(step.xreplace({t: edge})) != 0:
            return None
        if _differ(before, after):
            result += step.xreplace({t: edge + relu(t - edge)})
    return result


def _differ(before: sp.Expr, after: sp.Expr) -> bool:
    return before != after and sp.simplify(before - after) != 0


def _active(formula: sp.Expr, point: sp.Expr) -> sp.Expr:
    """Return a formula around a point that is no kink."""
    return formula.replace(
        lambda e: isinstance(e, relu),
        lambda e: e.args[0] if e.args[0].xreplace({t: point}) > 0 else sp.Integer(0),
    )


def _chosen(folded: sp.Expr, point: sp.Expr) -> sp.Expr:
    """Return the formula that a piecewise one has around a point."""

    def chosen(piecewise: sp.Piecewise) -> sp.Expr:
        for value, condition in piecewise.args:
            if condition.xreplace({t: point}) == True:  # noqa: E712
                return value
        return sp.nan

    return folded.replace(lambda e: isinstance(e, sp.Piecewise), chosen)
