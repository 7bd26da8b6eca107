"""Distances that move mass or compare kernels: W2, energy distance and MMD, with derivatives."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy import special

from gantheory.densities import Density, parse_density
from gantheory.densities.base import Array
from gantheory.densities.mixtures import AnyMixture
from gantheory.densities.normal import Normal
from gantheory.densities.plane import Spatial, Tangent, part_tangent, widened
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError
from gantheory.numeric.line.estimates import split_parameter
from gantheory.numeric.transport.quantiles import w2_line
from gantheory.records import Estimate, Status

EPS = float(np.finfo(float).eps)
CLOSED = "closed form"
# A complex step this small costs no digit: its square is lost beside any number that matters.
STEP = 1e-100


def w2(p: Density | str, q: Density | str, wrt: str | None = None) -> Estimate:
    r"""Return the 2-Wasserstein distance of two laws on the line, or of two normals anywhere.

    On the line :math:`W_2^2=\int_0^1(F_p^{-1}-F_q^{-1})^2`; between normals
    :math:`W_2^2=\|m_p-m_q\|^2+\mathrm{tr}(Σ_p+Σ_q-2(Σ_q^{1/2}Σ_pΣ_q^{1/2})^{1/2})`.

    Source: C. R. Givens, R. M. Shortt (1984), Michigan Mathematical Journal 31(2).

    >>> w2("normal(0, 1)", "normal(3, 5)").value
    5.0
    """
    p, q = parse_density(p), parse_density(q)
    if isinstance(p, Univariate) and isinstance(q, Univariate):
        return w2_line(p, q, wrt)
    _check_normals(p, q)
    assert isinstance(p, Spatial)
    assert isinstance(q, Spatial)
    value = _w2_of_normals(p, q)
    if wrt is None:
        return value
    law, name = split_parameter(wrt)
    return _w2_slope(*((p, q) if law == "q" else (q, p)), name, value)


def _w2_of_normals(p: Spatial, q: Spatial) -> Estimate:
    apart = float(np.sum((p.means[0] - q.means[0]) ** 2))
    # with Σ = LLᵀ the trace of the root is the sum of the singular values of L_qᵀ L_p
    shared = float(np.linalg.svd(q.factors[0].T @ p.factors[0], compute_uv=False).sum())
    traces = float(np.trace(p.covariances[0]) + np.trace(q.covariances[0]))
    square = max(apart + traces - 2 * shared, 0.0)
    noise = 16 * EPS * (apart + traces)
    if square <= noise:
        return Estimate(math.sqrt(square), math.sqrt(noise), method=CLOSED)
    return Estimate(math.sqrt(square), noise / (2 * math.sqrt(square)), method=CLOSED)


def _w2_slope(p: Spatial, q: Spatial, name: str, value: Estimate) -> Estimate:
    """Return ∂W2 = [2(m_q − m_p)·m' + tr (I − T)Σ']/(2 W2), T the matrix that moves q onto p."""
    moved = q.tangent(name)
    if value.value <= value.error:
        return Estimate.undetermined("W2 has a kink where the two laws are equal; move one of them")
    u, _, v = np.linalg.svd(q.factors[0].T @ p.factors[0])
    inverse = np.linalg.inv(q.factors[0])
    transport = p.factors[0] @ v.T @ u.T @ inverse  # symmetric: L_p Vᵀ Uᵀ L_q⁻¹
    means = 2 * (q.means[0] - p.means[0]) * moved.means[0]
    widths = (np.eye(p.dim) - transport) * moved.covariances[0].T
    terms = [*means, *widths.ravel(), *(-transport * moved.covariances[0].T).ravel()]
    total = math.fsum([*means, *widths.ravel()]) / (2 * value.value)
    conditioning = float(np.linalg.cond(q.factors[0]))
    noise = 16 * EPS * conditioning * math.fsum(map(abs, terms)) / (2 * value.value)
    return Estimate(total, noise + abs(total) * value.error / value.value, method=CLOSED)


def energy_distance(p: Density | str, q: Density | str, wrt: str | None = None) -> Estimate:
    r"""Return the energy distance 2 E‖X − Y‖ − E‖X − X'‖ − E‖Y − Y'‖ (its square root is a metric).

    In closed form for normals on the line and their mixtures, where it is 2∫(F_p − F_q)².

    Source: G. J. Székely, M. L. Rizzo (2013), Journal of Statistical Planning and Inference 143(8).

    >>> round(energy_distance("normal(0, 1)", "normal(1, 1)").value, 12)
    0.541806579306
    """
    return _kernel_distance(p, q, wrt, _mean_distance, -1.0, "energy distance")


def mmd2(
    p: Density | str, q: Density | str, bandwidth: float = 1.0, wrt: str | None = None
) -> Estimate:
    r"""Return MMD² with the Gaussian kernel exp(−‖x − y‖²/(2h²)) between mixtures of normals.

    Each expectation is (h^n/√det(h²I + Σ + Σ')) exp(−½ δᵀ(h²I + Σ + Σ')⁻¹δ).

    Source: A. Gretton et al. (2012), Journal of Machine Learning Research 13.

    >>> mmd2("normal(0, 1)", "normal(0, 1)").value
    0.0
    """
    if not 0 < bandwidth < math.inf:
        raise GantheoryError(f"bandwidth={bandwidth!r} must be positive and finite")
    return _kernel_distance(p, q, wrt, partial(_mean_kernel, bandwidth), 1.0, "MMD²")


def _mean_kernel(bandwidth: float, delta: Array, covariance: Array) -> Any:
    total = np.eye(len(delta)) + covariance / bandwidth**2
    exponent = -0.5 * (delta @ np.linalg.solve(total, delta)) / bandwidth**2
    return np.exp(exponent) / np.sqrt(np.linalg.det(total))


DISTANCES: dict[str, Callable[..., Estimate]] = {
    "w2": w2,
    "energy": energy_distance,
    "mmd2": mmd2,
}


Parts = tuple[Array, Array, Array]  # weights, means, covariances


def _kernel_distance(
    p: Density | str,
    q: Density | str,
    wrt: str | None,
    mean: Callable[[Array, Array], Any],
    sign: float,
    name: str,
) -> Estimate:
    """Return ± Σ c_i c_j E k(X_i, X_j) over the signed mixture p − q, or its derivative."""
    laws = [_spatial(parse_density(law), name) for law in (p, q)]
    if laws[0].dim != laws[1].dim:
        raise GantheoryError(f"{name}: {p} and {q} have different dimensions")
    first, second = ((law.weights, law.means, law.covariances) for law in laws)
    if wrt is None and all(np.array_equal(a, b) for a, b in zip(first, second, strict=True)):
        return Estimate(0.0, method=CLOSED)
    if wrt:
        first, second = _stepped(laws, wrt)
    weights = np.concatenate([first[0], -second[0]])
    means = np.concatenate([first[1], second[1]])
    covariances = np.concatenate([first[2], second[2]])
    terms = [
        sign * a * b * mean(means[i] - means[j], covariances[i] + covariances[j])
        for i, a in enumerate(weights)
        for j, b in enumerate(weights)
    ]
    return _summed([float(t.imag) / STEP for t in terms] if wrt else [float(t.real) for t in terms])


def _summed(terms: list[float]) -> Estimate:
    value, error = math.fsum(terms), 16 * EPS * math.fsum(map(abs, terms))
    if error <= 1e-12 * abs(value) or not error:
        return Estimate(value, error, method=CLOSED)
    return Estimate(value, error, Status.ILL_CONDITIONED, CLOSED, "cancellation between its terms")


def _stepped(laws: list[Spatial], wrt: str) -> tuple[Parts, Parts]:
    """Return both laws' parts, one of them an imaginary step away in the parameter."""
    law, name = split_parameter(wrt)
    first, second = ((one.weights, one.means, one.covariances) for one in laws)
    moved = laws["pq".index(law)].tangent(name)
    parts = (first, second)["pq".index(law)]
    rates = (moved.weights, moved.means, moved.covariances)
    there = tuple(part + 1j * STEP * rate for part, rate in zip(parts, rates, strict=True))
    return (there, second) if law == "p" else (first, there)  # type: ignore[return-value]


