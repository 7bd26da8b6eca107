r"""The mean of a formula over a random name, in closed form, kinks included.

A kink in u = α·m + β parts the range of m at the place −β/α, held between its ends, and on both
sides the kink is gone. What is left is smooth: polynomials in m have the partial moments of the
law, and over a uniform law functions g(α·m + β) have antiderivatives,

.. math:: \int m^k g(\alpha m + \beta)\,dm
   = \frac{1}{\alpha}\sum_j \binom{k}{j}\frac{(-\beta)^{k-j}}{\alpha^k}\int u^j g(u)\,du.
"""

from __future__ import annotations

from functools import lru_cache

import sympy as sp

from gantheory.deadline import Undecided
from gantheory.exact.assumptions import Assumptions
from gantheory.expectations.laws import M, MarginLaw, MarginPiece
from gantheory.functions import choice, maximum, minimum, relu, sigmoid, softplus, t

KINKS = (relu, sp.Abs, choice)
U = sp.Symbol("u", real=True)
TERMS = 60  # of an expanded integrand


def mean_over(expr: sp.Expr, name: sp.Symbol, law: MarginLaw, parameters: Assumptions) -> sp.Expr:
    """Return the mean of an expression over a random name.

    Raises:
        Undecided: where the integral has no closed form here.
    """
    expr = expr.xreplace({name: M})
    total = sp.Add(*(weight * expr.xreplace({M: place}) for place, weight in law.atoms))
    for piece in law.pieces:
        total += _between(expr, piece, piece.lower, piece.upper, parameters)
    return min((total, sp.expand(total)), key=lambda one: int(one.count_ops()))


def _between(
    expr: sp.Expr, piece: MarginPiece, lower: sp.Expr, upper: sp.Expr, parameters: Assumptions
) -> sp.Expr:
    """Return ∫ expr·density over (lower, upper), both of which may move with the score."""
    kinks = [kink for kink in expr.atoms(*KINKS) if kink.args[0].has(M)]
    kinks = [kink for kink in kinks if not any(part.has(M) for part in kink.args[0].atoms(*KINKS))]
    if not kinks:
        return _smooth(expr, piece, lower, upper)
    argument = min(kinks, key=sp.default_sort_key).args[0]
    slope = sp.diff(argument, M)
    rest = sp.expand(argument - slope * M)
    sign = None if slope.has(M, t) else parameters.sign(slope)
    if sign not in (1, -1) or rest.has(M):
        raise Undecided(f"the kink in {argument} is not linear in the random name")
    place = _held(-rest / slope, lower, upper)
    sides = (_without(expr, argument, -sign), _without(expr, argument, sign))
    return _between(sides[0], piece, lower, place, parameters) + _between(
        sides[1], piece, place, upper, parameters
    )


def _held(place: sp.Expr, lower: sp.Expr, upper: sp.Expr) -> sp.Expr:
    """Return a place, held between two ends of which either may be infinite."""
    if lower == -sp.oo:
        return place if upper == sp.oo else minimum(place, upper)
    if upper == sp.oo:
        return maximum(lower, place)
    return lower + relu(place - lower) - relu(place - upper)


def _without(expr: sp.Expr, argument: sp.Expr, sign: int) -> sp.Expr:
    """Return an expression where the argument of a kink has one sign."""
    for one in expr.atoms(choice):
        if one.args[0] in (argument, -argument):
            positive = (sign > 0) == (one.args[0] == argument)
            return _without(expr.xreplace({one: one.args[1 if positive else 2]}), argument, sign)
    return expr.xreplace(
        {
            relu(argument): argument if sign > 0 else sp.S.Zero,
            relu(-argument): sp.S.Zero if sign > 0 else -argument,
            sp.Abs(argument): sign * argument,
            sp.Abs(-argument): sign * argument,
        }
    )


