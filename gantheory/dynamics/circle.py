"""Where the roots of a rational polynomial lie: inside, on or outside the unit circle, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import flint
import sympy as sp

MAX_BITS = 4096  # an irreducible factor without roots on the circle separates long before


@dataclass(frozen=True)
class Placement:
    """How many roots, counted with multiplicity, lie on each side of the unit circle."""

    inside: int = 0
    on: int = 0
    outside: int = 0

    def __add__(self, other: Placement) -> Placement:
        return Placement(
            self.inside + other.inside, self.on + other.on, self.outside + other.outside
        )


def place(polynomial: sp.Poly) -> Placement:
    """Count the roots on each side of the unit circle, for rational coefficients.

    An irreducible factor has a root on the circle only if it equals its own reversal (complex
    conjugation maps such a root to its inverse). Then the roots on the circle are counted by
    Sturm's theorem in ``w = root + 1/root``; otherwise balls around the roots decide.

    >>> lamda = sp.Symbol("lamda")
    >>> place(sp.Poly((lamda**2 - lamda + 1) * (2 * lamda - 1), lamda))
    Placement(inside=1, on=2, outside=0)
    """
    total = Placement()
    for factor, multiplicity in polynomial.factor_list()[1]:
        for _ in range(multiplicity):
            total += _place_irreducible(factor)
    return total


def is_reciprocal(factor: sp.Poly) -> bool:
    """Whether a polynomial equals its reversal up to sign."""
    coefficients = factor.all_coeffs()
    return coefficients[::-1] in (coefficients, [-c for c in coefficients])


def _place_irreducible(factor: sp.Poly) -> Placement:
    if not is_reciprocal(factor):
        return _place_by_balls(factor)
    if factor.degree() == 1:
        return Placement(on=1)
    on = 2 * int(_in_sums(factor).count_roots(-2, 2))
    off = (factor.degree() - on) // 2
    return Placement(off, on, off)


def _in_sums(factor: sp.Poly) -> sp.Poly:
    """Rewrite a palindromic polynomial of even degree in ``w = root + 1/root``."""
    w = sp.Symbol("w")
    half = factor.degree() // 2
    coefficients = factor.all_coeffs()[half:]
    sums = [sp.Integer(2), w]  # root^k + root^-k, by its recursion
    while len(sums) <= half:
        sums.append(sp.expand(w * sums[-1] - sums[-2]))
    terms = [c * s for c, s in zip(coefficients[1:], sums[1:], strict=False)]
    return sp.Poly(coefficients[0] + sum(terms), w)


def _place_by_balls(factor: sp.Poly) -> Placement:
    bits = flint.ctx.prec
    try:
        while flint.ctx.prec <= MAX_BITS:
            sides = [_side(root) for root in roots_in_balls(factor)]
            if None not in sides:
                return Placement(inside=sides.count(-1), outside=sides.count(1))
            flint.ctx.prec *= 2
    finally:
        flint.ctx.prec = bits
    raise ArithmeticError(f"roots of {factor.as_expr()} not separated from the unit circle")


def roots_in_balls(polynomial: sp.Poly) -> list[flint.acb]:
    """Return balls that enclose the roots of a rational polynomial, with multiplicity."""
    cleared = polynomial.clear_denoms()[1]
    integral = flint.fmpz_poly([int(c) for c in reversed(cleared.all_coeffs())])
    roots: list[tuple[flint.acb, int]] = integral.complex_roots()  # type: ignore[assignment]
    return [root for root, k in roots for _ in range(k)]


def _side(root: flint.acb) -> int | None:
    square = root.real * root.real + root.imag * root.imag
    return -1 if square < 1 else 1 if square > 1 else None
