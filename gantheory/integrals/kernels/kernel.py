r"""The named divergences as integrands in u = log p − log q, stable for every u.

With f̃ = f − f'(1)(r − 1), which gives the same divergence, each value is ∫ q f̃(p/q) over the
union of the supports, and each derivative in a parameter of q is ∫ q·score·(G − c) with
G = f̃ − r f̃' and any constant c. A kernel returns its integrand as exp(log weight)·mantissa, so
that values of 1e-300 and below keep all their digits. The second formula of `Kernel.slopes`,
where there is one, subtracts the limit of G where q's own mass sits far from p: it keeps tiny
gradients exact where the first would cancel.

The derivative in a parameter of p is that in q of the reversed divergence, with p and q exchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from gantheory.densities.base import Array
from gantheory.integrals.kernels.ratio import LOG2, Ratio
from gantheory.integrals.kernels.series import E_LOG, LOG, SP_SIG, XLOG, phi, series

Scaled = tuple[Array, Array]  # log weight, mantissa
Integrand = Callable[[Ratio], Scaled]


@dataclass(frozen=True)
class Growth:
    """f(r) ~ sign · r**power · abs(log r)**logs as r tends to 0 or to infinity.

    The sign matters where f is unbounded; 0 says that it is not known.
    """

    power: Fraction
    logs: int = 0
    sign: int = 1

    @property
    def is_finite(self) -> bool:
        """Whether f(0), or f'(∞) after exchanging roles, is finite."""
        return self.power >= 0 and not self.logs


@dataclass(frozen=True, eq=False)  # a kernel is itself alone: its fields are slow to compare
class Kernel:
    """One divergence for the integrator.

    Attributes:
        name: as in the table of divergences.
        value: the integrand of the value.
        slopes: integrands G − c of a derivative in q's parameters, for one or two constants c.
        reverse: the name of the divergence with p and q exchanged.
        at_zero: how f̃ grows as r → 0; power 0 without logs where f(0) is finite.
        at_infinity: how f̃ grows as r → ∞; power 1 without logs where f'(∞) is finite.
        levels: the values of u at which f bends or breaks: panels are cut there.
        kinks: those of the levels at which f' jumps.
        touches: whether the integrand vanishes to second order where p = q.
        sign: −1 for a complement, whose derivative is minus that of its divergence.
        exchanged: makes the reversed kernel, where it has no name of its own.
        jumps: (u, height) of the jumps of f.
        lone_p: whether p counts at f'(∞) where q = 0; not in a loss E_q[h(p/q)].
        lone_q: whether q counts at f(0) where p = 0; not in such a loss with p and q exchanged.
    """

    name: str
    value: Integrand
    slopes: tuple[Integrand, ...]
    reverse: str
    at_zero: Growth
    at_infinity: Growth
    levels: tuple[float, ...] = ()
    touches: bool = True
    sign: int = 1
    exchanged: Callable[[], Kernel] | None = None
    jumps: tuple[tuple[float, float], ...] = ()
    lone_p: bool = True
    lone_q: bool = True
    kinks: tuple[float, ...] = ()


FLAT, LINEAR = Growth(Fraction(0)), Growth(Fraction(1))
_ZERO_LOG, _INF_LOG = Growth(Fraction(0), 1), Growth(Fraction(1), 1)


def _log_p_over_m(n: Ratio) -> Array:
    """Return log(p/m) = log(1 + s)."""
    return LOG2 - n.log1pe - np.where(n.positive, 0.0, n.v)


def _p_over_m(n: Ratio) -> Array:
    return 2 * n.share * np.where(n.positive, 1.0, n.e)


def _swap(integrand: Integrand) -> Integrand:
    return lambda n: integrand(n.swapped)


# --- values ---------------------------------------------------------------------------------


def _kl_pq(n: Ratio) -> Scaled:
    near = n.v < 0.5
    ahead = n.phi
    # e·φ(v) = 1 − e − v·e = v² − (1 + v)·φ(−v), which loses a bit and a half
    behind = np.where(near, n.v * n.v - (1 + n.v) * ahead, n.drop - n.ve)
    return n.log_top, np.where(n.positive, ahead, behind)


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


