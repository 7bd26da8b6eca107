r"""The three curvatures of a separable game, each one formula.

With t*(r) the optimal score, F(r) = r·a(t*) + b(t*) and h(r) = c(t*(r)):

* value: F''(r) = d/dr a(t*(r)), because F' = a(t*) (envelope theorem);
* loss: h''(r);
* followed: g''(r) = −h'(r)/r, because ∂θ ∫ q g(p/q) = ∫ ∂θq·(g − r g') and (g − r g')' = −r g''.

A function of r is a `Curve`: one expression on each interval; where it jumps, its derivative has
a point mass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import sympy as sp

from gantheory.deadline import OutOfTime, Undecided
from gantheory.exact.algebra import Algebra, algebra_at
from gantheory.exact.assumptions import Assumptions, Range, interior
from gantheory.exact.derivative import derivative
from gantheory.exact.limits import limit
from gantheory.functions import r
from gantheory.theory.cases import condition, piecewise
from gantheory.theory.printing import plain

UNDEFINED = (sp.nan, sp.zoo, sp.oo, -sp.oo, sp.AccumBounds)

Atoms = tuple[tuple[sp.Expr, sp.Expr], ...]


@dataclass(frozen=True)
class Curve:
    """A piecewise smooth function on (0, ∞), with point masses.

    Attributes:
        cells: an expression in r for each interval.
        atoms: (location, mass) of its point masses.
        dipoles: (location, strength) of derivatives of point masses.
    """

    cells: tuple[tuple[Range, sp.Expr], ...]
    atoms: Atoms = ()
    dipoles: Atoms = ()

    @property
    def expression(self) -> sp.Expr:
        """The function without its point masses, as one expression."""
        values = [expr for _, expr in self.cells]
        if all(value == values[0] for value in values):
            return values[0]
        parts = [(expr, r < upper) for (_, upper), expr in self.cells[:-1]]
        return sp.Piecewise(*parts, (values[-1], True))

    def map(self, function: Callable[[sp.Expr], sp.Expr], parameters: Assumptions) -> Curve:
        """Apply ``function`` to every expression and normalise; point masses are dropped."""
        return Curve(
            tuple(
                (cell, algebra_of(cell, parameters).normal(function(expr)))
                for cell, expr in self.cells
            )
        )

    def jumps(self, parameters: Assumptions) -> Atoms:
        """Return (location, jump) wherever the function is not continuous."""
        found = []
        for (before, left), (_, right) in pairwise(self.cells):
            place = before[1]
            sides = value_at(right, place, 1, parameters), value_at(left, place, -1, parameters)
            step = sides[0] - sides[1]
            if step.has(sp.oo, -sp.oo, sp.nan):
                raise Undecided(f"the function is infinite at r = {place}")
            step = algebra(parameters).normal(step)
            if step != 0:
                found.append((place, step))
        return tuple(found)

    def at(self, place: sp.Expr, parameters: Assumptions) -> sp.Expr:
        """Return the value at a ratio; the mean of its two sides where it jumps there.

        Where parameters decide on which side of a jump or kink the ratio lies, the answer is
        piecewise in them.
        """
        cases: list[tuple[sp.Expr, sp.Basic]] = []
        for k, ((_, upper), expr) in enumerate(self.cells):
            before = 1 if upper == sp.oo else parameters.sign(upper - place)
            if before == -1:
                continue
            if before == 1:
                cases.append((value_at(expr, place, -1, parameters), sp.true))
                break
            left = value_at(expr, place, -1, parameters)
            right = value_at(self.cells[k + 1][1], place, 1, parameters)
            if before == 0:
                cases.append((algebra(parameters).normal((left + right) / 2), sp.true))
                break
            if self._jumps_after(k, parameters):
                mean = algebra(parameters).normal((left + right) / 2)
                cases.append((mean, condition(upper - place, "==", parameters)))
            cases.append((left, condition(upper - place, ">=", parameters)))
        return piecewise(cases)

    def _jumps_after(self, k: int, parameters: Assumptions) -> bool:
        place = self.cells[k][0][1]
        left = value_at(self.cells[k][1], place, -1, parameters)
        right = value_at(self.cells[k + 1][1], place, 1, parameters)
        return not algebra(parameters).is_zero(right - left)

    def derivative(self, parameters: Assumptions) -> Curve:
        """Differentiate: a jump becomes a point mass, a point mass a dipole."""
        inner = self.map(lambda expr: derivative(expr, r), parameters)
        return Curve(inner.cells, self.jumps(parameters), self.atoms)


def value_at(expr: sp.Expr, place: sp.Expr, side: int, parameters: Assumptions) -> sp.Expr:
    """Return the value at a ratio, by its limit from above (1) or below (-1) where needed.

    >>> value_at((r**2 - 1) / (r - 1), sp.Integer(1), 1, Assumptions())
    2
    """
    if r not in expr.free_symbols:
        return expr
    key = value_at, expr, place, side
    return parameters.remembered(key, lambda: _value_at(expr, place, side, parameters))


def _value_at(expr: sp.Expr, place: sp.Expr, side: int, parameters: Assumptions) -> sp.Expr:
    if place not in (sp.Integer(0), sp.oo):
        value = expr.xreplace({r: place})
        if not value.has(*UNDEFINED):
            return algebra(parameters).normal(value)
    if expr.args and isinstance(expr, sp.Add | sp.Mul | sp.Pow | sp.log | sp.exp | sp.atan):
        value = _of_limits(expr, place, side, parameters)
        if value is not None:
            return value
    return limit(expr, r, place, side, parameters)


def _of_limits(expr: sp.Expr, place: sp.Expr, side: int, parameters: Assumptions) -> sp.Expr | None:
    """Return a continuous function of limits that are all finite; None where one is not."""
    parts = []
    for part in expr.args:
        try:
            parts.append(value_at(part, place, side, parameters))
        except OutOfTime:
            raise
        except Undecided:
            return None
        if parts[-1].has(*UNDEFINED):
            return None
    value = expr.func(*parts)
    return None if value.has(*UNDEFINED) else algebra(parameters).normal(value)


def algebra(parameters: Assumptions) -> Algebra:
    """Return the normal forms of constants and parameters."""
    return algebra_at(parameters.sample)


def algebra_of(cell: Range, parameters: Assumptions) -> Algebra:
    """Return the normal forms that hold for r in ``cell``."""
    return algebra_at({**parameters.sample, r: interior(*cell, parameters)})


def value_curvature(real: Curve, parameters: Assumptions) -> Curve:
    """F'' = d/dr a(t*(r)), from the real payoff at the optimum."""
    return real.derivative(parameters)


def loss_curvature(h: Curve, parameters: Assumptions) -> Curve:
    """h'', from the generator's payoff at the optimum."""
    return h.derivative(parameters).derivative(parameters)


