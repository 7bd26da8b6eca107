"""A loss E_q[h(p/q)] is an expectation under q alone: what P holds where q = 0 it does not see.

It equals the f-divergence of its curvature but for h'(∞)·P(q = 0). With
h̃ = h − h(1) − h'(1)(r − 1), E_q[h] − h(1) = ∫ q h̃ over {q > 0}, less h'(1)·P(q = 0).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gantheory.divergences.ratio import Ratio
from gantheory.divergences.stable import Integrand, Scaled
from gantheory.integrals.kernels.kernel import Kernel

SAME = 1e-13  # of h'(∞): what rounding leaves where it is 0


def expectation_kernel(kernel: Kernel, slope: float) -> Kernel:
    """Return the kernel of E_q[h(p/q)] − h(1), where ``slope`` is h'(1)."""
    alone = Ratio(np.zeros(1), np.full(1, -np.inf), np.full(1, np.inf))
    with np.errstate(all="ignore"):
        weight, mantissa = kernel.value(alone)
        at_infinity = float((np.exp(weight) * mantissa)[0]) + slope
    finite = kernel.at_infinity.power <= 1 and not kernel.at_infinity.logs
    if finite and abs(at_infinity) <= SAME * (1 + abs(slope)):
        return kernel
    return replace(
        kernel,
        value=_where_p_is_alone(kernel.value, -slope),
        exchanged=lambda: _turned(kernel.exchanged(), slope, kernel),
        singular_p=False,
        entry=None,
    )


def _turned(kernel: Kernel, slope: float, back: Kernel) -> Kernel:
    """Return the reversed kernel of such a loss: here q is alone where p = 0."""
    return replace(
        kernel,
        value=_where_q_is_alone(kernel.value, -slope),
        slopes=(_where_q_is_alone(kernel.slopes[0], -slope),),
        singular_q=False,
        exchanged=lambda: expectation_kernel(back, slope),
        entry=None,
    )


def _where_p_is_alone(integrand: Integrand, value: float) -> Integrand:
    def changed(n: Ratio) -> Scaled:
        weight, mantissa = integrand(n)
        alone = np.isposinf(n.u)
        return np.where(alone, n.log_p, weight), np.where(alone, value, mantissa)

    return changed


def _where_q_is_alone(integrand: Integrand, value: float) -> Integrand:
    def changed(n: Ratio) -> Scaled:
        weight, mantissa = integrand(n)
        alone = np.isneginf(n.u)
        return np.where(alone, n.log_q, weight), np.where(alone, value, mantissa)

    return changed
