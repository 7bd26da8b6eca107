"""Small games again, in floating point: the losses' slopes, plain steps, nothing of the theory.

Expectations over noise are taken by Gauss's rules, and a trajectory is watched for a few thousand
steps. Whether the largest distance to the equilibrium in its last third is above or below that of
its middle third tells what becomes of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import islice, product
from typing import Any

import numpy as np
import sympy as sp

from gantheory.dynamics.record import Game
from gantheory.functions import sigmoid, softplus
from gantheory.ledger.statements import floats
from gantheory.ledger.statements.floats import NoRoute

Point = list[float]
Move = Callable[[Point], Point]
STEPS = 2400
TURN = 0.01  # how much the last third must differ from the middle third
FAR, NEAR = 1e6, 1e-9


class PlayedGame:
    """A game's losses and the slopes that the players follow, as functions of one point."""

    def __init__(self, game: Game) -> None:
        if game.parameters:
            raise NoRoute("numbers for the parameters are missing")
        self.first = len(game.players[0])
        self.names = [str(v) for v in game.variables]
        plain = [_plain(loss) for loss in game.losses]
        mine = [0] * self.first + [1] * len(game.players[1])
        slopes = [-sp.diff(plain[k], v) for k, v in zip(mine, game.variables, strict=True)]
        self.losses = _averaged(game, plain)
        self.field = _averaged(game, slopes)
        start: Mapping[sp.Symbol, sp.Expr] = next(iter(game.candidates), {})
        self.guess = [float(start.get(v, 0)) for v in game.variables]

    def rest(self) -> Point:
        """Return an equilibrium near the point to be tried, or near (0.9, ...)."""
        for shift in (0.01, 0.9):
            found = newton(self.field, [x + shift for x in self.guess])
            if max(map(abs, self.field(found))) < 1e-6:
                return found
        raise NoRoute("no equilibrium is found")


def _plain(loss: sp.Expr) -> sp.Expr:
    return loss.replace(sigmoid, lambda u: 1 / (1 + sp.exp(-u))).replace(
        softplus, lambda u: sp.log(1 + sp.exp(u))
    )


def _averaged(game: Game, expressions: list[sp.Expr]) -> Move:
    """Return the expressions as a function of a point, noise averaged by Gauss's rules."""
    called = sp.lambdify((*game.variables, *game.noise), expressions, "numpy" if game.noise
                         else "math")  # fmt: skip
    grid = list(product(*(_nodes(law.law, float(law.scale)) for law in game.noise.values())))
    nodes = [np.array([point[k][0] for point in grid]) for k in range(len(game.noise))]
    weights = np.array([math.prod(one[1] for one in point) for point in grid])

    def at(z: Point) -> Point:
        try:
            found = called(*z, *nodes)
        except ArithmeticError:
            return [math.inf for _ in expressions]
        return [float(np.sum(weights * one)) for one in found] if nodes else found

    return at


def _nodes(law: str, scale: float) -> list[tuple[float, float]]:
    rule = {
        "normal": np.polynomial.hermite_e.hermegauss,
        "uniform": np.polynomial.legendre.leggauss,
    }
    places, weights = rule[law](8)
    return list(zip(scale * places, weights / weights.sum(), strict=True))


def central_differences(v: Move, z: Point) -> np.ndarray[Any, Any]:
    """Return the matrix of central differences of a field, a row for each component."""
    columns = []
    for k in range(len(z)):
        up, down = ([x + s * (j == k) for j, x in enumerate(z)] for s in (1e-5, -1e-5))
        columns.append([(a - b) / 2e-5 for a, b in zip(v(up), v(down), strict=True)])
    return np.array(columns).T


def newton(v: Move, z: Point) -> Point:
    """Return a zero of a field, by Newton's steps."""
    for _ in range(30):
        now = v(z)
        try:
            move = np.linalg.solve(central_differences(v, z), now)
        except np.linalg.LinAlgError:
            return z
        z = [x - float(d) for x, d in zip(z, move, strict=True)]
        if max(map(abs, map(float, move))) < 1e-12 * (1 + max(map(abs, z))):
            break
    return z


def _step(z: Point, h: float, v: Point) -> Point:
    return [x + h * a for x, a in zip(z, v, strict=True)]


