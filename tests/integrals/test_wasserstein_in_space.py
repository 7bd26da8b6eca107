"""W1 of normal laws in space: shifts and rays, against samples and distances on the line."""

import numpy as np
import pytest
import scipy.stats

import gantheory as gt
from gantheory.integrals.transport.shifts import _mean_norm

SHAPE = [[2.0, 0.6, 0.0], [0.6, 1.0, -0.2], [0.0, -0.2, 0.7]]


def law(mean, covariance):
    return f"normal_nd({list(mean)}, {np.asarray(covariance).tolist()})"


@pytest.mark.parametrize("covariance", [np.eye(3), SHAPE])
def test_laws_of_one_covariance_are_as_far_apart_as_their_means(covariance):
    pair = law([0, 0, 0], covariance), law([1, 2, -2], covariance)
    found = gt.divergence("w1", *pair)
    assert abs(found.value - 3) <= found.error < 1e-13
    assert gt.optimal_critic("wgan", *pair).value.value == found.value


@pytest.mark.parametrize("dim", [2, 3, 7])
def test_laws_about_one_mean_are_as_far_apart_as_their_radii(dim):
    found = gt.divergence("w1", law([1] * dim, np.eye(dim)), law([1] * dim, 2.25 * np.eye(dim)))
    truth = 0.5 * scipy.stats.chi(dim).mean()
    assert abs(found.value - truth) <= found.error < 1e-13


def test_a_mean_norm_is_that_of_samples_for_any_spectrum():
    spectrum = np.linalg.eigvalsh(SHAPE)
    draws = np.sqrt(np.random.default_rng(1).chisquare(1, (200_000, 3)) @ spectrum)
    error = draws.std() / np.sqrt(len(draws))
    assert abs(_mean_norm(spectrum) - draws.mean()) < 4 * error
    flat = np.array([1e-8, 1.0])  # next to a line: E|z|
    assert _mean_norm(flat) == pytest.approx(np.sqrt(2 / np.pi), abs=1e-7)


def test_other_normal_laws_are_compared_by_draws_between_their_bounds():
    p = law([0, 0], np.eye(2))
    moved, wider = law([1, 0], 4 * np.eye(2)), law([0, 0], [[4, 0], [0, 1]])
    for q, least in ((moved, 1.0), (wider, np.sqrt(2 / np.pi))):  # the means, one axis; and W2
        found = gt.divergence("w1", p, q)
        assert "draws" in found.method
        assert found.value + found.error >= least
        assert found.value - found.error <= gt.divergence("w2", p, q).value
