"""What follows from the optimal path: curvatures, saturation, disjoint supports, equilibrium."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import sympy as sp
from flint import arb

from gantheory.deadline import OutOfTime, Undecided
from gantheory.exact.assumptions import Assumptions
from gantheory.functions import r, t
from gantheory.implicit.atscore import as_expression, function_of
from gantheory.implicit.curves import (
    along,
    end_of,
    formulas,
    in_ratio,
    joints,
    signs_along,
)
from gantheory.implicit.envelope import Path, Segment, optimal_path
from gantheory.implicit.isolation import Real, candidates
from gantheory.implicit.mass import mass_beyond
from gantheory.implicit.naming import name_of_curvature
from gantheory.implicit.sections import sections_of
from gantheory.implicit.stationary import Arc, Rest, limit_at
from gantheory.losses.loss import Loss
from gantheory.records import Estimate, How
from gantheory.theory.identify import Combination
from gantheory.theory.maxima import Branch
from gantheory.theory.records import (
    Curvature,
    Disjoint,
    Equilibrium,
    OptimalDiscriminator,
    Parametric,
    Saturation,
    Tie,
)

SHORT = 30  # operations in a constant that is simplified before it is shown
BALLS = "by ball arithmetic along the scores"


class Steep(Undecided):
    """A function is infinite at a finite ratio."""

    def __init__(self, ratio: Real) -> None:
        super().__init__(f"the function is infinite at r = {ratio.shown}")
        self.ratio = ratio


@dataclass
class Implicit:
    """A loss without free parameters, its optimum known with the score as parameter."""

    loss: Loss
    path: Path
    undecided: dict[str, str] = field(default_factory=dict)
    infinite: str = ""

    @classmethod
    def of(cls, loss: Loss) -> Implicit:
        """Find the optimal discriminator of a loss."""
        return cls(loss, optimal_path(sections_of(loss)))

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

    def optimum(self) -> OptimalDiscriminator:
        """Return t*(r) and D*(r)."""
        segments = self.path.segments
        scores = {
            k: in_ratio(s, t) if isinstance(s.local, Arc) else as_expression(s.local.place)
            for k, s in enumerate(segments)
        }
        plateaus = tuple(
            (
                (as_expression(s.ratios[0]), as_expression(s.ratios[1])),
                as_expression(s.local.flat[0].lower),
                as_expression(s.local.flat[-1].upper),
            )
            for s in segments
            if isinstance(s.local, Rest) and s.local.flat
        )
        return OptimalDiscriminator(
            along(self.path, scores),
            self.payoff("link"),
            all(s.local.kind != "limit" for s in segments),
            tuple(map(branch_of, segments)),
            plateaus=plateaus,
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

    @cached_property
    def best(self) -> Real:
        """F(1)."""
        return add(self.at_one("real"), self.at_one("fake"))

    def value(self) -> Curvature:
        """Return what V(D*) reports."""
        masses = self.jumps("real", lambda place: sp.Integer(1))
        reason = "F is a supremum of affine functions of r, hence convex"
        found = self.curvature("value", as_expression(self.best), masses, (), True, reason)
        return replace(found, how=How.PROVED, zero_only_at_equality=self.bends_at_one(masses))

    def bends_at_one(self, masses: tuple[tuple[sp.Expr, sp.Expr], ...]) -> bool:
        """Whether F bends at r = 1, on one side at least."""
        if any(abs(float(place) - 1) < 1e-15 for place, _ in masses):
            return True
        return any(
            isinstance(s.local, Arc) and not s.ratios[0].ball > 1 and not s.ratios[1].ball < 1
            for s in self.path.segments
        )

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

    def mean_at_one(self, name: str) -> Real:
        """Return h(1), the mean of both sides where h jumps there."""
        for before, after in joints(self.path):
            if before.ratios[1].ball.contains(1):
                sides = self.beside(before, -1, name), self.beside(after, 1, name)
                total = add(*sides)
                return Real(total.ball / 2, None if total.exact is None else total.exact / 2)
        return self.at_one(name)

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
        return replace(found, zero_only_at_equality=self.bends_at_one(masses) or None)

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
                return as_expression(add(*sides)) / 2
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

    def saturation(self) -> Saturation:
        """Return the generator's gradient per fake sample, in log r and in the raw score."""
        in_score: sp.Expr | None = None
        if all(isinstance(s.local, Arc) for s in self.path.segments):
            in_score = self.formula("score_weight")
        return Saturation(
            self.formula("weight"),
            self.limit_of("weight", 0),
            self.limit_of("weight", -1),
            in_score,
            self.limit_of("score_weight", 0),
            self.limit_of("score_weight", -1),
        )

    def limit_of(self, name: str, which: int) -> sp.Expr | None:
        """Return a limit at r -> 0 (0) or r -> oo (-1)."""
        segment = self.path.segments[which]
        if isinstance(segment.local, Rest):
            return sp.S.Zero if name == "weight" else self.slope_at_rest(segment.local)
        title = "saturation" if name == "weight" else "saturation in the score"
        found = self.attempt(
            f"{title} {'limit_at_0' if which == 0 else 'limit_at_inf'}",
            end_of, segment, 1 if which == 0 else -1, name,
        )  # fmt: skip
        return as_expression(found) if isinstance(found, Real) else None

    def slope_at_rest(self, rest: Rest) -> sp.Expr | None:
        """Return c'(t) at a resting score, or along a stretch, where it is one number."""
        below, above = rest.beside
        sides = [limit_at(sp.diff(p.slopes.payoffs.generator, t), p.lower, 1) for p in rest.flat]
        if not rest.flat:
            sides += [
                limit_at(sp.diff(part.slopes.payoffs.generator, t), rest.place, side)
                for part, side in ((below, -1), (above, 1))
                if part is not None
            ]
        if sides and all(one.ball.overlaps(sides[0].ball) for one in sides):
            return as_expression(sides[0])
        return None

    def disjoint(self, level: Real | None) -> Disjoint:
        """Return f(0) + f'(oo) of the three quantities."""

        def found(
            name: str, function: Callable[[], sp.Expr | Estimate]
        ) -> sp.Expr | Estimate | None:
            one = self.attempt(f"disjoint {name}", function)
            return one if isinstance(one, sp.Expr | Estimate) else None

        first, last = self.path.segments[0], self.path.segments[-1]

        def of_value() -> sp.Expr:
            return total(end_of(first, 1, "fake"), end_of(last, -1, "real"), negative(self.best))

        def of_loss() -> sp.Expr:
            assert level is not None
            return total(end_of(first, 1, "generator"), self.growth(last), negative(level))

        def of_followed() -> sp.Expr | Estimate:
            assert level is not None
            below = total(end_of(first, 1, "generator"), negative(self.at_one_below()))
            return mass_beyond(self.path, below, self.jumps("generator", lambda place: -1 / place))

        return Disjoint(
            found("value", of_value),
            found("loss", of_loss) if level is not None else None,
            found("followed", of_followed) if level is not None else None,
        )

    def end_of_loss(self, last: bool) -> sp.Expr | None:
        """Return the limit of the generator's loss as r -> 0, or as r -> oo (``last``)."""
        segment, side = (self.path.segments[-1], -1) if last else (self.path.segments[0], 1)
        found = self.attempt("the end of the loss", end_of, segment, side, "generator")
        return as_expression(found) if isinstance(found, Real) else None

    def at_one_below(self) -> Real:
        """Return h(1) from below."""
        segment, _ = self.even
        if segment.ratios[1].ball.contains(1):
            return end_of(segment, -1, "generator")
        return self.at_one("generator")

    def growth(self, last: Segment) -> Real:
        """Return lim h(r)/r."""
        if isinstance(last.local, Rest):
            return Real.of(sp.S.Zero)
        slopes = last.local.part.slopes
        expr = slopes.payoffs.generator / slopes.ratio
        return limit_at(expr, last.stop, -1 if last.local.rises else 1)

    def equilibrium(self) -> Equilibrium:
        """Return what is read at P = Q."""
        segment, _ = self.even
        found = [segment]
        at = self.path.segments.index(segment)
        if segment.ratios[1].ball.contains(1) and at + 1 < len(self.path.segments):
            found.append(self.path.segments[at + 1])
        states = [self.state(s, -1 if k == 0 else 1) for k, s in enumerate(found)]
        loss = states[0][1]
        if isinstance(segment.local, Rest) and segment.undetermined:
            loss = None
        others = tuple(
            Tie(D, c) for D, c in states[1:] if c is not None and not _same(D, states[0][0])
        )
        return Equilibrium(
            states[0][0], as_expression(negative(self.best)), loss, *self.ranges(segment), others
        )

    def state(self, segment: Segment, side: int) -> tuple[sp.Expr, sp.Expr]:
        """Return D and the generator's loss at r = 1 on a segment."""
        if len(self.path.segments) > 1 and any(level.ball.contains(1) for level in segment.ratios):
            return (
                as_expression(end_of(segment, side, "link")),
                as_expression(end_of(segment, side, "generator")),
            )
        return as_expression(self.at_one("link")), as_expression(self.at_one("generator"))

    def ranges(
        self, segment: Segment
    ) -> tuple[tuple[sp.Expr, sp.Expr] | None, tuple[sp.Expr, sp.Expr] | None]:
        """Return the D and the losses of a whole stretch of scores that is optimal."""
        if not isinstance(segment.local, Rest) or not segment.local.flat:
            return None, None
        first, last = segment.local.flat[0], segment.local.flat[-1]
        spans = []
        for name in ("link", "generator"):
            ends = [
                limit_at(getattr(part.slopes.payoffs, name), place, side)
                for part, place, side in ((first, first.lower, 1), (last, last.upper, -1))
            ]
            ordered = ends if not ends[0].ball > ends[1].ball else ends[::-1]
            spans.append(tuple(map(as_expression, ordered)))
        return tuple(None if low == high else (low, high) for low, high in spans)  # type: ignore[return-value]


