"""Masses against a density: f(0) + f'(oo), by hand from each definition."""

import math

import pytest

import gantheory as gt

SINGULAR = {
    "jsd": math.log(2),
    "tv": 1.0,
    "hellinger2": 1.0,
    "triangular": 2.0,
    "kl_pm": math.log(2),
    "bc": 0.0,
    "kl_pq": math.inf,
    "kl_qp": math.inf,
    "kl_mq": math.inf,
    "pearson_chi2": math.inf,
    "js_distance": math.sqrt(math.log(2)),
}


@pytest.mark.parametrize("masses", ["poisson(2)", "discrete([1/2, 1/2])", "binomial(9, 0.2)"])
@pytest.mark.parametrize("density", ["normal(1, 2)", "uniform(0, 1)", "student_t(1)"])
def test_masses_and_a_density_share_nothing(masses, density):
    for name, expected in SINGULAR.items():
        for p, q in ((masses, density), (density, masses)):
            found = gt.divergence(name, p, q)
            assert found.method == "mutually singular laws" or name == "js_distance"
            assert found.value == pytest.approx(expected, abs=0, rel=1e-14)
            assert masses.split("(")[0] in str(found.reason) or name == "js_distance"


def test_masses_against_a_density_have_no_gradient():
    with pytest.raises(gt.GantheoryError, match="no gradient to follow"):
        gt.divergence("jsd", "normal(0, 1)", "poisson(2)", wrt="p.loc")


@pytest.mark.parametrize("name", ["tv", "kl_pq", "jsd", "w1"])
def test_masses_by_themselves_have_no_parameter_to_move(name):
    p, q = "discrete([0.2, 0.8])", "discrete([0.5, 0.5])"
    with pytest.raises(gt.GantheoryError, match=r"wrt='q\.loc'"):
        gt.divergence(name, p, q, wrt="q.loc")
