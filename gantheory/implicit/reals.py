"""Real numbers and infinities: a ball around each, its exact form where known; their sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp
from flint import arb

from gantheory.deadline import Undecided
from gantheory.exact.signs.balls import NoEnclosure, enclose
from gantheory.functions import sigmoid, softplus


def enclosed(expr: sp.Expr, values: Mapping[sp.Symbol, arb] | None = None) -> arb:
    """Return a ball around a constant, for parameters within ``values``."""
    try:
        return enclose(expr, values)
    except NoEnclosure as reason:
        raise Undecided(str(reason)) from None


@dataclass(frozen=True)
class Real:
    """A real number or an infinity: a ball around it, and its exact form where that is known."""

    ball: arb
    exact: sp.Expr | None = None

    @classmethod
    def of(cls, exact: sp.Expr) -> Real:
        """Return an exact number, which may be infinite."""
        if exact.has(softplus, sigmoid):
            exact = exact.replace(softplus, lambda u: sp.log(1 + sp.exp(u)))
            exact = exact.replace(sigmoid, lambda u: 1 / (1 + sp.exp(-u)))
        if exact.has(sp.oo, -sp.oo) and exact.is_infinite:
            return cls(arb("inf") if exact > 0 else arb("-inf"), exact)
        return cls(enclosed(exact), exact)

    @property
    def is_finite(self) -> bool:
        """Whether it is finite."""
        return bool(self.ball.is_finite())

    @property
    def shown(self) -> str:
        """The number as text."""
        if self.exact is not None:
            return str(self.exact)
        return f"{float(self.ball.mid()):.15g}"


def negative(real: Real) -> Real:
    """Return −x."""
    return Real(-real.ball, None if real.exact is None else -real.exact)


def add_reals(one: Real, other: Real) -> Real:
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
    return add_reals(one, negative(other))