def _spatial(law: Density, name: str) -> Spatial:
    """Return a law as a sum of normals, on the line as one in a space of one dimension."""
    if isinstance(law, Spatial):
        return law
    if not all(isinstance(part, Normal) for part in _leaves(law)):
        raise GantheoryError(f"{name} of {law}: only normals and their mixtures have a closed form")
    return _OnTheLine(law)


def _leaves(law: Density) -> list[Density]:
    if not isinstance(law, AnyMixture):
        return [law]
    return [leaf for part in law.parts for leaf in _leaves(part)]


@dataclass(frozen=True)
class _OnTheLine(Spatial):
    """A normal on the line, or a mixture of such, in a space of one dimension."""

    law: Density
    dim = 1

    @property
    def inner(self) -> list[_OnTheLine]:
        """The parts of a mixture."""
        return [_OnTheLine(part) for part in self.law.parts]  # type: ignore[attr-defined]

    @property
    def components(self) -> list[tuple[float, Array, Array]]:
        if isinstance(self.law, Normal):
            return [(1.0, np.array([self.law.loc]), np.array([[self.law.scale**2]]))]
        return [
            (outer * float(weight), mean, covariance)
            for outer, part in zip(self.law.weights, self.inner, strict=True)  # type: ignore[attr-defined]
            for weight, mean, covariance in zip(*part._stacked, strict=True)
        ]

    def tangent(self, name: str) -> Tangent:
        if isinstance(self.law, Normal):
            return (
                widened(self, self.law.scale) if name == "scale" else super().tangent(_axis(name))
            )
        name = re.sub(r"^(loc|scale)s(\[\d+\])$", r"components\2.\1", name)
        return part_tangent(self, self.inner, name) or super().tangent(_axis(name))


