"""Divergences of two laws on whole numbers, by summing until what is left is bounded."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import TypeGuard

import mpmath
import numpy as np

from gantheory.densities.base import Density
from gantheory.densities.counts import Counts, Decay
from gantheory.densities.discrete import Discrete
from gantheory.densities.inherited import of_family
from gantheory.errors import GantheoryError
from gantheory.integrals.counting.blocks import LARGE, MOST, block, joined
from gantheory.integrals.counting.closed import kl_of_family
from gantheory.integrals.counting.slow import LEFT, beyond
from gantheory.integrals.counting.terms import Sum, Terms, decay_of, ends_of, window_of
from gantheory.integrals.kernels.kernel import Growth, Integrand, Kernel
from gantheory.records import Estimate, Status

ROUGH = 1e-9  # by which masses of a user's law may miss 1
METHOD = "sum"
SLOW = 20_000  # terms from which on a sum that falls like a power is continued by an integral
FAINT = 1e-280  # what is less may have lost terms that binary64 does not hold


def divergence_of_counts(
    kernel: Kernel, p: Counts | Discrete, q: Counts | Discrete, wrt: str | None = None
) -> Estimate:
    """Return a divergence of two laws of counts, or its derivative in a parameter such as q.rate.

    Errors: rounding of each term, and a bound on the terms that are left out.
    """
    if (known := _infinite(kernel, p, q)) is not None:
        if wrt is None:
            return known
        return Estimate.undetermined(f"{kernel.name} has no derivative here: its value is {known}")
    check_masses(p, q)
    if (known := kl_of_family(kernel.known, p, q, wrt)) is not None:
        return known
    if wrt is None:
        return _finished([_summed(kernel.value, p, q, None)], 1, p == q)
    law, _, parameter = wrt.partition(".")
    if law == "p":
        kernel, p, q = kernel.exchanged(), q, p
    if not isinstance(q, Counts):
        raise GantheoryError(f"wrt={wrt!r}: a discrete law has no parameters; leave it out")
    q.scores(parameter, np.array([float(q.first)]))  # raises for an unknown one
    found = [_summed(slope, p, q, parameter) for slope in kernel.slopes]
    return _finished(found, kernel.sign, p == q)


def has_masses(law: Density) -> TypeGuard[Counts | Discrete]:
    """Whether a law is one of masses on whole numbers, which can be summed."""
    return isinstance(law, Counts) or of_family(law, Discrete)


def check_masses(*laws: Counts | Discrete) -> None:
    """Raise where a law that is not known to sum to 1 does not."""
    for law in laws:
        if getattr(law, "normalised", True):
            continue
        total = _summed(lambda n: (n.log_p, np.ones_like(n.log_p)), law, law, None)
        if not abs(total.value - 1) <= total.error + ROUGH:
            raise GantheoryError(
                f"{law}: its masses sum to {total.value:.9g}, not 1; correct log_mass, or state "
                "its center"
            )


def _finished(found: list[Sum], sign: int, equal: bool) -> Estimate:
    best = min(found, key=lambda total: total.error)
    if best.reason or not math.isfinite(best.error):
        lost = "the sum does not converge" if math.isfinite(best.size) else LARGE
        return Estimate.undetermined(best.reason or lost, METHOD)
    if not equal and abs(best.value) < FAINT:  # of different laws: terms may have underflowed
        best = replace(best, error=max(best.error, FAINT))
    careful = best.error <= 1e-12 * abs(best.value) or not best.value
    status = Status.OK if careful else Status.ILL_CONDITIONED
    reason = None if careful else "terms of both signs cancel, or fall slowly"
    log = math.log(best.value) if sign * best.value > 0 and sign > 0 else None
    return Estimate(
        sign * best.value, best.error, status, METHOD, reason, 0.0, log, evaluations=best.count
    )


def _summed(
    integrand: Integrand, p: Counts | Discrete, q: Counts | Discrete, score: str | None
) -> Sum:
    terms = Terms(integrand, p, q, score)
    first = min(ends_of(law)[0] for law in (p, q))
    last = max(ends_of(law)[1] for law in (p, q))
    windows = [window_of(law) for law in (p, q)]
    low = max(first, math.floor(min(window[0] for window in windows)))
    high = min(last, math.ceil(max(window[1] for window in windows)))
    total = block(terms, low, high)
    step = max(64, int(high - low) // 2)
    while low > first:
        further = max(first, low - step)
        part = block(terms, further, low - 1)
        total, low = joined(total, part), further
        if part.size <= LEFT * total.size:
            break
    while high < last:
        slow = high - first > SLOW and _falls_slowly(p, q)
        if slow:
            return joined(total, beyond(terms, high))
        part = block(terms, high + 1, min(last, high + step))
        total, high = joined(total, part), min(last, high + step)
        if part.size <= LEFT * total.size and (math.isfinite(last) or not _falls_slowly(p, q)):
            rest = _rest(terms, high)
            return Sum(total.value, total.error + rest, total.size, total.count)
        if total.count > MOST:
            reason = "the sum does not converge; its terms fall too slowly"
            return Sum(math.nan, math.inf, 0.0, total.count, reason)
    return total


def _rest(terms: Terms, high: float) -> float:
    """Return what terms beyond ``high`` may add, as twice a geometric series of their ratio."""
    found, _ = terms(np.array([high - 32, high]))
    before, after = map(abs, found)
    if not after:
        return 0.0
    ratio = (after / before) ** (1 / 32) if before > after else 1 - 1e-9
    return 2 * after * ratio / (1 - ratio)


def _falls_slowly(p: Counts | Discrete, q: Counts | Discrete) -> bool:
    """Whether the mass of either law falls like a power."""
    found = [decay for decay in (decay_of(p), decay_of(q)) if decay is not None]
    return any(not decay.factorial and decay.base == 1.0 for decay in found)


def _infinite(kernel: Kernel, p: Counts | Discrete, q: Counts | Discrete) -> Estimate | None:
    """Return the infinite answer, decided by supports and by decay alone, or None."""
    above, below = kernel.at_infinity, kernel.at_zero
    unbounded = above.power > 1 or above.logs > 0
    if unbounded and kernel.singular_p and (point := _uncovered(p, q)) is not None:
        return Estimate.infinite(f"p has mass at {point:g}, where q = 0", sign=above.sign or 1)
    if not below.is_finite and kernel.singular_q and (point := _uncovered(q, p)) is not None:
        return Estimate.infinite(f"q has mass at {point:g}, where p = 0", sign=below.sign or 1)
    ours, theirs = decay_of(p), decay_of(q)
    if ours is None or theirs is None:
        return None
    direction = _growth(1, ours, -1, theirs)
    if not direction[0]:
        return None
    growth: Growth = above if direction[0] > 0 else below
    if (direction[0] > 0 and not unbounded) or (direction[0] < 0 and below.is_finite):
        return None
    a = Fraction(growth.power)
    sign, logs = _growth(a, ours, 1 - a, theirs)
    power = growth.logs * (1 if direction[1] is None else 0)
    converges = sign < 0 if logs is None else logs + power < -1
    if converges:
        return None
    ratio = "p/q" if direction[0] > 0 else "q/p"
    return Estimate.infinite(
        f"{ratio} grows too fast as k grows for the sum to converge", sign=growth.sign or 1
    )


def _growth(
    a: Fraction | int, p: Decay, b: Fraction | int, q: Decay
) -> tuple[int, Fraction | None]:
    """Return the sign of the growth of a·log p + b·log q, and its log term where that decides."""
    factorial = a * p.factorial + b * q.factorial
    if factorial:
        return (1 if factorial > 0 else -1), None
    with mpmath.workdps(60):
        linear = mpmath.mpf(a.numerator) / a.denominator * mpmath.log(p.base)
        linear += mpmath.mpf(b.numerator) / b.denominator * mpmath.log(q.base)
        if abs(linear) > mpmath.mpf(10) ** -50:
            return (1 if linear > 0 else -1), None
    logs = a * p.log + b * q.log
    return (1 if logs > 0 else -1 if logs < 0 else 0), Fraction(logs)


def _uncovered(p: Counts | Discrete, q: Counts | Discrete) -> float | None:
    """Return a point at which p has mass and q has none."""
    if isinstance(p, Discrete) or isinstance(q, Discrete):
        size = max(len(law.masses) for law in (p, q) if isinstance(law, Discrete)) + 2
        k = np.arange(float(size))
        alone = ~np.isneginf(p.logpdf(k)) & np.isneginf(q.logpdf(k))
        return float(k[alone][0]) if alone.any() else None
    (first, last), (start, end) = ends_of(p), ends_of(q)
    return first if first < start else end + 1 if last > end else None
