"""Gamma and beta laws of shapes from 1e-3 to 0.1, whose mass lies at distances like exp(−1000)."""

import mpmath as mp
import numpy as np
import pytest
from mpmath import mpf

from gantheory import divergence
from gantheory.densities import density


@pytest.fixture(autouse=True)
def many_digits():
    with mp.workdps(50):
        yield


def small(rng, count):
    return [float(10 ** rng.uniform(-3, -1)) for _ in range(count)]


def gammas(rng):
    k, j = small(rng, 2)
    p, q = (
        density("gamma", shape=k, scale=float(10 ** rng.uniform(-2, 2))),
        density("gamma", shape=j),
    )
    k, j, s = mpf(k), mpf(j), mpf(p.scale)
    kl = (k - j) * mp.digamma(k) - mp.loggamma(k) + mp.loggamma(j) - j * mp.log(s) + k * (s - 1)
    half, rate = (k + j) / 2, (1 / s + 1) / 2
    affinity = mp.loggamma(half) - half * mp.log(rate)
    affinity -= (mp.loggamma(k) + k * mp.log(s) + mp.loggamma(j)) / 2
    return p, q, kl, 1 - mp.exp(affinity)


def log_beta(a, b):
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def betas(rng):
    a, b, c, d = small(rng, 4)
    p, q = density("beta", a=a, b=b), density("beta", a=c, b=d)
    a, b, c, d = map(mpf, (a, b, c, d))
    kl = log_beta(c, d) - log_beta(a, b) + (a - c) * mp.digamma(a) + (b - d) * mp.digamma(b)
    kl += (c - a + d - b) * mp.digamma(a + b)
    affinity = log_beta((a + c) / 2, (b + d) / 2) - (log_beta(a, b) + log_beta(c, d)) / 2
    return p, q, kl, 1 - mp.exp(affinity)


@pytest.mark.parametrize("pair", [gammas, betas])
def test_values_of_small_shapes_are_right_within_narrow_errors(pair):
    rng = np.random.default_rng(3)
    for _ in range(20):
        p, q, kl, hellinger2 = pair(rng)
        for name, truth in (("kl_pq", kl), ("hellinger2", hellinger2)):
            found = divergence(name, p, q, method="quadrature")
            assert abs(mpf(found.value) - truth) <= found.error <= 1e-9 * found.value, (name, p, q)


def test_jsd_of_small_shapes_is_its_integral_in_the_logarithm():
    k, j = mpf(0.02), mpf(0.05)

    def integrand(y):
        p, q = (mp.exp(c * y - mp.exp(y) - mp.loggamma(c)) for c in (k, j))
        middle = mp.log((p + q) / 2)
        return (p * (mp.log(p) - middle) + q * (mp.log(q) - middle)) / 2

    with mp.workdps(25):
        cuts = [-3500, -1000, -300, -100, -30, -10, -3, 0, 2, 4]
        truth = mp.quad(integrand, cuts)
    found = divergence("jsd", "gamma(0.02, 1)", "gamma(0.05, 1)")
    assert abs(mpf(found.value) - truth) <= found.error < 1e-12
