"""KL of counts, and its derivatives, against 40-digit sums and closed forms in many digits."""

import math

import mpmath as mp
import numpy as np
import pytest

from gantheory import divergence

HARD = [  # each was wrong, or refused, once
    ("binomial({0}, 0.9999999976399739)", "binomial({0}, 0.9998436750728725)", 13084, "p"),
    ("negative_binomial({0}, 0.3)", "negative_binomial({0}, 0.300001)", 12345.5, "p"),
    ("geometric(4.7e-8)", "geometric(0.13)", 1.0, "p"),
]


def in_digits(u, p, first, ratio):
    """Return Σ p_k u_k from masses that follow one another by a ratio."""
    total, k = mp.mpf(0), 0
    while p > mp.mpf(10) ** -60 or k < first:
        total, p, k = total + p * u(k), p * ratio(k), k + 1
    return total


def test_kl_of_poisson_laws_and_its_derivative_are_sums_in_forty_digits():
    rng = np.random.default_rng(0)
    with mp.workdps(60):
        for _ in range(4):
            a = float(rng.uniform(0.01, 40))
            b = a * (1 + 10 ** rng.uniform(-8, 0))
            x, y = mp.mpf(a), mp.mpf(b)
            args = (mp.exp(-x), a, lambda k, x=x: x / (k + 1))
            u = in_digits(lambda k, x=x, y=y: k * mp.log(x / y) - x + y, *args)
            slope = in_digits(lambda k, y=y: 1 - k / y, *args)
            for wrt, truth in ((None, u), ("q.rate", slope)):
                found = divergence("kl_pq", f"poisson({a!r})", f"poisson({b!r})", wrt=wrt)
                assert abs(found.value - truth) <= found.error
                assert found.error < 1e-12 * abs(truth)


@pytest.mark.parametrize(("p", "q", "shared", "name"), HARD)
def test_shares_near_0_and_1_lose_no_digits_that_are_stated(p, q, shared, name):
    p, q = p.format(shared), q.format(shared)
    a, b = (mp.mpf(float(text.split(",")[-1].split("(")[-1].rstrip(")"))) for text in (p, q))
    with mp.workdps(60):
        n = mp.mpf(shared) / (a if "binomial" not in p or "neg" in p else 1)
        truth = n * (a * mp.log(a / b) + (1 - a) * mp.log((1 - a) / (1 - b)))
        slope = n * (-a / b + (1 - a) / (1 - b))
        for wrt, right in ((None, truth), (f"q.{name}", slope)):
            found = divergence("kl_pq", p, q, wrt=wrt)
            assert abs(found.value - right) <= found.error + 2e-16 * abs(right)


def test_a_score_next_to_a_share_of_1_keeps_the_digits_that_are_stated():
    n, text = 13084, ("0.9999999976399739", "0.9998436750728725")
    a, b = (mp.mpf(float(share)) for share in text)
    found = divergence("jsd", f"binomial({n}, {text[0]})", f"binomial({n}, {text[1]})", wrt="p.p")
    total = mp.mpf(0)
    with mp.workdps(50):
        p, q = a**n, b**n
        for lost in range(80):  # from k = n down
            score = (n * (1 - a) - lost) / (a * (1 - a))
            total += p * score * mp.log(2 * p / (p + q)) / 2
            p *= (n - lost) / mp.mpf(lost + 1) * (1 - a) / a
            q *= (n - lost) / mp.mpf(lost + 1) * (1 - b) / b
    assert abs(found.value - total) <= found.error < 1e-9 * abs(total)


@pytest.mark.parametrize(
    ("s", "t"), [(1.0148995353462358, 1.0148995683154571), (58.8654412260952, 1.0012097742579011)]
)
def test_power_laws_with_hardly_a_mean_log_are_summed_beyond_binary64(s, t):
    p, q = f"zipf({s})", f"zipf({t})"
    with mp.workdps(50):
        a, b = mp.mpf(s), mp.mpf(t)
        mean_log = -mp.zeta(a, derivative=1) / mp.zeta(a)
        truth = (b - a) * mean_log + mp.log(mp.zeta(b) / mp.zeta(a))
        slope = mean_log + mp.zeta(b, derivative=1) / mp.zeta(b)
    for wrt, right in ((None, truth), ("q.exponent", slope)):
        found = divergence("kl_pq", p, q, wrt=wrt)
        assert abs(found.value - right) <= found.error
        assert found.error < 1e-10 * abs(right)
    assert divergence("tv", p, q).value <= math.sqrt(float(truth) / 2) * (1 + 1e-9)


@pytest.mark.parametrize(("s", "g"), [(1.01, 1e-9), (1.003, 0.2), (1.05, 3e-4)])
def test_a_power_law_that_hardly_falls_is_summed_where_the_other_law_has_nothing(s, g):
    """Their ratio has one minimum, so that each of two ranges is one of sums in closed form."""
    p, q = f"zipf({s})", f"geometric({g})"
    with mp.workdps(40):
        s, g = mp.mpf(s), mp.mpf(g)
        base = mp.zeta(s) * g

        def ratio(k):
            return -s * mp.log(k) - k * mp.log1p(-g) - mp.log(base)

        low, high = mp.mpf(1), s / g
        if ratio(low) > 0:
            first = mp.floor(mp.findroot(ratio, (low, high), solver="anderson"))
        else:
            first = mp.mpf(0)
        last = mp.ceil(mp.findroot(ratio, (high, 10**4 * high), solver="anderson", tol=1e-30))
        power = 1 - (mp.zeta(s, first + 1) - mp.zeta(s, last)) / mp.zeta(s)
        other = ((1 - g) - (1 - g) ** (first + 1)) + (1 - g) ** last
        found = divergence("tv", p, q)
        assert abs(found.value - (power - other)) <= found.error < 1e-10
