r"""A divergence as an integral in ball arithmetic, and what bounds it in the tails: all from f.

With f(1) = 0 and a slope k at 1,

* f convex, f(0) and f'(∞) finite: \|q f(p/q)\| ≤ max(\|f(0)\|, \|f'(∞)\|)·(p + q), as
  f(r) ≤ f(0) + r f'(∞) and f(r) ≥ k(r − 1);
* \|f''\| ≤ c/r and f(0) = 0: \|q f(p/q)\| ≤ c p \|log p − log q\|, as c r log r ± f are convex
  and 0 at 0 and at 1; and the same with p and q exchanged;
* \|f''\| ≤ c·(1/r + 1/r²), the curvature of Jeffreys' divergence:
  \|q f(p/q)\| ≤ c(p − q)(log p − log q) + \|k\|(p + q).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import sympy as sp
from flint import acb, arb

from gantheory.divergences import Complement, FDivergence, in_catalogue, named, with_stable
from gantheory.divergences.stable import Balls
from gantheory.errors import GantheoryError
from gantheory.exact.arb import exact_ball
from gantheory.exact.signs import sign_on_positive
from gantheory.exact.signs.balls import enclose
from gantheory.functions import r
from gantheory.integrals.certified.formulas import integrand_of
from gantheory.theory.generator import (
    at_zero,
    check_generator,
    curvature,
    formula,
    is_convex,
    slope_at_infinity,
)

LARGEST = 64  # times a known curvature: what bounds of tails are tried


@dataclass(frozen=True)
class Form:
    """A divergence as an integral: its integrand and what bounds it where a density vanishes.

    ``at_zero`` and ``at_infinity`` multiply q where p = 0 and p where q = 0 (None: infinite).
    ``tail`` is C with |integrand| ≤ C(p + q), or None where the integrand grows like the
    log-densities: then C is ``factor`` against (p + q)(log 2 + |log p| + |log q|), and
    ``weights`` tells which of p, q carry mass in it. ``order`` is that of an unbounded power,
    times ``factor``.
    """

    integrand: Balls
    at_zero: Callable[[], arb] | None
    at_infinity: Callable[[], arb] | None
    tail: Callable[[], arb] | None = None
    weights: tuple[int, int] = (1, 1)
    order: Fraction | None = None
    factor: arb | None = None


def form_of(entry: FDivergence | Complement) -> Form:
    """Return the form of a divergence, derived from its entry.

    Raises:
        GantheoryError: where f grows faster than r·log r at an end and is no power, or is not
            shown to be convex and is unbounded.
    """
    if isinstance(entry, Complement):
        ends = _ends(named(entry.of))
        return Form(entry.balls, _zero, _zero, _number(sp.Max(*ends)))
    if entry.power and in_catalogue(entry):
        return power_form(*entry.power)
    stable = with_stable(entry).stable
    return _form_of_generator(entry, stable.balls if stable else None)


@lru_cache(maxsize=256)
def _form_of_generator(entry: FDivergence, balls: Balls | None) -> Form:
    check_generator(entry)
    convex, ends = is_convex(entry), _ends(entry)
    zero, infinity = map(_number, ends)
    if not (convex or (zero and infinity)):
        raise GantheoryError(
            f"certified mode takes convex f, or bounded ones; {entry.f} is not shown to be either"
        )
    integrand = balls or integrand_of(entry.f)
    if convex and zero and infinity:
        return Form(integrand, zero, infinity, _number(sp.Max(*map(abs, ends))))
    weights, factor = _logarithmic(entry, ends, convex)
    return Form(integrand, zero, infinity, weights=weights, factor=factor)


def _ends(entry: FDivergence) -> tuple[sp.Expr, sp.Expr]:
    return at_zero(entry), slope_at_infinity(entry)


def _zero() -> arb:
    return arb(0)


def _number(value: sp.Expr) -> Callable[[], arb] | None:
    """Return a constant at the working precision that there is when it is called."""
    return None if value.is_finite is False else lambda: enclose(value)


def _logarithmic(
    entry: FDivergence, ends: tuple[sp.Expr, sp.Expr], convex: bool | None
) -> tuple[tuple[int, int], arb]:
    """Return which of p and q bound \\|q f(p/q)\\| times their logarithms, and the factor."""
    smooth, atoms = curvature(entry)
    sides = (smooth,) if convex else (smooth, -smooth)
    if not atoms:
        if ends[0] == 0 and (factor := _multiple(1 / r, sides)):
            return (1, 0), arb(factor)
        if ends[1] == 0 and (factor := _multiple(1 / r**2, sides)):
            return (0, 1), arb(factor)
        if factor := _multiple(1 / r + 1 / r**2, sides):
            slope = abs(sp.diff(formula(entry), r).subs(r, 1))
            return (1, 1), arb(factor) + enclose(slope) / arb.const_log2()
    raise GantheoryError(
        f"certified mode cannot bound the tails of f = {entry.f}: it grows faster than "
        "r*log(r) or log(1/r); use the default method"
    )


def _multiple(known: sp.Expr, sides: tuple[sp.Expr, ...]) -> int | None:
    """Return c with ``sides`` ≤ c times a known curvature on all of (0, ∞), if one is found."""
    factors = (2**k for k in range(LARGEST.bit_length()))
    return next(
        (c for c in factors if all(_is_nonnegative(c * known - side) for side in sides)), None
    )


def _is_nonnegative(expr: sp.Expr) -> bool:
    return bool(sign_on_positive(sp.together(expr), r).is_nonnegative)


def power_form(alpha: Fraction, factor: Fraction | int) -> Form:
    """Return c times the power divergence; for α in (0, 1), p^α q^(1−α) ≤ αp + (1−α)q."""
    integrand = _Curved(alpha, factor)
    if not 0 < alpha < 1:
        return Form(
            integrand,
            (lambda: _quotient(factor, alpha)) if alpha > 1 else None,
            None if alpha > 1 else (lambda: _quotient(factor, 1 - alpha)),
            order=alpha,
            factor=exact_ball(Fraction(factor)),
        )
    return Form(
        integrand,
        lambda: _quotient(factor, alpha),
        lambda: _quotient(factor, 1 - alpha),
        lambda: _quotient(factor, min(alpha, 1 - alpha)),
    )


def _quotient(factor: Fraction | int, order: Fraction) -> arb:
    return exact_ball(Fraction(factor) / order)


@dataclass(frozen=True)
class _Curved:
    """c·(αp + (1 − α)q − p^α q^(1−α))/(α(1 − α))."""

    alpha: Fraction
    factor: Fraction | int

    def __call__(self, a: acb, b: acb, u: acb, analytic: bool) -> acb:
        alpha, rest = exact_ball(self.alpha), exact_ball(1 - self.alpha)
        product = (alpha * a + rest * b).exp()
        scale = exact_ball(self.factor / (self.alpha * (1 - self.alpha)))
        return scale * (alpha * a.exp() + rest * b.exp() - product)
