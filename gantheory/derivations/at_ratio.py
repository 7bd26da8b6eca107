"""One derivation at one ratio, held against the formulas as typed.

See `gantheory.derivations.confirmation`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sympy as sp
from flint import arb, arb_series, fmpq

from gantheory.derivations.derivation import Derivation
from gantheory.divergences import RATIO, named
from gantheory.errors import GantheoryError, InternalError
from gantheory.exact.assumptions import Assumptions, end, positive_image
from gantheory.exact.signs.balls import NoEnclosure, enclose
from gantheory.expressions import parse
from gantheory.formulas import PAYOFF, PROBABILITY, SCORE, interval
from gantheory.functions import r, to_sympy
from gantheory.losses.loss import Loss
from gantheory.records import Estimate
from gantheory.theory.jets import FUNCTIONS, constant_jet, jet, variable
from gantheory.theory.records import Curvature

RIVALS = 2  # scores tried against each optimum

Point = Mapping[sp.Symbol, arb]


def draw_positive(draw: random.Random) -> fmpq:
    """Return a random rational between 1/8 and 8."""
    return fmpq(round(1000 * 8 ** draw.uniform(-1, 1)), 1000)


def named_curvature(name: str, point: Point) -> arb:
    """Return f''(r) of a named divergence, from its generator as typed."""
    try:
        text = named(name).f
    except GantheoryError:  # a power with a parameter in its order
        symbols = {str(symbol): symbol for symbol in point}
        order = enclose(to_sympy(name.removeprefix("power_"), symbols), point)
        ratio: arb = point[r] ** (order - 2)
        return ratio
    bent: arb = 2 * jet(parse(text, RATIO), {"r": variable(point[r])})[2]
    return bent


@dataclass
class At:
    """One derivation at one ratio: the score there, and whether it moves with the ratio."""

    derivation: Derivation
    parameters: Assumptions
    point: Point
    score: arb
    moves: bool
    draw: random.Random

    def confirm(self) -> None:
        """Hold all that was derived against the formulas as typed."""
        loss = self.derivation.definition
        a, b, c, link = (
            self.jet(text, self.score) for text in (loss.real, loss.fake, loss.generator, loss.link)
        )
        if self.derivation.optimum is not None:
            self.agree("the optimal D", self.derivation.optimum.D, link[0])
        self.confirm_maximum(self.point[r] * a[0] + b[0])
        first, second = self.motion(a, b)
        h = c[1] * first
        expected = {
            "value": a[1] * first,
            "loss": 2 * c[2] * first**2 + c[1] * second,
            "followed": -h / self.point[r],
        }
        for name, found in self.derivation.curvatures.items():
            self.agree(f"the {name} curvature", found.curvature, expected[name])
            self.confirm_terms(name, found, expected[name])

    def jet(self, text: str, score: arb) -> arb_series:
        """Return the jet of a payoff in the score."""
        t = variable(score)
        symbols = self.parameters.symbols.items()
        names = {name: constant_jet(enclose(symbol, self.point)) for name, symbol in symbols}
        return jet(parse(text, PAYOFF), {**names, SCORE: t, PROBABILITY: FUNCTIONS["sigmoid"](t)})

    def payoff(self, name: str) -> arb:
        """Return a payoff at the score, by the name of its formula."""
        return self.jet(getattr(self.derivation.definition, name), self.score)[0]

    def slope_of_loss(self) -> tuple[arb, arb]:
        """Return c'(t*), and −r·h'(r): the weights of the gradient in the score and in log r."""
        loss = self.derivation.definition
        a, b, c = (self.jet(text, self.score) for text in (loss.real, loss.fake, loss.generator))
        first, _ = self.motion(a, b)
        return c[1], -self.point[r] * c[1] * first

    def motion(self, a: arb_series, b: arb_series) -> tuple[arb, arb]:
        """Return t*' and t*'' by implicit differentiation; (0, 0) where the score rests."""
        if not self.moves:
            return arb(0), arb(0)
        s = [self.point[r] * a[k] + b[k] for k in range(4)]
        if s[1].is_finite() and not s[1].contains(0):
            self.fail("t* is not stationary", s[1], arb(0))
        bend, third = 2 * s[2], 6 * s[3]
        first = -a[1] / bend
        return first, -(4 * a[2] * first + third * first**2) / bend

    def confirm_maximum(self, value: arb) -> None:
        """See that no random score of the domain does better."""
        loss = self.derivation.definition
        for score in self.rivals():
            rival = self.point[r] * self.jet(loss.real, score)[0] + self.jet(loss.fake, score)[0]
            if rival > value:
                self.fail(f"the score {float(score.mid()):.6g} does better than t*", rival, value)

    def rivals(self) -> Iterator[arb]:
        """Yield random scores of the domain."""
        names = self.parameters.symbols
        declared = interval(self.derivation.definition.domain)
        ends = (end(declared.lower, names), end(declared.upper, names))
        image = positive_image(sp.Symbol(SCORE), *ends)
        for _ in range(RIVALS):
            free = arb(draw_positive(self.draw))
            if image is None:
                yield 3 * free.log()
            else:
                inner = {dummy: free for dummy in image.atoms(sp.Dummy)}
                yield enclose(image, {**self.point, **inner})

    def confirm_terms(self, name: str, curvature: Curvature, expected: arb) -> None:
        """See that the named divergences have the curvature."""
        if not curvature.terms or curvature.is_divergence is False:
            return
        try:
            total = sum(
                (
                    enclose(c, self.point) * named_curvature(n, self.point)
                    for n, c in curvature.terms.items()
                ),
                arb(0),
            )
        except NoEnclosure:
            return
        self.compare(f"{name} = {curvature.divergence}", total, expected)

    def ball(self, expr: sp.Expr | Estimate | None) -> arb | None:
        """Return the ball of what is derived; None where there is none."""
        if not isinstance(expr, sp.Expr):
            return None
        try:
            return enclose(expr, self.point)
        except NoEnclosure:
            return None

    def agree(self, what: str, expr: sp.Expr, expected: arb) -> None:
        """Compare a derived expression with a ball, where it has one."""
        try:
            self.compare(what, enclose(expr, self.point), expected)
        except NoEnclosure:
            return

    def compare(self, what: str, found: arb, expected: arb) -> None:
        """Fail where two balls do not overlap; what is not finite is passed over."""
        if found.is_finite() and expected.is_finite() and not found.overlaps(expected):
            self.fail(f"{what} is not what the formulas give", found, expected)

    def fail(self, what: str, found: arb, expected: arb) -> None:
        """Raise the fault, with everything that is needed to see it again."""
        loss: Loss = self.derivation.definition
        at = ", ".join(f"{symbol} = {value.str(8)}" for symbol, value in self.point.items())
        raise InternalError(
            f"the derivation of real {loss.real!r}, fake {loss.fake!r}, generator "
            f"{loss.generator!r} on {loss.domain} contradicts its formulas: {what}, at {at}: "
            f"{found.str(8)} against {expected.str(8)}"
        )
