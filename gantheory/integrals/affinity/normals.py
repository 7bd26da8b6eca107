r"""The affinity of two normals in any dimension, on axes on which both are independent.

With W such that WᵀΣ_qW = 1 and WᵀΣ_pW = diag(λ), d = Wᵀ(m_p − m_q) and s = (1 − α)λ + α,

.. math:: \log A(\alpha) = \tfrac12 \sum_i [(1-\alpha)\log\lambda_i - \log s_i]
   - \tfrac12 \alpha(1-\alpha) \sum_i d_i^2/s_i.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import mpmath
import numpy as np
from flint import ctx

from gantheory.densities.base import Array
from gantheory.densities.plane import Spatial, Tangent
from gantheory.integrals.affinity.contour import divergence_by_affinity, is_known
from gantheory.integrals.kernels.stable import kernel_of
from gantheory.integrals.plane.boxes import same_law
from gantheory.integrals.plane.exactly import normal_parts
from gantheory.integrals.plane.normals import closed_form_of_normals
from gantheory.records import Estimate
from gantheory.rounding import EPS
from gantheory.wrt import split_parameter


@dataclass(frozen=True)
class NormalAffinity:
    """Two normals on common axes.

    Attributes:
        wider: λ − 1 of every axis, rounded once.
        shift: d of every axis.
        mean: Wᵀm', how q's mean moves.
        spread: WᵀΣ'W, how its covariance moves.
    """

    wider: Array
    shift: Array
    mean: Array | None = None
    spread: Array | None = None

    def _shares(self, alpha: Array) -> tuple[Array, Array]:
        """Return s and log s of every axis, of shape (axes, ...)."""
        rest = (1 - alpha)[None] * self.wider.reshape(-1, *(1,) * alpha.ndim)
        return 1 + rest, _log1p(rest)

    def log(self, alpha: Array) -> tuple[Array, Array]:
        """Return log A(α), principal on every axis, and the size of its terms."""
        s, log_s = self._shares(alpha)
        shape = (-1, *(1,) * alpha.ndim)
        widths = (1 - alpha) * np.log1p(self.wider).reshape(shape)
        shifts = alpha * (1 - alpha) * self.shift.reshape(shape) ** 2 / s
        total = 0.5 * np.sum(
            _excess(self.wider.reshape(shape), alpha, widths, log_s) - shifts, axis=0
        )
        size = np.sum(
            _size(self.wider.reshape(shape), alpha, widths, log_s) + np.abs(shifts), axis=0
        )
        return total, size

    def slope(self, alpha: Array) -> tuple[Array, Array]:
        """Return ∂ log A(α) in q's parameter, and the size of its terms."""
        assert self.mean is not None
        assert self.spread is not None
        s, _ = self._shares(alpha)
        shape = (-1, *(1,) * alpha.ndim)
        pull = self.shift.reshape(shape) / s
        own = (
            0.5
            * alpha
            * (1 - alpha)
            * np.diag(self.spread).reshape(shape)
            * self.wider.reshape(shape)
            / s
        )
        moved = alpha * (1 - alpha) * self.mean.reshape(shape) * pull
        bent = 0.5 * alpha**2 * (1 - alpha) * pull * np.tensordot(self.spread, pull, axes=1)
        total = np.sum(own + moved + bent, axis=0)
        size = np.sum(np.abs(own) + np.abs(moved) + np.abs(bent), axis=0)
        return total, size


def _excess(w: Array, alpha: Array, widths: Array, log_s: Array) -> Array:
    """Return (1 − α) log(1 + w) − log(1 + (1 − α)w), which for small w is about ½α(1 − α)w²."""
    return np.where(_is_small(w, alpha), _series(w, 1 - alpha), widths - log_s)


def _size(w: Array, alpha: Array, widths: Array, log_s: Array) -> Array:
    small = np.abs(_series(w, 1 - alpha))
    return np.where(_is_small(w, alpha), small, np.abs(widths) + np.abs(log_s))


def _is_small(w: Array, alpha: Array) -> Array:
    return np.abs(w) * (1 + np.abs(alpha)) < 0.03


