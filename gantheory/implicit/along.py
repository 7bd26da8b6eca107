"""What the payoffs of a loss are along its optimal path: formulas, values at r = 1, and jumps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import sympy as sp
from flint import arb

from gantheory.deadline import OutOfTime, Undecided
from gantheory.functions import t
from gantheory.implicit.atscore import as_expression
from gantheory.implicit.curves import (
    along,
    end_of,
    formulas,
    in_ratio,
    joints,
)
from gantheory.implicit.envelope import Path, Segment
from gantheory.implicit.isolation import candidates
from gantheory.implicit.reals import Real, add_reals, subtract
from gantheory.implicit.stationary import Arc, Rest, limit_at
from gantheory.losses.loss import Loss

BALLS = "by ball arithmetic along the scores"


class Steep(Undecided):
    """A function is infinite at a finite ratio."""

    def __init__(self, ratio: Real) -> None:
        super().__init__(f"the function is infinite at r = {ratio.shown}")
        self.ratio = ratio


@dataclass
class Along:
    """A loss without free parameters, what its payoffs are along the optimum, and what is open."""

    loss: Loss
    path: Path
    undecided: dict[str, str] = field(default_factory=dict)
    infinite: str = ""

    def attempt(self, name: str, function: Callable[..., object], *arguments: object) -> object:
        """Return what a function finds, or None and the reason."""
        try:
            return function(*arguments)
        except OutOfTime:
            raise
        except Undecided as reason:
            self.undecided[name] = str(reason)
            return None

    @cached_property
    def formulas(self) -> list[dict[str, sp.Expr]]:
        """The formulas in the score for each segment; empty where the score rests."""
        return [
            formulas(s.local.part.slopes) if isinstance(s.local, Arc) else {}
            for s in self.path.segments
        ]

    def payoff(self, name: str) -> sp.Expr:
        """Return a payoff at the optimum as a function of r."""
        return along(
            self.path,
            {
                k: in_ratio(s, getattr(s.local.part.slopes.payoffs, name))
                if isinstance(s.local, Arc)
                else as_expression(s.local.payoffs[name])
                for k, s in enumerate(self.path.segments)
            },
        )

    def formula(self, name: str) -> sp.Expr:
        """Return a curvature or weight as a function of r; 0 where the score rests."""
        return along(
            self.path,
            {
                k: in_ratio(s, self.formulas[k][name]) if isinstance(s.local, Arc) else sp.S.Zero
                for k, s in enumerate(self.path.segments)
            },
        )

    @cached_property
    def even(self) -> tuple[Segment, Real]:
        """The segment that r = 1 lies in, at a jump the lower one, and the score there."""
        segment = next(
            s for s in self.path.segments if s.ratios[1].ball > 1 or s.ratios[1].ball.contains(1)
        )
        if isinstance(segment.local, Rest):
            return segment, segment.local.place
        if segment.ratios[1].ball.contains(1):
            return segment, segment.stop
        score = segment.local.score(arb(1))
        stationary = segment.local.part.slopes.real + segment.local.part.slopes.fake
        for exact in candidates(score):
            if sp.simplify(stationary.xreplace({t: exact})) == 0:
                return segment, Real.of(exact)
        return segment, Real(score)

    def at_one(self, name: str) -> Real:
        """Return a payoff at r = 1."""
        segment, score = self.even
        if isinstance(segment.local, Rest):
            return segment.local.payoffs[name]
        if score is segment.stop:
            return end_of(segment, -1, name)
        expr = getattr(segment.local.part.slopes.payoffs, name)
        return limit_at(expr, score, 1)

    def mean_at_one(self, name: str) -> Real:
        """Return h(1), the mean of both sides where h jumps there."""
        for before, after in joints(self.path):
            if before.ratios[1].ball.contains(1):
                sides = self.beside(before, -1, name), self.beside(after, 1, name)
                total = add_reals(*sides)
                return Real(total.ball / 2, None if total.exact is None else total.exact / 2)
        return self.at_one(name)

    def at_one_below(self) -> Real:
        """Return h(1) from below."""
        segment, _ = self.even
        if segment.ratios[1].ball.contains(1):
            return end_of(segment, -1, "generator")
        return self.at_one("generator")

    @cached_property
    def best(self) -> Real:
        """F(1)."""
        return add_reals(self.at_one("real"), self.at_one("fake"))

    def jumps(
        self, name: str, factor: Callable[[sp.Expr], sp.Expr]
    ) -> tuple[tuple[sp.Expr, sp.Expr], ...]:
        """Return (ratio, factor·jump) wherever a payoff or formula jumps along the path."""
        found = []
        for before, after in joints(self.path):
            left, right = self.beside(before, -1, name), self.beside(after, 1, name)
            if left.exact is not None and left.exact == right.exact:
                continue  # one infinity on both sides, too
            step = subtract(right, left)
            if not step.ball.is_finite():
                raise Steep(before.ratios[1])
            if not step.ball.contains(0):
                place = as_expression(before.ratios[1])
                found.append((place, as_expression(step) * factor(place)))
        return tuple(found)

    def beside(self, segment: Segment, side: int, name: str) -> Real:
        """Return the limit at an end of a segment; what a resting score does not have is 0."""
        if isinstance(segment.local, Rest) and name in ("slope",):
            return Real.of(sp.S.Zero)
        return end_of(segment, side, name)

    def determined(self) -> Real:
        """Return h(1).

        Raises:
            Undecided: where the generator's loss is infinite, or differs between equal scores.
        """
        for segment in self.path.segments:
            if not isinstance(segment.local, Rest):
                continue
            if not segment.local.payoffs["generator"].is_finite:
                low, high = segment.ratios
                self.infinite = (
                    "the generator's loss is infinite at the optimal discriminator for "
                    f"{low.shown} < r < {high.shown}"
                )
                if not (low.ball > 1 or high.ball < 1):
                    raise Undecided(self.infinite)
            for part in segment.local.flat:
                if t in part.slopes.payoffs.generator.free_symbols:
                    raise Undecided(
                        "the discriminator's payoffs are constant over an interval of scores on "
                        "which the generator's loss is not, so that the loss is not determined"
                    )
        for segment in self.path.segments:
            if segment.undetermined:
                raise Undecided(segment.undetermined)
        return self.mean_at_one("generator")
