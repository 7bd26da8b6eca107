"""Derivatives of distances of counts too wide to be summed, and of Zipf laws."""

import mpmath as mp
import numpy as np
import pytest

import gantheory as gt
from gantheory.integrals.transport.count_slopes import slope_of_ladder
from gantheory.integrals.transport.ladders import ladder_of
from gantheory.integrals.transport.wide_slopes import slope_of_wide

MEANS = {  # of laws of which the first has the larger levels nowhere
    ("geometric(1e-9)", "geometric(2e-9)", "p.p"): lambda: -1 / mp.mpf(1e-9) ** 2,
    ("geometric(1e-9)", "geometric(1.0000001e-9)", "p.p"): lambda: -1 / mp.mpf(1e-9) ** 2,
    ("poisson(2e9)", "poisson(1e9)", "q.rate"): lambda: mp.mpf(-1),
    ("negative_binomial(2.5, 1e-8)", "poisson(3)", "p.r"): lambda: 1 / mp.mpf(1e-8) - 1,
    ("negative_binomial(1e6, 1e-6)", "poisson(3)", "p.p"): lambda: -1e6 / mp.mpf(1e-6) ** 2,
    ("binomial(900000000, 0.3)", "poisson(3)", "p.p"): lambda: mp.mpf(900000000),
    ("zipf(3.5)", "zipf(3.7)", "p.exponent"): lambda: mean_of_zipf(3.5),
    ("zipf(2.05)", "discrete([0, 1])", "p.exponent"): lambda: mean_of_zipf(2.05),
}


def mean_of_zipf(s):
    return mp.diff(lambda x: mp.zeta(x - 1) / mp.zeta(x), mp.mpf(s))


@pytest.mark.parametrize("case", MEANS, ids=[" ".join(case) for case in MEANS])
def test_the_slope_of_w1_between_ordered_laws_is_that_of_a_mean(case):
    p, q, wrt = case
    with mp.workdps(40):
        exact = MEANS[case]()
    found = gt.divergence("w1", p, q, wrt=wrt)
    assert abs(found.value - exact) <= found.error < 2e-6 * abs(exact)


PAIRS = [  # wide enough for cells of many numbers, and not too wide for sums
    ("geometric(0.001)", "poisson(900)", "q.rate"),
    ("negative_binomial(2.5, 0.001)", "poisson(2500)", "p.r"),
    ("binomial(4000, 0.25)", "negative_binomial(4.5, 0.004)", "p.p"),
]


@pytest.mark.parametrize(("p", "q", "wrt"), PAIRS)
@pytest.mark.parametrize("name", ["w1", "energy"])
def test_slopes_by_cells_meet_sums_that_are_written_out(name, p, q, wrt):
    p, q, (side, parameter) = gt.density(p), gt.density(q), wrt.split(".")
    found = slope_of_wide(name, p, q, side, parameter)
    exact = slope_of_ladder(name, ladder_of(p, q), p if side == "p" else q, side, parameter, None)
    assert abs(found.value - exact.value) <= found.error + exact.error
    assert found.error <= 1e-6 * abs(exact.value)


def energy_of_geometric(a, b):
    x, y = 1 - a, 1 - b
    return 2 * (x * x / (1 - x * x) + y * y / (1 - y * y) - 2 * x * y / (1 - x * y))


@pytest.mark.parametrize(("a", "b"), [(1e-9, 2e-9), (1e-9, 1.0000001e-9), (2e-8, 0.005)])
def test_the_slope_of_the_energy_of_geometric_laws_is_that_of_geometric_series(a, b):
    with mp.workdps(70):
        exact = mp.diff(lambda x: energy_of_geometric(x, mp.mpf(b)), mp.mpf(a))
    laws = [gt.density("geometric", p=x) for x in (a, b)]
    found = gt.divergence("energy", *laws, wrt="p.p")
    assert abs(found.value - exact) <= found.error < 1e-8 * abs(exact)


def energy_of_zipf(s, t, far):
    """2 ΣD², with Euler and Maclaurin's sum of c² k^(2 − 2s) and its like beyond ``far``."""
    zs, zt = mp.zeta(s), mp.zeta(t)
    gap, total = mp.mpf(0), mp.mpf(0)
    for k in range(1, far):
        gap += mp.mpf(k) ** -s / zs - mp.mpf(k) ** -t / zt
        total += gap**2

    def level(x):  # what lies above x − 1
        return mp.zeta(s, x) / zs - mp.zeta(t, x) / zt

    n = far + mp.mpf(0.5)  # the midpoint rule, f'/24 off
    rest = mp.quad(lambda u: level(mp.exp(u) + 1) ** 2 * mp.exp(u), [mp.log(far - 0.5), 9, 40])
    return 2 * (total + rest + level(n) * mp.diff(level, n) / 12)


def test_the_slope_of_the_energy_of_zipf_laws_is_that_of_their_sum():
    s, t = mp.mpf(2.2), mp.mpf(3.4)
    with mp.workdps(25):
        step = mp.mpf(10) ** -6
        exact = (energy_of_zipf(s + step, t, 50) - energy_of_zipf(s - step, t, 50)) / (2 * step)
    found = gt.divergence("energy", "zipf(2.2)", "zipf(3.4)", wrt="p.exponent")
    assert abs(found.value - exact) <= found.error + 1e-8 * abs(exact)
    assert found.error < 1e-9


@pytest.mark.parametrize(("p", "q", "wrt"), [
    ("zipf({})", "geometric(1e-9)", "p.exponent"), ("zipf(3.1)", "zipf({})", "q.exponent"),
])  # fmt: skip
def test_the_slope_of_the_energy_of_heavy_tails_is_a_difference_of_values(p, q, wrt):
    values = [gt.divergence("energy", p.format(s), q.format(s)).value for s in (1.601, 1.599)]
    found = gt.divergence("energy", p.format(1.6), q.format(1.6), wrt=wrt)
    assert found.value == pytest.approx(np.subtract(*values) / 2e-3, rel=1e-3)


def test_a_slope_where_levels_cross_is_that_of_the_limit_law():
    """X/1e9 is exponential: W1 from the point c has slope F(c) − (1 − F(c)), but for √1e-9."""
    found = gt.divergence("w1", "geometric(1e-9)", "poisson(1e9)", wrt="q.rate")
    assert abs(found.value - (1 - 2 / np.e)) < found.error + 3e-5
    assert found.error < 1e-4


def test_w2_of_near_wide_laws_is_that_of_exponentials_but_for_one():
    found = gt.divergence("w2", "geometric(1e-9)", "geometric(1.0000001e-9)")
    rates = [-mp.log1p(-mp.mpf(p)) for p in (1e-9, 1.0000001e-9)]
    assert abs(found.value - mp.sqrt(2) * abs(1 / rates[0] - 1 / rates[1])) < found.error + 1
    assert found.error < 15
