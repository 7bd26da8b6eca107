"""The sign of a'b'' − b'a'', rewritten so that intervals keep it, against differences."""

import random

import mpmath
import numpy as np
import pytest
import sympy as sp
from flint import arb
from scipy import special

from gantheory import Loss, derive
from gantheory.functions import sigmoid, t
from gantheory.implicit.isolation import DEEP, Function, _enclosures
from gantheory.implicit.tidying import _factors, turning

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


def test_distances_with_a_small_number_under_the_root_are_decided():
    """D is where r·(1 − t)/√((t − 1)² + c) = (t + 1)/√((t + 1)² + c), found by bisection."""
    found = derive(Loss("soft", "-sqrt((t - 1)**2 + 1e-8)", "-sqrt((t + 1)**2 + 1e-8)", "-t"))
    assert found.status == "derived"
    for row in found.at(0.5, 3):

        def slope(score, ratio=row.r):
            pull = ratio * (1 - score) / mpmath.sqrt((score - 1) ** 2 + mpmath.mpf("1e-8"))
            return pull - (score + 1) / mpmath.sqrt((score + 1) ** 2 + mpmath.mpf("1e-8"))

        with mpmath.workdps(40):
            score = mpmath.findroot(slope, (-1, 1), solver="bisect", verify=False, maxsteps=99)
        assert row.t.value == pytest.approx(float(score), abs=1e-12)


@pytest.mark.parametrize("order", [2, 3, DEEP])
def test_enclosures_by_taylors_formula_hold_every_value_and_slope(order):
    expr = 2 * sp.exp(-t) * sp.atan(sp.exp(t)) - 2 / (sp.exp(2 * t) + 1)  # its terms cancel
    function, plain = Function(expr, t), sp.lambdify(t, expr, "mpmath")
    for middle, reach in ((-6, 0.25), (-6, 1 / 64), (-1, 0.5), (0.5, 0.125), (3, 0.5)):
        values, slopes = _enclosures(function, arb(middle, reach), order)
        with mpmath.workdps(40):
            for share in np.linspace(-1, 1, 41):
                place = mpmath.mpf(middle) + mpmath.mpf(reach) * mpmath.mpf(float(share))
                assert values.contains(arb(plain(place)))
                assert slopes.contains(arb(mpmath.diff(plain, place)))
    wide, deep = (_enclosures(function, arb(-6, 0.1), k)[0].rad() for k in (2, DEEP))
    assert deep < wide / 50


def test_factors_multiply_to_the_whole_and_are_those_that_sympy_finds():
    z, root = sp.exp(t), sp.sqrt(1 + t**2)
    rng = random.Random(5)
    for _ in range(12):
        parts = [rng.choice((t, z, root, sp.Integer(1))) * rng.randint(1, 3)
                 + rng.choice((t**2, z * t, root, sp.erf(t))) / rng.randint(1, 4)
                 for _ in range(3)]  # fmt: skip
        whole = sp.expand(parts[0] ** 2 * parts[1]) / sp.expand(6 * parts[2] ** 2) ** 2
        whole += rng.randint(0, 1)
        found = sp.Mul(*_factors(whole))
        assert sp.cancel(found - whole) == 0
        by_sympy = sp.Mul.make_args(sp.factor(whole))
        assert len({one for one in sp.Mul.make_args(found) if not one.is_number}) == len(
            {one for one in by_sympy if not one.is_number}
        )


def test_a_turning_of_many_functions_is_found_in_time():
    """Sympy's factors took longer than the limit of time."""
    real = "2*atan(1 - t) - leaky_relu(1 - t, 0.01)/4 - 3*huber(2*t, 1)"
    fake = "-max(t - 1, 2*t)/2 - 2*sqrt(1 + (1 - t)**2) + erf(3*t - 2)/4"
    found = derive(Loss("many", real, fake, "-t"))
    (at,) = found.at(1)
    scores = np.linspace(-3, 3, 200_001)
    a = 2 * np.arctan(1 - scores) - np.where(scores < 1, 1, 0.01) * (1 - scores) / 4
    a -= 3 * np.where(abs(scores) < 0.5, 2 * scores**2, 2 * abs(scores) - 0.5)
    b = -np.maximum(scores - 1, 2 * scores) / 2 - 2 * np.hypot(1, 1 - scores)
    b += special.erf(3 * scores - 2) / 4
    assert float(at.t) == pytest.approx(scores[(a + b).argmax()], abs=1e-4)
