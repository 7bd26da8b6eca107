r"""The curvatures along the optimum as formulas in the score, and their signs.

At r = ρ(t) = −b'(t)/a'(t), with W = a'b'' − b'a'' and so ρ' = −W/a'²:

.. math::
    F'' = \frac{a'}{\rho'} = -\frac{a'^3}{W}, \quad
    g'' = -\frac{c'}{\rho\rho'} = -\frac{c' a'^3}{b' W}, \quad
    h'' = \frac{1}{\rho'}\Bigl(\frac{c'}{\rho'}\Bigr)' = -\frac{M a'^3}{W^3}, \quad
    M = c'(W'a' - 2Wa'') - c''Wa',

and w = r²g'' = −a'b'c'/W. On an arc F'' > 0, so that g'' ≥ 0 exactly where c falls as r rises,
and h'' has the sign of M.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import sympy as sp
from flint import arb

from gantheory.deadline import OutOfTime, Undecided
from gantheory.exact.algebra import Algebra
from gantheory.exact.derivative import derivative
from gantheory.functions import t
from gantheory.implicit.atscore import AtScore, as_expression, function_of
from gantheory.implicit.envelope import Path, Segment
from gantheory.implicit.isolation import MOST, zeros
from gantheory.implicit.reals import Real
from gantheory.implicit.sections import generic_point, vanishes
from gantheory.implicit.stationary import Arc, Slopes, limit_at
from gantheory.theory.coordinates import coordinate_for, in_coordinate

SOON = 400  # intervals looked at before a formula is brought to lowest terms
NAMES = ("value", "loss", "followed", "weight", "score_weight")


def formulas(slopes: Slopes) -> dict[str, sp.Expr]:
    """Return the curvatures, and the two weights of saturation, as formulas in the score."""
    a, b, w = slopes.real, slopes.fake, slopes.wronskian
    c = derivative(slopes.payoffs.generator, t)
    bend = c * (derivative(w, t) * a - 2 * w * derivative(a, t)) - derivative(c, t) * w * a
    return {
        "value": -(a**3) / w,
        "loss": -bend * a**3 / w**3,
        "followed": -c * a**3 / (b * w),
        "weight": -a * b * c / w,
        "score_weight": c,
        "slope": -c * a**2 / w,  # h'
        "bend": bend,
    }


def along(path: Path, expr_of: dict[int, sp.Expr]) -> sp.Expr:
    """Return a function of r made of one expression for each segment."""
    parts = [expr_of[k] for k in range(len(path.segments))]
    if all(part == parts[0] for part in parts):
        return parts[0]
    r = sp.Symbol("r", positive=True)
    pieces = [
        (part, r < as_expression(segment.ratios[1]))
        for part, segment in zip(parts[:-1], path.segments, strict=False)
    ]
    return sp.Piecewise(*pieces, (parts[-1], True))


def in_ratio(segment: Segment, expr: sp.Expr) -> sp.Expr:
    """Return a formula in the score, on an arc, as a function of r."""
    assert isinstance(segment.local, Arc)
    part = segment.local.part
    ends = (as_expression(part.lower), as_expression(part.upper))
    r = sp.Symbol("r", positive=True)
    return AtScore(expr, part.slopes.real, part.slopes.fake, *ends, r)


@dataclass(frozen=True)
class Signed:
    """A stretch of an arc on which a formula has one sign, with a ratio inside of it."""

    sign: int
    ratio: arb


def cancelled(expr: sp.Expr, segment: Segment) -> sp.Expr:
    """Return a formula in lowest terms in the coordinate of the payoffs, where algebra has one.

    Differences of nearly equal products lose all digits of an interval; a quotient in lowest
    terms does not.
    """
    local = segment.local
    assert isinstance(local, Arc)
    coordinate = coordinate_for(local.part.slopes.payoffs)
    score = float(generic_point(local.part.lower, local.part.upper))
    place = score if coordinate.symbol is t else float(coordinate.of_score(sp.Float(score)))
    try:
        found = Algebra({coordinate.symbol: place}).normal(in_coordinate(expr, coordinate))
    except OutOfTime:
        raise
    except Undecided:
        return expr
    if coordinate.symbol is not t:
        found = found.xreplace({coordinate.symbol: coordinate.of_score(t)})
    return found if found.count_ops() < expr.count_ops() else expr


def signs_along(segment: Segment, expr: sp.Expr) -> list[Signed]:
    """Return the signs of a formula along an arc, in the order of its scores.

    Where intervals do not tell them soon, the formula is brought to lowest terms first.
    """
    try:
        return _signs(segment, expr, SOON)
    except OutOfTime:
        raise
    except Undecided:
        return _signs(segment, cancelled(expr, segment), MOST)


def _signs(segment: Segment, expr: sp.Expr, most: int) -> list[Signed]:
    local = segment.local
    assert isinstance(local, Arc)
    low, high = (segment.start, segment.stop) if local.rises else (segment.stop, segment.start)
    function = function_of(expr)
    if vanishes(expr, low, high):
        return [Signed(0, arb(1))]
    ends = [low, *zeros(function, low, high, name=False, most=most), high]
    found = []
    for one, other in pairwise(ends):
        score = generic_point(one, other)
        sign = function.sign(score)
        real, fake, _ = local.part.slopes.functions
        found.append(Signed(sign or 0, (-fake.value(score) / real.value(score)).mid()))
    return found


def at_end(path: Path, which: int, name: str) -> Real:
    """Return the limit of a formula or payoff as r -> 0 (which 0) or r -> oo (which -1)."""
    segment = path.segments[which]
    return end_of(segment, 1 if which == 0 else -1, name)


def end_of(segment: Segment, side: int, name: str) -> Real:
    """Return the limit of a formula or payoff at the lower (1) or upper (-1) end of a segment."""
    local = segment.local
    if not isinstance(local, Arc):
        return local.limit(name, side)
    slopes = local.part.slopes
    expr = getattr(slopes.payoffs, name, None)
    if expr is None:
        expr = formulas(slopes)[name]
    place = segment.start if side == 1 else segment.stop
    return limit_at(expr, place, side if local.rises else -side)


def limit_far_out(expr: AtScore, ratio: arb) -> sp.Expr:
    """Return the limit of a function of the score at a ratio that moves the score to infinity.

    Raises:
        Undecided: where the score there is finite.
    """
    value, real, fake, lower, upper, _ = expr.args
    place = arb(generic_point(Real.of(lower), Real.of(upper)))
    rises = ratio * function_of(real).value(place) + function_of(fake).value(place)
    end, side = (upper, -1) if rises > 0 else (lower, 1)
    if (not rises > 0 and not rises < 0) or end.is_finite:
        raise Undecided("the score at the end of an arc is finite, or not known")
    return as_expression(limit_at(value, Real.of(end), side))


def joints(path: Path) -> Iterator[tuple[Segment, Segment]]:
    """Yield neighbouring segments."""
    yield from pairwise(path.segments)
