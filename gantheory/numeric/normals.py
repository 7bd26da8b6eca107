"""Closed forms between normal laws in any dimension."""

from __future__ import annotations

import math

import numpy as np

from gantheory.densities.plane import Spatial
from gantheory.records import Estimate

EPS = float(np.finfo(float).eps)
METHOD = "closed form"


def closed_form_of_normals(name: str, p: Spatial, q: Spatial) -> Estimate | None:
    """Return a divergence of two normals in any dimension, or None where no formula is known.

    KL(P‖Q) = ½[tr(Σ_q⁻¹Σ_p) − n + δᵀΣ_q⁻¹δ + log det Σ_q − log det Σ_p], and
    BC = det(Σ_p)^¼ det(Σ_q)^¼ det(Σ̄)^(−½) exp(−⅛ δᵀΣ̄⁻¹δ) with Σ̄ the mean of the covariances.
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
    return None


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
