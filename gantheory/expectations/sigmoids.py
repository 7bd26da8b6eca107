"""Means of softplus and of polynomials in one sigmoid, by the derivatives of softplus."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from gantheory.deadline import Undecided
from gantheory.expectations.laws import M
from gantheory.expectations.terms import no_closed_form
from gantheory.functions import sigmoid, softplus
from gantheory.mean_atoms import logistic_exponential, logistic_logistic
from gantheory.smoothed import in_sigmoid

Smoothed = Callable[[int, sp.Expr], sp.Expr]


def of_sigmoids(function: sp.Expr, smoothed: Smoothed, mass: sp.Expr, over: str) -> sp.Expr:
    """Return the mean of a polynomial in one sigmoid, or of softplus.

    ``smoothed`` gives the mean of the k-th derivative of softplus at an argument, ``mass`` of 1.

    Raises:
        Undecided: for other functions.
    """
    if isinstance(function, softplus):
        return smoothed(0, function.args[0])
    argument = sorted(function.atoms(sigmoid), key=sp.default_sort_key)[0].args[0]
    one = sp.Dummy("sigma")
    plain = function.xreplace({sigmoid(argument): one, sigmoid(sp.expand(-argument)): 1 - one})
    if plain.has(M) or not plain.is_polynomial(one):
        raise no_closed_form(function, f"over {over}")
    left = [sp.Poly(plain, one).coeff_monomial(one**k) for k in range(sp.degree(plain, one) + 1)]
    total = sp.S.Zero
    for k in range(len(left) - 1, 0, -1):
        parts = in_sigmoid(k)
        share = left[k] / parts[k]
        left = [c - share * d for c, d in zip(left, parts, strict=False)]
        total += share * smoothed(k, argument)
    return total + left[0] * mass


def _fraction(share: sp.Expr, over: str) -> tuple[sp.Expr, sp.Expr]:
    if not share.is_Rational or share == 0:
        raise Undecided(
            f"the mean of a sigmoid over {over} is known where the law's scale, in units of the "
            f"function's argument, is a fraction, and {share} is none"
        )
    return sp.Integer(share.p), sp.Integer(share.q)


def over_logistic(function: sp.Expr, mean: sp.Expr, scale: sp.Expr) -> sp.Expr:
    """Return the mean over a whole logistic law."""

    def smoothed(k: int, argument: sp.Expr) -> sp.Expr:
        share = sp.diff(argument, M) * scale
        middle = sp.expand(argument.xreplace({M: mean}))
        return logistic_logistic(sp.Integer(k), middle, *_fraction(share, "a logistic law"))

    return of_sigmoids(function, smoothed, sp.S.One, "a logistic law")


def beyond_a_place(
    function: sp.Expr, density: sp.Expr, lower: sp.Expr, upper: sp.Expr, mass: sp.Expr
) -> sp.Expr | None:
    """Return the integral of g(α·m + β)·density for an exponential density; None for others.

    An exponential law has no memory: with density = K·exp(c·m), what lies beyond m, on the side on
    which the density falls, is density(m)/c·E[g(u(m) − α·X/c)].
    """
    growth = sp.simplify(sp.diff(sp.log(density), M))
    if growth.has(M) or not function.has(sigmoid, softplus):
        return None

    def smoothed(k: int, argument: sp.Expr) -> sp.Expr:
        share = -sp.diff(argument, M) / growth
        scale, ends = _fraction(share, "an exponential law"), []
        for place in (upper, lower):
            at = sp.expand(argument.xreplace({M: place})) if not place.is_infinite else sp.S.Zero
            tail = density.xreplace({M: place}) / growth if not place.is_infinite else sp.S.Zero
            ends.append(tail * logistic_exponential(sp.Integer(k), at, *scale))
        return ends[0] - ends[1]

    return sp.expand(of_sigmoids(function, smoothed, mass, "an exponential law"))
