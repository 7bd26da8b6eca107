"""Centred random variables inside a loss, and exact expectations of polynomials in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import sympy as sp


@dataclass(frozen=True)
class Noise:
    """A centred law: normal with standard deviation ``scale``, or uniform on ±``scale``."""

    law: Literal["normal", "uniform"]
    scale: sp.Expr

    def moment(self, order: int) -> sp.Expr:
        """Return the expectation of the power ``order``.

        >>> Noise("normal", sp.Symbol("s")).moment(4), Noise("uniform", sp.Integer(1)).moment(2)
        (3*s**4, 1/3)
        """
        if order % 2:
            return sp.S.Zero
        factor = sp.factorial2(order - 1) if self.law == "normal" else sp.Rational(1, order + 1)
        return factor * self.scale**order

    def mean(self, expression: sp.Expr, symbol: sp.Symbol) -> sp.Expr:
        """Return E over ``symbol``: exact for polynomials, else the integral, unevaluated."""
        if not expression.has(symbol):
            return expression
        polynomial = sp.expand(expression)
        if not polynomial.is_polynomial(symbol):
            return sp.Integral(expression * self.density(symbol), (symbol, *self.support))
        terms = sp.Poly(polynomial, symbol).terms()
        return sum((c * self.moment(k) for (k,), c in terms), sp.S.Zero)

    def density(self, symbol: sp.Symbol) -> sp.Expr:
        """Return the probability density."""
        if self.law == "uniform":
            return 1 / (2 * self.scale)
        return sp.exp(-(symbol**2) / (2 * self.scale**2)) / (self.scale * sp.sqrt(2 * sp.pi))

    @property
    def support(self) -> tuple[sp.Expr, sp.Expr]:
        """The ends of the support."""
        return (-self.scale, self.scale) if self.law == "uniform" else (-sp.oo, sp.oo)
