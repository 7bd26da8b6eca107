"""From what a user names to the kernel that integrates it."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

from gantheory.divergences import COMPLEMENTS, named
from gantheory.numeric.kernels import KERNELS, Kernel, power_kernel


@cache
def kernel_of(name: str) -> Kernel:
    """Return the kernel of a named divergence, complement or power divergence.

    Raises:
        GantheoryError: for an unknown name, with the nearest known one.
    """
    if name in KERNELS:
        return KERNELS[name]
    if name in COMPLEMENTS:
        raise AssertionError(f"the complement {name!r} has no kernel")
    entry = named(name)
    if entry.name in KERNELS:
        return KERNELS[entry.name]
    return power_kernel(order(name))


def order(name: str) -> Fraction:
    """Return the order of a power divergence from its name, exactly."""
    numerator, _, denominator = name.partition("_")[2].partition("/")
    return Fraction(numerator) / Fraction(denominator or "1")
