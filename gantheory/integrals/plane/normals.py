"""Closed forms between normal laws in any dimension, in balls of as many digits as they need."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from flint import acb, acb_mat, arb, ctx

from gantheory.densities.plane import Spatial
from gantheory.divergences import FDivergence, find_divergence
from gantheory.integrals.plane.exactly import converged_ball, normal_parts, rounded, smallest_width
from gantheory.records import Estimate, Status
from gantheory.wrt import split_parameter

METHOD = "closed form"
Law = tuple[acb_mat, acb_mat]  # mean (a column) and covariance


def closed_form_of_normals(
    name: str, p: Spatial, q: Spatial, wrt: str | None = None
) -> Estimate | None:
    """Return a divergence of two normals in any dimension, or None where no formula is known.

    KL(P‖Q) = ½[tr(Σ_q⁻¹Σ_p) − n + δᵀΣ_q⁻¹δ + log det Σ_q − log det Σ_p],
    BC = det(Σ_p)^¼ det(Σ_q)^¼ det(Σ̄)^(−½) exp(−⅛ δᵀΣ̄⁻¹δ) with Σ̄ the mean of the covariances, and
    powers and chi-squared from ∫ p^α q^(1−α), a Gaussian integral too. Whatever the condition of
    the covariances, the error is one rounding. A derivative is the imaginary part of a complex
    step, in as many digits.
    """
    if len(p.weights) > 1 or len(q.weights) > 1 or p.dim != q.dim:
        return None
    if name in FORMS:
        return _answer(FORMS[name], p, q, wrt)
    return _power(name, p, q, wrt)


FORMS: dict[str, Callable[[Law, Law], acb]] = {
    "kl_pq": lambda p, q: _kl(p, q),
    "kl_qp": lambda p, q: _kl(q, p),
    "jeffreys": lambda p, q: _kl(p, q) + _kl(q, p),
    "bc": lambda p, q: _log_affinity(Fraction(1, 2), p, q).exp(),
}


def _power(name: str, p: Spatial, q: Spatial, wrt: str | None) -> Estimate | None:
    """Return c·(∫ p^α q^(1−α) − 1)/(α(α − 1)) for c times the power divergence of order α."""
    entry = find_divergence(name)
    if not isinstance(entry, FDivergence) or entry.power is None:
        return None
    alpha, scale = entry.power
    least, _ = converged_ball(lambda: _least_minor(_mixed(alpha, _law(p)[1], _law(q)[1])))
    if not least > 0:
        if not least < 0:
            return Estimate.undetermined(f"{name} is on the brink of infinity", METHOD)
        infinite = Estimate.infinite("in some direction the power of p/q grows too fast", METHOD)
        return Estimate.undetermined(f"{name} is infinite here", METHOD) if wrt else infinite
    factor = scale / (alpha * (alpha - 1))
    return _answer(lambda p, q: _log_affinity(alpha, p, q).expm1() * _exactly(factor), p, q, wrt)


def _answer(form: Callable[[Law, Law], acb], p: Spatial, q: Spatial, wrt: str | None) -> Estimate:
    side, name = split_parameter(wrt) if wrt else ("", None)

    def compute() -> arb:
        if wrt is None:
            return form(_law(p), _law(q)).real
        step = arb(2) ** -(ctx.prec // 3) * smallest_width(q if side == "q" else p)
        moved = acb(0, step)
        laws = (
            _law(law, name if side == own else None, moved) for law, own in ((p, "p"), (q, "q"))
        )
        return form(*laws).imag / step

    ball, sure = converged_ball(compute)
    value, error = rounded(ball)
    log = float(ball.mid().log()) if ball > 0 else None
    if not math.isfinite(value):
        reason = "finite, but beyond the range of binary64; log_value holds its logarithm"
        return Estimate(math.nan, math.inf, Status.UNDETERMINED, METHOD, reason, log_value=log)
    if not sure:  # equal laws: a ball about 0 that only shrinks
        return Estimate(0.0, error + abs(value), method=METHOD)
    return Estimate(value, error, method=METHOD, log_value=log)


def mahalanobis(p: Spatial, q: Spatial) -> float:
    """Return the distance √(δᵀΣ⁻¹δ) of the means of two normals with p's covariance."""

    def distance() -> arb:
        (mean, covariance), (other, _) = _law(p), _law(q)
        return _form(covariance, other - mean).real.sqrt()

    ball, _ = converged_ball(distance)
    return float(ball.mid())


def _law(law: Spatial, name: str | None = None, step: Any = 0) -> Law:
    """Return the mean and the covariance, the parameter ``name`` moved by ``step``."""
    ((_, mean, covariance),) = normal_parts(law, name, step)
    return acb_mat([[x] for x in mean]), acb_mat(covariance)


def _exactly(number: Fraction) -> arb:
    return arb(number.numerator) / number.denominator


def _form(covariance: acb_mat, delta: acb_mat) -> acb:
    """Return δᵀΣ⁻¹δ."""
    return (delta.transpose() * covariance.solve(delta))[0, 0]


def _kl(p: Law, q: Law) -> acb:
    trace = q[1].solve(p[1]).trace()
    dets = (q[1].det() / p[1].det()).log()
    return (trace - p[1].nrows() + _form(q[1], q[0] - p[0]) + dets) / 2


def _mixed(alpha: Fraction, p: acb_mat, q: acb_mat) -> acb_mat:
    """Return the precision αΣ_p⁻¹ + (1 − α)Σ_q⁻¹."""
    return p.inv() * _exactly(alpha) + q.inv() * _exactly(1 - alpha)


def _least_minor(matrix: acb_mat) -> arb:
    """Return the first leading minor that is not positive, or the last: Sylvester's criterion."""
    minor: Any = arb(1)
    for size in range(1, matrix.nrows() + 1):
        minor = acb_mat([[matrix[i, j] for j in range(size)] for i in range(size)]).det().real
        if not minor > 0:
            break
    return minor


def _log_affinity(alpha: Fraction, p: Law, q: Law) -> acb:
    """Return log ∫ p^α q^(1−α), about the mean of p."""
    a, delta = _exactly(alpha), q[0] - p[0]
    precision, pull = _mixed(alpha, p[1], q[1]), q[1].solve(delta) * (1 - a)
    exponent = (pull.transpose() * precision.solve(pull))[0, 0]
    exponent -= (1 - a) * _form(q[1], delta)
    logs = a * p[1].det().log() + (1 - a) * q[1].det().log() + precision.det().log()
    return (exponent - logs) / 2
