"""Hellinger's divergence, total variation, both chi-squared divergences and the triangular one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from flint import acb

from gantheory.divergences.ratio import Ratio
from gantheory.divergences.record import Complement, FDivergence
from gantheory.divergences.stable import Growth, Scaled, Stable, Swapped


def _hellinger2(n: Ratio) -> Scaled:
    return n.log_top, np.expm1(-n.v / 2) ** 2 / 2


def _bc(n: Ratio) -> Scaled:
    return n.log_half, np.ones_like(n.log_half)


def _slope_hellinger2(n: Ratio) -> Scaled:
    weight = np.where(n.positive, n.log_half, n.log_q)
    return weight, np.where(n.positive, 0.5, -0.5) * np.expm1(-n.v / 2)


def _slope_hellinger2_far(n: Ratio) -> Scaled:
    return n.log_half, np.full_like(n.log_half, -0.5)


def _tv(n: Ratio) -> Scaled:
    return n.log_top, n.drop / 2


def _tv_gap(n: Ratio) -> Scaled:
    return n.log_bottom, np.ones_like(n.log_bottom)


def _slope_tv(n: Ratio) -> Scaled:
    return n.log_q, -np.sign(n.u) / 2


def _slope_tv_far(n: Ratio) -> Scaled:
    return n.log_q, -np.heaviside(n.u, 0.5)


def _pearson(n: Ratio) -> Scaled:
    return np.where(n.positive, n.log_power(2.0), n.log_q), n.drop**2


def _slope_pearson(n: Ratio) -> Scaled:
    weight = np.where(n.positive, n.log_power(2.0), n.log_q)
    return weight, np.where(n.positive, 1.0, -1.0) * np.expm1(-2 * n.v)


def _slope_pearson_far(n: Ratio) -> Scaled:
    weight = n.log_power(2.0)
    return weight, np.full_like(weight, -1.0)


def _slope_neyman(n: Ratio) -> Scaled:
    weight = np.where(n.positive, n.log_q, n.log_power(-1.0))
    return weight, np.where(n.positive, -2.0, 2.0) * n.drop


def _slope_neyman_far(n: Ratio) -> Scaled:
    weight = n.log_power(-1.0)
    return weight, np.full_like(weight, 2.0)


def _triangular(n: Ratio) -> Scaled:
    return n.log_top, n.drop**2 * n.share


def _slope_triangular(n: Ratio) -> Scaled:
    return n.log_q, -n.s * (2 + n.s)


def _slope_triangular_far(n: Ratio) -> Scaled:
    return n.log_q_power_of_bottom, -4 * n.share**2


# --- q f(p/q) in balls, of log p, log q and log p/q ---------------------------------------------


def _by_larger(a: acb, b: acb, u: acb) -> tuple[acb, acb]:
    """Return the larger density and the ratio of the smaller to it, by the ball's midpoint."""
    return (a.exp(), (-u).exp()) if u.real.mid() > 0 else (b.exp(), u.exp())


def _tv_balls(a: acb, b: acb, u: acb, analytic: bool) -> acb:
    larger, ratio = _by_larger(a, b, u)
    return larger * (1 - ratio).real_abs(analytic=analytic) / 2


def _tv_gap_balls(a: acb, b: acb, u: acb, analytic: bool) -> acb:
    larger, ratio = _by_larger(a, b, u)
    return larger * acb(1).real_min(ratio, analytic=analytic)


def _triangular_balls(a: acb, b: acb, u: acb, analytic: bool) -> acb:
    larger, ratio = _by_larger(a, b, u)
    return larger * (1 - ratio) ** 2 / (1 + ratio)


def _bc_balls(a: acb, b: acb, u: acb, analytic: bool) -> acb:
    return ((a + b) / 2).exp()


SQUARES = (
    FDivergence(
        "hellinger2",
        "1 - sqrt(r)",
        "H²(P, Q)",
        r"H^2(P,Q)",
        r"\tfrac12\int(\sqrt p-\sqrt q)^2",
        aliases=("hellinger", "h2", "squared-hellinger", "hellinger-squared"),
        reverse="hellinger2",
        power=(Fraction(1, 2), Fraction(1, 4)),
        stable=Stable(_hellinger2, (_slope_hellinger2, _slope_hellinger2_far)),
    ),
    FDivergence(
        "tv",
        "abs(r - 1)/2",
        "TV(P, Q)",
        r"\mathrm{TV}(P,Q)",
        r"\tfrac12\int|p-q|",
        aliases=("tvd", "total-variation", "total-variation-distance"),
        reverse="tv",
        stable=Stable(_tv, (_slope_tv, _slope_tv_far), kinks=(0.0,), balls=_tv_balls),
    ),
    FDivergence(
        "pearson_chi2",
        "(r - 1)**2",
        "χ²(P‖Q)",
        r"\chi^2(P\|Q)",
        r"\int\frac{(p-q)^2}{q}",
        aliases=("chi2", "chi-squared", "chi-square", "pearson", "chi2(p||q)"),
        reverse="neyman_chi2",
        power=(Fraction(2), 2),
        stable=Stable(
            _pearson, (_slope_pearson, _slope_pearson_far), at_infinity=Growth(Fraction(2))
        ),
    ),
    FDivergence(
        "neyman_chi2",
        "(1 - r)**2/r",
        "χ²(Q‖P)",
        r"\chi^2(Q\|P)",
        r"\int\frac{(p-q)^2}{p}",
        aliases=("neyman", "reverse-chi2", "reverse-pearson", "chi2(q||p)"),
        reverse="pearson_chi2",
        power=(Fraction(-1), 2),
        stable=Stable(
            Swapped(_pearson), (_slope_neyman, _slope_neyman_far), at_zero=Growth(Fraction(-1))
        ),
    ),
    FDivergence(
        "triangular",
        "(r - 1)**2/(r + 1)",
        "Δ(P, Q)",
        r"\Delta(P,Q)",
        r"\int\frac{(p-q)^2}{p+q}",
        aliases=("triangle", "triangular-discrimination"),
        reverse="triangular",
        stable=Stable(
            _triangular, (_slope_triangular, _slope_triangular_far), balls=_triangular_balls
        ),
    ),
)

TV_GAP = Complement(
    "tv_gap",
    "tv",
    "1",
    "1 − TV(P, Q)",
    r"\int\min(p,q)",
    _tv_gap,
    _tv_gap_balls,
    aliases=("overlap",),
)
AFFINITY = Complement(
    "bc",
    "hellinger2",
    "1",
    "BC(P, Q)",
    r"\int\sqrt{pq}",
    _bc,
    _bc_balls,
    aliases=("hellinger", "hellinger-affinity", "bhattacharyya", "bhattacharyya-coefficient"),
)
