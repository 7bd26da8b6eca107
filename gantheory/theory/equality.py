"""What D and the losses read at P = Q: single optimal scores, stretches of them, and ties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sympy as sp

from gantheory.exact.assumptions import Assumptions
from gantheory.exact.derivative import derivative
from gantheory.exact.roots import in_order
from gantheory.theory.cases import condition, in_cases, piecewise
from gantheory.theory.coordinates import Coordinate
from gantheory.theory.maxima import middle, payoff_at
from gantheory.theory.optimum import Optima, Optimum, branch_at, optima_at, optima_of
from gantheory.theory.pieces import Piece, algebra_on
from gantheory.theory.records import Equilibrium, Tie

ONE, ZERO = sp.Integer(1), sp.Integer(0)


def equilibrium(
    optimum: Optimum, coordinate: Coordinate, supremum: sp.Expr, parameters: Assumptions
) -> Equilibrium:
    """Return the discriminator and the losses at P = Q, piecewise where parameters decide."""
    cases = _cases_at_one(optimum, parameters)
    states = [(_state(found, coordinate, parameters), holds) for found, holds in cases]

    def part(name: str) -> sp.Expr | None:
        values = [(getattr(state, name), holds) for state, holds in states]
        if any(value is None for value, _ in values):
            return None
        return piecewise(values)

    def pair(name: str) -> tuple[sp.Expr, sp.Expr] | None:
        low, high = part(f"{name}_low"), part(f"{name}_high")
        return None if low is None or high is None or low == high else (low, high)

    return Equilibrium(
        part("D"),
        in_cases(lambda value: -value, supremum),
        part("loss"),
        pair("D"),
        pair("loss"),
        tuple(Tie(other.D, other.loss, holds) for state, holds in states for other in state.others),
    )


def _cases_at_one(optimum: Optimum, parameters: Assumptions) -> list[tuple[list[Optima], sp.Basic]]:
    """Return the scores that are optimal at r = 1, for each place that 1 may have."""
    cases: list[tuple[list[Optima], sp.Basic]] = []
    for branch in optimum.branches:
        upper = branch.ratios[1]
        before = 1 if upper == sp.oo else parameters.sign(upper - ONE)
        if before == -1:
            continue
        if before == 0 or (before == 1 and not cases):
            return [*cases, (optima_at(optimum, ONE, parameters), sp.true)]
        inside = [optima_of(branch, ONE, parameters)]
        if before == 1:
            return [*cases, (inside, sp.true)]
        at_break = optima_at(optimum, upper, parameters)
        cases += [
            (at_break, condition(upper - ONE, "==", parameters)),
            (inside, condition(upper - ONE, ">=", parameters)),
        ]
    return cases


@dataclass(frozen=True)
class _State:
    """One optimal score with its neighbours: D and the generator's loss, and their ranges."""

    D: sp.Expr
    loss: sp.Expr | None
    D_low: sp.Expr
    D_high: sp.Expr
    loss_low: sp.Expr | None
    loss_high: sp.Expr | None
    others: tuple[_State, ...] = ()


def _state(found: list[Optima], coordinate: Coordinate, parameters: Assumptions) -> _State:
    """Return a stretch of optimal scores, or the lowest of single ones, and the others."""
    states = [
        _stretch(one, coordinate, parameters) if one.pieces else _point(one, parameters)
        for one in found
    ]
    first = next((k for k, one in enumerate(found) if one.pieces), 0)
    best = states[first]
    others = dict.fromkeys((*states[:first], *states[first + 1 :]))
    return replace(best, others=tuple(o for o in others if not _is_within(o, best, parameters)))


def _is_within(one: _State, stretch: _State, parameters: Assumptions) -> bool:
    """Whether a score and its loss add nothing to the ranges of a stretch."""
    pairs = (
        (one.D, stretch.D_low, stretch.D_high),
        (one.loss, stretch.loss_low, stretch.loss_high),
    )
    for value, low, high in pairs:
        if value is None or low is None or high is None or stretch.D_low == stretch.D_high:
            return False
        if any(parameters.sign(gap) not in (0, 1) for gap in (value - low, high - value)):
            return False
    return True


def _point(one: Optima, parameters: Assumptions) -> _State:
    assert one.branch is not None
    D, loss = (branch_at(one.branch, e, one.ratio, parameters)
               for e in (one.branch.link, one.branch.generator))  # fmt: skip
    return _State(D, loss, D, D, loss, loss)


def _stretch(one: Optima, coordinate: Coordinate, parameters: Assumptions) -> _State:
    x = coordinate.symbol
    _, payoffs = middle(one.pieces, coordinate, parameters)
    outputs, losses = (
        _span([getattr(piece.payoffs, name) for piece in one.pieces], one.pieces, x, parameters)
        for name in ("link", "generator")
    )
    low, high = outputs or (payoffs.link, payoffs.link)
    return _State(payoffs.link, payoffs.generator, low, high, *(losses or (None, None)))


def _span(
    exprs: Sequence[sp.Expr], pieces: Sequence[Piece], x: sp.Symbol, parameters: Assumptions
) -> tuple[sp.Expr, sp.Expr] | None:
    """Return the range of a function along pieces on each of which it is monotone."""
    ends = []
    for expr, piece in zip(exprs, pieces, strict=True):
        slope = algebra_on(piece, x, parameters).normal(derivative(expr, x))
        if parameters.sign(slope, {x: (piece.lower, piece.upper)}) is None:
            return None
        ends += [
            payoff_at(expr, x, piece.lower, 1, parameters),
            payoff_at(expr, x, piece.upper, -1, parameters),
        ]
    ordered = in_order(ends, parameters)
    return ordered[0], ordered[-1]
