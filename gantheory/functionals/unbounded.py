"""A supremum that no score attains, shown on given laws by scores that come next to it."""

from __future__ import annotations

import numpy as np
import sympy as sp

from gantheory.critics.drift import limits_of
from gantheory.densities.base import Array
from gantheory.densities.univariate import Univariate
from gantheory.functionals.nodes import Law, Nodes
from gantheory.functionals.scores import compiled_force
from gantheory.functions import to_sympy
from gantheory.losses.critic import Averages, Critic
from gantheory.records import Estimate

METHOD = "scores next to the supremum"
CLOSE = 1e-6  # what such a score may miss
MOVES = np.geomspace(4, 400, 100)  # of both means
FAR = np.geomspace(1, 1e9, 200)  # in widths of the laws
NOT_ATTAINED = (
    "the supremum is not attained, or only by scores beyond binary64: p/q and q/p are so large "
    "that sets of no weight move the means freely"
)


def unattained(loss: Critic, p: Law, q: Law, nodes: Nodes) -> Estimate | None:
    r"""Return the supremum of averages where scores come within `CLOSE` of it; else None.

    With a score of c/P(A) on a small set A where p/q is 1/ε, and of −c/Q(B) on a small B where
    q/p is 1/η, V is at least a(c(1 − ε)) + b(−c(1 − η)) − c(α·η + β·ε), where a and b fall at most
    at the rates α and β; and it is at most sup a + sup b.
    """
    if not isinstance(loss.objective, Averages) or (limits := limits_of(loss.objective)) is None:
        return None
    lowest, highest = ratios(p, q, nodes)
    near, far = np.exp(-highest), np.exp(lowest)
    real, fake = (
        compiled_force(to_sympy(part), ()) for part in (loss.objective.real, loss.objective.fake)
    )
    rates, nothing = [float(rate) for rate in limits.rates], np.zeros(0)
    reached = real(MOVES * (1 - near), nothing) + fake(-MOVES * (1 - far), nothing)
    reached = reached - MOVES * (rates[0] * far + rates[1] * near)
    top = float(sp.N(sum(limits.tops)))
    missed = top - float(np.max(reached))
    if not missed <= CLOSE * (1 + abs(top)):
        return None
    return Estimate(top, max(missed, 0.0), method=METHOD, reason=NOT_ATTAINED)


def ratios(p: Law, q: Law, nodes: Nodes) -> tuple[float, float]:
    """Return the least and the largest log p − log q that were seen, far out in the tails too."""
    seen = [nodes.u[nodes.real + nodes.fake > 0]]
    if isinstance(p, Univariate) and isinstance(q, Univariate):
        places = [c + side * w * FAR for law in (p, q) for c, w in law.centers for side in (-1, 1)]
        x: Array = np.concatenate(places)
        with np.errstate(all="ignore"):
            seen.append(p.logpdf(x) - q.logpdf(x))
    every = np.concatenate(seen)
    every = every[np.isfinite(every)]
    return float(every.min()), float(every.max())
