"""Quantities that a flow conserves, found by linear algebra and then proved."""

from __future__ import annotations

import random
from itertools import combinations_with_replacement

import numpy as np
import sympy as sp

from gantheory.dynamics.record import Game
from gantheory.functions import sigmoid
from gantheory.records import How

EXACTLY = How.PROVED  # linear algebra over the rationals, as for the step sizes of linear updates


def conserved_by_flow(dynamics: Game) -> tuple[sp.Expr, ...]:
    """Return a basis of the polynomials of degree 1 and 2 that the flow conserves.

    >>> from gantheory.dynamics.known import dirac
    >>> conserved_by_flow(dirac("minimax"))
    (psi**2 + theta**2,)
    """
    if dynamics.field.has(sp.Integral):
        return ()
    monomials = [
        sp.Mul(*chosen)
        for degree in (1, 2)
        for chosen in combinations_with_replacement(dynamics.variables, degree)
    ]
    rates = [_along(monomial, dynamics) for monomial in monomials]
    return _combinations(monomials, rates, dynamics.variables)


def _along(quantity: sp.Expr, dynamics: Game) -> sp.Expr:
    """The derivative of a quantity along the flow."""
    gradient = sp.Matrix([quantity]).jacobian(dynamics.variables)
    return (gradient * dynamics.field)[0, 0]


def _combinations(
    monomials: list[sp.Expr], changes: list[sp.Expr], variables: tuple[sp.Symbol, ...]
) -> tuple[sp.Expr, ...]:
    """Combinations whose change vanishes at random rational points, kept if it does everywhere."""
    symbols = set().union(*(change.free_symbols for change in changes))
    if all(change.is_rational_function(*symbols) for change in changes):
        guesses = _exact_null_space(changes, variables)
    else:
        guesses = _rounded_null_space(changes, variables) if symbols <= {*variables} else []
    kept = []
    for weights in guesses:
        change = sum((w * c for w, c in zip(weights, changes, strict=True)), sp.S.Zero)
        if sp.expand(change) == 0 or sp.cancel(change) == 0:
            kept.append(sum((w * m for w, m in zip(weights, monomials, strict=True)), sp.S.Zero))
    return tuple(kept)


def _exact_null_space(
    changes: list[sp.Expr], variables: tuple[sp.Symbol, ...]
) -> list[list[sp.Expr]]:
    rng, rows = random.Random(0), []
    for _ in range(len(changes) + 2):
        point = {v: sp.Rational(rng.randint(-30, 30), 7) for v in variables}
        rows.append([sp.cancel(change.subs(point)) for change in changes])
    basis = sp.Matrix(rows).nullspace(simplify=sp.cancel)
    return [[sp.cancel(w / next(u for u in vector if u != 0)) for w in vector] for vector in basis]


def _rounded_null_space(
    changes: list[sp.Expr], variables: tuple[sp.Symbol, ...]
) -> list[list[sp.Expr]]:
    """Guesses with small rational weights from floating point: only a guide, proved afterwards."""
    plain = [change.replace(sigmoid, lambda u: 1 / (1 + sp.exp(-u))) for change in changes]
    evaluate = sp.lambdify(variables, plain, "numpy")
    points = np.random.default_rng(0).uniform(-2, 2, (4 * len(changes), len(variables)))
    rows = np.array([evaluate(*point) for point in points], dtype=float)
    _, sizes, basis = np.linalg.svd(rows)
    free = basis[np.concatenate([sizes, np.zeros(len(changes) - len(sizes))]) < 1e-9]
    reduced = sp.Matrix(free.round(9).tolist()).rref(iszerofunc=lambda w: abs(w) < 1e-6)[0]
    return [[sp.Rational(str(w)).limit_denominator(1000) for w in row] for row in reduced.tolist()]
