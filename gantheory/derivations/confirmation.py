r"""Every derivation is evaluated against the formulas as typed before anyone sees it.

At random ratios r, and random legal parameters, balls are put through the syntax trees of the
payoffs (`gantheory.theory.jets`) at the derived score t*(r). With
:math:`S(t; r) = r a'(t) + b'(t)`, implicit differentiation of S = 0 gives

.. math:: t' = -a'/S_t, \quad t'' = -(2a'' t' + S_{tt} t'^2)/S_t,

and where t* does not move, t' = t'' = 0. So the three curvatures a'·t', c''·t'² + c'·t'' and
−c'·t'/r follow without the engine's algebra, and two balls that do not overlap are a contradiction:
a fault of the toolkit, never of its user, and `InternalError` says so. What has no ball at a
point (an infinite score, a corner that is hit) is passed over there.

At P = Q no score may do better than the stated constant. Limits are held against the formulas at
the ratios 2**-400 and 2**400: two numbers that differ there by more than `SLOW` are no limits of
each other, as payoffs tend to theirs like a power or a logarithm of r.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import sympy as sp
from flint import arb, arb_series, ctx, fmpq

from gantheory.derivations.derivation import Derivation
from gantheory.divergences import RATIO, named
from gantheory.errors import GantheoryError, InternalError
from gantheory.exact.assumptions import Assumptions, end, positive_image
from gantheory.exact.signs.balls import NoEnclosure, enclose, piece_at
from gantheory.expressions import parse
from gantheory.formulas import PAYOFF, PROBABILITY, SCORE, interval
from gantheory.functions import r, to_sympy
from gantheory.losses.loss import Loss
from gantheory.records import Estimate
from gantheory.theory.jets import FUNCTIONS, constant, jet, variable
from gantheory.theory.records import Curvature, OptimalDiscriminator

BITS = 192  # leaves 30 digits where half of them cancel
POINTS = 2  # for each interval of ratios: one accident is possible, the second is independent
RIVALS = 2  # scores tried against each optimum
FAR = 400  # binary digits of the ratios at which limits are looked at
SLOW = 0.02  # 1/log(2**400) is 0.0036

Point = Mapping[sp.Symbol, arb]


def confirm(derivation: Derivation) -> Derivation:
    """Return ``derivation`` if its loss, evaluated as typed, agrees with it.

    Raises:
        InternalError: where the two are certainly apart.
    """
    optimum = derivation.optimum
    if optimum is None:
        return derivation
    draw = random.Random(f"{derivation.definition.real} {derivation.definition.fake}")
    parameters = Assumptions.of(derivation.definition.parameters)
    with ctx.workprec(BITS):
        for point in _points(derivation, parameters, draw):
            try:
                score = piece_at(optimum.score, point)
                place = enclose(score, point)
                if not _is_attained(optimum, point):
                    continue  # beside a jump of a payoff, which has another value at the jump
            except NoEnclosure:
                continue
            _At(derivation, parameters, point, place, score.has(r), draw).confirm()
    if derivation.implicit is not None:
        return derivation  # its limits may be approached like 1/sqrt(log r), and are proved
    with ctx.workprec(3 * FAR):
        _confirm_ends(derivation, parameters, draw_parameters(parameters, draw), draw)
    return derivation


def _is_attained(optimum: OptimalDiscriminator, point: Point) -> bool:
    """Return whether the optimum at a ratio is the payoffs' value at a score."""
    for branch in optimum.branches:
        if branch.ratios[1] == sp.oo or enclose(branch.ratios[1], point) > point[r]:
            return branch.attained
    return False


def _confirm_ends(
    derivation: Derivation, parameters: Assumptions, values: Point, draw: random.Random
) -> None:
    """Hold what is read at P = Q, on disjoint supports and in saturation against the formulas."""
    ends = [_optimal(derivation, parameters, {**values, r: arb(2) ** k}, draw) for k in (-FAR, FAR)]
    even = _At(derivation, parameters, {**values, r: arb(1)}, arb(0), False, draw)
    best = even.ball(derivation.value and derivation.value.constant)
    if best is not None:
        even.confirm_maximum(best)
        if derivation.equilibrium is not None:
            even.agree("V at P = Q", -derivation.equilibrium.discriminator_loss, best)
    if derivation.saturation is not None:
        limits = derivation.saturation.limit_at_0, derivation.saturation.limit_at_inf
        for at, stated in zip(ends, limits, strict=True):
            if at is not None:
                at.tends("the weight of the gradient", derivation.saturation.weight, stated)
    none, all_ = ends
    if derivation.disjoint is None or none is None or all_ is None or best is None:
        return
    definition = derivation.definition
    value = (
        none.jet(definition.fake, none.score)[0] + all_.jet(definition.real, all_.score)[0] - best
    )
    even.is_near("the value on disjoint supports", value, even.ball(derivation.disjoint.value))
    at_one = even.ball(derivation.loss and derivation.loss.constant)
    if at_one is not None:
        h = [at.jet(definition.generator, at.score)[0] for at in (none, all_)]
        loss = h[0] + h[1] / all_.point[r] - at_one
        even.is_near("the loss on disjoint supports", loss, even.ball(derivation.disjoint.loss))


