"""Samples and counts against known laws, by closed forms and SciPy's sums."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from gantheory import divergence
from gantheory.densities import parse_density
from gantheory.integrals.transport.radial import KERNELS
from gantheory.records import Status

LAWS = {
    "normal(0.3, 2)": stats.norm(0.3, 2),
    "gamma(0.5, 2)": stats.gamma(0.5, 0, 2),
    "beta(0.4, 0.7)": stats.beta(0.4, 0.7),
    "student_t(3.5)": stats.t(3.5),
    "uniform(-1, 3)": stats.uniform(-1, 4),
}


@pytest.mark.parametrize("law", LAWS)
def test_w2_of_samples_and_a_law_is_the_integral_over_levels(law):
    rng = np.random.default_rng(len(law))
    known = LAWS[law]
    x = np.sort(known.rvs(int(rng.integers(1, 7)), random_state=rng) + rng.normal())
    n = len(x)
    mean = [
        known.expect(lambda y: y, lb=known.ppf(k / n), ub=known.ppf((k + 1) / n)) for k in range(n)
    ]
    moments = np.mean(x**2) + known.var() + known.mean() ** 2
    truth = math.sqrt(moments - 2 * float(x @ mean))
    for found in (divergence("w2", x, law), divergence("sliced_w2", law, x)):
        assert abs(found.value - truth) < 1e-6 * truth  # of quad
        assert found.error < 1e-10
        assert found.lower <= found.value <= found.upper


def test_w2_of_one_point_and_a_law_is_its_second_moment_about_it():
    for law, known in LAWS.items():
        truth = math.sqrt(known.var() + (known.mean() - 1.7) ** 2)
        found = divergence("w2", np.array([1.7]), law)
        assert abs(found.value - truth) <= found.error + 1e-15 * truth
        assert found.error < 1e-10


def test_mmd_of_samples_and_a_normal_law_has_a_closed_form():
    rng = np.random.default_rng(1)
    for _ in range(3):
        m, s, h = rng.normal(), math.exp(rng.normal()), math.exp(rng.normal())
        x = rng.normal(size=rng.integers(1, 30))
        both = h * h + s * s
        truth = np.exp(-((x[:, None] - x) ** 2) / (2 * h * h)).mean()
        truth -= 2 * h / math.sqrt(both) * np.exp(-((x - m) ** 2) / (2 * both)).mean()
        truth += h / math.sqrt(h * h + 2 * s * s)
        found = divergence(f"mmd2(bandwidth={h!r})", x, f"normal({m!r}, {s!r})")
        assert abs(found.value - truth) <= found.error + 1e-15
        assert found.error < 1e-11


@pytest.mark.parametrize("kernel", KERNELS)
def test_mmd_of_points_is_that_of_narrow_laws_in_the_limit(kernel):
    rng = np.random.default_rng(len(kernel))
    x = np.sort(rng.normal(size=3))
    narrow = " + ".join(f"1/3*uniform({a - 1e-6!r}, {a + 1e-6!r})" for a in map(float, x))
    name = f"mmd2(kernel={kernel}, bandwidth=0.7)"
    near = divergence(name, f"mixture({narrow})", "logistic(0, 1)")
    found = divergence(name, x, "logistic(0, 1)")
    assert abs(found.value - near.value) < 3e-6
    assert found.error < 1e-11


def test_counts_against_samples_and_densities_are_sums_and_integrals():
    rng = np.random.default_rng(4)
    law, known, density = "binomial(9, 0.3)", stats.binom(9, 0.3), stats.norm(2, 1.5)
    k, x = np.arange(10), rng.normal(3, 2, 25)
    w1, energy = (divergence(name, x, law) for name in ("w1", "energy"))
    assert w1.value == pytest.approx(stats.wasserstein_distance(x, k, None, known.pmf(k)))
    assert energy.value == pytest.approx(stats.energy_distance(x, k, None, known.pmf(k)) ** 2)
    gap = lambda t: abs(known.cdf(t) - density.cdf(t))  # noqa: E731
    cuts = sorted({*map(float, k), *density.ppf(known.cdf(k[:-1]))})
    parts = [integrate.quad(gap, *pair)[0] for pair in zip([-9, *cuts], [*cuts, 12], strict=True)]
    for found in (divergence("w1", law, "normal(2, 1.5)"), divergence("w1", "normal(2, 1.5)", law)):
        assert abs(found.value - sum(parts)) < 1e-9
        assert found.error < 1e-10
    many = rng.permutation(np.repeat(k, np.round(known.pmf(k) * 1000).astype(int)))
    for name in ("w2", "energy", "mmd2", "mmd2(kernel=imq)"):
        near = divergence(name, many.astype(float), "normal(2, 1.5)").value
        assert divergence(name, law, "normal(2, 1.5)").value == pytest.approx(near, rel=1e-2)


def test_a_law_too_heavy_for_a_distance_is_infinitely_far_from_any_sample():
    x = np.array([0.0, 1.0])
    for name, law in (("w1", "cauchy(0, 1)"), ("w2", "student_t(2)"), ("w2", "pareto(2, 1)")):
        found = divergence(name, x, law)
        assert found.status is Status.INFINITE
        assert found.value == math.inf
    assert divergence("energy", x, "cauchy(0, 1)").is_finite
    assert divergence("w2", x, "student_t(2.1)").is_finite


def test_kernel_density_estimates_of_many_points_are_answered_by_closed_forms():
    rng = np.random.default_rng(6)
    for kernel in ("gaussian", "laplacian"):
        kde = parse_density(stats.gaussian_kde(rng.normal(size=200)))
        name = f"mmd2(kernel={kernel})"
        found = divergence(name, kde, "normal(1, 2)")
        assert found.method == "closed form"
        slope = divergence(name, kde, "normal(1, 2)", wrt="q.scale")
        ends = [divergence(name, kde, f"normal(1, {2 + e})").value for e in (1e-4, -1e-4)]
        assert slope.value == pytest.approx((ends[0] - ends[1]) / 2e-4, rel=1e-6)


@pytest.mark.parametrize("name", ["w1", "w2", "energy", "ks", "mmd2", "mmd2(kernel=laplacian)"])
def test_samples_against_masses_are_samples_against_as_many_points(name):
    x = np.random.default_rng(7).normal(1, 2, 11)
    found = divergence(name, x, "discrete([1/4, 0, 3/4])")
    truth = divergence(name, x, np.array([0.0, 2, 2, 2])).value
    assert abs(found.value - truth) <= found.error < 1e-11