def _axis(name: str) -> str:
    return "loc[0]" if name == "loc" else name


def _mean_distance(delta: Array, covariance: Array) -> Any:
    """Return E‖δ + Z‖ for Z ~ N(0, Σ): on the line by erf, and for isotropic Σ by Kummer's M."""
    size, variance = len(delta), covariance[0, 0]
    if size == 1:
        d, s = delta[0], np.sqrt(variance)
        bell = s * math.sqrt(2 / math.pi) * np.exp(-0.5 * (d / s) ** 2)
        return bell + d * special.erf(d / (s * math.sqrt(2)))
    if not np.allclose(covariance, variance * np.eye(size), rtol=1e-14, atol=0):
        raise GantheoryError("energy distance: in the plane only isotropic normals are known")
    # the mean of a noncentral chi variable
    ratio = -0.5 * (delta @ delta) / variance
    gammas = math.exp(math.lgamma((size + 1) / 2) - math.lgamma(size / 2))
    return np.sqrt(2 * variance) * gammas * _kummer(-0.5, size / 2, ratio)


def _kummer(a: float, b: float, z: Any) -> Any:
    """Return M(a, b, z), to first order in an imaginary part, where scipy's own loses its way."""
    slope = a / b * special.hyp1f1(a + 1, b + 1, z.real)  # DLMF 13.3.15
    return special.hyp1f1(a, b, z.real) + 1j * z.imag * slope


def _check_normals(p: Density, q: Density) -> None:
    if not (isinstance(p, Spatial) and isinstance(q, Spatial)) or p.dim != q.dim:
        raise GantheoryError(f"w2 of {p} and {q}: two laws on the line, or two normals, needed")
    if len(p.weights) > 1 or len(q.weights) > 1:
        raise GantheoryError("w2 of mixtures in the plane has no closed form")
