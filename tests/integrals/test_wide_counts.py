"""Distances of counts too wide to be summed one by one, against means, moments and closed forms."""

import mpmath as mp
import numpy as np
import pytest
from scipy import integrate, optimize, stats

import gantheory as gt
from gantheory.integrals.transport.wide import distance_of_wide

mp.mp.dps = 40
POINT = "discrete([0, 1])"  # all mass at 1


def moments(law):
    """The mean and the second moment from the textbooks, in forty digits."""
    name, _, rest = law.partition("(")
    a, *more = (mp.mpf(float(x)) for x in rest.rstrip(")").split(","))
    if name == "zipf":
        return tuple(mp.zeta(a - n) / mp.zeta(a) if a > n + 1 else mp.inf for n in (1, 2))
    if name == "poisson":
        return a, a + a * a
    r, p = (a, more[0]) if more else (mp.mpf(1), a)
    mean = r * (1 - p) / p
    return mean, mean / p + mean**2


def holds(found, exact, rel):
    assert abs(mp.mpf(found.value) - exact) <= found.error, (found, exact)
    assert found.error <= rel * exact, found


ORDERED = [
    ("geometric(1e-9)", "geometric(2e-9)"),
    ("geometric(3e-11)", "poisson(0.5)"),
    ("negative_binomial(0.02, 1e-8)", "negative_binomial(0.03, 1e-8)"),
    ("negative_binomial(5.5, 3e-9)", "negative_binomial(2, 3e-9)"),
    ("poisson(3.1e9)", "poisson(3e9)"),
    ("poisson(5e8)", "geometric(0.9)"),
    ("zipf(2.05)", POINT),
    ("zipf(3.5)", "zipf(3.7)"),
    ("negative_binomial(1e6, 1e-6)", POINT),
]


@pytest.mark.parametrize(("p", "q"), ORDERED)
def test_w1_of_laws_in_order_is_what_their_means_differ_by(p, q):
    means = [moments(law)[0] if law != POINT else mp.mpf(1) for law in (p, q)]
    holds(gt.divergence("w1", p, q), abs(means[0] - means[1]), 1e-10)


HEAVY = ["geometric(4e-10)", "poisson(2e9)", "zipf(3.2)", "zipf(6)"]


@pytest.mark.parametrize("p", [*HEAVY, "negative_binomial(0.4, 7e-8)"])
def test_w2_from_a_point_is_the_root_of_a_moment(p):
    mean, square = moments(p)
    holds(gt.divergence("w2", p, POINT), mp.sqrt(square - 2 * mean + 1), 1e-4)


def test_w2_of_geometric_laws_is_that_of_the_exponentials_that_they_round_down():
    found = gt.divergence("w2", "geometric(1e-9)", "geometric(3e-9)")
    rates = [-mp.log1p(-mp.mpf(p)) for p in (1e-9, 3e-9)]
    exact = mp.sqrt(2) * abs(1 / rates[0] - 1 / rates[1])
    assert abs(found.value - exact) <= found.error + 1
    assert found.error < 1e-6 * exact


@pytest.mark.parametrize(("a", "b"), [(1e-9, 2e-9), (2e-8, 5e-3), (3e-11, 3.0001e-11)])
def test_the_energy_of_geometric_laws_is_a_sum_of_geometric_series(a, b):
    x, y = 1 - mp.mpf(a), 1 - mp.mpf(b)
    exact = 2 * (x * x / (1 - x * x) + y * y / (1 - y * y) - 2 * x * y / (1 - x * y))
    found = gt.divergence("energy", f"geometric({a})", f"geometric({b})")
    assert abs(mp.mpf(found.value) - exact) <= found.error + mp.mpf(10) ** -20 * exact, found
    assert found.error <= 1e-9 * exact


CROSSING = [
    ("geometric(2e-3)", stats.geom(2e-3, -1), "negative_binomial(3, 6e-3)", stats.nbinom(3, 6e-3)),
    ("negative_binomial(0.3, 1e-3)", stats.nbinom(0.3, 1e-3), "poisson(280)", stats.poisson(280)),
    ("binomial(4000, 0.25)", stats.binom(4000, 0.25), "geometric(1e-3)", stats.geom(1e-3, -1)),
    ("zipf(5.5)", stats.zipf(5.5), "negative_binomial(0.02, 2e-3)", stats.nbinom(0.02, 2e-3)),
]


@pytest.mark.parametrize("pair", CROSSING, ids=[f"{pair[0]} {pair[2]}" for pair in CROSSING])
@pytest.mark.parametrize("name", ["w1", "w2", "energy"])
def test_cells_meet_sums_that_are_written_out(name, pair):
    found = distance_of_wide(name, *(gt.density(text) for text in pair[::2]))
    k = np.arange(40_000)
    levels = [np.cumsum(law.pmf(k)) for law in pair[1::2]]
    gap = levels[0] - levels[1]
    if name == "w2":
        at = np.unique(np.concatenate(levels))
        at = np.append(0.0, at[at < 1])
        middle = at + np.diff(at, append=1.0) / 2
        places = [np.searchsorted(level, middle).astype(float) for level in levels]
        exact = np.sqrt(np.sum(np.diff(at, append=1.0) * (places[0] - places[1]) ** 2))
    else:
        exact = np.sum(np.abs(gap)) if name == "w1" else 2 * np.sum(gap**2)
    assert abs(found.value - exact) <= found.error + 1e-8 * exact, found
    assert found.error <= {"w1": 1e-5, "w2": 5e-3, "energy": 1e-9}[name] * exact, found


def test_levels_that_cross_in_a_wide_cell_are_parted_there():
    """Waiting times over their scale: a law of counts is within one number of its limit."""
    found = gt.divergence("w1", "geometric(1e-9)", "negative_binomial(3, 3e-9)")
    one, other = stats.expon(), stats.gamma(3, scale=1 / 3)
    crossing = optimize.brentq(lambda x: one.cdf(x) - other.cdf(x), 0.5, 2)
    means = [
        integrate.quad(lambda x: one.sf(x) - other.sf(x), a, b, epsabs=1e-13)[0]
        for a, b in ((0, crossing), (crossing, 60))
    ]
    assert abs(found.value / 1e9 - sum(map(abs, means))) < 4e-9
    assert found.error < 1e-8 * found.value