def _hellinger2(n: Ratio) -> Scaled:
    return n.log_top, np.expm1(-n.v / 2) ** 2 / 2


def _tv(n: Ratio) -> Scaled:
    return n.log_top, n.drop / 2


def _pearson(n: Ratio) -> Scaled:
    return np.where(n.positive, n.log_power(2.0), n.log_q), n.drop**2


def _triangular(n: Ratio) -> Scaled:
    return n.log_top, n.drop**2 * n.share


def _jeffreys(n: Ratio) -> Scaled:
    return n.log_top, n.v * n.drop


def _ones(weight: Callable[[Ratio], Array], value: float = 1.0) -> Integrand:
    def integrand(n: Ratio) -> Scaled:
        log_weight = weight(n)
        return log_weight, np.full_like(log_weight, value)

    return integrand


# --- slopes: G(u) - G(0), then G(u) minus a limit ---------------------------------------------


def _slope_kl_pq(n: Ratio) -> Scaled:
    return n.log_top, np.where(n.positive, -n.drop, n.drop)


def _slope_jsd(n: Ratio) -> Scaled:
    return n.log_q, -n.log_mean / 2


def _slope_jsd_far(n: Ratio) -> Scaled:
    return n.log_bottom, -np.where(n.positive, n.v + n.log1pe, n.log1pe_per_e) / 2


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


def _slope_triangular(n: Ratio) -> Scaled:
    return n.log_q, -n.s * (2 + n.s)


def _slope_triangular_far(n: Ratio) -> Scaled:
    return n.log_q_power_of_bottom, -4 * n.share**2


def _slope_jeffreys(n: Ratio) -> Scaled:
    return n.log_top, np.where(n.positive, -n.drop - n.ve, n.v + n.drop)


def _finite(x: Array) -> Array:
    return np.where(np.isinf(x), 0.0, x)


# --- powers -----------------------------------------------------------------------------------


def _power_value(order: Fraction) -> Integrand:
    """Return (r^α − 1 − α(r − 1))/(α(α − 1)), scaled by its largest term.

    It is [expm1(u) − expm1(αu)/α]/(1 − α), which keeps its digits as α tends to 0; orders beyond
    1/2 are those of 1 − α with p and q exchanged.
    """
    if order > Fraction(1, 2):
        return _swap(_power_value(1 - order))
    alpha = float(order)

    def integrand(n: Ratio) -> Scaled:
        behind = n.log_power(alpha) if alpha < 0 else n.log_q
        grown = np.maximum(alpha * n.u, 0.0)
        part = -np.expm1(-abs(alpha) * n.v) / abs(alpha)
        above = n.drop - part * np.exp((max(alpha, 0.0) - 1) * n.v)
        below = part - n.drop * np.exp(-grown)
        w = np.clip(n.u, -1.0, 1.0)
        near = (phi(w) - phi(alpha * w) / alpha) * np.exp(
            -np.where(n.positive, w, min(alpha, 0.0) * w)
        )
        few = max(1, abs(alpha)) * n.v < 1
        mantissa = np.where(few, near, np.where(n.positive, above, below))
        return np.where(n.positive, n.log_p, behind), mantissa / (1 - alpha)

    return integrand


def _power_slopes(alpha: float) -> tuple[Integrand, Integrand]:
    def near(n: Ratio) -> Scaled:
        growing = alpha * n.u > 0
        weight = np.where(growing, n.log_power(alpha), n.log_q)
        decay = np.expm1(-abs(alpha) * n.v)
        return weight, np.where(growing, decay, -decay) / alpha

    return near, _ones(lambda n: n.log_power(alpha), -1 / alpha)


def power_kernel(alpha: Fraction) -> Kernel:
    """Return the kernel of the power divergence of order ``alpha`` (neither 0 nor 1)."""
    return Kernel(
        f"power_{alpha}",
        _power_value(alpha),
        _power_slopes(float(alpha)),
        f"power_{1 - alpha}",
        Growth(min(alpha, Fraction(0))),
        Growth(max(alpha, Fraction(1))),
        exchanged=lambda: power_kernel(1 - alpha),
    )


