"""Divergences from and to the middle law M = (P + Q)/2, and the Jensen-Shannon divergence."""

from __future__ import annotations

import numpy as np
from flint import acb, arb

from gantheory.divergences.ratio import LOG2, Ratio
from gantheory.divergences.record import Complement, FDivergence
from gantheory.divergences.series import E_LOG, LOG, SP_SIG, XLOG, Array, series
from gantheory.divergences.stable import (
    INFINITE_LOG,
    ZERO_LOG,
    Scaled,
    Stable,
    Swapped,
    SwappedBalls,
)
from gantheory.exact.arb import softplus


def _log_p_over_m(n: Ratio) -> Array:
    """Return log(p/m) = log(1 + s)."""
    return LOG2 - n.log1pe - np.where(n.positive, 0.0, n.v)


def _p_over_m(n: Ratio) -> Array:
    return 2 * n.share * np.where(n.positive, 1.0, n.e)


def _finite(x: Array) -> Array:
    return np.where(np.isinf(x), 0.0, x)


# --- values ---------------------------------------------------------------------------------


def _jsd(n: Ratio) -> Scaled:
    s, u = n.s, np.clip(n.u, -1.0, 1.0)
    close = np.log1p(-np.minimum(s * s, 0.5)) + s * u
    far = 2 * (LOG2 - n.log1pe - n.ve * n.share)
    return n.log_top, np.where(n.v < 1, close, far) * (1 + n.e) / 4


def _jsd_gap(n: Ratio) -> Scaled:
    return n.log_bottom, (n.log1pe_per_e + n.v + n.log1pe) / 2


def _kl_pm(n: Ratio) -> Scaled:
    near = np.abs(n.s) < 0.1
    log_share = np.where(np.isinf(n.u) & ~n.positive, 0.0, _log_p_over_m(n))  # 0·log 0 = 0
    mantissa = series(n.s, XLOG, near, _p_over_m(n) * log_share - n.s)
    return n.log_top, mantissa * (1 + n.e) / 2


def _kl_mp(n: Ratio) -> Scaled:
    mantissa = series(n.s, LOG, np.abs(n.s) < 0.1, n.s - _log_p_over_m(n))
    return n.log_top, mantissa * (1 + n.e) / 2


# --- slopes: G(u) - G(0), then G(u) minus a limit ---------------------------------------------


def _slope_jsd(n: Ratio) -> Scaled:
    return n.log_q, -n.log_mean / 2


def _slope_jsd_far(n: Ratio) -> Scaled:
    return n.log_bottom, -np.where(n.positive, n.v + n.log1pe, n.log1pe_per_e) / 2


def _slope_kl_pm(n: Ratio) -> Scaled:
    return n.log_q, -n.s / 2


def _slope_kl_pm_far(n: Ratio) -> Scaled:
    return n.log_bottom, -n.share


def _slope_kl_qm(n: Ratio) -> Scaled:
    return n.log_q, n.s / 2 - n.log_mean


def _slope_kl_qm_far(n: Ratio) -> Scaled:
    e = np.maximum(n.e, 0.05)
    behind = series(n.e, SP_SIG, n.e < 0.1, (np.log1p(e) - e / (1 + e)) / e**2)
    ahead = n.v + n.log1pe - n.share
    return n.log_q_power_of_bottom, -np.where(n.positive, ahead, behind)


def _slope_kl_mp(n: Ratio) -> Scaled:
    return n.log_q, n.swapped.log_mean / 2


def _slope_kl_mp_far(n: Ratio) -> Scaled:
    weight = np.where(n.positive, n.log_power(-1.0), n.log_q)
    return weight, np.where(n.positive, n.log1pe_per_e, n.v + n.log1pe) / 2


def _slope_kl_mq(n: Ratio) -> Scaled:
    ahead = n.drop - n.e * _finite(n.log_mean)
    behind = -n.drop - n.log_mean
    return n.log_top, -np.where(n.positive, ahead, behind) / 2


