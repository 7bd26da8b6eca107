"""Square roots of divergences, and bits: what a convention makes of an estimate."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TypeVar

import numpy as np

from gantheory.divergences import Complement, FDivergence, named
from gantheory.errors import GantheoryError, unknown_name
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.integrals.transport.catalogue import Distance
from gantheory.records import Estimate, Estimates
from gantheory.rounding import EPS

UNITS = ("nats", "bits")
E = TypeVar("E", Estimate, Estimates)


def square_root(estimate: Estimate, slope: Estimate | None = None) -> Estimate:
    """Return √D, or its derivative D'/(2√D) where that of D is given.

    >>> print(square_root(Estimate(4.0, 1e-9)))
    2 ± 2.5e-10
    """
    if slope is None:
        if not estimate.value >= 0 or math.isinf(estimate.value):
            return (
                estimate
                if not estimate.value < 0
                else replace(estimate, value=0.0, error=_root(estimate))
            )
        log = None if estimate.log_value is None else estimate.log_value / 2
        value = (
            math.exp(log) if log is not None and not estimate.value else math.sqrt(estimate.value)
        )
        return replace(estimate, value=value, error=_root(estimate), log_value=log)
    if not (estimate.is_finite and slope.is_finite):
        return slope if not slope.is_finite else estimate
    if estimate.value <= estimate.error:
        return Estimate.undetermined(
            "the square root has a kink where the two laws are equal; move one of them"
        )
    value = slope.value / (2 * math.sqrt(estimate.value))
    least = math.sqrt(estimate.value - estimate.error)
    off = slope.error / (2 * least) + abs(value) * (math.sqrt(estimate.value) / least - 1)
    return replace(slope, value=value, error=off + 2 * EPS * abs(value), log_value=None)


def _root(estimate: Estimate) -> float:
    """Return the error of √(value ± error)."""
    value = max(estimate.value, 0.0)
    if value > estimate.error:
        return (
            estimate.error / (math.sqrt(value - estimate.error) + math.sqrt(value))
            + EPS * value**0.5
        )
    return math.sqrt(value + estimate.error)


def in_unit(what: Kernel | Distance, found: E, unit: str) -> E:
    """Return an estimate in nats, in the unit asked for; √JSD takes the root of the unit.

    Raises:
        GantheoryError: for an unknown unit, or bits of what is measured in none.
    """
    if unit not in UNITS:
        raise unknown_name("unit", unit, UNITS)
    if unit == "nats":
        return found
    per = math.log(2) ** _power_of_unit(what)
    if isinstance(found, Estimates):
        error = (found.error + EPS * np.abs(found.value)) / per
        return replace(found, value=found.value / per, error=error)
    value = found.value / per
    log = None if found.log_value is None else found.log_value - math.log(per)
    error = found.error / per + (2 * EPS * abs(value) if math.isfinite(value) else 0.0)
    return replace(found, value=value, error=error, log_value=log)


def measured_in(what: Kernel | Distance, unit: str) -> str | None:
    """Return the unit of a divergence: ``unit``, or None for what is no information, as W1 or TV.

    What a loss reads or follows, without an entry of its own, counts as in ``unit``.
    """
    own = isinstance(what, Kernel) and what.entry is None
    return unit if own or _power(what) is not None else None


def _power_of_unit(what: Kernel | Distance) -> float:
    power = _power(what)
    if power is None:
        raise GantheoryError(f"{what.name} is no information, so it has no bits; leave out unit")
    return power


def _power(what: Kernel | Distance) -> float | None:
    """Return 1 for what is measured in nats, by the logarithm in its f, and ½ for its root."""
    entry = what.entry if isinstance(what, Kernel) else None
    power = 1.0
    if isinstance(what, Distance) and what.root_of:
        entry, power = named(what.root_of), 0.5
    if isinstance(entry, Complement):
        entry = named(entry.of)
    return power if isinstance(entry, FDivergence) and "log(" in entry.f else None
