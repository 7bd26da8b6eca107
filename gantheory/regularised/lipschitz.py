r"""Discriminators whose slope is at most K: a barrier on the same elements, taken to nothing.

For any score with |t'| ≤ K and the flux σ of its forces, duality bounds what is missed by
:math:`\int K|\sigma| - \sigma t'\,dx`, free of the barrier.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.univariate import Univariate
from gantheory.regularised.elements import Solution, climb, start
from gantheory.regularised.energies import Barrier
from gantheory.regularised.kinks import best, flattened
from gantheory.regularised.mesh import elements, ends_of
from gantheory.regularised.payoffs import PenalisedPayoffs

SIZES = 10.0 ** -np.arange(1.0, 12.1, 1.25)
COARSE = SIZES[:-1]  # what two resolutions differ by is then more than the barrier itself
AGAIN = 3  # sizes left out where a coarser mesh has been solved
ROUNDS = 22
CONVERGED = 1e-8  # of the gap: what the bound allows is the maximum, however it was reached
ENOUGH = 1e-10
MOST_ELEMENTS = 2000
FLOOR = 1.0  # the barrier's mass that is spread evenly: between the laws forces act too


def bounded(p: Univariate, q: Univariate, payoffs: PenalisedPayoffs, most: float) -> Solution:
    """Return the best score with slopes of at most ``most``, elements cut where duality says."""
    reach = [ends_of(law) for law in (p, q)]
    low, high = min(a for a, _ in reach), max(b for _, b in reach)
    energy = Barrier(most, float(SIZES[0]), FLOOR / (high - low))

    def densities(x: Array) -> tuple[Array, Array]:
        return p.pdf(x), q.pdf(x)

    edges = elements(p, q, low, high)
    if payoffs.kinks:
        return best(edges, payoffs, densities, energy)
    found = _lowered(start(edges, payoffs, densities, energy, level=True), COARSE)
    total = np.inf
    for _ in range(ROUNDS):
        gap, before = found.gap, total
        total = float(gap.sum())
        if total <= ENOUGH or len(gap) > MOST_ELEMENTS:
            break
        if total > 0.9 * before:
            break
        found = _lowered(found.cut(gap > 0.02 * float(gap.max())), COARSE[AGAIN:])
    if found.converged or payoffs.linear:
        return found
    return best(edges, payoffs, densities, energy)


def refined(solution: Solution) -> Solution:
    """Return the best score with every element halved, and the barrier at its least."""
    finer = solution.cut(np.ones(len(solution.nodes), bool))
    if isinstance(solution.energy, Barrier):
        return _lowered(finer, SIZES[AGAIN:])
    return climb(finer)


def _lowered(solution: Solution, sizes: Array) -> Solution:
    """Follow the maximiser as the barrier is taken to nothing."""
    energy = solution.energy
    assert isinstance(energy, Barrier)
    solution = flattened(solution)
    for size in sizes:
        energy = Barrier(energy.most, float(size), energy.floor)
        last = size == sizes[-1]
        moved = climb(replace(solution, energy=energy), 60 if last else 25, 1e-9 if last else 1e-5)
        if not np.all(np.isfinite(moved.nodes)):
            return replace(solution, converged=False)
        solution = moved
    return replace(solution, converged=bool(solution.gap.sum() <= CONVERGED * (1 + energy.most)))
