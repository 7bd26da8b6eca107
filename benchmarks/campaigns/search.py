"""Where an integrand of the oracle crosses 0, peaks or has to be looked at, by bare searches."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from flint import arb

from benchmarks.campaigns.laws import HALF

CLOSE = 20  # e-folds within an anchor's width: a crossing nearer to it costs no digit
REACH = 1e12  # e-folds from an anchor: there only a power of x is left of an integrand


def is_sharp(v: arb) -> bool:
    return bool(v.rad() < 1e-6 * (1 + abs(v)))


def looked_at(start: float, end: float | None, soft: bool) -> list[float]:
    """Return log-distances at which to look: densely about the width, out to the end or beyond."""
    start = start if end is None else min(start, end)
    inward, step = [start], 1.0
    while inward[-1] > start - (REACH if soft else CLOSE):
        inward.append(inward[-1] - step)
        step *= 1.25
    if end is not None:
        n = min(60, max(1, int((end - start) / 0.7) + 1))
        return inward[::-1] + [
            start + (end - start) * k / n for k in range(1, n + 1) if end > start
        ]
    outward, step = [start + 0.5], 0.5
    while outward[-1] < start + REACH:
        step *= 1.12 if outward[-1] > start + 8 else 1.0
        outward.append(outward[-1] + step)
    return inward[::-1] + outward


def placed(
    place: arb, side: int, search: Callable[[], tuple[arb, arb]]
) -> Iterator[tuple[arb, arb]]:
    """Yield what a search for a log-distance and its width finds, as a place and its width."""
    try:
        y, width = search()
    except ArithmeticError:
        return
    apart = y.exp().mid()
    yield (place + side * apart).mid(), (apart * width).mid()


def crossing(f: Callable[[arb], arb], low: arb, high: arb) -> tuple[arb, arb]:
    """Return a zero of f by bisection with secants, and the length over which f changes by 1."""
    a, b = f(low), f(high)
    for k in range(400):
        y = (low + high) / 2 if k % 3 == 2 else low - a * (high - low) / (b - a)
        y = y.mid()
        value = f(y)
        if value == 0:
            break
        if value * a < 0:
            high, b = y, value
        else:
            low, a = y, value
        if high - low < (abs(y) + 1) * arb(2) ** -150:
            break
    tiny = arb("1e-20")
    steep = abs(f(y + tiny) - f(y - tiny)) / (2 * tiny)
    return y, min((1 / steep, HALF)) if steep > 2 else HALF


def summit(f: Callable[[arb], arb], low: arb, high: arb) -> tuple[arb, arb]:
    """Return where f is highest, by golden section, and the length over which it falls by 1."""
    golden = arb((math.sqrt(5) - 1) / 2)
    a, b = high - golden * (high - low), low + golden * (high - low)
    at_a, at_b = f(a), f(b)
    for _ in range(70):
        if at_a > at_b:
            high, b, at_b = b, a, at_a
            a = (high - golden * (high - low)).mid()
            at_a = f(a)
        else:
            low, a, at_a = a, b, at_b
            b = (low + golden * (high - low)).mid()
            at_b = f(b)
    y = ((low + high) / 2).mid()
    top, step = f(y), arb("1e-6")
    while not top - f(y + step) > 1:
        step *= 2
        if step > 1e12:
            raise ArithmeticError
    return y, step
