"""How far from an end of its domain a monotone function has risen by a given amount.

Next to G(z₀) = c the number c + y keeps no digit of a small y, and inverting G there finds z₀; but
∫ G' from z₀ on keeps them all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.tails import Tail
from gantheory.densities.univariate import Points

# In s = u⁴ a slope that goes to 0 or infinity like a root of s is as smooth as a power of u.
_U, _WEIGHTS = (0.5 * part for part in np.polynomial.legendre.leggauss(20))
_SHARES = (_U + 0.5) ** 4
_PARTS = 4 * (_U + 0.5) ** 3 * _WEIGHTS
ROUNDS = 25
SETTLED = 1e-13  # of the logarithm of the gap
FARTHEST = 320.0  # the log distance from which on log p goes on as its tail
FOLLOWS = 1e-11  # by which it may differ from it before
NEAREST = -300.0  # the log distance below which G' is the power that it is there


def distance_from_end(
    slope: Callable[[Array], Array], end: float, side: int, log_gap: Array, reach: float
) -> tuple[Array, Array]:
    """Return log d with ∫ abs(G'(end ± s)) ds over 0 < s < d equal to the gap, and log abs(G').

    Both are nan where d would exceed ``reach``, up to which G' is taken to be smooth, and where
    Newton's rule in the logarithms does not settle.

    Args:
        slope: G'.
        end: where the distance is counted from.
        side: the direction in which it is.
        log_gap: the logarithm of the gap.
        reach: the largest distance that is looked for.

    >>> log_d, _ = distance_from_end(lambda z: 2 * z, 0.0, 1, np.log([1e-40]), 1e-2)
    >>> round(float(np.exp(log_d + 46.0517018598809)[0]), 9)
    1.0
    """
    longest = np.log(reach)
    log_d = np.full(np.shape(log_gap), longest)
    log_slope, settled = np.full(np.shape(log_gap), np.nan), np.zeros(np.shape(log_gap), bool)
    with np.errstate(all="ignore"):
        for _ in range(ROUNDS):
            d = np.exp(np.maximum(log_d, NEAREST))
            risen = np.abs(slope(end + side * d[..., None] * _SHARES)) @ _PARTS  # per unit of d
            here = np.abs(slope(end + side * d))
            power = here / risen
            further = (power - 1) * np.minimum(log_d - NEAREST, 0.0)
            log_slope = np.log(here) + further
            off = log_d + np.log(risen) + further - log_gap
            settled = np.abs(off) < SETTLED * np.maximum(1.0, np.abs(log_gap))
            if np.all(settled | ((log_d == longest) & (off < 0))):
                break
            log_d = np.minimum(log_d - off / np.where(power > 0.05, power, 1.0), longest)
    return np.where(settled, log_d, np.nan), np.where(settled, log_slope, np.nan)


def followed(
    tails: Mapping[float, Tail | None], log_density: Callable[[Points], Array]
) -> dict[float, Tail]:
    """Return those tails, of one in the log distance alone, that log p is seen to follow.

    What it differs from them by must have died down to rounding where they are first relied on.
    """
    found = {}
    for end, tail in tails.items():
        if tail is None or tail.powers or tail.rate or tail.square or tail.linear:
            continue
        infinite = math.isinf(end)
        log = np.array([0.8, 1.0]) * (FARTHEST if infinite else -FARTHEST)
        side = math.copysign(1.0, end) if infinite else float(np.sign(0.5 - (end == max(tails))))
        place = np.full(2, 0.0 if infinite else end)
        with np.errstate(all="ignore"):
            seen = np.diff(log_density(Points(place, np.full(2, side), np.exp(log), log)))
            off = np.abs(seen - np.diff(_grown(tail, np.abs(log))))
        if off[0] <= FOLLOWS * (1 + np.abs(seen[0])):
            found[end] = tail
    return found


def _grown(tail: Tail, height: Array) -> Array:
    """Return the growth of a tail by the size of the log distance."""
    return np.asarray(float(tail.log) * height + float(tail.logsquare) * height**2)


def within_range(at: Points, tails: Mapping[float, Tail]) -> tuple[Points, Array]:
    """Return places that binary64 holds well, and what log p is beyond them, more than there.

    Toward an end of the support with a tail log p is followed no further than e^±`FARTHEST`, and
    goes on as that.
    """
    more = np.zeros_like(at.log_distance)
    log = at.log_distance
    for end, tail in tails.items():
        if math.isinf(end):
            far = (log > FARTHEST) & (at.side == math.copysign(1.0, end))
        else:
            far = (log < -FARTHEST) & (at.anchor == end)
        grown = _grown(tail, np.abs(log)) - _grown(tail, np.full_like(log, FARTHEST))
        more = np.where(far, grown, more)
        log = np.where(far, np.clip(log, -FARTHEST, FARTHEST), log)
    if not more.any():
        return at, more
    return Points(at.anchor, at.side, np.where(more != 0, np.exp(log), at.distance), log), more
