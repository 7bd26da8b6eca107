"""Laws of counts and of shares: against sums in 40 digits, over their whole range."""

import math

import mpmath as mp
import numpy as np
import pytest
from mpmath import mpf
from scipy import stats

from gantheory import divergence
from gantheory.densities import density, parse_density
from gantheory.errors import GantheoryError
from gantheory.records import Status


@pytest.fixture(autouse=True)
def many_digits():
    with mp.workdps(40):
        yield


# name -> the textbook mass function, and where the law starts
MASSES = {
    "poisson": (lambda k, m: m**k * mp.exp(-m) / mp.factorial(k), 0),
    "geometric": (lambda k, p: p * (1 - p) ** k, 0),
    "negative_binomial": (
        lambda k, r, p: mp.gamma(k + r) / mp.gamma(r) / mp.factorial(k) * p**r * (1 - p) ** k,
        0,
    ),
    "binomial": (lambda k, n, p: mp.binomial(n, k) * p**k * (1 - p) ** (n - k), 0),
    "zipf": (lambda k, s: mpf(k) ** -s / mp.zeta(s), 1),
}


def drawn(name, rng):
    values = {
        "poisson": (float(10 ** rng.uniform(-3, 2.3)),),
        "geometric": (float(rng.uniform(0.05, 0.95)),),
        "negative_binomial": (float(10 ** rng.uniform(-1, 1.5)), float(rng.uniform(0.1, 0.95))),
        "binomial": (float(rng.integers(1, 60)), float(rng.uniform(0.01, 0.99))),
        "zipf": (float(rng.uniform(1.1, 8)),),
    }[name]
    return parse_density(f"{name}({', '.join(map(repr, values))})")


def mass(law, k, **changed):
    values = law.parameters | changed
    formula, first = MASSES[law.name]
    inside = k >= first and (law.name != "binomial" or k <= law.n)
    return formula(mpf(k), *map(mpf, values.values())) if inside else mpf(0)


@pytest.mark.parametrize("name", MASSES)
def test_masses_of_counts_are_off_by_no_more_than_their_families_state(name):
    rng, largest = np.random.default_rng(1), 0.0
    for _ in range(12):
        law = drawn(name, rng)
        center, width = law.center
        k = np.unique(np.round(np.abs(center + width * rng.normal(size=5) * [0.1, 1, 3, 9, 20])))
        k = k[(k >= law.first) & (k <= law.last)]
        for at, found in zip(k, law.logpdf(k), strict=True):
            off = float(abs(mp.log(mass(law, int(at))) - mpf(float(found))))
            allowed = 8 * 2.0**-52 * (law.log_magnitude + abs(found))
            assert off <= allowed, (law, at)
            largest = max(largest, off / allowed)
    assert largest > 1e-3
    assert np.all(np.isneginf(law.logpdf([0.5, -1.0])))


F = {
    "kl_pq": lambda p, q: p * mp.log(p / q) if p else mpf(0),
    "kl_qp": lambda p, q: q * mp.log(q / p) if q else mpf(0),
    "jsd": lambda p, q: sum(x * mp.log(2 * x / (p + q)) / 2 for x in (p, q) if x),
    "tv": lambda p, q: abs(p - q) / 2,
    "hellinger2": lambda p, q: (mp.sqrt(p) - mp.sqrt(q)) ** 2 / 2,
    "pearson_chi2": lambda p, q: (p - q) ** 2 / q,
}


def summed(name, p, q, changed=()):
    terms, total = 0, mpf(0)
    for k in range(3000):
        a, b = mass(p, k), mass(q, k, **dict(changed))
        if a or b:
            total += F[name](a, b)
        terms = terms + 1 if max(a, b) < mpf(10) ** -36 else 0
        if terms > 3 and k > p.center[0] and k > q.center[0]:
            return total
    raise AssertionError("the oracle did not converge")


