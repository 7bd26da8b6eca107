"""The sign of a'b'' − b'a'', rewritten so that intervals keep it, against differences."""

import time

import mpmath
import numpy as np
import pytest
import sympy as sp

from gantheory import Loss, derive
from gantheory.functions import sigmoid, t
from gantheory.implicit.tidying import turning

FACTORS = [
    sp.exp(t / 2),
    sp.exp(-t),
    t,
    (t - 1) ** 2,
    t - sp.Rational(1, 3),
    sp.sqrt(1 + t**2),
    1 / sp.sqrt((t - 1) ** 2 + sp.Rational(1, 10**4)),
    sigmoid(t),
    sigmoid(-t),
    1 / (1 + sigmoid(t)),
    sp.Integer(-2),
    (1 + t**2) ** -2,
    t + sp.exp(t),
]


def value(expr):
    return sp.lambdify(t, expr.replace(sigmoid, lambda u: 1 / (1 + sp.exp(-u))), "mpmath")


@pytest.mark.parametrize("seed", range(12))
def test_it_has_the_sign_of_the_difference_of_two_products_of_random_factors(seed):
    draw = np.random.default_rng(seed)
    a, b = (sp.Mul(*(FACTORS[k] for k in draw.integers(len(FACTORS), size=4))) for _ in range(2))
    made, first, second = value(turning(a, b)), value(a), value(b)
    for score in draw.normal(0, 2, 8):
        place = mpmath.mpf(score)
        truth = first(place) * mpmath.diff(second, place) - second(place) * mpmath.diff(
            first, place
        )
        if abs(truth) > 1e-8 * abs(first(place) * second(place)):
            assert mpmath.sign(made(place)) == mpmath.sign(truth), (a, b, score)


def test_roots_of_a_probability_with_a_small_number_added_are_decided_in_seconds():
    start = time.process_time()
    small = "1e-6"
    formulas = [f"sqrt(D + {small})", f"sqrt(1 - D + {small})", "-t"]
    found = derive(Loss("small", *formulas))
    assert time.process_time() - start < 10
    assert found.status == "derived"
    # r/sqrt(D + c) = 1/sqrt(1 - D + c), so that D = (r² + c(r² - 1))/(1 + r²)
    for row in found.at(0.5, 3):
        square = row.r**2
        assert row.D.value == pytest.approx((square + 1e-6 * (square - 1)) / (1 + square))
