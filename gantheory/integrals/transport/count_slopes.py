r"""Derivatives of W1, W2 and the energy distance of laws on whole numbers, by their levels.

With :math:`D_k = F_p(k) - F_q(k)` they are :math:`\sum\mathrm{sign}(D_k)D_k'` and
:math:`4\sum D_k D_k'`. Where :math:`F_p(k)` moves, so much mass goes from k + 1 to k, and

.. math:: \partial W_2^2 = -\sum_k F_p'(k)\,[2(k - F_q^{-1}(F_p(k))) + 1].
"""

from __future__ import annotations

import math

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.counts import Counts
from gantheory.integrals.transport.ladders import Ladder, sum_estimate
from gantheory.records import Estimate
from gantheory.rounding import EPS

KINK = "both levels agree where mass moves: {name} has a kink here"


def slope_of_ladder(
    name: str, ladder: Ladder, law: Counts, side: str, parameter: str, value: Estimate | None
) -> Estimate:
    """Return the derivative of a distance in a parameter of the law on one side.

    ``value`` is W2 itself, which its derivative needs.
    """
    mass, sign = (ladder.p, 1.0) if side == "p" else (ladder.q, -1.0)
    with np.errstate(all="ignore"):
        score = np.where(mass > 0, law.scores(parameter, ladder.k), 0.0)
    moved = ladder.levels(mass * score)
    off = ladder.doubt(64 * EPS * mass * np.abs(score))
    if value is not None:
        return _w2(ladder, sign, moved, off, value)
    return _of_gap(name, ladder, sign * moved, off)


def _of_gap(name: str, ladder: Ladder, moved: Array, off: Array) -> Estimate:
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
        return Estimate.undetermined(KINK.format(name="W1"))
    return found


def _w2(ladder: Ladder, sign: float, moved: Array, off: Array, w2: Estimate) -> Estimate:
    own, other = (ladder.p, ladder.q)[:: int(sign)]
    places = np.arange(len(own))
    gap, doubt = sign * ladder.gap, ladder.doubt(ladder.noise)  # of the own level and the other
    goal, unsure = _goals(own, other, ladder.split)
    tied = unsure & ((goal == places) | (goal == places + 1))  # the gap tells which
    goal = np.where(tied, np.where(gap > 0, places + 1, places), goal)
    unsure = np.where(tied, np.abs(gap) <= doubt, unsure)
    way = 2.0 * (places - goal) + 1
    total = -math.fsum(moved * way)
    error = float(np.sum(off * np.abs(way) + np.where(unsure, 2 * (np.abs(moved) + off), 0.0)))
    if error > 1e-6 * abs(total) and error > 1e-9:
        return Estimate.undetermined(KINK.format(name="W2"))
    value = total / (2 * w2.value)
    error = error / (2 * w2.value) + abs(value) * (w2.error / w2.value + 8 * EPS)
    return sum_estimate(value, error)


def _goals(own: Array, other: Array, split: int) -> tuple[Array, Array]:
    """Return the first place at which the other level is no less, and where rounding decides.

    Levels are counted from below up to the split, from above beyond it.
    """
    below, theirs = np.cumsum(own), np.cumsum(other)
    first = np.searchsorted(theirs, below)
    above, rest = (np.append(np.cumsum(x[:0:-1])[::-1], 0.0) for x in (own, other))
    last = np.searchsorted(-rest, -above)
    is_low = np.arange(len(own)) < split
    goal = np.minimum(np.where(is_low, first, last), len(own) - 1)
    unsure = np.zeros(len(own), bool)
    for at in (goal, np.maximum(goal - 1, 0)):
        apart = np.where(is_low, below - theirs[at], above - rest[at])
        size = np.where(is_low, below, above)
        unsure |= np.abs(apart) <= 1e-12 * size
    return goal, unsure & (own > 0)
