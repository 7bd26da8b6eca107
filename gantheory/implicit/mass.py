r"""The mass of the followed curvature beyond r = 1, with the score as variable.

:math:`\int g''\,dr = -\int c'(t)/\rho(t)\,dt` along the optimum. Each interval of scores is
integrated by its Taylor series, whose last coefficient over the whole interval bounds what is left
out; near an end the integrand is a germ (`gantheory.implicit.germs`) that falls at least like
s^(−λ), and ∫_T^∞ m ds ≤ T·m(T)/(λ − 1).
"""

from __future__ import annotations

import sympy as sp
from flint import arb, arb_series, ctx

from gantheory.deadline import Undecided, check_time
from gantheory.exact.derivative import derivative
from gantheory.functions import t
from gantheory.implicit.atscore import as_expression, function_of
from gantheory.implicit.constants import coefficient_sign
from gantheory.implicit.envelope import Path, Segment
from gantheory.implicit.isolation import STARTS, Function, near
from gantheory.implicit.monomials import NotSmall
from gantheory.implicit.reals import Real
from gantheory.implicit.stationary import Arc
from gantheory.records import Estimate

ORDER = 20  # Taylor coefficients
WITHIN = arb(2) ** -56  # of the whole, asked of one interval
MOST = 4000  # intervals


def mass_beyond(
    path: Path, below: sp.Expr, masses: tuple[tuple[sp.Expr, sp.Expr], ...]
) -> sp.Expr | Estimate:
    """Return g(0) + g'(∞), where ``below`` = h(0) − h(1) and g'(∞) is the mass beyond r = 1.

    Half of a point mass at r = 1 counts beyond it, as h(1) is the mean of its two sides.
    """
    points = sp.S.Zero
    for place, mass in masses:
        if place == 1 or float(place) > 1:
            points += mass
    parts = [
        _along(s) for s in path.segments if isinstance(s.local, Arc) and not s.ratios[1].ball <= 1
    ]
    infinite = {part for part in parts if isinstance(part, sp.Expr)}
    if below.is_infinite:
        infinite.add(below)
    if len(infinite) > 1:
        raise Undecided("f(0) and f'(oo) are infinities of opposite sign")
    if infinite:
        return infinite.pop()
    balls = [part for part in parts if isinstance(part, arb)]
    if not balls:
        return sp.simplify(below + points)
    whole = Real.of(below + points).ball + sum(balls, arb(0))
    value = float(whole.mid())
    error = float(abs(whole - arb(value)).abs_upper()) * (1 + 2**-50)
    return Estimate(value, error, method="certified integral")


def _along(segment: Segment) -> arb | sp.Expr:
    """Return ∫ g'' dr over the ratios of an arc beyond 1, or an infinity."""
    local = segment.local
    assert isinstance(local, Arc)
    slopes = local.part.slopes
    generator = derivative(slopes.payoffs.generator, t)
    density = generator * slopes.real / slopes.fake
    start = segment.start if segment.ratios[0].ball >= 1 else Real(local.score(arb(1)))
    low, high = (start, segment.stop) if local.rises else (segment.stop, start)
    function = function_of(density)
    if generator == 0:
        return arb(0)
    ends, tails = [], arb(0)
    for end, side in ((low, 1), (high, -1)):
        place, tail = _tail(function, end, side)
        if isinstance(tail, sp.Expr):
            return tail if local.rises else -tail
        ends.append(place)
        tails += tail
    found = _integral(function, ends[0], ends[1]) + tails
    return found if local.rises else -found


def _tail(function: Function, end: Real, side: int) -> tuple[arb, arb | sp.Expr]:
    """Return a place near an end and the integral between the two, or that it is infinite."""
    if end.is_finite:
        series = function(end.ball, 2)
        if series[0].is_finite() and series[1].is_finite():
            return end.ball, arb(0)
    if end.exact is None:
        raise Undecided(f"an integral has no bound near t = {end.shown}")
    reason = "an integral has no bound near an end"
    for start in (*STARTS[:5], 2**16, *STARTS[5:]):
        try:
            found = near(function.t, end.exact, side, start)(function.expr)
            if found.is_zero:
                return _place(end, side, arb(start)), arb(0)
            size, m = found.size()
            shift = arb(2) if end.is_finite else arb(0)  # dt = ds/s²
            s = arb(start)
            fall = m.fall(s) + shift
            if fall > 1:
                tail = (
                    size * m.at(s) / s**2 * s / (fall - 1)
                    if end.is_finite
                    else size * m.at(s) * s / (fall - 1)
                )
                if tail < WITHIN or start == STARTS[-1]:
                    return _place(end, side, s), tail.union(-tail)
                continue
            lead, c = found.lead
            slow = (
                not lead.rates
                and lead.power + (-2 if end.is_finite else 0) >= -1
                and lead.logs >= 0
            )
            if slow or lead.order > 0:
                return _place(end, side, s), coefficient_sign(c) * sp.oo
        except NotSmall as why:
            reason = str(why)
    raise Undecided(reason)


def _place(end: Real, side: int, s: arb) -> arb:
    return end.ball + side / s if end.is_finite else -side * s


def _integral(function: Function, low: arb, high: arb) -> arb:
    """Enclose an integral over an interval on which the integrand is analytic."""
    cap, ctx.cap = ctx.cap, max(ctx.cap, ORDER + 2)
    try:
        return _summed(function, low, high)
    finally:
        ctx.cap = cap


def _summed(function: Function, low: arb, high: arb) -> arb:
    waiting, total, count = [(low, high)], arb(0), 0
    while waiting:
        check_time()
        a, b = waiting.pop()
        count += 1
        part = _by_taylor(function, a, b) if count <= MOST else None
        if part is not None and part.is_finite() and part.rad() < WITHIN * (1 + abs(total)):
            total += part
        elif count > MOST:
            raise Undecided("an integral takes too many intervals")
        else:
            middle = ((a + b) / 2).mid()
            waiting += [(middle, b), (a, middle)]
    return total


def _by_taylor(function: Function, a: arb, b: arb) -> arb | None:
    middle, half = ((a + b) / 2).mid(), (b - a) / 2
    last = function(a.union(b), ORDER + 1)[ORDER]
    if not last.is_finite():
        return None
    rest = 2 * abs(last) * half ** (ORDER + 1) / (ORDER + 1)
    series: arb_series = function(middle, ORDER)
    terms = (2 * series[k] * half ** (k + 1) / (k + 1) for k in range(0, ORDER, 2))
    return sum(terms, arb(0)) + rest.union(-rest)


__all__ = ["as_expression", "mass_beyond"]
