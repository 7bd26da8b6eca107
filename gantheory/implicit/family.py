r"""The optimum of a loss with free parameters, on one smooth stretch of scores, for all of them.

Where a' and b' never rise and not both are constant, S(t; r) = r·a'(t) + b'(t) falls along the
domain for every r > 0 and every legal parameter, so that t*(r) is its one zero, or an end. The
optimal scores are those between the zeros of b' and a', and a' has one sign on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import sympy as sp

from gantheory.deadline import OutOfTime, Undecided, check_time
from gantheory.exact.assumptions import Assumptions
from gantheory.exact.roots import roots_between
from gantheory.functions import r, relu, sigmoid, t
from gantheory.implicit.atscore import AtScore
from gantheory.implicit.curves import formulas
from gantheory.implicit.stationary import Slopes
from gantheory.losses.loss import Loss
from gantheory.theory.coordinates import Payoffs, payoffs_of
from gantheory.theory.pieces import KINKS, domain_of

ZERO, ONE = sp.Integer(0), sp.Integer(1)
SHORT = 200  # operations of what is multiplied out


@dataclass
class SmoothFamily:
    """A loss with free parameters whose payoffs have no kink.

    Attributes:
        loss: its formulas.
        parameters: their legal intervals.
        lower, upper: the ends of the scores.
        closed: whether each end is attained.
    """

    loss: Loss
    parameters: Assumptions
    payoffs: Payoffs
    lower: sp.Expr
    upper: sp.Expr
    closed: tuple[bool, bool]
    known: dict[sp.Expr, int | None] = field(default_factory=dict)

    @classmethod
    def of(cls, loss: Loss, parameters: Assumptions) -> SmoothFamily:
        """Read a loss.

        Raises:
            Undecided: where a payoff has a kink.
        """
        payoffs = payoffs_of(loss, parameters).map(_without_tanh)
        lower, upper, *closed = domain_of(loss, parameters)
        found = cls(loss, parameters, payoffs, lower, upper, (closed[0], closed[1]))
        found.payoffs = payoffs.map(found._without_kinks)
        if any(k.has(t) for part in vars(found.payoffs).values() for k in part.atoms(*KINKS)):
            raise Undecided("a payoff with a kink and free parameters")
        if not found.falls():
            raise Undecided("a payoff whose concavity depends on the parameters")
        return found

    def _without_kinks(self, expr: sp.Expr) -> sp.Expr:
        """Put in what kinks are where their arguments have one sign on the whole domain."""
        signs = {kink: self.sign(kink.args[0]) for kink in expr.atoms(relu)}
        return expr.xreplace(
            {k: k.args[0] if sign == 1 else ZERO for k, sign in signs.items() if sign is not None}
        )

    @cached_property
    def slopes(self) -> Slopes:
        """The derivatives of the discriminator's payoffs."""
        return Slopes(self.payoffs)

    @cached_property
    def formulas(self) -> dict[str, sp.Expr]:
        """Curvatures and weights as formulas in the score."""
        return formulas(self.slopes)

    @cached_property
    def slope(self) -> sp.Expr:
        """c'."""
        return sp.diff(self.payoffs.generator, t)

    def sign(self, expr: sp.Expr) -> int | None:
        """Return the sign on all scores for all parameters, zeros at single points allowed."""
        if expr not in self.known:
            self.known[expr] = self._sign(expr, self.lower, self.upper)
        return self.known[expr]

    def sign_between(self, expr: sp.Expr, low: sp.Expr, high: sp.Expr) -> int | None:
        """Return the sign on the scores between two."""
        return self._sign(expr, low, high)

    def _sign(self, expr: sp.Expr, low: sp.Expr, high: sp.Expr) -> int | None:
        check_time()
        if expr == 0:
            return 0
        image, _ = self.parameters._positive_form(expr, {**self.parameters.ranges, t: (low, high)})
        for form in _forms(image):
            if form.is_zero:
                return 0
            if form.is_nonnegative or form.is_nonpositive:
                return 1 if form.is_nonnegative else -1
        return None

    def sign_at(self, expr: sp.Expr, score: sp.Expr) -> int | None:
        """Return the sign at a score, for all parameters."""
        value = expr.xreplace({t: score})
        if value.has(sp.nan, sp.zoo, sp.oo):
            return None
        found = self._sign(value, ZERO, sp.oo)
        if found is not None:
            strict = any(one.is_nonzero for one in _forms(value))
            return found if strict or found == 0 else None
        try:
            return self.parameters.sign(value)
        except OutOfTime:
            raise
        except Undecided:
            return None

    def falls(self) -> bool:
        """Whether S falls along the domain, for every r and every parameter."""
        payoffs = self.payoffs.real, self.payoffs.fake
        terms = {term for payoff in payoffs for term in sp.Add.make_args(payoff)}
        bends = {self.sign(sp.diff(term, t, 2)) for term in terms}
        if not bends <= {0, -1}:
            bends = {self.sign(sp.diff(payoff, t, 2)) for payoff in payoffs}
        return bends <= {0, -1} and -1 in bends

    def at_end(self, expr: sp.Expr, side: int) -> sp.Expr:
        """Return a limit at the lower (1) or the upper (-1) end.

        Raises:
            Undecided: where it is not found.
        """
        point = self.lower if side == 1 else self.upper
        if point.is_finite:
            value = expr.xreplace({t: point})
            if not value.has(sp.nan, sp.zoo, sp.oo):
                return value
        plain = expr.rewrite(sp.exp).doit()
        plain = plain.replace(lambda e: type(e).__name__ == "softplus", _as_log)
        try:
            found = sp.limit(plain, t, point, "+" if side == 1 else "-")
        except OutOfTime:
            raise
        except Exception:  # sympy's limits end in errors of many kinds
            found = sp.nan
        if found.has(sp.nan, sp.zoo, sp.Limit, sp.AccumBounds, t) or not found.is_extended_real:
            raise Undecided(f"the limit of {str(expr)[:60]} at t = {point} is not known")
        return found

    def level(self, side: int) -> tuple[sp.Expr, int]:
        """Return (ρ, sign of S above it) at an end: S has the other sign for r < ρ.

        ρ is 0 where S has one sign for every r; where parameters decide that, it is max(0, ρ).
        """
        values = [self.at_end(part, side) for part in (self.slopes.real, self.slopes.fake)]
        if all(value.is_finite for value in values) and self.sign_at(values[1], ZERO) is None:
            first = self.sign_at(values[0], ZERO)
            if first:
                return sp.Max(0, -values[1] / values[0]), first
        endless = [value for value in values if value.is_infinite]
        if len(endless) == 1:
            return ZERO, _sign_of_limit(endless[0], self)
        a, b = (_sign_of_limit(value, self) for value in values)
        if a * b >= 0:
            if a == b == 0:
                raise Undecided("both payoffs are flat at an end of the domain")
            return ZERO, a or b
        ratio = self.at_end(self.slopes.ratio, side)
        if ratio == sp.oo:
            return ZERO, b
        if ratio != 0 and self.parameters.sign(ratio) != 1:
            raise Undecided("where the optimum leaves an end depends on the parameters")
        return ratio, a

    @cached_property
    def between(self) -> tuple[sp.Expr, int]:
        """An optimal score, or None-like t, and the sign of a' on all optimal scores."""
        a, b = self.slopes.real, self.slopes.fake
        for sign in (self.sign(a), -(self.sign(b) or 0)):
            if sign:
                return t, sign
        for score in self.candidates():
            signs = self.sign_at(a, score), self.sign_at(b, score)
            if None in signs or signs == (0, 0):
                continue
            if signs[0] * signs[1] <= 0:  # type: ignore[operator]
                return score, signs[0] or -signs[1]  # type: ignore[operator]
        raise Undecided("whether the optimal score rises with r depends on the parameters")

    def candidates(self) -> Iterator[sp.Expr]:
        """Yield scores at which signs may be known: simple ones, parameters, zeros of slopes."""
        simple = [ZERO, ONE, -ONE]
        for symbol in self.parameters.ranges:
            simple += [symbol, -symbol]
        yield from (score for score in simple if self.contains(score))
        for part in (self.slopes.real, self.slopes.fake, self.slope):
            yield from self.zeros(part)

    def contains(self, score: sp.Expr) -> bool:
        """Whether a score lies in the domain for all parameters."""
        above = self.lower == -sp.oo or self.parameters.sign(score - self.lower) == 1
        return above and (self.upper == sp.oo or self.parameters.sign(self.upper - score) == 1)

    def zeros(self, expr: sp.Expr) -> list[sp.Expr]:
        """Return the zeros that have a closed form."""
        if t not in expr.free_symbols:
            return []
        try:
            return list(roots_between(expr, t, self.lower, self.upper, self.parameters))
        except OutOfTime:
            raise
        except Undecided:
            return []

    @cached_property
    def rises(self) -> bool:
        """Whether the optimal score rises with the ratio."""
        return self.between[1] > 0

    @cached_property
    def span(self) -> tuple[sp.Expr, sp.Expr]:
        """Scores, or ends of the domain, between which all optimal ones lie."""
        low, high = self.lower, self.upper
        for score in self.candidates():
            signs = {self.sign_at(part, score) for part in (self.slopes.real, self.slopes.fake)}
            if None in signs:
                continue
            if signs <= {0, -1} and self._is_tighter(high, score):
                high = score
            if signs <= {0, 1} and self._is_tighter(score, low):
                low = score
        return low, high

    def _is_tighter(self, one: sp.Expr, other: sp.Expr) -> bool:
        if one == sp.oo or other == -sp.oo:
            return True
        return self.parameters.sign(one - other) == 1

    def generator_falls(self) -> tuple[int | None, sp.Expr | None]:
        """Return the sign of −c' along growing r, and a score at which it is the wrong one."""
        turn = 1 if self.rises else -1
        slope = self.sign(self.slope)
        if slope is None:
            slope = self.sign_between(self.slope, *self.span)
        if slope is not None:
            return -slope * turn, None
        a, b = self.slopes.real, self.slopes.fake
        for score in self.candidates():
            inside = self.sign_at(a, score) == turn and self.sign_at(b, score) == -turn
            if inside and self.sign_at(self.slope, score) == turn:
                return -1, score
        for score in self.zeros(self.slope):
            inside = self.sign_at(a, score) == turn and self.sign_at(b, score) == -turn
            bend = self.sign_at(sp.diff(self.slope, t), score)
            if inside and bend:  # c' changes sign inside of the optimal scores
                return -1, score
        return None, None

    def at_ratio(self, name: str, ratio: sp.Expr = r) -> sp.Expr:
        """Return a payoff or formula at the zero of S, as a function of the ratio."""
        expr = getattr(self.payoffs, name, None)
        if expr is None:
            expr = t if name == "score" else self.formulas[name]
        if t not in expr.free_symbols:
            return expr
        parts = (self.slopes.real, self.slopes.fake)
        if ratio == sp.oo:  # the zero of a'
            return AtScore(expr, *reversed(parts), self.lower, self.upper, ZERO)
        return AtScore(expr, *parts, self.lower, self.upper, ratio)


def _as_log(u: sp.Expr) -> sp.Expr:
    return sp.log(1 + sp.exp(u.args[0]))


def _without_tanh(expr: sp.Expr) -> sp.Expr:
    """Write tanh by sigmoids, whose derivatives have a sign."""
    return expr.replace(sp.tanh, lambda u: 2 * sigmoid(2 * u) - 1)


def _forms(expr: sp.Expr) -> Iterator[sp.Expr]:
    """Yield an expression in forms of which one may show its sign."""
    yield expr
    if expr.count_ops() > SHORT:
        return
    yield sp.expand(expr)
    yield sp.factor_terms(expr)
    top, bottom = sp.fraction(sp.together(expr))
    yield sp.expand(top) / bottom
    yield sp.factor(expr)


def _sign_of_limit(value: sp.Expr, family: SmoothFamily) -> int:
    if value.is_infinite:
        return 1 if value.is_extended_positive else -1
    found = 0 if value == 0 else family.sign_at(value, ZERO)
    if found is None:
        raise Undecided(f"the sign of {value} depends on the parameters")
    return found
