r"""Averages whose supremum is free: a critic that moves a mean by a set without weight.

In :math:`E_P[a(t - E_Q t)] + E_Q[b(t - E_P t)]` let the score be T on a set A. That moves
:math:`E_P t` by :math:`c = T\,P(A)` and :math:`E_Q t` by only :math:`c\,Q(A)/P(A)`, which is as
small as one likes where p/q is unbounded; the payoffs on A cost no more than that, if they grow no
faster than linearly. So both means are free, and each payoff comes to its own supremum.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from gantheory.critics.concavity import bend_of, in_exponentials
from gantheory.derivations.exposition import Step
from gantheory.derivations.typeset import typeset
from gantheory.functions import t, to_sympy
from gantheory.losses.critic import Averages
from gantheory.records import How


@dataclass(frozen=True)
class Limits:
    """a(oo) and b(-oo), and how fast a and b fall at most, on the other side."""

    tops: tuple[sp.Expr, sp.Expr]
    rates: tuple[sp.Expr, sp.Expr]


@lru_cache(maxsize=64)
def limits_of(objective: Averages) -> Limits | None:
    """Return the limits of concave payoffs of at most linear growth, a rising and b falling.

    >>> limits_of(Averages("log(sigmoid(t))", "log(1 - sigmoid(t))")).tops
    (0, 0)
    """
    tops, rates = [], []
    for payoff, side in ((objective.real, 1), (objective.fake, -1)):
        expr = in_exponentials(to_sympy(payoff))
        if bend_of(expr) != -1:
            return None
        try:
            top = sp.limit(expr, t, side * sp.oo)
            rate = side * sp.limit(sp.diff(expr, t), t, -side * sp.oo)
        except (NotImplementedError, ValueError):
            return None
        if not (top.is_finite and rate.is_finite):  # concave and bounded above: monotone
            return None
        tops.append(top)
        rates.append(rate)
    return Limits((tops[0], tops[1]), (rates[0], rates[1]))


def unbounded_step(objective: Averages) -> Step | None:
    """Return the step that gives the supremum for laws with unbounded ratios, where it is free."""
    limits = limits_of(objective)
    if limits is None:
        return None
    total = sum(limits.tops)
    return Step(
        "Unbounded ratios",
        "where p/q and q/p are unbounded, as for any two normal laws of one width, sup V = "
        f"{total}, however near the laws are, and no critic attains it: a score of c/P(A) on a set "
        "A where p/q is large moves E_p C by c and E_q C by next to nothing, and likewise with p "
        "and q exchanged, so that every real sample is told from the fakes' mean and every fake "
        "from the reals'",
        rf"\sup_C V = {typeset(total)}",
        How.PROVED,
        "the payoffs are concave, bounded above and of at most linear growth, so that A itself "
        "adds c*Q(A)/P(A) at most",
    )
