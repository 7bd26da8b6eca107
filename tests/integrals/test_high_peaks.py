"""Integrands that rise to e^1e20 and far beyond: there 46 nats below the peak are lost in rounding.

∫ p^−a q^(1 + a) of a Laplace law of scale b and a normal law of scale s is about
exp(a² s²/(2(1 + a) b²)), at x = a s²/((1 + a) b).
"""

import math

import numpy as np
import pytest

from gantheory import divergence
from gantheory.records import Status


@pytest.mark.parametrize("seed", range(2))
def test_a_peak_whose_height_is_rounded_by_more_than_what_counts_is_not_cut_away(seed):
    draw = np.random.default_rng(seed)
    loc, b = draw.normal(), float(10 ** draw.uniform(-1, 1))
    for size in (3, 6, *draw.uniform(9, 60, 2).tolist()):
        s = b * 10**size
        for name, a in (("neyman_chi2", 1.0), ("power_-0.5", 0.5)):
            found = divergence(name, f"laplace({loc!r}, {b!r})", f"normal(0, {s!r})")
            assert found.status is Status.UNDETERMINED, (name, size, found)
            if size < 7:
                height = a * a * 10 ** (2 * size) / (2 * (1 + a))
                assert found.log_value == pytest.approx(height, rel=1e-3)


def test_beside_it_a_value_that_does_not_rise_keeps_its_digits():
    found = divergence("kl_qp", "laplace(0, 1)", "normal(0, 1e12)", method="quadrature")
    truth = 1e12 * math.sqrt(2 / math.pi) + math.log(2) - math.log(2 * math.pi * math.e) / 2
    truth -= 12 * math.log(10)
    assert abs(found.value - truth) <= found.error <= 1e-12 * truth
