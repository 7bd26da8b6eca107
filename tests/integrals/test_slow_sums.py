"""Sums that fall like a small power, against Hurwitz zeta functions and Stirling's series."""

import mpmath as mp
import pytest

import gantheory as gt


def left(s, power, start=60):
    """Σ k^-s (log k)^power over k > start."""
    return (-1) ** power * mp.zeta(s, start + 1, power)


def mean_log_factorial(s, start=60):
    head = mp.fsum(mp.mpf(k) ** -s * mp.loggamma(k + 1) for k in range(1, start + 1))
    tail = left(s - 1, 1) - left(s - 1, 0) + (mp.log(2 * mp.pi) * left(s, 0) + left(s, 1)) / 2
    for n in range(1, 12):
        tail += mp.bernoulli(2 * n) / (2 * n * (2 * n - 1)) * left(s + 2 * n - 1, 0)
    return (head + tail) / mp.zeta(s)


def kl_of_zipf(s, law, parameter):
    """KL(zipf(s) || law) from the means of log k, k and log k!."""
    zeta = mp.zeta(s)
    entropy, mean = s * mp.zeta(s, 1, 1) / zeta - mp.log(zeta), mp.zeta(s - 1) / zeta
    if law == "poisson":
        return entropy + parameter - mean * mp.log(parameter) + mean_log_factorial(s)
    return entropy - mp.log(parameter) - mean * mp.log(1 - parameter)


@pytest.mark.parametrize(
    ("s", "law", "b"),
    [(2.01, "poisson", 3.0), (2.001, "geometric", 0.5), (2.3, "geometric", 1e-6)],
)
def test_kl_of_a_zipf_law_whose_mean_is_hardly_finite(s, law, b):
    with mp.workdps(40):
        truths = {
            None: kl_of_zipf(mp.mpf(s), law, mp.mpf(b)),
            "p.exponent": mp.diff(lambda x: kl_of_zipf(x, law, mp.mpf(b)), mp.mpf(s)),
            f"q.{'rate' if law == 'poisson' else 'p'}": mp.diff(
                lambda x: kl_of_zipf(mp.mpf(s), law, x), mp.mpf(b)
            ),
        }
    for wrt, truth in truths.items():
        found = gt.divergence("kl_pq", f"zipf({s})", f"{law}({b!r})", wrt=wrt)
        assert abs(found.value - truth) <= found.error < 1e-9 * abs(truth), wrt


@pytest.mark.parametrize(("s", "infinite"), [(2.0, True), (1.7, True), (2.0001, False)])
def test_it_is_infinite_without_a_mean(s, infinite):
    for law in ("poisson(3)", "geometric(0.5)", "negative_binomial(2.5, 0.3)"):
        found = gt.divergence("kl_pq", f"zipf({s})", law)
        assert (found.status is gt.Status.INFINITE) == infinite
        assert found.error < 1e-8 * found.value or infinite


def masses(s, rate, k):
    a = mp.mpf(k) ** -s / mp.zeta(s) if k else mp.mpf(0)
    return a, mp.exp(-rate) * mp.mpf(rate) ** k / mp.factorial(k)


SUMMANDS = {
    "tv": (lambda a, b: abs(a - b) / 2, 0.5),
    "jsd": (
        lambda a, b: sum(x * mp.log(2 * x / (a + b)) / 2 for x in (a, b) if x),
        mp.log(2) / 2,
    ),
    "hellinger2": (lambda a, b: (mp.sqrt(a) - mp.sqrt(b)) ** 2 / 2, 0.5),
}


@pytest.mark.parametrize("name", SUMMANDS)
def test_the_slope_in_an_exponent_where_the_other_law_has_mass_at_0(name):
    """A Zipf law has none there, and its score, log 0, is of no account."""
    summand, alone = SUMMANDS[name]

    def value(s):
        near = mp.fsum(summand(*masses(s, 2, k)) for k in range(50))
        return near + alone * mp.zeta(s, 50) / mp.zeta(s)

    with mp.workdps(30):
        truth = mp.diff(value, mp.mpf(1.6))
    found = gt.divergence(name, "zipf(1.6)", "poisson(2)", wrt="p.exponent")
    assert abs(found.value - truth) <= found.error < 1e-10


def test_the_slope_of_slow_against_wide_counts_meets_an_integral():
    """Σ over k < 60, and Euler and Maclaurin's integral to where the geometric law has died."""
    p = mp.mpf(1e-9)

    def value(s):
        zeta = mp.zeta(s)

        def f(k):
            a, b = (k**-s / zeta if k else mp.mpf(0)), p * mp.exp(k * mp.log(1 - p))
            return sum(x * mp.log(2 * x / (a + b)) / 2 for x in (a, b) if x)

        near = mp.fsum(f(mp.mpf(k)) for k in range(60))
        cuts = [mp.log(60), 8, 12, 15, 17, 18, 19, 20, 21, 22, 23, 24, 25, 25.5]
        far = mp.quad(lambda t: f(mp.exp(t)) * mp.exp(t), cuts)
        ends = f(mp.mpf(60)) / 2 - mp.diff(f, 60) / 12 + mp.diff(f, 60, 3) / 720
        return near + far + ends + mp.log(2) / 2 * mp.exp((1 - s) * mp.mpf(25.5)) / (s - 1) / zeta

    with mp.workdps(25):
        s, step = mp.mpf(1.01), mp.mpf(10) ** -8
        truth = (value(s + step) - value(s - step)) / (2 * step)
    found = gt.divergence("jsd", "zipf(1.01)", "geometric(1e-9)", wrt="p.exponent")
    assert abs(found.value - truth) <= found.error + 1e-10
    assert found.error < 1e-10
