r"""Discriminators with a gradient penalty at a target k: on the same elements, rounded off at k.

One-sided, :math:`\lambda\int\mu\,\max(|t'|-k, 0)^2` is convex in the slope. Two-sided,
:math:`\lambda\int\mu\,(|t'|-k)^2` is not: below k it rewards steepness. Its convex hull is the
one-sided penalty, so that by relaxation both have one supremum, and the two-sided problem has a
maximiser where the one-sided score is as steep as k almost everywhere. Where it is flatter,
zigzags of slopes ±k come as near as one likes, and there is no best discriminator. With linear
payoffs the flux σ = ±(F_p − F_q) has no need of the score:
:math:`|t'| = k + |\sigma|/(2\lambda\mu)`.

Source: I. Ekeland, R. Temam (1976), Convex Analysis and Variational Problems, chapter X; the
penalties: I. Gulrajani et al. (2017), arXiv:1704.00028; H. Petzka et al. (2018), arXiv:1709.08894.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq

from gantheory.densities.base import Array
from gantheory.densities.univariate import Univariate
from gantheory.regularised.elements import FROM_SLOPES, Solution, climb, keep_mesh, start
from gantheory.regularised.energies import Excess
from gantheory.regularised.interpolates import between_laws
from gantheory.regularised.kinks import best
from gantheory.regularised.mesh import elements, ends_of
from gantheory.regularised.payoffs import PenalisedPayoffs

SOFT = 10.0 ** -np.arange(0.5, 8.1, 1.5)  # of the target
AGAIN = 3  # steps of rounding left out where a coarser mesh has been solved
POLISHING, GAINED = 8, 0.1  # Newton steps from what is near, and the gap that they have to leave
ROUNDS = 16
ENOUGH = 1e-16
CONVERGED = 1e-8
MOST_ELEMENTS = 2500
FLAT = 1e-5  # of the target: a slope that much below it is no rounding
SEEN = 1e-7  # of the mass between the samples


def exceeding(
    p: Univariate, q: Univariate, payoffs: PenalisedPayoffs, size: float, target: float
) -> Solution:
    """Return the best score under a one-sided penalty, elements cut where duality says."""
    reach = [ends_of(law) for law in (p, q)]
    low, high = min(a for a, _ in reach), max(b for _, b in reach)
    energy = Excess(size, target, between_laws(p, q), float(SOFT[0] * target))

    def densities(x: Array) -> tuple[Array, Array]:
        return p.pdf(x), q.pdf(x)

    edges = elements(p, q, low, high)
    if payoffs.linear:  # the score has a kink where its flux changes sign
        edges = np.unique(np.concatenate([edges, _crossings(p, q, edges)]))
        return _cut(_sharpened(start(edges, payoffs, densities, energy, level=True)))
    near = best(edges, payoffs, densities, energy)
    return near if payoffs.kinks else _polished(near, energy)


def _polished(near: Solution, energy: Excess) -> Solution:
    """Return a score that is best to rounding where a few Newton steps from ``near`` reach it."""
    sharp = replace(energy, soft=float(SOFT[-1] * energy.target))
    at = Solution(near.edges, near.nodes, near.payoffs, near.densities, sharp)
    found, least = climb(at, POLISHING, 1e-10), float(near.gap.sum())
    if not found.gap.sum() < GAINED * least:
        return near
    found = _cut(replace(found, converged=True))
    return found if found.converged and found.gap.sum() < least else near


def _cut(found: Solution) -> Solution:
    """Cut elements until duality bounds what is missed."""
    total = np.inf
    for _ in range(ROUNDS):
        gap, before = found.gap, total
        total = float(gap.sum())
        if not total > ENOUGH or total > 0.9 * before or len(gap) > MOST_ELEMENTS:
            break
        found = _sharpened(found.cut(gap > max(0.02 * float(gap.max()), ENOUGH / len(gap))), AGAIN)
    return found


def sharper(solution: Solution) -> Solution:
    """Return the best score with every element halved."""
    return _sharpened(solution.cut(np.ones(len(solution.nodes), bool)), AGAIN)


def _sharpened(solution: Solution, first: int = 0) -> Solution:
    """Follow the maximiser as the rounding at the target is taken to nothing."""
    energy = solution.energy
    assert isinstance(energy, Excess)
    if solution.payoffs.linear:
        return _integrated(solution, energy)
    for part in SOFT[first:]:
        softer = replace(solution, energy=replace(energy, soft=float(part * energy.target)))
        keep_mesh(softer, solution)
        last = part == SOFT[-1]
        moved = climb(softer, 80 if last else 40, 1e-10 if last else 1e-6)
        if not np.all(np.isfinite(moved.nodes)):
            return replace(solution, converged=False)
        solution = moved
    return replace(solution, converged=bool(solution.gap.sum() <= CONVERGED * (1 + energy.target)))


def _integrated(solution: Solution, energy: Excess) -> Solution:
    """Return the score whose slope is what the flux of linear payoffs asks for."""
    sigma, w = solution.needed, solution.stiffness
    with np.errstate(all="ignore"):
        excess = np.where(w > 0, np.abs(sigma) / (2 * w), 0.0)
    rises = (np.sign(sigma) * (energy.target + excess)) @ FROM_SLOPES.T * solution.half
    before = np.concatenate([[0.0], np.cumsum(rises[:, -1])[:-1]])
    moved = replace(solution, nodes=before[:, None] + rises)
    keep_mesh(moved, solution)
    balanced = abs(float(solution.integral(solution.force).sum())) <= CONVERGED
    return replace(moved, converged=balanced and bool(moved.gap.sum() <= CONVERGED))


def _crossings(p: Univariate, q: Univariate, edges: Array) -> list[float]:
    """Return where F_p − F_q changes sign between two edges, relative to the smaller tail."""

    def difference(x: float) -> float:
        one, other = (np.array([law.cdf(x), law.sf(x)], float) for law in (p, q))
        below = one.min() == one[0]
        return float(one[0] - other[0] if below else other[1] - one[1])

    signs = np.sign([difference(x) for x in edges[1:-1]])
    pairs = pairwise(range(1, len(edges) - 1))
    return [
        brentq(difference, edges[j], edges[k]) for j, k in pairs if signs[j - 1] * signs[k - 1] < 0
    ]


def flat_mass(solution: Solution) -> float:
    """Return the part of μ's mass on which the score is less steep than the target."""
    energy = solution.energy
    assert isinstance(energy, Excess)
    below = np.abs(solution.slope) < energy.target * (1 - FLAT)
    mass = float(solution.integral(np.where(below, solution.stiffness, 0.0)).sum()) / energy.size
    return mass if mass > SEEN else 0.0
