"""The sign of an expression for all legal parameters, against grids."""

import numpy as np
import pytest
import sympy as sp

from gantheory.exact.assumptions import sign_by_roots, sign_of_polynomial


@pytest.mark.parametrize("seed", range(3))
def test_a_polynomial_with_irrational_coefficients_has_the_sign_of_a_grid(seed):
    draw = np.random.default_rng(seed)
    x = sp.Symbol("x", positive=True)
    some = [sp.E, -sp.sqrt(sp.E), sp.log(3), -sp.pi, sp.Integer(2), sp.Integer(-1), 0, 0]
    grid = np.geomspace(1e-6, 1e6, 3000)
    signs = []
    for _ in range(25):
        constants = [some[k] for k in draw.integers(0, len(some), 5)]
        q = int(draw.choice([1, 2]))
        expr = sum(c * x ** sp.Rational(k, q) for k, c in enumerate(constants))
        if expr == 0 or not expr.has(x):
            continue
        values = sp.lambdify(x, expr, "numpy")(grid)
        signs.append(1 if (values > 0).all() else -1 if (values < 0).all() else None)
        assert sign_by_roots(expr, x) == signs[-1]
    assert len(set(signs)) == 3


@pytest.mark.parametrize("seed", range(12))
def test_the_sign_of_a_polynomial_with_radicals_is_that_at_many_points(seed):
    """c·(x² + bx + a)(x + k) on x > 0, expanded: a root there where b < -2√a, and none else."""
    draw = np.random.default_rng(seed)
    x = sp.Symbol("x", positive=True)
    a, k, c = (sp.sqrt(int(draw.integers(2, 9))) for _ in range(3))
    b = sp.Rational(int(draw.integers(-60, 20)), 10) + sp.root(5, 4)
    expr = sp.expand((-1) ** seed * c * (x**2 + b * x + a) * (x + k))
    values = sp.lambdify(x, expr)(np.geomspace(1e-4, 1e4, 4001))
    signs = set(np.sign(values))
    assert sign_of_polynomial(expr) == (int(signs.pop()) if len(signs) == 1 else None)
