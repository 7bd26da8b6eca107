"""The largest converging step size with parameters left free, for updates of two variables."""

from __future__ import annotations

import sympy as sp

from gantheory.dynamics.operators import eta


def step_bound(matrix: sp.Matrix, step: sp.Symbol = eta) -> sp.Expr | None:
    r"""Return b such that the 2 × 2 update converges iff ``0 < step < b``, or None.

    Both eigenvalues lie inside the unit circle iff :math:`\det < 1` and
    :math:`|\mathrm{trace}| < 1 + \det`. The answer is given only where, for all positive values
    of the parameters, one of these conditions is linear in the step size and the others hold.

    >>> gamma = sp.Symbol("gamma", positive=True)
    >>> step_bound(sp.Matrix([[1 - gamma * eta, -eta], [eta, 1 - gamma * eta]]))
    2*gamma/(gamma**2 + 1)
    """
    if matrix.shape != (2, 2):
        return None
    trace, det = sp.expand(matrix.trace()), sp.expand(matrix.det())
    open_conditions = [
        factor
        for condition in (1 - det, 1 + det - trace, 1 + det + trace)
        for factor in _undecided_factors(sp.expand(condition), step)
    ]
    if len(open_conditions) != 1:
        return None
    condition = sp.Poly(open_conditions[0], step)
    if condition.degree() != 1:
        return None
    slope, constant = condition.all_coeffs()
    falls = _is_positive(-slope, step) and _is_positive(constant, step)
    return sp.factor(-constant / slope) if falls else None


def _undecided_factors(condition: sp.Expr, step: sp.Symbol) -> list[sp.Expr]:
    """Factors that are not positive throughout; the sign in front joins the first of them."""
    sign, factors = sp.factor_list(condition)
    left = [base for base, k in factors for _ in range(k) if not _is_positive(base, step)]
    if not sign.is_positive:
        left = [-left[0], *left[1:]] if left else [sp.S.NegativeOne]
    return left


def _is_positive(expression: sp.Expr, step: sp.Symbol) -> bool:
    """Whether a polynomial in positive symbols is positive: by its coefficients or as a square."""
    expanded = sp.expand(expression)
    if not expanded.free_symbols:
        return bool(expanded.is_positive)
    if all(c.is_positive for c in sp.Poly(expanded, *expanded.free_symbols).coeffs()):
        return True
    poly = sp.Poly(expanded, step)
    if poly.degree() != 2 or not poly.LC().is_positive:
        return False
    return bool(sp.expand(poly.discriminant()).is_negative)
