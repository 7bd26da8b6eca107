r"""Payoffs with kinks where one law is faint: a score at rest on a kink is continued by a constant.

Far out one law is 1e-6 of the other and less, and at the score that the other's payoff likes best,
a kink such as the hinge's −1, the forces of both are in balance: it is solved for up to there
alone, and continued by a constant. The dual flux of the whole line bounds what that misses, so that
nothing rests on the guess: where the bound is not met more of the line is solved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gantheory.densities.base import Array
from gantheory.regularised.elements import Densities, Solution
from gantheory.regularised.energies import Energy
from gantheory.regularised.kinks import FAINTEST, Kinked, best, finest
from gantheory.regularised.payoffs import PenalisedPayoffs

FAINT = 1e-6  # of the other law: less is not seen, nor followed by the width where more is solved
LIGHT = 1e-12  # of both laws' mass, beyond an end
ENOUGH = 1e-11  # of the gap, beyond an end
NEAR = 1e-5  # of a kink, for a score that rests there
LEAST = 1e-100  # of λ and 1 − λ
FEWEST = 4  # elements that are solved


@dataclass(frozen=True)
class Resting(Kinked):
    """A score with kinks that is constant beyond the ends of a core.

    Attributes:
        core: the part that is solved.
        before: the ends of the elements before it, with its first.
        after: those of the elements after it, with its last.
    """

    core: Kinked | None = None
    before: Array | None = None
    after: Array | None = None

    @property
    def rests(self) -> tuple[bool, bool]:
        """Whether the score rests on a kink beyond either end of the core."""
        assert self.before is not None
        assert self.after is not None
        ends = (len(self.before) > 1, self.nodes[0, 0]), (len(self.after) > 1, self.nodes[-1, -1])
        first, last = (
            beyond and min(abs(score - kink) for kink in self.payoffs.kinks) < NEAR
            for beyond, score in ends
        )
        return first, last

    @property
    def moving(self) -> Solution:
        """The part in which a score next to the best one may differ from it by its slope."""
        assert self.core is not None
        assert self.before is not None
        assert self.after is not None
        ends = zip((self.before, self.after), self.rests, strict=True)
        return self.core if all(rests or len(beyond) == 1 for beyond, rests in ends) else self

    def finer(self) -> Solution:
        """Return the score with the core's elements halved, and its barrier at its least."""
        assert self.core is not None
        assert self.before is not None
        assert self.after is not None
        found = finest(self.core)
        assert isinstance(found, Kinked)
        return continued(found, self.before, self.after)


def best_at_rest(
    edges: Array, payoffs: PenalisedPayoffs, densities: Densities, energy: Energy
) -> Solution:
    """Return the best score, solved where both laws are seen, or as far out as duality asks for."""
    options = _options(edges, payoffs, densities, energy)
    left, right = 0, 0
    while True:
        low, high = options[0][left], options[1][right]
        if (low, high) == (0, len(edges) - 1):
            return best(edges, payoffs, densities, energy, FAINT)
        faintest = FAINTEST if left == right == 0 else FAINT
        core = best(edges[low : high + 1], payoffs, densities, energy, faintest)
        assert isinstance(core, Kinked)
        found = continued(core, edges[: low + 1], edges[high:])
        outside = float(found.gap[:low].sum()), float(found.gap[low + len(core.nodes) :].sum())
        if core.converged and max(outside) <= ENOUGH:
            return found
        moves = [not core.converged or gap > ENOUGH for gap in outside]
        left = min(left + moves[0], len(options[0]) - 1)
        right = min(right + moves[1], len(options[1]) - 1)


def _options(
    edges: Array, payoffs: PenalisedPayoffs, densities: Densities, energy: Energy
) -> tuple[list[int], list[int]]:
    """Return where the core may begin and end, as edges: the narrowest first, then all."""
    whole = Solution(edges, np.zeros((len(edges) - 1, 1)), payoffs, densities, energy)
    p, q = whole.both
    last = len(edges) - 1
    with np.errstate(all="ignore"):
        seen = np.flatnonzero((np.minimum(p, q) > FAINT * np.maximum(p, q)).any(1))
    mass = whole.integral(p + q)
    heavy = np.flatnonzero((np.cumsum(mass) > LIGHT) & (np.cumsum(mass[::-1])[::-1] > LIGHT))
    firsts, lasts = [], []
    for kept in (seen, heavy):
        if len(kept) >= FEWEST:
            firsts.append(max(0, int(kept[0]) - 1))
            lasts.append(min(last, int(kept[-1]) + 2))
    return [*dict.fromkeys([*firsts, 0])], [*dict.fromkeys([*lasts, last])]


def continued(core: Kinked, before: Array, after: Array) -> Resting:
    """Return a score with constants beyond its ends, and in balance where it rests on a kink."""
    edges = np.concatenate([before[:-1], core.edges, after[1:]])
    low, high = len(before) - 1, len(edges) - len(after)
    nodes = np.empty((len(edges) - 1, core.nodes.shape[1]))
    nodes[:low], nodes[low:high], nodes[high:] = core.nodes[0, 0], core.nodes, core.nodes[-1, -1]
    found = Resting(
        edges, nodes, core.payoffs, core.densities, core.energy, core.converged,
        None, core.width, core.faintest, core, before, after,
    )  # fmt: skip
    shares = _balanced(found)
    shares[:, :, low:high] = np.stack(core.parts)
    return replace(found, shares=shares)


def _balanced(found: Kinked) -> Array:
    """Return λ and 1 − λ with which the forces cancel where the score rests, else 0 or 1."""
    share = (found.beyond > 0).astype(float)
    near = np.abs(found.beyond) < NEAR
    for k in range(len(share)):
        others = found.smooth_force - (np.delete(found.falls * share, k, axis=0)).sum(0)
        with np.errstate(all="ignore"):
            asked = np.clip(np.nan_to_num(others / found.falls[k], nan=0.5), 0.0, 1.0)
        share[k] = np.where(near[k], asked, share[k])
    return np.stack([np.maximum(share, LEAST), np.maximum(1 - share, LEAST)])
