r"""What lies beyond the ends of the mesh, where densities go on: the tails, seen to fall or not.

Scores under a penalty on p alone may rise without bound where p has gone, and with unbounded
payoffs V − penalty may be infinite, as ∫(F_p − F_q)²/p is for two Cauchy laws of different widths.
On each endless side two zones are compared, with tail masses of 1e-17 to 1e-15 and of 1e-15 to
1e-13: what adds no less in the outer one has no sum, and else what is left out is what a geometric
series leaves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.univariate import Univariate
from gantheory.regularised.elements import Solution

OUTER, INNER = 1e-15, 1e-13  # of tail mass, where the zones end
STEADY = 0.5  # of the inner zone: what falls no faster is not seen to have a sum
SEEN = 1e-9  # of all, or 1: less is the rounding of a tail
HEAVY = (
    "the tails are too heavy: V or the penalty keeps growing with the interval that is solved, and "
    "may be infinite"
)


def left_out(laws: Sequence[Univariate], solved: Sequence[Solution], part: str) -> float:
    """Return a bound of what is missed beyond the ends, infinite where the tails have no sum."""
    total = sum(float(np.abs(getattr(one, part)).sum()) for one in solved)
    missed = 0.0
    for side, one in zip((0, 1), (*solved[:1], *solved[-1:]), strict=False):  # none where apart
        if float(one.edges[-side]) in {law.support[side] for law in laws}:
            continue  # the densities end there
        outer, inner = _zones(laws, one, getattr(one, part), side)
        if outer <= SEEN * max(total, 1.0):
            continue
        ratio = outer / inner if inner else math.inf
        missed += outer * ratio / (1 - ratio) if ratio < STEADY else math.inf
    return missed


def _zones(
    laws: Sequence[Univariate], one: Solution, terms: Array, side: int
) -> tuple[float, float]:
    """Return what the outermost two zones of tail mass add, by the inner edges of elements."""
    near = one.edges[1:] if side == 0 else one.edges[:-1]
    tails = np.max([law.sf(near) if side else law.cdf(near) for law in laws], axis=0)
    sizes = np.abs(terms)
    outer = float(sizes[tails <= OUTER].sum())
    return outer, float(sizes[(tails > OUTER) & (tails <= INNER)].sum())
