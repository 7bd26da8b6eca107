"""Expressions written so that intervals see what they are: an enclosure loses what cancels."""

from __future__ import annotations

from collections import defaultdict

import sympy as sp
from flint import fmpq, fmpq_mpoly, fmpq_mpoly_ctx

from gantheory.exact.derivative import derivative
from gantheory.functions import sigmoid, t

LONG = 120  # operations: what is longer is not multiplied out
BRANCHED = 70  # operations: a longer sum of products has hardly ever few factors, and many terms


def slope_of(expr: sp.Expr) -> sp.Expr:
    """Return the derivative in the score, with terms that cancel left out."""
    return tidied(derivative(expr, t))


def tidied(expr: sp.Expr) -> sp.Expr:
    """Return an expression as intervals see best what it is: no exponentials that cancel, erfc.

    >>> tidied(t * sp.exp(t) - (t - 1) * sp.exp(t))
    exp(t)
    >>> tidied(2 - 2 * sp.erf(t))
    2*erfc(t)
    >>> tidied(3 - 3 * sp.tanh(t) ** 2)
    12*sigmoid(-2*t)*sigmoid(2*t)
    """
    if expr.has(sp.exp) and expr.count_ops() <= LONG:
        expr = min((expr, _multiplied_out(expr)), key=lambda one: int(one.count_ops()))
    if expr.has(sp.erf):
        expr = expr.replace(lambda one: one.is_Add and one.has(sp.erf), _complemented)
    if expr.has(sp.tanh):
        expr = expr.replace(lambda one: one.is_Add and one.has(sp.tanh), _squared)
    return expr


def turning(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    r"""Return what has the sign of a·b' − b·a' wherever neither a nor b is 0.

    With b/a = c·f₁^e₁·f₂^e₂·... it is that of a·b·Σ eᵢ·fᵢ'/fᵢ. What a and b have in common has
    left, and so has what is positive: intervals no longer lose the difference of two products near
    an end where both are small.

    >>> turning(sp.exp(t) / sp.sqrt(t**2 + 1), -sp.exp(t))
    -t
    """
    powers: dict[sp.Expr, sp.Expr] = defaultdict(lambda: sp.S.Zero)
    sign, rate = sp.S.One, sp.S.Zero
    for part, side in ((a, -1), (b, 1)):
        for factor in sp.Mul.make_args(sp.factor_terms(part)):
            if factor.is_number:
                sign *= sp.sign(factor)
            elif isinstance(factor, sp.exp):
                rate += side * derivative(factor.args[0], t)
            else:
                base, exponent = factor.as_base_exp()
                powers[base] += side * exponent
    left = {base: e for base, e in powers.items() if e != 0}
    if any(t in e.free_symbols for e in left.values()):
        return tidied(a * slope_of(b) - b * slope_of(a))
    whole = sp.Mul(*left)
    total = rate * whole + sum(e * derivative(f, t) * whole / f for f, e in left.items())
    kept = [f for f, e in left.items() if e.is_Integer and e % 2 == 0 and not f.is_positive]
    return sp.Mul(sign, *kept, _factored(total))


def _factored(total: sp.Expr) -> sp.Expr:
    """Factor a polynomial in the score and its functions, without the factors that are positive."""
    total = total.replace(
        lambda one: isinstance(one, sigmoid) and one.args[0].could_extract_minus_sign(),
        lambda one: 1 - sigmoid(-one.args[0]),
    )
    if total.count_ops() > BRANCHED:
        return total
    return sp.Mul(*(one for one in _factors(total) if not _is_positive(one)))


def _factors(expr: sp.Expr) -> list[sp.Expr]:
    """Return the factors of a quotient of polynomials over the rationals, as `sympy.factor` does.

    FLINT takes milliseconds where sympy takes minutes, as for many functions of the score.
    """
    found: list[sp.Expr] = []
    for part in sp.Mul.make_args(sp.together(expr)):
        base, power = part.as_base_exp()
        if not (base.is_Add and power.is_Integer):
            found.append(part)
            continue
        poly = sp.Poly(base)
        if not (poly.domain.is_ZZ or poly.domain.is_QQ):
            found += sp.Mul.make_args(sp.factor(part))
            continue
        ring = fmpq_mpoly_ctx.get([f"x{k}" for k in range(len(poly.gens))])
        content, factors = ring.from_dict(
            {powers: fmpq(int(c.p), int(c.q)) for powers, c in poly.terms()}
        ).factor()
        found.append(sp.Rational(int(content.p), int(content.q)) ** power)
        found += [_as_sum(one, poly.gens) ** (power * times) for one, times in factors]
    return found


def _as_sum(poly: fmpq_mpoly, gens: tuple[sp.Expr, ...]) -> sp.Expr:
    """Return a polynomial of FLINT's in some expressions."""
    return sp.Add(*(
        sp.Mul(sp.Rational(int(c.p), int(c.q)), *(x**e for x, e in zip(gens, powers, strict=True)))
        for powers, c in poly.terms()
    ))  # fmt: skip


def _is_positive(factor: sp.Expr) -> bool:
    """Whether a factor is positive as it stands; sympy's own look at sums takes long."""
    if not factor.is_Add:
        return bool(factor.is_positive)
    terms = factor.args
    return all(one.is_nonnegative for one in terms) and any(one.is_positive for one in terms)


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


def _squared(total: sp.Expr) -> sp.Expr:
    """Write c - c*tanh(u)**2 as what it is at any distance, 4*c*sigmoid(2*u)*sigmoid(-2*u)."""
    for atom in total.atoms(sp.tanh):
        factor = total.coeff(atom**2)
        left = sp.expand(total - factor * atom**2 + factor)
        if factor != 0 and not left.has(atom):
            u = 2 * atom.args[0]
            return left - 4 * factor * sigmoid(u) * sigmoid(-u)
    return total
