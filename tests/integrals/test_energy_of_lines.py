"""The energy distance of laws on the line that are no normals, against SciPy's levels."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from gantheory import Status, divergence

LAWS = {
    "laplace(0, 1)": stats.laplace(0, 1),
    "logistic(1, 0.5)": stats.logistic(1, 0.5),
    "gumbel(0, 1)": stats.gumbel_r(0, 1),
    "student_t(3, 0, 1)": stats.t(3),
    "cauchy(1, 2)": stats.cauchy(1, 2),
    "gamma(2, 1.5)": stats.gamma(2, 0, 1.5),
    "beta(2, 5)": stats.beta(2, 5),
    "uniform(0, 2)": stats.uniform(0, 2),
    "normal(0, 1)": stats.norm(0, 1),
    "lognormal(0, 1)": stats.lognorm(1),
}


def summed(p, q):
    parts = [(-np.inf, -3), (-3, 0), (0, 0.5), (0.5, 1), (1, 2), (2, 6), (6, np.inf)]
    f = lambda x: (p.cdf(x) - q.cdf(x)) ** 2  # noqa: E731
    above = lambda x: (p.sf(x) - q.sf(x)) ** 2  # noqa: E731
    return 2 * sum(quad(above if a > 1 else f, a, b, epsabs=1e-13, limit=200)[0] for a, b in parts)


@pytest.mark.parametrize("seed", range(6))
def test_two_laws_of_any_families_meet_a_careful_quadrature(seed):
    p, q = np.random.default_rng(seed).choice(list(LAWS), 2, replace=False)
    found = divergence("energy", p, q)
    assert abs(found.value - summed(LAWS[p], LAWS[q])) <= found.error + 1e-8
    assert found.error <= 1e-10 * found.value
    assert divergence("energy", q, p).value == pytest.approx(found.value, rel=1e-12)


def test_images_move_and_stretch_it():
    whole = divergence("energy", "laplace(0, 1)", "gumbel(0, 1)")
    image = divergence("energy", "affine(laplace(0, 1), 5, 3)", "affine(gumbel(0, 1), 5, 3)")
    assert image.value == pytest.approx(3 * whole.value, rel=1e-11)


def test_tails_decide_whether_it_is_finite():
    assert divergence("energy", "cauchy(0, 1)", "normal(0, 1)").status is Status.OK
    assert divergence("energy", "student_t(0.4)", "normal(0, 1)").status is Status.INFINITE
    open_case = divergence("energy", "student_t(0.4)", "student_t(0.4, 1, 2)")
    assert open_case.status is Status.UNDETERMINED
    assert divergence("energy", "laplace(0, 1)", "laplace(0, 1)").value == 0


SLOPES = {
    "laplace(0.2, {})": ("laplace(0, 1)", 1.3, "scale"),
    "cauchy({}, 2)": ("cauchy(0, 1)", 1.0, "loc"),
    "uniform({}, 2)": ("uniform(0, 1)", 0.3, "a"),
    "gamma({}, 1)": ("normal(0, 1)", 2.5, "shape"),
    "student_t({}, 0, 1)": ("normal(0, 1)", 4.0, "df"),
    "pareto({}, 1)": ("normal(0, 1)", 2.5, "shape"),
    "affine(gamma({}, 1), -1, 2)": ("normal(0, 1)", 2.0, "shape"),
}


@pytest.mark.parametrize("text", SLOPES)
def test_the_derivative_of_the_energy_distance_is_the_limit_of_its_differences(text):
    p, at, parameter = SLOPES[text]
    found = divergence("energy", p, text.format(at), wrt=f"q.{parameter}")
    h = 2e-3 * max(1, at)
    up, down, up2, down2 = (
        divergence("energy", p, text.format(at + k * h)).value for k in (1, -1, 2, -2)
    )
    seen = (8 * (up - down) - (up2 - down2)) / (12 * h)
    assert found.value == pytest.approx(seen, rel=1e-8)
    assert found.error < 1e-10 * abs(found.value)
    mirrored = divergence("energy", text.format(at), p, wrt=f"p.{parameter}")
    assert mirrored.value == found.value


def test_the_derivative_of_the_energy_distance_is_refused_where_there_is_none():
    heavy = divergence("energy", "cauchy(0, 1)", "pareto(0.4, 1)", wrt="q.shape")
    assert "no derivative here: its value is inf" in str(heavy)
    assert divergence("energy", "gamma(2, 1)", "gamma(2, 1)", wrt="q.shape").value == 0
