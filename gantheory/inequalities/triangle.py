"""Rational functions on the triangle 0 < q < p < 1: their sign by the signs of coefficients."""

from __future__ import annotations

from typing import Any

import sympy as sp
from flint import fmpz_mpoly_ctx

from gantheory.deadline import OutOfTime, Undecided
from gantheory.inequalities.quadrant import sign_on_quadrant

P, Q = sp.symbols("p q", positive=True)
POLYA = 6  # largest power of a + b + c tried to make all coefficients of one sign
PLACES = [(i, j, k) for i in (1, 5, 50) for j in (1, 7, 70) for k in (1, 6, 60)]  # a quick look
LARGEST = 60  # degree beyond which a polynomial is not looked at: arithmetic stays instant
# 1 − p : p − q : q = a : b : c are positive and free on the triangle.
A, B, C = fmpz_mpoly_ctx.get(("a", "b", "c"), "lex").gens()

Fraction = tuple[Any, Any]  # numerator and denominator in Z[a, b, c]


class TooLarge(Exception):
    """An expression is beyond what is decided: not rational, or of too large a degree."""


def is_nonnegative_on_triangle(expression: sp.Expr) -> bool:
    """Show that a rational function is nowhere negative for 0 < q < p < 1; False if unsure.

    With positive a, b, c each irreducible factor of odd power must keep its sign: its coefficients
    have one sign, perhaps after multiplication by a power of a + b + c (Pólya), or a cylindrical
    decomposition at c = 1 says so. A sum of a function of p and one of q is also shown by showing
    both.

    >>> is_nonnegative_on_triangle(1 / (Q * (1 - Q)) - 4)
    True
    >>> is_nonnegative_on_triangle(P - 2 * Q)
    False
    """
    try:
        top, bottom = _fraction(expression)
        if top == 0 or _is_nonnegative(top, bottom):
            return True
        if _fraction(sp.diff(expression, P, Q))[0] != 0:
            return False
        in_p, in_q = (_fraction(part) for part in _parts(expression))
        return _is_nonnegative(*in_p) and _is_nonnegative(*in_q)
    except OutOfTime:
        raise
    except (TooLarge, Undecided):
        return False


def _parts(expression: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Split g(p) + h(q), the constant shared so that both parts are equal at one half."""
    half = sp.Rational(1, 2)
    shared = expression.subs({P: half, Q: half}) / 2
    return expression.subs(Q, half) - shared, expression.subs(P, half) - shared


def _is_nonnegative(top: Any, bottom: Any) -> bool:
    """Show that a fraction in a, b, c is nowhere negative, by the signs of its factors."""
    if any(top(*place) * bottom(*place) < 0 for place in PLACES):
        return False
    sign = 1
    for part in (top, bottom):
        content, factors = part.factor()
        sign *= 1 if content > 0 else -1
        for factor, power in factors:
            one = _sign(factor) if int(power) % 2 else 1
            if one is None:
                return False
            sign *= one
    return sign > 0


def without_logarithms(expression: sp.Expr) -> sp.Expr | None:
    """Return an equal expression whose logarithms, of coefficient zero, are dropped; else None."""
    dummies = {part: sp.Dummy() for part in expression.atoms(sp.log)}
    flat = expression.xreplace(dummies)
    for dummy in dummies.values():
        coefficient = sp.diff(flat, dummy)
        if not coefficient.is_rational_function(P, Q) or coefficient.free_symbols - {P, Q}:
            return None
        try:
            if _fraction(coefficient)[0] != 0:
                return None
        except TooLarge:
            return None
    return flat.xreplace(dict.fromkeys(dummies.values(), sp.Integer(0)))


def _sign(form: Any) -> int | None:
    upright = form
    for _ in range(POLYA + 1):
        coefficients = form.coeffs()
        if all(c > 0 for c in coefficients):
            return 1
        if all(c < 0 for c in coefficients):
            return -1
        form = form * (A + B + C)
    return sign_on_quadrant(_at_c_one(upright), "a", "b")


def _at_c_one(form: Any) -> Any:
    """Return a homogeneous form in a, b, c at c = 1, which loses nothing."""
    return form.subs({"c": 1})


def _fraction(expression: sp.Expr) -> Fraction:
    """Return the expression in a, b, c as a reduced fraction."""
    if expression == P:
        return B + C, A + B + C
    if expression == Q:
        return C, A + B + C
    if isinstance(expression, sp.Rational):
        return A * 0 + int(expression.p), A * 0 + int(expression.q)
    if isinstance(expression, sp.Pow) and expression.exp.is_Integer:
        top, bottom = _fraction(expression.base)
        power = abs(int(expression.exp))
        _bounded(power * max(top.total_degree(), bottom.total_degree()))
        pair = top**power, bottom**power
        return pair if expression.exp > 0 else pair[::-1]
    if isinstance(expression, sp.Add | sp.Mul):
        total = _fraction(expression.args[0])
        for part in expression.args[1:]:
            total = _combined(total, _fraction(part), isinstance(expression, sp.Add))
        return total
    raise TooLarge(f"{str(expression)[:60]} is not rational in p and q")


def _combined(left: Fraction, right: Fraction, add: bool) -> Fraction:
    (a, b), (c, d) = left, right
    top, bottom = (a * d + c * b if add else a * c), b * d
    _bounded(max(top.total_degree(), bottom.total_degree()))
    shared = top.gcd(bottom)
    return divmod(top, shared)[0], divmod(bottom, shared)[0]


def _bounded(degree: int) -> None:
    if degree > LARGEST:
        raise TooLarge(f"degree {degree}")
