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

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gantheory.densities.base import Array
from gantheory.regularised.elements import (
    FROM_SLOPES,
    LARGEST_STEP,
    VALUES,
    Densities,
    Solution,
    keep_mesh,
    newton_step,
    room,
)
from gantheory.regularised.energies import Barrier, Energy, Excess, Quadratic
from gantheory.regularised.payoffs import PenalisedPayoffs

WIDTHS = 10.0 ** -np.arange(0.0, 10.1, 0.5)
AGAIN = 100.0  # times the width at which a coarser mesh ended, where a finer one begins
STEPS = 25  # of Newton at each width
FAINTEST = 1e-12
REST, NEAR = 1e-11, 0.1  # of a step, in scores and in widths: the next width takes it further
KEPT = 0.1  # of λ and 1 − λ, whatever a step asks for
CUT_FROM = 1e-2  # of the width: before, the gap is the barrier's and not the mesh's
FALLING = 0.45  # of the gap from one width to the next: else the mesh is what holds it
CUT, CUTS = 0.1, 4  # elements with that part of the largest gap; as often at one width
PATIENCE, LOST = 3, 10.0  # widths without a gap less than so many times the least
ENOUGH = 5e-9
CONVERGED = 1e-5  # what the bound allows is part of every error
MOST_ELEMENTS = 250  # more than at first
SHORTER, TRIES = 0.4, 12  # of a step that loses
ROUNDING = 1e-13  # of a gain
CLIPPED = 3  # times that steep slopes are cut off before all are made less


@dataclass(frozen=True)
class Kinked(Solution):
    """A score with the part λ of each kink's fall that its payoff's slope has.

    Attributes:
        shares: λ and 1 − λ at the quadrature points, of shape (2, kinks, elements, points).
        width: ε.
        faintest: how much less than ε the width may be where one law is fainter than the other.
    """

    shares: Array | None = None
    width: float = 1.0
    faintest: float = FAINTEST

    @cached_property
    def falls(self) -> Array:
        """p·J_a + q·J_b of each kink."""
        p, q = self.both
        return self._stacked([p * a + q * b for a, b in zip(*self.payoffs.drops, strict=True)])

    @cached_property
    def beyond(self) -> Array:
        """t − k of each kink."""
        return self._stacked([self.score - kink for kink in self.payoffs.kinks])

    def _stacked(self, rows: list[Array]) -> Array:
        return np.array(rows).reshape(len(rows), *self.score.shape)

    @cached_property
    def widths(self) -> Array:
        """ε at each point: as much less as one law is fainter than the other.

        There λ, or 1 − λ, is as small as their ratio, and a score would be off its kink by ε/λ. A
        bound on the slope, which holds the score itself, is not followed with so small ones.
        """
        if not isinstance(self.energy, Quadratic):
            return np.full_like(self.score, self.width)
        p, q = self.both
        with np.errstate(all="ignore"):
            faint = np.minimum(p, q) / np.maximum(p, q)
        return self.width * np.clip(np.nan_to_num(faint, nan=1.0), self.faintest, 1.0)

    @cached_property
    def parts(self) -> tuple[Array, Array]:
        """λ and 1 − λ: those given, or the best for the score."""
        if self.shares is not None:
            return self.shares[0], self.shares[1]
        z = self.beyond / self.widths
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
        found: Array = self.widths * (1 / self.parts[0] ** 2 + 1 / self.parts[1] ** 2)
        return found

    def asked(self, moved: Array | float = 0.0) -> Array:
        """Return by how much λ has to change where the score moves."""
        u = self.widths * (1 / self.parts[1] - 1 / self.parts[0])
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

    @cached_property
    def merit(self) -> float:
        """The objective with the barriers, each λ the best for its score."""
        p, q = self.both
        share, rest = replace(self, shares=None).parts
        barred = share * self.beyond + self.widths * (np.log(share) + np.log(rest))
        smooth = p * self.payoffs.real[0](self.score) + q * self.payoffs.fake[0](self.score)
        smooth = smooth + (self.falls * (np.maximum(self.beyond, 0.0) - barred)).sum(0)
        assert not isinstance(self.energy, Quadratic)  # its steps need no such watch
        return float(self.integral(smooth - self.energy.held(self.stiffness, self.slope)).sum())

    def cut(self, where: Array) -> Solution:
        """Return the same score with some elements halved, and λ found anew."""
        found = super().cut(where)
        assert isinstance(found, Kinked)
        return replace(found, shares=None)


def best(
    edges: Array,
    payoffs: PenalisedPayoffs,
    densities: Densities,
    energy: Energy,
    faintest: float = FAINTEST,
) -> Solution:
    """Return the best score, elements cut where duality says.

    The last width is left to `finest`: what two resolutions differ by is then more than the
    barrier does.
    """
    nodes = np.full((len(edges) - 1, VALUES.shape[1]), payoffs.middle)
    start = Kinked(edges, nodes, payoffs, densities, energy, faintest=faintest)
    return _followed(start, WIDTHS[:-1], len(nodes) + MOST_ELEMENTS)