def _series(w: Array, b: Array) -> Array:
    """Return b·log(1 + w) − log(1 + bw) = Σ_k (−1)^k (b^k − b) w^k/k from k = 2, for small bw."""
    z = b * w
    total, grown, power = np.zeros_like(z), z, w
    for k in range(2, 13):
        grown, power = grown * z, power * w
        total = total + (-1) ** k * (grown - b * power) / k
    return total


def _log1p(z: Array) -> Array:
    """Return log(1 + z) for complex z, to the last digits where z is small."""
    x, y = z.real, z.imag
    real = 0.5 * np.log1p(x * (2 + x) + y * y)
    return np.where(np.abs(z) < 0.5, real + 1j * np.arctan2(y, 1 + x), np.log(1 + z))


# KL(m‖p) = ½ KL(q‖p) − JSD, and the same with p and q exchanged
FROM_MIDDLE = {"kl_mp": "kl_qp", "kl_mq": "kl_pq"}


def by_affinity(name: str | None, p: Spatial, q: Spatial, wrt: str | None) -> Estimate | None:
    """Return a divergence of two normals, or its derivative, or None for a name of other kinds.

    None also stands for equal laws, and in the plane for an integral that does not converge: boxes
    answer there.
    """
    if name in FROM_MIDDLE:
        jsd = by_affinity("jsd", p, q, wrt)
        kl = closed_form_of_normals(FROM_MIDDLE[name], p, q, wrt)
        return None if jsd is None or kl is None else _difference(kl, jsd)
    if name is None or not is_known(name) or (wrt is None and same_law(p, q)):
        return None
    parameter = None
    if wrt is not None:
        side, parameter = split_parameter(wrt)
        if side == "p":
            name, p, q = kernel_of(name).exchanged().name, q, p
    found = divergence_by_affinity(
        name, affinity_of_normals(p, q, parameter), slope=wrt is not None
    )
    return found if found.is_finite or p.dim > 2 else None


def _difference(kl: Estimate, jsd: Estimate) -> Estimate:
    """Return ½ KL − JSD, of which at most half cancels."""
    if not (kl.is_finite and jsd.is_finite):
        return jsd if kl.is_finite else kl
    value = 0.5 * kl.value - jsd.value
    error = 0.5 * kl.error + jsd.error + EPS * abs(value)
    return replace(jsd, value=value, error=error, log_value=math.log(value) if value > 0 else None)


def affinity_of_normals(p: Spatial, q: Spatial, moved: str | None = None) -> NormalAffinity:
    """Return the affinity of two normals; ``moved`` is a parameter of q to differentiate in.

    The axes are found in digits enough for the condition of both covariances, from exact
    parameters, and rounded once.
    """
    condition = float(np.linalg.cond(p.covariances[0]) * np.linalg.cond(q.covariances[0]))
    digits = 40 + 2 * int(math.log10(min(condition, 1e150)))
    with mpmath.workdps(digits), ctx.workdps(digits):
        ((_, mean, cov),), ((_, other, cov2),) = normal_parts(p), normal_parts(q)
        ours, theirs = (mpmath.matrix([[_mp(x) for x in row] for row in c]) for c in (cov, cov2))
        inverse = mpmath.inverse(mpmath.cholesky(theirs))
        spectrum, vectors = mpmath.eigsy(inverse * ours * inverse.T)
        axes = inverse.T * vectors
        delta = mpmath.matrix([_mp(x) - _mp(y) for x, y in zip(mean, other, strict=True)])
        shift = axes.T * delta
        wider = np.array([float(x - 1) for x in spectrum])
        turned = np.array([[float(axes[i, j]) for j in range(p.dim)] for i in range(p.dim)])
        found = NormalAffinity(wider, np.array([float(x) for x in shift]))
    return found if moved is None else _moving(found, turned, q.tangent(moved))


def _moving(affinity: NormalAffinity, axes: Array, tangent: Tangent) -> NormalAffinity:
    mean, spread = axes.T @ tangent.means[0], axes.T @ tangent.covariances[0] @ axes
    return NormalAffinity(affinity.wider, affinity.shift, mean, spread)


def _mp(x: Any) -> Any:
    return mpmath.mpf(x.real.mid().str(mpmath.mp.dps + 5, radius=False))
