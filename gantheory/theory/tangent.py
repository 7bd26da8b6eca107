"""Generators f of divergences from functions of r that are known: f less its tangent at r = 1."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from gantheory.deadline import Undecided
from gantheory.errors import InternalError
from gantheory.exact.assumptions import Assumptions
from gantheory.exact.derivative import derivative
from gantheory.functions import r
from gantheory.theory.cases import condition, piecewise
from gantheory.theory.curvature import Curve, algebra_of, followed_curvature, value_at
from gantheory.theory.primitive import antiderivative

ONE = sp.Integer(1)


@dataclass(frozen=True)
class GeneratorSource:
    """A function of r from which a generator f follows.

    Attributes:
        curve: F, or h.
        followed: False where f is the curve less its tangent at r = 1; True where the curve is h
            and f'' = -h'/r, so that f = r·f' + h − h(1), because (f − r·f')' = −r·f'' = h'.
    """

    curve: Curve
    followed: bool = False

    def generator(self, parameters: Assumptions) -> sp.Expr:
        """Return f with f(1) = f'(1) = 0; at a kink the mean of both slopes is 0."""
        if not self.followed:
            return _without_tangent(self.curve, parameters)
        curve = followed_curvature(self.curve, parameters)
        return piecewise(
            [
                (self._through(curve, home, parameters), holds)
                for home, holds in _homes(curve, parameters)
            ]
        )

    def _through(self, curve: Curve, home: int, parameters: Assumptions) -> sp.Expr:
        """Return f where r = 1 lies in, or at the end of, the cell ``home``."""
        slopes = _slopes(curve, home, parameters)
        at_one = self.curve.at(ONE, parameters)
        cells = (
            (cell, r * slope + h - at_one)
            for (cell, h), (_, slope) in zip(self.curve.cells, slopes.cells, strict=True)
        )
        return Curve(tuple(cells)).expression


def _without_tangent(curve: Curve, parameters: Assumptions) -> sp.Expr:
    level = curve.at(ONE, parameters)
    slope = Curve(tuple((cell, derivative(expr, r)) for cell, expr in curve.cells)).at(
        ONE, parameters
    )
    cells = ((cell, expr - level - slope * (r - 1)) for cell, expr in curve.cells)
    return Curve(tuple(cells)).expression


def _slopes(curve: Curve, home: int, parameters: Assumptions) -> Curve:
    """Return f' on each cell, from f'': continuous but for the point masses, 0 at r = 1."""
    masses = dict(curve.atoms)
    whole = [antiderivative(expr, r, algebra_of(cell, parameters)) for cell, expr in curve.cells]
    ends = [cell[1] for cell, _ in curve.cells]
    at_end = home < len(ends) - 1 and parameters.sign(ends[home] - ONE) == 0
    shifts = {home: -value_at(whole[home], ONE, -1, parameters)}
    if at_end:
        shifts[home] -= masses.get(ends[home], sp.Integer(0)) / 2
    for k in range(home + 1, len(ends)):
        before, place = k - 1, ends[k - 1]
        shifts[k] = (
            value_at(whole[before], place, -1, parameters) + shifts[before]
            + masses.get(place, sp.Integer(0)) - value_at(whole[k], place, 1, parameters)
        )  # fmt: skip
    for k in range(home - 1, -1, -1):
        after, place = k + 1, ends[k]
        shifts[k] = (
            value_at(whole[after], place, 1, parameters) + shifts[after]
            - masses.get(place, sp.Integer(0)) - value_at(whole[k], place, -1, parameters)
        )  # fmt: skip
    if any(shift.has(sp.oo, sp.nan, sp.zoo) for shift in shifts.values()):
        raise Undecided("the generator's slope is infinite inside of (0, oo)")
    cells = ((cell, whole[k] + shifts[k]) for k, (cell, _) in enumerate(curve.cells))
    return Curve(tuple(cells))


def _homes(curve: Curve, parameters: Assumptions) -> list[tuple[int, sp.Basic]]:
    """Return the cells in which r = 1 may lie, each with the condition on the parameters."""
    found: list[tuple[int, sp.Basic]] = []
    for k, ((_, upper), _) in enumerate(curve.cells):
        before = 1 if upper == sp.oo else parameters.sign(upper - ONE)
        if before is None:
            found.append((k, condition(upper - ONE, ">=", parameters)))
        elif before >= 0:
            return [*found, (k, sp.true)]
    raise InternalError("the last cell ends at infinity")