PAIRS = [
    ("poisson", "poisson"),
    ("geometric", "geometric"),
    ("negative_binomial", "negative_binomial"),
    ("binomial", "binomial"),
    ("poisson", "negative_binomial"),
    ("binomial", "poisson"),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_divergences_of_counts_and_their_derivatives_are_sums_in_forty_digits(ours, theirs):
    rng = np.random.default_rng(len(ours + theirs))
    for name in ("kl_pq", "jsd", "tv", "hellinger2"):
        p, q = drawn(ours, rng), drawn(theirs, rng)
        found = divergence(name, p, q)
        if found.status is Status.INFINITE:
            assert p.last > q.last
            continue
        truth = summed(name, p, q)
        assert abs(mpf(found.value) - truth) <= found.error
        assert found.error <= 1e-11 * float(truth) + 1e-300
        if name == "tv":
            continue
        parameter = next(key for key in reversed(q.parameters) if key != "n")
        h = mpf(10) ** -12
        value = mpf(q.parameters[parameter])
        up, down = (summed(name, p, q, {parameter: value + s * h}) for s in (1, -1))
        slope = divergence(name, p, q, wrt=f"q.{parameter}")
        truth = (up - down) / (2 * h)
        assert abs(mpf(slope.value) - truth) <= slope.error + 1e-11 * (1 + abs(truth))
        assert slope.error <= 1e-9 * (1 + abs(slope.value))


def test_zipf_laws_are_summed_to_the_end_of_their_power_tails():
    rng = np.random.default_rng(4)
    for _ in range(3):
        s, t = (mpf(float(x)) for x in rng.uniform(1.2, 5, 2))
        p, q = density("zipf", exponent=float(s)), density("zipf", exponent=float(t))
        mean_log = -mp.zeta(s, derivative=1) / mp.zeta(s)
        truth = (t - s) * mean_log + mp.log(mp.zeta(t) / mp.zeta(s))
        found = divergence("kl_pq", p, q)
        assert abs(mpf(found.value) - truth) <= found.error < 1e-11 * (1 + truth)
        slope = divergence("kl_pq", p, q, wrt="q.exponent")
        truth = mean_log + mp.zeta(t, derivative=1) / mp.zeta(t)
        assert abs(mpf(slope.value) - truth) <= slope.error < 1e-10
        bc = divergence("bc", p, q)
        truth = mp.zeta((s + t) / 2) / mp.sqrt(mp.zeta(s) * mp.zeta(t))
        assert abs(mpf(bc.value) - truth) <= bc.error < 1e-11


@pytest.mark.parametrize(
    ("name", "p", "q", "finite"),
    [
        ("pearson_chi2", "geometric(0.5)", "geometric(0.75)", False),  # exactly the threshold
        ("pearson_chi2", "geometric(0.5)", "geometric(0.749)", True),
        ("pearson_chi2", "poisson(9)", "poisson(1)", True),
        ("kl_pq", "geometric(0.5)", "poisson(3)", True),
        ("pearson_chi2", "geometric(0.5)", "poisson(3)", False),
        ("kl_pq", "poisson(3)", "binomial(9, 0.5)", False),
        ("kl_pq", "zipf(2)", "geometric(0.5)", False),
        ("kl_pq", "zipf(2.1)", "geometric(0.5)", True),
        ("kl_pq", "poisson(3)", "zipf(3)", False),  # no mass at 0
        ("pearson_chi2", "zipf(2)", "zipf(3)", False),  # Σ k^(3 − 4)
        ("pearson_chi2", "zipf(2)", "zipf(2.99)", True),
        ("kl_pq", "poisson(3)", "discrete([1/2, 1/2])", False),
        ("kl_qp", "poisson(3)", "discrete([1/2, 1/2])", True),
    ],
)
def test_infinity_of_counts_is_decided_by_decay_and_support(name, p, q, finite):
    found = divergence(name, p, q)
    assert (found.status is not Status.INFINITE) is finite, found
    assert math.isfinite(found.value) is finite


def test_large_counts_are_summed_around_their_mass_and_close_ones_keep_their_digits():
    m, d = 1e6, 1e-3
    found = divergence("kl_pq", f"poisson({m})", f"poisson({m + d})")
    truth = mpf(m) * mp.log(mpf(m) / mpf(m + d)) + mpf(m + d) - mpf(m)
    assert abs(mpf(found.value) - truth) <= found.error + 1e-9 * truth
    assert found.error < 1e-9 * found.value
    apart = divergence("jsd", "poisson(9e9)", "poisson(2)")
    assert abs(apart.value - math.log(2)) <= apart.error < 1e-12


@pytest.mark.parametrize(("a", "b"), [(1e-9, 2e-9), (3e-6, 2.9e-6), (1e-5, 0.5)])
def test_wide_geometric_laws_have_their_total_variation_and_affinity(a, b):
    """Masses cross once, and Σ sqrt(pq) is a geometric series."""
    x, y = mpf(a), mpf(b)
    crossing = mp.floor(mp.log(y / x) / (mp.log1p(-x) - mp.log1p(-y))) + 1
    beyond = [(1 - z) ** crossing for z in (x, y)]
    truths = {
        "tv": abs(beyond[0] - beyond[1]),
        "bc": mp.sqrt(x * y) / (1 - mp.sqrt((1 - x) * (1 - y))),
    }
    for name, truth in truths.items():
        found = divergence(name, f"geometric({a})", f"geometric({b})")
        assert abs(mpf(found.value) - truth) <= found.error < 1e-12
    found = divergence("bc", f"geometric({a})", f"geometric({b})", wrt="q.p")
    moved = mp.diff(lambda z: mp.sqrt(x * z) / (1 - mp.sqrt((1 - x) * (1 - z))), y)
    assert abs(mpf(found.value) - moved) <= found.error + 1e-15 * abs(moved)


@pytest.mark.parametrize(
    ("r", "a", "s", "b"),
    [(3.3, 1e-8, 2.0, 1e-8), (0.01, 1e-7, 0.012, 2e-7), (5e5, 0.3, 5.01e5, 0.3)],
)
def test_wide_negative_binomial_laws_have_their_affinity(r, a, s, b):
    """Σ sqrt(pq) in 30 digits, by an integral in log k and Euler's correction where it starts."""

    def log_mass(k, r, p):
        r, p = mpf(r), mpf(p)
        log = mp.loggamma(k + r) - mp.loggamma(r) - mp.loggamma(k + 1)
        return log + r * mp.log(p) + k * mp.log1p(-p)

    def both(k):
        return mp.exp((log_mass(k, r, a) + log_mass(k, s, b)) / 2)

    with mp.workdps(30):
        first = 400
        h = mpf(first) - 0.5
        middle = max(r, 1) * (1 - a) / a
        edges = [mp.log(h)]
        edges += [mp.log(middle * t) for t in mp.linspace(0.95, 1.08, 27) if r > 100]
        edges += [
            mp.log(middle * mpf(2) ** t) for t in range(-20, 10) if r < 100 and middle * 2.0**t > h
        ]
        rest = mp.quad(lambda t: both(mp.exp(t)) * mp.exp(t), sorted(edges), maxdegree=5)
        truth = mp.fsum(both(mpf(k)) for k in range(first)) + rest + mp.diff(both, h) / 24
        found = divergence("bc", f"negative_binomial({r}, {a})", f"negative_binomial({s}, {b})")
        assert abs(mpf(found.value) - truth) <= found.error < 1e-10


def _dirichlets(rng, n=3):
    return [tuple(float(x) for x in 10 ** rng.uniform(-1, 1.5, n)) for _ in "pq"]


def test_divergences_of_dirichlet_laws_follow_from_their_gamma_functions():
    rng = np.random.default_rng(0)
    for _ in range(5):
        a, b = _dirichlets(rng)
        p, q = density("dirichlet", concentration=a), density("dirichlet", concentration=b)

        def log_beta(v):
            return mp.fsum(map(mp.loggamma, v)) - mp.loggamma(mp.fsum(v))

        def kl(a, b):
            a, b = [mpf(x) for x in a], [mpf(x) for x in b]
            moved = [(x - y) * (mp.digamma(x) - mp.digamma(mp.fsum(a))) for x, y in zip(a, b)]  # noqa: B905
            return log_beta(b) - log_beta(a) + mp.fsum(moved)

        found = divergence("kl_pq", p, q)
        assert abs(mpf(found.value) - kl(a, b)) <= found.error + 1e-15 * kl(a, b)
        assert divergence("jeffreys", p, q).value == pytest.approx(float(kl(a, b) + kl(b, a)))
        h = mpf(10) ** -15
        for law, name in (("q", "kl_pq"), ("p", "kl_pq"), ("q", "kl_qp"), ("p", "kl_qp")):
            moved = [
                (*v[:1], v[1] + s * h, *v[2:]) for s in (1, -1) for v in ((b if law == "q" else a),)
            ]
            both = [(a, v) if law == "q" else (v, b) for v in moved]
            both = [(y, x) if name == "kl_qp" else (x, y) for x, y in both]
            truth = (kl(*both[0]) - kl(*both[1])) / (2 * h)
            slope = divergence(name, p, q, wrt=f"{law}.concentration[1]")
            assert slope.value == pytest.approx(float(truth), rel=1e-9, abs=1e-12)
    sampled = divergence("hellinger2", "dirichlet([2, 3])", "dirichlet([3, 1])")
    beta = divergence("hellinger2", "beta(2, 3)", "beta(3, 1)")  # two shares are one
    assert abs(sampled.value - beta.value) < 1e-14
    assert divergence("pearson_chi2", "dirichlet([1, 1])", "dirichlet([3, 1])").value == math.inf


def test_dirichlet_densities_and_scores_are_those_of_scipy():
    law = density("dirichlet", concentration=[0.5, 2, 3])
    x = law.sample(0, 5)
    np.testing.assert_allclose(law.logpdf(x), [stats.dirichlet([0.5, 2, 3]).logpdf(v) for v in x])
    up, down = (density("dirichlet", concentration=[0.5, 2 + h, 3]) for h in (1e-6, -1e-6))
    slope = (up.logpdf(x) - down.logpdf(x)) / 2e-6
    np.testing.assert_allclose(law.score("concentration[1]", x), slope, rtol=1e-6)
    assert parse_density(str(law)) == law


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: parse_density("poisson(-1)"), "poisson: rate=-1"),
        (lambda: parse_density("binomial(2.5, 0.5)"), "a whole number"),
        (lambda: parse_density("zipf(1)"), "zipf: exponent=1"),
        (lambda: parse_density("dirichlet([1])"), "at least two numbers"),
        (lambda: divergence("kl_pq", "poisson(1)", "poisson(2)", wrt="q.scale"), "rate"),
        (
            lambda: divergence("kl_pq", "dirichlet([1,2])", "dirichlet([1,3])", wrt="q.x"),
            "concentration[0]",
        ),
    ],
)
def test_bad_counts_are_refused_in_one_line(call, said):
    with pytest.raises(GantheoryError) as caught:
        call()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", range(4))
