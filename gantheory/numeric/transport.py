"""Distances that move mass or compare kernels: W2, energy distance and MMD."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import integrate, special

from gantheory.densities import Density, parse_density
from gantheory.densities.base import Array
from gantheory.densities.normal import Normal
from gantheory.densities.plane import Spatial
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError
from gantheory.records import Estimate

EPS = float(np.finfo(float).eps)
CLOSED = "closed form"


def w2(p: Density | str, q: Density | str) -> Estimate:
    r"""Return the 2-Wasserstein distance of two laws on the line, or of two normals anywhere.

    On the line :math:`W_2^2=\int_0^1(F_p^{-1}-F_q^{-1})^2`; between normals
    :math:`W_2^2=\|m_p-m_q\|^2+\mathrm{tr}(Σ_p+Σ_q-2(Σ_q^{1/2}Σ_pΣ_q^{1/2})^{1/2})`.

    Source: C. R. Givens, R. M. Shortt (1984), Michigan Mathematical Journal 31(2).

    >>> w2("normal(0, 1)", "normal(3, 5)").value
    5.0
    """
    p, q = parse_density(p), parse_density(q)
    if isinstance(p, Univariate) and isinstance(q, Univariate):
        return _w2_line(p, q)
    _, _, covariance_p, covariance_q = _two_normals(p, q, "w2")
    assert isinstance(p, Spatial)
    assert isinstance(q, Spatial)
    apart = float(np.sum((p.means[0] - q.means[0]) ** 2))
    # with Σ = LLᵀ the trace of the root is the sum of the singular values of L_qᵀ L_p
    shared = float(np.linalg.svd(q.factors[0].T @ p.factors[0], compute_uv=False).sum())
    traces = float(np.trace(covariance_p) + np.trace(covariance_q))
    square = max(apart + traces - 2 * shared, 0.0)
    noise = 16 * EPS * (apart + traces)
    if square <= noise:
        return Estimate(math.sqrt(square), math.sqrt(noise), method=CLOSED)
    return Estimate(math.sqrt(square), noise / (2 * math.sqrt(square)), method=CLOSED)


def _w2_line(p: Univariate, q: Univariate) -> Estimate:
    if isinstance(p, Normal) and isinstance(q, Normal):
        value = math.hypot(p.loc - q.loc, p.scale - q.scale)
        return Estimate(value, 4 * EPS * value, method=CLOSED)
    ours, theirs = dict(p.parameters), dict(q.parameters)
    shift = float(ours.pop("loc", 0.0)) - float(theirs.pop("loc", 0.0))
    if type(p) is type(q) and ours == theirs and p.name in _LOCATION:
        return Estimate(abs(shift), method="pure shift")  # finite even where no moment is
    for law in (p, q):
        if not _has_square(law):
            return Estimate.undetermined(
                f"{law} has no second moment, or hardly one: W2 may be infinite"
            )
    return _by_quantiles(p, q)


_LOCATION = ("laplace", "logistic", "gumbel", "student_t")  # families in which loc moves the law


def _has_square(law: Univariate) -> bool:
    """Return whether E[X²] is safely finite, read from the tails at infinity."""
    for end, side in ((law.support[0], +1), (law.support[1], -1)):
        tail = law.tail(end, side) if math.isinf(end) else None
        if math.isfinite(end):
            continue
        if tail is None:
            return False
        light = tail.rate > 0 or tail.square < 0 or tail.linear < 0 or tail.logsquare < 0
        if not light and not tail.log < -3.2:  # y^-3 is the tail of a law without E[X²]
            return False
    return True


# Φ(±8.2) leaves 1e-16 of the mass on either side: the last level that binary64 tells from 1
_REACH = 8.2


def _by_quantiles(p: Univariate, q: Univariate) -> Estimate:
    def square(z: Array) -> Array:
        level = special.ndtr(z)
        return (p.ppf(level) - q.ppf(level)) ** 2 * np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)

    found = integrate.quad_vec(
        square, -_REACH, _REACH, points=[0.0], epsabs=0, epsrel=1e-12, limit=400
    )
    total, error = float(found[0]), float(found[1])
    value = math.sqrt(total)
    # the integrand falls beyond the cut at least as fast as exp(-(1 - 2/df) z²/2), df >= 2.2
    error += 2 * float(square(np.array([-_REACH, _REACH])).sum())
    bound = error / (2 * value) if value * value > error else math.sqrt(error)
    return Estimate(value, bound, method="quadrature of quantiles")


def energy_distance(p: Density | str, q: Density | str) -> Estimate:
    r"""Return the energy distance 2 E‖X − Y‖ − E‖X − X'‖ − E‖Y − Y'‖ (its square root is a metric).

    In closed form for normals on the line and their mixtures, where it is 2∫(F_p − F_q)².

    Source: G. J. Székely, M. L. Rizzo (2013), Journal of Statistical Planning and Inference 143(8).

    >>> round(energy_distance("normal(0, 1)", "normal(1, 1)").value, 12)
    0.541806579306
    """
    return _kernel_distance(p, q, _mean_distance, -1.0, "energy distance")


def mmd2(p: Density | str, q: Density | str, bandwidth: float = 1.0) -> Estimate:
    r"""Return MMD² with the Gaussian kernel exp(−‖x − y‖²/(2h²)) between mixtures of normals.

    Each expectation is (h^n/√det(h²I + Σ + Σ')) exp(−½ δᵀ(h²I + Σ + Σ')⁻¹δ).

    Source: A. Gretton et al. (2012), Journal of Machine Learning Research 13.

    >>> mmd2("normal(0, 1)", "normal(0, 1)").value
    0.0
    """
    if not 0 < bandwidth < math.inf:
        raise GantheoryError(f"bandwidth={bandwidth!r} must be positive and finite")

    def mean_kernel(delta: Array, covariance: Array) -> float:
        size = len(delta)
        total = bandwidth**2 * np.eye(size) + covariance
        half = np.linalg.slogdet(total)[1] / 2
        exponent = -0.5 * float(delta @ np.linalg.solve(total, delta))
        return math.exp(size * math.log(bandwidth) - half + exponent)

    return _kernel_distance(p, q, mean_kernel, 1.0, "MMD²")


DISTANCES: dict[str, Callable[[Density, Density], Estimate]] = {
    "w2": w2,
    "energy": energy_distance,
    "mmd2": mmd2,
}


Parts = tuple[Array, Array, Array]  # weights, means, covariances


def _kernel_distance(
    p: Density | str,
    q: Density | str,
    mean: Callable[[Array, Array], float],
    sign: float,
    name: str,
) -> Estimate:
    """Return ± Σ c_i c_j E k(X_i, X_j) over the signed mixture p − q."""
    first, second = (_parts(parse_density(law), name) for law in (p, q))
    if first[1].shape[1] != second[1].shape[1]:
        raise GantheoryError(f"{name}: {p} and {q} have different dimensions")
    if all(np.array_equal(a, b) for a, b in zip(first, second, strict=True)):
        return Estimate(0.0, method=CLOSED)
    weights = np.concatenate([first[0], -second[0]])
    means = np.concatenate([first[1], second[1]])
    covariances = np.concatenate([first[2], second[2]])
    terms = [
        sign * a * b * mean(means[i] - means[j], covariances[i] + covariances[j])
        for i, a in enumerate(weights)
        for j, b in enumerate(weights)
    ]
    return Estimate(math.fsum(terms), 8 * EPS * math.fsum(map(abs, terms)), method=CLOSED)


def _parts(law: Density, name: str) -> Parts:
    if isinstance(law, Spatial):
        return law.weights, law.means, law.covariances
    parts = [part for part in getattr(law, "parts", (law,)) if isinstance(part, Normal)]
    if len(parts) < len(getattr(law, "parts", (law,))) or not parts:
        raise GantheoryError(f"{name} of {law}: only normals and their mixtures have a closed form")
    weights = np.array(getattr(law, "weights", (1.0,)))
    means = np.array([[part.loc] for part in parts])
    return weights / weights.sum(), means, np.array([[[part.scale**2]] for part in parts])


def _mean_distance(delta: Array, covariance: Array) -> float:
    """Return E‖δ + Z‖ for Z ~ N(0, Σ): on the line by erf, and for isotropic Σ by Laguerre."""
    size, variance = len(delta), float(covariance[0, 0])
    if size == 1:
        d, s = float(delta[0]), math.sqrt(variance)
        bell = s * math.sqrt(2 / math.pi) * math.exp(-0.5 * (d / s) ** 2)
        return bell + d * float(special.erf(d / (s * math.sqrt(2))))
    if not np.allclose(covariance, variance * np.eye(size), rtol=1e-14, atol=0):
        raise GantheoryError("energy distance: in the plane only isotropic normals are known")
    # the mean of a noncentral chi variable, by Kummer's function
    ratio = -0.5 * float(delta @ delta) / variance
    gammas = math.exp(math.lgamma((size + 1) / 2) - math.lgamma(size / 2))
    return math.sqrt(2 * variance) * gammas * float(special.hyp1f1(-0.5, size / 2, ratio))


def _two_normals(p: Density, q: Density, name: str) -> tuple[Array, Array, Array, Array]:
    if not (isinstance(p, Spatial) and isinstance(q, Spatial)) or p.dim != q.dim:
        raise GantheoryError(f"{name} of {p} and {q}: two laws on the line, or two normals, needed")
    if len(p.weights) > 1 or len(q.weights) > 1:
        raise GantheoryError(f"{name} of mixtures in the plane has no closed form")
    return p.means[0], q.means[0], p.covariances[0], q.covariances[0]
