"""W2, energy distance and MMD against integrals and sums that share no code with them."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from gantheory import GantheoryError, Status
from gantheory.densities import parse_density
from gantheory.numeric.transport import energy_distance, mmd2, w2

MIXTURE = "mixture(0.3*normal(-2, 0.5) + 0.7*normal(1, 1))"
PAIRS = [("normal(0, 1)", "normal(1, 2)"), (MIXTURE, "normal(0, 1)"), (MIXTURE, "normal(3, 0.2)")]


@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_energy_distance_is_twice_the_squared_gap_of_the_distribution_functions(p, q):
    first, second = parse_density(p), parse_density(q)
    integral = integrate.quad(lambda x: (first.cdf(x) - second.cdf(x)) ** 2, -15, 15,
                              points=[-2, 0, 1, 3], limit=200)[0]  # fmt: skip
    found = energy_distance(p, q)
    assert found.value == pytest.approx(2 * integral, rel=1e-8)
    assert found.error < 1e-13


@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_mmd_is_the_double_integral_of_the_kernel(p, q):
    x = np.linspace(-12, 12, 1201)
    gap = (parse_density(p).pdf(x) - parse_density(q).pdf(x)) * (x[1] - x[0])
    kernel = np.exp(-0.5 * ((x[:, None] - x) / 0.7) ** 2)
    assert mmd2(p, q, 0.7).value == pytest.approx(gap @ kernel @ gap, rel=1e-9)
    assert mmd2(p, q, 0.7).value != pytest.approx(mmd2(p, q, 1.4).value, rel=1e-2)


def test_the_planar_forms_reduce_to_the_known_ones():
    p, q = "normal_2d_iso((0, 0), 1)", "normal_2d_iso((3, 4), 2)"
    assert w2(p, q).value == pytest.approx(math.sqrt(25 + 2 * 1), rel=1e-14)
    rng = np.random.default_rng(1)
    a, b = (parse_density(law).sample(rng, (4, 100_000)[1]) for law in (p, q))
    c, d = (parse_density(law).sample(rng, 100_000) for law in (p, q))
    terms = (2 * np.linalg.norm(a - b, axis=1) - np.linalg.norm(a - c, axis=1)
             - np.linalg.norm(b - d, axis=1))  # fmt: skip
    interval = 6 * terms.std() / math.sqrt(len(terms))  # misses with probability 2e-9
    assert abs(energy_distance(p, q).value - terms.mean()) < interval
    assert interval < 0.1


def test_w2_of_full_covariances_is_the_trace_formula():
    a, b = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([[1.0, -0.3], [-0.3, 2.0]])
    p, q = f"normal_nd((0, 0), {a.tolist()})", f"normal_nd((1, 2), {b.tolist()})"
    # the square root of BA by its characteristic polynomial: tr √M = √(tr M + 2 √det M)
    product = a @ b
    root = math.sqrt(np.trace(product) + 2 * math.sqrt(np.linalg.det(product)))
    assert w2(p, q).value == pytest.approx(math.sqrt(5 + np.trace(a + b) - 2 * root), rel=1e-13)


@pytest.mark.parametrize(
    ("p", "q", "value"),
    [
        ("normal(0, 1)", "normal(3, 5)", 5.0),
        ("uniform(0, 1)", "uniform(0, 2)", math.sqrt(1 / 3)),
        ("gamma(2, 1)", "gamma(2, 3)", 2 * math.sqrt(6)),
        ("student_t(1, 0, 1)", "student_t(1, 2, 1)", 2.0),
        ("laplace(0, 1)", "laplace(0, 3)", 2 * math.sqrt(2)),
    ],
)
def test_w2_on_the_line(p, q, value):
    found = w2(p, q)
    assert abs(found.value - value) <= found.error + 1e-15 * value
    assert found.error < 1e-6


def test_w2_against_sorted_samples():
    level = (np.arange(200_000) + 0.5) / 200_000
    expected = math.sqrt(np.mean((stats.gumbel_r.ppf(level) - stats.norm.ppf(level)) ** 2))
    assert w2("gumbel(0, 1)", "normal(0, 1)").value == pytest.approx(expected, rel=1e-4)


def test_a_law_without_second_moment_is_undetermined():
    found = w2("student_t(2)", "normal(0, 1)")
    assert found.status is Status.UNDETERMINED
    assert "moment" in found.reason


def test_the_same_law_is_at_distance_zero():
    for distance in (w2, energy_distance, mmd2):
        assert distance("normal(0.3, 2)", "normal(0.3, 2)").value == 0.0


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: mmd2("normal(0, 1)", "normal(1, 1)", 0.0), "bandwidth=0.0"),
        (lambda: energy_distance("laplace(0, 1)", "normal(0, 1)"), "laplace"),
        (lambda: w2("normal(0, 1)", "normal_2d_iso((0, 0), 1)"), "two normals"),
    ],
)
def test_bad_input_is_named(call, word):
    with pytest.raises(GantheoryError, match=word):
        call()
