"""A game's field compiled to arrays, for the same update rules that the theory linearises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import sympy as sp

from gantheory.compiled import NUMPY, compiled
from gantheory.dynamics.noise import Noise
from gantheory.dynamics.record import Game, smooth_part
from gantheory.errors import GantheoryError

NODES = 32  # Gauss nodes for an expectation that is not polynomial: 1e-12 for |slope| * scale <= 1
STILL = 1e-9  # relative size of the last move: convergence is quadratic, so 1e-18 is left
NEWTON = 25  # iterations of the implicit step; it needs fewer than ten where it converges


@dataclass(frozen=True)
class ArrayField:
    """The field of a game on arrays of shape (variables of a player, trajectories).

    ``library`` is numpy or torch.
    """

    parts: tuple[Callable[..., Any], Callable[..., Any]]
    slopes: Callable[[], Callable[..., Any]]  # compiles the Jacobian when first called
    library: Any

    def first(self, x: Any, y: Any) -> Any:
        """Return minus the gradient of player 1's loss in x."""
        return self._stack(self.parts[0](*x, *y), x)

    def second(self, x: Any, y: Any) -> Any:
        """Return minus the gradient of player 2's loss in y."""
        return self._stack(self.parts[1](*x, *y), y)

    def implicit(self, x: Any, y: Any, step: Any) -> tuple[Any, Any]:
        """Solve ``z = (x, y) + step * field(z)`` by Newton's method; nan where it fails."""
        start = self.library.concatenate([x, y])
        z, n = start, len(x)
        for _ in range(NEWTON):
            residual = z - start - step * self._whole(z, n)
            move = self._solve(z, step, residual)
            z = z - move
            still = abs(move) <= STILL * (1 + abs(z))
            if bool((still | ~self.library.isfinite(move)).all()):
                break
        largest = self.library.amax(abs(z), 0)
        failed = ~(self.library.amax(abs(move), 0) <= STILL * (1 + largest))
        z = self.library.where(failed, self.library.nan, z)
        return z[:n], z[n:]

    def _whole(self, z: Any, n: int) -> Any:
        x, y = z[:n], z[n:]
        return self.library.concatenate([self.first(x, y), self.second(x, y)])

    def _solve(self, z: Any, step: Any, residual: Any) -> Any:
        rows = [self._stack(row, z) for row in self.slopes()(*z)]
        jacobian = self.library.stack(rows) * step  # (row, column, trajectory)
        matrix = self.library.eye(len(z), dtype=z.dtype)[:, :, None] - jacobian
        moved = self.library.moveaxis(matrix, -1, 0)
        return self.library.linalg.solve(moved, residual.T[..., None])[..., 0].T

    def _stack(self, values: Any, like: Any) -> Any:
        """Stack the components, constants spread over the trajectories."""
        full = [value if getattr(value, "ndim", 0) else value + 0 * like[0] for value in values]
        return full[0][None] if len(full) == 1 else self.library.stack(full)


def compile_field(dynamics: Game, library: str = "numpy") -> ArrayField:
    """Compile the field and its Jacobian for numpy or torch.

    Raises:
        GantheoryError: where parameters have no numbers.
    """
    if dynamics.parameters:
        names = ", ".join(map(str, dynamics.parameters))
        raise GantheoryError(f"game {dynamics.name!r} needs numbers for {names}")
    variables, split = dynamics.variables, len(dynamics.players[0])
    field = list(by_quadrature(dynamics, dynamics.integrand))
    parts = [_compile(variables, part, library) for part in (field[:split], field[split:])]

    @cache
    def slopes() -> Callable[..., Any]:
        jacobian = smooth_part(sp.Matrix(field).jacobian(variables))
        return _compile(variables, jacobian.tolist(), library)

    return ArrayField((parts[0], parts[1]), slopes, _libraries(library)[0])


def by_quadrature(dynamics: Game, integrand: sp.Matrix) -> sp.Matrix:
    """Replace expectations over the noise by exact moments or, failing that, Gauss sums."""
    for symbol, law in dynamics.noise.items():
        integrand = integrand.applyfunc(lambda e, s=symbol, n=law: _mean(e, s, n))
    return integrand


def _mean(expression: sp.Expr, symbol: sp.Symbol, law: Noise) -> sp.Expr:
    total = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(expression)):
        if term.is_polynomial(symbol):
            total += law.mean(term, symbol)
            continue
        if law.law == "normal":
            nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        else:
            nodes, weights = np.polynomial.legendre.leggauss(NODES)
        pairs = zip(nodes, weights / weights.sum(), strict=True)
        total += sum(sp.Float(w) * term.subs(symbol, law.scale * sp.Float(z)) for z, w in pairs)
    return total


def _libraries(name: str) -> tuple[Any, dict[str, Any]]:
    """The array library and the project's own functions in it, overflow-free."""
    if name == "torch":
        import torch

        step = lambda u, at=0.5: torch.heaviside(u, torch.full_like(u, at))  # noqa: E731
        return torch, {
            "sigmoid": torch.sigmoid, "softplus": torch.nn.functional.softplus,
            "relu": torch.relu, "Heaviside": step, "sign": torch.sign, "exp": torch.exp,
            "log": torch.log, "sqrt": torch.sqrt, "tanh": torch.tanh, "atan": torch.atan,
            "Abs": torch.abs, "sin": torch.sin, "cos": torch.cos,
        }  # fmt: skip
    return np, NUMPY


def _compile(names: tuple[sp.Symbol, ...], entries: Any, library: str) -> Callable[..., Any]:
    if library == "numpy":
        return compiled(names, entries, cse=True)
    function: Callable[..., Any] = sp.lambdify(names, entries, [_libraries(library)[1]], cse=True)
    return function
