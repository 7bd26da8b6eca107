r"""W1, W2 and the energy distance of laws on whole numbers: sums over the gap of their levels.

With :math:`D_k = F_p(k) - F_q(k)`, W1 is :math:`\sum|D_k|` and the energy distance
:math:`2\sum D_k^2`; W2 moves mass in the order of the line. Levels are summed from either end, so
that they keep their digits in both tails. The error is the rounding of every mass and a bound on
the terms that are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import mpmath
import numpy as np

from gantheory.densities.base import Array, Density
from gantheory.densities.counts import Counts, Zipf
from gantheory.densities.discrete import Discrete
from gantheory.densities.inherited import of_family
from gantheory.errors import GantheoryError
from gantheory.integrals.counting.sums import check_masses
from gantheory.integrals.counting.terms import size_of
from gantheory.records import Estimate, Status
from gantheory.rounding import EPS
from gantheory.wrt import split_parameter

METHOD = "sum"
REACH = 90.0  # widths from the middle: beyond, a law that falls like exp(−k/width) has nothing
MOST = 1 << 22
STEPS = 64
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
        below = np.cumsum(mass[: self.split])
        above = np.cumsum(mass[: self.split - 1 : -1])[::-1]
        return np.concatenate([below, -np.append(above[1:], 0.0)])

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


def transport_of_counts(
    name: str, p: Counts | Discrete, q: Counts | Discrete, wrt: str | None = None
) -> Estimate:
    """Return ``"w1"``, ``"w2"`` or ``"energy"``, or a derivative of the first or the last."""
    if wrt is None and p == q:
        return Estimate(0.0, method=METHOD)
    for law in (p, q):
        _check_fall(name, law)
    check_masses(p, q)
    if (known := _infinite(name, p, q)) is not None:
        return known
    ladder = ladder_of(p, q)
    if ladder is None:
        return Estimate.undetermined(f"{p} and {q} need more than {MOST} terms", METHOD)
    if wrt is not None:
        return _slope(name, ladder, p, q, wrt)
    if name == "w2":
        return _w2(ladder, p, q)
    gap, doubt = ladder.gap, ladder.doubt(ladder.noise)
    if name == "w1":
        value, error = math.fsum(np.abs(gap)), float(doubt.sum())
        rest, off = _rest(p, q, float(ladder.k[-1]))
        return sum_estimate(value + rest, error + off + 4 * EPS * (value + rest))
    value = 2 * math.fsum(gap * gap)
    error = 2 * float(np.sum(2 * np.abs(gap) * doubt + doubt * doubt))
    heavy = [law.exponent for law in (p, q) if of_family(law, Zipf)]
    rest = 0.0
    if heavy:  # the gap falls like k^(1 − s) from here on
        rest = 2 * ladder.beyond**2 * float(ladder.k[-1]) / (2 * min(heavy) - 3)
    return sum_estimate(value + rest, error + rest + 4 * EPS * value)


def sum_estimate(value: float, error: float) -> Estimate:
    """Return a sum with its error; it is called ill-conditioned where few digits are left."""
    careful = error <= 1e-9 * abs(value) or value == 0
    return Estimate(
        value,
        error,
        Status.OK if careful else Status.ILL_CONDITIONED,
        METHOD,
        None if careful else "terms fall slowly, or cancel",
        log_value=math.log(value) if value > 0 else None,
    )


def ladder_of(p: Counts | Discrete, q: Counts | Discrete) -> Ladder | None:
    """Return the masses of both laws on one range of whole numbers; None: it is too long."""
    ends = [_window(law) for law in (p, q)]
    low, high = min(a for a, _ in ends), max(b for _, b in ends)
    if high - low > MOST:
        return None
    k = np.arange(low, high + 1)
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
    beyond = above(p, high) - above(q, high)
    return Ladder(k, ours, theirs, apart, np.where(np.isfinite(noise), noise, 0.0), beyond)


def _window(law: Counts | Discrete) -> tuple[float, float]:
    if isinstance(law, Discrete):
        return 0.0, len(law.masses) - 1.0
    if of_family(law, Zipf):
        return float(law.first), float(HEAVY)
    middle, width = law.center
    low = max(float(law.first), math.floor(middle - REACH * width))
    return low, min(float(law.last), math.ceil(middle + REACH * width))


def _is_heavy(*laws: Density) -> bool:
    return any(of_family(law, Zipf) for law in laws)


def _check_fall(name: str, law: Counts | Discrete) -> None:
    """Raise for a law other than Zipf's whose masses fall like a power, or nobody knows how."""
    decay = law.decay if isinstance(law, Counts) and not of_family(law, Zipf) else None
    if decay is not None and not decay.factorial and decay.base == 1:
        raise GantheoryError(f"{name} of {law}: it falls like a power, of which only zipf is known")


def _infinite(name: str, p: Density, q: Density) -> Estimate | None:
    least = {"w1": 2.0, "w2": 3.0, "energy": 1.5}[name]
    lacking = {"w1": "mean", "w2": "second moment", "energy": "mean root"}[name]
    heavy = [law.exponent for law in (p, q) if of_family(law, Zipf)]
    if not heavy or min(heavy) > least:
        return None
    return Estimate.infinite(f"no {lacking}: a mass falls like k^-{min(heavy):g}", METHOD)


def _rest(p: Density, q: Density, high: float) -> tuple[float, float]:
    """Return Σ abs(D_k) over k > high, where laws that fall like powers are ordered.

    Two Zipf laws have one crossing of their masses, and each is above all else far out.
    """
    ours, theirs = (_excess_over(law, high + 1) for law in (p, q))
    return abs(ours - theirs), 16 * EPS * (ours + theirs)


