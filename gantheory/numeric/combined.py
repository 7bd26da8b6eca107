"""Kernels of combinations of named divergences, such as KL(Q‖P) − 2·JSD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gantheory.densities.base import Array
from gantheory.numeric.kernels import Growth, Integrand, Kernel, Scaled
from gantheory.numeric.names import kernel_of
from gantheory.numeric.ratio import Ratio


def combination(name: str, terms: Mapping[str, float]) -> Kernel:
    """Return the kernel of Σ coefficient·divergence.

    >>> combination("mine", {"kl_qp": 1.0, "jsd": -2.0}).reverse
    '1*kl_pq + -2*jsd'
    """
    kernels = [kernel_of(term) for term in terms]
    weights = list(terms.values())
    first = total([k.slopes[0] for k in kernels], weights)
    last = total([k.slopes[-1] for k in kernels], weights)
    reverse = " + ".join(f"{c:.17g}*{k.reverse}" for k, c in zip(kernels, weights, strict=True))
    return Kernel(
        name,
        total([k.value for k in kernels], weights),
        (first, last),
        reverse,
        slowest([k.at_zero for k in kernels]),
        fastest([k.at_infinity for k in kernels]),
        tuple({level for k in kernels for level in k.levels}),
        exchanged=lambda: combination(
            reverse, {k.reverse: c for k, c in zip(kernels, weights, strict=True)}
        ),
    )


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


def fastest(growths: Sequence[Growth]) -> Growth:
    """Return the growth at infinity that dominates a sum."""
    return max(growths, key=lambda g: (g.power, g.logs))


def slowest(growths: Sequence[Growth]) -> Growth:
    """Return the growth at zero that dominates a sum."""
    return min(growths, key=lambda g: (g.power, -g.logs))
