"""Expressions written so that intervals see what they are: an enclosure loses what cancels."""

from __future__ import annotations

import sympy as sp

from gantheory.functions import t

LONG = 120  # operations: what is longer is not multiplied out


def slope_of(expr: sp.Expr) -> sp.Expr:
    """Return the derivative in the score, with terms that cancel left out."""
    return tidied(sp.diff(expr, t))


def tidied(expr: sp.Expr) -> sp.Expr:
    """Return an expression with exponentials that cancel left out, and 1 - erf as erfc.

    >>> tidied(t * sp.exp(t) - (t - 1) * sp.exp(t))
    exp(t)
    >>> tidied(2 - 2 * sp.erf(t))
    2*erfc(t)
    """
    if expr.has(sp.exp) and expr.count_ops() <= LONG:
        expr = min((expr, _multiplied_out(expr)), key=lambda one: int(one.count_ops()))
    if expr.has(sp.erf):
        expr = expr.replace(lambda one: one.is_Add and one.has(sp.erf), _complemented)
    return expr


def _multiplied_out(expr: sp.Expr) -> sp.Expr:
    """Multiply out all but arguments of functions; equal exponentials are written in one way."""
    held = {atom: sp.Dummy() for atom in expr.atoms(sp.Function)}
    same: dict[sp.Expr, sp.Expr] = {}
    for atom in sorted(held, key=lambda one: int(one.count_ops())):
        held[atom] = held[same.setdefault(sp.expand(atom), atom)]
    shown = {held[atom]: atom for atom in same.values()}
    return sp.expand(expr.xreplace(held)).xreplace(shown)


def _complemented(total: sp.Expr) -> sp.Expr:
    """Write c - c*erf(u) as c*erfc(u), and c + c*erf(u) as c*erfc(-u)."""
    for atom in total.atoms(sp.erf):
        factor = total.coeff(atom)
        rest = sp.expand(total - factor * atom)
        if factor.has(sp.erf) or factor == 0:
            continue
        for sign in (1, -1):
            left = sp.expand(rest + sign * factor)
            if left.count_ops() < rest.count_ops() or left == 0:
                return _complemented(left) - sign * factor * sp.erfc(sign * atom.args[0])
    return total
