"""What trajectories are seen to do where algebra does not decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gantheory.numeric.motion.trajectories import flow_trajectories, trajectories
from gantheory.records import How
from gantheory.symbolic.dynamics.analysis import Analysis
from gantheory.symbolic.dynamics.record import Dynamics
from gantheory.symbolic.dynamics.rules import Rule, midpoint
from gantheory.symbolic.dynamics.verdict import Decision, Fate

RADII = (0.03, 0.1, 0.3, 1.0, 2.0)  # starts this far from the equilibrium, two directions each
WINDOWS = 8  # equal parts of a run; the orbit's size is read in each
SAME = 0.02  # relative difference of sizes that counts as none
BAND = 0.1  # relative width of the band that orbits on one cycle fill
STILL = 1e-5  # relative motion in a window of an orbit that has come to rest
FLOW_TIME, UPDATES = 300.0, 20_000
SMOOTH = 1e-7  # tolerance of a watched flow: orbits keep their size to a percent
JUMP_STEP = 0.01  # of a watched flow that jumps, where adaptive methods stall


@dataclass(frozen=True)
class Watched:
    """The sizes of orbits: the largest distance to the center in each window.

    Attributes:
        sizes: shape (windows, trajectories); inf or nan after an overflow.
        starts: distances at the start.
        end: where the first orbit ends.
        extents: how far each orbit still moves, by its widest coordinate, in the last window.
    """

    sizes: NDArray[np.float64]
    starts: NDArray[np.float64]
    extents: NDArray[np.float64]
    end: NDArray[np.float64]

    def decide(self) -> Decision:
        """Name what all trajectories were seen to do; undecided where they differ."""
        finite = np.isfinite(self.sizes).all(0)
        if not finite.all():
            grew = [self._grows(k) for k in np.flatnonzero(~finite)]
            return self._say(Fate.DIVERGES if finite.sum() == 0 and all(grew) else Fate.UNDECIDED)
        last, before, first = self.sizes[-1], self.sizes[-2], self.sizes[0]
        if (last < 1e-3 * self.starts).all() or self._fall():
            return self._say(Fate.CONVERGES)
        if (self.extents < STILL * last).all():
            return self._say(Fate.CONVERGES, f"; they come to rest, as at {self._place()}")
        steady = (np.abs(last - before) < SAME * before).all()
        drawn_out = (last[self.starts < last.min() / 3] > 0).any()
        around = (self.extents > last).all()
        if steady and around and drawn_out and np.ptp(last) < BAND * last.max():
            return self._say(Fate.CYCLE)
        level = (np.ptp(self.sizes, axis=0) < SAME * first).all()
        if level and around and (first >= (1 - SAME) * self.starts).all():
            return self._say(Fate.BOUNDED)
        growing = (np.diff(self.sizes, axis=0) > 0).all() and (last > 2 * first).all()
        return self._say(Fate.DIVERGES if growing else Fate.UNDECIDED)

    def _fall(self) -> bool:
        """Whether every orbit shrinks in every window, and the largest to a tenth of its start."""
        falls = (np.diff(self.sizes, axis=0) <= 0).all()
        all_fall = (self.sizes[-1] < (1 - SAME) * self.sizes[0]).all()
        return bool(falls and all_fall and self.sizes[-1].max() < 0.1 * self.starts.max())

    def _grows(self, k: Any) -> bool:
        known = self.sizes[:, k][np.isfinite(self.sizes[:, k])]
        return bool(np.isposinf(self.sizes[:, k]).any() or (known > 1e6 * self.starts[k]).any())

    def _place(self) -> str:
        return "(" + ", ".join(f"{coordinate:.4g}" for coordinate in self.end) + ")"

    def _say(self, fate: Fate, more: str = "") -> Decision:
        low, high = self.sizes[-1].min(), self.sizes[-1].max()
        seen = (
            f"{len(self.starts)} trajectories that start {self.starts.min():.3g} to "
            f"{self.starts.max():.3g} away end at sizes {low:.4g} to {high:.4g}{more}"
        )
        how = How.UNDECIDED if fate is Fate.UNDECIDED else How.MEASURED
        return Decision(fate, how, seen)


def watch(
    dynamics: Dynamics, rule: Rule | None, step: float, center: NDArray[np.float64]
) -> Watched:
    """Follow trajectories from several distances to ``center`` and read their sizes."""
    starts = _starts(center)
    distances = np.linalg.norm(starts - center, axis=1)
    if rule is None and dynamics.discontinuous:
        run = trajectories(dynamics, midpoint(), starts, JUMP_STEP, UPDATES, every=4)
    elif rule is None:
        run = flow_trajectories(dynamics, starts, np.linspace(0, FLOW_TIME, 4001), SMOOTH)
    else:
        run = trajectories(dynamics, rule, starts, step, UPDATES, every=4)
    with np.errstate(all="ignore"):
        radii = run.radii(center)[1:]
        parts = np.array_split(radii, WINDOWS)
        sizes = np.stack([part.max(0) for part in parts])
        extents = np.ptp(run.points[-len(parts[-1]) :], axis=0).max(-1)
    return Watched(sizes, distances, extents, run.points[-1, 0])


def settle(analysis: Analysis) -> Decision:
    """Return the verdict of the theory or, where it is undecided, what is measured."""
    decided = analysis.decision
    if decided.fate is not Fate.UNDECIDED or analysis.dynamics.parameters:
        return decided
    point = next(iter(analysis.equilibria), None)
    if point is None or any(value.free_symbols for value in point.point.values()):
        return decided
    center = np.array([float(point.point[v]) for v in analysis.dynamics.variables])
    game = analysis.method.game(analysis.dynamics)
    seen = watch(game, analysis.method.update, float(analysis.step), center).decide()
    return Decision(seen.fate, seen.how, f"{decided.reason}; {seen.reason}")


def _starts(center: NDArray[np.float64]) -> NDArray[np.float64]:
    """Two fixed general directions at each radius."""
    directions = np.random.default_rng(1).normal(size=(2, len(center)))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return center + np.concatenate([radius * directions for radius in RADII])