def branch_of(segment: Segment) -> Branch:
    """Return a segment as the record that closed forms have too."""
    local = segment.local
    ratios = as_expression(segment.ratios[0]), as_expression(segment.ratios[1])
    if isinstance(local, Rest):
        parts = {name: as_expression(value) for name, value in local.payoffs.items()}
        score = as_expression(local.place)
    else:
        exprs = vars(local.part.slopes.payoffs)
        parts = {name: in_ratio(segment, expr) for name, expr in exprs.items()}
        score = in_ratio(segment, t)
    return Branch(
        ratios,
        score,
        local.kind,
        **parts,
        reason=f"signs of a', b' and a'b'' - b'a'' {BALLS}",
        supremum=r * parts["real"] + parts["fake"],
        undetermined=segment.undetermined,
    )


def _same(one: sp.Expr, other: sp.Expr) -> bool:
    return bool(one == other or abs(sp.N(one - other)) < 1e-25)


def _near(ratio: arb) -> sp.Expr:
    """Return a short fraction near a ratio."""
    return sp.Rational(str(round(float(ratio.mid()), 6)))


def negative(real: Real) -> Real:
    """Return −x."""
    return Real(-real.ball, None if real.exact is None else -real.exact)


def add(one: Real, other: Real) -> Real:
    """Return the sum of two numbers, or of infinities of one sign."""
    if one.exact is not None and other.exact is not None:
        exact = one.exact + other.exact
        if exact is sp.nan:
            raise Undecided("a value at an end is an infinity less an infinity")
        return Real.of(exact)
    if not (one.is_finite and other.is_finite):
        return other if one.is_finite else one
    return Real(one.ball + other.ball)


def subtract(one: Real, other: Real) -> Real:
    """Return the difference of two numbers; of two that are one exact infinity, nothing."""
    if not one.is_finite or not other.is_finite:
        return Real(arb("nan"))
    return add(one, negative(other))


def total(*parts: Real) -> sp.Expr:
    """Return a sum as an expression, in a simple form where it is exact."""
    found = parts[0]
    for part in parts[1:]:
        found = add(found, part)
    if found.exact is None or found.exact.is_infinite:
        return as_expression(found)
    exact = sp.expand(found.exact)
    return sp.simplify(exact) if exact.count_ops() < SHORT else exact


__all__ = ["Implicit", "function_of"]
