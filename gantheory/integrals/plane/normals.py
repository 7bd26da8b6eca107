"""Closed forms between normal laws in any dimension, in balls of as many digits as they need."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from flint import arb, arb_mat

from gantheory.densities.plane import Spatial
from gantheory.divergences import FDivergence, find_divergence
from gantheory.integrals.plane.exactly import parts, rounded, settled
from gantheory.records import Estimate, Status

METHOD = "closed form"
Law = tuple[arb_mat, arb_mat]  # mean (a column) and covariance


def closed_form_of_normals(name: str, p: Spatial, q: Spatial) -> Estimate | None:
    """Return a divergence of two normals in any dimension, or None where no formula is known.

    KL(P‖Q) = ½[tr(Σ_q⁻¹Σ_p) − n + δᵀΣ_q⁻¹δ + log det Σ_q − log det Σ_p],
    BC = det(Σ_p)^¼ det(Σ_q)^¼ det(Σ̄)^(−½) exp(−⅛ δᵀΣ̄⁻¹δ) with Σ̄ the mean of the covariances, and
    powers and chi-squared from ∫ p^α q^(1−α), a Gaussian integral too. Whatever the condition of
    the covariances, the error is one rounding.
    """
    if len(p.weights) > 1 or len(q.weights) > 1 or p.dim != q.dim:
        return None
    simple: dict[str, Callable[[], arb]] = {
        "kl_pq": lambda: _kl(_law(p), _law(q)),
        "kl_qp": lambda: _kl(_law(q), _law(p)),
        "jeffreys": lambda: _kl(_law(p), _law(q)) + _kl(_law(q), _law(p)),
        "bc": lambda: _log_affinity(Fraction(1, 2), _law(p), _law(q)).exp(),
        "hellinger2": lambda: -_log_affinity(Fraction(1, 2), _law(p), _law(q)).expm1(),
    }
    if name in simple:
        return _answer(simple[name])
    return _power(name, p, q)


def _power(name: str, p: Spatial, q: Spatial) -> Estimate | None:
    """Return c·(∫ p^α q^(1−α) − 1)/(α(α − 1)) for c times the power divergence of order α."""
    entry = find_divergence(name)
    if not isinstance(entry, FDivergence) or entry.power is None:
        return None
    alpha, scale = entry.power
    least, _ = settled(lambda: _least_minor(_mixed(alpha, _law(p)[1], _law(q)[1])))
    if not least > 0:
        if not least < 0:
            return Estimate.undetermined(f"{name} is on the brink of infinity", METHOD)
        return Estimate.infinite("in some direction the power of p/q grows too fast", METHOD)
    factor = scale / (alpha * (alpha - 1))
    return _answer(
        lambda: _log_affinity(alpha, _law(p), _law(q)).expm1() * _exactly(factor),
    )


def _answer(compute: Callable[[], arb]) -> Estimate:
    ball, sure = settled(compute)
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
        return _form(covariance, other - mean).sqrt()

    ball, _ = settled(distance)
    return float(ball.mid())


def _law(law: Spatial) -> Law:
    ((_, mean, covariance),) = parts(law)
    return arb_mat([[x.real] for x in mean]), arb_mat([[x.real for x in row] for row in covariance])


def _exactly(number: Fraction) -> arb:
    return arb(number.numerator) / number.denominator


def _form(covariance: arb_mat, delta: arb_mat) -> arb:
    """Return δᵀΣ⁻¹δ."""
    return (delta.transpose() * covariance.solve(delta))[0, 0]


def _kl(p: Law, q: Law) -> arb:
    trace = q[1].solve(p[1]).trace()
    dets = (q[1].det() / p[1].det()).log()
    return (trace - p[1].nrows() + _form(q[1], q[0] - p[0]) + dets) / 2


def _mixed(alpha: Fraction, p: arb_mat, q: arb_mat) -> arb_mat:
    """Return the precision αΣ_p⁻¹ + (1 − α)Σ_q⁻¹."""
    return p.inv() * _exactly(alpha) + q.inv() * _exactly(1 - alpha)


def _least_minor(matrix: arb_mat) -> arb:
    """Return the first leading minor that is not positive, or the last: Sylvester's criterion."""
    minor: Any = arb(1)
    for size in range(1, matrix.nrows() + 1):
        minor = arb_mat([[matrix[i, j] for j in range(size)] for i in range(size)]).det()
        if not minor > 0:
            break
    return minor


def _log_affinity(alpha: Fraction, p: Law, q: Law) -> arb:
    """Return log ∫ p^α q^(1−α), about the mean of p."""
    a, delta = _exactly(alpha), q[0] - p[0]
    precision, pull = _mixed(alpha, p[1], q[1]), q[1].solve(delta) * (1 - a)
    exponent = (pull.transpose() * precision.solve(pull))[0, 0]
    exponent -= (1 - a) * _form(q[1], delta)
    logs = a * p[1].det().log() + (1 - a) * q[1].det().log() + precision.det().log()
    return (exponent - logs) / 2