def test_errors_of_binomial_sums_count_the_roundings_of_both_shares(seed):
    rng = np.random.default_rng(seed)
    n, share = int(rng.integers(2, 400)), float(rng.uniform(0.01, 0.9))
    near = share * (1 + 10 ** rng.uniform(-12, -3))
    far = (int(rng.integers(2, 9)), float(rng.uniform(0.01, 0.5)))
    with mp.workdps(90):
        for m, q in ((n, near), far):
            k = range(max(n, m) + 1)
            ours, theirs = ([_exact_binomial(j, *law) for j in k] for law in ((n, share), (m, q)))
            pairs = list(zip(ours, theirs, strict=True))
            truths = {
                "bc": mp.fsum(mp.sqrt(a * b) for a, b in pairs),
                "tv_gap": mp.fsum(map(min, pairs)),
                "hellinger2": mp.fsum((mp.sqrt(a) - mp.sqrt(b)) ** 2 / 2 for a, b in pairs),
            }
            for name, truth in truths.items():
                found = divergence(name, f"binomial({n}, {share!r})", f"binomial({m}, {q!r})")
                assert abs(truth - found.value) <= found.error <= 1e-9 * truth


def _exact_binomial(k, n, share):
    p = mpf(share)
    return mp.binomial(n, k) * p**k * (1 - p) ** (n - k) if k <= n else mpf(0)


