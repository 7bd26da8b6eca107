"""Means over a whole normal law of functions whose mean is a known function of its own."""

from __future__ import annotations

import sympy as sp

from gantheory.deadline import Undecided
from gantheory.expectations.laws import M, normal_law
from gantheory.expectations.sigmoids import of_sigmoids
from gantheory.expectations.terms import no_closed_form, parted
from gantheory.functions import logistic_normal, sigmoid, softplus, t


def mean_over_normal(order: int, function: sp.Expr, mean: sp.Expr, scale: sp.Expr) -> sp.Expr:
    """Return E[mᵏ·g(m)], by parts: E[m·f] = μ·E[f] + σ²·E[f'].

    Raises:
        Undecided: where the mean has no closed form here.
    """
    if order == 0:
        return _known(function, mean, scale)
    total = mean * mean_over_normal(order - 1, function, mean, scale)
    derivative = sp.expand(sp.diff(M ** (order - 1) * function, M))
    for one in sp.Add.make_args(derivative):
        front, moving = one.as_independent(M)
        term = parted(moving)
        if (term.square, term.rate) != (0, 0):
            raise no_closed_form(function, "times a power of the random name over a normal law")
        inner = mean_over_normal(term.order, term.other, mean, scale) if moving != 1 else sp.S.One
        total += scale**2 * front * inner
    return total


def _known(function: sp.Expr, mean: sp.Expr, scale: sp.Expr) -> sp.Expr:
    if function == 1:
        return sp.S.One
    if function.has(sigmoid):

        def smoothed(k: int, argument: sp.Expr) -> sp.Expr:
            return _smoothed(k, argument, mean, scale)

        return of_sigmoids(function, smoothed, sp.S.One, "a normal law")
    if len(function.args) == 1:
        argument = function.args[0]
        if isinstance(function, softplus):
            return _smoothed(0, argument, mean, scale)
        if isinstance(function, sp.sin | sp.cos):
            slope, middle = _linear(argument, mean)
            return sp.exp(-((slope * scale) ** 2) / 2) * function.func(middle)
        if isinstance(function, sp.erf):
            slope, middle = _linear(argument, mean)
            return sp.erf(middle / sp.sqrt(1 + 2 * (slope * scale) ** 2))
    raise no_closed_form(function, "over a normal law")


def bell(moving: sp.Expr, lower: sp.Expr, upper: sp.Expr) -> sp.Expr | None:
    """Return ∫ mᵏ·exp(a·m² + b·m) for a < 0 by the moments of a normal law; None for others."""
    term = parted(moving)
    if term.other != 1 or term.square.is_negative is not True:
        return None
    mean, scale = -term.rate / (2 * term.square), 1 / sp.sqrt(-2 * term.square)
    (piece,) = normal_law(mean, scale).pieces
    size = sp.exp(-(term.rate**2) / (4 * term.square)) * sp.sqrt(sp.pi / -term.square)
    ends = piece.moment(term.order, upper) - piece.moment(term.order, lower)
    return term.front * size * ends


def _smoothed(order: int, argument: sp.Expr, mean: sp.Expr, scale: sp.Expr) -> sp.Expr:
    slope, middle = _linear(argument, mean)
    width = abs(slope) * scale
    if width.has(t) or width.is_positive is not True:
        raise Undecided(f"the mean of a function of {argument} over a normal law is not known")
    return logistic_normal(sp.Integer(order), middle, width)


def _linear(argument: sp.Expr, mean: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Return α and α·μ + β of an argument α·m + β."""
    slope = sp.diff(argument, M)
    if slope.has(M):
        raise Undecided(f"{str(argument)[:60]} is not linear in the random name")
    return slope, sp.expand(argument.xreplace({M: mean}))