def _optimal(
    derivation: Derivation, parameters: Assumptions, point: Point, draw: random.Random
) -> _At | None:
    """Return the derivation at its optimal score; None where that is infinite."""
    assert derivation.optimum is not None
    try:
        score = enclose(piece_at(derivation.optimum.score, point), point)
        if not _is_attained(derivation.optimum, point):
            return None
    except NoEnclosure:
        return None
    return _At(derivation, parameters, point, score, True, draw) if score.is_finite() else None


def _points(
    derivation: Derivation, parameters: Assumptions, draw: random.Random
) -> Iterator[Point]:
    """Yield random ratios, some in each interval of the derivation, with random parameters."""
    shown = [derivation.optimum.score] if derivation.optimum else []
    shown += [found.curvature for found in derivation.curvatures.values()]
    ends = {
        side
        for expr in shown
        for relation in expr.atoms(sp.core.relational.Relational)
        for side in relation.args
        if not side.has(r)
    }
    for _ in range(POINTS):
        values = draw_parameters(parameters, draw)
        for ratio in _ratios(ends, values, draw):
            yield {**values, r: arb(ratio)}


def draw_parameters(parameters: Assumptions, draw: random.Random) -> dict[sp.Symbol, arb]:
    """Return random legal values of all parameters."""
    values: dict[sp.Symbol, arb] = {}
    for symbol, bounds in parameters.ranges.items():
        image = positive_image(symbol, *bounds)
        free = arb(draw_positive(draw))
        if image is None:
            values[symbol] = free.log()
            continue
        inner = {dummy: free for dummy in image.atoms(sp.Dummy)}
        values[symbol] = enclose(image, {**values, **inner})
    return values


def draw_positive(draw: random.Random) -> fmpq:
    """Return a random rational between 1/8 and 8."""
    return fmpq(round(1000 * 8 ** draw.uniform(-1, 1)), 1000)


def _ratios(ends: set[sp.Expr], values: Point, draw: random.Random) -> list[fmpq]:
    """Return one random ratio in each interval between the ends."""
    known = set()
    for side in ends:
        try:
            known.add(float(enclose(side, values).mid()))
        except NoEnclosure:
            continue
    places = sorted(place for place in known if 0 < place < float("inf"))
    if not places:
        return [draw_positive(draw)]
    cells = pairwise([places[0] / 4, *places, places[-1] * 4])
    within = (lower + (upper - lower) * draw.uniform(0.05, 0.95) for lower, upper in cells)
    return [fmpq(round(ratio * 2**40), 2**40) for ratio in within]


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
class _At:
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
        names = {name: constant(enclose(symbol, self.point)) for name, symbol in symbols}
        return jet(parse(text, PAYOFF), {**names, SCORE: t, PROBABILITY: FUNCTIONS["sigmoid"](t)})

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

    def confirm_terms(self, name: str, found: Curvature, expected: arb) -> None:
        """See that the named divergences have the curvature."""
        if not found.terms or found.is_divergence is False:
            return
        try:
            total = sum(
                (
                    enclose(c, self.point) * named_curvature(n, self.point)
                    for n, c in found.terms.items()
                ),
                arb(0),
            )
        except NoEnclosure:
            return
        self.compare(f"{name} = {found.divergence}", total, expected)

    def ball(self, expr: sp.Expr | Estimate | None) -> arb | None:
        """Return the ball of what is derived; None where there is none."""
        if not isinstance(expr, sp.Expr):
            return None
        try:
            return enclose(expr, self.point)
        except NoEnclosure:
            return None

    def tends(self, what: str, expr: sp.Expr, stated: sp.Expr | None) -> None:
        """See that an expression is near its stated limit."""
        found = self.ball(expr)
        if found is not None:
            self.is_near(f"the limit of {what}", found, self.ball(stated))

    def is_near(self, what: str, found: arb, stated: arb | None) -> None:
        """Fail where a finite limit is certainly not approached."""
        if stated is None or not (found.is_finite() and stated.is_finite()):
            return
        if abs(found - stated) > SLOW * (1 + abs(stated)):
            self.fail(f"{what} is not approached", found, stated)

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
