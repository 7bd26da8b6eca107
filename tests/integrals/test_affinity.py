"""Divergences of normals in any dimension by one integral over their affinity."""

import math

import numpy as np
import pytest

from gantheory import Status, divergence
from gantheory.densities import density

BOUNDED = ["jsd", "jsd_gap", "tv", "tv_gap", "triangular", "kl_pm", "kl_qm", "kl_mp"]


def normal(loc, cov):
    return density("normal_nd", loc=tuple(map(float, loc)), cov=np.asarray(cov, float).tolist())


def apart_in_one_direction(seed):
    """Two normals in n dimensions that differ along one direction, and the pair on the line."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 6))
    turn = np.round(rng.normal(size=(n, n)) * 4) / 4 + 2 * np.eye(n)  # so that products are exact
    mean, scale = np.round(rng.normal() * 16) / 16, 2.0 ** rng.integers(-3, 4)
    first = np.diag([scale**2, *np.ones(n - 1)])
    laws = normal(turn[:, 0] * mean, turn @ first @ turn.T), normal(np.zeros(n), turn @ turn.T)
    line = density("normal", loc=mean, scale=scale), density("normal", loc=0, scale=1)
    return (laws, line) if seed % 2 else (laws[::-1], line[::-1])


@pytest.mark.parametrize("seed", range(6))
def test_normals_that_differ_along_one_direction_are_those_of_the_line(seed):
    laws, line = apart_in_one_direction(seed)
    for name in BOUNDED:
        found = divergence(name, *laws)
        truth = divergence(name, *line, method="quadrature")
        assert abs(found.value - truth.value) <= found.error + truth.error + 1e-14 * truth.value
        assert found.error <= 1e-11 * truth.value
        assert found.status is Status.OK


def test_two_different_covariances_in_the_plane_are_what_boxes_sum():
    p = normal((0, 0), ((1, 0.3), (0.3, 2)))
    q = normal((1, 0.5), ((2, -0.4), (-0.4, 0.7)))
    for name in ("jsd", "triangular", "kl_pm", "kl_mp"):
        for wrt in (None, "q.cov[0][1]", "q.loc[1]", "p.scale"):
            found = divergence(name, p, q, wrt=wrt)
            other = divergence(name, p, q, wrt=wrt, method="quadrature")
            assert "contour" in found.method
            assert abs(found.value - other.value) <= found.error + other.error < 1e-12


@pytest.mark.parametrize("wrt", ["q.loc[2]", "q.cov[0][1]", "q.cov[2][2]", "p.cov[1][2]"])
@pytest.mark.parametrize("name", ["kl_pq", "kl_qp", "bc", "pearson_chi2", "jsd", "tv"])
def test_a_derivative_in_three_dimensions_is_the_slope_of_the_values(name, wrt):
    p = normal((0, 0, 0), ((1, 0.2, 0), (0.2, 1, 0.1), (0, 0.1, 1.5)))
    q = normal((0.4, -0.2, 1), ((1.5, 0.3, 0.1), (0.3, 1.2, 0), (0.1, 0, 2)))
    found = divergence(name, p, q, wrt=wrt)
    law, parameter = (p if wrt[0] == "p" else q), wrt[2:]
    h, values = 1e-5, []
    for step in (h, -h):
        loc, cov = np.array(law.loc), np.array(law.cov)
        if parameter.startswith("loc"):
            loc[int(parameter[4])] += step
        else:
            i, j = int(parameter[4]), int(parameter[7])
            cov[i, j] += step
            cov[j, i] = cov[i, j]
        moved = normal(loc, cov)
        values.append(divergence(name, *((moved, q) if law is p else (p, moved))).value)
    assert found.value == pytest.approx((values[0] - values[1]) / (2 * h), rel=1e-7, abs=1e-9)
    assert found.error < 1e-12


@pytest.mark.parametrize("apart", [1e-7, 1e-3, 30.0, 85.0])
def test_far_and_near_normals_keep_their_digits(apart):
    cov, wider = np.eye(4), np.diag([1 + 2.0**-30, 1, 1, 1])
    p = normal(np.zeros(4), cov)
    q = normal([apart, 0, 0, 0], wider)
    line = density("normal(0, 1)"), density("normal", loc=apart, scale=math.sqrt(1 + 2.0**-30))
    for name in ("jsd", "tv", "jsd_gap", "tv_gap"):
        found, truth = divergence(name, p, q), divergence(name, *line)
        assert abs(found.log_value - truth.log_value) <= 1e-8  # the root is rounded on the line
        assert found.value == pytest.approx(truth.value, rel=1e-8, abs=1e-300)


def test_mixtures_beyond_the_plane_are_sampled_with_an_interval():
    one, other = normal((0, 0, 0), np.eye(3)), normal((3, 0, 0), np.eye(3))
    mixed = density("mixture_2d", weights_of=(0.5, 0.5), laws=(one, other))
    found = divergence("tv", mixed, one)
    truth = divergence("tv", "mixture(0.5*normal(0, 1) + 0.5*normal(3, 1))", "normal(0, 1)")
    assert abs(found.value - truth.value) <= found.error < 0.02
    assert found.error_probability == 1e-6
