r"""A margin on all laws of two points, shown to be nowhere negative by exact algebra.

With P = (p, 1 − p), Q = (q, 1 − q) and p > q without loss of generality, the margin or one of its
first two derivatives along a line from p = q is a rational function on a triangle, whose sign is
decided exactly. Square roots of p, q, 1 − p and 1 − q are rational in half-angle tangents:
p = sin²α, P = tan(α/2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import sympy as sp

from gantheory.divergences import FDivergence
from gantheory.exact.signs.logforms import log_form, root_of
from gantheory.functions import r
from gantheory.inequalities.triangle import (
    P,
    Q,
    is_nonnegative_on_triangle,
    without_logarithms,
)
from gantheory.theory.branches import branch, generator_formula

HALF = sp.Rational(1, 2)


@dataclass(frozen=True)
class Coordinates:
    """Two numbers 0 < Q < P < 1 that stand for p > q, by one increasing function.

    Attributes:
        probability: p as a function of P.
        roots: the roots of p and of 1 − p as functions of P; None where they are not rational.
    """

    probability: sp.Expr
    roots: tuple[sp.Expr, sp.Expr] | None = None

    def divergence(self, entry: FDivergence) -> sp.Expr:
        """Return D(P, Q) for p > q."""
        x, total = sp.Dummy("x", positive=True), sp.Integer(0)
        masses = self.roots or (self.probability, 1 - self.probability)
        for side, mass in zip((sp.Integer(2), HALF), masses, strict=True):
            ratio, weight = mass / mass.subs(P, Q), mass.subs(P, Q)
            if self.roots is None:
                total += weight * branch(entry, side).subs(r, ratio)
            else:  # in x = √r > 0
                f = branch(entry, side).subs(r, x**2)
                total += weight**2 * f.subs(x, ratio)
        return plain_logs(total)

    def along(self, m: sp.Expr, share: sp.Rational) -> sp.Expr:
        """Return the derivative along (dp, dq) = (1 − share, −share)."""
        speed, total = sp.diff(self.probability, P), sp.Integer(0)
        if share != 1:
            total += (1 - share) * sp.diff(m, P) / speed
        if share != 0:
            total -= share * sp.diff(m, Q) / speed.subs(P, Q)
        return total


PLAIN = Coordinates(P)
_SINE, _COSINE = 2 * P / (1 + P**2), (1 - P**2) / (1 + P**2)
HALF_ANGLES = Coordinates(_SINE**2, (_SINE, _COSINE))


def certificate(margin: sp.Expr, entries: Mapping[sp.Symbol, FDivergence]) -> str | None:
    """Return why a margin is nowhere negative on laws of two points; None where it is not shown.

    Raises:
        NotALogForm: where the divergences have no exact form.
    """
    rooted = any(root_of(generator_formula(entry), r) > 1 for entry in entries.values())
    coordinates = HALF_ANGLES if rooted else PLAIN
    values = {symbol: coordinates.divergence(entry) for symbol, entry in entries.items()}
    m = plain_logs(margin.subs(values))
    for name, expression in _conditions(m, coordinates, _shares(entries)):
        plain = without_logarithms(expression)
        if plain is not None and is_nonnegative_on_triangle(plain):
            return f"by {name}{' in half-angle tangents' if rooted else ''}"
    return None


def _shares(entries: Mapping[sp.Symbol, FDivergence]) -> list[sp.Rational]:
    """Return how much of a rise of p − q is a fall of q: all, none, half, or along a valley.

    Near p = q = 1/2 a divergence of given p − q is least along q + k(p − q) = 1/2 with k = −c/3,
    c the ratio of the third derivative of f at 1 to the second; the sharpest bounds in the total
    variation are proved in that direction.
    """
    shares = [sp.Integer(1), sp.Integer(0), HALF]
    for entry in entries.values():
        bend, third = (sp.diff(branch(entry, sp.Integer(2)), r, n).subs(r, 1) for n in (2, 3))
        if bend != 0 and (valley := -third / (3 * bend)).is_Rational and 0 < valley < 1:
            shares.append(valley)
    return list(dict.fromkeys(shares))


_NAMES = {sp.Integer(1): "q", sp.Integer(0): "p", HALF: "p - q at fixed p + q"}


def _conditions(
    m: sp.Expr, coordinates: Coordinates, shares: Iterable[sp.Rational]
) -> Iterator[tuple[str, sp.Expr]]:
    """Yield expressions whose non-negativity for p > q implies that of m.

    From p = q, where m must be 0, every pair is reached along each direction, so that a
    non-negative derivative suffices, or a second one if the first vanishes at p = q.
    """
    yield "its own sign", m
    for share in shares if _vanishes_at_equality(m) else ():
        name = _NAMES.get(share, f"p - q at fixed q + {share}*(p - q)")
        slope = coordinates.along(m, share)
        yield f"its derivative in {name}", slope
        if _vanishes_at_equality(slope):
            yield f"its second derivative in {name}", coordinates.along(slope, share)


def _vanishes_at_equality(expression: sp.Expr) -> bool:
    """Return whether an expression is zero at p = q, by exact algebra in the odds y = q/(1 − q)."""
    y = sp.Dummy("y", positive=True)
    odds = {P: y / (1 + y), Q: y / (1 + y)}
    return log_form(expression.subs(odds), y).is_zero


def plain_logs(expression: sp.Expr) -> sp.Expr:
    """Write logarithms of quotients as differences, all arguments being positive here."""
    return expression.replace(
        lambda part: isinstance(part, sp.log), lambda part: _split(part.args[0])
    )


def _split(argument: sp.Expr) -> sp.Expr:
    top, bottom = sp.fraction(sp.factor(argument))
    parts = []
    for sign, side in ((1, top), (-1, bottom)):
        for factor in sp.Mul.make_args(side):
            negative = factor.subs({P: sp.Rational(2, 3), Q: sp.Rational(1, 3)}) < 0
            parts.append(sign * sp.log(-factor if negative else factor))
    return sp.Add(*parts)
