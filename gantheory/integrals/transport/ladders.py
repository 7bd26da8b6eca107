"""The masses of two laws on one range of whole numbers, and what lies beyond it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mpmath
import numpy as np

from gantheory.densities.base import Array, Density
from gantheory.densities.counts import Counts, Zipf
from gantheory.densities.discrete import Discrete
from gantheory.densities.inherited import of_family
from gantheory.integrals.counting.terms import size_of
from gantheory.records import Estimate
from gantheory.rounding import EPS

METHOD = "sum"
REACH = 90.0  # widths from the middle: beyond, a law that falls like exp(−k/width) has nothing
MOST = 1 << 22
HEAVY = 1 << 20  # terms of a law that falls like a power


@dataclass(frozen=True)
class Ladder:
    """Two laws at low, low + 1, ..., high, outside of which they have nothing that counts.

    Attributes:
        k: the whole numbers.
        p, q: the masses.
        apart: p − q, without cancellation for relatives.
        noise: bounds on the errors of ``apart``.
    """

    k: Array
    p: Array
    q: Array
    apart: Array
    noise: Array
    beyond: float = 0.0  # what p has beyond high more than q

    @cached_property
    def split(self) -> int:
        """Where levels are counted from below, and beyond it from above."""
        return int(np.searchsorted(np.cumsum(0.5 * (self.p + self.q)), 0.5)) + 1

    def levels(self, mass: Array) -> Array:
        """Return Σ mass over 0..k up to the split, and minus the sum over k + 1.. beyond."""
        below = np.cumsum(mass[: self.split], dtype=np.longdouble)
        above = np.cumsum(mass[: self.split - 1 : -1], dtype=np.longdouble)[::-1]
        return np.concatenate([below, -np.append(above[1:], 0.0)]).astype(float)

    @property
    def gap(self) -> Array:
        """F_p − F_q."""
        found = self.levels(self.apart)
        found[self.split :] -= self.beyond
        return found

    def doubt(self, noise: Array) -> Array:
        """Return bounds on the errors of levels, of as many terms as they were summed from."""
        below = np.cumsum(noise[: self.split])
        above = np.cumsum(noise[: self.split - 1 : -1])[::-1]
        return np.concatenate([below, np.append(above[1:], 0.0)])


def sum_estimate(value: float, error: float) -> Estimate:
    """Return a sum with its error; it is called ill-conditioned where few digits are left."""
    return Estimate.of_sum(value, error, METHOD, "terms fall slowly, or cancel")


def ladder_of(p: Counts | Discrete, q: Counts | Discrete) -> Ladder | None:
    """Return the masses of both laws on one range of whole numbers; None: it is too long."""
    ends = [_window(law) for law in (p, q)]
    low, high = min(a for a, _ in ends), max(b for _, b in ends)
    if high - low > MOST:
        return None
    k = np.arange(low, high + 1)
    return Ladder(k, *masses_at(p, q, k), above(p, high) - above(q, high))


def masses_at(
    p: Counts | Discrete, q: Counts | Discrete, k: Array
) -> tuple[Array, Array, Array, Array]:
    """Return the masses of both laws, p − q without cancellation for relatives, and its noise."""
    with np.errstate(all="ignore"):
        log_p, log_q = p.logpdf(k), q.logpdf(k)
        u = log_p - log_q
        constant = size_of(p, k) + size_of(q, k)
        known = p.log_ratio(q, k) if isinstance(p, Counts) else None
        doubt = 4 * EPS * (np.abs(log_p) + np.abs(log_q) + constant)
        both = np.isfinite(log_p) & np.isfinite(log_q)
        if known is not None:
            u, doubt = np.where(both, known[0], u), np.where(both, 8 * EPS * known[1], doubt)
        ours, theirs = np.exp(log_p), np.exp(log_q)
        near = both & (np.abs(u) < 1)
        apart = np.where(near, theirs * np.expm1(np.where(near, u, 0.0)), ours - theirs)
        rounding = EPS * (8 + constant + np.abs(np.maximum(log_p, log_q)))
        larger = np.maximum(ours, theirs)
        noise = np.where(near, np.abs(apart) * rounding + 3 * larger * doubt, larger * rounding)
    return ours, theirs, apart, np.where(np.isfinite(noise), noise, 0.0)


def _window(law: Counts | Discrete) -> tuple[float, float]:
    if isinstance(law, Discrete):
        return 0.0, len(law.masses) - 1.0
    if of_family(law, Zipf):
        return float(law.first), float(HEAVY)
    middle, width = law.center
    low = max(float(law.first), math.floor(middle - REACH * width))
    return low, min(float(law.last), math.ceil(middle + REACH * width))


def is_heavy(*laws: Density) -> bool:
    return any(of_family(law, Zipf) for law in laws)


def w1_beyond(p: Density, q: Density, start: float) -> tuple[float, float]:
    """Return Σ abs(D_k) over k ≥ start, where laws falling like powers are ordered, and its error.

    Two Zipf laws have one crossing of their masses, and each is above all else far out.
    """
    ours, theirs = (_of_zipf(excess_over, law, start) for law in (p, q))
    return abs(ours - theirs), 16 * EPS * (ours + theirs)


def energy_beyond(p: Density, q: Density, start: float) -> tuple[float, float]:
    """Return 2 Σ D_k² over k ≥ start, and its error."""
    laws = [(law.exponent, sign) for law, sign in ((p, 1), (q, -1)) if of_family(law, Zipf)]
    with mpmath.workdps(40):
        value, size = energy_of_powers(laws, start)
    most = max((s for s, _ in laws), default=0.0)
    return float(value), float(size) * (16 * EPS + (most / start) ** 2)


def above(law: Density, high: float) -> float:
    """Return P(X > high), which is 0 to all digits but for laws that fall like powers."""
    return _of_zipf(mass_above, law, high)


def _of_zipf(of: Callable[[Any, float], Any], law: Density, high: float) -> float:
    if not of_family(law, Zipf):
        return 0.0
    with mpmath.workdps(40):
        return float(of(mpmath.mpf(law.exponent), high))


def mass_above(s: Any, high: float) -> Any:
    """Return P(X > high) of a Zipf law with exponent s, in the working digits."""
    return mpmath.zeta(s, mpmath.mpf(high) + 1) / mpmath.zeta(s)


def excess_over(s: Any, high: float) -> Any:
    """Return Σ P(X > k) over k ≥ high, of the same."""
    first = mpmath.mpf(high) + 1
    tail = mpmath.zeta(s - 1, first) - mpmath.mpf(high) * mpmath.zeta(s, first)
    return tail / mpmath.zeta(s)


def energy_of_powers(laws: Sequence[tuple[Any, int]], start: float) -> tuple[Any, Any]:
    """Return 2 Σ D_k² over k ≥ start, of signed exponents, and that of all sizes.

    What a Zipf law has above k is c (k + ½)^(1 − s) but for a share of s²/k², c = 1/((s − 1) ζ(s)).
    """
    value, size = mpmath.mpf(0), mpmath.mpf(0)
    for s, one in laws:
        for t, other in laws:
            c = 1 / ((s - 1) * mpmath.zeta(s) * (t - 1) * mpmath.zeta(t))
            part = 2 * c * mpmath.mpf(start) ** (3 - s - t) / (mpmath.mpf(s) + t - 3)
            value, size = value + one * other * part, size + part
    return value, size
