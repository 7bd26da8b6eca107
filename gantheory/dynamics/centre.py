r"""The flow or update on a centre manifold of one dimension, by exact power series.

Where one eigenvalue is neutral (0 for a flow, 1 or -1 for an update) and all others attract, the
reduced equation on the centre manifold decides (Carr 1981, "Applications of Centre Manifold
Theory"). The manifold is the image of a series :math:`W(s)` with
:math:`F(W(s)) = W(R(s))`, or :math:`v(W(s)) = W'(s) R(s)` for a flow; the coefficients of W and R
follow order by order from linear equations (Cabre, Fontich, de la Llave 2003).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from gantheory.deadline import check_time
from gantheory.dynamics.operators import LinearField
from gantheory.dynamics.record import Game, smooth_part
from gantheory.dynamics.rules import Rule, State

ORDERS = (3, 5, 7, 9)  # of the series, tried one after another until a term is not zero
Series = NDArray[np.object_]  # one row a variable, one column a power of s


@dataclass(frozen=True)
class Reduced:
    """The leading term ``coefficient * s**order`` of the motion on the centre manifold.

    The flow is ``s' = coefficient * s**order``; an update takes s to
    ``neutral * (s + coefficient * s**order)``. ``coefficient`` is 0 where all terms up to
    ``order`` vanish.
    """

    neutral: int
    coefficient: sp.Expr
    order: int

    @property
    def attracts(self) -> bool | None:
        """Whether the equilibrium is stable, and then asymptotically; None where not decided."""
        if self.coefficient.is_zero is not False:
            return None
        if self.order % 2 == 0:
            return False
        return self.coefficient.is_negative

    @property
    def equation(self) -> str:
        """The leading equation as text."""
        term = self.coefficient * sp.Symbol("s") ** self.order
        if self.neutral == 0:
            return f"s' = {term}"
        return f"s -> s + {term}" if self.neutral == 1 else f"s -> -(s + {term})"


def reduce_flow(dynamics: Game, point: Mapping[sp.Symbol, sp.Expr]) -> Reduced:
    """Reduce the flow at an equilibrium with one eigenvalue 0.

    >>> x, y = sp.symbols("x y", real=True)
    >>> game = Game("g", (-x**4 / 4 + x * y, y**2 / 2 - x * y), ((x,), (y,)))
    >>> game = game.with_losses(-x**4 / 4, y**2 / 2)
    >>> reduce_flow(game, {x: 0, y: 0})
    Reduced(neutral=0, coefficient=1, order=3)
    """
    terms = _Taylor(dynamics, point)
    split = len(dynamics.players[0])

    def field(w: Series, order: int) -> Series:
        whole = _SeriesField(terms.up_to(order), terms.jacobian, split)
        return np.concatenate(
            [whole.first(w[:split], w[split:]), whole.second(w[:split], w[split:])]
        )

    return _reduce(field, terms.jacobian, 0)


def reduce_update(
    dynamics: Game,
    point: Mapping[sp.Symbol, sp.Expr],
    rule: Rule,
    operator: sp.Matrix,
    step: sp.Rational,
    neutral: int,
) -> Reduced:
    """Reduce an update at an equilibrium where its Jacobian has one eigenvalue 1 or -1."""
    terms = _Taylor(dynamics, point)
    split = len(dynamics.players[0])
    sizes = [split, len(dynamics.variables) - split] * (operator.rows // len(dynamics.variables))
    ends = np.cumsum([0, *sizes])

    def advance(w: Series, order: int) -> Series:
        field = _SeriesField(terms.up_to(order), terms.jacobian, split)
        state = tuple(w[a:b] for a, b in pairwise(ends))
        return np.concatenate(rule.advance(field, state, step))

    return _reduce(advance, operator, neutral)


def _reduce(action: Any, linear: sp.Matrix, neutral: int) -> Reduced:
    """Solve the invariance equation order by order until a coefficient of R is not zero."""
    shifted = linear - neutral * sp.eye(linear.rows)
    right, left = shifted.nullspace()[0], shifted.T.nullspace()[0]
    w = np.array([[sp.S.Zero, entry] for entry in right], dtype=object)
    for order in range(2, ORDERS[-1] + 1):
        check_time()
        w = np.concatenate([w, np.full((len(w), 1), sp.S.Zero)], axis=1)
        defect = sp.Matrix(action(w, order)[:, order])
        if neutral**order == neutral:
            rate = sp.simplify((left.T * defect)[0] / (left.T * right)[0])
            if rate.is_zero is not True:
                return Reduced(neutral, rate * (neutral or 1), order)
        residue = sp.Matrix(defect).applyfunc(sp.simplify)
        system = linear - (neutral**order) * sp.eye(linear.rows)
        w[:, order] = list(_solve(system, -residue))
    return Reduced(neutral, sp.S.Zero, ORDERS[-1])


def _solve(system: sp.Matrix, right: sp.Matrix) -> sp.Matrix:
    """One solution of a linear system that has solutions."""
    solution, free = system.gauss_jordan_solve(right)
    return solution.subs(dict.fromkeys(free, 0))


class _Taylor:
    """Taylor coefficients of a field at a point, computed as they are needed."""

    def __init__(self, dynamics: Game, point: Mapping[sp.Symbol, sp.Expr]) -> None:
        self.dynamics, self.point = dynamics, dict(point)
        self.known: dict[tuple[int, ...], list[sp.Expr]] = {}
        self.raw: dict[tuple[int, ...], sp.Matrix] = {}
        self.jacobian = dynamics.jacobian_at(point)

    def up_to(self, order: int) -> dict[tuple[int, ...], list[sp.Expr]]:
        """The coefficients of degree 2 to ``order``: powers -> one number a component."""
        n = len(self.dynamics.variables)
        for powers in product(range(order + 1), repeat=n):
            if 2 <= sum(powers) <= order and powers not in self.known:
                scale = sp.prod([sp.factorial(k) for k in powers])
                value = self._derivative(powers).subs(self.point).applyfunc(self.dynamics.expect)
                self.known[powers] = [sp.simplify(entry / scale) for entry in value]
        return {k: v for k, v in self.known.items() if any(v) and sum(k) <= order}

    def _derivative(self, powers: tuple[int, ...]) -> sp.Matrix:
        if not any(powers):
            return self.dynamics.integrand
        if powers not in self.raw:
            check_time()
            k = next(i for i, power in enumerate(powers) if power)
            lower = tuple(power - (i == k) for i, power in enumerate(powers))
            variable = self.dynamics.variables[k]
            self.raw[powers] = smooth_part(self._derivative(lower).diff(variable))
        return self.raw[powers]


@dataclass(frozen=True)
class _SeriesField:
    """A field around an equilibrium at the origin, acting on truncated power series in s."""

    terms: Mapping[tuple[int, ...], list[sp.Expr]]
    jacobian: sp.Matrix
    split: int

    def first(self, x: Series, y: Series) -> Series:
        return self._whole(np.concatenate([x, y]))[: self.split]

    def second(self, x: Series, y: Series) -> Series:
        return self._whole(np.concatenate([x, y]))[self.split :]

    def implicit(self, x: Series, y: Series, step: Any) -> State:
        """Solve ``z = start + step v(z)``; each round makes one more power of s right."""
        start = np.concatenate([x, y])
        z = start
        for _ in range(start.shape[1]):
            known = start + step * self._curved(z)
            parts = LinearField(self.jacobian, self.split).implicit(
                sp.Matrix(known[: self.split]), sp.Matrix(known[self.split :]), step
            )
            z = np.concatenate([np.array(part.tolist(), dtype=object) for part in parts])
        return z[: self.split], z[self.split :]

    def _whole(self, z: Series) -> Series:
        linear: Series = np.array(self.jacobian.tolist(), dtype=object) @ z
        return linear + self._curved(z)

    def _curved(self, z: Series) -> Series:
        total = np.full(z.shape, sp.S.Zero, dtype=object)
        for powers, coefficients in self.terms.items():
            monomial = np.full(z.shape[1], sp.S.Zero, dtype=object)
            monomial[0] = sp.S.One
            for row, power in zip(z, powers, strict=True):
                for _ in range(power):
                    monomial = np.convolve(monomial, row)[: z.shape[1]]
            total = total + np.outer(coefficients, monomial)
        return total
