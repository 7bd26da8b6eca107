r"""A function of the optimal score as a function of r, where t*(r) has no closed form.

`AtScore(value, real, fake, lower, upper, ratio)` stands for value(t) at the one t between the two
ends at which ratio·real(t) + fake(t) changes from + to −: with real = a' and fake = b' the
optimal score. With ρ = −fake/real its derivative is value'(t)/ρ'(t), so that it is closed under
differentiation, and balls enclose it: the root by halving, as the sign of the left side tells on
which side of the root a score lies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import mpmath
import sympy as sp
from flint import arb, ctx
from mpmath.libmp import from_man_exp

from gantheory.exact.derivative import derivative
from gantheory.exact.signs.balls import NoEnclosure, enclose
from gantheory.functions import t
from gantheory.implicit.isolation import Function, meet
from gantheory.implicit.reals import Real
from gantheory.implicit.sections import generic_point

FAR = 400  # binary digits of the largest score tried, and of the distance to a finite end
NEWTON = 8  # halvings between two tries of Newton's method
MOST = 12  # steps of it: each doubles the digits
MOST_BITS = 200  # of a constant that is shown
GUARD = 40  # bits worked in beyond those that are asked for


@lru_cache(maxsize=1024)
def function_of(expr: sp.Expr) -> Function:
    """Return an expression of the score as a function, each made once."""
    return Function(expr, t)


def _given(expr: sp.Expr, values: Mapping[sp.Symbol, arb]) -> Function:
    """Return an expression of the score and of parameters within ``values`` as a function."""
    return function_of(expr) if not expr.free_symbols - {t} else Function(expr, t, values)


def _end(expr: sp.Expr, values: Mapping[sp.Symbol, arb]) -> Real:
    return Real.of(expr) if not expr.free_symbols else Real(enclose(expr, values))


class AtScore(sp.Function):
    """A function of the score at the optimum, as a function of the ratio."""

    nargs = 6

    @property
    def free_symbols(self) -> set[sp.Basic]:
        """All symbols but the score, which is bound."""
        return set().union(*(part.free_symbols for part in self.args)) - {t}

    def _eval_derivative(self, symbol: sp.Symbol) -> sp.Expr:
        value, real, fake, *rest = self.args
        slope = derivative(value, t) / derivative(-fake / real, t)
        return AtScore(slope, real, fake, *rest) * derivative(rest[2], symbol)

    def _sympystr(self, printer: Any) -> str:
        value, ratio = (printer._print(self.args[k]) for k in (0, 5))
        return f"({value} where t = t*)" if ratio == "r" else f"({value} where t = t* at {ratio})"

    def _latex(self, printer: Any) -> str:
        value, ratio = (printer._print(self.args[k]) for k in (0, 5))
        return rf"\left. {value} \right|_{{t = t^*({ratio})}}"

    def _eval_evalf(self, prec: int) -> sp.Expr | None:
        if self.free_symbols:
            return self
        with ctx.workprec(prec + GUARD):
            ball = self.enclosed({})
            return as_expression(Real(ball)) if ball.is_finite() else None  # left as it stands

    def enclosed(self, values: Mapping[sp.Symbol, arb]) -> arb:
        """Return a ball around its value, for symbols within ``values``."""
        value, real, fake, lower, upper, ratio = self.args
        known = {symbol: ball for symbol, ball in values.items() if symbol in self.free_symbols}
        score = stationary_score(
            _given(real, known), _given(fake, known), _end(lower, known), _end(upper, known),
            enclose(ratio, values),
        )  # fmt: skip
        return _given(value, known).value(score)


def stationary_score(real: Function, fake: Function, lower: Real, upper: Real, ratio: arb) -> arb:
    """Return a ball around the score at which ratio·real + fake changes from + to −."""
    if ratio.rad() > 0:
        ends = [
            stationary_score(real, fake, lower, upper, r) for r in (ratio.lower(), ratio.upper())
        ]
        return ends[0].union(ends[1])

    def sign(score: arb) -> int | None:
        value = ratio * real.value(score) + fake.value(score)
        return 1 if value > 0 else -1 if value < 0 else None

    low, high = _bracket(sign, lower, upper)
    for step in range(ctx.prec + FAR):
        if step % NEWTON == 0:
            box, done = _newton(real, fake, ratio, low.union(high))
            if done:
                return box
            low, high = box.lower(), box.upper()
        middle = ((low + high) / 2).mid()
        side = sign(middle)
        if side is None or not low < middle < high:
            break
        low, high = (middle, high) if side > 0 else (low, middle)
    return low.union(high)


def _newton(real: Function, fake: Function, ratio: arb, box: arb) -> tuple[arb, bool]:
    """Narrow a root by Newton's method on the whole interval; done where it stays as wide."""
    for _ in range(MOST):
        slopes = [f(box, 2)[1] for f in (real, fake)]
        slope = ratio * slopes[0] + slopes[1]
        middle = box.mid()
        if not slope < 0:
            return box, False
        step = middle - (ratio * real.value(middle) + fake.value(middle)) / slope
        if not step.overlaps(box):
            return box, False
        smaller = meet(box, step)
        if smaller.rad() * 2 > box.rad():
            return smaller, bool(smaller.rad() < arb(2) ** (-ctx.prec // 2) * (1 + abs(middle)))
        box = smaller
    return box, True


def _bracket(sign: Callable[[arb], int | None], lower: Real, upper: Real) -> tuple[arb, arb]:
    """Return two scores with + at the first and − at the second.

    Scores are tried at 2^k from a generic one, or at 2^-k of the way to a finite end: k doubles
    until the sign has changed, and is then halved.
    """
    start = generic_point(lower, upper)
    side = -1 if sign(start) == -1 else 1
    end = upper if side > 0 else lower

    def place(k: int) -> arb:
        if end.is_finite:
            return (end.ball - (end.ball - start) * arb(2) ** (-k - 1)).mid()
        return (start + side * arb(2) ** (k - 1)).mid()

    near, last, far = -1, start, 0
    while (found := sign(place(far))) != -side and far < FAR:
        near, last = (far, place(far)) if found == side else (near, last)
        far = min(2 * far + 1, FAR)
    if found != -side:
        if not end.is_finite:
            raise NoEnclosure(f"the optimal score is beyond 2**{FAR - 2}")
        return (last, end.ball) if side > 0 else (end.ball, last)
    while far - near > 1:
        middle = (near + far) // 2
        found = sign(place(middle))
        if found is None:
            break
        near, far = (middle, far) if found == side else (near, middle)
    last, beyond = place(near) if near >= 0 else last, place(far)
    return (last, beyond) if side > 0 else (beyond, last)


def as_expression(real: Real) -> sp.Expr:
    """Return a number as an expression: exact, or with the digits that its ball has."""
    if real.exact is not None:
        return real.exact
    if real.ball.contains(0) and abs(real.ball) < 1e-20:
        return sp.Integer(0)
    # a Float stands for all within 2^(1 - bits): room for the ball, and for rounding its centre
    bits = min(max(real.ball.rel_accuracy_bits() - 1, 4), MOST_BITS)
    mantissa, exponent = real.ball.mid().man_exp()
    rounded = from_man_exp(int(mantissa), int(exponent), bits, "n")
    return sp.Float._new(rounded, bits)


def in_mpmath(expr: sp.Expr, symbol: sp.Symbol) -> Callable[[Any], Any]:
    """Return an expression with such functions as a function of mpmath's numbers."""

    def evaluated(x: Any) -> Any:
        with ctx.workprec(mpmath.mp.prec + GUARD):
            ball = enclose(expr, {symbol: arb(x)})
            if not ball.is_finite():
                return mpmath.nan
            mantissa, exponent = ball.mid().man_exp()
            return mpmath.ldexp(mpmath.mpf(int(mantissa)), int(exponent))

    return evaluated
