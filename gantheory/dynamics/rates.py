"""The best step size of a linear update and the rate it reaches, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import mpmath
import sympy as sp

from gantheory.dynamics.operators import characteristic, eta
from gantheory.dynamics.steps import positive_real_roots, second_compound, step_sizes

DIGITS = 40  # candidates are compared numerically, so far apart that ties would be exact
FAR = 10**6  # times the best step size: a smaller radius there means that no step size is best
square = sp.Symbol("square", positive=True)


@dataclass(frozen=True)
class BestRate:
    """The step size with the smallest spectral radius, and that radius; both algebraic."""

    step: sp.Expr
    radius: sp.Expr


def best_rate(matrix: sp.Matrix, step: sp.Symbol = eta) -> BestRate | None:
    r"""Minimise the spectral radius over the step size; None where no step size converges.

    The squared radius is an eigenvalue of :math:`\Lambda^2 M` (the product of a conjugate pair)
    or of :math:`M^2` (a real eigenvalue). Its minimum lies where such a branch is stationary or
    meets another: at roots of resultants and discriminants.

    >>> best_rate(sp.Matrix([[1 - eta**2, -eta], [eta, 1 - eta**2]]))
    BestRate(step=sqrt(2)/2, radius=sqrt(3)/2)
    """
    converging = step_sizes(matrix, step).converges
    branches = _branches(matrix, step)
    candidates = [h for h in _candidates(branches, step) if converging.contains(h) == sp.true]
    if not candidates:
        return None  # no step size converges, or ever larger ones converge faster
    best = min(candidates, key=lambda h: spectral_radius(matrix.subs(step, h)))
    radius = spectral_radius(matrix.subs(step, best))
    if converging.sup is sp.oo and spectral_radius(matrix.subs(step, FAR * best)) < radius:
        return None
    return BestRate(best, _exact_radius(branches, step, best, radius))


def spectral_radius(matrix: sp.Matrix, digits: int = DIGITS) -> mpmath.mpf:
    """Return the largest modulus of an eigenvalue, to about half of ``digits``."""
    with mpmath.workdps(digits):
        entries = [[mpmath.mpmathify(e.evalf(digits)) for e in row] for row in matrix.tolist()]
        if len(entries) == 1:  # mpmath.eig answers in another form there
            return abs(entries[0][0])
        return max(abs(value) for value in mpmath.eig(mpmath.matrix(entries), right=False))


def _branches(matrix: sp.Matrix, step: sp.Symbol) -> list[sp.Expr]:
    """Irreducible polynomials in the squared modulus and the step size."""
    whole = characteristic(matrix**2).as_expr()
    if matrix.rows > 1:
        whole *= characteristic(second_compound(matrix)).as_expr()
    name = next(iter(characteristic(matrix).gens))
    factors = sp.factor_list(sp.expand(whole.subs(name, square)))[1]
    return [f for f, _ in factors if f.has(square) and f != square]


def _candidates(branches: list[sp.Expr], step: sp.Symbol) -> list[sp.Expr]:
    """Step sizes where a branch is stationary, or two values or branches meet."""
    meeting = [sp.resultant(f, g, square) for f, g in combinations(branches, 2)]
    stationary = [sp.resultant(f, sp.diff(f, step), square) for f in branches if f.has(step)]
    double = [sp.discriminant(f, square) for f in branches if sp.Poly(f, square).degree() > 1]
    return positive_real_roots([*meeting, *stationary, *double], step)


def _exact_radius(
    branches: list[sp.Expr], step: sp.Symbol, best: sp.Expr, radius: mpmath.mpf
) -> sp.Expr:
    """Identify the radius among the exact roots of the branches at the best step size."""
    level = sp.minimal_polynomial(best, step)
    positive = positive_real_roots([sp.resultant(f, level, step) for f in branches], square)
    squares = [sp.S.Zero, *positive]
    nearest = min(squares, key=lambda value: abs(value.evalf(DIGITS) - radius**2))
    return sp.sqrtdenest(sp.sqrt(nearest))
