"""A coordinate on the score axis in which the derivatives of payoffs are algebraic."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

from gantheory.deadline import Undecided
from gantheory.exact.assumptions import (
    Assumptions,
)
from gantheory.expressions import parse
from gantheory.formulas import PAYOFF
from gantheory.functions import sigmoid, softplus, t, to_sympy
from gantheory.losses.loss import Loss

Z = sp.Symbol("z", positive=True)


@dataclass(frozen=True)
class Coordinate:
    """A monotone coordinate on the score axis: ``score`` is t as a function of ``symbol``."""

    symbol: sp.Symbol
    score: sp.Expr
    title: str

    def of_score(self, value: sp.Expr) -> sp.Expr:
        """Return the coordinate of the score ``value``, which may be infinite."""
        if self.symbol is t:
            return value
        scale = self.score.coeff(sp.log(Z))
        if value == -sp.oo:
            return sp.Integer(0)
        return sp.oo if value == sp.oo else sp.exp(value / scale)

    def to_score(self, value: sp.Expr) -> sp.Expr:
        """Return the score at the coordinate ``value``, which may be 0 or infinite."""
        if self.symbol is t:
            return value
        if value == 0:
            return -sp.oo
        return sp.oo if value == sp.oo else self.score.xreplace({Z: value})


@dataclass(frozen=True)
class Payoffs:
    """The three payoffs and the link as expressions of one variable."""

    real: sp.Expr
    fake: sp.Expr
    generator: sp.Expr
    link: sp.Expr

    def map(self, function: Callable[[sp.Expr], sp.Expr]) -> Payoffs:
        """Return the payoffs with ``function`` applied to each."""
        parts = (self.real, self.fake, self.generator, self.link)
        return Payoffs(*(function(part) for part in parts))


def payoffs_of(loss: Loss, parameters: Assumptions) -> Payoffs:
    """Translate the formulas of ``loss``."""
    texts = (loss.real, loss.fake, loss.generator, loss.link)
    return Payoffs(*(to_sympy(parse(text, PAYOFF), parameters.symbols) for text in texts))


def coordinate_for(payoffs: Payoffs) -> Coordinate:
    """Choose the coordinate in which the derivatives of the discriminator's payoffs are algebraic.

    The generator's loss is only evaluated at the optimum, so it has no say.
    """
    exponents = [
        argument
        for part in (payoffs.real, payoffs.fake)
        for atom in part.atoms(sp.exp, softplus, sigmoid, sp.tanh)
        for argument in _arguments(atom)
        if t in argument.free_symbols
    ]
    if not exponents:
        return Coordinate(t, t, "t")
    slopes = [sp.expand(argument).coeff(t) for argument in exponents]
    order = math.lcm(*(int(slope.q) for slope in slopes if slope.is_Rational))
    title = "z = exp(t)" if order == 1 else f"z = exp(t/{order})"
    return Coordinate(Z, order * sp.log(Z), title)


def _arguments(atom: sp.Expr) -> tuple[sp.Expr, ...]:
    return (2 * atom.args[0],) if isinstance(atom, sp.tanh) else tuple(atom.args)


def in_coordinate(expr: sp.Expr, coordinate: Coordinate) -> sp.Expr:
    """Write an expression of t in the coordinate."""
    expr = expr.replace(softplus, lambda u: sp.log(1 + sp.exp(u)))
    expr = expr.replace(sigmoid, lambda u: sp.exp(u) / (1 + sp.exp(u)))
    expr = expr.replace(sp.tanh, lambda u: (sp.exp(2 * u) - 1) / (sp.exp(2 * u) + 1))
    if coordinate.symbol is t:
        return expr
    expr = expr.replace(sp.exp, lambda u: _power_of_e(u, coordinate))
    return expr.xreplace({t: coordinate.score})


def _power_of_e(argument: sp.Expr, coordinate: Coordinate) -> sp.Expr:
    argument = sp.expand(argument)
    slope = argument.coeff(t)
    rest = sp.expand(argument - slope * t)
    if t in rest.free_symbols or t in slope.free_symbols:
        raise Undecided(f"exp({argument}) is not an exponential of a linear function of t")
    return Z ** (slope * coordinate.score.coeff(sp.log(Z))) * sp.exp(rest)
