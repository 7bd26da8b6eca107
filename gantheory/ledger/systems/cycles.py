"""Two flows of the Dirac-GAN that linearisation does not decide: a limit cycle, a slow approach.

Mescheder et al. (2018), arXiv:1801.04406: data at 0, fakes at θ, scores ψx. With WGAN-GP the flow
is θ' = ψ, ψ' = -θ - 2λ(|ψ| - 1) sign ψ: linear above and below ψ = 0, around θ = 2λ and -2λ. With
the non-saturating loss it turns, and its squared distance s to the equilibrium falls like 8/t.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import sympy as sp
from flint import arb, arb_series, ctx

from gantheory.records import How, Verdict
from gantheory.verify import decided, exhausted

weight, when, reach = sp.symbols("lambda t b", positive=True)
STEP, ORDER, DIGITS = 0.125, 10, 100  # of the enclosed trajectory: time, terms, bits


def wgan_gp_cycle(amplitude: str = "coth") -> Verdict:
    """Every orbit of WGAN-GP's Dirac flow, 0 < λ < 1, tends to one cycle around the equilibrium.

    With y = θ - 2λ the flow above ψ = 0 is y'' + 2λy' + y = 0. An orbit that crosses at θ = -a
    comes back at θ = 2λ + (a + 2λ) q with q = exp(-πλ/ω), ω² = 1 - λ², and below all is mirrored:
    the distances of crossings follow a → 2λ + (a + 2λ) q, which contracts to its fixed point.

    Args:
        amplitude: the claimed fixed point: "coth": 2λ coth(πλ/2ω); "tanh" or "0" (false).
    """
    omega = sp.sqrt(1 - weight**2)
    y = (
        -reach
        * sp.exp(-weight * when)
        * (sp.cos(omega * when) + weight / omega * sp.sin(omega * when))
    )
    slope = sp.diff(y, when)
    q = sp.exp(-sp.pi * weight / omega)
    half = q.func(q.args[0] / 2)
    claimed = {"coth": (1 / half + half) / (1 / half - half),
               "tanh": (1 / half - half) / (1 / half + half), "0": sp.S.Zero}  # fmt: skip
    point = 2 * weight * claimed[amplitude]

    def cases() -> Iterator[tuple[str, bool]]:
        yield "y'' + 2λy' + y = 0", _is_zero(sp.diff(slope, when) + 2 * weight * slope + y)
        yield (
            "y(0) = -b, y'(0) = 0",
            _is_zero(y.subs(when, 0) + reach) and _is_zero(slope.subs(when, 0)),
        )
        sine = reach * sp.exp(-weight * when) * sp.sin(omega * when) / omega
        yield "y' > 0 until π/ω, as b exp(-λt) sin(ωt)/ω", _is_zero(slope - sine)
        yield "y(π/ω) = bq", _is_zero(y.subs(when, sp.pi / omega) - reach * q)
        said = f"2λ + (a + 2λ) q = a at a = {amplitude}, up to 2λ and πλ/2ω"
        yield said, _is_zero(2 * weight + (point + 2 * weight) * q - point)

    return exhausted(f"WGAN-GP's Dirac flow tends to a cycle of amplitude {amplitude}", cases())


def _is_zero(expression: sp.Expr) -> bool:
    return bool(sp.simplify(sp.expand(expression)) == 0)


def slow_approach(rate: int = 8, low: str = "2", high: str = "6") -> Verdict:
    """rate/s - t stays between two numbers along the non-saturating flow from θ = ψ = 1.

    Enclosed by Taylor's method with a remainder in balls, in w = 1/s and the angle φ, in which
    the flow is nearly a translation:
    w' = w sin 2φ tanh(sin 2φ/4w), φ' = -(1 + cos 2φ tanh(sin 2φ/4w))/2.

    Args:
        rate: 8 is right.
        low: what rate/s - t stays above, at every step to t = 100.
        high: what it stays below.
    """
    found = [rate * w - step * arb(STEP) for step, w in enumerate(_enclosed(), start=1)]
    least, most = found[0], found[0]
    for one in found:
        least, most = least.min(one), most.max(one)
    inside = bool(least > arb(low)) and bool(most < arb(high))
    outside = bool(least < arb(low)) or bool(most > arb(high))
    why = f"{rate}/s - t lies between {float(least.lower()):.4f} and {float(most.upper()):.4f}"
    return decided(
        f"{rate}/s - t stays between {low} and {high} for t up to 100",
        inside if inside or outside else None, f"{why} at all steps of 1/8",
        how=How.CERTIFIED,
    )  # fmt: skip


@cache
def _enclosed() -> tuple[arb, ...]:
    """Return balls around 1/s at each step up to t = 100."""
    before, cap = ctx.prec, ctx.cap
    ctx.prec, ctx.cap = DIGITS, ORDER + 2
    try:
        state, found = [arb("0.5"), arb.pi() / 4], []
        for _ in range(int(100 / STEP)):
            state = _advance(state)
            found.append(state[0])
        return tuple(found)
    finally:
        ctx.prec, ctx.cap = before, cap


def _flow(state: list[Any], sine: Callable[[Any], Any], cosine: Callable[[Any], Any]) -> list[Any]:
    w, angle = state
    s, c = sine(2 * angle), cosine(2 * angle)
    power = (s / (2 * w)).exp()  # of twice the argument of tanh
    bend = (power - 1) / (power + 1)
    return [w * s * bend, -(1 + c * bend) / 2]


def _advance(start: list[arb]) -> list[arb]:
    """Return balls around the state one step later."""
    box = _picard(start)
    polynomials, remainder = _series(start, ORDER), _series(box, ORDER + 1)
    h = arb(STEP)
    return [
        sum((one[k] * h**k for k in range(ORDER + 1)), arb(0)) + rest[ORDER + 1] * h ** (ORDER + 1)
        for one, rest in zip(polynomials, remainder, strict=True)
    ]


def _series(start: list[arb], order: int) -> list[arb_series]:
    """Return the Taylor series of the solution that starts in balls, term by term."""
    terms = [[x] for x in start]
    for _ in range(order):
        series = [arb_series(one, prec=len(one)) for one in terms]
        slopes = _flow(series, lambda x: x.sin(), lambda x: x.cos())
        for one, slope in zip(terms, slopes, strict=True):
            one.append(slope[len(one) - 1] / len(one))
    return [arb_series(one, prec=order + 1) for one in terms]


def _picard(start: list[arb]) -> list[arb]:
    """Return balls that hold the solution through a whole step."""
    whole = arb(0.5, 0.5) * STEP
    box = start
    while True:
        slopes = _flow(box, lambda x: x.sin(), lambda x: x.cos())
        moved = [x + whole * v for x, v in zip(start, slopes, strict=True)]
        if all(b.contains(m) for b, m in zip(box, moved, strict=True)):
            return moved
        box = [m + arb(0, 0.002) for m in moved]


FUNCTIONS: Mapping[str, Callable[..., Verdict]] = {
    "wgan_gp_cycle": wgan_gp_cycle,
    "slow_approach": slow_approach,
}
PLANTS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "wgan_gp_cycle": {"the inverse": {"amplitude": "tanh"}, "rest": {"amplitude": "0"}},
    "slow_approach": {"half the rate": {"rate": 4}, "another end": {"high": "3"}},
}
