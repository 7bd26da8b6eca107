"""Whether two functions of r are one: equal by exact algebra, told apart by a ball, or neither."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import pairwise

import sympy as sp
from flint import arb, ctx

from gantheory.deadline import Undecided
from gantheory.derivations.at_ratio import Point, draw_positive
from gantheory.derivations.confirmation import BITS, POINTS, draw_parameters
from gantheory.errors import InternalError
from gantheory.exact.assumptions import Assumptions, Range, interior
from gantheory.exact.roots import in_order
from gantheory.exact.signs.balls import NoEnclosure, enclose, piece_at
from gantheory.functions import r
from gantheory.theory.curvature import algebra_of
from gantheory.theory.pieces import smooth_parts

TRIED = (sp.Integer(2), sp.Rational(1, 2), sp.Integer(3), sp.Rational(1, 3))


def first_difference(difference: sp.Expr, parameters: Assumptions) -> tuple[str, arb] | None:
    """Return where a function of r is not zero, and what it is there; None where it vanishes.

    Raises:
        Undecided: where neither the algebra nor a point decides.
    """
    for bounds, expr in _cells(difference, parameters):
        if not algebra_of(bounds, parameters).is_zero(expr):
            return _separated(expr, bounds, parameters)
    return None


def _cells(expr: sp.Expr, parameters: Assumptions) -> Iterator[tuple[Range, sp.Expr]]:
    """Yield the intervals on which ``expr`` is one analytic function, with that function."""
    conditions = expr.atoms(sp.core.relational.Relational)
    if any(not condition.has(r) for condition in conditions):
        raise Undecided("the two sides are compared for several cases of the parameters")
    ends = {side for condition in conditions for side in condition.args if not side.has(r)}
    within = [sp.Integer(0), *in_order(list(ends - {0, sp.oo}), parameters), sp.oo]
    for bounds in pairwise(within):
        point = _point(parameters, interior(*bounds, parameters))
        pieces = {whole: piece_at(whole, point) for whole in expr.atoms(sp.Piecewise)}
        yield from smooth_parts(expr.xreplace(pieces), r, bounds, parameters)


def _point(parameters: Assumptions, ratio: float | sp.Expr) -> dict[sp.Symbol, arb]:
    values = {symbol: arb(value) for symbol, value in parameters.sample.items()}
    return {**values, r: arb(ratio) if isinstance(ratio, float) else enclose(ratio)}


def _separated(expr: sp.Expr, bounds: Range, parameters: Assumptions) -> tuple[str, arb]:
    """Return a point of the interval at which a ball excludes zero."""
    inside = interior(*bounds, parameters)
    for ratio in (*TRIED, inside):
        with ctx.workprec(BITS):
            point = _point(parameters, ratio)
            try:
                if not _is_between(point, bounds):
                    continue
                value = enclose(expr, point)
            except NoEnclosure:
                continue
        if value.is_finite() and not value.contains(0):
            given = "".join(f", {s} = {v:.6g}" for s, v in parameters.sample.items())
            return f"r = {ratio}{given}", value
    raise Undecided(f"no point separates the two sides, and no algebra shows {expr} to be zero")


def _is_between(point: Point, bounds: Range) -> bool:
    lower, upper = bounds
    above = enclose(lower, point) < point[r]
    return bool(above and (upper == sp.oo or point[r] < enclose(upper, point)))


def confirm_equal(
    left: sp.Expr, right: Callable[[Point], arb], parameters: Assumptions, statement: str
) -> None:
    """Evaluate both sides of what was proved at random points.

    Raises:
        InternalError: where they are certainly apart.
    """
    draw = random.Random(statement)
    for _ in range(POINTS):
        with ctx.workprec(BITS):
            point = {**draw_parameters(parameters, draw), r: arb(draw_positive(draw))}
            try:
                one, other = enclose(left, point), right(point)
            except NoEnclosure:
                continue
        if one.is_finite() and other.is_finite() and not one.overlaps(other):
            at = ", ".join(f"{symbol} = {value.str(8)}" for symbol, value in point.items())
            raise InternalError(f"{statement}: {one.str(8)} is not {other.str(8)} at {at}")
