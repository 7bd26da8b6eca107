"""Kullback-Leibler divergences, in both directions and their sum."""

from __future__ import annotations

import numpy as np
from flint import acb

from gantheory.divergences.ratio import Ratio
from gantheory.divergences.record import FDivergence
from gantheory.divergences.stable import (
    INFINITE_LOG,
    ZERO_LOG,
    Scaled,
    Stable,
    Swapped,
    SwappedBalls,
)


def _kl_pq(n: Ratio) -> Scaled:
    near = n.v < 0.5
    ahead = n.phi
    # e·φ(v) = 1 − e − v·e = v² − (1 + v)·φ(−v), which loses a bit and a half
    behind = np.where(near, n.v * n.v - (1 + n.v) * ahead, n.drop - n.ve)
    return n.log_top, np.where(n.positive, ahead, behind)


def _slope_kl_pq(n: Ratio) -> Scaled:
    return n.log_top, np.where(n.positive, -n.drop, n.drop)


def _slope_kl_pq_far(n: Ratio) -> Scaled:
    return n.log_p, np.full_like(n.log_p, -1.0)


def _slope_kl_qp(n: Ratio) -> Scaled:
    return n.log_q, -n.u


def _jeffreys(n: Ratio) -> Scaled:
    return n.log_top, n.v * n.drop


def _slope_jeffreys(n: Ratio) -> Scaled:
    return n.log_top, np.where(n.positive, -n.drop - n.ve, n.v + n.drop)


# --- q f(p/q) in balls, of log p, log q and log p/q ---------------------------------------------


def _kl_pq_balls(a: acb, b: acb, u: acb, analytic: bool) -> acb:
    return a.exp() * u


def _jeffreys_balls(a: acb, b: acb, u: acb, analytic: bool) -> acb:
    return (a.exp() - b.exp()) * u


EITHER = ("kl", "kl-divergence", "kullback-leibler", "relative-entropy")  # names no direction

KULLBACK_LEIBLER = (
    FDivergence(
        "kl_pq",
        "r*log(r)",
        "KL(P‖Q)",
        r"\mathrm{KL}(P\|Q)",
        r"\int p\log\frac pq",
        aliases=(*EITHER, "forward-kl", "fkl", "kl(data||model)"),
        reverse="kl_qp",
        stable=Stable(
            _kl_pq,
            (_slope_kl_pq, _slope_kl_pq_far),
            at_infinity=INFINITE_LOG,
            balls=_kl_pq_balls,
        ),
    ),
    FDivergence(
        "kl_qp",
        "-log(r)",
        "KL(Q‖P)",
        r"\mathrm{KL}(Q\|P)",
        r"\int q\log\frac qp",
        aliases=(*EITHER, "reverse-kl", "backward-kl", "rkl", "kl(model||data)"),
        reverse="kl_pq",
        stable=Stable(
            Swapped(_kl_pq), (_slope_kl_qp,), at_zero=ZERO_LOG, balls=SwappedBalls(_kl_pq_balls)
        ),
    ),
)

JEFFREYS = FDivergence(
    "jeffreys",
    "(r - 1)*log(r)",
    "J(P, Q)",
    r"J(P,Q)",
    r"\int(p-q)\log\frac pq",
    aliases=("jeffrey", "j-divergence"),
    reverse="jeffreys",
    stable=Stable(_jeffreys, (_slope_jeffreys,), ZERO_LOG, INFINITE_LOG, balls=_jeffreys_balls),
)
