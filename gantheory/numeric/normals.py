"""Closed forms between normal laws in any dimension."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from gantheory.densities.plane import Spatial
from gantheory.numeric.names import order
from gantheory.numeric.plane.decay import LARGEST, product_of_powers
from gantheory.records import Estimate

EPS = float(np.finfo(float).eps)
METHOD = "closed form"


def closed_form_of_normals(name: str, p: Spatial, q: Spatial) -> Estimate | None:
    """Return a divergence of two normals in any dimension, or None where no formula is known.

    KL(P‖Q) = ½[tr(Σ_q⁻¹Σ_p) − n + δᵀΣ_q⁻¹δ + log det Σ_q − log det Σ_p],
    BC = det(Σ_p)^¼ det(Σ_q)^¼ det(Σ̄)^(−½) exp(−⅛ δᵀΣ̄⁻¹δ) with Σ̄ the mean of the covariances, and
    powers and chi-squared from ∫ p^α q^(1−α), a Gaussian integral too.
    """
    if len(p.weights) > 1 or len(q.weights) > 1 or p.dim != q.dim:
        return None
    if name == "kl_pq":
        return _kl(p, q)
    if name == "kl_qp":
        return _kl(q, p)
    if name == "jeffreys":
        forward, backward = _kl(p, q), _kl(q, p)
        return Estimate(
            forward.value + backward.value, forward.error + backward.error, method=METHOD
        )
    if name in ("bc", "hellinger2"):
        log = _log_bc(p, q)
        value = math.exp(log) if name == "bc" else -math.expm1(log)
        size = abs(log) + p.dim * (1 + max(map(abs, _log_dets(p, q))))
        error = 16 * EPS * size * (math.exp(log) if name == "bc" else 1.0)
        return Estimate(value, error, method=METHOD, log_value=log if name == "bc" else None)
    return _power(name, p, q)


_CHI_SQUARED = {"pearson_chi2": Fraction(2), "neyman_chi2": Fraction(-1)}


def _power(name: str, p: Spatial, q: Spatial) -> Estimate | None:
    """Return (∫ p^α q^(1−α) − 1)/(α(α − 1)), and chi-squared without the factor, where finite."""
    if name not in _CHI_SQUARED and not name.startswith(("power_", "alpha_")):
        return None
    alpha = _CHI_SQUARED.get(name) or order(name)
    if alpha in (0, 1):
        return None
    bump = product_of_powers(float(alpha), p, 0, q, 0)
    if bump is None or bump.log_mass > LARGEST:
        return None
    factor = 1.0 if name in _CHI_SQUARED else 1 / float(alpha * (alpha - 1))
    value = factor * math.expm1(bump.log_mass)
    spread = float(np.linalg.cond(bump.covariance))
    size = p.dim * (1 + abs(bump.log_mass) + max(map(abs, _log_dets(p, q))))
    error = 16 * EPS * abs(factor) * (size + spread) * math.exp(bump.log_mass)
    return Estimate(value, error, method=METHOD)


def _log_dets(p: Spatial, q: Spatial) -> tuple[float, float]:
    return tuple(  # type: ignore[return-value]
        2 * math.fsum(np.log(np.diag(law.factors[0]))) for law in (p, q)
    )


def _kl(p: Spatial, q: Spatial) -> Estimate:
    whitened = np.linalg.solve(q.factors[0], p.factors[0])
    z = np.linalg.solve(q.factors[0], q.means[0] - p.means[0])
    of_p, of_q = _log_dets(p, q)
    parts = [float(np.sum(whitened**2)), -float(p.dim), float(z @ z), of_q - of_p]
    value = 0.5 * math.fsum(parts)
    return Estimate(
        max(value, 0.0), 8 * p.dim * EPS * math.fsum(map(abs, (*parts, of_p))), method=METHOD
    )


def _log_bc(p: Spatial, q: Spatial) -> float:
    factor = np.linalg.cholesky(0.5 * (p.covariances[0] + q.covariances[0]))
    z = np.linalg.solve(factor, q.means[0] - p.means[0])
    of_p, of_q = _log_dets(p, q)
    return 0.25 * (of_p + of_q) - math.fsum(np.log(np.diag(factor))) - 0.125 * float(z @ z)
