r"""Rigorous enclosures of divergences by ball arithmetic (python-flint), tails included.

The integral over a window is enclosed by Arb's adaptive integration of an analytic integrand; the
rest of the line is added as a ball whose radius bounds what the tails can hold. Nothing is sampled:
a spike cannot be missed, it can only make the computation longer.

Source of the integration: F. Johansson (2018), arXiv:1802.07942.
"""

from __future__ import annotations

import decimal as decimals
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import flint
from flint import acb, arb

from gantheory.densities.renamed import as_known
from gantheory.divergences import Complement, FDivergence, find_divergence
from gantheory.errors import GantheoryError
from gantheory.exact.arb import exact_ball, stored
from gantheory.integrals.certified.laws import (
    LEFT,
    RIGHT,
    Analytic,
    AnalyticLaw,
    analytic_parts,
)
from gantheory.integrals.certified.ratios import log_ratio, power_tail
from gantheory.integrals.certified.reading import analytic_laws
from gantheory.records import Estimate, Status
from gantheory.shown import Overview, Shown

if TYPE_CHECKING:
    from gantheory.integrals.certified.forms import Form

MOST_DIGITS = 300  # beyond this a run takes minutes
_GUARD = 30  # bits of working precision beyond the digits asked for
_EVALUATIONS = 10**5  # most integrand evaluations per piece, before the result says so


@dataclass(frozen=True, repr=False)
class Enclosure(Shown):
    """An interval that holds the exact value.

    Attributes:
        name: the divergence.
        lower, upper: the ends of the interval, rounded outwards, as decimal text.
        mid: its midpoint to the digits asked for.
        radius: an upper bound of half its width.
        digits: how many decimal digits are certain.
        tail: the part of the radius that bounds what lies outside of the window.
        estimate: the same answer in binary64.

    >>> from gantheory.integrals.dispatch import certify
    >>> found = certify("tv", "normal(0, 1)", "normal(1, 1)")
    >>> found.mid[:18]
    '0.3829249225480262'
    """

    name: str
    lower: str
    upper: str
    mid: str
    radius: str
    digits: int
    tail: str
    estimate: Estimate

    def overview(self) -> Overview:
        """Return the value with its radius, and the interval."""
        if not self.estimate.is_finite:
            return Overview(f"{self.name} = {self.mid}", (("because", self.estimate.reason or ""),))
        ends = (("at least", self.lower), ("at most", self.upper))
        more = (("certain digits", str(self.digits)), ("outside of the window", self.tail))
        return Overview(f"{self.name} = {self.mid} ± {self.radius}", (*ends, *more))


def enclose_divergence(
    what: FDivergence | Complement | str, p: Any, q: Any, digits: int = 30
) -> Enclosure:
    """Enclose a divergence of two one-dimensional analytic densities to ``digits`` digits.

    Args:
        what: a divergence with a convex f, a complement, or the name of one.
        p: the data density: anything with ``name`` and ``parameters``, which are binary64
            numbers taken exactly, or fractions.
        q: the generator's density.
        digits: significant decimal digits wanted.

    Raises:
        GantheoryError: for a divergence, density or number of digits outside of this mode.

    Source: F. Johansson (2018), arXiv:1802.07942, for the integration.
    """
    if not 1 <= digits <= MOST_DIGITS:
        raise GantheoryError(f"digits={digits}; certified mode takes 1 to {MOST_DIGITS}")
    entry = find_divergence(what) if isinstance(what, str) else what
    from gantheory.integrals.certified.forms import form_of  # loads sympy

    name = entry.name
    form = form_of(entry)
    pair = analytic_laws(as_known(p), as_known(q))
    if pair[0] == pair[1] and isinstance(entry, FDivergence):
        return _finish(name, arb(0), arb(0), digits, 0)
    if (reason := _infinite(form, *pair)) is not None:
        return Enclosure(name, "inf", "inf", "inf", "0", digits, "0", Estimate.infinite(reason))
    return _refine(name, form, pair, digits)


def _refine(
    name: str,
    form: Form,
    pair: tuple[Analytic, Analytic],
    digits: int,
) -> Enclosure:
    """Raise the precision until the relative radius meets the digits asked for."""
    precision, goal = flint.ctx.prec, arb(10) ** -(digits + 2)
    counter = _Counter()
    try:
        for attempt in range(1, 13):
            flint.ctx.prec = attempt * (_GUARD + 2 * _bits_below_one(goal))
            value, tail = _integrate(form, *pair, goal, counter)
            if value.is_finite():
                wanted = arb(10) ** -digits * abs(value.mid())
                if value.rad() == 0 or (value.rad() <= wanted and value.mid() != 0):
                    break
                goal = min(_magnitude(value) * arb(10) ** -(digits + 2), goal * arb(10) ** -3)
        return _finish(name, value, tail, digits, counter.count)
    finally:
        flint.ctx.prec = precision


