"""Tails of families, against what their log-densities do far out and close to their ends."""

import math

import numpy as np
import pytest

from gantheory import divergence
from gantheory.densities import Points, density

# with scales that are not 1, which hides a scale in the place of its inverse
LAWS = [
    "normal(0.5, 2)", "laplace(0.5, 2)", "logistic(0.5, 2)", "gumbel(0.5, 2)", "gumbel(-1, 0.3)",
    "cauchy(0.5, 2)", "student_t(3, 0.5, 2)", "skew_normal(0.5, 2, 3)", "lognormal(0.5, 2)",
    "generalised_normal(0.5, 2, 3)", "truncnormal(0.5, 2, 0, inf)", "gamma(2.5, 0.3)",
    "exponential(0.3)", "chi_squared(3)", "weibull(1.7, 0.3)", "rayleigh(0.3)", "pareto(2.5, 3)",
    "inverse_gamma(3, 2)", "log_logistic(3, 0.5)", "half_normal(2)", "half_cauchy(0.5)",
    "beta(2.5, 0.7)", "kumaraswamy(2.5, 3)", "triangular(-1, 1, 2)",
    "affine(gumbel(0.5, 2), 1, -3)", "affine(gamma(2.5, 0.3), 1, -3)",
    "affine(weibull(0.7, 0.3), -1, 2)",
    "restrict(gumbel(0.5, 2), 0, inf)", "mixture(0.3*normal(0, 1) + 0.7*laplace(1, 0.2))",
]  # fmt: skip


def grown(tail, y):
    """Return the growth that the documentation of `Tail` states."""
    long = -math.log(y) if tail.finite else math.log(y)
    terms = [tail.square * y**2, tail.linear * y, tail.logsquare * long**2, tail.log * long]
    if tail.rate:
        terms.append(-math.exp(tail.lift + tail.rate * y))
    terms += [w * math.exp(c * (long - math.log(s))) for c, s, w in tail.powers]
    return sum(map(float, terms))


@pytest.mark.parametrize("text", LAWS)
def test_a_log_density_grows_like_its_stated_tail(text):
    law = density(text)
    for end, side in zip(law.support, (1, -1), strict=True):
        tail = law.tail(end, side)
        assert tail is not None
        places = (1e-60, 1e-90) if math.isfinite(end) else (1e4, 2e4)
        if tail.rate:
            places = tuple((k - float(tail.lift)) / float(tail.rate) for k in (5, 25))
        elif math.isfinite(end) and tail.powers:
            places = (1e-4, 1e-5)
        anchor = end if math.isfinite(end) else 0.0
        toward = side if math.isfinite(end) else -side
        at = Points(*(np.array([v, v]) for v in (anchor, float(toward))),
                    np.array(places), np.log(places))  # fmt: skip
        logs = law.log_density(at)
        found, stated = float(logs[1] - logs[0]), grown(tail, places[1]) - grown(tail, places[0])
        assert abs(found - stated) < 0.02 + 1e-9 * float(np.abs(logs).max()), (end, str(tail))


@pytest.mark.parametrize(("a", "b"), [(2.0, 3.0), (3.0, 2.0), (0.3, 0.2), (0.4, 0.9)])
def test_a_power_of_two_gumbel_laws_is_finite_where_the_steeper_surge_is_in_the_numerator(a, b):
    """∫ p²/q: toward −∞ −2·exp(−x/a) + exp(−x/b) decides, toward ∞ 1/b − 2/a."""
    found = divergence("pearson_chi2", f"gumbel(0, {a})", f"gumbel(0, {b})")
    assert math.isinf(found.value) == (a > b or a > 2 * b)
