r"""Where \int p^α q^{1−α} converges for mixtures of normals in space, α > 1, and where it lives.

Far out in a direction d the logarithm of a mixture is that of its widest normal: p^α q^(1−α) falls
there if αdᵀA_i d > (α − 1) min_j dᵀB_j d for every precision A_i of p, with B_j those of q. Where a
single j serves all directions, (w_i p_i)^α (v_j q_j)^(1−α) is a normal density up to a constant;
these bumps bound the integrand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.plane import Spatial
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.records import Estimate

# Relative to the two quadratic forms: below it their difference may be rounding.
BRINK = 1e-12
LARGEST = 700.0  # exp of it is close to the end of binary64


@dataclass(frozen=True)
class Bump:
    """A multiple exp(log_mass) of a normal density that bounds a part of an integrand."""

    mean: Array
    covariance: Array
    log_mass: float


def bumps(kernel: Kernel, p: Spatial, q: Spatial) -> list[Bump] | Estimate:
    """Return what bounds the unbounded ends of a divergence, or why there is no finite value."""
    answers = [
        _bumps(kernel.name, order, *laws, ratio, growth.sign)
        for order, laws, ratio, growth in (
            (float(kernel.at_infinity.power), (p, q), "p/q", kernel.at_infinity),
            (1 - float(kernel.at_zero.power), (q, p), "q/p", kernel.at_zero),
        )
        if order > 1
    ]
    estimates = [answer for answer in answers if isinstance(answer, Estimate)]
    values = {estimate.value for estimate in estimates}
    if estimates and len(values) > 1:
        return Estimate.undetermined(f"{kernel.name} has unbounded parts of both signs, or unknown")
    return estimates[0] if estimates else [b for a in answers if isinstance(a, list) for b in a]


def _bumps(
    name: str, order: float, p: Spatial, q: Spatial, ratio: str, sign: int
) -> list[Bump] | Estimate:
    precisions = [np.unique(np.linalg.inv(law.covariances), axis=0) for law in (p, q)]
    if p.dim != 2:
        return Estimate.undetermined(f"{name} in {p.dim} dimensions is known for two normals only")
    margin = min(_margin(order, a, precisions[1]) for a in precisions[0])
    single = all(len(one) == 1 for one in precisions)
    if margin < 0 or (margin == 0 and single):
        if not sign:
            return Estimate.undetermined(f"{name} is infinite, with a sign that is not known")
        return Estimate.infinite(
            f"in some direction {ratio} grows too fast for the integral of its power {order:g} to "
            "converge: the widest variance there is too large",
            sign=sign,
        )
    if margin == 0:
        return Estimate.undetermined(f"{name} is on the brink of infinity in some direction")
    found = [_narrowest(order, k, p, q) for k in range(len(p.weights))]
    if any(bump is None for bump in found):
        return Estimate.undetermined(
            f"{name} is finite, but only several normals of one law together bound its integrand; "
            "use a bounded divergence"
        )
    kept = [bump for bump in found if bump is not None]
    if max(bump.log_mass for bump in kept) > LARGEST:
        return Estimate.undetermined(f"{name} may be finite, but beyond the range of binary64")
    return kept


def _margin(order: float, a: Array, others: Array) -> float:
    """Return the least over directions of the largest of dᵀ(αA − (α − 1)B)d over B, or 0 near it.

    Each form is a constant plus a sinusoid of twice the angle: the least largest is at a minimum of
    one of them, or where two of them cross.
    """
    forms = order * a - (order - 1) * others
    middle = 0.5 * (forms[:, 0, 0] + forms[:, 1, 1])
    waves = np.stack([0.5 * (forms[:, 0, 0] - forms[:, 1, 1]), forms[:, 0, 1]], axis=1)
    angles = list(np.arctan2(-waves[:, 1], -waves[:, 0]))
    for j, k in combinations(range(len(forms)), 2):
        wave, level = waves[j] - waves[k], middle[k] - middle[j]
        size = math.hypot(*wave)
        if abs(level) <= size > 0:
            turn = math.acos(level / size)
            start = math.atan2(wave[1], wave[0])
            angles += [start + turn, start - turn]
    circle = np.stack([np.cos(angles), np.sin(angles)])
    least = float((middle[:, None] + waves @ circle).max(axis=0).min())
    size = order * float(np.abs(a).sum()) + (order - 1) * float(np.abs(others).max())
    return 0.0 if abs(least) <= BRINK * size else least


def _narrowest(order: float, k: int, p: Spatial, q: Spatial) -> Bump | None:
    """Return the smallest normal bound of component k's power of the ratio, over q's components."""
    found = [product_of_powers(order, p, k, q, j) for j in range(len(q.weights))]
    return min((b for b in found if b), key=lambda bump: bump.log_mass, default=None)


def product_of_powers(order: float, p: Spatial, k: int, q: Spatial, j: int) -> Bump | None:
    """Return (w_k p_k)^α (v_j q_j)^(1−α) as a multiple of a normal, or None where it is not one."""
    a, b = np.linalg.inv(p.covariances[k]), np.linalg.inv(q.covariances[j])
    precision = order * a - (order - 1) * b
    spectrum = np.linalg.eigvalsh(precision)
    if spectrum[0] <= BRINK * (order * np.abs(a).sum() + abs(order - 1) * np.abs(b).sum()):
        return None
    # about p's mean, so that nothing large cancels
    apart = q.means[j] - p.means[k]
    pull = -(order - 1) * (b @ apart)
    shift = np.linalg.solve(precision, pull)
    exponent = 0.5 * float(pull @ shift) + 0.5 * (order - 1) * float(apart @ b @ apart)
    dets = [float(np.linalg.slogdet(m)[1]) for m in (a, b, precision)]
    log_mass = order * math.log(p.weights[k]) + (1 - order) * math.log(q.weights[j])
    log_mass += exponent + 0.5 * (order * dets[0] + (1 - order) * dets[1] - dets[2])
    return Bump(p.means[k] + shift, np.linalg.inv(precision), log_mass)
