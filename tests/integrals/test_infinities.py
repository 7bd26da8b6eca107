"""Infinite divergences with their reasons, what only looks infinite, and densities unknown."""

import math

import numpy as np
import pytest

from gantheory.densities import Tail, density, own_density
from gantheory.divergences import DIVERGENCES, named
from gantheory.integrals import divergence
from gantheory.records import Status
from gantheory.theory.generator import at_zero, slope_at_infinity

NAMES = (*DIVERGENCES, "power_0.3", "power_-0.5", "power_2.5", "power_1/3")


# --- infinities, decided by rules ---------------------------------------------------------------

INFINITE = [
    ("kl_pq", "normal(0, 1)", "uniform(-1, 1)", "where q = 0"),
    ("kl_qp", "uniform(-1, 1)", "normal(0, 1)", "where p = 0"),
    ("kl_mp", "uniform(-1, 1)", "normal(0, 1)", "where p = 0"),
    ("jeffreys", "uniform(0, 1)", "uniform(2, 3)", "where q = 0"),
    ("kl_pq", "uniform(0, 3)", "mixture(0.5*uniform(0, 1) + 0.5*uniform(2, 3))", "[1, 2]"),
    ("kl_pq", "student_t(2, 0, 1)", "normal(0, 1)", "too fast"),
    ("kl_pq", "laplace(0, 1)", "gumbel(0, 1)", "too fast"),
    ("pearson_chi2", "normal(0, 1)", "normal(0, 0.7)", "too fast"),
    ("pearson_chi2", "gamma(0.1, 1)", "gamma(0.2, 2)", "x = 0"),
    ("neyman_chi2", "laplace(0, 1)", "laplace(0, 2)", "too fast"),
    ("power_3", "student_t(2, 0, 1)", "student_t(5, 0, 1)", "too fast"),
    ("w1", "student_t(1, 0, 1)", "normal(0, 1)", "no mean"),
    ("w1", "student_t(1, 0, 1)", "student_t(1, 0, 2)", "no mean"),
]
FINITE = [
    ("kl_pq", "student_t(2.5, 0, 1)", "normal(0, 1)", 1.571),
    ("kl_pq", "laplace(0, 0.5)", "gumbel(0, 1)", None),
    ("pearson_chi2", "normal(0, 1)", "normal(0, 0.72)", None),
    ("pearson_chi2", "gamma(0.11, 1)", "gamma(0.2, 2)", None),
    ("kl_pm", "normal(0, 1)", "uniform(-1, 1)", None),
    ("kl_mq", "uniform(-1, 1)", "normal(0, 1)", None),
    ("w1", "student_t(1, 0, 1)", "student_t(1, 3, 1)", 3.0),
    ("power_0.99", "student_t(1, 0, 1)", "normal(0, 1)", None),
]


@pytest.mark.parametrize(("name", "p", "q", "said"), INFINITE)
def test_an_infinite_divergence_is_an_answer_with_its_reason(name, p, q, said):
    found = divergence(name, p, q)
    assert (found.value, found.status) == (math.inf, Status.INFINITE)
    assert said in found.reason


@pytest.mark.parametrize(("name", "p", "q", "value"), FINITE)
def test_what_only_looks_infinite_is_finite(name, p, q, value):
    found = divergence(name, p, q)
    assert found.status is Status.OK
    assert 0 < found.value < math.inf
    assert value is None or abs(found.value - value) < 5e-4


def test_disjoint_supports_cost_f_of_zero_and_the_slope_at_infinity():
    p, q = "uniform(0, 1)", "uniform(2, 3)"
    for name in NAMES:
        limits = at_zero(named(name)), slope_at_infinity(named(name))
        found = divergence(name, p, q)
        expected = float(sum(limits)) if all(x.is_finite for x in limits) else math.inf
        assert found.value == expected or abs(found.value - expected) < 1e-14, name
    assert divergence("jsd_gap", p, q).value == 0


# --- an unknown density -------------------------------------------------------------------------


def log_cosh(x):
    return -np.log(np.pi) - np.logaddexp(x, -x) + math.log(2)


def test_a_density_without_structure_answers_with_a_warning():
    blind = own_density(log_cosh)
    found = divergence("jsd", blind, "normal(0, 1)")
    assert found.status is Status.BLIND
    assert "spike" in found.warnings[0]
    seen = divergence("jsd", own_density(log_cosh, centers=[(0, 1)]), "normal(0, 1)")
    assert seen.status is Status.OK
    assert found.value == pytest.approx(seen.value, rel=1e-12)


def test_a_density_that_does_not_integrate_to_one_is_refused_with_its_constant():
    unscaled = own_density(lambda x: -np.logaddexp(x, -x), centers=[(0, 1)])
    for p, q in [(unscaled, density("normal(0, 1)")), (density("normal(0, 1)"), unscaled)]:
        found = divergence("jsd", p, q)
        assert found.status is Status.UNDETERMINED
        assert "integrates to 1.57079" in found.reason
    # a spike between the nodes is missed, but the missing mass betrays it
    narrow = [(0.999, 0, 1), (0.001, 0.3712, 1e-9)]
    spiked = own_density(
        lambda x: np.logaddexp(
            *(np.log(w) + density("normal", loc=m, scale=s).logpdf(x) for w, m, s in narrow)
        ),
    )
    assert divergence("jsd", spiked, "normal(0, 1)").status is Status.UNDETERMINED


def test_unknown_tails_are_not_guessed():
    p = own_density(log_cosh, centers=[(0, 1)])
    found = divergence("kl_pq", p, "normal(0, 1)")
    assert found.status is Status.UNDETERMINED
    assert "tail of p" in found.reason
    told = own_density(log_cosh, centers=[(0, 1)], tails=(Tail(linear=-1.0), Tail(linear=-1.0)))
    assert divergence("kl_pq", told, "normal(0, 1)").status is Status.OK
    assert divergence("kl_pq", "normal(0, 1)", told).value > 0
