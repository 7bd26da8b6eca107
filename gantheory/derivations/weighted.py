r"""Losses whose free parameters only weigh their payoffs, from the loss without the weights.

With a = A·a₁ + A₀, b = B·b₁ + B₀, c = C·c₁ + C₀ and positive weights A, B, C,

.. math:: r a + b = B\,(k r\, a_1 + b_1) + r A_0 + B_0, \qquad k = A/B,

so that t*(r) is t₁*(k·r). The curvatures are F'' = B·k²·F₁''(kr), h'' = C·k²·h₁''(kr) and
g'' = C·k²·g₁''(kr): each has the sign of the one without weights, for every legal parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import sympy as sp
from sympy.core.relational import Relational

from gantheory.deadline import Undecided
from gantheory.derivations.derivation import Derivation
from gantheory.errors import GantheoryError
from gantheory.exact.assumptions import Assumptions
from gantheory.functions import r, t
from gantheory.implicit.atscore import as_expression
from gantheory.implicit.curves import end_of, joints
from gantheory.implicit.solution import Implicit, same
from gantheory.losses.loss import Loss
from gantheory.losses.written import typed
from gantheory.theory.coordinates import payoffs_of
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

ONE, ZERO = sp.Integer(1), sp.Integer(0)


@dataclass(frozen=True)
class Weighed:
    """A payoff as weight·bare + constant, the bare one a function of the score alone."""

    weight: sp.Expr
    bare: sp.Expr
    constant: sp.Expr


def weighed(expr: sp.Expr) -> Weighed | None:
    """Return a payoff with its weight parted off; None where parameters do more than weigh.

    >>> from gantheory.functions import parameter_symbol
    >>> weighed(parameter_symbol("a") * t + 2)
    Weighed(weight=a, bare=t, constant=2)
    """
    constant, moving = expr.as_independent(t, as_Add=True)
    terms = [_parted(term) for term in sp.Add.make_args(moving)]
    if not terms or any(term is None for term in terms):
        return Weighed(ONE, ZERO, constant) if moving == 0 else None
    weight = next(one[0] for one in terms if one is not None)
    shares = [(sp.cancel(one[0] / weight), one[1]) for one in terms if one is not None]
    if any(share.free_symbols for share, _ in shares):
        return None
    return Weighed(weight, sp.Add(*(share * bare for share, bare in shares)), constant)


def _parted(term: sp.Expr) -> tuple[sp.Expr, sp.Expr] | None:
    """Return (weight, function of the score) of one term; constants in it are left out."""
    weight, moving = term.as_independent(t, as_Add=False)
    number, weight = weight.as_independent(*weight.free_symbols, as_Add=False)
    if not moving.free_symbols - {t}:
        return weight, number * moving
    inner = weighed(moving) if moving.is_Add else None
    if inner is None or inner.constant != 0:
        return None
    return weight * inner.weight, number * inner.bare


@dataclass(frozen=True)
class Weights:
    """The weights of a loss, with the loss that is left without them."""

    real: Weighed
    fake: Weighed
    generator: Weighed
    bare: Loss

    @classmethod
    def of(cls, loss: Loss, parameters: Assumptions) -> Weights | None:
        """Return the weights of a loss; None where its parameters do more than weigh."""
        payoffs = payoffs_of(loss, parameters)
        if payoffs.link.free_symbols - {t}:
            return None
        real, fake, generator = map(weighed, (payoffs.real, payoffs.fake, payoffs.generator))
        if real is None or fake is None or generator is None:
            return None
        if any(parameters.sign(one.weight) != 1 for one in (real, fake, generator)):
            return None
        try:
            bare = Loss(
                loss.name, typed(real.bare), typed(fake.bare), typed(generator.bare),
                domain=loss.domain, link=loss.link, title=loss.title,
            )  # fmt: skip
        except GantheoryError:  # a formula is too long to type
            return None
        return None if bare.parameters else cls(real, fake, generator, bare)

    @property
    def k(self) -> sp.Expr:
        """The factor on r."""
        return sp.cancel(self.real.weight / self.fake.weight)

    def moved(self, expr: sp.Expr, place: sp.Expr = r) -> sp.Expr:
        """Return a function of r at k·r, or at k·place."""
        if isinstance(expr, sp.Piecewise):
            return sp.Piecewise(
                *((self.moved(e, place), self._condition(c, place)) for e, c in expr.args)
            )
        return expr.xreplace({r: self.k * place})

    def _condition(self, condition: sp.Basic, place: sp.Expr) -> sp.Basic:
        if not isinstance(condition, Relational):
            return condition
        if place is r:
            return condition.func(r, condition.rhs / self.k)
        return sp.Le(self.k * place, condition.rhs)  # at a jump the lower one

    def payoff(self, name: str, expr: sp.Expr) -> sp.Expr:
        """Return a payoff from the one without weights."""
        if name == "link":
            return expr
        one: Weighed = getattr(self, name)
        return one.weight * expr + one.constant


def of_weighted(
    derivation: Derivation, parameters: Assumptions, plain: Callable[[Loss], Derivation]
) -> Derivation | None:
    """Return the theory of a loss with weights from the one without; None where it is no such.

    Args:
        derivation: what is known of the loss with weights.
        parameters: its parameters.
        plain: derives a loss without parameters with the score as parameter.
    """
    weights = Weights.of(derivation.definition, parameters)
    if weights is None:
        return None
    bare = plain(weights.bare)
    if bare.no_optimum:
        where = "" if "every r" in bare.no_optimum else weights_said(weights.k)
        return replace(derivation, no_optimum=bare.no_optimum + where, undecided=None)
    if bare.optimum is None or bare.implicit is None:
        reason = "; ".join((bare.undecided or {}).values())
        raise Undecided(f"without the weights of its payoffs: {reason}")
    return _Mapped(derivation, weights, bare, bare.implicit, {}).whole()


def weights_said(k: sp.Expr) -> str:
    """Say what r is in a reason about the loss without weights."""
    return "" if k == 1 else f", where r stands for ({k})*p/q"


@dataclass
class _Mapped:
    """The parts of a theory, mapped one by one."""

    found: Derivation
    weights: Weights
    bare: Derivation
    implicit: Implicit
    undecided: dict[str, str]

    def whole(self) -> Derivation:
        """Return the theory of the loss with weights."""
        weights, bare = self.weights, self.bare
        self.undecided |= bare.undecided or {}
        even = self.value_at_one()
        loss_at_one = self.loss_at_one()
        return replace(
            self.found,
            optimum=self.optimum(),
            second_order=bare.second_order,
            value=self.curvature("value", weights.fake.weight, even),
            loss=self.curvature("loss", weights.generator.weight, loss_at_one),
            followed=self.curvature("followed", weights.generator.weight, ZERO),
            zero_sum=is_zero_sum_derivation(self.found),
            saturation=self.saturation(),
            disjoint=self.disjoint(even, loss_at_one),
            equilibrium=self.equilibrium(even),
            undecided=self.undecided,
        )

    def optimum(self) -> OptimalDiscriminator:
        """Return t*(r) = t₁*(k·r)."""
        found, moved = self.bare.optimum, self.weights.moved
        assert found is not None
        return OptimalDiscriminator(
            moved(found.score),
            moved(found.D),
            found.attained,
            tuple(map(self.branch, found.branches)),
            tuple((ratio / self.weights.k, low, high) for ratio, low, high in found.flats),
            tuple(
                ((low / self.weights.k, high / self.weights.k), first, last)
                for (low, high), first, last in found.plateaus
            ),
        )

    def branch(self, branch: Branch) -> Branch:
        """Return one branch of the optimum."""
        weights = self.weights
        payoffs = {
            name: weights.payoff(name, weights.moved(getattr(branch, name)))
            for name in ("real", "fake", "generator", "link")
        }
        return replace(
            branch,
            ratios=tuple(end / weights.k for end in branch.ratios),
            x=weights.moved(branch.x),
            supremum=r * payoffs["real"] + payoffs["fake"],
            **payoffs,
        )

    def at_one(self, name: str) -> sp.Expr:
        """Return a payoff at P = Q, piecewise in the weights where the optimum jumps."""
        weights = self.weights
        if weights.k == 1:
            return weights.payoff(name, as_expression(self.implicit.at_one(name)))
        return weights.payoff(name, weights.moved(self.implicit.payoff(name), ONE))

    def loss_at_one(self) -> sp.Expr:
        """Return h(1), the mean of both sides where h jumps there."""
        weights, made = self.weights, self.at_one("generator")
        if weights.k == 1:
            return weights.payoff(
                "generator", as_expression(self.implicit.mean_at_one("generator"))
            )
        cases = []
        for before, after in joints(self.implicit.path):
            sides = [as_expression(end_of(*s, "generator")) for s in ((before, -1), (after, 1))]
            if not same(*sides):
                place = sp.Eq(weights.k, as_expression(before.ratios[1]))
                cases.append((weights.payoff("generator", sp.Add(*sides) / 2), place))
        return sp.Piecewise(*cases, (made, True)) if cases else made

    def value_at_one(self) -> sp.Expr:
        """Return F(1)."""
        return self.at_one("real") + self.at_one("fake")

    def curvature(self, name: str, weight: sp.Expr, constant: sp.Expr) -> Curvature | None:
        """Return one curvature, weight·k²·f₁''(k·r)."""
        found: Curvature | None = getattr(self.bare, name)
        if found is None:
            return None
        k = self.weights.k
        factor = weight * k**2
        place = found.counterexample
        reason = found.reason if found.is_divergence else found.reason + weights_said(k)
        return replace(
            found,
            curvature=factor * self.weights.moved(found.curvature),
            atoms=tuple((at / k, mass * factor / k) for at, mass in found.atoms),
            jumps=tuple((at / k, step * weight) for at, step in found.jumps),
            constant=constant,
            terms={},
            alternatives=(),
            counterexample=None if place is None else place / k,
            reason=reason,
            zero_only_at_equality=found.zero_only_at_equality if self.is_smooth else None,
            slope=None,
            parameters=Assumptions.of(self.found.definition.parameters),
            parametric=tuple(
                Parametric(one.ratio / k, factor * one.curvature, one.start, one.stop)
                for one in found.parametric
            ),
        )

    @property
    def is_smooth(self) -> bool:
        """Whether the optimum is one arc, so that nothing depends on where r = 1 lies."""
        return len(self.implicit.path.segments) == 1

    def saturation(self) -> Saturation | None:
        """Return both weights of the gradient, each times the generator's."""
        found = self.bare.saturation
        if found is None:
            return None
        weight = self.weights.generator.weight

        def times(limit: sp.Expr | None) -> sp.Expr | None:
            return None if limit is None else weight * limit

        return Saturation(
            weight * self.weights.moved(found.weight),
            times(found.limit_at_0),
            times(found.limit_at_inf),
            None if found.in_score is None else weight * self.weights.moved(found.in_score),
            times(found.score_limit_at_0),
            times(found.score_limit_at_inf),
        )

    def disjoint(self, even: sp.Expr, loss: sp.Expr) -> Disjoint:
        """Return f(0) + f'(oo) of the three quantities."""
        first, last = self.implicit.path.segments[0], self.implicit.path.segments[-1]

        def end(name: str, at_zero: bool) -> sp.Expr:
            segment, side = (first, 1) if at_zero else (last, -1)
            found = as_expression(end_of(segment, side, name))
            return self.weights.payoff(name, found)

        def attempt(name: str, made: Callable[[], sp.Expr]) -> sp.Expr | None:
            found = self.implicit.attempt(f"disjoint {name}", made)
            if not isinstance(found, sp.Expr):
                self.undecided[f"disjoint {name}"] = self.implicit.undecided.get(
                    f"disjoint {name}", "it depends on the weights"
                )
                return None
            self.undecided.pop(f"disjoint {name}", None)
            return found

        def of_followed() -> sp.Expr:
            whole = self.bare.disjoint and self.bare.disjoint.followed
            if isinstance(whole, sp.Expr) and whole.is_infinite:
                return whole
            raise Undecided("an integral over r > 1 that depends on the weights")

        if self.bare.loss is None:
            return Disjoint(attempt("value", lambda: end("real", False) + end("fake", True) - even),
                            None, None)  # fmt: skip
        growth = self.weights.generator.weight * self.weights.k
        return Disjoint(
            attempt("value", lambda: end("real", False) + end("fake", True) - even),
            attempt(
                "loss",
                lambda: (
                    end("generator", True)
                    + growth * as_expression(self.implicit.growth(last))
                    - loss
                ),
            ),
            attempt("followed", of_followed),
        )

    def equilibrium(self, even: sp.Expr) -> Equilibrium | None:
        """Return what is read at P = Q, piecewise in the weights where the optimum jumps."""
        weights, found = self.weights, self.bare.equilibrium
        if found is None:
            return None
        loss = None if self.bare.loss is None else self.at_one("generator")
        if weights.k == 1 or self.is_smooth:
            spread = found.generator_range and tuple(
                weights.payoff("generator", end) for end in found.generator_range
            )
            return Equilibrium(self.at_one("link"), -even, loss, found.D_range, spread)
        others = []
        for before, after in joints(self.implicit.path):
            below, above = (
                [as_expression(end_of(*s, name)) for name in ("link", "generator")]
                for s in ((before, -1), (after, 1))
            )
            if not same(below[0], above[0]):
                place = sp.Eq(weights.k, as_expression(before.ratios[1]))
                others.append(Tie(above[0], weights.payoff("generator", above[1]), place))
        return Equilibrium(self.at_one("link"), -even, loss, others=tuple(others))


def is_zero_sum_derivation(derivation: Derivation) -> bool | None:
    """Return whether c − b is constant, for all legal parameters."""
    payoffs = payoffs_of(derivation.definition, Assumptions.of(derivation.definition.parameters))
    slope = sp.diff(payoffs.generator - payoffs.fake, t)
    return True if sp.simplify(slope) == 0 else False if not slope.free_symbols - {t} else None
