r"""Linear statements about f-divergences: Σ c_k D_k + c₀ ≥ 0 for all laws P and Q.

With h = Σ c_k f_k + c₀ the statement holds iff some line makes :math:`h(r) + k(r-1) \ge 0` on
(0, ∞). Where h(1) = 0 and h is smooth there, k = −h'(1); else the line is found numerically and
then proved like any other. Without such a line two ratios r₁ < 1 < r₂ refute the statement.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import sympy as sp
from flint import ctx, fmpq, fmpq_poly

from gantheory.exact.signs.enclosure import (
    IntervalSign,
    Undecided,
    means,
    sign_on_unit_interval,
)
from gantheory.exact.signs.logforms import ONE, LogForm, NotALogForm, rational
from gantheory.exact.signs.rationals import simplest
from gantheory.inequalities.statements import Statement
from gantheory.inequalities.twopoint import (
    BITS,
    EQUAL,
    Laws,
    enclosed_value,
    grids,
    infinite_ones,
    laws_of,
    two_points,
)
from gantheory.records import How
from gantheory.theory.branches import (
    Branches,
    combined_generator,
    enclose_form,
    sign_of_form,
)

DISJOINT = two_points(sp.Integer(0), sp.Integer(1))
HALF = sp.Rational(1, 2)
ONE_SIDED = (
    two_points(HALF, sp.Integer(1)),
    two_points(sp.Integer(1), HALF),
)  # p > 0 = q, then q > 0 = p
SLACK = 1e-9  # a line whose room is less is looked for among the exact ones only


@dataclass(frozen=True)
class LinearDecision:
    """What became of a statement about all pairs of laws."""

    how: How
    reason: str
    laws: Laws | None = None
    ratio: sp.Rational | None = None
    boxes: int = 0


def decide_linear(statement: Statement, seconds: float) -> LinearDecision:
    """Decide a statement that is linear in the divergences."""
    try:
        h = margin_function(statement)
    except NotALogForm as reason:
        return LinearDecision(How.UNDECIDED, f"no exact form: {reason}")
    try:
        if statement.relation == "==":
            return _decide_equality(statement, h)
        return _decide_inequality(statement, h, seconds)
    except Undecided as reason:
        return LinearDecision(How.UNDECIDED, f"no enclosure decides it: {reason}")


def margin_function(statement: Statement) -> Branches:
    """Return h, whose f-divergence the statement says is not negative."""
    margin = sp.expand(statement.margin)
    slopes = {entry: sp.diff(margin, symbol) for symbol, entry in statement.divergences.items()}
    free = margin.subs(dict.fromkeys(statement.divergences, 0))
    return combined_generator({entry: c for entry, c in slopes.items() if c != 0}, free)


def _decide_equality(statement: Statement, h: Branches) -> LinearDecision:
    slope = h.slopes()[0]
    if h.tilted(-slope).is_zero:
        return LinearDecision(
            How.PROVED, "both sides have the same generator up to a multiple of r - 1"
        )
    for below, above in grids():
        for low, high in product(below[::2], above[::3]):  # not 1/low: P and Q would be swapped
            laws = laws_of(low**h.root, high**h.root)
            value = enclosed_value(statement.margin, statement.divergences, laws)
            if value is not None and not value.contains(0):
                return LinearDecision(
                    How.REFUTED, "the two sides differ", laws, laws.p[0] / laws.q[0]
                )
    return LinearDecision(
        How.UNDECIDED, "their generators differ, but no certified point was found"
    )


def _decide_inequality(statement: Statement, h: Branches, seconds: float) -> LinearDecision:
    if sign_of_form(h.at_one()) < 0:
        return LinearDecision(How.REFUTED, "it fails at P = Q", EQUAL, sp.Integer(1))
    places: list[fmpq] = []
    reasons: list[str] = []
    for line in _lines(h):
        tilted = h.tilted(line)
        try:
            below = sign_on_unit_interval(tilted.below, seconds=seconds)
            above = sign_on_unit_interval(tilted.above.invert(), seconds=seconds)
        except Undecided as reason:
            reasons.append(str(reason))
            continue
        if below.sign in {0, 1} and above.sign in {0, 1}:
            return _proved(statement, tilted, below, above)
        places += [below.negative] if below.negative is not None else []
        places += [1 / above.negative] if above.negative is not None else []
    return refute(statement, h, places, reasons)


def _lines(h: Branches) -> Iterator[LogForm]:
    """Yield slopes k that may make h + k(r − 1) non-negative: the forced one, or candidates."""
    left, right = h.slopes()
    touches, smooth = h.at_one().is_zero, (left - right).is_zero
    if touches and smooth:
        yield -left
        return
    low, high = _room(h)
    if high - low > SLACK:
        third = (high - low) / 3
        yield rational(simplest(_fraction(low + third), _fraction(high - third)))
    exact = [h.at_zero(), h.slope_at_infinity(), left, right]
    for form, sign in zip(exact, (1, -1, -1, -1), strict=True):
        if isinstance(form, LogForm):
            line = form if sign > 0 else -form
            value = float(enclose_form(line).mid())
            if low - SLACK <= value <= high + SLACK:
                yield line


def _room(h: Branches) -> tuple[float, float]:
    """Return numerically the interval of slopes that the values on a grid leave open."""
    *_, (below, above) = grids()
    with ctx.workprec(BITS):
        highs = [h.value(x) / (1 - x**h.root) for x in below]
        lows = [-h.value(x) / (x**h.root - 1) for x in above]
    room = max(float(v.mid()) for v in lows), min(float(v.mid()) for v in highs)
    if not all(map(math.isfinite, room)):
        raise Undecided("its constants are beyond floating point")
    return room


def _fraction(value: float) -> fmpq:
    top, bottom = value.as_integer_ratio()
    return fmpq(top, bottom)


def _proved(
    statement: Statement, h: Branches, below: IntervalSign, above: IntervalSign
) -> LinearDecision:
    exact = h.is_rational
    boxes = below.boxes + above.boxes
    how = How.PROVED if exact else How.CERTIFIED
    route = "root isolation" if exact else means(boxes)
    reason = f"the difference of the generators is nowhere negative, by {route}"
    if below.touch:
        reason += f"; it vanishes at r = 1 to order {below.touch}"
    if not statement.is_strict:
        return LinearDecision(how, reason, boxes=boxes)
    if h.at_one().is_zero:
        return LinearDecision(How.REFUTED, "both sides are equal at P = Q", EQUAL, sp.Integer(1))
    ends = h.at_zero(), h.slope_at_infinity()
    if all(isinstance(end, LogForm) and end.is_zero for end in ends):
        return LinearDecision(How.REFUTED, "both sides are equal for disjoint supports", DISJOINT)
    if not (below.strict and above.strict):
        return LinearDecision(
            How.UNDECIDED, "the difference has a zero: equality could not be excluded"
        )
    return LinearDecision(how, reason + " and nowhere zero", boxes=boxes)


def decide_restricted(statement: Statement, seconds: float) -> LinearDecision:
    """Decide a linear statement for Q = P restricted to an event of probability a, 0 < a < 1.

    Then p/q = a on the event, which has Q-probability 1, and q = 0 off it, so that every
    D_f = f(a) + (1 − a)·f'(∞).
    """
    if not statement.is_linear or statement.relation == "==":
        return LinearDecision(
            How.UNDECIDED, "only linear inequalities are decided for restricted laws"
        )
    try:
        h = margin_function(statement)
        slope = h.slope_at_infinity()
        if isinstance(slope, int):
            return _infinite_off_the_event(statement)
        curve = h.below - slope * LogForm(_line_of(h.root), fmpq_poly([1]))
        found = sign_on_unit_interval(curve, seconds=seconds)
    except (NotALogForm, Undecided) as reason:
        return LinearDecision(How.UNDECIDED, str(reason))
    if found.negative is None and (found.strict or not statement.is_strict):
        how = How.PROVED if curve.is_rational else How.CERTIFIED
        return LinearDecision(how, "decided for every P(A) in (0, 1)", boxes=found.boxes)
    if found.negative is None:
        return LinearDecision(How.UNDECIDED, "both sides are equal for some P(A)")
    x = found.negative**h.root
    mass = sp.Rational(int(x.p), int(x.q))
    return LinearDecision(
        How.REFUTED, "it fails at this P(A)", two_points(mass, sp.Integer(1)), mass
    )


def _infinite_off_the_event(statement: Statement) -> LinearDecision:
    laws = two_points(HALF, sp.Integer(1))
    signs = {
        bool(sp.diff(statement.margin, one).is_positive)
        for one in infinite_ones(statement.divergences, laws)
    }
    if signs == {True}:
        return LinearDecision(How.PROVED, "the larger side is infinite, the smaller one finite")
    if signs == {False}:
        return LinearDecision(How.REFUTED, "the smaller side is infinite", laws, HALF)
    return LinearDecision(How.UNDECIDED, "both sides are infinite")


def _line_of(root: int) -> dict[frozenset[tuple[object, int]], fmpq_poly]:
    return {ONE: fmpq_poly([-1] + [0] * (root - 1) + [1])}


def refute(
    statement: Statement, h: Branches, places: list[fmpq], reasons: list[str]
) -> LinearDecision:
    """Return two laws for which the statement certainly fails, or why none was found."""
    reason = "the generators' difference is negative at the ratio r, up to a multiple of r - 1"
    for below, above in grids():
        below = below + [x for x in places if x < 1]
        above = above + [x for x in places if x > 1]
        if pair := _worst_pair(h, below, above):
            low, high = pair[0] ** h.root, pair[1] ** h.root
            laws = laws_of(low, high)
            value = enclosed_value(statement.margin, statement.divergences, laws)
            if value is not None and value < 0:
                return LinearDecision(How.REFUTED, reason, laws, _failing_ratio(h, *pair))
    for place, j in product(places, range(16, 160, 24)):
        near = 1 + fmpq(1 if place < 1 else -1, 2**j)
        laws = laws_of(*(x**h.root for x in sorted((place, near), key=lambda x: x > 1)))
        value = enclosed_value(statement.margin, statement.divergences, laws)
        if value is not None and value < 0:
            x = place**h.root
            return LinearDecision(How.REFUTED, reason, laws, sp.Rational(int(x.p), int(x.q)))
    for laws in ONE_SIDED:
        infinite = infinite_ones(statement.divergences, laws)
        if infinite and all(sp.diff(statement.margin, one).is_negative for one in infinite):
            return LinearDecision(How.REFUTED, "the smaller side should be infinite here", laws)
    return LinearDecision(
        How.UNDECIDED,
        "neither a line that proves it nor a counterexample was found: the two sides are equal, "
        "or closer than the search resolves, at some ratio"
        + "".join(f"; {r}" for r in reasons[:1]),
    )


def _worst_pair(h: Branches, below: list[fmpq], above: list[fmpq]) -> tuple[fmpq, fmpq] | None:
    """Return ratios x₁ < 1 < x₂ between which every line fails, if there are such."""
    with ctx.workprec(BITS):
        chords = {x: float((h.value(x) / (1 - x**h.root)).mid()) for x in (*below, *above)}
    x_low, x_high = min(below, key=chords.__getitem__), max(above, key=chords.__getitem__)
    return (x_low, x_high) if chords[x_low] <= chords[x_high] else None


def _failing_ratio(h: Branches, low: fmpq, high: fmpq) -> sp.Rational:
    """Return the one of two ratios at which h lies below its tangent (or chord) at 1."""
    left, right = h.slopes()
    tilted = h.tilted(-left if (left - right).is_zero else rational(0))
    with ctx.workprec(BITS):
        x = low if tilted.value(low) < 0 else high
    return sp.Rational(int(x.p), int(x.q)) ** h.root
