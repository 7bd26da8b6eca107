"""From what a user names to the kernel that integrates it."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache

from gantheory.errors import GantheoryError, unknown_name
from gantheory.integrals.kernels.kernel import KERNELS, Kernel, power_kernel

DISTANCES = ("w1", "w2", "energy", "mmd2")  # named beside the f-divergences, found elsewhere
MAX_ORDER = 60  # as far as the table of divergences writes their formulas
ORDER = re.compile(r"(power|alpha)_(-?\d{1,6}(?:\.\d{1,12})?)(?:/(\d{1,6}))?")


@cache
def kernel_of(name: str) -> Kernel:
    """Return the kernel of a named divergence, complement or power divergence.

    Raises:
        GantheoryError: for an unknown name, with the nearest known one.
    """
    if name in KERNELS:
        return KERNELS[name]
    if not name.startswith(("power_", "alpha_")):
        raise unknown_name("divergence", name, [*KERNELS, *DISTANCES, "power_<alpha>"])
    alpha = order(name)
    if abs(alpha) > MAX_ORDER:
        raise GantheoryError(f"divergence {name!r}: its order must be within ±{MAX_ORDER}")
    return kernel_of_order(alpha)


@cache
def kernel_of_order(alpha: Fraction) -> Kernel:
    """Return the kernel of a power divergence, whose curvature is r^(α − 2)."""
    if alpha in (0, 1):
        return KERNELS["kl_pq" if alpha == 1 else "kl_qp"]
    return power_kernel(alpha)


def order(name: str) -> Fraction:
    """Return the order of a power divergence from its name, exactly."""
    match = ORDER.fullmatch(name)
    if match is None or (match[3] and not int(match[3])):
        raise GantheoryError(f"divergence {name!r} has no order; write it like power_0.3")
    return Fraction(match[2]) / int(match[3] or 1)
