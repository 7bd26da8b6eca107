"""One term of an integrand: a power and an exponential of the random name, and what is left."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from gantheory.deadline import Undecided
from gantheory.expectations.laws import M
from gantheory.functions import sigmoid, softplus


@dataclass(frozen=True)
class Term:
    """mᵏ·exp(a·m² + b·m)·front·other, with k = order, a = square and b = rate."""

    order: int
    square: sp.Expr
    rate: sp.Expr
    front: sp.Expr
    other: sp.Expr


def parted(moving: sp.Expr) -> Term:
    """Return the parts of a term.

    >>> parted(M**2 * sp.exp(3 * M - 1) * sp.tanh(M)).rate
    3
    """
    order, exponent, other = 0, sp.S.Zero, sp.S.One
    for factor in sp.Mul.make_args(moving):
        base, power = factor.as_base_exp()
        if base == M and power.is_Integer and power >= 0:
            order += int(power)
        elif isinstance(factor, sp.exp) and factor.args[0].is_polynomial(M):
            exponent += factor.args[0]
        else:
            other *= factor
    poly = sp.Poly(exponent, M)
    if poly.degree() > 2:
        raise no_closed_form(moving, "over this law")
    square, rate, rest = (poly.coeff_monomial(M**k) for k in (2, 1, 0))
    return Term(order, square, rate, sp.exp(rest), other)


def no_closed_form(what: sp.Expr, where: str) -> Undecided:
    """Say that a mean has no closed form, and under which law it would have one."""
    over = "a uniform or triangular law"
    if what.has(softplus, sigmoid, sp.tanh, sp.erf):
        over += " or, without a kink beside it, a normal one"
    if what.has(softplus, sigmoid, sp.tanh):
        over += ", or over an exponential, Laplace or logistic one without powers of the name"
    return Undecided(
        f"the mean of {str(what)[:60]} {where} has no closed form here; it may have one over {over}"
    )
