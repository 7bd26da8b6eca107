"""Kernels of combinations of divergences, such as KL(Q‖P) − 2·JSD."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gantheory.densities.base import Array
from gantheory.divergences.ratio import Ratio
from gantheory.divergences.stable import Growth, Integrand, Scaled
from gantheory.integrals.kernels.kernel import Kernel


def weighted(name: str, parts: Sequence[tuple[Kernel, float]]) -> Kernel:
    """Return the kernel of Σ coefficient·divergence, given by its kernels."""
    kernels, weights = zip(*parts, strict=True)
    return Kernel(
        name,
        weighted_integrand([k.value for k in kernels], weights),
        tuple(weighted_integrand([k.slopes[form] for k in kernels], weights) for form in (0, -1)),
        lambda: sum_of([(k.exchanged(), c) for k, c in parts]),
        slowest([_signed(k.at_zero, c) for k, c in parts]),
        fastest([_signed(k.at_infinity, c) for k, c in parts]),
        tuple({level for k in kernels for level in k.levels}),
        kinks=tuple({level for k in kernels for level in k.kinks}),
    )


def sum_of(parts: Sequence[tuple[Kernel, float]], name: str = "") -> Kernel:
    """Return the kernel of Σ coefficient·divergence, called after its terms unless named."""
    if len(parts) == 1 and parts[0][1] == 1 and not name:
        return parts[0][0]
    return weighted(name or " + ".join(f"{c:.17g}*{k.name}" for k, c in parts), parts)


def weighted_integrand(integrands: Sequence[Integrand], weights: Sequence[float]) -> Integrand:
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