def _smooth(expr: sp.Expr, piece: MarginPiece, lower: sp.Expr, upper: sp.Expr) -> sp.Expr:
    if lower == upper:
        return sp.S.Zero
    for node in expr.atoms(sp.Pow):
        if node.exp.is_negative and node.exp != -1 and node.base.has(M):
            raise Undecided(f"the mean of {node} may have a pole")
    terms = sp.Add.make_args(sp.expand(expr))
    if len(terms) > TERMS:
        raise Undecided("a mean has too many terms")
    total = sp.S.Zero
    for term in terms:
        rest, moving = term.as_independent(M)
        if moving.is_polynomial(M):
            order = int(sp.degree(moving, M)) if moving.has(M) else 0
            ends = piece.moment(order, upper) - piece.moment(order, lower)
            total += rest * sp.LC(moving, M) * ends if moving.has(M) else rest * moving * ends
            continue
        if piece.density.has(M):
            raise Undecided(f"the mean of {str(expr)[:60]} over this law has no closed form here")
        found = _antiderivative(moving)
        total += rest * piece.density * (found.xreplace({M: upper}) - found.xreplace({M: lower}))
    return total


def _antiderivative(term: sp.Expr) -> sp.Expr:
    """Return the antiderivative in m of a power of m times one function of α·m + β."""
    power, function = sp.S.Zero, sp.S.One
    for factor in sp.Mul.make_args(term):
        if factor == M or (factor.is_Pow and factor.base == M and factor.exp.is_Integer):
            power += factor.as_base_exp()[1]
        else:
            function *= factor
    inner = {_inner(node) for node in _calls(function)}
    if len(inner) != 1 or power < 0:
        raise Undecided(f"the mean of {str(term)[:60]} has no closed form here")
    argument = inner.pop()
    slope = sp.diff(argument, M)
    shift = sp.expand(argument - slope * M)
    if slope.has(M) or shift.has(M) or slope.is_nonzero is not True:
        raise Undecided(f"{str(argument)[:60]} is not linear in the random name")
    outer = function.xreplace({argument: U})
    if outer.has(M):
        raise Undecided(f"the mean of {str(term)[:60]} has no closed form here")
    expanded = sp.Poly(sp.expand(((U - shift) / slope) ** power), U)
    parts = (c * _primitive(outer, int(k)) for (k,), c in expanded.terms())
    return sp.Add(*parts).xreplace({U: argument}) / slope


def _calls(expr: sp.Expr) -> set[sp.Expr]:
    """Return the outermost functions and powers of m in an expression."""
    if not expr.has(M):
        return set()
    if expr.is_Mul or (expr.is_Pow and expr.exp.is_Integer and expr.exp > 0):
        return set().union(*(_calls(part) for part in expr.args))
    return {expr}


def _inner(node: sp.Expr) -> sp.Expr:
    if isinstance(node, sp.exp):
        return node.args[0]
    if node.is_Pow:
        return node.exp if node.exp.has(M) else node.base
    return node.args[0] if isinstance(node, sp.Function) and len(node.args) == 1 else node


@lru_cache(maxsize=256)
def _primitive(function: sp.Expr, power: int) -> sp.Expr:
    """Return the antiderivative of uᵏ·g(u)."""
    if function == sigmoid(U) and power == 0:
        return softplus(U)
    if function == sigmoid(-U) and power == 0:
        return -softplus(-U)
    if function == sp.tanh(U) and power == 0:
        return softplus(2 * U) - U  # log cosh u, up to a constant
    if function.has(sigmoid, softplus, sp.tanh):
        raise Undecided(f"the mean of {function} over its argument has no elementary form")
    positive = sp.Symbol("u", positive=True)  # logarithms and roots are real, checked elsewhere
    real = function.has(sp.log) or any(not node.exp.is_Integer for node in function.atoms(sp.Pow))
    inner = positive if real or function.has(sp.Pow) else U
    found = sp.integrate((U**power * function).xreplace({U: inner}), inner)
    if found.has(sp.Integral, sp.Piecewise):
        raise Undecided(f"the mean of {function} over its argument has no closed form here")
    return found.xreplace({inner: U})
