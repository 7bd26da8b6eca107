"""Divergences as the textbooks write them, q·f(p/q), in balls of many digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flint import arb, ctx

from benchmarks.campaigns.laws import BITS, HALF, LOG_2, ONE, TWO, ZERO


@dataclass(frozen=True)
class Divergence:
    """∫ q·f(p/q), and how f behaves far away.

    ``integrand`` is q·f in p, q, u = log p − log q and the function α ↦ p^α·q^(1 − α).

    ``at_0`` is f(0) and ``at_inf`` is lim f(r)/r, both for f(1) = f'(1) = 0, None where infinite.
    ``powers`` are the exponents of r as r → ∞ and as r → 0, and ``logs`` say whether a logarithm
    multiplies them there. ``order`` is that of the zero at p = q.
    """

    integrand: Callable[[arb, arb, arb, Callable[[arb], arb]], arb]
    at_0: arb | None
    at_inf: arb | None
    powers: tuple[arb, arb]
    logs: tuple[bool, bool] = (False, False)
    order: int = 2


def over_middle(u: arb) -> arb:
    """Return log(p/m), m = (p + q)/2."""
    return LOG_2 - (-abs(u)).exp().log1p() + (ZERO if u > 0 else u)


def softplus(u: arb) -> arb:
    """Return log(1 + e^u)."""
    return (-abs(u)).exp().log1p() + (u if u > 0 else ZERO)


def power(alpha: arb) -> Divergence:
    """Return the power divergence of an order other than 0 and 1."""
    scale = alpha * (alpha - 1)
    zero, one = ZERO, ONE
    return Divergence(
        lambda p, q, u, mix: (mix(alpha) - q - alpha * (p - q)) / scale,
        1 / alpha if alpha > 0 else None,
        1 / (1 - alpha) if alpha < 1 else None,
        (alpha if alpha > 1 else one, alpha if alpha < 0 else zero),
    )


_HALVES, _NONE = (HALF, HALF), (ZERO, ZERO)
with ctx.workprec(BITS):
    _TO_MIDDLE, _FROM_MIDDLE, _HALF_LOG_2 = LOG_2 - HALF, HALF - LOG_2 / 2, LOG_2 / 2

DIVERGENCES: dict[str, Divergence] = {
    "kl_pq": Divergence(lambda p, q, u, mix: p * u - p + q, ONE, None, (ONE, ZERO), (True, False)),
    "kl_qp": Divergence(lambda p, q, u, mix: -q * u + p - q, None, ONE, (ONE, ZERO), (False, True)),
    "jeffreys": Divergence(lambda p, q, u, mix: (p - q) * u, None, None, (ONE, ZERO), (True, True)),
    "jsd": Divergence(
        lambda p, q, u, mix: (p * over_middle(u) + q * over_middle(-u)) / 2,
        _HALF_LOG_2, _HALF_LOG_2, (ONE, ZERO),
    ),
    "jsd_gap": Divergence(
        lambda p, q, u, mix: (p * softplus(-u) + q * softplus(u)) / 2,
        *_NONE, (ZERO, ONE), (True, True), 0,
    ),
    "tv": Divergence(lambda p, q, u, mix: abs(p - q) / 2, *_HALVES, (ONE, ZERO), order=1),
    "tv_gap": Divergence(lambda p, q, u, mix: p.min(q), *_NONE, (ZERO, ONE), order=0),
    "bc": Divergence(lambda p, q, u, mix: mix(HALF), *_NONE, _HALVES, order=0),
    "hellinger2": Divergence(
        lambda p, q, u, mix: (p + q) / 2 - mix(HALF), *_HALVES, (ONE, ZERO)
    ),
    "pearson_chi2": Divergence(lambda p, q, u, mix: (p - q) ** 2 / q, ONE, None, (TWO, ZERO)),
    "neyman_chi2": Divergence(lambda p, q, u, mix: (p - q) ** 2 / p, None, ONE, (ONE, -ONE)),
    "triangular": Divergence(lambda p, q, u, mix: (p - q) ** 2 / (p + q), ONE, ONE, (ONE, ZERO)),
    "kl_pm": Divergence(
        lambda p, q, u, mix: p * over_middle(u) - (p - q) / 2, HALF, _TO_MIDDLE, (ONE, ZERO)
    ),
    "kl_qm": Divergence(
        lambda p, q, u, mix: q * over_middle(-u) - (q - p) / 2, _TO_MIDDLE, HALF, (ONE, ZERO)
    ),
    "kl_mp": Divergence(
        lambda p, q, u, mix: -(p + q) / 2 * over_middle(u) + (p - q) / 2,
        None, _FROM_MIDDLE, (ONE, ZERO), (False, True),
    ),
    "kl_mq": Divergence(
        lambda p, q, u, mix: -(p + q) / 2 * over_middle(-u) + (q - p) / 2,
        _FROM_MIDDLE, None, (ONE, ZERO), (True, False),
    ),
}  # fmt: skip


def named(name: str) -> Divergence:
    """Return a divergence by name; ``power_0.3`` is one too."""
    return DIVERGENCES[name] if name in DIVERGENCES else power(arb(name.removeprefix("power_")))


def values(what: Any, lp: arb | None, lq: arb | None) -> list[arb]:
    """Return q·f(p/q) for each divergence; where one density is 0 from f(0), or lim f(r)/r."""
    if lp is not None and lq is not None:
        p, q, u = lp.exp(), lq.exp(), lp - lq
        return [d.integrand(p, q, u, lambda a: between(a, lp, lq).exp()) for d in what]
    x = lq.exp() if lp is None else lp.exp()
    return [x * (d.at_0 if lp is None else d.at_inf) for d in what]


def size_of(d: Divergence, lp: arb | None, lq: arb | None) -> arb | None:
    """Return the logarithm of |q·f(p/q)| up to a few nats, however small; None is 0."""
    if lp is None or lq is None:
        share = d.at_0 if lp is None else d.at_inf
        return None if share is None or share == 0 or lp is lq else lq if lp is None else lp
    u = lp - lq
    if abs(u) < 1:
        return lq + d.order * (abs(u).log() if not u.contains(0) else arb(-2000))
    side = 0 if u > 0 else 1
    return between(d.powers[side], lp, lq) + (abs(u).log() if d.logs[side] else ZERO)


def between(alpha: arb, lp: arb, lq: arb) -> arb:
    """Return log(p^α·q^(1 − α)), without the one of which there is none."""
    return alpha * lp + (1 - alpha) * lq
