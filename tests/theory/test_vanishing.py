"""Where a gradient peaks and falls, against laws whose gradient is known in closed form."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from gantheory.integrals.curves.along import find_family, vanishing


def test_a_gradient_that_grows_peaks_at_the_end_of_the_range_itself():
    """KL of two unit normals at the distance d is d²/2: its slope is d."""
    end = float(find_family("distance").range[1])
    found = vanishing("kl_pq")
    assert found.peak == end
    assert found.peak_gradient == pytest.approx(end, rel=1e-12)
    assert found.falls_at is None


@pytest.mark.parametrize("fraction", [0.5, 0.01])
def test_total_variation_falls_as_the_normal_density_does(fraction):
    """TV at the distance d is 2Φ(d/2) − 1, so that its slope is the density φ(d/2)."""
    found = vanishing("tv", fraction=fraction)
    start = float(find_family("distance").range[0])
    assert found.peak == pytest.approx(start, abs=1e-6)
    assert found.peak_gradient == pytest.approx(norm.pdf(start / 2), rel=1e-9)
    falls = 2 * math.sqrt((start / 2) ** 2 - 2 * math.log(fraction))
    assert found.falls_at == pytest.approx(falls, rel=1e-8)


def test_the_hellinger_gradient_peaks_where_its_derivative_vanishes():
    """1 − exp(−d²/8) has the slope (d/4)·exp(−d²/8), largest at d = 2."""
    found = vanishing("hellinger2", fraction=0.1)
    assert found.peak == pytest.approx(2, abs=1e-5)
    assert found.peak_gradient == pytest.approx(0.5 * math.exp(-0.5), rel=1e-9)
    d = found.falls_at
    assert d > 2
    assert d / 4 * np.exp(-(d**2) / 8) == pytest.approx(0.05 * math.exp(-0.5), rel=1e-7)


def test_a_gradient_that_is_determined_nowhere_has_no_peak():
    family = find_family("distance", q="uniform(d, d + 1)")
    found = vanishing("kl_pq", family)
    assert math.isnan(found.peak)
    assert found.falls_at is None
