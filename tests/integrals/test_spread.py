"""Products and radial laws: their divergences are made of those on the line."""

import numpy as np
import pytest

from gantheory import GantheoryError, Status, divergence
from gantheory.densities import parse_density

P = "product((normal(0, 1), normal(1, 2), normal(0, 1/2)))"
Q = "product((normal(1, 1), normal(0, 1.5), normal(0, 1)))"
SAME = (
    "normal_nd((0, 1, 0), ((1, 0, 0), (0, 4, 0), (0, 0, 1/4)))",
    "normal_nd((1, 0, 0), ((1, 0, 0), (0, 2.25, 0), (0, 0, 1)))",
)


@pytest.mark.parametrize(
    "name", ["kl_pq", "kl_qp", "jeffreys", "hellinger2", "bc", "neyman_chi2", "power_0.3"]
)
def test_products_of_normals_are_normals_with_diagonal_covariances(name):
    found, truth = divergence(name, P, Q), divergence(name, *SAME)
    assert found.status is truth.status
    if truth.is_finite:
        assert abs(found.value - truth.value) <= found.error + truth.error
        assert found.error <= 1e-12 * truth.value


def test_what_no_coordinate_decides_is_sampled_with_an_interval():
    found, truth = divergence("jsd", P, Q), divergence("jsd", *SAME)
    assert abs(found.value - truth.value) <= found.error < 0.02
    assert found.error_probability == 1e-6


def test_one_differing_coordinate_decides_and_derivatives_are_its_own():
    p, q = "product((laplace(0, 1), beta(2, 3)))", "product((laplace(1, 2), beta(2, 3)))"
    for wrt, own in ((None, None), ("q.laws[0].scale", "q.scale")):
        found = divergence("jsd", p, q, wrt=wrt)
        assert found.value == divergence("jsd", "laplace(0, 1)", "laplace(1, 2)", wrt=own).value
    found = divergence("kl_pq", p, "product((laplace(1, 2), beta(1, 3)))", wrt="q.laws[1].a")
    assert found.value == divergence("kl_pq", "beta(2, 3)", "beta(1, 3)", wrt="q.a").value
    heavy, light = "product((cauchy(0, 1), normal(0, 1)))", "product((normal(0, 1), normal(0, 1)))"
    assert divergence("kl_pq", heavy, light).status is Status.INFINITE


def test_a_rayleigh_radius_in_the_plane_is_a_round_normal():
    radial = parse_density("radial(rayleigh(1.5), 2)")
    normal = parse_density("normal_2d_iso((0, 0), 1.5)")
    x = np.random.default_rng(0).normal(size=(50, 2))
    assert radial.logpdf(x) == pytest.approx(normal.logpdf(x), rel=1e-12)
    found = divergence("jsd", radial, "radial(rayleigh(1), 2)", wrt="p.radius.scale")
    truth = divergence("jsd", normal, "normal_2d_iso((0, 0), 1)", wrt="p.scale")
    assert abs(found.value - truth.value) <= found.error + truth.error + 1e-12
    drawn = parse_density("radial(gamma(3, 1), 4, (1, 0, 0, 2))").sample(0, 4000)
    assert drawn.mean(axis=0) == pytest.approx([1, 0, 0, 2], abs=0.15)
    assert np.linalg.norm(drawn - [1, 0, 0, 2], axis=1).mean() == pytest.approx(3, abs=0.15)


@pytest.mark.parametrize(
    ("p", "q", "wrt", "said"),
    [
        ("product((normal(0, 1), 3))", P, None, "two or more densities on the line"),
        ("radial(normal(0, 1), 2)", P, None, "positive half-line"),
        ("radial(gamma(2, 1), 3, (0, 1))", P, None, "one number, or 3 of them"),
        (P, Q, "q.laws[3].loc", "did you mean"),
        ("radial(gamma(2, 1), 3)", "radial(gamma(3, 1), 3)", "q.loc", "radius.<parameter>"),
        (P, "normal_2d_iso((0, 0), 1)", None, "they must agree"),
    ],
)
def test_what_does_not_fit_is_said(p, q, wrt, said):
    with pytest.raises(GantheoryError, match=said):
        divergence("jsd", p, q, wrt=wrt)


@pytest.mark.parametrize("text", [P, "radial(gamma(3, 1), 3, 0)", "radial(gamma(3, 1), 2, (1, 0))"])
def test_a_law_reads_back_what_it_writes(text):
    law = parse_density(text)
    assert parse_density(str(law)) == law
