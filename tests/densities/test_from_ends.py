"""A law pushed forward to an end that is not 0: what lies within one rounding of it counts.

A monotone G changes no divergence, so that of the latent laws is the truth.
"""

import math

import numpy as np
import pytest

from gantheory import divergence
from gantheory.densities.from_ends import distance_from_end
from gantheory.densities.pushforward import pushforward

FORMULAS = (
    "{a}*z + {b}",
    "{b} - {a}*z",
    "exp({a}*z)",
    "{b} + z**2",
    "{b} + sqrt(z)",
    "{b}/(1 + z)",
)


@pytest.mark.parametrize("seed", range(5))
def test_a_singular_end_keeps_its_mass_whatever_number_it_is_carried_to(seed):
    draw = np.random.default_rng(seed)
    p = f"gamma({float(draw.uniform(0.15, 0.6))!r}, {float(draw.uniform(0.2, 2))!r})"
    q = f"uniform(0, {float(draw.uniform(0.5, 2))!r})" if seed % 2 else "beta(0.3, 2)"
    a, b = (repr(float(10**size)) for size in draw.uniform(-1, 1, 2))
    formula = FORMULAS[seed].format(a=a, b=b)
    for name in ("hellinger2", "tv"):
        truth = divergence(name, p, q)
        found = divergence(name, pushforward(formula, p), pushforward(formula, q))
        assert abs(found.value - truth.value) <= found.error + truth.error, (name, formula, p, q)
        assert found.error <= 1e-10


def test_the_distance_at_which_a_function_has_risen_by_a_gap_is_that_of_its_inverse():
    log_gap = np.array([-20.0, -80.0, -700.0, -5000.0])
    for slope, inverse, ends in (
        (lambda z: 3 * z**2, lambda g: g / 3, (0.0,)),
        (lambda z: 0.5 / np.sqrt(z), lambda g: 2 * g, (0.0,)),
        (lambda z: np.exp(-z), lambda g: np.log(-np.log1p(-np.exp(g))) if g > -30 else g, (0.0,)),
        (np.exp, lambda g: g - 2 if g < -30 else math.log(math.log1p(math.exp(g - 2))), (2.0,)),
    ):
        found, _ = distance_from_end(slope, *ends, 1, log_gap, 1.0)
        assert found == pytest.approx([inverse(g) for g in log_gap], rel=1e-11)


def test_no_distance_is_invented_where_the_function_does_not_rise_as_far():
    found, slope = distance_from_end(lambda z: np.ones_like(z), 0.0, 1, np.array([0.5, -3.0]), 1.0)
    assert np.isnan([found[0], slope[0]]).all()
    assert found[1] == pytest.approx(-3.0)


@pytest.mark.parametrize("formula", ["z**2", "1/z", "-abs(z)"])
def test_a_turn_or_a_pole_beyond_all_mass_leaves_the_laws_where_they_are(formula):
    p, q = "normal(-2.16, 0.031)", "laplace(-2.69, 0.0378)"
    truth = divergence("tv", p, q)
    found = divergence("tv", pushforward(formula, p), pushforward(formula, q))
    assert abs(found.value - truth.value) <= found.error + truth.error
    assert found.error < 1e-11


def test_mass_within_one_rounding_of_a_far_limit_is_said_and_not_lost():
    p, q = "gamma(9.6, 3.1)", "laplace(-0.4, 0.2)"
    found = divergence("jsd", pushforward("tanh(z)", p), pushforward("tanh(z)", q))
    assert "integrates to" in str(found.reason)
