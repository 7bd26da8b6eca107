"""Names of curvatures that are formulas in the score: found by numbers, proved by algebra.

With r = ρ(t), f'' = Σ c_k f_k''(ρ(t)) is an identity in t. Numbers at a few scores tell which named
divergences can take part and with which simple coefficients; exact algebra in the coordinate of
the payoffs then shows that the difference is 0, and what it does not show has no name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import mpmath
import numpy as np
import sympy as sp
from flint import ctx

from gantheory.deadline import OutOfTime, Undecided
from gantheory.divergences import DIVERGENCES
from gantheory.exact.algebra import Algebra
from gantheory.functions import r
from gantheory.implicit.atscore import in_mpmath
from gantheory.theory.coordinates import Payoffs, coordinate_for, in_coordinate
from gantheory.theory.generator import curvature
from gantheory.theory.identify import Combination

RATIOS = tuple(map(mpmath.mpf, ("0.173", "0.41", "0.83", "1.7", "3.1", "7.9")))
DIGITS = 40
LARGEST = 64  # denominator of a coefficient
SIMILAR = 1e-9  # relative difference of floats below which a combination is looked at closely


def name_of_curvature(
    in_ratio: sp.Expr, value: sp.Expr, ratio: sp.Expr, payoffs: Payoffs
) -> Combination:
    """Return a proved combination of at most two named divergences, or none.

    Args:
        in_ratio: the curvature as a function of r that balls evaluate.
        value: the curvature in the score.
        ratio: ρ, in the score.
        payoffs: those of the loss on the one arc that the optimum runs through.
    """
    with mpmath.workdps(DIGITS), ctx.workprec(4 * DIGITS):
        evaluated = in_mpmath(in_ratio, r)
        target = [evaluated(x) for x in RATIOS]
        if not all(target):
            return {}
        for terms in sorted(_fitting(target), key=_rank):
            difference = value - sp.Add(
                *(
                    c * curvature(DIVERGENCES[name])[0].xreplace({r: ratio})
                    for name, c in terms.items()
                )
            )
            if _vanishes(difference, payoffs):
                return terms
    return {}


def _rank(terms: Combination) -> tuple[int, bool]:
    """Order combinations: fewest terms, then positive ones."""
    return len(terms), any(c < 0 for c in terms.values())


def _fitting(target: Sequence[mpmath.mpf]) -> Iterator[Combination]:
    """Yield combinations with simple coefficients that agree with numbers."""
    columns = {}
    for name, entry in DIVERGENCES.items():
        expr, atoms = curvature(entry)
        if not atoms:
            function = sp.lambdify(r, expr, "mpmath")
            columns[name] = [function(x) for x in RATIOS]
    numbers = np.array(
        [[float(x / y) for x, y in zip(c, target, strict=True)] for c in columns.values()]
    )
    goal = np.ones(len(target))
    for size in (1, 2):
        for chosen in combinations(range(len(columns)), size):
            matrix = numbers[list(chosen)].T
            found, *_ = np.linalg.lstsq(matrix, goal, rcond=None)
            if np.abs(matrix @ found - goal).max() > SIMILAR:
                continue
            simple = [sp.Rational(str(float(c))).limit_denominator(LARGEST) for c in found]
            apart = [abs(c - float(s)) for c, s in zip(found, simple, strict=True)]
            if all(simple) and max(apart) < SIMILAR * max(abs(found)) * 100:
                yield dict(zip([list(columns)[k] for k in chosen], simple, strict=True))


def _vanishes(expr: sp.Expr, payoffs: Payoffs) -> bool:
    """Return whether an expression of the score is 0 by exact algebra."""
    coordinate = coordinate_for(payoffs)
    try:
        moved = in_coordinate(expr, coordinate)
        return Algebra({coordinate.symbol: 0.3310732}).is_zero(moved)
    except OutOfTime:
        raise
    except Undecided:
        return False
