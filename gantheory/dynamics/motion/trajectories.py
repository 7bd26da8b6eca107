"""Trajectories of a game: batches over starts and step sizes, by numpy or torch, and flows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import solve_ivp

from gantheory.dynamics.motion.fields import ArrayField, compile_field
from gantheory.dynamics.record import Game
from gantheory.dynamics.rules import Rule
from gantheory.errors import GantheoryError
from gantheory.records import Estimate

EXPLODED = 1e3  # times the start: a flow that stops as far out as this has left in finite time
CHECKED = 1000  # steps after which a batch that has overflowed altogether is given up
FLOW_TOLERANCE = 1e-10  # relative and absolute, of one step of the eighth-order method


@dataclass(frozen=True)
class Trajectories:
    """Recorded points of many trajectories.

    Attributes:
        points: shape (records, trajectories, variables); inf or nan after an overflow.
        times: the step numbers, or the times of a flow, of the records.
    """

    points: Any
    times: Any

    def radii(self, center: ArrayLike = 0.0) -> NDArray[np.float64]:
        """Return the distances to ``center``, shape (records, trajectories).

        Offsets are scaled by their largest entry first, so that squares do not overflow.
        """
        with np.errstate(all="ignore"):
            offsets = np.asarray(self.points) - center
            largest = np.abs(offsets).max(-1, keepdims=True)
            scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
            radii: NDArray[np.float64] = scale[..., 0] * np.linalg.norm(offsets / scale, axis=-1)
        return radii


def trajectories(
    dynamics: Game | ArrayField,
    rule: Rule,
    starts: Any,
    step: Any,
    steps: int,
    *,
    every: int = 1,
    library: str = "numpy",
    split: int | None = None,
) -> Trajectories:
    """Update a batch of starts ``steps`` times by one rule; nothing is changed in place.

    Args:
        dynamics: the game, or its compiled field together with ``split``, the number of
            variables of player 1.
        rule: the update, as in `gantheory.dynamics.rules`.
        starts: shape (trajectories, variables), or (variables,) for one.
        step: positive step size, one number or one for each trajectory.
        steps: number of updates.
        every: record each ``every``-th state, beside the start.
        library: ``numpy`` or ``torch``; the points come back in it.

    >>> from gantheory.dynamics.known import bilinear
    >>> from gantheory.dynamics.rules import simultaneous
    >>> run = trajectories(bilinear(), simultaneous(), [1.0, 0.0], 1.0, 2)
    >>> run.points[:, 0].tolist()
    [[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]]
    """
    if isinstance(dynamics, Game):
        field, first = compile_field(dynamics, library), len(dynamics.players[0])
    elif split is None:
        raise GantheoryError("a compiled field needs split, the number of variables of player 1")
    else:
        field, first = dynamics, split
    array = field.library.asarray(starts, dtype=field.library.float64)
    z = array.reshape(-1, array.shape[-1]).T
    sizes = field.library.asarray(step, dtype=field.library.float64)
    if steps < 0 or every < 1 or not bool((sizes > 0).all()):
        raise GantheoryError(
            f"steps={steps}, every={every}, step={step}; all must be positive (steps may be 0)"
        )
    record = field.library.empty((steps // every + 1, *z.shape), dtype=field.library.float64)
    with np.errstate(all="ignore"):
        _fill(record, field, rule, (z[:first], z[first:]), sizes, steps, every)
    return Trajectories(record.swapaxes(1, 2), field.library.arange(0, steps + 1, every))


def _fill(
    record: Any,
    field: ArrayField,
    rule: Rule,
    start: tuple[Any, Any],
    sizes: Any,
    steps: int,
    every: int,
) -> None:
    split = len(start[0])
    state = rule.initial(field, *start)
    record[0, :split], record[0, split:] = state[0], state[1]
    for k in range(1, steps + 1):
        state = rule.advance(field, state, sizes)
        if k % every == 0:
            record[k // every, :split], record[k // every, split:] = state[0], state[1]
        if k % CHECKED == 0 and not bool(field.library.isfinite(record[k // every]).any()):
            record[k // every + 1 :] = record[k // every]  # nothing is left to follow
            break


def flow_trajectories(
    dynamics: Game, starts: ArrayLike, times: ArrayLike, tolerance: float = FLOW_TOLERANCE
) -> Trajectories:
    """Integrate the flow from each start by an adaptive eighth-order Runge-Kutta method.

    Args:
        dynamics: the game; where its field jumps the step adapts to the jump.
        starts: shape (trajectories, variables), or (variables,) for one.
        times: increasing times, the first that of the start.
        tolerance: relative and absolute error allowed in one step.
    """
    field, split = compile_field(dynamics), len(dynamics.players[0])
    moments = np.asarray(times, dtype=float)

    def direction(_: float, z: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = z[:split, None], z[split:, None]
        return np.concatenate([field.first(x, y), field.second(x, y)])[:, 0]

    paths = []
    for start in np.atleast_2d(np.asarray(starts, dtype=float)):
        solved = solve_ivp(
            direction,
            (moments[0], moments[-1]),
            start,
            method="DOP853",
            t_eval=moments,
            rtol=tolerance,
            atol=tolerance,
            dense_output=True,
        )
        last = solved.sol(solved.sol.t_max)
        exploded = solved.status < 0 and np.abs(last).max() > EXPLODED * (1 + np.abs(start).max())
        path = np.full((len(moments), len(start)), np.inf if exploded else np.nan)
        path[: solved.y.shape[1]] = solved.y.T
        paths.append(path)
    return Trajectories(np.stack(paths, axis=1), moments)


def measured_rate(run: Trajectories, center: ArrayLike = 0.0) -> Estimate:
    """Measure the factor by which the distance to ``center`` changes in one step.

    The largest distance over the trajectories is followed over the second half of the run. Its
    logarithm is a line plus something bounded, so the slope errs by at most the spread about
    the line over the length; the change of slope between quarters covers a slower drift.
    """
    radii = run.radii(center).max(1)
    half = len(radii) // 2
    with np.errstate(all="ignore"):
        times, logs = np.asarray(run.times, dtype=float)[half:], np.log(radii[half:])
    if not np.isfinite(logs).all() or len(logs) < 8:
        return Estimate.undetermined("the distance left the floating-point range; run fewer steps")
    slope, level = np.polyfit(times, logs, 1)
    spread = np.ptp(logs - slope * times - level)
    middle = len(logs) // 2
    quarters = [
        np.polyfit(times[part], logs[part], 1)[0]
        for part in (slice(None, middle), slice(middle, None))
    ]
    width = 2 * spread / np.ptp(times) + 3 * abs(quarters[0] - quarters[1])
    rate = float(np.exp(slope))
    return Estimate(rate, rate * float(np.expm1(width)) + 1e-12, method="slope of log distance")