def _bits_below_one(goal: arb) -> int:
    """Return how many bits after the point a goal asks for."""
    return max(0, math.ceil(-float(goal.log()) / math.log(2)))


def _magnitude(value: arb) -> arb:
    """Return an upper bound of a ball as an exact number."""
    return arb(value.abs_upper().mid())


@dataclass
class _Counter:
    """How many times the integrand was evaluated."""

    count: int = 0


def _integrate(
    form: Form,
    p: Analytic,
    q: Analytic,
    goal: arb,
    counter: _Counter,
) -> tuple[arb, arb]:
    """Return a ball around the whole integral, and the radius of its tail."""
    window, tail = _window(form, p, q, goal)
    total = arb(0)
    for lower, upper in _pieces(p, q, window):
        total += _piece(form, p, q, lower, upper, goal, counter)
    return total + arb(0, tail), tail


def _piece(
    form: Form,
    p: Analytic,
    q: Analytic,
    a: arb,
    b: arb,
    goal: arb,
    counter: _Counter,
) -> arb:
    """Enclose the integral over one piece, on which each density is analytic or zero."""
    middle = (a + b) / 2
    in_p, in_q = _inside(p, middle), _inside(q, middle)
    chart = p.heavy or q.heavy
    center, width = _center(p, q, a, b) if chart else (arb(0), arb(1))
    ends = [((end - center) / width).asinh() if chart else end for end in (a, b)]

    def evaluate(t: acb, analytic: bool) -> acb:
        counter.count += 1
        x, jacobian = (center + width * t.sinh(), width * t.cosh()) if chart else (t, acb(1))
        if in_p and in_q:
            logs = p.log_density(x, analytic), q.log_density(x, analytic)
            u = _narrower(log_ratio(p, q, x, analytic), logs[0] - logs[1])
            return jacobian * form.integrand(*logs, u, analytic)
        if in_p and form.at_infinity:
            return jacobian * p.log_density(x, analytic).exp() * form.at_infinity()
        if in_q and form.at_zero:
            return jacobian * q.log_density(x, analytic).exp() * form.at_zero()
        return acb(0)

    value = acb.integral(
        evaluate, acb(ends[0]), acb(ends[1]), abs_tol=goal / 16, rel_tol=arb(2) ** -flint.ctx.prec,
        eval_limit=_EVALUATIONS, use_heap=True,
    )  # fmt: skip
    return value.real


def _narrower(closed: acb | None, difference: acb) -> acb:
    """Return the tighter of two enclosures of one number."""
    if closed is None or not closed.is_finite():
        return difference
    if not difference.is_finite():
        return closed
    return closed if closed.rad() < difference.rad() else difference


def _bumps(p: Analytic, q: Analytic) -> list[AnalyticLaw]:
    """Return the parts of both laws that are bumps on the whole line: not uniform laws."""
    return [part for one in (p, q) for part in analytic_parts(one) if part.support is None]


def _center(p: Analytic, q: Analytic, a: arb, b: arb) -> tuple[arb, arb]:
    """Return the location and scale of the part nearest to [a, b], whose bump a chart unfolds."""
    parts = _bumps(p, q)
    low, high = float(a), float(b)
    near = min(parts, key=lambda part: max(low - float(part.loc), float(part.loc) - high, 0.0))
    return exact_ball(near.loc), exact_ball(near.scale)


def _inside(one: Analytic, x: arb) -> bool:
    if one.support is None:
        return True
    a, b = one.support
    return bool(exact_ball(a) < x < exact_ball(b))


def _pieces(p: Analytic, q: Analytic, window: arb) -> Iterator[tuple[arb, arb]]:
    """Yield the intervals between kinks and support ends inside the window."""
    cuts = {stored(c) for one in (p, q) for c in (*one.kinks, *(one.support or ()))}
    if p.heavy or q.heavy:  # halfway between bumps, so that each piece has a chart of its own
        locs = sorted({stored(part.loc) for part in _bumps(p, q)})
        cuts |= {(a + b) / 2 for a, b in itertools.pairwise(locs)}
    ends = [-window, *map(exact_ball, sorted(cuts)), window]
    yield from itertools.pairwise(ends)


def _infinite(form: Form, p: Analytic, q: Analytic) -> str | None:
    """Return why the supports alone make the divergence infinite, or None."""
    if form.at_infinity is None and q.support and not _covers(q, p):
        return "P has mass where q = 0"
    if form.at_zero is None and p.support and not _covers(p, q):
        return "Q has mass where p = 0"
    return None


def _covers(outer: Analytic, inner: Analytic) -> bool:
    if inner.support is None or outer.support is None:
        return outer.support is None
    return outer.support[0] <= inner.support[0] and inner.support[1] <= outer.support[1]


