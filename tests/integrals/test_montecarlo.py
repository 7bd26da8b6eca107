"""Sampling states an interval that holds, and none where no sample size would be enough."""

import math

import numpy as np
import pytest
from scipy import stats

from gantheory import Status, divergence
from gantheory.densities import parse_density
from gantheory.densities.sampled import own_density_nd
from gantheory.integrals.kernels.stable import kernel_of
from gantheory.integrals.montecarlo import by_sampling, exceedance, range_of_integrand

HALF = "uniform(0, 1)", "uniform(0.5, 1.5)"  # TV: each draw is 1 or 0 with probability 1/2


@pytest.mark.parametrize("draws", [2_000, 20_000, 200_000])
def test_the_interval_of_a_coin_is_as_wide_as_the_binomial_law_asks_and_little_wider(draws):
    found = by_sampling(kernel_of("tv"), *map(parse_density, HALF), draws=draws)
    # a pair of draws has mean (B1 + B2)/2; its sum over n pairs is half a binomial of 2n coins
    needed = stats.binom(draws, 0.5).isf(found.error_probability / 2) / draws - 0.5
    assert needed <= found.error <= 1.6 * needed + 40 / draws
    assert abs(found.value - 0.5) <= found.error


def test_the_bound_of_a_divergence_is_its_largest_value_per_mean_density():
    assert range_of_integrand(kernel_of("jsd")) == pytest.approx(math.log(2), rel=2e-3)
    assert range_of_integrand(kernel_of("tv")) == pytest.approx(1, rel=2e-3)


HEAVY = [
    ("kl_pq", "student_t(3, 0, 1)", "normal(0, 2)"),
    ("kl_pq", "student_t(5, 0, 1)", "normal(0, 2)"),
    ("pearson_chi2", "normal(0, 1.2)", "normal(0, 1)"),
    ("kl_pq", "gumbel(0, 1)", "affine(gumbel(0, 1), 0, -3)"),
]


@pytest.mark.parametrize(("name", "p", "q"), HEAVY)
def test_without_four_moments_no_interval_is_stated(name, p, q):
    found = divergence(name, p, q, method="monte carlo")
    assert found.status is Status.UNDETERMINED
    assert "moment" in found.reason or "outweigh" in found.reason


@pytest.mark.parametrize(
    ("name", "p", "q", "answers"),
    [
        ("neyman_chi2", "laplace(0, 1)", "normal(0, 1)", 0.9),
        ("jeffreys", "normal(0, 1)", "normal(1, 1.5)", 0.9),
        ("pearson_chi2", "normal(0, 1)", "normal(0.5, 1)", 0.3),
        ("pearson_chi2", "normal(0, 1)", "normal(3, 1)", 0.0),  # lognormal weights
    ],
)
@pytest.mark.parametrize("draws", [1_000, 4_000])
def test_what_is_answered_misses_no_more_often_than_it_says(name, p, q, answers, draws):
    laws, kernel = [parse_density(text) for text in (p, q)], kernel_of(name)
    truth = divergence(name, p, q).value
    found = [
        by_sampling(kernel, *laws, seed=seed, draws=draws, error_probability=0.05)
        for seed in range(150)
    ]
    given = [one for one in found if one.status is Status.OK]
    misses = sum(abs(one.value - truth) > one.error for one in given)
    assert len(given) >= answers * len(found)
    assert stats.binom.sf(misses - 1, max(len(given), 1), 0.05) > 1e-4
    assert not answers or all(one.error < 3 * truth for one in given)


@pytest.mark.parametrize(
    ("name", "p", "answers"),
    [
        ("kl_pq", "mixture(0.999*normal(0, 1) + 0.001*normal(8, 1))", True),
        ("kl_pq", "mixture(0.999999*normal(0, 1) + 0.000001*normal(30, 1))", False),
        ("pearson_chi2", "mixture(0.9999*normal(0, 1) + 0.0001*normal(6, 1))", False),
    ],
)
def test_a_bump_that_no_draw_met_is_not_passed_over(name, p, answers):
    laws, kernel = [parse_density(text) for text in (p, "normal(0, 1)")], kernel_of(name)
    truth = divergence(name, *laws).value
    for draws, miss in ((1_000, 0.05), (4_000, 0.05), (4_000, 1e-6)):
        found = [by_sampling(kernel, *laws, seed=seed, draws=draws, error_probability=miss)
                 for seed in range(40)]  # fmt: skip
        given = [one for one in found if one.status is Status.OK]
        assert all(abs(one.value - truth) <= one.error for one in given)
        assert bool(given) == answers or miss < 0.05
        assert all(one.reason for one in found if one not in given)


def test_a_heavy_law_of_which_nothing_is_known_gives_no_interval_that_fails():
    tail = stats.t(2.2)
    heavy = own_density_nd(
        lambda x: tail.logpdf(x).sum(axis=-1), lambda rng, n: tail.rvs((n, 2), random_state=rng)
    )
    light = parse_density("normal_2d_iso((0, 0), 2)")
    rounds = [by_sampling(kernel_of("kl_pq"), heavy, light, seed=seed, draws=4_000,
                          error_probability=0.05) for seed in range(60)]  # fmt: skip
    answered = [one for one in rounds if one.status is not Status.UNDETERMINED]
    x = np.linspace(-3000, 3000, 2_000_001)
    one = tail.pdf(x) * (tail.logpdf(x) - stats.norm.logpdf(x, 0, 2))
    truth = 2 * float(one.sum() * (x[1] - x[0]))
    misses = sum(abs(found.value - truth) > found.error for found in answered)
    assert misses <= 8


def test_a_draw_where_q_vanishes_is_no_number():
    p = own_density_nd(lambda x: np.zeros(len(x)), lambda rng, n: rng.random((n, 2)))
    q = own_density_nd(
        lambda x: np.where(x[:, 0] < 0.5, np.log(2), -np.inf),
        lambda rng, n: rng.random((n, 2)) * [0.5, 1],
    )
    assert by_sampling(kernel_of("kl_pq"), p, q).status is Status.UNDETERMINED
    assert by_sampling(kernel_of("tv"), p, q).value == pytest.approx(0.5, abs=0.01)


def test_draws_that_are_all_equal_exceed_nothing():
    assert exceedance(np.full(400, 3.0), 1e-3) == 0
