"""How quantiles move with a parameter, by differences of the quantiles themselves."""

import dataclasses

import numpy as np
import pytest

import gantheory as gt
from gantheory.densities import density
from gantheory.densities.univariate import Points

LAWS = [
    "normal(0.3, 1.2)", "laplace(0.3, 1.2)", "logistic(0.3, 1.2)", "gumbel(0.3, 1.2)",
    "student_t(3, 0.3, 1.2)", "cauchy(0.3, 1.2)", "lognormal(0.3, 1.2)", "gamma(2, 1.5)",
    "uniform(0.2, 1.3)", "beta(2, 3)", "von_mises(0.5, 1)", "von_mises(-2, 5)",
    "triangular(0, 0.3, 1)", "kumaraswamy(2, 3)", "weibull(2, 1.5)", "rayleigh(1.5)",
    "inverse_gamma(3, 1.5)", "pareto(3, 1.5)", "log_logistic(3, 1.5)", "exponential(1.5)",
    "chi_squared(3)", "half_normal(1.5)", "half_cauchy(1.5)", "generalised_normal(0.3, 1.2, 1.5)",
    "skew_normal(0.3, 1.2, 1.5)", "truncnormal(0.3, 1.2, -1, 2)",
    "affine(von_mises(0.5, 1), 0.3, 1.2)",
]  # fmt: skip
LEVELS = np.array([0.1, 0.35, 0.7, 0.93])
STEP = 1e-5


@pytest.mark.parametrize("text", LAWS)
def test_a_velocity_is_the_difference_of_two_quantiles(text):
    law = density(text)
    for name in [key for key, value in law.parameters.items() if isinstance(value, float)]:
        velocity = law.velocity(name, Points.at(law.ppf(LEVELS)))
        if velocity is None:  # not known, and refused where it is needed
            continue
        at = law.parameters[name]
        above, below = (dataclasses.replace(law, **{name: at + s}) for s in (STEP, -STEP))
        moved = (above.ppf(LEVELS) - below.ppf(LEVELS)) / (2 * STEP)
        np.testing.assert_allclose(velocity, moved, rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("name", ["w1", "energy"])
@pytest.mark.parametrize("q", ["von_mises({}, 1)", "von_mises({}, 0.2)"])
def test_turning_a_circle_is_no_translation(name, q):
    p, at = "von_mises(0, 2)", 2.5
    slope = gt.divergence(name, p, q.format(at), wrt="q.loc")
    above, below = (gt.divergence(name, p, q.format(at + s)).value for s in (1e-4, -1e-4))
    if slope.status is not gt.Status.UNDETERMINED:
        assert slope.value == pytest.approx((above - below) / 2e-4, rel=1e-6, abs=1e-8)