def finest(solution: Solution) -> Solution:
    """Return the best score with every element halved, and the barrier at its least."""
    assert isinstance(solution, Kinked)
    halved = solution.cut(np.ones(len(solution.nodes), bool))
    return _followed(halved, WIDTHS[AGAIN * solution.width > WIDTHS], 0)


def _followed(solution: Solution, widths: Array, most: int) -> Solution:
    """Follow the maximiser as the barrier is taken to nothing, and return what is best bounded.

    Elements are cut on the way, up to ``most``: a mesh that is too coarse for the barrier would
    lead Newton's method astray at the widths to come.
    """
    least, lowest, before, patience = solution, np.inf, np.inf, PATIENCE
    for width in map(float, widths):
        solution = _settled(solution, width)
        total = float(solution.gap.sum())
        for _ in range(CUTS if width <= CUT_FROM else 0):
            if total <= max(ENOUGH, FALLING * before) or len(solution.nodes) >= most:
                break
            gap = solution.gap
            solution = _settled(solution.cut(gap > CUT * float(gap.max())), width)
            total = float(solution.gap.sum())
        if total < lowest:
            least, lowest = solution, total
        patience = PATIENCE if total < LOST * lowest else patience - 1
        before = min(before, total)
        if not patience or total <= ENOUGH:
            break
    return replace(least, converged=bool(lowest <= CONVERGED))


def _settled(solution: Solution, width: float) -> Kinked:
    """Return the maximiser at one width, as nearly as the next one needs."""
    assert isinstance(solution, Kinked)
    solution = replace(solution, energy=_at_width(solution.energy, width), width=width)
    solution = flattened(solution, min(0.01, width))
    assert isinstance(solution, Kinked)
    for _ in range(STEPS):
        moved = _stepped(solution)
        if moved is None:
            break
        change = float(np.abs(moved.nodes - solution.nodes).max())
        solution = moved
        if change <= max(REST, NEAR * width) * (1 + float(np.abs(solution.nodes).max())):
            break
    return solution


def flattened(solution: Solution, room: float = 0.01) -> Solution:
    """Return a score within a bound on its slope: a cut sees slopes between points that were.

    Where it is too steep it is made less so, element by element, and at last as a whole.
    """
    most = solution.energy.most
    for _ in range(CLIPPED):
        slope = solution.slope
        if float(np.abs(slope).max()) < most:
            return solution
        held = np.clip(slope, -most * (1 - room), most * (1 - room))
        steep = (held != slope).any(1)
        rises = np.where(
            steep[:, None], held @ FROM_SLOPES.T * solution.half,
            solution.nodes - solution.nodes[:, :1],
        )  # fmt: skip
        start = np.concatenate([[0.0], np.cumsum(rises[:, -1])[:-1]])
        nodes, middle = start[:, None] + rises, len(rises) // 2
        nodes = nodes + (solution.nodes[middle, 0] - nodes[middle, 0])
        solution = replace(solution, nodes=nodes)
    steepest = float(np.abs(solution.slope).max())
    if steepest < most:
        return solution
    centre = float(solution.nodes.mean())
    scale = (1 - room) * most / steepest
    return replace(solution, nodes=centre + (solution.nodes - centre) * scale)


def _at_width(energy: Energy, width: float) -> Energy:
    """Return what slopes cost, as far along as the payoffs."""
    if isinstance(energy, Excess):
        return replace(energy, soft=math.sqrt(width) * energy.target)
    return replace(energy, size=width) if isinstance(energy, Barrier) else energy


def _stepped(solution: Kinked) -> Kinked | None:
    """Return Newton's step in the score and in each λ, which stay within their bounds.

    Under energies that are not quadratic it is made shorter until it gains.
    """
    step = newton_step(solution)
    if step is None or not np.all(np.isfinite(step)):
        return None
    step = np.clip(step, -LARGEST_STEP, LARGEST_STEP)
    step = step * room(solution, step)
    watched = not isinstance(solution.energy, Quadratic)
    for _ in range(TRIES):
        moved = _moved(solution, step)
        if moved is not None and (not watched or _gains(moved, solution)):
            return moved
        step = SHORTER * step
    return None if moved is None else replace(moved, shares=None)


def _gains(moved: Kinked, solution: Kinked) -> bool:
    return moved.merit >= solution.merit - ROUNDING * (1 + abs(solution.merit))


def _moved(solution: Kinked, step: Array) -> Kinked | None:
    """Return a step taken, each λ changed as it has to; None where a score leaves the domain."""
    nodes = solution.nodes + step
    if not (nodes.min() > solution.payoffs.low and nodes.max() < solution.payoffs.high):
        return None
    share, rest = solution.parts
    change = np.clip(solution.asked(step @ VALUES.T), (KEPT - 1) * share, (1 - KEPT) * rest)
    moved = replace(solution, nodes=nodes, shares=np.stack([share + change, rest - change]))
    keep_mesh(moved, solution)
    return moved
