"""Pictures of a game's dynamics: phase portrait, distance against steps, stability diagram."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gantheory.dynamics.analysis import Analysis
from gantheory.dynamics.motion.fields import compile_field
from gantheory.dynamics.motion.trajectories import Trajectories, flow_trajectories, trajectories
from gantheory.dynamics.record import Game
from gantheory.dynamics.verdict import Decision
from gantheory.errors import GantheoryError
from gantheory.report.plots.style import (
    COLOURS,
    FORMATS,
    GRID,
    INK,
    new_figure,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REACH = 1.6  # half-width of the portrait in the units of the game
STARTS = (0.25, 0.7, 1.2)  # distances of the drawn starts from the equilibrium
STEPS, TIME = 400, 60.0  # length of the drawn trajectories


def check_place(path: Path) -> None:
    """Refuse a figure that could not be written, before any work is done."""
    if path.suffix.lower() not in FORMATS:
        raise GantheoryError(f"cannot write {path.name!r} as a figure; use {', '.join(FORMATS)}")
    if not path.absolute().parent.is_dir() or not os.access(path.absolute().parent, os.W_OK):
        raise GantheoryError(
            f"cannot write {str(path)!r}; choose a directory that exists and that you may write to"
        )
    new_figure()


def plot_game(analysis: Analysis, decision: Decision) -> Figure:
    """Draw the portrait and the distance to the equilibrium side by side."""
    center = _center(analysis)
    run = _follow(analysis, center)
    figure = new_figure(9.6, 4.4)
    left, right = figure.subplots(1, 2)
    draw_portrait(left, analysis.method.game(analysis.dynamics), run, center)
    draw_distances(right, run, center, analysis.spectral_radius, analysis.method.name == "flow")
    method, step = analysis.method.name, float(analysis.step)
    title = f"{analysis.dynamics.name}, {method}" + ("" if method == "flow" else f", step {step:g}")
    figure.suptitle(f"{title}: {decision.behaviour} ({decision.how})", fontsize=11)
    return figure


def draw_portrait(
    axes: Axes, dynamics: Game, run: Trajectories, center: NDArray[np.float64]
) -> None:
    """Draw trajectories over the streamlines of the field.

    With more than one variable a player, the first of each is drawn and the field left out.
    """
    first, second = 0, len(dynamics.players[0])
    points = np.where(np.abs(run.points - center) < 50 * REACH, run.points, np.nan)
    reach = _reach(points - center)
    if len(dynamics.variables) == 2:
        _stream(axes, dynamics, center, reach)
    for k in range(points.shape[1]):
        path = points[:, k]
        axes.plot(path[:, first], path[:, second], color=COLOURS[k], linewidth=1.1, zorder=3)
        axes.plot(*path[0, [first, second]], "o", color=COLOURS[k], markersize=5, zorder=4)
    axes.plot(center[first], center[second], "+", color=INK, markersize=9, zorder=5)
    names = [str(v) for v in dynamics.variables]
    axes.set_xlim(center[first] - reach, center[first] + reach)
    axes.set_ylim(center[second] - reach, center[second] + reach)
    axes.set_aspect("equal")
    tidy(axes, names[first], names[second], "trajectories from the dots; + marks the equilibrium")


def draw_distances(
    axes: Axes,
    run: Trajectories,
    center: ArrayLike,
    radius: float | None,
    flow: bool = False,
) -> None:
    """Draw the distance to the equilibrium against the steps, with the slope predicted there.

    ``radius`` is the spectral radius of one step; its power through the smallest start is dashed.
    """
    distances = np.asarray(run.radii(center))
    for k in range(distances.shape[1]):
        axes.plot(run.times, distances[:, k], color=COLOURS[k], linewidth=1.2)
    if radius is not None and not flow:
        predicted = distances[0, 0] * radius ** np.asarray(run.times, dtype=float)
        axes.plot(run.times, predicted, color=INK, linestyle=(0, (5, 3)), linewidth=1.0,
                  label=f"spectral radius {radius:.6g} per step")  # fmt: skip
        axes.legend(frameon=False, fontsize=8.5)
    axes.set_yscale("log")
    finite = distances[np.isfinite(distances) & (distances > 0)]
    lowest, highest = max(finite.min() / 1.6, 1e-9), min(finite.max() * 1.6, 1e4)
    shown = ((distances > lowest) & (distances < highest)).any(1)
    axes.set_ylim(lowest, highest)
    axes.set_xlim(0, np.asarray(run.times)[shown].max() * 1.02)
    tidy(axes, "time" if flow else "steps", "", "distance to the equilibrium")


def plot_stability(
    steps: ArrayLike,
    weights: ArrayLike,
    radii: ArrayLike,
    label: str = "weight of the regulariser",
    title: str = "",
) -> Figure:
    """Draw the spectral radius over the step size and a regulariser; the line is radius 1.

    Args:
        steps: step sizes, shape (m,).
        weights: shape (n,).
        radii: spectral radii, shape (n, m), as `spectral_map` returns them.
        label: what the weights are.
        title: what is drawn.
    """
    values = np.asarray(radii)
    figure = new_figure(6.4, 4.4)
    axes = figure.subplots()
    span = float(np.clip(np.abs(values - 1).max(), 1e-3, 0.5))
    mesh = axes.pcolormesh(steps, weights, values, cmap="PuOr_r", vmin=1 - span, vmax=1 + span,
                           shading="gouraud", rasterized=True)  # fmt: skip
    axes.contour(steps, weights, values, levels=[1.0], colors=INK, linewidths=1.4)
    figure.colorbar(mesh, label="spectral radius (converges below 1)", extend="both")
    axes.set_xlabel("step size")
    axes.set_ylabel(label)
    axes.set_title(title, fontsize=10, loc="left")
    return figure


def _center(analysis: Analysis) -> NDArray[np.float64]:
    chosen = analysis.equilibrium or next(iter(analysis.equilibria), None)
    variables = analysis.dynamics.variables
    if chosen is None or analysis.dynamics.parameters:
        raise GantheoryError(
            f"game {analysis.dynamics.name!r} has no equilibrium with numbers to draw around; "
            "give its parameters numbers"
        )
    free = dict.fromkeys(variables, 0)  # a line of equilibria is drawn around its point at 0
    return np.array([float(chosen.point[v].subs(free)) for v in variables])


def _follow(analysis: Analysis, center: NDArray[np.float64]) -> Trajectories:
    direction = np.ones(len(center)) / np.sqrt(len(center))
    starts = center + np.outer(STARTS, direction)
    game = analysis.method.game(analysis.dynamics)
    rule = analysis.method.update
    if rule is None:
        return flow_trajectories(game, starts, np.linspace(0, TIME, 1200), 1e-7)
    return trajectories(game, rule, starts, float(analysis.step), STEPS)


def _reach(offsets: NDArray[np.float64]) -> float:
    """Half-width that shows the trajectories, but not far beyond the largest start."""
    largest = np.nanmax(np.abs(offsets))
    return float(np.clip(1.1 * largest, 0.8 * REACH, 2.5 * REACH))


def _stream(axes: Axes, dynamics: Game, center: NDArray[np.float64], reach: float) -> None:
    grid = [np.linspace(c - reach, c + reach, 41) for c in center]
    x, y = np.meshgrid(*grid)
    field = compile_field(dynamics)
    with np.errstate(all="ignore"):
        u = field.first(x.reshape(1, -1), y.reshape(1, -1)).reshape(x.shape)
        v = field.second(x.reshape(1, -1), y.reshape(1, -1)).reshape(x.shape)
    options: dict[str, Any] = {
        "zorder": 1,
        "color": GRID,
        "density": 1.1,
        "linewidth": 0.7,
        "arrowsize": 0.8,
    }
    axes.streamplot(grid[0], grid[1], u, v, **options)
