"""Two laws at once: their log-ratio without cancellation, and tails of powers of both."""

from __future__ import annotations

from fractions import Fraction

from flint import acb, arb

from gantheory.exact.arb import exact_ball
from gantheory.integrals.certified.laws import (
    Analytic,
    AnalyticLaw,
    AnalyticNormal,
    AnalyticStudentT,
    LogGamma,
)


def log_ratio(p: Analytic, q: Analytic, x: acb, analytic: bool) -> acb | None:
    """Return log p/q without subtracting logarithms, for two normals or two t laws of one df.

    A ball around the difference of two logarithms is as wide as they are; where the laws are close,
    or in tails of one order, that hides the sign of the ratio. None for other pairs.
    """
    if isinstance(p, AnalyticNormal) and isinstance(q, AnalyticNormal):
        return _normal_ratio(p, q, x)
    if isinstance(p, AnalyticStudentT) and isinstance(q, AnalyticStudentT) and p.df == q.df:
        return _t_ratio(p, q, x, analytic)
    return None


def _normal_ratio(p: AnalyticNormal, q: AnalyticNormal, x: acb) -> acb:
    """Return (b − a)(b + a)/2 + log(s_q/s_p) with a, b the standardised x of p and of q."""
    s, k = exact_ball(q.scale), exact_ball(p.scale)
    apart = x * (1 / s - 1 / k) + (exact_ball(p.loc) / k - exact_ball(q.loc) / s)
    return apart * (p.z(x) + q.z(x)) / 2 + (s / k).log()


def _t_ratio(p: AnalyticStudentT, q: AnalyticStudentT, x: acb, analytic: bool) -> acb:
    df, s, k = exact_ball(p.df), exact_ball(q.scale), exact_ball(p.scale)
    y, z = x - exact_ball(q.loc), x - exact_ball(p.loc)
    # (df s² + y²)/(df k² + z²) with the large parts cancelled by hand
    shift = (exact_ball(p.loc) - exact_ball(q.loc)) * (y + z) + df * (s**2 - k**2)
    ratio = 1 + shift / (df * k**2 + z**2)
    return (df + 1) / 2 * ratio.log(analytic=analytic) + df * (k / s).log()


def power_tail(
    order: Fraction,
    p: Analytic,
    q: Analytic,
    y: arb,
    side: int,
) -> arb:
    """Return an upper bound of ∫ p^α q^(1−α) beyond y on one side, α > 1, or a non-finite ball.

    A power of a sum of n terms is at most n^(α − 1) times the sum of their powers, and q is at
    least any one of its terms.
    """
    mine, theirs = _terms(p), _terms(q)
    total = arb(0)
    for one in mine:
        bounds = [_term_tail(order, one, other, y, side) for other in theirs]
        finite = [bound for bound in bounds if bound.is_finite()]
        if not finite:
            return arb.pos_inf()
        total += min(finite, key=float)
    return arb(len(mine)) ** exact_ball(order - 1) * total


def _terms(one: Analytic) -> list[tuple[arb, AnalyticLaw]]:
    if isinstance(one, AnalyticLaw):
        return [(arb(1), one)]
    return [(exact_ball(w), part) for w, part in zip(one.weights, one.parts, strict=True)]


def _term_tail(
    order: Fraction, one: tuple[arb, AnalyticLaw], other: tuple[arb, AnalyticLaw], y: arb, side: int
) -> arb:
    alpha, (w, p), (v, q) = exact_ball(order), one, other
    if p.support:
        return arb(0)
    rate = _power_rate(alpha, p, q, y, side)
    if not rate > 0:
        return arb.pos_inf()
    logs = [part.log_density(acb(side * y), False).real + c.log() for c, part in ((w, p), (v, q))]
    return (alpha * logs[0] + (1 - alpha) * logs[1]).exp() / rate


def _power_rate(alpha: arb, p: AnalyticLaw, q: AnalyticLaw, y: arb, side: int) -> arb:
    """Return a lower bound of how fast p^α q^(1−α) falls beyond y, or a negative number."""
    if type(p) is type(q) and isinstance(p, AnalyticNormal | LogGamma):
        # both rates are exact, and linear in y or in e^y: growing once, they grow for ever
        here, further = (
            alpha * p.rate(k * y, side) - (alpha - 1) * q.rate(k * y, side) for k in (1, 2)
        )
        return here if further >= here else arb(-1)
    bound = q.steepest(side)
    return alpha * p.rate(y, side) - (alpha - 1) * bound if bound.is_finite() else arb(-1)
