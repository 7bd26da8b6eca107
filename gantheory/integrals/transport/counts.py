r"""W1, W2 and the energy distance of laws on whole numbers: sums over the gap of their levels.

With :math:`D_k = F_p(k) - F_q(k)`, W1 is :math:`\sum|D_k|` and the energy distance
:math:`2\sum D_k^2`; W2 moves mass in the order of the line. Levels are summed from either end, so
that they keep their digits in both tails. The error is the rounding of every mass and a bound on
the terms that are left out.
"""

from __future__ import annotations

import math

import numpy as np

from gantheory.densities.base import Array, Density
from gantheory.densities.counts import Counts, Zipf
from gantheory.densities.discrete import Discrete
from gantheory.densities.inherited import of_family
from gantheory.errors import GantheoryError
from gantheory.integrals.counting.sums import check_masses
from gantheory.integrals.transport.cells import can_part
from gantheory.integrals.transport.characteristic import are_smooth, energy_by_waves
from gantheory.integrals.transport.count_slopes import slope_of_ladder
from gantheory.integrals.transport.ladders import (
    METHOD,
    MOST,
    Ladder,
    energy_beyond,
    is_heavy,
    ladder_of,
    sum_estimate,
    w1_beyond,
)
from gantheory.integrals.transport.wide import distance_of_wide
from gantheory.integrals.transport.wide_slopes import slope_of_wide
from gantheory.records import Estimate
from gantheory.rounding import EPS
from gantheory.wrt import split_parameter

STEPS = 64


def transport_of_counts(
    name: str, p: Counts | Discrete, q: Counts | Discrete, wrt: str | None = None
) -> Estimate:
    """Return ``"w1"``, ``"w2"`` or ``"energy"``, or a derivative."""
    if wrt is None and p == q:
        return Estimate(0.0, method=METHOD)
    for law in (p, q):
        _check_fall(name, law)
    check_masses(p, q)
    if (known := _infinite(name, p, q)) is not None:
        if wrt is None:
            return known
        return Estimate.undetermined(f"{name} has no derivative here: its value is {known}", METHOD)
    ladder = None if is_heavy(p, q) and can_part(p, q) else ladder_of(p, q)
    if ladder is None and not can_part(p, q):
        return Estimate.undetermined(f"{p} and {q} need more than {MOST} terms", METHOD)
    if ladder is None and name == "energy" and are_smooth(p, q):
        return energy_by_waves(p, q, wrt)
    if wrt is not None:
        return _slope(name, ladder, p, q, wrt)
    if ladder is None:
        return distance_of_wide(name, p, q)
    if name == "w2":
        return _w2(ladder)
    gap, doubt = ladder.gap, ladder.doubt(ladder.noise)
    if name == "w1":
        value, error = math.fsum(np.abs(gap)), float(doubt.sum())
        rest, off = w1_beyond(p, q, float(ladder.k[-1]) + 1)
        return sum_estimate(value + rest, error + off + 4 * EPS * (value + rest))
    value = 2 * math.fsum(gap * gap)
    error = 2 * float(np.sum(2 * np.abs(gap) * doubt + doubt * doubt))
    rest, off = energy_beyond(p, q, float(ladder.k[-1]) + 1)
    return sum_estimate(value + rest, error + off + 4 * EPS * (value + rest))


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


def _w2(ladder: Ladder) -> Estimate:
    """Return W2 from W2² = Σ_a Σ_b max(F_q(a∧b) − F_p(a∨b), 0) and the same with p and q exchanged.

    The sum over b = a + j ends where no mass moves further than j.
    """
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


def _slope(
    name: str, ladder: Ladder | None, p: Counts | Discrete, q: Counts | Discrete, wrt: str
) -> Estimate:
    side, parameter = split_parameter(wrt)
    law = p if side == "p" else q
    if not isinstance(law, Counts) or (name == "w2" and ladder is None):
        raise GantheoryError(
            f"wrt={wrt!r}: the derivative of {name} between {p} and {q} is not known"
        )
    law.scores(parameter, np.array([float(law.first)]))  # raises for an unknown one
    if ladder is None:
        return slope_of_wide(name, p, q, side, parameter)
    value = _w2(ladder) if name == "w2" else None
    if p == q and value is not None:
        return Estimate.undetermined("W2 has a kink where the two laws are equal; move one of them")
    return slope_of_ladder(name, ladder, law, side, parameter, value)
