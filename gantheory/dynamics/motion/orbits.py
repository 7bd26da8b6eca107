"""What trajectories are seen to do where algebra does not decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import scipy.optimize
import sympy as sp
from numpy.typing import NDArray

from gantheory.deadline import OutOfTime, time_limit
from gantheory.dynamics.analysis import Analysis, sample
from gantheory.dynamics.motion.fields import compile_field
from gantheory.dynamics.motion.trajectories import Trajectories, flow_trajectories, trajectories
from gantheory.dynamics.record import Game
from gantheory.dynamics.rules import Rule, midpoint
from gantheory.dynamics.verdict import Behaviour, Decision
from gantheory.records import How

RADII = (0.03, 0.1, 0.3, 1.0, 2.0)  # starts this far from the equilibrium, two directions each
EDGE = 0.8  # part of the distance to the nearest end of a domain that starts may use
WINDOWS = 8  # equal parts of a run; the orbit's size is read in each
SAME = 0.02  # relative difference of sizes that counts as none
BAND = 0.1  # relative width of the band that orbits on one cycle fill
REST = 1e-9  # relative motion in one step of an orbit that has come to rest or to a period
NEAR = 1e-4  # relative distance from the end of an orbit to the zero of the field that it rests at
PERIODS = range(2, 17)  # that are looked for
SHOWN = 2  # places of rest or periods that a verdict lists
LAST = 64  # steps in which rest or a period must show
HUGE = 1e6  # times the start: an orbit as large as this diverges
FLOW_TIME, UPDATES = 300.0, 20_000
SMOOTH = 1e-7  # tolerance of a watched flow: orbits keep their size to a percent
SECONDS = 20.0  # for following the orbits; most games need one or two
JUMP_STEP = 0.01  # of a watched flow that jumps, where adaptive methods stall

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Watched:
    """Orbits that were followed from several distances to a center.

    Attributes:
        points: shape (records, trajectories, variables); inf or nan after an overflow.
        center: the point that distances are measured from.
        ends: the lower and upper ends of the domain of each variable.
        zero_near: the zero of the field that Newton's method finds from a point, or None.
        updates: whether one record is one update, so that periods can be seen.
    """

    points: Array
    center: Array
    ends: tuple[Array, Array]
    zero_near: Any
    updates: bool

    @cached_property
    def radii(self) -> Array:
        """Distances to the center, shape (records, trajectories)."""
        return Trajectories(self.points, np.arange(len(self.points))).radii(self.center)

    @cached_property
    def sizes(self) -> Array:
        """The largest distance in each window, shape (windows, trajectories)."""
        with np.errstate(all="ignore"):
            return np.stack([part.max(0) for part in np.array_split(self.radii[1:], WINDOWS)])

    def decide(self, repels: bool = False) -> Decision:
        """Name what all orbits were seen to do; undecided where they differ.

        Where the center is known to repel, orbits that are still leaving it do not count.
        """
        if self._all_fall():
            return self._say(Behaviour.CONVERGES, "")
        stories = [self._story(k) for k in range(self.points.shape[1])]
        named = [s for s in stories if s is not None]
        if repels and {behaviour for behaviour, _ in named} == {Behaviour.DIVERGES}:
            with np.errstate(all="ignore"):
                leaving = [(np.diff(size) > 0).all() for size in self.sizes[WINDOWS // 2 :].T]
            stories = [s for s, on in zip(stories, leaving, strict=True) if s or not on]
        if len(named) < len(stories):
            return self._together(len(stories), named)
        behaviours = Counter(behaviour for behaviour, _ in named)
        if len(behaviours) == 1:
            (behaviour,) = behaviours
            texts = [text for text in dict.fromkeys(text for _, text in named) if text]
            more = f"; and so on at {len(texts)} places" if len(texts) > SHOWN else ""
            return self._say(behaviour, "; ".join(texts[:SHOWN]) + more)
        parts = ", ".join(
            f"{n} of {len(named)}: {behaviour}" for behaviour, n in behaviours.most_common()
        )
        return self._say(Behaviour.UNDECIDED, f"the outcome depends on the start: {parts}")

    def _story(self, k: int) -> tuple[Behaviour, str] | None:
        """The behaviour of one orbit and its details, or None where its size must be compared."""
        path, start = self.points[:, k], self.radii[0, k]
        outside = ((path < self.ends[0]) | (path > self.ends[1])).any(1)
        finite = np.isfinite(path).all(1)
        gone = int(np.argmax(outside & finite)) if (outside & finite).any() else len(path)
        lost = int(np.argmin(finite)) if not finite.all() else len(path)
        if gone < lost or (lost < len(path) and self._at_edge(path[max(lost - 1, 0)])):
            return Behaviour.LEAVES, "from there on the payoffs have no meaning"
        if lost < len(path):
            before = self.radii[max(lost - 1, 0), k]
            grown = np.isposinf(np.abs(path[lost:])).any() or before > HUGE * start
            return (
                (Behaviour.DIVERGES, "")
                if grown
                else (Behaviour.UNDECIDED, "a step has no solution")
            )
        if self.radii[-1, k] > HUGE * start:
            return Behaviour.DIVERGES, ""
        if self.radii[-LAST:, k].max() < 1e-3 * start or self._falls(k):
            return Behaviour.CONVERGES, ""
        return self._resting(path) or self._periodic(path)

    def _at_edge(self, point: Array) -> bool:
        """Whether a point is so near an end of its domain that the field broke off there."""
        gaps = np.minimum(np.abs(point - self.ends[0]), np.abs(self.ends[1] - point))
        return bool((gaps < NEAR * (1 + np.abs(point))).any())

    def _falls(self, k: int) -> bool:
        """Whether an orbit shrinks in every window, in all to a tenth of its start."""
        sizes = self.sizes[:, k]
        return bool((np.diff(sizes) < 0).all() and sizes[-1] < 0.1 * self.radii[0, k])

    def _all_fall(self) -> bool:
        """Whether all orbits shrink in every window, and the largest to a tenth of its start."""
        with np.errstate(all="ignore"):
            falls = (np.diff(self.sizes, axis=0) <= 0).all()
        smaller = (self.sizes[-1] < (1 - SAME) * self.sizes[0]).all()
        return bool(falls and smaller and self.sizes[-1].max() < 0.1 * self.radii[0].max())

    def _resting(self, path: Array) -> tuple[Behaviour, str] | None:
        tail = path[-LAST:]
        if np.abs(np.diff(tail, axis=0)).max() > REST * (1 + np.abs(tail[-1]).max()):
            return None
        zero = self.zero_near(tail[-1])
        if zero is not None and np.abs(zero - tail[-1]).max() < NEAR * (1 + np.abs(zero).max()):
            return Behaviour.CONVERGES, f"they come to rest, as at {_shown(zero)}"
        if self.updates and (tail == tail[-1]).all():
            return Behaviour.CONVERGES, f"they stop at {_shown(tail[-1])}, which is no equilibrium"
        return None

    def _periodic(self, path: Array) -> tuple[Behaviour, str] | None:
        tail = path[-2 * LAST :] if self.updates else path[:0]
        for period in PERIODS if self.updates else ():
            apart = np.abs(tail[period:] - tail[:-period]).max()
            if apart < REST * (1 + np.abs(tail).max()):
                turn = " -> ".join(_shown(point) for point in tail[-period:][:4])
                more = " -> ..." if period > 4 else ""
                return Behaviour.PERIODIC, f"period {period}: {turn}{more}"
        return None

    def _together(self, total: int, named: Sequence[tuple[Behaviour, str]]) -> Decision:
        """Compare the sizes of all orbits where some of them keep moving."""
        sizes = self.sizes
        if named or not np.isfinite(sizes).all():
            parts = ", ".join(f"{n}: {f}" for f, n in Counter(f for f, _ in named).most_common())
            seen = f"; of {total} orbits {parts}, the others still move" if parts else ""
            return self._say(Behaviour.UNDECIDED, f"no common outcome{seen}")
        last, before, first = sizes[-1], sizes[-2], sizes[0]
        starts = self.radii[0]
        extents = np.ptp(self.points[-(len(self.points) // WINDOWS) :], axis=0).max(-1)
        steady = (np.abs(last - before) < SAME * before).all()
        drawn_out = (last[starts < last.min() / 3] > 0).any()
        around = (extents > last).all()
        if steady and around and drawn_out and np.ptp(last) < BAND * last.max():
            return self._say(Behaviour.CYCLE, "")
        level = (np.ptp(sizes, axis=0) < SAME * first).all()
        if level and around and (first >= (1 - SAME) * starts).all():
            return self._say(Behaviour.BOUNDED, "")
        growing = (np.diff(sizes, axis=0) > 0).all() and (last > 2 * first).all()
        return self._say(Behaviour.DIVERGES if growing else Behaviour.UNDECIDED, "")

    def _say(self, behaviour: Behaviour, more: str) -> Decision:
        sizes = np.nan_to_num(self.sizes[-1], nan=np.inf)
        low, high = sizes.min(), sizes.max()
        starts = self.radii[0]
        seen = (
            f"{len(starts)} trajectories that start {starts.min():.3g} to {starts.max():.3g} away "
            f"end at sizes {low:.4g} to {high:.4g}" + (f"; {more}" if more else "")
        )
        how = How.UNDECIDED if behaviour is Behaviour.UNDECIDED else How.MEASURED
        return Decision(behaviour, how, seen)


def follow_orbits(dynamics: Game, rule: Rule | None, step: float, center: Array) -> Watched:
    """Follow trajectories from several distances to ``center``."""
    ends = _ends(dynamics)
    starts = _starts(center, ends)
    if rule is None and dynamics.discontinuous:
        run = trajectories(dynamics, midpoint(), starts, JUMP_STEP, UPDATES)
    elif rule is None:
        run = flow_trajectories(dynamics, starts, np.linspace(0, FLOW_TIME, 4001), SMOOTH)
    else:
        run = trajectories(dynamics, rule, starts, step, UPDATES)
    return Watched(run.points, center, ends, _newton(dynamics), rule is not None)


def decide_by_orbits(analysis: Analysis) -> Decision:
    """Return the verdict of the theory or, where it is undecided, what is measured."""
    decided = analysis.decision
    if decided.behaviour is not Behaviour.UNDECIDED or analysis.dynamics.parameters:
        return decided
    chosen = analysis.equilibrium or next(iter(analysis.equilibria), None)
    if chosen is None:
        return decided
    point = sample(analysis.dynamics, chosen.point)
    center = np.array([float(point[v]) for v in analysis.dynamics.variables])
    game = analysis.method.game(analysis.dynamics)
    repels = "repels" in decided.reason or "radius above 1" in decided.reason
    try:
        with time_limit(SECONDS):
            seen = follow_orbits(game, analysis.method.update, float(analysis.step), center).decide(
                repels
            )
    except OutOfTime:
        late = f"its trajectories took longer than {SECONDS:g} seconds"
        return replace(decided, reason=f"{decided.reason}; {late}")
    return Decision(seen.behaviour, seen.how, f"{decided.reason}; {seen.reason}")


def _starts(center: Array, ends: tuple[Array, Array]) -> Array:
    """Two fixed general directions at each radius, shrunk to stay inside the domain."""
    directions = np.random.default_rng(1).normal(size=(2, len(center)))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    room = np.minimum(center - ends[0], ends[1] - center).min()
    scale = min(1.0, EDGE * room / RADII[-1]) if room > 0 else 1.0
    return center + scale * np.concatenate([radius * directions for radius in RADII])


def _ends(dynamics: Game) -> tuple[Array, Array]:
    spans = [dynamics.domains.get(v, sp.Reals) for v in dynamics.variables]
    return np.array([float(s.inf) for s in spans]), np.array([float(s.sup) for s in spans])


def _newton(dynamics: Game) -> Any:
    """A function that finds the zero of the field that Newton's method reaches from a point."""
    field, split = compile_field(dynamics), len(dynamics.players[0])

    def direction(z: Array) -> Array:
        x, y = z[:split, None], z[split:, None]
        return np.concatenate([field.first(x, y), field.second(x, y)])[:, 0]

    def zero_near(point: Array) -> Array | None:
        with np.errstate(all="ignore"):
            found = scipy.optimize.root(direction, point, tol=1e-13)
            left = np.abs(direction(found.x)).max()
        return found.x if left < REST else None  # not where it is nan either

    return zero_near


def _shown(point: Array) -> str:
    return "(" + ", ".join(f"{coordinate:.4g}" for coordinate in point) + ")"
