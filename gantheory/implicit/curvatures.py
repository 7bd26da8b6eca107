"""The three curvatures with the score as parameter: where they are positive, and their names."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp
from flint import arb

from gantheory.deadline import OutOfTime, Undecided
from gantheory.exact.assumptions import Assumptions
from gantheory.functions import r
from gantheory.implicit.along import BALLS, Along, Steep
from gantheory.implicit.atscore import as_expression
from gantheory.implicit.curves import (
    in_ratio,
    joints,
    signs_along,
)
from gantheory.implicit.naming import name_of_curvature
from gantheory.implicit.reals import Real, add_reals
from gantheory.implicit.sections import vanishes
from gantheory.implicit.stationary import Arc
from gantheory.records import How
from gantheory.theory.identify import Combination
from gantheory.theory.records import (
    Curvature,
    Parametric,
)


class Curved(Along):
    """The three curvatures along the optimum, each with whether it is a divergence's."""

    def value(self) -> Curvature:
        """Return what V(D*) reports."""
        masses = self.jumps("real", lambda place: sp.Integer(1))
        reason = "F is a supremum of affine functions of r, hence convex"
        found = self.curvature("value", as_expression(self.best), masses, (), True, reason)
        return replace(found, how=How.PROVED, zero_only_at_equality=self.bends_at_one(masses))

    def bends_at_one(
        self, masses: tuple[tuple[sp.Expr, sp.Expr], ...], name: str = "value"
    ) -> bool:
        """Whether a generator bends at r = 1, on one side at least.

        Between two kinks a formula is 0 throughout or at single scores alone.
        """
        if any(abs(float(place) - 1) < 1e-15 for place, _ in masses):
            return True
        return any(
            isinstance(s.local, Arc)
            and not s.ratios[0].ball > 1
            and not s.ratios[1].ball < 1
            and not vanishes(made[name], s.local.part.lower, s.local.part.upper)
            for s, made in zip(self.path.segments, self.formulas, strict=True)
        )

    def followed(self) -> Curvature:
        """Return what the generator follows with D held fixed: -h'/r."""
        masses = self.jumps("generator", lambda place: -1 / place)
        bad = next((place for place, mass in masses if mass < 0), None)
        if bad is not None:
            reason = f"the point mass at r = {bad} is negative"
            return self.curvature("followed", sp.S.Zero, masses, (), False, reason, bad)
        where = self.negative("score_weight", by_motion=True)
        if where is not None:
            reason = f"the loss rises with r at r = {float(where.mid()):.6g}"
            return self.curvature("followed", sp.S.Zero, masses, (), False, reason, _near(where))
        reason = f"the loss falls as r rises, {BALLS}"
        reason += f"; {self.infinite}" if self.infinite else ""
        found = self.curvature("followed", sp.S.Zero, masses, (), True, reason)
        bends = self.bends_at_one(masses, "score_weight")
        return replace(found, zero_only_at_equality=bends)

    def negative(self, name: str, by_motion: bool = False) -> arb | None:
        """Return a ratio at which a formula is certainly negative; None where there is none.

        With ``by_motion`` it is −formula·dt*/dr that is asked for.
        """
        for segment, made in zip(self.path.segments, self.formulas, strict=True):
            if not isinstance(segment.local, Arc):
                continue
            turn = (-1 if segment.local.rises else 1) if by_motion else 1
            for stretch in signs_along(segment, made[name]):
                if stretch.sign * turn < 0:
                    return stretch.ratio
        return None

    def loss_curvature(self, level: Real) -> Curvature:
        """Return what the printed loss of the generator equals."""
        steps = self.jumps("generator", lambda place: sp.Integer(1))
        constant = as_expression(level)
        if steps:
            place, step = steps[0]
            reason = f"its generator jumps by {step} at r = {place}, and no convex function jumps"
            return self.curvature("loss", constant, self.kinks(steps), steps, False, reason, place)
        try:
            masses = self.jumps("slope", lambda place: sp.Integer(1))
        except Steep as steep:
            place = as_expression(steep.ratio)
            reason = f"h' is infinite at r = {place}, and a convex function has finite slopes"
            return self.curvature("loss", constant, (), (), False, reason, place)
        bad = next((place for place, mass in masses if mass < 0), None)
        if bad is not None:
            reason = f"the point mass at r = {bad} is negative"
            return self.curvature("loss", constant, masses, (), False, reason, bad)
        where = self.negative("bend")
        if where is not None:
            reason = f"the curvature at r = {float(where.mid()):.6g} is negative"
            return self.curvature("loss", constant, masses, (), False, reason, _near(where))
        return self.curvature("loss", constant, masses, (), True, f"no zero of h'' {BALLS}")

    def kinks(
        self, steps: tuple[tuple[sp.Expr, sp.Expr], ...]
    ) -> tuple[tuple[sp.Expr, sp.Expr], ...]:
        """Return the jumps of h', where they are known."""
        try:
            return self.jumps("slope", lambda place: sp.Integer(1))
        except OutOfTime:
            raise
        except Undecided:
            return ()

    def curvature(
        self,
        name: str,
        constant: sp.Expr,
        masses: tuple[tuple[sp.Expr, sp.Expr], ...],
        steps: tuple[tuple[sp.Expr, sp.Expr], ...],
        holds: bool,
        reason: str,
        counterexample: sp.Expr | None = None,
    ) -> Curvature:
        """Return the record of one curvature."""
        return Curvature(
            self.formula(name),
            masses,
            constant,
            {} if masses or steps else self.terms(name),
            (),
            holds,
            counterexample,
            How.CERTIFIED if holds else How.REFUTED,
            reason,
            parameters=Assumptions(),
            jumps=steps,
            slope=self.slope() if name == "loss" else None,
            parametric=self.parametric(name),
        )

    def terms(self, name: str) -> Combination:
        """Return what a curvature is in named divergences, where one arc is all of the optimum."""
        segment = self.path.segments[0]
        if len(self.path.segments) > 1 or not isinstance(segment.local, Arc):
            return {}
        slopes, value = segment.local.part.slopes, self.formulas[0][name]
        return name_of_curvature(in_ratio(segment, value), value, slopes.ratio, slopes.payoffs)

    def slope(self) -> sp.Expr | None:
        """Return h'(1), the mean of both sides where h has a kink there."""
        expr = self.formula("slope").xreplace({r: sp.S.One})
        for before, after in joints(self.path):
            if before.ratios[1].ball.contains(1):
                sides = self.beside(before, -1, "slope"), self.beside(after, 1, "slope")
                return as_expression(add_reals(*sides)) / 2
        return sp.N(expr, 30)

    def parametric(self, name: str) -> tuple[Parametric, ...]:
        """Return the curvature as a formula in the score, for each arc."""
        return tuple(
            Parametric(
                s.local.part.slopes.ratio,
                made[name],
                as_expression(s.start),
                as_expression(s.stop),
            )
            for s, made in zip(self.path.segments, self.formulas, strict=True)
            if isinstance(s.local, Arc)
        )


def _near(ratio: arb) -> sp.Expr:
    """Return a short fraction near a ratio."""
    return sp.Rational(str(round(float(ratio.mid()), 6)))