def _kernel(
    name: str,
    value: Integrand,
    slopes: tuple[Integrand, ...],
    reverse: str = "",
    zero: Growth = FLAT,
    infinity: Growth = LINEAR,
    levels: tuple[float, ...] = (),
) -> Kernel:
    return Kernel(name, value, slopes, reverse or name, zero, infinity, levels, kinks=levels)


def _q(value: Callable[[Ratio], Array]) -> Integrand:
    return lambda n: (n.log_q, value(n))


_TV_SLOPES = (
    _q(lambda n: -np.sign(n.u) / 2),
    _q(lambda n: -np.heaviside(n.u, 0.5)),
)
_HELLINGER_SLOPES = (
    lambda n: (
        np.where(n.positive, n.log_half, n.log_q),
        np.where(n.positive, 0.5, -0.5) * np.expm1(-n.v / 2),
    ),
    _ones(lambda n: n.log_half, -0.5),
)
_PEARSON_SLOPES = (
    lambda n: (
        np.where(n.positive, n.log_power(2.0), n.log_q),
        np.where(n.positive, 1.0, -1.0) * np.expm1(-2 * n.v),
    ),
    _ones(lambda n: n.log_power(2.0), -1.0),
)
_NEYMAN_SLOPES = (
    lambda n: (
        np.where(n.positive, n.log_q, n.log_power(-1.0)),
        np.where(n.positive, -2.0, 2.0) * n.drop,
    ),
    _ones(lambda n: n.log_power(-1.0), 2.0),
)
_JSD_SLOPES = (_slope_jsd, _slope_jsd_far)
_KL_PM_SLOPES = (_q(lambda n: -n.s / 2), _slope_kl_pm_far)

_TABLE = (
    _kernel("kl_pq", _kl_pq, (_slope_kl_pq, _ones(lambda n: n.log_p, -1.0)), "kl_qp",
            FLAT, _INF_LOG),
    _kernel("kl_qp", _swap(_kl_pq), (_q(lambda n: -n.u),), "kl_pq", _ZERO_LOG, LINEAR),
    _kernel("jsd", _jsd, _JSD_SLOPES),
    _kernel("kl_pm", _kl_pm, _KL_PM_SLOPES, "kl_qm"),
    _kernel("kl_qm", _swap(_kl_pm), (_slope_kl_qm, _slope_kl_qm_far), "kl_pm"),
    _kernel("kl_mp", _kl_mp, (_slope_kl_mp, _slope_kl_mp_far), "kl_mq", _ZERO_LOG, LINEAR),
    _kernel("kl_mq", _swap(_kl_mp), (_slope_kl_mq, _slope_kl_mq_far), "kl_mp", FLAT, _INF_LOG),
    _kernel("hellinger2", _hellinger2, _HELLINGER_SLOPES),
    _kernel("tv", _tv, _TV_SLOPES, levels=(0.0,)),
    _kernel("pearson_chi2", _pearson, _PEARSON_SLOPES, "neyman_chi2",
            FLAT, Growth(Fraction(2))),
    _kernel("neyman_chi2", _swap(_pearson), _NEYMAN_SLOPES, "pearson_chi2",
            Growth(Fraction(-1)), LINEAR),
    _kernel("triangular", _triangular, (_slope_triangular, _slope_triangular_far)),
    _kernel("jeffreys", _jeffreys, (_slope_jeffreys,), "", _ZERO_LOG, _INF_LOG),
    Kernel("jsd_gap", _jsd_gap, _JSD_SLOPES, "jsd_gap", FLAT, LINEAR, touches=False, sign=-1),
    Kernel("tv_gap", _ones(lambda n: n.log_bottom), _TV_SLOPES, "tv_gap", FLAT, LINEAR, (0.0,),
           False, -1, kinks=(0.0,)),
    Kernel("bc", _ones(lambda n: n.log_half), _HELLINGER_SLOPES, "bc", FLAT, LINEAR, (), False, -1),
)  # fmt: skip

KERNELS = {kernel.name: kernel for kernel in _TABLE}
