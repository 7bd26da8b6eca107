"""Which side of the axis or of the unit circle eigenvalues lie on, certified in balls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import flint
import numpy as np
import sympy as sp
from flint import acb_mat, arb
from numpy.typing import NDArray

from gantheory.dynamics.balls import enclose_on_box
from gantheory.dynamics.rules import Rule, State
from gantheory.dynamics.steps import Stability

Balls = NDArray[np.object_]


def ball_matrix(matrix: sp.Matrix, box: Mapping[sp.Symbol, arb] | None = None) -> Balls | None:
    """Enclose the entries of a matrix; None where one of them has no finite enclosure."""
    if matrix.free_symbols - set(box or {}):
        return None
    entries = [enclose_on_box(entry, box or {}) for entry in matrix]
    if not all(entry.is_finite() for entry in entries):
        return None
    return np.array(entries, dtype=object).reshape(matrix.shape)


def eigenvalue_balls(matrix: Balls) -> list[flint.acb] | None:
    """Return enclosures of all eigenvalues with multiplicity, or None where none are found."""
    n = len(matrix)
    try:
        found: list[flint.acb] = acb_mat(n, n, list(matrix.ravel())).eig(multiple=True)
    except (ValueError, ArithmeticError):
        return None
    return found


def flow_in_balls(jacobian: Balls) -> Stability | None:
    """What the linear flow does, where the signs of the real parts are certain."""
    values = eigenvalue_balls(jacobian)
    if values is None:
        return None
    if any(value.real > 0 for value in values):
        return Stability.DIVERGES
    return Stability.CONVERGES if all(value.real < 0 for value in values) else None


def update_in_balls(values: list[flint.acb] | None) -> Stability | None:
    """What a linear update does, where its eigenvalues are certain to be inside or outside."""
    if values is None:
        return None
    squares = [value.real * value.real + value.imag * value.imag for value in values]
    if any(square > 1 for square in squares):
        return Stability.DIVERGES
    return Stability.CONVERGES if all(square < 1 for square in squares) else None


def operator_in_balls(rule: Rule, jacobian: Balls, split: int, step: sp.Rational) -> Balls | None:
    """Return the Jacobian of one update at an equilibrium, as `operators.operator` in balls."""
    field, n = _LinearField(jacobian, split), len(jacobian)
    slots = rule.initial(field, np.zeros((split, 1)), np.zeros((n - split, 1)))
    ends = np.cumsum([0, *(len(slot) for slot in slots)])
    identity = np.array([[arb(int(i == j)) for j in range(ends[-1])] for i in range(ends[-1])])
    state = tuple(identity[a:b] for a, b in pairwise(ends))
    try:
        return np.concatenate(rule.advance(field, state, enclose_on_box(step, {})))
    except ZeroDivisionError:  # the implicit step has no solution, or none that balls can tell
        return None


@dataclass(frozen=True)
class _LinearField:
    jacobian: Balls
    split: int

    def first(self, x: Any, y: Any) -> Any:
        return self.jacobian[: self.split] @ np.concatenate([x, y])

    def second(self, x: Any, y: Any) -> Any:
        return self.jacobian[self.split :] @ np.concatenate([x, y])

    def implicit(self, x: Any, y: Any, step: Any) -> State:
        n, start = len(self.jacobian), np.concatenate([x, y])
        system = np.array([[arb(int(i == j)) for j in range(n)] for i in range(n)])
        system = system - self.jacobian * step
        solved = flint.arb_mat(n, n, list(system.ravel())).solve(
            flint.arb_mat(n, start.shape[1], list(start.ravel()))
        )
        z = np.array(solved.entries(), dtype=object).reshape(start.shape)
        return z[: self.split], z[self.split :]
