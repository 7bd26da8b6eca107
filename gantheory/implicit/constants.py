"""Exact constants of expansions: fractions, and irrational ones with a ball around each."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import sympy as sp
from flint import arb, ctx, fmpq

from gantheory.deadline import OutOfTime, Undecided
from gantheory.exact.algebra import Algebra
from gantheory.exact.signs.balls import NoEnclosure, enclose

BITS = 256
SIMPLE = 60  # operations in a constant that is still simplified to see whether it is 0
ZERO, ONE, MINUS = fmpq(0), fmpq(1), fmpq(-1)


class Constant:
    """An irrational constant: a ball around it, and its exact form, put together when asked."""

    __slots__ = ("_exact", "_make", "ball")

    def __init__(self, ball: arb, make: Callable[[], sp.Expr]) -> None:
        self.ball, self._make = ball, make
        self._exact: sp.Expr | None = None

    @property
    def exact(self) -> sp.Expr:
        """The constant as an expression."""
        if self._exact is None:
            self._exact = self._make()
        return self._exact

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and bool(self.exact == other.exact)

    def __hash__(self) -> int:
        return hash(self.exact)

    def __neg__(self) -> Constant:
        return Constant(-self.ball, lambda: -self.exact)


Exact: TypeAlias = fmpq | Constant  # fractions are fast, and most constants are fractions


def fraction(x: sp.Rational) -> fmpq:
    """Return a rational number of sympy's."""
    return fmpq(int(x.p), int(x.q))


def as_sympy(c: Exact) -> sp.Expr:
    """Return a constant as an expression."""
    return sp.Rational(int(c.p), int(c.q)) if isinstance(c, fmpq) else c.exact


def exactly(c: sp.Expr) -> Exact:
    """Return an expression as a constant."""
    return fraction(c) if c.is_Rational else Constant(enclose(c), lambda: c)


def plus(c: Exact, d: Exact) -> Exact:
    """Return the sum of two constants."""
    if isinstance(c, fmpq) and isinstance(d, fmpq):
        return c + d
    return Constant(ball_of(c) + ball_of(d), lambda: as_sympy(c) + as_sympy(d))


def product_of(c: Exact, d: Exact) -> Exact:
    """Return the product of two constants."""
    if isinstance(c, fmpq) and isinstance(d, fmpq):
        return c * d
    return Constant(ball_of(c) * ball_of(d), lambda: as_sympy(c) * as_sympy(d))


def raised(c: Exact, e: fmpq) -> Exact:
    """Return a power of a constant."""
    if e.q == 1 and abs(e) < 64:
        if isinstance(c, fmpq):
            return c ** int(e)
        return Constant(c.ball ** int(e), lambda: as_sympy(c) ** int(e))
    return exactly(as_sympy(c) ** as_sympy(e))


def ball_of(c: Exact) -> arb:
    """Return a ball around a constant."""
    return arb(c) if isinstance(c, fmpq) else c.ball


def coefficient_sign(c: Exact) -> int:
    """Return the sign of an exact constant.

    Raises:
        Undecided: where balls do not tell it from 0 and algebra does not show that it is 0.
    """
    if isinstance(c, fmpq) or not c.ball.contains(0):
        value = c if isinstance(c, fmpq) else c.ball
        return int(value > 0) - int(value < 0)
    return sign_of(c.exact)


@lru_cache(maxsize=4096)
def sign_of(c: sp.Expr) -> int:
    """Return the sign of a constant that is an expression."""
    if c.is_Rational:
        return int(sp.sign(c))
    for bits in (BITS, 4 * BITS):
        with ctx.workprec(bits):
            try:
                ball = enclose(c)
            except NoEnclosure as reason:
                raise Undecided(str(reason)) from None
        if ball > 0 or ball < 0:
            return 1 if ball > 0 else -1
        if sp.expand(c) == 0 or _vanishes(c):
            return 0
    if c.count_ops() < SIMPLE and sp.simplify(c) == 0:
        return 0
    raise Undecided(f"whether {str(c)[:80]} is 0 is not known")


def _vanishes(c: sp.Expr) -> bool:
    """Whether exact algebra shows that a constant is 0."""
    try:
        return Algebra({}).is_zero(c)
    except OutOfTime:
        raise
    except Undecided:
        return False
