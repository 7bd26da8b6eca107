"""What follows from the optimal path: the optimum, saturation, disjoint supports, equilibrium."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from gantheory.exact.derivative import derivative
from gantheory.functions import r, t
from gantheory.implicit.along import BALLS
from gantheory.implicit.atscore import as_expression
from gantheory.implicit.curvatures import Curved
from gantheory.implicit.curves import (
    along,
    end_of,
    in_ratio,
)
from gantheory.implicit.envelope import Segment, optimal_path
from gantheory.implicit.mass import mass_beyond
from gantheory.implicit.reals import Real, add_reals, negative
from gantheory.implicit.sections import sections_of
from gantheory.implicit.stationary import Arc, Rest, limit_at
from gantheory.losses.loss import Loss
from gantheory.records import Estimate
from gantheory.theory.maxima import Branch
from gantheory.theory.records import (
    Disjoint,
    Equilibrium,
    OptimalDiscriminator,
    Saturation,
    Tie,
)

SHORT = 30  # operations in a constant that is simplified before it is shown


class Implicit(Curved):
    """The whole theory of a loss, its optimum known with the score as parameter."""

    @classmethod
    def of(cls, loss: Loss) -> Implicit:
        """Find the optimal discriminator of a loss."""
        return cls(loss, optimal_path(sections_of(loss)))

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
        sides = [limit_at(derivative(p.slopes.payoffs.generator, t), p.lower, 1) for p in rest.flat]
        if not rest.flat:
            sides += [
                limit_at(derivative(part.slopes.payoffs.generator, t), rest.place, side)
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
            return _total(end_of(first, 1, "fake"), end_of(last, -1, "real"), negative(self.best))

        def of_loss() -> sp.Expr:
            assert level is not None
            return _total(end_of(first, 1, "generator"), self.growth(last), negative(level))

        def of_followed() -> sp.Expr | Estimate:
            assert level is not None
            below = _total(end_of(first, 1, "generator"), negative(self.at_one_below()))
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
        found = [(segment, -1)]
        at = self.path.segments.index(segment)
        if segment.ratios[1].ball.contains(1) and at + 1 < len(self.path.segments):
            found.append((self.path.segments[at + 1], 1))
        states = [self.state(*one) for one in found]
        if len(states) > 1 and same(states[0][0], states[1][0]):  # one score, G's loss may jump
            held = [one.local.attains(side) for one, side in found]
            states = [state for state, own in zip(states, held, strict=True) if own] or states
        loss = states[0][1]
        if isinstance(segment.local, Rest) and segment.undetermined:
            loss = None
        others = tuple(
            Tie(D, c)
            for D, c in states[1:]
            if c is not None and not (same(D, states[0][0]) and same(c, states[0][1]))
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


def same(one: sp.Expr, other: sp.Expr) -> bool:
    """Whether two numbers are one, as far as they are enclosed."""
    return bool(one == other or abs(sp.N(one - other)) < 1e-25)


def _total(*parts: Real) -> sp.Expr:
    """Return a sum as an expression, in a simple form where it is exact."""
    found = parts[0]
    for part in parts[1:]:
        found = add_reals(found, part)
    if found.exact is None or found.exact.is_infinite:
        return as_expression(found)
    exact = sp.expand(found.exact)
    return sp.simplify(exact) if exact.count_ops() < SHORT else exact
