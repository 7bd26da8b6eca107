"""KL of von Mises laws and its derivatives: Bessel functions in 40 digits, over the whole range."""

import math

import mpmath as mp
import numpy as np
import pytest

from gantheory import density, divergence


def kl(a, k, b, m):
    """The textbook form, of laws around a and b with concentrations k and m."""
    means = mp.besseli(1, k) / mp.besseli(0, k)
    return mp.log(mp.besseli(0, m) / mp.besseli(0, k)) + means * (k - m * mp.cos(a - b))


@pytest.mark.parametrize("seed", range(6))
def test_kl_of_von_mises_laws_and_its_derivatives_are_bessel_functions(seed):
    rng = np.random.default_rng(seed)
    far = (-2.0, 3.0)[seed % 2]
    at = [float(x) for x in rng.uniform(-3, 3, 2)]
    width = [float(10 ** rng.uniform(-2, far)) for _ in at]
    p, q = (density("von_mises", a, k) for a, k in zip(at, width, strict=True))
    with mp.workdps(40):
        numbers = [mp.mpf(x) for pair in zip(at, width, strict=True) for x in pair]
        found = divergence("kl_pq", p, q)
        exact = kl(*numbers)
        assert abs(found.value - exact) <= found.error + mp.mpf(10) ** -30
        assert found.error <= 1e-11 * exact
        for place, name in enumerate(("p.loc", "p.concentration", "q.loc", "q.concentration")):
            order = tuple(int(k == place) for k in range(4))
            slope = mp.diff(kl, numbers, order)
            found = divergence("kl_pq", p, q, wrt=name)
            size = max(abs(slope), mp.mpf(10) ** -12 * exact)
            assert abs(found.value - slope) <= found.error + mp.mpf(10) ** -16 * size
            assert math.isfinite(found.error)
            assert found.error <= 1e-9 * size + 1e-13
