r"""The three curvatures of a separable game, each one formula.

With t*(r) the optimal score, F(r) = r·a(t*) + b(t*) and h(r) = c(t*(r)):

* value: F''(r) = d/dr a(t*(r)), because F' = a(t*) (envelope theorem);
* loss: h''(r);
* followed: g''(r) = −h'(r)/r, because ∂θ ∫ q g(p/q) = ∫ ∂θq·(g − r g') and (g − r g')' = −r g''.

A function of r is a `Curve`: one expression on each interval; where it jumps, its derivative has
a point mass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import sympy as sp

from gantheory.symbolic.algebra import Algebra
from gantheory.symbolic.asymptotics import limit
from gantheory.symbolic.atoms import r
from gantheory.symbolic.limits import Undecided
from gantheory.symbolic.positivity import Parameters, Range, interior

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

    def map(self, function: Callable[[sp.Expr], sp.Expr], parameters: Parameters) -> Curve:
        """Apply ``function`` to every expression and normalise; point masses are dropped."""
        return Curve(
            tuple(
                (cell, algebra_of(cell, parameters).normal(function(expr)))
                for cell, expr in self.cells
            )
        )

    def jumps(self, parameters: Parameters) -> Atoms:
        """Return (location, jump) wherever the function is not continuous."""
        found = []
        for (before, left), (_, right) in pairwise(self.cells):
            place = before[1]
            step = limit(right, r, place, 1, parameters) - limit(left, r, place, -1, parameters)
            if not step.is_finite:
                raise Undecided(f"the function is infinite at r = {place}")
            step = Algebra(parameters.sample).normal(step)
            if step != 0:
                found.append((place, step))
        return tuple(found)

    def derivative(self, parameters: Parameters) -> Curve:
        """Differentiate: a jump becomes a point mass, a point mass a dipole."""
        inner = self.map(lambda expr: sp.diff(expr, r), parameters)
        return Curve(inner.cells, self.jumps(parameters), self.atoms)


def algebra_of(cell: Range, parameters: Parameters) -> Algebra:
    """Return the normal forms that hold for r in ``cell``."""
    return Algebra({**parameters.sample, r: interior(*cell, parameters)})


def value_curvature(real: Curve, parameters: Parameters) -> Curve:
    """F'' = d/dr a(t*(r)), from the real payoff at the optimum."""
    return real.derivative(parameters)


def loss_curvature(h: Curve, parameters: Parameters) -> Curve:
    """h'', from the generator's payoff at the optimum."""
    return h.derivative(parameters).derivative(parameters)


def followed_curvature(h: Curve, parameters: Parameters) -> Curve:
    """g'' = -h'(r)/r, what the generator descends while the discriminator is held fixed."""
    slope = h.derivative(parameters)
    inner = slope.map(lambda expr: -expr / r, parameters)
    atoms = tuple((place, -mass / place) for place, mass in slope.atoms)
    return Curve(inner.cells, atoms)


def gradient_weight(h: Curve, parameters: Parameters) -> Curve:
    """w = r²·g'' = -r·h'(r): the generator's gradient per fake sample in the logit log r."""
    return h.derivative(parameters).map(lambda expr: -r * expr, parameters)