def followed_curvature(h: Curve, parameters: Assumptions) -> Curve:
    """g'' = -h'(r)/r, what the generator descends while the discriminator is held fixed."""
    slope = h.derivative(parameters)
    inner = slope.map(lambda expr: -expr / r, parameters)
    atoms = tuple((place, -mass / place) for place, mass in slope.atoms)
    return Curve(inner.cells, atoms)


def gradient_weight(h: Curve, parameters: Assumptions) -> Curve:
    """w = r²·g'' = -r·h'(r): the generator's gradient per fake sample in log r."""
    return h.derivative(parameters).map(lambda expr: -r * expr, parameters)


def joined(terms: Iterable[str]) -> str:
    """Return terms as a sum.

    >>> joined(["r", "-2*t"])
    'r - 2*t'
    """
    return " + ".join(terms).replace("+ -", "- ")


def sum_text(smooth: str, atoms: Atoms) -> str:
    """Return a curvature as text: what is smooth, and its point masses.

    >>> sum_text("1/r", ((sp.Integer(2), -sp.log(3)),))
    '1/r - log(3)*delta(r - 2)'
    """
    masses = [
        f"({plain(mass)})*delta(r - {place})"
        if mass.is_Add
        else f"{plain(mass)}*delta(r - {place})"
        for place, mass in atoms
    ]
    return joined([*([smooth] if smooth else []), *masses])