def _slope_kl_mq_far(n: Ratio) -> Scaled:
    e = np.maximum(n.e, 0.05)
    behind = series(n.e, E_LOG, n.e < 0.1, (e - np.log1p(e)) / e**2)
    ahead = 1 - n.ve - n.e * n.log1pe
    weight = np.where(n.positive, n.log_p, n.log_power(2.0))
    return weight, -np.where(n.positive, ahead, behind) / 2


# --- q f(p/q) in balls, of log p, log q and log p/q ---------------------------------------------


def _kl_pm_balls(a: acb, b: acb, u: acb, analytic: bool) -> acb:
    return a.exp() * (arb.const_log2() - softplus(-u, analytic))


def _kl_mp_balls(a: acb, b: acb, u: acb, analytic: bool) -> acb:
    return (a.exp() + b.exp()) / 2 * (softplus(-u, analytic) - arb.const_log2())


def _jsd_balls(a: acb, b: acb, u: acb, analytic: bool) -> acb:
    return (_kl_pm_balls(a, b, u, analytic) + _kl_pm_balls(b, a, -u, analytic)) / 2


def _jsd_gap_balls(a: acb, b: acb, u: acb, analytic: bool) -> acb:
    return (a.exp() * softplus(-u, analytic) + b.exp() * softplus(u, analytic)) / 2


MIDDLE = (
    FDivergence(
        "jsd",
        "(r*log(r) - (1 + r)*log((1 + r)/2))/2",
        "JSD(P, Q)",
        r"\mathrm{JSD}(P,Q)",
        r"\tfrac12\mathrm{KL}(P\|M)+\tfrac12\mathrm{KL}(Q\|M)",
        aliases=("js", "jensen-shannon", "js-divergence", "jensen-shannon-divergence"),
        reverse="jsd",
        stable=Stable(_jsd, (_slope_jsd, _slope_jsd_far), balls=_jsd_balls),
    ),
    FDivergence(
        "kl_pm",
        "r*log(2*r/(1 + r))",
        "KL(P‖M)",
        r"\mathrm{KL}(P\|M)",
        r"\int p\log\frac{2p}{p+q}",
        reverse="kl_qm",
        stable=Stable(_kl_pm, (_slope_kl_pm, _slope_kl_pm_far), balls=_kl_pm_balls),
    ),
    FDivergence(
        "kl_qm",
        "log(2/(1 + r))",
        "KL(Q‖M)",
        r"\mathrm{KL}(Q\|M)",
        r"\int q\log\frac{2q}{p+q}",
        reverse="kl_pm",
        stable=Stable(
            Swapped(_kl_pm), (_slope_kl_qm, _slope_kl_qm_far), balls=SwappedBalls(_kl_pm_balls)
        ),
    ),
    FDivergence(
        "kl_mp",
        "(1 + r)/2*log((1 + r)/(2*r))",
        "KL(M‖P)",
        r"\mathrm{KL}(M\|P)",
        r"\int \frac{p+q}2\log\frac{p+q}{2p}",
        reverse="kl_mq",
        stable=Stable(
            _kl_mp, (_slope_kl_mp, _slope_kl_mp_far), at_zero=ZERO_LOG, balls=_kl_mp_balls
        ),
    ),
    FDivergence(
        "kl_mq",
        "(1 + r)/2*log((1 + r)/2)",
        "KL(M‖Q)",
        r"\mathrm{KL}(M\|Q)",
        r"\int \frac{p+q}2\log\frac{p+q}{2q}",
        reverse="kl_mp",
        stable=Stable(
            Swapped(_kl_mp),
            (_slope_kl_mq, _slope_kl_mq_far),
            at_infinity=INFINITE_LOG,
            balls=SwappedBalls(_kl_mp_balls),
        ),
    ),
)

JSD_GAP = Complement(
    "jsd_gap",
    "jsd",
    "log(2)",
    "log 2 − JSD(P, Q)",
    r"\log 2-\mathrm{JSD}(P,Q)",
    _jsd_gap,
    _jsd_gap_balls,
)
