r"""MMD² of weighted points, as samples and counts are, and a law on the line with a density.

With R uniform, whose mean embedding has a closed form, and W the witness of R against Q,

.. math:: \mathrm{MMD}^2(P, Q) = \mathrm{MMD}^2(P, R) + 2\,E_P W - (E_R W + E_Q W),

for the mean embedding of Q is that of R less W. With K' = k and K'' = k that of R on [a, b] is
:math:`[K'(b - x) - K'(a - x)]/(b - a)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import erf

from gantheory.densities.base import Array
from gantheory.densities.bounded import Uniform
from gantheory.densities.counts import Counts
from gantheory.densities.discrete import Discrete
from gantheory.densities.univariate import Points, Univariate
from gantheory.divergences.ratio import Ratio
from gantheory.integrals.line.integrals import Pair, line_integrals
from gantheory.integrals.line.panels import rays
from gantheory.integrals.line.probe import panels_of
from gantheory.integrals.line.quadrature import integrate
from gantheory.integrals.transport.against import Weighted, distance_of_points
from gantheory.integrals.transport.embeddings import NOT_CONVERGED, WitnessIntegrand
from gantheory.integrals.transport.gaps import Gap
from gantheory.integrals.transport.radial import RadialKernel, kernel_named
from gantheory.integrals.transport.witness import Witness
from gantheory.records import Estimate
from gantheory.rounding import EPS

Embedding = Callable[[Array], Array]
AT_ONCE = 1 << 21  # pairs of points
ROOT = math.sqrt(math.pi / 2)


def _asinh_twice(t: Array) -> Array:
    return np.asarray(t * np.arcsinh(t) - np.hypot(1, t))


# of each kernel of bandwidth 1 its integral, and the integral of that
INTEGRALS: dict[str, tuple[Embedding, Embedding]] = {
    "gaussian": (
        lambda t: ROOT * erf(t / math.sqrt(2)),
        lambda t: ROOT * t * erf(t / math.sqrt(2)) + np.exp(-t * t / 2),
    ),
    "laplacian": (
        lambda t: -np.sign(t) * np.expm1(-np.abs(t)),
        lambda t: np.abs(t) + np.exp(-np.abs(t)),
    ),
    "imq": (np.arcsinh, _asinh_twice),
}


def mmd2_of_points(
    points: Weighted, law: Univariate, kernel: RadialKernel, bandwidth: float
) -> Estimate:
    """Return MMD² of points and a law with a density, with its error."""
    inner = _inner(points, kernel.of_bandwidth(bandwidth))
    middle, width = law.centers[len(law.centers) // 2]
    half = min(max(width, bandwidth), 1e6 * bandwidth)
    a, b = middle - half, middle + half
    near, off = _to_uniform(points, inner, a, b, kernel, bandwidth)
    known = Uniform(a, b)
    witness = Witness.of(Gap(known, law), kernel, bandwidth)
    sample = WitnessIntegrand(Pair(known, law), witness, _sum)
    panels, log_left, resolved = panels_of(sample, rays(known, law, finest=bandwidth))
    (found,) = line_integrals(integrate(sample, panels), log_left, resolved)
    value, error = witness.at(Points.at(points.places))
    if not found.resolved or not math.isfinite(found.error) or not np.isfinite(error).all():
        return Estimate.undetermined(NOT_CONVERGED)
    scale = math.exp(found.shift)
    total = math.fsum([near, 2 * math.fsum(points.weights * value), -found.value * scale])
    off += 2 * float(np.sum(points.weights * error)) + found.error * scale
    off += 8 * law.misplaced / bandwidth + 16 * EPS
    return Estimate(max(total, 0.0), off, method="quadrature")


def mmd2_of_two(p: Weighted, q: Weighted, kernel: RadialKernel, bandwidth: float) -> Estimate:
    """Return MMD² of two sets of points."""
    places = np.concatenate([p.places, q.places])
    signed = Weighted(places, np.concatenate([p.weights, -q.weights]))
    value = _inner(signed, kernel.of_bandwidth(bandwidth))
    return Estimate(max(value, 0.0), 4 * (p.off + q.off) + 64 * EPS, method="finite sum")


def _inner(points: Weighted, kernel: Embedding) -> float:
    """Return E k(X, X') of two of the points."""
    x, w = points.places, points.weights
    step = max(AT_ONCE // len(x), 1)
    rows = (slice(start, start + step) for start in range(0, len(x), step))
    return math.fsum(float(w[some] @ (kernel((x[some, None] - x) ** 2) @ w)) for some in rows)


def _sum(n: Ratio) -> tuple[Array, Array]:
    """Return p + q as a weight and a mantissa."""
    return n.log_top, 1 + n.e


def _to_uniform(
    points: Weighted, inner: float, a: float, b: float, kernel: RadialKernel, h: float
) -> tuple[float, float]:
    """Return MMD² of points and the uniform law on [a, b], and its rounding."""
    once, twice = INTEGRALS[kernel.name]
    length = (b - a) / h
    right, left = once((b - points.places) / h), once((a - points.places) / h)
    cross = math.fsum(points.weights * (right - left)) / length
    far, near = map(float, twice(np.array([length, 0.0])))
    own = 2 * (far - near) / length**2
    size = float(np.sum(points.weights * (np.abs(right) + np.abs(left)))) / length
    size += 2 * abs(far) / length**2
    reach = float(np.max(np.abs(points.places))) + abs(a) + abs(b)
    rounding = 16 * EPS * (size + inner) + 4 * EPS * reach / h
    return inner - 2 * cross + own, 4 * points.off + rounding


def of_counts_and_density(
    name: str,
    p: Counts | Discrete,
    q: Univariate,
    *,
    kernel: str = "gaussian",
    bandwidth: float = 1.0,
) -> Estimate:
    """Return W1, W2, the energy distance or MMD² of a law of counts and a density."""
    points = Weighted.of_counts(p)
    if name == "mmd2":
        return mmd2_of_points(points, q, kernel_named(kernel, bandwidth), bandwidth)
    return distance_of_points(name, points, q)
