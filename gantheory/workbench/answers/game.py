"""The view of a small game: phase portrait, and the predicted against the measured rate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gantheory.dynamics.analysis import Analysis, analyse
from gantheory.dynamics.games import get_game
from gantheory.dynamics.methods import make_method, read_step
from gantheory.dynamics.motion.fields import compile_field
from gantheory.dynamics.motion.orbits import decide_by_orbits
from gantheory.dynamics.motion.trajectories import (
    Trajectories,
    flow_trajectories,
    measured_rate,
    trajectories,
)
from gantheory.dynamics.record import Game
from gantheory.dynamics.rules import list_methods
from gantheory.records import Estimate
from gantheory.workbench.answers import Refused, bounded_number, chart_numbers, reading
from gantheory.workbench.answers.links import command, python

GAMES = (
    "bilinear", "dirac-minimax", "dirac-non-saturating", "dirac-least-squares-01", "dirac-hinge",
)  # fmt: skip
METHODS = ("flow", "simultaneous", "alternating", "extragradient", "optimistic", "consensus")
STARTS = (0.25, 0.7, 1.2)
REACH = 1.6
STEPS, LONG = 300, 4000  # shown, and followed to measure a rate
ARROWS = 15
TIME = 40.0


def answer(game: str, method: str, step: float, r1: float = 0.0) -> Any:
    """Return trajectories, the field, and both rates, of one method on one game."""
    if method not in list_methods():
        raise Refused("method", f"no method {method!r:.40}; one of {', '.join(list_methods())}")
    step, r1 = bounded_number("step", step, 1e-4, 10), bounded_number("r1", r1, 0, 100)
    size, weight = f"{step:.10g}", f"{r1:.10g}"
    with reading("game"):
        played = get_game(game, **({"r1": read_step(weight)} if r1 else {}))
    if played.parameters:
        raise Refused("game", f"{game!r} has parameters without numbers")
    if len(played.variables) != 2:
        raise Refused("game", f"{game!r} is no game in the plane")
    analysis = analyse(played, make_method(method), size)
    center, decision = _center(analysis), decide_by_orbits(analysis)
    run = _follow(analysis, center, STEPS)
    options = {"method": method, "step": size, **({"r1": weight} if r1 else {})}
    extra = f", r1=sp.Rational('{weight}')" if r1 else ""
    return {
        "paths": [_path(run, k, center) for k in range(len(STARTS))],
        "arrows": _arrows(analysis.method.game(played), center),
        "distance": [chart_numbers(row) for row in run.radii(center).T],
        "times": chart_numbers(np.asarray(run.times, float)),
        "names": [str(v) for v in played.variables],
        "center": chart_numbers(center),
        **_rates(analysis, center),
        "behaviour": f"{decision.behaviour}", "how": f"{decision.how}", "reason": decision.reason,
        "command": command("game", game, **options),
        "python": python(
            "from gantheory.dynamics.methods import make_method", "",
            f"game = gt.get_game({game!r}{extra})",
            f"analysis = gt.analyse(game, make_method({method!r}), {size!r})",
            "analysis.spectral_radius, analysis.decision",
            imports="import gantheory as gt" + ("\nimport sympy as sp" if r1 else ""),
        ),
    }  # fmt: skip


def _center(analysis: Analysis) -> NDArray[np.float64]:
    chosen = analysis.equilibrium or next(iter(analysis.equilibria), None)
    if chosen is None:
        return np.zeros(len(analysis.dynamics.variables))
    free = dict.fromkeys(analysis.dynamics.variables, 0)
    return np.array([float(chosen.point[v].subs(free)) for v in analysis.dynamics.variables])


def _follow(analysis: Analysis, center: NDArray[np.float64], steps: int) -> Trajectories:
    game, rule = analysis.method.game(analysis.dynamics), analysis.method.update
    starts = center + np.outer(STARTS, np.ones(2) / math.sqrt(2))
    if rule is None:
        return flow_trajectories(game, starts, np.linspace(0, TIME, steps + 1), 1e-8)
    return trajectories(game, rule, starts, float(analysis.step), steps)


def _path(run: Trajectories, k: int, center: NDArray[np.float64]) -> list[list[float | None]]:
    points = np.asarray(run.points)[:, k]
    near = np.abs(points - center).max(1) < 20 * REACH
    return [chart_numbers(point) for point in points[near]]


def _arrows(game: Game, center: NDArray[np.float64]) -> list[list[float | None]]:
    """Return (x, y, angle in degrees) of the field on a grid."""
    x, y = np.meshgrid(*(np.linspace(c - REACH, c + REACH, ARROWS) for c in center))
    field = compile_field(game)
    with np.errstate(all="ignore"):
        u = np.asarray(field.first(x.reshape(1, -1), y.reshape(1, -1))).ravel()
        v = np.asarray(field.second(x.reshape(1, -1), y.reshape(1, -1))).ravel()
    angles = np.degrees(np.arctan2(v, u))
    return [chart_numbers(row) for row in np.stack([x.ravel(), y.ravel(), angles], axis=1)]


def _rates(analysis: Analysis, center: NDArray[np.float64]) -> dict[str, str]:
    """Return the factor per step near the equilibrium: predicted by algebra, and measured."""
    predicted = analysis.spectral_radius
    measured = _measured(analysis, center)
    what = "per unit of time" if analysis.method.rule is None else "per step"
    if predicted is not None and analysis.method.rule is None:
        predicted = predicted ** (1 / float(analysis.step))
    return {
        "predicted": "not determined" if predicted is None else f"{predicted:.13g} {what}",
        "measured": f"{measured.value:.13g} ± {measured.error:.1e} {what}"
        if measured.is_finite
        else f"not measured: {measured.reason}",
        "radius": "" if predicted is None else f"{predicted:.12g}",
    }


def _measured(analysis: Analysis, center: NDArray[np.float64]) -> Estimate:
    """Measure the rate from a start so near to the equilibrium that the game is linear there."""
    game, rule = analysis.method.game(analysis.dynamics), analysis.method.update
    start = center + 1e-4 * np.ones(2) / math.sqrt(2)
    if rule is None:
        run = flow_trajectories(game, start, np.linspace(0, TIME, STEPS + 1), 1e-10)
        return measured_rate(run, center)
    for steps in (LONG, 1000, 250, 60):
        run = trajectories(game, rule, start, float(analysis.step), steps)
        radii = run.radii(center)[:, 0]
        if np.isfinite(radii).all() and (radii > 1e-14).all() and (radii < 0.05).all():
            return measured_rate(run, center)
    return Estimate.undetermined("the distance leaves the neighbourhood within 60 steps")
