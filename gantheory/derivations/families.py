"""The theory of a loss with free parameters and no closed form, with the score as parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import sympy as sp

from gantheory.deadline import OutOfTime, Undecided
from gantheory.derivations.at_numbers import Plain, held_against_numbers
from gantheory.derivations.derivation import Derivation
from gantheory.exact.assumptions import Assumptions
from gantheory.functions import r, softplus, t
from gantheory.implicit.family import ONE, ZERO, SmoothFamily
from gantheory.records import How
from gantheory.theory.maxima import Branch
from gantheory.theory.records import (
    Curvature,
    Disjoint,
    Equilibrium,
    OptimalDiscriminator,
    Parametric,
    Saturation,
    SecondOrder,
)

CONCAVE = "a(t) and b(t) are concave on the domain, for all parameters"


def of_concave_family(derivation: Derivation, parameters: Assumptions, plain: Plain) -> Derivation:
    """Return the theory of a loss with free parameters.

    Args:
        derivation: what is known of it.
        parameters: their legal intervals.
        plain: derives a loss without parameters with the score as parameter.

    Raises:
        Undecided: where the optimum is not known for all parameters.
    """
    theory = _Theory(SmoothFamily.of(derivation.definition, parameters))
    made = theory.whole(derivation)
    return held_against_numbers(made, parameters, plain)


@dataclass(frozen=True)
class Stretch:
    """An interval of ratios with the optimum in it: an end of the domain, or the zero of S."""

    ratios: tuple[sp.Expr, sp.Expr]
    side: int  # 1: the lower end, -1: the upper end, 0: the zero of S


@dataclass
class _Theory:
    """The parts of a theory of one family."""

    family: SmoothFamily
    undecided: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stretches = list(self._stretches())

    def _stretches(self) -> Iterator[Stretch]:
        """Yield the optimum for all ratios, in their order."""
        family = self.family
        (low, above_low), (high, above_high) = family.level(1), family.level(-1)
        if low == ZERO and above_low < 0:
            yield Stretch((ZERO, sp.oo), 1)
            return
        if high == ZERO and above_high > 0:
            yield Stretch((ZERO, sp.oo), -1)
            return
        sides = [(low, 1), (high, -1)] if family.rises else [(high, -1), (low, 1)]
        (first, side), (last, other) = sides
        if first != ZERO:
            yield Stretch((ZERO, first), side)
        yield Stretch((first, sp.oo if last == ZERO else last), 0)
        if last != ZERO:
            yield Stretch((last, sp.oo), other)

    def attempt(self, name: str, function: Callable[[], sp.Expr | None]) -> sp.Expr | None:
        """Return what a function finds, or None and the reason."""
        try:
            return function()
        except OutOfTime:
            raise
        except Undecided as reason:
            self.undecided[name] = str(reason)
            return None

    def whole(self, derivation: Derivation) -> Derivation:
        """Return all parts."""
        family = self.family
        moves = any(one.side == 0 for one in self.stretches)
        even = self.at_one("real") + self.at_one("fake")
        loss = self.at_one("generator")
        difference = sp.diff(family.payoffs.generator - family.payoffs.fake, t)
        return replace(
            derivation,
            optimum=self.optimum(),
            second_order=SecondOrder(True, How.PROVED, CONCAVE),
            value=self.curvature("value", even, True, "F is a supremum of affine functions of r"),
            loss=self.loss(loss),
            followed=self.followed(),
            zero_sum=bool(sp.simplify(difference) == 0),
            saturation=self.saturation() if moves else None,
            disjoint=self.disjoint(even, loss),
            equilibrium=self.equilibrium(even),
            undecided=self.undecided,
        )

    def rest(self, name: str, side: int) -> sp.Expr:
        """Return a payoff at an end of the domain, and of the formulas what is not 0 there."""
        family = self.family
        if name == "score_weight":
            return sp.simplify(family.at_end(family.formulas[name], side))
        if name == "score":
            return family.lower if side == 1 else family.upper
        expr = getattr(family.payoffs, name, None)
        return ZERO if expr is None else family.at_end(expr, side)

    def on(self, stretch: Stretch, name: str, ratio: sp.Expr = r) -> sp.Expr:
        """Return a payoff or formula on a stretch."""
        if stretch.side:
            return self.rest(name, stretch.side)
        return self.family.at_ratio(name, ratio)

    def along(self, name: str) -> sp.Expr:
        """Return a payoff or formula as a function of r."""
        parts = [(self.on(one, name), r < one.ratios[1]) for one in self.stretches]
        return sp.Piecewise(*parts[:-1], (parts[-1][0], True)) if len(parts) > 1 else parts[0][0]

    def at_one(self, name: str) -> sp.Expr:
        """Return a payoff at P = Q, piecewise where parameters decide where it lies."""
        exact = self.even
        if exact is not None:
            expr = getattr(self.family.payoffs, name)
            plain = expr.xreplace({t: exact}).replace(softplus, lambda u: sp.log(1 + sp.exp(u)))
            return sp.simplify(plain)
        parts = [(self.on(one, name, ONE), sp.Le(1, one.ratios[1])) for one in self.stretches]
        return sp.Piecewise(*parts[:-1], (parts[-1][0], True)) if len(parts) > 1 else parts[0][0]

    @property
    def even(self) -> sp.Expr | None:
        """The score at r = 1, where it is one of the simple ones and inside of the domain."""
        family = self.family
        if len(self.stretches) > 1 or self.stretches[0].side:
            return None
        total = family.slopes.real + family.slopes.fake
        simple = [s for s in (ZERO, ONE, -ONE, *family.parameters.ranges) if family.contains(s)]
        return next((s for s in simple if sp.simplify(total.xreplace({t: s})) == 0), None)

    def optimum(self) -> OptimalDiscriminator:
        """Return t*(r) and D*(r)."""
        branches = tuple(map(self.branch, self.stretches))
        attained = all(one.kind != "limit" for one in branches)
        return OptimalDiscriminator(self.along("score"), self.along("link"), attained, branches)

    def branch(self, stretch: Stretch) -> Branch:
        """Return one stretch as the record that closed forms have too."""
        parts = {name: self.on(stretch, name) for name in ("real", "fake", "generator", "link")}
        closed = stretch.side == 0 or self.family.closed[0 if stretch.side == 1 else 1]
        kind = "stationary" if stretch.side == 0 else "end" if closed else "limit"
        return Branch(
            stretch.ratios,
            self.on(stretch, "score"),
            kind,
            **parts,
            reason=CONCAVE,
            supremum=r * parts["real"] + parts["fake"],
        )

    def curvature(
        self,
        name: str,
        constant: sp.Expr,
        holds: bool | None,
        reason: str,
        counterexample: sp.Expr | None = None,
    ) -> Curvature:
        """Return the record of one curvature."""
        how = {True: How.PROVED, False: How.REFUTED, None: How.UNDECIDED}[holds]
        family = self.family
        parametric = tuple(
            Parametric(family.slopes.ratio, family.formulas[name], *self.ends(one))
            for one in self.stretches
            if one.side == 0
        )
        whole = len(self.stretches) == 1 and bool(parametric)
        return Curvature(
            self.along(name), (), constant, {}, (), holds, counterexample, how, reason,
            zero_only_at_equality=True if whole and holds and name == "value" else None,
            parameters=family.parameters, parametric=parametric,
        )  # fmt: skip

    def ends(self, stretch: Stretch) -> tuple[sp.Expr, sp.Expr]:
        """Return the scores at both ends of the stretch on which the score moves."""
        whole = [self.family.lower, self.family.upper]
        if not self.family.rises:
            whole.reverse()
        for k, inner in enumerate((stretch.ratios[0] == ZERO, stretch.ratios[1] == sp.oo)):
            try:
                whole[k] = self.limit("score", -k) if inner else whole[k]
            except OutOfTime:
                raise
            except Undecided:  # parameters decide; the whole domain has all of them
                continue
        return whole[0], whole[1]

    def limit(self, name: str, which: int) -> sp.Expr:
        """Return the limit of a payoff or formula as r -> 0 (0) or r -> oo (-1)."""
        family, stretch = self.family, self.stretches[which]
        if any(end.has(sp.Max) for end in stretch.ratios):
            raise Undecided("it depends on the parameters whether an end of the domain is optimal")
        if stretch.side:
            return self.rest(name, stretch.side)
        part = family.slopes.fake if which == 0 else family.slopes.real
        if self.has_zero(part):
            if name == "weight":  # c'·b'/b'' or c'·a'/a'' at the zero
                return ZERO
            return family.at_ratio(name, ZERO if which == 0 else sp.oo)
        side = 1 if (which == 0) == family.rises else -1
        if name == "score":
            return self.rest("score", side)
        expr = getattr(family.payoffs, name, None)
        return sp.simplify(family.at_end(family.formulas[name] if expr is None else expr, side))

    def has_zero(self, part: sp.Expr) -> bool:
        """Whether a slope, which falls, has a zero inside of the domain."""
        family = self.family
        if family.sign(part):
            return False
        ends = []
        for side in (1, -1):
            value = family.at_end(part, side)
            if value.is_infinite:
                ends.append(1 if value.is_extended_positive else -1)
                continue
            found = 0 if value == 0 else family.sign_at(value, ZERO)
            if found is None:
                raise Undecided(f"the sign of {value} depends on the parameters")
            ends.append(found)
        return ends[0] > 0 > ends[1]

    def followed(self) -> Curvature:
        """Return what the generator follows with D held fixed: -h'/r."""
        sign, score = self.family.generator_falls()
        if all(one.side for one in self.stretches):
            sign = 0
        if sign is None:
            return self.curvature("followed", ZERO, None, "it depends on the parameters")
        if sign >= 0:
            return self.curvature("followed", ZERO, True, "the loss falls as r rises")
        if score is None:
            return self.curvature("followed", ZERO, False, "the loss rises with r", self.some())
        reason = f"the loss rises with r near r = {self.ratio_at(score)}"
        return self.curvature("followed", ZERO, False, reason)

    def ratio_at(self, score: sp.Expr) -> sp.Expr:
        """Return the ratio at which a score is optimal."""
        return sp.simplify(self.family.slopes.ratio.xreplace({t: score}))

    def some(self) -> sp.Expr | None:
        """Return a ratio at which the score moves, where one is known."""
        return ONE if len(self.stretches) == 1 else None

    def loss(self, constant: sp.Expr) -> Curvature:
        """Return what the printed loss of the generator equals."""
        family = self.family
        if len(self.stretches) > 1:
            holds, reason = self.begins_to_fall() or (None, "it depends on the parameters")
            return self.curvature("loss", constant, holds, reason)
        bend = family.formulas["bend"]
        sign = family.sign(bend)
        sign = family.sign_between(bend, *family.span) if sign is None else sign
        if sign is None:
            return self.curvature("loss", constant, None, "it depends on the parameters")
        if sign >= 0:
            return self.curvature("loss", constant, True, "h'' has no negative factor")
        return self.curvature("loss", constant, False, "h'' is nowhere positive", self.some())

    def begins_to_fall(self) -> tuple[bool, str] | None:
        """Say where the loss is constant up to a ratio and falls beyond: it is not convex there."""
        first, second = self.stretches[:2]
        if not first.side or second.side or first.ratios[1].has(sp.Max):
            return None
        slope = self.family.sign_at(self.family.formulas["slope"], self.rest("score", first.side))
        if slope != -1:
            return None
        return (
            False,
            f"its generator is constant below r = {first.ratios[1]}, where it begins to fall",
        )

    def saturation(self) -> Saturation:
        """Return the generator's gradient per fake sample, in log r and in the raw score."""
        limits = [
            self.attempt(f"{title} {end}", lambda n=name, w=which: self.limit(n, w))  # type: ignore[misc]
            for name, title in (
                ("weight", "saturation"), ("score_weight", "saturation in the score")
            )
            for end, which in (("limit_at_0", 0), ("limit_at_inf", -1))
        ]  # fmt: skip
        single = len(self.stretches) == 1
        weight = self.along("weight")
        in_score = self.along("score_weight") if single else None
        return Saturation(weight, limits[0], limits[1], in_score, limits[2], limits[3])

    def disjoint(self, even: sp.Expr, loss: sp.Expr) -> Disjoint:
        """Return f(0) + f'(oo) of the three quantities."""

        def summed(*parts: sp.Expr) -> sp.Expr:
            ends = {part for part in parts if part in (sp.oo, -sp.oo)}
            if len(ends) > 1:
                raise Undecided("infinities of both signs")
            return ends.pop() if ends else sp.Add(*parts)

        def of_loss() -> sp.Expr:
            last = self.stretches[-1]
            far = self.limit("generator", -1)
            if far.is_infinite:
                if last.side:
                    raise Undecided("the generator's loss is infinite at the optimum")
                quotient = self.family.payoffs.generator / self.family.slopes.ratio
                growth = self.family.at_end(quotient, -1 if self.family.rises else 1)
            else:
                growth = ZERO
            return summed(self.limit("generator", 0), growth, -loss)

        def of_followed() -> sp.Expr:
            first = self.limit("generator", 0)
            sign, _ = self.family.generator_falls()
            if first == sp.oo and sign == 1:
                return sp.oo
            raise Undecided("an integral over r > 1 that depends on the parameters")

        return Disjoint(
            self.attempt(
                "disjoint value",
                lambda: summed(self.limit("fake", 0), self.limit("real", -1), -even),
            ),
            self.attempt("disjoint loss", of_loss),
            self.attempt("disjoint followed", of_followed),
        )

    def equilibrium(self, even: sp.Expr) -> Equilibrium:
        """Return what is read at P = Q."""
        return Equilibrium(self.at_one("link"), -even, self.at_one("generator"))