def above(law: Density, high: float) -> float:
    """Return P(X > high), which is 0 to all digits but for laws that fall like powers."""
    if not of_family(law, Zipf):
        return 0.0
    with mpmath.workdps(40):
        s = mpmath.mpf(law.exponent)
        return float(mpmath.zeta(s, mpmath.mpf(high) + 1) / mpmath.zeta(s))


def _excess_over(law: Density, high: float) -> float:
    """Return E max(X − high, 0), again of laws that fall like powers."""
    if not of_family(law, Zipf):
        return 0.0
    with mpmath.workdps(40):
        s, first = mpmath.mpf(law.exponent), mpmath.mpf(high) + 1
        tail = mpmath.zeta(s - 1, first) - mpmath.mpf(high) * mpmath.zeta(s, first)
        return float(tail / mpmath.zeta(s))


def _w2(ladder: Ladder, p: Density, q: Density) -> Estimate:
    """Return W2 from W2² = Σ_a Σ_b max(F_q(a∧b) − F_p(a∨b), 0) and the same with p and q exchanged.

    The sum over b = a + j ends where no mass moves further than j.
    """
    if _is_heavy(p, q):
        raise GantheoryError(f"w2 of {p} and {q}: it is not known for laws that fall like a power")
    gap, doubt = ladder.gap, ladder.doubt(ladder.noise)
    total, error = math.fsum(np.abs(gap)), float(doubt.sum())
    for sign, mass in ((-1.0, ladder.p), (1.0, ladder.q)):
        more, off = _further(sign * gap, mass, doubt, ladder.split)
        total, error = total + 2 * more, error + 2 * off
    value = math.sqrt(total)
    return sum_estimate(
        value, (error + 8 * EPS * total) / (2 * value) * 1.01 if value else error**0.5
    )


def _further(left: Array, mass: Array, doubt: Array, split: int) -> tuple[float, float]:
    """Return Σ_a Σ_{j ≥ 1} max(left_a − (mass of a + 1, ..., a + j), 0), and its error.

    The first steps are subtracted one by one, which loses nothing between close laws; further ones
    are taken together from sums of sums.
    """
    places, total, error, size = np.arange(len(left)), 0.0, 0.0, np.abs(left)
    for j in range(1, STEPS + 1):
        inside = places + j < len(mass)
        places, left = places[inside], left[inside] - mass[places[inside] + j]
        places, left = places[left > 0], left[left > 0]
        total += float(left.sum())
        error += float(np.sum(doubt[places] + 8 * EPS * size[places]))
    for above in (False, True):
        part = (places + STEPS >= split) == above
        if part.any():
            more, count = _together(left[part], places[part] + STEPS, mass, from_above=above)
            total += float(more.sum())
            off = doubt[places[part]] + 8 * EPS * size[places[part]]
            error += float(np.sum(count * off + 16 * EPS * more))
    return total, error


def _together(left: Array, start: Array, mass: Array, *, from_above: bool) -> tuple[Array, Array]:
    """Return Σ_{i > start} max(left − (mass of start + 1, ..., i), 0), and of how many terms.

    Levels, and sums of them, are counted from the nearer end.
    """
    if from_above:
        levels = -np.append(np.cumsum(mass[:0:-1])[::-1], 0.0)
        sums = -np.append(np.cumsum(levels[:0:-1])[::-1], 0.0)  # minus the sum beyond
    else:
        levels = np.cumsum(mass)
        sums = np.cumsum(levels)
    target = left + levels[start]
    stop = np.maximum(np.searchsorted(levels, target), start + 1)
    count = stop - 1 - start
    return np.maximum(count * target - (sums[stop - 1] - sums[start]), 0.0), count


def _slope(name: str, ladder: Ladder, p: Density, q: Density, wrt: str) -> Estimate:
    """Return Σ sign(D_k) D'_k, or 4 Σ D_k D'_k, with D' from the score of the law that moves."""
    side, parameter = split_parameter(wrt)
    law, mass = (p, ladder.p) if side == "p" else (q, ladder.q)
    if name == "w2" or not isinstance(law, Counts):
        raise GantheoryError(
            f"wrt={wrt!r}: the derivative of {name} between {p} and {q} is not known"
        )
    if _is_heavy(p, q):
        raise GantheoryError(f"wrt={wrt!r}: it is not known for laws that fall like a power")
    sign = 1.0 if side == "p" else -1.0
    with np.errstate(all="ignore"):
        score = np.where(mass > 0, law.scores(parameter, ladder.k), 0.0)
    moved = sign * ladder.levels(mass * score)
    off = ladder.doubt(64 * EPS * mass * np.abs(score))
    gap, doubt = ladder.gap, ladder.doubt(ladder.noise)
    if name == "energy":
        value = 4 * math.fsum(gap * moved)
        error = 4 * float(np.sum(np.abs(gap) * off + doubt * (np.abs(moved) + off)))
        return sum_estimate(value, error + 4 * EPS * abs(value))
    known = np.abs(gap) > doubt
    value = math.fsum(np.where(known, np.sign(gap) * moved, 0.0))
    error = float(np.sum(np.where(known, off, np.abs(moved) + off)))
    found = sum_estimate(value, error + 4 * EPS * abs(value))
    if error > 1e-6 * abs(value) and error > 1e-9:
        return Estimate.undetermined("both levels agree where mass moves: W1 has a kink here")
    return found
