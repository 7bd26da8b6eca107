"""MMD² of laws on whole numbers: by characteristic functions, or a double sum over masses."""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import toeplitz
from scipy.signal import fftconvolve

from gantheory.densities.base import Array
from gantheory.densities.counts import Counts
from gantheory.densities.discrete import Discrete
from gantheory.errors import GantheoryError
from gantheory.integrals.counting.sums import check_masses
from gantheory.integrals.transport.characteristic import has_waves, mmd2_by_waves
from gantheory.integrals.transport.ladders import METHOD, MOST, above, ladder_of, sum_estimate
from gantheory.integrals.transport.radial import RadialKernel
from gantheory.records import Estimate
from gantheory.rounding import EPS
from gantheory.wrt import split_parameter

CLOSE = 1e-9  # relative error from which on laws are so near that their masses are compared
DIRECT = 2048  # terms up to which the sums are written out; beyond, they are convolved


def mmd2_of_counts(
    p: Counts | Discrete,
    q: Counts | Discrete,
    kernel: RadialKernel,
    bandwidth: float,
    wrt: str | None = None,
) -> Estimate:
    """Return Σ (p_i − q_i)(p_j − q_j) k(i, j), or its derivative.

    >>> from gantheory.densities import density
    >>> from gantheory.integrals.transport.radial import KERNELS
    >>> laws = density("discrete([1, 0])"), density("discrete([0, 1])")
    >>> round(mmd2_of_counts(*laws, KERNELS["gaussian"], 1.0).value, 9)  # 2 − 2·exp(−1/2)
    0.786938681
    """
    if p == q:
        return Estimate(0.0, method=METHOD)
    check_masses(p, q)
    if has_waves(p, q, kernel, bandwidth):
        found = mmd2_by_waves(p, q, kernel, bandwidth, wrt)
        if wrt is not None or found.error <= CLOSE * abs(found.value):
            return found
    return mmd2_of_masses(p, q, kernel, bandwidth, wrt)


def mmd2_of_masses(
    p: Counts | Discrete,
    q: Counts | Discrete,
    kernel: RadialKernel,
    bandwidth: float,
    wrt: str | None = None,
) -> Estimate:
    """Return the same as a double sum, however near the laws are."""
    ladder = ladder_of(p, q)
    if ladder is None:
        return Estimate.undetermined(f"{p} and {q} need more than {MOST} terms", METHOD)
    lags = (ladder.k - ladder.k[0]) / bandwidth
    column = kernel.profile(lags * lags)
    fit, off = _applied(column, ladder.apart)
    off = off + _applied(column, ladder.noise)[0]
    if wrt is None:
        value = math.fsum(ladder.apart * fit)
        error = float(np.sum(np.abs(fit) * ladder.noise + np.abs(ladder.apart) * off))
        lost = sum(above(law, float(ladder.k[-1])) for law in (p, q))
        error += 2 * lost * math.sqrt(max(value, 0.0) + error) + lost * lost
        return sum_estimate(max(value, 0.0), error + 4 * EPS * abs(value))
    side, parameter = split_parameter(wrt)
    law, mass, sign = (p, ladder.p, 2.0) if side == "p" else (q, ladder.q, -2.0)
    if not isinstance(law, Counts) or above(law, float(ladder.k[-1])):
        raise GantheoryError(
            f"wrt={wrt!r}: the derivative of mmd2 between {p} and {q} is not known"
        )
    with np.errstate(all="ignore"):
        score = np.where(mass > 0, law.scores(parameter, ladder.k), 0.0)
    value = sign * math.fsum(mass * score * fit)
    error = 2 * float(np.sum(mass * np.abs(score) * (off + 64 * EPS * np.abs(fit))))
    return sum_estimate(value, error + 4 * EPS * abs(value))


def _applied(column: Array, x: Array) -> tuple[Array, Array]:
    """Return Σ_j k(i − j) x_j, and bounds on what it was rounded by."""
    if len(x) <= DIRECT:
        matrix = toeplitz(column)
        return matrix @ x, EPS * (8 + math.log2(len(x))) * (matrix @ np.abs(x))
    sizes = float(np.linalg.norm(column) * np.linalg.norm(x))
    around = np.concatenate([column[:0:-1], column])
    found = np.asarray(fftconvolve(around, x, mode="valid"))
    return found, np.full(len(x), 8 * EPS * math.log2(len(x)) * sizes)
