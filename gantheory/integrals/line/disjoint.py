"""Laws on exactly disjoint supports: f(0) + f'(∞), whatever the laws are.

Decided by the exact ends of the supports (`gantheory.integrals.kernels.infinite`). No panel is
needed, so a support narrower than the spacing of binary64 numbers around it loses nothing.
"""

from __future__ import annotations

import math

import numpy as np

from gantheory.densities.inherited import of_family
from gantheory.densities.mixing import AnyMixture
from gantheory.densities.univariate import Univariate, nearest
from gantheory.divergences.ratio import Ratio
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.records import Estimate
from gantheory.rounding import EPS

ROUNDINGS = 32.0  # of a kernel at p alone or q alone, read from a table where it has no formula


def are_disjoint(p: Univariate, q: Univariate) -> bool:
    """Whether two laws known to have mass 1 share no interval."""
    return (p.normalised and q.normalised) and not any(
        max(a, c) < min(b, d) for a, b in p.exact_pieces for c, d in q.exact_pieces
    )


def has_collapsed(law: Univariate) -> bool:
    """Whether rounding leaves nothing of a piece of the support, and so loses its mass."""
    if of_family(law, AnyMixture):  # whose other components may cover that piece
        return any(map(has_collapsed, law.parts))
    return any(nearest(low) == nearest(high) for low, high in law.exact_pieces)


def on_disjoint_supports(kernel: Kernel) -> Estimate | None:
    """Return the value that a kernel has on any disjoint pair, or None where it is not finite."""
    here, nowhere = np.zeros(2), np.full(2, -np.inf)
    first = np.array([True, False])  # p alone, then q alone
    with np.errstate(all="ignore"):
        n = Ratio.of(np.where(first, here, nowhere), np.where(first, nowhere, here))
        weight, mantissa = kernel.value(n)
        parts = np.where(np.isneginf(weight), 0.0, np.exp(weight) * mantissa)
    value = math.fsum(parts)
    if not math.isfinite(value):
        return None
    return Estimate(
        value,
        ROUNDINGS * EPS * float(np.abs(parts).sum()),
        method="disjoint supports",
        log_value=math.log(value) if value > 0 else None,
    )
