"""What the three quantities are where P and Q do not overlap: f(0) + f'(∞)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp
from flint import arb, ctx

from gantheory.deadline import OutOfTime, Undecided
from gantheory.exact.assumptions import Assumptions, Range
from gantheory.exact.limits import limit
from gantheory.exact.signs.balls import enclose
from gantheory.functions import r
from gantheory.records import Estimate
from gantheory.rounding import EPS
from gantheory.theory.cases import condition, in_cases, piecewise
from gantheory.theory.curvature import Curve, algebra_of, followed_curvature, value_at
from gantheory.theory.masses import BITS, enclosed_mass, mass
from gantheory.theory.maxima import Branch
from gantheory.theory.primitive import antiderivative

ONE, ZERO = sp.Integer(1), sp.Integer(0)


def limit_at_end(
    curve: Curve, which: int, parameters: Assumptions, divisor: sp.Expr = ONE
) -> sp.Expr:
    """Return the limit of a curve, divided by ``divisor``, at r -> 0 or r -> oo."""
    point, side = ((ZERO, 1), (sp.oo, -1))[which]
    expr = curve.cells[-which][1]
    return expr if expr.is_infinite else value_at(expr / divisor, point, side, parameters)


def _total(parameters: Assumptions, *parts: sp.Expr) -> sp.Expr:
    def total(*values: sp.Expr) -> sp.Expr:
        # sympy keeps oo + x where it cannot tell that x, such as 1/(1 - alpha), is finite.
        found = sp.Add(*([value for value in values if value.is_infinite] or values))
        if found is sp.nan:
            raise Undecided("f(0) and f'(oo) are infinities of opposite sign")
        if found.is_infinite or found.atoms(sp.Dummy):
            return found
        return algebra_of((ZERO, sp.oo), parameters).normal(found)

    return in_cases(total, *parts)


def value_on_disjoint(
    real: Curve, fake: Curve, supremum: sp.Expr, parameters: Assumptions
) -> sp.Expr:
    """Return F(0) + F'(∞) - F(1), where F(0) = b and F'(∞) = a at the two ends."""
    at_one = in_cases(lambda value: -value, supremum)
    return _total(
        parameters, limit_at_end(fake, 0, parameters), limit_at_end(real, 1, parameters), at_one
    )


def loss_on_disjoint(h: Curve, loss: sp.Expr, parameters: Assumptions) -> sp.Expr:
    """Return h(0) + lim h(r)/r - h(1)."""
    at_one = in_cases(lambda value: -value, loss)
    return _total(
        parameters, limit_at_end(h, 0, parameters), limit_at_end(h, 1, parameters, r), at_one
    )


def followed_on_disjoint(
    h: Curve, branches: Sequence[Branch], x: sp.Symbol, parameters: Assumptions
) -> sp.Expr | Estimate:
    """Return g(0) + g'(∞), where g(0) = ∫₀¹ r·g'' = h(0) - h(1) and g'(∞) = ∫₁^∞ g''.

    Half of a point mass at r = 1 counts beyond it, as h(1) is the mean of its two sides. Where an
    integral has no closed form and the game no parameters, the sum is a certified number.
    """
    curve = followed_curvature(h, parameters)
    start = limit_at_end(h, 0, parameters)
    masses = _Masses(branches, x, parameters, {})
    cases: list[tuple[sp.Expr, sp.Basic]] = []
    for k, ((_, upper), _) in enumerate(curve.cells):
        before = 1 if upper == sp.oo else parameters.sign(upper - ONE)
        if before == -1:
            continue
        at_one = value_at(h.cells[k][1], ONE, -1, parameters)
        total = _total(parameters, start, -at_one, _mass_beyond(curve, k, masses))
        if before in (0, 1):
            return masses.number(piecewise([*cases, (total, sp.true)]))
        cases.append((total, condition(upper - ONE, ">=", parameters)))
    raise Undecided("no interval of ratios reaches r = 1")


@dataclass(frozen=True)
class _Masses:
    """The masses of the followed curvature on intervals of ratios.

    Attributes:
        balls: what stands for an integral without a closed form, with its enclosure.
    """

    branches: Sequence[Branch]
    x: sp.Symbol
    parameters: Assumptions
    balls: dict[sp.Expr, arb]

    def of(self, k: int, expr: sp.Expr, within: Range) -> sp.Expr:
        """Return the integral of cell ``k``: by r, by the score, or what stands for a ball."""
        try:
            return integral_of_curvature(expr, *within, self.parameters)
        except OutOfTime:
            raise
        except Undecided as reason:
            unknown = reason
        try:
            return mass(self.branches[k], self.x, within, self.parameters)
        except OutOfTime:
            raise
        except Undecided:
            pass
        if self.parameters.ranges:
            raise unknown
        place = sp.Dummy("integral", real=True)
        self.balls[place] = enclosed_mass(self.branches[k], self.x, within, self.parameters)
        return place

    def number(self, total: sp.Expr) -> sp.Expr | Estimate:
        """Return a total, as a number with its error where a ball is in it."""
        if not total.free_symbols & set(self.balls):
            return total
        with ctx.workprec(BITS):
            ball = enclose(total, self.balls)
        value = float(ball.mid())
        error = float((ball - value).abs_upper()) * (1 + EPS)
        return Estimate(value, error, method="certified integral")


def _mass_beyond(curve: Curve, k: int, masses: _Masses) -> sp.Expr:
    """Return the mass of a curvature beyond r = 1, which lies in or at the end of cell ``k``."""
    parameters, upper = masses.parameters, curve.cells[k][0][1]
    points = [
        mass
        for place, mass in curve.atoms
        if upper != sp.oo and parameters.sign(place - upper) in (0, 1)
    ]
    parts = [masses.of(k, curve.cells[k][1], (ONE, upper))]
    parts += [
        masses.of(k + 1 + later, expr, cell)
        for later, (cell, expr) in enumerate(curve.cells[k + 1 :])
    ]
    if sp.oo in parts and -sp.oo in parts:
        raise Undecided("the mass of the curvature beyond r = 1 is an infinity less an infinity")
    return sp.Add(*points, *parts)


def integral_of_curvature(
    expr: sp.Expr, lower: sp.Expr, upper: sp.Expr, parameters: Assumptions
) -> sp.Expr:
    """Return the integral of a curvature from ``lower`` to ``upper``, infinity included.

    >>> integral_of_curvature(1 / r**2, ONE, sp.oo, Assumptions())
    1
    """
    if expr == 0 or (upper != sp.oo and parameters.sign(upper - lower) == 0):
        return ZERO
    if upper == sp.oo:
        tail = _slowest(expr, parameters)
        if tail is not None and tail != 0:
            sign = int(sp.sign(tail)) if tail.is_infinite else parameters.sign(tail)
            if sign is None:
                raise Undecided(f"an integral depends on the sign of {tail}")
            return sign * sp.oo
    whole = antiderivative(expr, r, algebra_of((lower, upper), parameters))
    last = (
        _at_infinity(whole, parameters)
        if upper == sp.oo
        else value_at(whole, upper, -1, parameters)
    )
    return last - value_at(whole, lower, 1, parameters)


def _at_infinity(whole: sp.Expr, parameters: Assumptions) -> sp.Expr:
    """Return a limit at r -> oo, term by term where the terms have finite ones.

    log(c·rⁿ + ...) is written as n·log(r) + log(c + ...), so that logarithms cancel as they
    should.
    """

    def apart(argument: sp.Expr) -> sp.Expr:
        if not argument.is_polynomial(r):
            return sp.log(argument)
        degree = sp.degree(argument, r)
        return degree * sp.log(r) + sp.log(sp.expand(argument / r**degree))

    terms = sp.Add.make_args(sp.expand(whole.replace(sp.log, apart)))
    try:
        ends = [limit(term, r, sp.oo, -1, parameters) for term in terms]
    except OutOfTime:
        raise
    except Undecided:
        ends = [sp.oo]
    if all(end.is_finite for end in ends):
        return sp.Add(*ends)
    return limit(whole, r, sp.oo, -1, parameters)


def _slowest(expr: sp.Expr, parameters: Assumptions) -> sp.Expr | None:
    """Return lim r·expr: an integral to infinity converges only where it vanishes."""
    try:
        return limit(expr * r, r, sp.oo, -1, parameters)
    except OutOfTime:
        raise
    except Undecided:
        return None
