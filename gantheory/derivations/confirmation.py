r"""Every derivation is evaluated against the formulas as typed before anyone sees it.

At random ratios r, and random legal parameters, balls are put through the syntax trees of the
payoffs (`gantheory.theory.jets`) at the derived score t*(r). With
:math:`S(t; r) = r a'(t) + b'(t)`, implicit differentiation of S = 0 gives

.. math:: t' = -a'/S_t, \quad t'' = -(2a'' t' + S_{tt} t'^2)/S_t,

and where t* does not move, t' = t'' = 0. So the three curvatures a'·t', c''·t'² + c'·t'' and
−c'·t'/r follow without the engine's algebra, and two balls that do not overlap are a contradiction:
a fault of the toolkit, never of its user, and `InternalError` says so. What has no ball at a
point (an infinite score, a corner that is hit) is passed over there.

At P = Q no score may do better than the stated constant, and limits are held against the formulas
at very small and very large ratios (`gantheory.derivations.ends`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

import sympy as sp
from flint import arb, ctx, fmpq

from gantheory.derivations.at_ratio import At, Point, draw_positive
from gantheory.derivations.derivation import Derivation
from gantheory.derivations.ends import FAR, Ends, is_attained
from gantheory.exact.assumptions import Assumptions, positive_image
from gantheory.exact.signs.balls import NoEnclosure, enclose, piece_at
from gantheory.functions import r

BITS = 192  # leaves 30 digits where half of them cancel
POINTS = 2  # for each interval of ratios: one accident is possible, the second is independent


def confirm(derivation: Derivation) -> Derivation:
    """Return ``derivation`` if its loss, evaluated as typed, agrees with it.

    Raises:
        InternalError: where the two are certainly apart.
    """
    optimum = derivation.optimum
    if optimum is None:
        return derivation
    draw = random.Random(f"{derivation.definition.real} {derivation.definition.fake}")
    parameters = Assumptions.of(derivation.definition.parameters)
    with ctx.workprec(BITS):
        for point in _points(derivation, parameters, draw):
            try:
                score = piece_at(optimum.score, point)
                place = enclose(score, point)
                if not is_attained(optimum, point):
                    continue  # beside a jump of a payoff, which has another value at the jump
            except NoEnclosure:
                continue
            At(derivation, parameters, point, place, score.has(r), draw).confirm()
    with ctx.workprec(3 * FAR):
        ends = Ends(derivation, parameters, draw_parameters(parameters, draw), draw)
        ends.confirm()
    return derivation


def _points(
    derivation: Derivation, parameters: Assumptions, draw: random.Random
) -> Iterator[Point]:
    """Yield random ratios, some in each interval of the derivation, with random parameters."""
    shown = [derivation.optimum.score] if derivation.optimum else []
    shown += [found.curvature for found in derivation.curvatures.values()]
    ends = {
        side
        for expr in shown
        for relation in expr.atoms(sp.core.relational.Relational)
        for side in relation.args
        if not side.has(r)
    }
    for _ in range(POINTS):
        values = draw_parameters(parameters, draw)
        for ratio in _ratios(ends, values, draw):
            yield {**values, r: arb(ratio)}


def draw_parameters(parameters: Assumptions, draw: random.Random) -> dict[sp.Symbol, arb]:
    """Return random legal values of all parameters."""
    values: dict[sp.Symbol, arb] = {}
    for symbol, bounds in parameters.ranges.items():
        image = positive_image(symbol, *bounds)
        free = arb(draw_positive(draw))
        if image is None:
            values[symbol] = free.log()
            continue
        inner = {dummy: free for dummy in image.atoms(sp.Dummy)}
        values[symbol] = enclose(image, {**values, **inner})
    return values


def _ratios(ends: set[sp.Expr], values: Point, draw: random.Random) -> list[fmpq]:
    """Return one random ratio in each interval between the ends."""
    known = set()
    for side in ends:
        try:
            known.add(float(enclose(side, values).mid()))
        except NoEnclosure:
            continue
    places = sorted(place for place in known if 0 < place < float("inf"))
    if not places:
        return [draw_positive(draw)]
    cells = pairwise([places[0] / 4, *places, places[-1] * 4])
    within = (lower + (upper - lower) * draw.uniform(0.05, 0.95) for lower, upper in cells)
    return [fmpq(round(ratio * 2**40), 2**40) for ratio in within]
