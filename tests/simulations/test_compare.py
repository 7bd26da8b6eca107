"""Intervals miss no more often than they state, and tests reject what they should."""

import math

import numpy as np
import pytest
from scipy import stats

from gantheory.errors import GantheoryError
from gantheory.records import Status
from simulations.compare import (
    across_seeds,
    classifier_test,
    energy_test,
    half_width,
    kolmogorov_smirnov,
    mean_of,
    proportion,
    union,
)

RERUNS = 10_000
# A binomial count of misses beyond this quantile happens with probability 1e-9 by chance.
BY_CHANCE = 1e-9

LAWS = {
    "normal": lambda rng, size: rng.standard_normal(size),
    "skewed": lambda rng, size: rng.exponential(size=size) - 1,
    "reversed": lambda rng, size: 1 - rng.exponential(size=size),
    "two-valued": lambda rng, size: rng.integers(0, 2, size=size) - 0.5,
}


def misses(draw, delta, seed):
    rng = np.random.default_rng(seed)
    count = 0
    for _ in range(10):  # in parts, for memory
        means = draw(rng, (RERUNS // 10, 512))
        count += int((np.abs(means.mean(axis=-1)) > half_width(means, delta)).sum())
    return count


@pytest.mark.parametrize("delta", [1e-2, 1e-3])
@pytest.mark.parametrize("law", LAWS)
def test_the_interval_misses_no_more_often_than_it_states(law, delta):
    allowed = stats.binom.isf(BY_CHANCE, RERUNS, delta)
    assert misses(LAWS[law], delta, 0) <= allowed


def test_an_interval_a_fifth_too_narrow_is_caught_by_the_same_count():
    rng = np.random.default_rng(1)
    means = rng.standard_normal((RERUNS, 512))
    narrow = 0.8 * half_width(means, 1e-2)
    assert (np.abs(means.mean(axis=-1)) > narrow).sum() > stats.binom.isf(BY_CHANCE, RERUNS, 1e-2)


def test_the_interval_is_hardly_wider_than_the_normal_one_where_nothing_is_skewed():
    means = np.random.default_rng(2).standard_normal((200, 512))
    widths = half_width(means, 1e-8) * math.sqrt(512) / means.std(axis=-1, ddof=1)
    normal = stats.norm.isf(0.5e-8)
    assert normal < np.median(widths) < 1.1 * normal


def test_a_skewness_that_forbids_the_stated_probability_gives_an_infinite_interval():
    spikes = np.zeros(64)
    spikes[0] = 1.0
    assert math.isinf(half_width(spikes, 1e-8))
    estimate = mean_of(spikes, 1e-8)
    assert estimate.status is Status.UNDETERMINED  # an infinite error would agree with anything
    assert "use more replicates" in estimate.reason


@pytest.mark.parametrize("exponent", [-1000, -340, 340, 1000])
def test_payoffs_of_any_size_keep_their_digits(exponent):
    means = np.random.default_rng(6).standard_normal(1024) + 1
    one, scaled = mean_of(means), mean_of(np.ldexp(means, exponent))
    assert scaled.value == math.ldexp(one.value, exponent)
    assert scaled.error == math.ldexp(one.error, exponent) > 0


def test_the_mean_of_the_largest_numbers_does_not_overflow():
    assert mean_of(np.full(64, 1.7e308)).value == pytest.approx(1.7e308, rel=1e-15)


def test_a_constant_has_an_interval_of_rounding_only():
    estimate = mean_of(np.full(64, 0.1))
    assert estimate.value == pytest.approx(0.1, rel=1e-15)
    assert 0 < estimate.error < 1e-14


def test_a_value_that_is_not_finite_is_undetermined_not_a_number():
    estimate = mean_of(np.array([np.inf] + [0.0] * 63))
    assert estimate.status is Status.UNDETERMINED
    assert "1 of 64" in estimate.reason


def test_few_replicates_are_refused():
    with pytest.raises(GantheoryError, match="3 replicates; use at least 16"):
        mean_of(np.zeros(3))


@pytest.mark.parametrize(("hits", "trials"), [(0, 50), (3, 50), (25, 50), (50, 50)])
def test_the_interval_of_a_share_covers_every_share_that_could_have_given_the_count(hits, trials):
    estimate = proportion(hits, trials, 1e-3)
    for truth in np.linspace(0.001, 0.999, 999):
        tail = min(stats.binom.cdf(hits, trials, truth), stats.binom.sf(hits - 1, trials, truth))
        if tail > 0.5e-3:
            assert abs(truth - estimate.value) <= estimate.error + 1e-12


def test_the_probability_of_several_intervals_adds_up():
    estimates = [proportion(5, 10, 0.25), proportion(5, 10, 0.5)]
    assert union(estimates) == 0.75
    assert union(estimates * 2) == 1.0


SKEWED = {  # each with its median
    "normal": (lambda rng, size: rng.standard_normal(size), 0.0),
    "exponential": (lambda rng, size: rng.exponential(size=size), math.log(2)),
    "lognormal": (lambda rng, size: np.exp(2 * rng.standard_normal(size)), 1.0),
    "cauchy": (lambda rng, size: rng.standard_cauchy(size), 0.0),
    "rarely large": (lambda rng, size: 1.0 * (rng.random(size) < 0.1), 0.0),
}


@pytest.mark.parametrize(("seeds", "delta"), [(8, 0.01), (16, 0.01), (8, 0.3), (15, 1e-3)])
@pytest.mark.parametrize("law", SKEWED)
def test_the_interval_over_seeds_misses_the_median_of_no_law_more_often_than_it_states(
    law, seeds, delta
):
    draw, median = SKEWED[law]
    results = draw(np.random.default_rng(7), (2000, seeds))
    estimates = [across_seeds(row, delta) for row in results]
    stated = estimates[0].error_probability
    assert delta / 10 < stated <= delta
    missed = sum(abs(e.value - median) > e.error * (1 + 1e-12) for e in estimates)
    assert missed <= stats.binom.isf(BY_CHANCE, 2000, stated)
    if law != "rarely large":  # exact for laws without atoms
        assert missed >= stats.binom.ppf(BY_CHANCE, 2000, stated)


def test_an_interval_over_too_few_or_lost_seeds_is_undetermined():
    few = across_seeds(np.arange(7.0), 0.01)
    assert few.status is Status.UNDETERMINED
    assert "7 seeds are too few for an error probability of 0.01; use 8" in few.reason
    assert across_seeds(np.arange(8.0), 0.01).status is Status.OK
    lost = across_seeds(np.array([1.0] * 9 + [np.nan]), 0.01)
    assert lost.status is Status.UNDETERMINED
    assert "1 of 10 seeds" in lost.reason


TWO_SAMPLE = {
    "energy": lambda x, y, seed: energy_test(x, y, seed, resamples=199),
    "classifier": lambda x, y, seed: classifier_test(x, y, seed)[1],
    "kolmogorov-smirnov": lambda x, y, seed: kolmogorov_smirnov(x[:, 0], y[:, 0]),
}


@pytest.mark.parametrize("name", TWO_SAMPLE)
def test_two_sample_p_values_are_no_smaller_than_uniform_under_equal_laws(name):
    runs, level = 200, 0.1
    rng = np.random.default_rng(3)
    small = sum(
        TWO_SAMPLE[name](rng.standard_normal((60, 2)), rng.standard_normal((60, 2)), seed) <= level
        for seed in range(runs)
    )
    assert small <= stats.binom.isf(BY_CHANCE, runs, level)


@pytest.mark.parametrize("name", TWO_SAMPLE)
def test_two_sample_tests_reject_a_shift_of_one_deviation(name):
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((200, 2)), rng.standard_normal((200, 2)) + np.array([1.0, 0.0])
    assert TWO_SAMPLE[name](x, y, 0) <= 0.005


def test_the_energy_statistic_is_that_of_its_definition():
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((15, 1)), rng.standard_normal((20, 1)) + 0.4
    resamples = 400
    # scipy's distance of the empirical laws is the root of the same quadratic form, over 2.
    pooled = np.concatenate([x, y])[:, 0]
    observed = stats.energy_distance(x[:, 0], y[:, 0])
    draws = [rng.permutation(35) for _ in range(2000)]
    larger = np.mean(
        [stats.energy_distance(pooled[d[:15]], pooled[d[15:]]) >= observed for d in draws]
    )
    spread = math.sqrt(larger * (1 - larger) * (1 / 2000 + 1 / resamples))
    assert abs(energy_test(x, y, 0, resamples) - larger) < 6 * spread + 1 / resamples
