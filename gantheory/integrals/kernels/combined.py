"""Kernels of combinations of named divergences, such as KL(Q‖P) − 2·JSD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from gantheory.densities.base import Array
from gantheory.integrals.kernels.kernel import Growth, Integrand, Kernel, Scaled
from gantheory.integrals.kernels.names import kernel_of
from gantheory.integrals.kernels.ratio import Ratio


def combination(name: str, terms: Mapping[str, float]) -> Kernel:
    """Return the kernel of Σ coefficient·divergence.

    >>> combination("mine", {"kl_qp": 1.0, "jsd": -2.0}).reverse
    '1*kl_pq + -2*jsd'
    """
    return weighted(name, [(kernel_of(term), c) for term, c in terms.items()])


def weighted(name: str, parts: Sequence[tuple[Kernel, float]]) -> Kernel:
    """Return the kernel of Σ coefficient·divergence, given by its kernels."""
    kernels, weights = zip(*parts, strict=True)
    reverse = " + ".join(f"{c:.17g}*{k.reverse}" for k, c in parts)
    return Kernel(
        name,
        total([k.value for k in kernels], weights),
        tuple(total([k.slopes[form] for k in kernels], weights) for form in (0, -1)),
        reverse,
        slowest([_signed(k.at_zero, c) for k, c in parts]),
        fastest([_signed(k.at_infinity, c) for k, c in parts]),
        tuple({level for k in kernels for level in k.levels}),
        kinks=tuple({level for k in kernels for level in k.kinks}),
        exchanged=lambda: weighted(reverse, [(reversed_kernel(k), c) for k, c in parts]),
    )


def reversed_kernel(kernel: Kernel) -> Kernel:
    """Return the kernel of the divergence with p and q exchanged."""
    return kernel.exchanged() if kernel.exchanged else kernel_of(kernel.reverse)


def total(integrands: Sequence[Integrand], weights: Sequence[float]) -> Integrand:
    """Return Σ weight·integrand, relative to the largest log weight at each point."""

    def integrand(n: Ratio) -> Scaled:
        parts = [part(n) for part in integrands]
        top = np.max([weight for weight, _ in parts], axis=0)
        safe = np.where(np.isfinite(top), top, 0.0)
        mantissa: Array = np.zeros_like(safe)
        for (weight, value), c in zip(parts, weights, strict=True):
            size = np.exp(weight - safe)
            mantissa = mantissa + c * np.where(size > 0, size * value, 0.0)
        return top, mantissa

    return integrand


def _signed(growth: Growth, weight: float) -> Growth:
    return replace(growth, sign=growth.sign if weight > 0 else -growth.sign)


def fastest(growths: Sequence[Growth]) -> Growth:
    """Return the growth at infinity that dominates a sum; its sign is 0 where two may cancel."""
    return _dominating(growths, max(growths, key=lambda g: (g.power, g.logs)))


def slowest(growths: Sequence[Growth]) -> Growth:
    """Return the growth at zero that dominates a sum; its sign is 0 where two may cancel."""
    return _dominating(growths, min(growths, key=lambda g: (g.power, -g.logs)))


def _dominating(growths: Sequence[Growth], top: Growth) -> Growth:
    alike = {g.sign for g in growths if (g.power, g.logs) == (top.power, top.logs)}
    return replace(top, sign=top.sign if len(alike) == 1 else 0)