def moves(arena: PlayedGame, method: str, h: float, options: Mapping[str, str]) -> Iterator[Point]:
    """Yield a trajectory, its start first, from a point next to the equilibrium."""
    v = arena.field
    z = [x + 0.3 / (k + 1) for k, x in enumerate(arena.rest())]
    last, slope = z, v(z)
    weight = _number(options.get("consensus", "1/2"))
    ahead: Mapping[str, Move] = {
        "flow": lambda z: _runge_kutta(v, z, h),
        "simultaneous": lambda z: _step(z, h, v(z)),
        "extragradient": lambda z: _step(z, h, v(_step(z, h, v(z)))),
        "proximal": lambda z: newton(lambda w: _step(_step(w, -h, v(w)), -1, z), z),
        "consensus": lambda z: _step(z, h, _consensus(v, z, weight)),
    }
    while True:
        yield z
        if method in ahead:
            z = ahead[method](z)
        elif method == "optimistic":
            now = v(z)
            z, slope = _step(z, h, [2 * a - b for a, b in zip(now, slope, strict=True)]), now
        elif method in ("alternating", "momentum"):
            z, last = _in_turn(arena, z, last, h, method == "momentum", options), z
        else:
            raise NoRoute(f"no second route for {method}")


def _number(text: str) -> float:
    return floats.float_value(floats.read(text), {})


def _in_turn(
    arena: PlayedGame, z: Point, last: Point, h: float, heavy: bool, options: Mapping[str, str]
) -> Point:
    """Return the next point of alternating or heavy-ball play."""
    first = options.get("momentum", "-1/2")
    one, two = (_number(x) if heavy else 0.0 for x in (first, options.get("momentum2", first)))
    behind, k = [a - b for a, b in zip(z, last, strict=True)], arena.first
    moved = _step(_step(z, h, arena.field(z)), one, behind)
    after = [*moved[:k], *z[k:]]
    seen = z if options.get("order") == "simultaneous" else after
    for _ in range(int(options.get("inner", "1"))):
        moved = _step(_step(after, h, arena.field(seen)), two, behind)
        after = seen = [*after[:k], *moved[k:]]
    return after


def _runge_kutta(v: Move, z: Point, h: float) -> Point:
    a = v(z)
    b = v(_step(z, h / 2, a))
    c = v(_step(z, h / 2, b))
    d = v(_step(z, h, c))
    return [
        x + h / 6 * (p + 2 * q + 2 * r + s) for x, p, q, r, s in zip(z, a, b, c, d, strict=True)
    ]


def _consensus(v: Move, z: Point, weight: float) -> Point:
    """Return v - weight grad |v|²/2."""
    now = v(z)
    return _step(now, -weight, list(central_differences(v, z).T @ np.array(now)))


def behaviour(arena: PlayedGame, method: str, step: float, options: Mapping[str, str]) -> str:
    """Return what becomes of a trajectory that begins near the equilibrium."""
    centre = arena.rest()
    distances = []
    for z in islice(moves(arena, method, step, options), STEPS):
        distances.append(math.dist(z, centre))
        if not distances[-1] < FAR:
            return "diverges"
        if distances[-1] < NEAR:
            return "converges"
    third = STEPS // 3
    middle, end = max(distances[third : 2 * third]), max(distances[2 * third :])
    if end < (1 - TURN) * middle:
        return "converges"
    return "diverges" if end > (1 + TURN) * middle else "bounded orbit"


def wrong_step(
    arena: PlayedGame, method: str, options: Mapping[str, str], lower: float, upper: float
) -> float | None:
    """Return a step size at which convergence is not as an interval of step sizes claims."""
    width = min(upper - lower, 30.0)
    inside = [lower + share * width for share in (0.05, 0.5, 0.95)]
    outside = [lower * share for share in (0.5, 0.95) if lower > 0]
    outside += [] if upper == math.inf else [upper + share * width for share in (0.05, 0.5)]
    for size in (*inside, *outside):
        if (size in inside) is not (behaviour(arena, method, size, options) == "converges"):
            return size
    return None


def drift(arena: PlayedGame, text: str) -> float:
    """Return how much a quantity changes along the flow, relative to how much it varies nearby."""
    tree = floats.read(text)

    def at(z: Point) -> float:
        return floats.float_value(tree, dict(zip(arena.names, z, strict=True)))

    path = [at(z) for z in islice(moves(arena, "flow", 0.05, {}), 200)]
    return (max(path) - min(path)) / (abs(path[0] - at(arena.rest())) + 1e-12)


def stands(arena: PlayedGame, against: bool = False) -> bool:
    """Return whether no player gains by another strategy, the other's at the equilibrium.

    With ``against`` the other's may be any: whether both strategies are dominant.
    """
    centre, draw = arena.rest(), np.random.default_rng(0)
    for _ in range(400):
        z = [float(x + s) for x, s in zip(centre, draw.normal(0, 2, len(centre)), strict=True)]
        others = z if against else centre
        k = arena.first
        for player in (0, 1):
            moved, kept = (
                [*mine[:k], *others[k:]] if player == 0 else [*others[:k], *mine[k:]]
                for mine in (z, centre)
            )
            if arena.losses(moved)[player] < arena.losses(kept)[player] - 1e-9:
                return False
    return True
