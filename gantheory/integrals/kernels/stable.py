"""Kernels of the divergences whose entries say how to integrate them without losing digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache

from gantheory.divergences import (
    Complement,
    FDivergence,
    find_divergence,
    power,
    power_name,
    with_stable,
)
from gantheory.divergences.powers import LARGEST, stable_power
from gantheory.divergences.stable import Stable
from gantheory.errors import InternalError
from gantheory.integrals.kernels.kernel import Kernel


def kernel_of(name: str) -> Kernel:
    """Return the kernel of a named divergence that has a stable form, or of a complement.

    >>> kernel_of("bc").sign
    -1
    """
    entry = find_divergence(name)
    assert isinstance(entry, FDivergence | Complement)
    kernel = stable_kernel(entry)
    if kernel is None:
        raise InternalError(f"{name} has no stable form")
    return kernel


@cache
def stable_kernel(entry: FDivergence | Complement) -> Kernel | None:
    """Return the kernel of an entry's own integrands; None where it has only its formula."""
    if isinstance(entry, Complement):
        return _of_complement(entry)
    if (known := with_stable(entry)) is not entry:
        return stable_kernel(known)
    if entry.stable is None:
        return None
    return _kernel(entry.name, entry.stable, lambda: kernel_of(entry.reverse), entry)


@cache
def kernel_of_order(alpha: Fraction) -> Kernel:
    """Return the kernel of a power divergence, of however large an order."""
    if alpha in (0, 1) or abs(alpha) <= LARGEST:
        return kernel_of(power(alpha).name)
    form = stable_power(alpha)
    return _kernel(power_name(alpha), form, lambda: kernel_of_order(1 - alpha))


def _kernel(
    name: str, form: Stable, exchanged: Callable[[], Kernel], entry: FDivergence | None = None
) -> Kernel:
    return Kernel(
        name,
        form.value,
        form.slopes,
        exchanged,
        form.at_zero,
        form.at_infinity,
        levels=form.kinks,
        kinks=form.kinks,
        entry=entry,
    )


def _of_complement(entry: Complement) -> Kernel:
    """Return the kernel of maximum − D: D's slopes, with the opposite sign."""
    whole = kernel_of(entry.of)
    return replace(
        whole,
        name=entry.name,
        value=entry.stable,
        exchanged=lambda: kernel_of(entry.name),  # D is symmetric
        touches=False,
        sign=-1,
        entry=entry,
    )
