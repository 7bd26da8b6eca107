"""Student's t law in space: its density, its draws, and divergences with their intervals."""

import numpy as np
import pytest
from scipy import stats

from gantheory import GantheoryError, divergence
from gantheory.densities import parse_density

TEXT = "student_t_nd(3, (1, -1), ((2, 0.5), (0.5, 1)))"


def test_its_density_and_its_draws_are_those_of_scipy():
    law = parse_density(TEXT)
    true = stats.multivariate_t([1, -1], [[2, 0.5], [0.5, 1]], df=3)
    x = np.random.default_rng(0).normal(size=(40, 2)) * 3
    assert law.logpdf(x) == pytest.approx(true.logpdf(x), rel=1e-12)
    drawn = law.sample(0, 20_000)
    assert np.median(drawn, axis=0) == pytest.approx([1, -1], abs=0.05)
    inside = np.mean(law.logpdf(drawn) > true.logpdf([2.0, 0.0]))
    again = np.mean(true.logpdf(true.rvs(20_000, random_state=1)) > true.logpdf([2.0, 0.0]))
    assert inside == pytest.approx(again, abs=0.02)
    assert parse_density(str(law)) == law


def test_bounded_divergences_come_with_an_interval():
    found = divergence("tv", TEXT, "normal_nd((1, -1), ((2, 0.5), (0.5, 1)))")
    round_one = "student_t_nd(3, (0, 0), ((1, 0), (0, 1)))"
    turned = divergence("tv", round_one, "normal_2d_iso((0, 0), 1)")
    r = np.linspace(0, 60, 600_001)  # by the radius: x²/2 is F(2, 3), and for the normal Rayleigh
    apart = np.abs(stats.f.pdf(r * r / 2, 2, 3) * r - r * np.exp(-r * r / 2))
    exact = 0.5 * float(np.sum(apart) * (r[1] - r[0])) + 0.5 * stats.f.sf(1800, 2, 3)
    for one in (found, turned):
        assert abs(one.value - exact) <= one.error < 0.02
        assert one.error_probability == 1e-6


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("student_t_nd(0, (0, 0), ((1, 0), (0, 1)))", "df=0 must be positive"),
        ("student_t_nd(3, (0, 0), ((1, 2), (2, 1)))", "positive definite"),
        ("student_t_nd(3, (0, 0, 0), ((1, 0), (0, 1)))", "student_t_nd: shape="),
    ],
)
def test_what_is_no_such_law_is_refused(text, said):
    with pytest.raises(GantheoryError, match=said):
        parse_density(text)
