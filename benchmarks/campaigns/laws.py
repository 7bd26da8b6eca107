"""A law of the oracle in balls of 96 digits, and those made of others; nothing of the package.

A place is an anchor and what lies between: near the end of a support, x − end keeps its digits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flint import arb, ctx

P, R = ParamSpec("P"), TypeVar("R")
BITS = 320  # in which the oracle works; the package is asked outside of them
ZERO, ONE, HALF, TWO = arb(0), arb(1), arb(1) / 2, arb(2)
with ctx.workprec(BITS):
    PI = arb.pi()
    LOG_2, LOG_SQRT_2PI = TWO.log(), (2 * PI).log() / 2
SAME = arb(2) ** -250  # what differs by less is one place


def in_many_digits(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function of the oracle work in `BITS` bits, and leave the caller's as they are."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with ctx.workprec(BITS):
            return function(*args, **kwargs)

    return wrapped


@dataclass(frozen=True)
class Place:
    """The place ``anchor + apart``."""

    anchor: arb
    apart: arb

    @property
    def x(self) -> arb:
        """The place as one number."""
        return self.anchor + self.apart

    def minus(self, c: arb) -> arb:
        """Return x − c; exact to the last digit where c is the anchor."""
        return (self.anchor - c) + self.apart


@dataclass(frozen=True)
class Law:
    """A law on the line.

    ``log`` is its log-density, None off its support. ``anchors`` are places with a width: each end
    and kink is one. ``ends`` of the support, or other places where the density is not smooth, say
    whether it is like a power there. ``tail(x, up)`` is P(X > x), or P(X < x).
    """

    log: Callable[[Place], arb | None]
    anchors: tuple[tuple[arb, arb], ...]
    ends: tuple[tuple[arb, bool], ...] = ()
    support: tuple[arb | None, arb | None] = (None, None)
    tail: Callable[[arb, bool], arb] | None = None


def within(at: Place, support: tuple[arb | None, arb | None]) -> bool:
    """Whether a place lies inside an interval; None is no end."""
    low, high = support
    return (low is None or at.minus(low) > 0) and (high is None or at.minus(high) < 0)


def law(
    log: Any, anchors: Any, ends: Any = (), support: Any = (None, None), tail: Any = None
) -> Law:
    """Return a law whose ``log`` holds inside its support and whose ``tail`` holds there."""

    def inside(at: Place) -> arb | None:
        return log(at) if within(at, support) else None

    def mass(x: arb, up: bool) -> arb:
        low, high = support
        if low is not None and not x > low:
            return ONE if up else ZERO
        if high is not None and not x < high:
            return ZERO if up else ONE
        return tail(x, up)

    return Law(inside, tuple(anchors), tuple(ends), support, tail and mass)


def restrict(base: Law, a: arb | None, b: arb | None) -> Law:
    """Return a law given a <= X <= b."""
    low, high = base.support
    kept = (
        low is not None and (a is None or a <= low),
        high is not None and (b is None or b >= high),
    )
    support = (low if kept[0] else a, high if kept[1] else b)
    mass = _between(base, *support)
    log_mass = mass.log()
    if not log_mass.rad() < arb(2) ** -200:
        raise ArithmeticError("the mass of a restriction is not known")
    ends = [(e, soft) for e, soft in base.ends if within(Place(e, ZERO), support)]
    for e, own in zip(support, kept, strict=True):
        if e is not None:
            ends.append((e, own and any(soft for place, soft in base.ends if place == e)))
    inner = [(x, w) for x, w in base.anchors if within(Place(x, ZERO), support)]
    finest = min([w for _, w in base.anchors])
    edges = [(e, _decay(base, e, finest, support)) for e in support if e is not None]

    def tail(x: arb, up: bool) -> arb:
        return _between(base, x, support[1]) / mass if up else _between(base, support[0], x) / mass

    def log(at: Place) -> arb | None:
        value = base.log(at)
        return None if value is None else value - log_mass

    known = tail if base.tail else None
    return law(log, [*inner, *edges], ends, support, known)


def _between(base: Law, a: arb | None, b: arb | None) -> arb:
    assert base.tail is not None
    precision, ctx.prec = ctx.prec, 2000
    try:
        if a is None and b is None:
            return ONE
        if a is None or b is None:
            return base.tail(b, False) if a is None else base.tail(a, True)
        above = base.tail(a, True)
        if above < HALF:
            return above - base.tail(b, True)
        return base.tail(b, False) - base.tail(a, False)
    finally:
        ctx.prec = precision


def _decay(base: Law, end: arb, finest: arb, support: tuple[arb | None, arb | None]) -> arb:
    """Return the width over which a restricted density changes next to its end."""
    step = finest / 1000
    near = [base.log(Place(end, side * step)) for side in (-1, 1)]
    width = finest
    if None not in near:
        steep = abs((near[1] - near[0]).mid()) / (2 * step)
        if steep * width > 1:
            width = 1 / steep
    if None not in support and width > (support[1] - support[0]) / 2:
        width = (support[1] - support[0]) / 2
    return width.mid()


def affine(base: Law, m: arb, s: arb) -> Law:
    """Return the law of m + s·X."""
    c = abs(s).log()

    def image(x: arb | None) -> arb | None:
        return None if x is None else m + s * x

    places = [x for x, _ in (*base.anchors, *base.ends)]

    def log(at: Place) -> arb | None:
        anchor = (at.anchor - m) / s
        for x in places:  # the anchor is the image of one exactly, not to the last ball
            if abs(anchor - x) < (abs(x) + abs(m / s)) * SAME:
                anchor = x
        value = base.log(Place(anchor, at.apart / s))
        return None if value is None else value - c

    low, high = map(image, base.support)
    known = base.tail
    return law(
        log,
        [(m + s * x, abs(s) * w) for x, w in base.anchors],
        [(m + s * x, soft) for x, soft in base.ends],
        (low, high) if s > 0 else (high, low),
        known and (lambda x, up: known((x - m) / s, up == bool(s > 0))),
    )


def mixture(weights: list[arb], parts: list[Law]) -> Law:
    """Return the law with density Σ w_k p_k."""
    total = sum(weights, ZERO)
    shares = [w / total for w in weights]
    logs = [w.log() for w in shares]

    def log(at: Place) -> arb | None:
        found = [
            c + v for c, part in zip(logs, parts, strict=True) if (v := part.log(at)) is not None
        ]
        if not found:
            return None
        top = max(found, key=lambda v: v.mid())
        return top + sum(((v - top).exp() for v in found), ZERO).log()

    def tail(x: arb, up: bool) -> arb:
        return sum((w * part.tail(x, up) for w, part in zip(shares, parts, strict=True)), ZERO)

    known = tail if all(part.tail for part in parts) else None
    return Law(
        log,
        tuple(a for part in parts for a in part.anchors),
        tuple(e for part in parts for e in part.ends),
        (None, None),
        known,
    )