def test_a_derivative_between_near_counts_keeps_the_digits_of_their_distance():
    p, q = 0.013531318755378349, 0.013531318755835832
    with mp.workdps(60):
        a, b = mpf(p), mpf(q)
        shape = (a - b) ** 2 / (b * (1 - b))  # chi-squared is (1 + shape)^n − 1
        slope = -2 * (a - b) / (b * (1 - b)) - (a - b) ** 2 * (1 - 2 * b) / (b * (1 - b)) ** 2
        truth = 2 * (1 + shape) * slope
    found = divergence("pearson_chi2", f"binomial(2, {p!r})", f"binomial(2, {q!r})", wrt="q.p")
    assert abs(truth - found.value) <= found.error <= 1e-9 * abs(truth)


@pytest.mark.parametrize("name", ["bc", "jsd", "tv", "hellinger2", "triangular"])
def test_what_underflows_has_its_truth_within_the_error(name):
    """Between Poisson laws far apart bc = exp(−(√a − √b)²/2), and slopes are no larger."""
    found = divergence(name, "poisson(1)", "poisson(5e4)", wrt=None if name == "bc" else "q.rate")
    exact = mp.exp(-((1 - mp.sqrt(50_000)) ** 2) / 2)
    assert 0 < exact <= found.error < 1e-200
    assert divergence(name, "poisson(3)", "poisson(3)").error < 1e-14


def test_a_sum_that_binary64_does_not_hold_is_said_to_be_too_large():
    found = divergence("pearson_chi2", "poisson(1)", "poisson(5e4)")  # exp(5e4 − 2 + 2e-5) − 1
    assert "more than binary64 holds" in found.reason
