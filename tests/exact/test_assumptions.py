"""The sign of an expression for all legal parameters, against grids."""

import numpy as np
import pytest
import sympy as sp

from gantheory.exact.assumptions import sign_by_roots


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