def _start(one: Analytic) -> float:
    """Return an \\|x\\| beyond which the tail bounds of a law hold."""
    return max(part.reach for part in analytic_parts(one))


def _window(form: Form, p: Analytic, q: Analytic, goal: arb) -> tuple[arb, arb]:
    """Return a window [−y, y] and what can lie outside of it, less than a quarter of the goal."""
    y = arb(max(_start(p), _start(q)))
    growth = 100 if p.heavy or q.heavy else 1.2
    for _ in range(250):  # 1.2^250 and 100^250 are beyond any scale in binary64
        tail = sum((_tail(form, p, q, y, side) for side in (LEFT, RIGHT)), arb(0))
        if tail.is_finite() and tail < goal / 4:
            return y, _magnitude(tail)
        y = arb((y * growth).mid())
    raise GantheoryError(
        "certified mode cannot bound the tails of this pair: the divergence may be infinite, or "
        "its tails fall too slowly; use the default method, which decides that by rules"
    )


def _tail(
    form: Form,
    p: Analytic,
    q: Analytic,
    y: arb,
    side: int,
) -> arb:
    """Return an upper bound of the integral of \\|integrand\\| beyond y on one side."""
    if form.order is not None:
        return _power_tail(form, p, q, y, side)
    carriers = [one for one, w in zip((p, q), form.weights, strict=True) if w]
    if form.tail is not None:
        return form.tail() * sum((one.tail(Fraction(0), y, side) for one in carriers), arb(0))
    growths = [one.growth(side) for one in (p, q)]
    if any(growth is None for growth in growths):
        return sum((one.tail(Fraction(0), y, side) for one in carriers), arb(0)) * arb.pos_inf()
    terms = [
        (Fraction(0), arb.const_log2()),
        *(item for growth in growths if growth for item in growth.items()),
    ]
    bounds = (size * one.tail(power, y, side) for power, size in terms if size for one in carriers)
    return (form.factor or arb(1)) * sum(bounds, arb(0))


def _power_tail(
    form: Form,
    p: Analytic,
    q: Analytic,
    y: arb,
    side: int,
) -> arb:
    """Bound \\|αp + (1−α)q − p^α q^(1−α)\\|/\\|α(1−α)\\| beyond y on one side."""
    assert form.order is not None
    assert form.factor is not None
    alpha = form.order
    power = power_tail(alpha, p, q, y, side) if alpha > 1 else power_tail(1 - alpha, q, p, y, side)
    linear = [
        exact_ball(abs(c)) * one.tail(Fraction(0), y, side)
        for c, one in ((alpha, p), (1 - alpha, q))
    ]
    return form.factor * (power + sum(linear, arb(0))) / exact_ball(abs(alpha * (1 - alpha)))


def _finish(name: str, value: arb, tail: arb, digits: int, evaluations: int) -> Enclosure:
    """Write a ball as decimal text, and as an estimate in binary64."""
    radius = float(value.rad())
    mid = value.mid().str(digits, radius=False)
    certain = _certain(value, digits)
    middle = float(value.mid())
    error = math.nextafter(radius, math.inf) + abs(middle) * 2.0**-53
    met = certain >= digits
    estimate = Estimate(
        middle,
        error if radius or middle else 0.0,
        Status.OK if math.isfinite(middle) else Status.UNDETERMINED,
        "ball arithmetic",
        None if met else f"{certain} of {digits} digits are certain",
        log_value=float(value.mid().log()) if value.mid() > 0 else None,
        evaluations=evaluations,
    )
    lower = _decimal(value.lower(), digits + 3, decimals.ROUND_FLOOR)
    upper = _decimal(value.upper(), digits + 3, decimals.ROUND_CEILING)
    return Enclosure(
        name, lower, upper, mid, f"{radius:.3g}", certain, f"{float(tail):.3g}", estimate
    )


def _certain(value: arb, digits: int) -> int:
    """Return how many significant decimal digits the radius leaves certain, at most ``digits``."""
    if value.rad() == 0:
        return digits
    if not value.is_finite() or value.contains(0):
        return 0
    relative = (value.rad() / abs(value.mid())).log() / arb(10).log()
    return max(0, min(digits, math.floor(-float(relative))))


def _decimal(value: arb, digits: int, rounding: str) -> str:
    """Return an exact binary number in decimal, rounded the given way."""
    if not value.is_finite():
        return str(float(value))
    mantissa, exponent = (int(part) for part in value.man_exp())
    context = decimals.Context(digits, rounding, Emin=-(10**6), Emax=10**6)
    power = decimals.Decimal(2 ** abs(exponent))
    with_mantissa = decimals.Decimal(mantissa)
    operation = context.multiply if exponent >= 0 else context.divide
    return str(operation(with_mantissa, power))
