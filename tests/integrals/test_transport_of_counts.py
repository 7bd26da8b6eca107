"""W1, W2 and the energy distance of laws on whole numbers, against sums in forty digits."""

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

import gantheory as gt
from gantheory import GantheoryError, Status


def masses(law, count=260):
    """The masses of a law in forty digits, from its text."""
    name, _, rest = law.partition("(")
    numbers = [mp.mpf(float(x)) for x in rest.rstrip(")").split(",")]
    if name == "poisson":
        return [mp.exp(-numbers[0]) * numbers[0] ** k / mp.factorial(k) for k in range(count)]
    if name == "geometric":
        return [numbers[0] * (1 - numbers[0]) ** k for k in range(count)]
    r, p = numbers
    return [mp.binomial(r + k - 1, k) * p**r * (1 - p) ** k for k in range(count)]


def truth(name, p, q):
    ours, theirs = masses(p), masses(q)
    gaps, total = [], mp.mpf(0)
    for a, b in zip(ours, theirs, strict=True):
        total += a - b
        gaps.append(total)
    if name == "w1":
        return sum(map(abs, gaps))
    if name == "energy":
        return 2 * sum(gap * gap for gap in gaps)
    i = j = 0
    cost = mp.mpf(0)
    while i < len(ours) and j < len(theirs):
        moved = min(ours[i], theirs[j])
        cost += moved * (i - j) ** 2
        ours[i], theirs[j] = ours[i] - moved, theirs[j] - moved
        i, j = i + (not ours[i]), j + (not theirs[j])
    return mp.sqrt(cost)


def drawn(seed):
    rng = np.random.default_rng(seed)
    kinds = [
        f"poisson({rng.uniform(0.1, 40)!r})",
        f"geometric({rng.uniform(0.4, 0.95)!r})",
        f"negative_binomial({rng.uniform(0.5, 6)!r}, {rng.uniform(0.4, 0.9)!r})",
    ]
    p = kinds[seed % 3]
    near = f"poisson({float(p[8:-1]) * (1 + 1e-7)!r})" if seed % 3 == 0 else p
    return p, near if seed % 2 and near != p else kinds[int(rng.integers(3))]


@pytest.mark.parametrize("seed", range(9))
def test_sums_of_levels_meet_forty_digits(seed):
    p, q = drawn(seed)
    with mp.workdps(40):
        for name in ("w1", "w2", "energy"):
            found, exact = gt.divergence(name, p, q), truth(name, p, q)
            assert abs(mp.mpf(found.value) - exact) <= found.error + mp.mpf(10) ** -38
            assert found.error <= 1e-9 * exact or p == q


def test_mass_that_moves_far_is_taken_together():
    found = gt.divergence("w2", "negative_binomial(2.5, 0.05)", "discrete([1/2, 1/2])")
    k = np.arange(4000)
    mass = stats.nbinom(2.5, 0.05).pmf(k)
    level = np.concatenate([[0], np.cumsum(mass)])
    above = np.clip(level[1:] - np.maximum(level[:-1], 0.5), 0, None)
    exact = np.sum((mass - above) * k**2 + above * (k - 1.0) ** 2)
    assert found.value == pytest.approx(np.sqrt(exact), rel=1e-12)


def test_laws_without_moments_are_infinitely_far_and_heavy_tails_are_continued():
    assert gt.divergence("w1", "zipf(1.9)", "poisson(2)").status is Status.INFINITE
    assert gt.divergence("w2", "zipf(2.9)", "poisson(2)").status is Status.INFINITE
    found = gt.divergence("w1", "zipf(2.3)", "zipf(3)")
    means = [mp.zeta(s - 1) / mp.zeta(s) for s in (mp.mpf(2.3), mp.mpf(3))]
    assert abs(found.value - (means[0] - means[1])) <= found.error < 1e-10


def test_the_energy_of_heavy_tails_has_what_lies_far_out():
    found = gt.divergence("energy", "zipf(1.7)", "zipf(2.5)")
    k = np.arange(1, 400_000)
    gap = np.cumsum(k**-1.7) / float(mp.zeta(1.7)) - np.cumsum(k**-2.5) / float(mp.zeta(2.5))
    rest = gap[-1] ** 2 * k[-1] / 0.4  # as the levels fall like k^-0.7
    exact = 2 * np.sum(gap**2) + 2 * rest
    assert abs(found.value - exact) < 1e-4 * exact
    assert found.error < 1e-10 * exact


@pytest.mark.parametrize(
    ("name", "wrt"),
    [("w1", "q.rate"), ("energy", "q.rate"), ("w1", "p.p"), ("w2", "q.rate"), ("w2", "p.p")],
)
def test_derivatives_are_slopes_of_the_values(name, wrt):
    found = gt.divergence(name, "geometric(0.3)", "poisson(2)", wrt=wrt)
    h = 1e-6
    values = [
        gt.divergence(
            name,
            f"geometric({0.3 + s * h * (wrt == 'p.p')})",
            f"poisson({2 + s * h * (wrt != 'p.p')})",
        ).value
        for s in (1, -1)
    ]
    assert found.value == pytest.approx((values[0] - values[1]) / (2 * h), rel=1e-8)
    assert found.error < 1e-11
    if name != "energy":
        kink = gt.divergence(name, "poisson(3)", "poisson(3)", wrt="q.rate")
        assert kink.status is Status.UNDETERMINED


def test_what_is_not_known_of_counts_is_said_in_one_line():
    with pytest.raises(GantheoryError, match="not known"):
        gt.divergence("w2", "zipf(4)", "poisson(3)", wrt="q.rate")
    with pytest.raises(GantheoryError, match="unknown parameter"):
        gt.divergence("w1", "zipf(4)", "poisson(3)", wrt="p.rate")
    lost = gt.divergence("w1", "zipf(1.9)", "poisson(3)", wrt="q.rate")
    assert lost.status is Status.UNDETERMINED
    assert "no derivative here: its value is inf" in lost.reason
