r"""Payoffs with kinks: the slope that a payoff has where the score stays at a kink is solved for.

A concave payoff is one of continuous slope less :math:`\sum_k J_k\,\mathrm{relu}(t-k)`, and
:math:`\mathrm{relu}(u) = \max_{0\le\lambda\le 1} \lambda u`. With a barrier
:math:`\varepsilon(\log\lambda + \log(1-\lambda))` the best λ has
:math:`u = \varepsilon(1/(1-\lambda) - 1/\lambda)`; Newton's method finds t and λ together as ε is
taken to nothing. Any λ gives the flux of a dual problem, so that at the price of
:math:`J_k(\mathrm{relu}(u) - \lambda u)` duality bounds what is missed, free of ε.

Source: S. J. Wright (1997), Primal-Dual Interior-Point Methods, SIAM.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gantheory.densities.base import Array
from gantheory.regularised.elements import (
    LARGEST_STEP,
    VALUES,
    Densities,
    Solution,
    keep_mesh,
    newton_step,
    room,
)
from gantheory.regularised.energies import Barrier, Energy, Quadratic
from gantheory.regularised.payoffs import PenalisedPayoffs

WIDTHS = 10.0 ** -np.arange(0.0, 10.1, 0.5)
LATER = {True: 8, False: 4}  # widths left out where a coarser mesh is solved: quadratic, or not
STEPS, LAST_STEPS = 3, 12  # of Newton at each width, and at the last
REST = 1e-11
KEPT = 0.1  # of λ and 1 − λ, whatever a step asks for
ROUNDS, PATIENCE = 20, 2
ENOUGH = 3e-9  # some times what the barrier itself leaves
FALLING = 0.9  # of the gap before: else cutting hardly helps
CONVERGED = 1e-7
MOST_ELEMENTS = 250  # more than at first


@dataclass(frozen=True)
class Kinked(Solution):
    """A score with the part λ of each kink's fall that its payoff's slope has.

    Attributes:
        shares: λ and 1 − λ at the quadrature points, of shape (2, kinks, elements, points).
        width: ε.
    """

    shares: Array | None = None
    width: float = 1.0

    @cached_property
    def falls(self) -> Array:
        """p·J_a + q·J_b of each kink."""
        p, q = self.both
        return np.stack([p * a + q * b for a, b in zip(*self.payoffs.drops, strict=True)])

    @cached_property
    def beyond(self) -> Array:
        """t − k of each kink."""
        return np.stack([self.score - kink for kink in self.payoffs.kinks])

    @cached_property
    def parts(self) -> tuple[Array, Array]:
        """λ and 1 − λ: those given, or the best for the score."""
        if self.shares is not None:
            return self.shares[0], self.shares[1]
        z = self.beyond / self.width
        large = 0.5 + 0.5 * np.abs(z) / (2 + np.hypot(z, 2))
        small = (1 + 2 / (np.hypot(z, 2) + np.abs(z))) / (2 + np.hypot(z, 2))
        return np.where(z > 0, large, small), np.where(z > 0, small, large)

    @cached_property
    def force(self) -> Array:
        """p·a'(t) + q·b'(t), at kinks with the slopes that λ says."""
        found: Array = self.smooth_force - (self.falls * self.parts[0]).sum(0)
        return found

    @cached_property
    def stiff(self) -> Array:
        """∂u/∂λ on the path."""
        return self.width * (1 / self.parts[0] ** 2 + 1 / self.parts[1] ** 2)

    def asked(self, moved: Array | float = 0.0) -> Array:
        """Return by how much λ has to change where the score moves."""
        u = self.width * (1 / self.parts[1] - 1 / self.parts[0])
        found: Array = (self.beyond + moved - u) / self.stiff
        return found

    @property
    def pull(self) -> Array:
        """The force where each λ has changed as it has to."""
        found: Array = self.force - (self.falls * self.asked()).sum(0)
        return found

    @cached_property
    def bend(self) -> Array:
        """What the force gains as the score grows, and with it each λ."""
        found: Array = self.smooth_bend - (self.falls / self.stiff).sum(0)
        return found

    @property
    def aside(self) -> Array:
        """J·(relu(u) − λu) of each kink, summed."""
        u, (share, rest) = self.beyond, self.parts
        found: Array = (self.falls * np.where(u > 0, rest * u, -share * u)).sum(0)
        return found

    def cut(self, where: Array) -> Solution:
        """Return the same score with some elements halved, and λ found anew."""
        found = super().cut(where)
        assert isinstance(found, Kinked)
        return replace(found, shares=None)


def best(edges: Array, payoffs: PenalisedPayoffs, densities: Densities, energy: Energy) -> Solution:
    """Return the best score, elements cut where duality says.

    The last width is left to `finest`: what two resolutions differ by is then more than the
    barrier does.
    """
    nodes = np.full((len(edges) - 1, VALUES.shape[1]), payoffs.middle)
    later = LATER[isinstance(energy, Quadratic)]
    found = _followed(Kinked(edges, nodes, payoffs, densities, energy), WIDTHS[:-1])
    least, patience, most = found, PATIENCE, len(found.nodes) + MOST_ELEMENTS
    for _ in range(ROUNDS):
        gap, total = found.gap, float(found.gap.sum())
        if total <= ENOUGH or len(gap) > most:
            break
        found = _followed(found.cut(gap > 0.02 * float(gap.max())), WIDTHS[later:-1])
        patience = PATIENCE if found.gap.sum() < FALLING * total else patience - 1
        least = min(least, found, key=lambda one: float(one.gap.sum()))
        if not patience:
            break
    return least


def finest(solution: Solution) -> Solution:
    """Return the best score with every element halved, and the barrier at its least."""
    later = LATER[isinstance(solution.energy, Quadratic)]
    return _followed(solution.cut(np.ones(len(solution.nodes), bool)), WIDTHS[later:])


def _followed(solution: Solution, widths: Array) -> Solution:
    solution = flattened(solution)
    assert isinstance(solution, Kinked)
    for width in widths:
        energy = _at_width(solution.energy, float(width))
        solution = replace(solution, energy=energy, width=float(width))
        many = width == widths[-1] or not isinstance(energy, Quadratic)
        for _ in range(LAST_STEPS if many else STEPS):
            moved = _stepped(solution)
            if moved is None:
                break
            change = float(np.abs(moved.nodes - solution.nodes).max())
            solution = moved
            if change <= REST * (1 + float(np.abs(solution.nodes).max())):
                break
    return replace(solution, converged=bool(solution.gap.sum() <= CONVERGED))


def flattened(solution: Solution) -> Solution:
    """Return a score within a bound on its slope: a cut sees slopes between points that were."""
    steepest, most = float(np.abs(solution.slope).max()), solution.energy.most
    if steepest < most:
        return solution
    centre = float(solution.nodes.mean())
    return replace(solution, nodes=centre + (solution.nodes - centre) * (0.99 * most / steepest))


def _at_width(energy: Energy, width: float) -> Energy:
    """Return what slopes cost, as far along as the payoffs."""
    return replace(energy, size=width) if isinstance(energy, Barrier) else energy


def _stepped(solution: Kinked) -> Kinked | None:
    """Return Newton's step in the score and in each λ, which stay within their bounds."""
    step = newton_step(solution)
    if step is None or not np.all(np.isfinite(step)):
        return None
    step = np.clip(step, -LARGEST_STEP, LARGEST_STEP)
    step = step * room(solution, step)
    for _ in range(60):
        nodes = solution.nodes + step
        if nodes.min() > solution.payoffs.low and nodes.max() < solution.payoffs.high:
            break
        step = 0.5 * step
    share, rest = solution.parts
    change = np.clip(solution.asked(step @ VALUES.T), (KEPT - 1) * share, (1 - KEPT) * rest)
    moved = replace(solution, nodes=nodes, shares=np.stack([share + change, rest - change]))
    keep_mesh(moved, solution)
    return moved
