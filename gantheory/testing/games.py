"""Anybody's update of two players against a game's own field: the first difference in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy as sp

from gantheory.dynamics.games import get_game
from gantheory.dynamics.record import Game
from gantheory.errors import GantheoryError

POINTS, SEED = 12, 14


def check_game(
    update: Callable[..., Any],
    game: Game | str,
    *,
    factor: float = 1.0,
    tolerance: float = 1e-8,
    parameters: Mapping[str, float] | None = None,
) -> None:
    """Assert that an update moves two players along a game's field: each down its own loss.

    Args:
        update: takes a number for each variable, player 1's first, and returns as many numbers:
            how each variable moves.
        game: a name such as ``"bilinear"`` or ``"dirac-hinge"``, or your own `Game`.
        factor: what the field is multiplied by, such as a learning rate.
        tolerance: relative to the larger of the true number and 1.
        parameters: numbers for the game's free parameters; 1 unless given.

    Raises:
        AssertionError: naming the first difference: a player's sign, exchanged players, a factor,
            or the point at which the update differs.

    >>> check_game(lambda x, y: (-y, x), "bilinear")
    """
    found = get_game(game) if isinstance(game, str) else game
    points = _points(found)
    true = factor * _field(found, points, parameters or {})
    seen = np.array([_numbers(update(*map(float, point)), len(true[0])) for point in points])
    close = tolerance * np.maximum(np.abs(true), 1.0)
    if np.all(np.abs(seen - true) <= close):
        return
    first = len(found.players[0])
    for number, side in ((1, slice(None, first)), (2, slice(first, None))):
        k = _ratio(seen[:, side], true[:, side])
        assert k is None or k > 0, (
            f"player {number} of {found.name!r} climbs its own loss: its update has the wrong sign"
        )
    if first == len(true[0]) - first and _ratio(seen, np.roll(true, first, axis=1)) == 1.0:
        raise AssertionError(f"the updates of the two players of {found.name!r} are exchanged")
    k = _ratio(seen, true)
    assert k is None, (
        f"the update is {k:.6g} times that of {found.name!r}: "
        f"factor={factor * (k or 1):.6g} would make it pass"
    )
    row, column = np.argwhere(~(np.abs(seen - true) <= close))[0]
    where = ", ".join(f"{v} = {x:.6g}" for v, x in zip(found.variables, points[row], strict=True))
    raise AssertionError(
        f"at {where} the update moves {found.variables[column]} of {found.name!r} by "
        f"{seen[row, column]:.12g}; it is {true[row, column]:.12g}"
    )


def _points(game: Game) -> np.ndarray:
    """Return points inside of the domains, at which nothing vanishes by chance."""
    drawn = np.random.default_rng(SEED).uniform(-2.0, 2.0, (POINTS, len(game.variables)))
    inside = {v: game.domains.get(v, sp.S.Reals) for v in game.variables}
    for column, variable in enumerate(game.variables):
        for row in range(POINTS):
            if sp.Float(drawn[row, column]) not in inside[variable]:
                drawn[row, column] = 0.1 + abs(drawn[row, column])
    return drawn


def _field(game: Game, points: np.ndarray, parameters: Mapping[str, float]) -> np.ndarray:
    unknown = set(parameters) - {str(p) for p in game.parameters}
    if unknown:
        raise GantheoryError(f"{game.name!r} has no parameter {unknown.pop()!r}")
    numbers = [parameters.get(str(p), 1.0) for p in game.parameters]
    names = [sp.Symbol(f"x{k}") for k in range(len(game.variables) + len(numbers))]
    renamed = dict(zip((*game.variables, *game.parameters), names, strict=True))
    values = sp.lambdify(names, list(game.field.xreplace(renamed)), "mpmath")
    return np.array([[float(x) for x in values(*map(float, p), *numbers)] for p in points])


def _numbers(moved: Any, count: int) -> list[float]:
    given = list(moved if isinstance(moved, list | tuple) else np.ravel(np.asarray(moved)))
    if len(given) != count:
        raise GantheoryError(f"the update returned {len(given)} numbers; the game moves {count}")
    return [float(x) for x in given]


def _ratio(seen: np.ndarray, true: np.ndarray) -> float | None:
    """Return the k with seen = k·true, if there is one; snapped to 1."""
    size = float(np.sum(true * true))
    if size == 0:
        return None
    k = float(np.sum(seen * true)) / size
    if k == 0 or np.max(np.abs(seen - k * true)) > 1e-7 * max(1.0, float(np.max(np.abs(seen)))):
        return None
    return 1.0 if math.isclose(k, 1.0, rel_tol=1e-7) else k
