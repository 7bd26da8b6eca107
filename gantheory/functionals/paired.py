r"""Games on pairs of a real and a fake sample, in numbers: ranking losses and relativistic ones.

Where the best score of a pair is a difference C(x) − C(y), with C a function of r = p/q,

.. math:: V = \sum_{ij} P_i Q_j\,\varphi(C_i - C_j), \qquad h_j = \sum_i P_i\,\psi(C_i - C_j)

on quadrature nodes; with C held a generator that minimises E ψ(C(x) − C(y)) feels h.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import sympy as sp

from gantheory.compiled import compiled
from gantheory.critics.relativistic import derive_paired
from gantheory.densities import Density
from gantheory.densities.base import Array
from gantheory.densities.univariate import Points
from gantheory.errors import GantheoryError
from gantheory.functionals.nodes import (
    ROUNDING,
    Law,
    Nodes,
    from_two_resolutions,
    moved_law,
    nodes_of,
    numbers_of,
)
from gantheory.functions import r, t, to_sympy
from gantheory.losses.critic import Critic, Pairs
from gantheory.records import Estimate
from gantheory.shown import Shown

METHOD = "sums over pairs of nodes"
ROWS = 256  # of pairs that are held at a time
LIGHT = 1e-22  # of mass: nodes with less are left out
U = sp.Symbol("u", real=True)
Function = Callable[[Array], Array]


@dataclass(frozen=True, repr=False)
class PairedCritic(Shown):
    """The best critic of a game on pairs between two laws.

    Attributes:
        loss: the game.
        p: the data law.
        q: the generator's law.
        value: the supremum of the objective.
        best: whether the critic is shown to be the best of all; it is.

    >>> best = paired_critic("relativistic", "normal(0, 1)", "normal(1, 1)")
    >>> round(best.value.value, 9), round(best.score(0).value, 9)
    (-0.491801709, 0.5)
    """

    best: ClassVar[bool] = True
    reason: ClassVar[None] = None
    loss: Critic
    p: Law
    q: Law
    value: Estimate
    nodes: tuple[Nodes, ...] = field(default=(), repr=False, compare=False)
    critic: sp.Expr = field(default=r, repr=False, compare=False)

    def score(self, x: float) -> Estimate:
        """Return C(x), which is known up to a constant."""
        if not isinstance(self.p, Density) or not isinstance(self.q, Density):
            raise GantheoryError(f"{self.p} and {self.q}: a score at a place needs densities")
        u = np.array([float(self.p.logpdf(x)) - float(self.q.logpdf(x))])
        found = float(_critic_of(self.critic)(u)[0])
        if not np.isfinite(found):
            return Estimate.undetermined(f"neither law has a density at x = {float(x):g}", METHOD)
        return Estimate(found, ROUNDING * (1 + abs(found)), method=METHOD)

    def gradient(self, wrt: str = "q.loc") -> Estimate:
        """Return the derivative of the generator's loss in a parameter of q, with C held.

        It is E_q[h·∂log q], where h is the mean of G's loss over real samples.
        """
        q, name = moved_law(self.q, wrt)
        loss = _of_pairs(self.loss.generator)
        sums = []
        for nodes in self.nodes:
            with np.errstate(all="ignore"):
                pull = np.where(nodes.fake > 0, q.scores(name, Points.at(nodes.x)), 0.0)
            sums.append(_double_sum(nodes, self.critic, loss, pull))
        (coarse, _), (fine, size) = sums
        return from_two_resolutions(fine, coarse, size, METHOD)

    def as_dict(self, wrt: str | None = None) -> dict[str, Any]:
        """Return the stable JSON keys."""
        return {**numbers_of(self, wrt), "best": self.best}

    def __str__(self) -> str:
        return f"{self.loss.name} on p = {self.p}, q = {self.q}\nV(D) = {self.value}"


def paired_critic(loss: Critic | str, p: Law | str, q: Law | str) -> PairedCritic:
    """Return the best critic of a game on pairs.

    Raises:
        GantheoryError: where the best score of a pair is no difference, with what bounds V.
    """
    from gantheory.densities import parse_density
    from gantheory.losses import find

    entry = find(loss)
    assert isinstance(entry, Critic)
    assert isinstance(entry.objective, Pairs)
    first, second = (parse_density(x) if isinstance(x, str) else x for x in (p, q))
    theory = derive_paired(entry)
    if theory.critic is None:
        why = theory.no_optimum or "; ".join(theory.undecided.values())
        raise GantheoryError(f"loss {entry.name!r} has no numbers: {why}")
    if free := theory.critic.free_symbols - {r}:
        names = ", ".join(sorted(map(str, free)))
        raise GantheoryError(f"loss {entry.name!r}: put numbers in the place of {names}")
    payoff, both = _of_pairs(entry.objective.payoff), nodes_of(first, second)
    (coarse, _), (fine, size) = (
        _double_sum(nodes, theory.critic, payoff, np.ones_like(nodes.x)) for nodes in both
    )
    value = from_two_resolutions(fine, coarse, size, METHOD)
    return PairedCritic(entry, first, second, value, both, theory.critic)


def _critic_of(critic: sp.Expr) -> Function:
    """Return C as a function of u = log r."""
    found = compiled((U,), sp.expand_log(critic.subs(r, sp.exp(U)), force=True))

    def function(u: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.broadcast_to(np.asarray(found(u), float), np.shape(u))

    return function


def _of_pairs(formula: str) -> Function:
    """Return a payoff of t = C(x) − C(y) as a function of arrays."""
    found = compiled((t,), to_sympy(formula))

    def function(score: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.broadcast_to(np.asarray(found(score), float), np.shape(score))

    return function


def _double_sum(
    nodes: Nodes, critic: sp.Expr, payoff: Function, factor: Array
) -> tuple[float, float]:
    """Return the mean of payoff(C(x) − C(y))·factor(y) over pairs, and the size of its error."""
    scores = _critic_of(critic)(nodes.u).ravel()
    real, fake = (np.where(mass > LIGHT, mass, 0.0).ravel() for mass in (nodes.real, nodes.fake))
    kept, others = np.flatnonzero(real), np.flatnonzero(fake)
    weights = fake[others] * factor.ravel()[others]
    total, size = 0.0, 0.0
    for start in range(0, len(kept), ROWS):
        rows = kept[start : start + ROWS]
        terms = payoff(scores[rows, None] - scores[others]) * weights
        total += float(real[rows] @ terms.sum(1))
        size += float(real[rows] @ np.abs(terms).sum(1))
    return total, ROUNDING * size
