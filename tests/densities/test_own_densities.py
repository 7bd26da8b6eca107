"""A density of one's own is believed no further than it can be checked."""

import numpy as np
import pytest
from scipy import stats

from gantheory import GantheoryError, Status, divergence
from gantheory.densities import Tail, own_density

GAUSSIAN = Tail(square=-0.5)
HALF_LOG = 0.5 * np.log(2 * np.pi)


def bell(x):
    return -0.5 * x * x - HALF_LOG


@pytest.mark.parametrize(
    ("log_density", "said"),
    [
        (lambda x: np.where(np.abs(x) > 6, np.nan, bell(x)), "is nan at x="),
        (lambda x: np.where((x > 0) & (x < 1), 0.0, -np.inf), "is -inf at x="),
        (lambda x: np.where(x > 3, -np.inf, bell(x)), "is -inf at x="),
    ],
)
@pytest.mark.parametrize("name", ["jsd", "kl_pq", "kl_qp", "tv"])
def test_holes_inside_the_stated_support_are_refused(log_density, said, name):
    law = own_density(log_density, centers=[(0.5, 1.0)], tails=(GAUSSIAN, GAUSSIAN))
    with pytest.raises(GantheoryError, match=said):
        divergence(name, law, "normal(0, 1)")


@pytest.mark.parametrize(
    "true", [stats.cauchy, stats.t(4), stats.laplace, stats.logistic, stats.norm(0, 2)]
)
def test_a_stated_tail_that_the_density_does_not_follow_is_refused(true):
    with pytest.raises(GantheoryError, match="tail"):
        own_density(true.logpdf, centers=[(0, 1)], tails=(GAUSSIAN, GAUSSIAN))


@pytest.mark.parametrize(
    ("true", "tail"),
    [
        (stats.norm, GAUSSIAN),
        (stats.norm(3, 1), Tail(square=-0.5, linear=3)),
        (stats.laplace(1e3, 2), Tail(linear=-0.5)),
        (stats.cauchy(-40, 2), Tail(log=-2)),
        (stats.gumbel_r, Tail(linear=-1)),
    ],
)
def test_a_tail_that_is_right_is_taken(true, tail):
    center = float(true.median())
    own_density(true.logpdf, centers=[(center, 2)], tails=(None, tail))


@pytest.mark.parametrize(("shape", "taken"), [(0.5, True), (1.5, False), (0.25, False)])
def test_a_tail_at_a_finite_end_grows_with_the_logarithm_of_one_over_the_distance(shape, taken):
    """Gamma's log-density is (1 − shape)·log(1/x) at 0; what is stated here is shape = 1/2."""
    true = stats.gamma(shape).logpdf
    stated = (Tail(finite=True, log=0.5), Tail(linear=-1, log=shape - 1))
    if taken:
        law = own_density(true, support=(0, np.inf), centers=[(1, 1)], tails=stated)
        assert law.tail(0.0, 1).log == 0.5
    else:
        with pytest.raises(GantheoryError, match="tail stated at 0"):
            own_density(true, support=(0, np.inf), centers=[(1, 1)], tails=stated)


def test_a_density_that_only_falls_below_the_range_is_no_hole():
    gumbel = stats.gumbel_r
    law = own_density(
        lambda x: -x - np.exp(-x), centers=[(0, 1)], tails=(Tail(rate=1, linear=1), Tail(linear=-1))
    )
    found, known = (divergence("jsd", p, "normal(0, 2)") for p in (law, "gumbel(0, 1)"))
    assert abs(found.value - known.value) <= found.error + known.error
    assert gumbel.logpdf(0) == law.logpdf(0)


def test_an_isolated_zero_is_no_hole():
    law = own_density(
        lambda x: 2 * np.log(np.abs(x)) + bell(x),
        centers=[(-1.4, 0.7), (1.4, 0.7)],
        kinks=[0.0],
        tails=(Tail(square=-0.5, log=2), Tail(square=-0.5, log=2)),
    )
    found = divergence("tv", law, "normal(0, 1)")
    assert found.value == pytest.approx(2 * np.exp(-HALF_LOG - 0.5), rel=1e-9)  # 2φ(1)


def test_a_mass_that_is_off_is_in_the_error():
    law = own_density(lambda x: bell(x) + 9e-8, centers=[(0, 1)], tails=(GAUSSIAN, GAUSSIAN))
    for name, truth in (("bc", 1.0), ("jsd", 0.0), ("kl_pq", 0.0), ("tv", 0.0)):
        found = divergence(name, law, "normal(0, 1)")
        assert found.status is Status.UNDETERMINED or abs(found.value - truth) <= found.error < 1e-6
