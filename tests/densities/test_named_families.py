"""The families that people name: as exact as they state over their whole range, and their tails."""

import math

import mpmath as mp
import numpy as np
import pytest
from mpmath import mpf

from gantheory import divergence
from gantheory.densities import Points, parse_density
from gantheory.densities.tails import Growing, Tail
from gantheory.errors import GantheoryError
from gantheory.records import Status

EPS, STEP = 2.0**-52, mpf(10) ** -40


@pytest.fixture(autouse=True)
def many_digits():
    with mp.workdps(110):
        yield


def _gamma_power(x, k, c, unit, divisor):
    t = c * mp.log(x / unit) - mp.log(divisor)
    return mp.log(abs(c)) - mp.loggamma(k) + k * t - mp.exp(t) - mp.log(x)


def _student(z, s):
    return -mp.log(mp.pi * s * (1 + z * z))


def _skew(z, a, s):
    return mp.log(2 / s) - z * z / 2 - mp.log(2 * mp.pi) / 2 + mp.log(mp.ncdf(a * z))


def _triangle(x, a, m, b):
    return mp.log(2 / (b - a)) + (mp.log((x - a) / (m - a)) if x < m else mp.log((b - x) / (b - m)))


def _circle(x, loc, k):
    return k * mp.cos(x - loc) - mp.log(2 * mp.pi * mp.besseli(0, k))


# name -> the textbook log-density at x, from the parameters in order
TRUTHS = {
    "exponential": lambda x, s: -x / s - mp.log(s),
    "chi_squared": lambda x, n: _gamma_power(x, n / 2, 1, 2, 1),
    "cauchy": lambda x, m, s: _student((x - m) / s, s),
    "half_normal": lambda x, s: mp.log(2 / (s * mp.sqrt(2 * mp.pi))) - (x / s) ** 2 / 2,
    "half_cauchy": lambda x, s: _student(x / s, s) + mp.log(2),
    "weibull": lambda x, c, s: _gamma_power(x, mpf(1), c, s, 1),
    "rayleigh": lambda x, s: _gamma_power(x, mpf(1), mpf(2), s, 2),
    "inverse_gamma": lambda x, k, s: _gamma_power(x, k, mpf(-1), s, 1),
    "pareto": lambda x, a, s: mp.log(a / s) - (a + 1) * mp.log(x / s),
    "log_logistic": lambda x, c, s: (
        mp.log(c) + c * mp.log(x / s) - mp.log(x) - 2 * mp.log1p((x / s) ** c)
    ),
    "generalised_normal": lambda x, m, s, b: (
        mp.log(b / (2 * s)) - mp.loggamma(1 / b) - abs((x - m) / s) ** b
    ),
    "skew_normal": lambda x, m, s, a: _skew((x - m) / s, a, s),
    "triangular": _triangle,
    "kumaraswamy": lambda x, a, b: (
        mp.log(a * b) + (a - 1) * mp.log(x) + (b - 1) * mp.log(-mp.expm1(a * mp.log(x)))
    ),
    "von_mises": _circle,
}


def drawn(name, rng):
    def power(low, high):
        return float(10 ** rng.uniform(low, high))

    loc = float(rng.choice([0, 1, -1])) * power(-3, 6)
    scale = power(-30, 100) if rng.random() < 0.3 else power(-3, 3)
    ends = loc + np.sort(rng.normal(size=3)) * power(-3, 3) * max(1.0, 1e-9 * abs(loc))
    values = {
        "exponential": (scale,),
        "chi_squared": (power(-3, 7),),
        "cauchy": (loc, scale),
        "half_normal": (scale,),
        "half_cauchy": (scale,),
        "weibull": (power(-1.5, 4), scale),
        "rayleigh": (scale,),
        "inverse_gamma": (power(-2, 6), scale),
        "pareto": (power(-3, 6), scale),
        "log_logistic": (power(-1.5, 4), scale),
        "generalised_normal": (loc, scale, power(-1, 3)),
        "skew_normal": (loc, scale, float(rng.choice([-1, 1])) * power(-3, 4)),
        "triangular": tuple(float(end) for end in ends),
        "kumaraswamy": (power(-1.5, 4), power(-1.5, 4)),
        "von_mises": (float(rng.normal()) * power(-3, 3), power(-6, 6)),
    }[name]
    return parse_density(f"{name}({', '.join(map(repr, values))})")


def places(law, rng):
    center, width = law.centers[0]
    y = width * rng.normal(size=6) * np.array([1e-9, 1e-3, 1, 5, 30, 1e3])
    low, high = ((end - center) / 2 for end in law.support)
    y = np.clip(np.abs(y) if not low else -np.abs(y) if not high else y, low, high)
    y = np.where(y == 0, width * 1e-3 * (1 if low == 0 else -1), y)
    at = Points(np.full(6, center), np.sign(y), np.abs(y), np.log(np.abs(y)))
    value = law.log_density(at)
    inside = np.isfinite(value) & (value > -1e5)
    return at, [(k, mpf(center) + mpf(float(y[k]))) for k in np.nonzero(inside)[0]]


@pytest.mark.parametrize("name", TRUTHS)
def test_log_densities_are_off_by_no_more_than_the_named_families_state(name):
    rng, largest = np.random.default_rng(len(name)), 0.0
    for _ in range(10):
        law = drawn(name, rng)
        at, inside = places(law, rng)
        values = [mpf(value) for value in law.parameters.values()]
        found, misread = law.log_density(at), law.misread(at)
        for k, x in inside:
            off = float(abs(TRUTHS[name](x, *values) - mpf(float(found[k]))))
            allowed = 4 * EPS * (law.log_magnitude + abs(found[k])) + misread[k]
            assert off <= allowed, (law, x)
            largest = max(largest, off / allowed)
    assert largest > 1e-3  # what is stated is no useless bound


@pytest.mark.parametrize("name", TRUTHS)
def test_scores_are_off_by_no_more_than_the_named_families_state(name):
    rng = np.random.default_rng(len(name))
    for _ in range(4):
        law = drawn(name, rng)
        at, inside = places(law, rng)
        names, values = list(law.parameters), [mpf(v) for v in law.parameters.values()]
        unit = mpf(law.centers[0][1])
        for parameter in {*names, "loc", "scale"}:
            found = law.scores(parameter, at)
            for k, x in inside:
                if not 1e-50 < abs(found[k]) < math.inf:
                    continue
                truth = derivative(name, names, values, x, parameter, unit)
                allowed = 16 * EPS * (law.score_size(parameter) + abs(found[k])) + 1e-300
                assert abs(truth - mpf(float(found[k]))) <= allowed, (law, parameter, x)


def derivative(name, names, values, x, parameter, unit):
    def moved(h):
        if parameter in names:
            k = names.index(parameter)
            return TRUTHS[name](x, *values[:k], values[k] + h, *values[k + 1 :])
        if parameter == "loc":
            return TRUTHS[name](x - h, *values)
        return TRUTHS[name](x / (1 + h), *values) - mp.log(1 + h)

    places_of = ("loc", "a", "b", "mode") if name == "triangular" else ("loc",)
    value = values[names.index(parameter)] if parameter in names else 1
    own = min(unit, mpf(1)) if name == "von_mises" else unit
    h = (own if parameter in places_of else abs(value) or 1) * STEP
    return (moved(h) - moved(-h)) / (2 * h)


# pairs whose divergences have a formula that shares no code with the engine
def _kl_weibull(k, s, m, t):
    euler = float(mp.euler)
    rise = (s / t) ** m * math.gamma(m / k + 1)
    return math.log(k / s**k) - math.log(m / t**m) + (k - m) * (math.log(s) - euler / k) + rise - 1


def _kl_circle(a, k, b, m):
    zero, one = (float(mp.besseli(n, k)) for n in (0, 1))
    return math.log(float(mp.besseli(0, m)) / zero) + one / zero * (k - m * math.cos(a - b))


def _kl_inverse_gamma(a, s, b, t):
    digamma, logs = float(mp.digamma(a)), math.lgamma(b) - math.lgamma(a)
    return (a - b) * digamma + logs + b * math.log(s / t) + a * (t - s) / s


def _kl_pareto(a, s, b, t):
    return math.log(a / b) + b * math.log(s / t) + (b - a) / a


def _kl_rayleigh(s, t):
    return 2 * math.log(t / s) + (s / t) ** 2 - 1


def _kl_general(m, s, a, m2, t, b):
    assert m == m2
    log = math.log(a * t / (b * s)) + math.lgamma(1 / b) - math.lgamma(1 / a)
    return log + (s / t) ** b * math.gamma((b + 1) / a) / math.gamma(1 / a) - 1 / a


FORMULAS = {
    "weibull": (_kl_weibull, lambda rng: (rng.uniform(0.3, 5), rng.uniform(0.2, 5))),
    "von_mises": (_kl_circle, lambda rng: (rng.uniform(-9, 9), rng.uniform(0.01, 30))),
    "inverse_gamma": (_kl_inverse_gamma, lambda rng: (rng.uniform(0.1, 9), rng.uniform(0.2, 5))),
    "rayleigh": (_kl_rayleigh, lambda rng: (rng.uniform(0.1, 10),)),
    "generalised_normal": (
        _kl_general,
        lambda rng: (0.5, rng.uniform(0.2, 5), rng.uniform(0.4, 6)),
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_kl_between_named_families_and_its_derivatives_follow_their_formulas(name):
    formula, draw = FORMULAS[name]
    rng = np.random.default_rng(7)
    for _ in range(4):
        a, b = (tuple(map(float, draw(rng))) for _ in "pq")
        p, q = (parse_density(f"{name}{v}".replace(",)", ")")) for v in (a, b))
        found, truth = divergence("kl_pq", p, q), formula(*a, *b)
        assert abs(found.value - truth) <= found.error + 1e-14 * (1 + abs(truth))
        assert found.error < 1e-11 * (1 + abs(truth))
        for k, parameter in enumerate(q.parameters):
            if name == "generalised_normal" and parameter == "loc":
                continue
            h = 1e-5 * b[k]
            up, down = (formula(*a, *b[:k], b[k] + s * h, *b[k + 1 :]) for s in (1, -1))
            slope = divergence("kl_pq", p, q, wrt=f"q.{parameter}")
            assert slope.value == pytest.approx((up - down) / (2 * h), rel=1e-6, abs=1e-7)
            assert slope.error < 1e-9 * (1 + abs(slope.value))


def test_kl_between_pareto_laws_is_infinite_on_one_side_and_a_formula_on_the_other():
    found = divergence("kl_pq", "pareto(3, 2)", "pareto(2, 1)")
    assert abs(found.value - _kl_pareto(3, 2, 2, 1)) <= found.error < 1e-13
    assert divergence("kl_pq", "pareto(2, 1)", "pareto(3, 2)").status is Status.INFINITE


@pytest.mark.parametrize(
    ("name", "p", "q", "finite"),
    [
        ("pearson_chi2", "weibull(0.5, 4)", "weibull(0.5, 1)", False),  # exactly the threshold
        ("pearson_chi2", "weibull(0.5, 3.999)", "weibull(0.5, 1)", True),
        ("kl_pq", "weibull(0.7, 1)", "weibull(3, 2)", True),
        ("kl_pq", "log_logistic(2, 1)", "weibull(2, 1)", False),  # the moment of order 2
        ("kl_pq", "log_logistic(2, 1)", "weibull(1.999, 1)", True),
        ("kl_pq", "uniform(0, 1)", "inverse_gamma(0.5, 1)", False),
        ("kl_pq", "gamma(1.01, 1)", "inverse_gamma(2, 3)", True),  # E[1/x]
        ("kl_pq", "gamma(1, 1)", "inverse_gamma(2, 3)", False),
        ("pearson_chi2", "normal(0, 1)", "generalised_normal(0, 1, 2)", False),
        ("pearson_chi2", "normal(0, 1)", "generalised_normal(0, 1.0001, 2)", True),
        ("pearson_chi2", "normal(0, 1)", "skew_normal(0, 1, 0.999)", True),
        ("pearson_chi2", "normal(0, 1)", "skew_normal(0, 1, 1)", False),
        ("pearson_chi2", "generalised_normal(0, 1, 3)", "generalised_normal(1, 1, 3)", True),
        ("kl_pq", "half_cauchy(1)", "half_normal(1)", False),
    ],
)
def test_infinity_is_decided_by_the_tails_of_named_families(name, p, q, finite):
    found = divergence(name, p, q)
    assert (found.status is not Status.INFINITE) is finite, found
    assert math.isfinite(found.value) or not finite or found.log_value


def test_powers_of_a_tail_are_compared_exactly():
    rng = np.random.default_rng(3)
    for _ in range(200):
        exponent = float(rng.choice([0.5, 1.5, 0.25, 2.5, 3.0, float(rng.uniform(0.1, 5))]))
        a, b = (float(x) for x in rng.choice([1.0, 4.0, 16.0, 0.25, 3.0], 2))
        v, w = (float(x) for x in rng.choice([1.0, 2.0, 8.0, 0.5], 2))
        p, q = (Tail(powers=((exponent, s, -c),)) for s, c in ((a, v), (b, w)))
        truth = mp.sign(mpf(w) * mpf(b) ** -mpf(exponent) - mpf(v) * mpf(a) ** -mpf(exponent))
        gap = abs(mpf(w) * mpf(b) ** -mpf(exponent) - mpf(v) * mpf(a) ** -mpf(exponent))
        assert Growing.of(1, p, -1, q).direction == (0 if gap < mpf(10) ** -90 else int(truth))


@pytest.mark.parametrize(
    ("p", "q"),
    [
        ("skew_normal(0, 1, 3)", "normal(0, 1)"),
        ("von_mises(3, 20)", "von_mises(-2, 1)"),
        ("weibull(1.5, 2)", "gamma(2, 1)"),
        ("generalised_normal(0, 1, 0.7)", "laplace(0.5, 1)"),
        ("triangular(0, 1, 2)", "kumaraswamy(2, 3)"),
        ("pareto(3, 1)", "log_logistic(3, 2)"),
    ],
)
def test_w1_of_named_families_is_the_distance_of_their_quantiles(p, q):
    p, q = parse_density(p), parse_density(q)
    n = 1000  # the midpoint rule in the level, which misses the tails by a share of 1/n
    level = (np.arange(n) + 0.5) / n
    truth = float(np.mean(np.abs(p.ppf(level) - q.ppf(level))))
    found = divergence("w1", p, q)
    assert found.value == pytest.approx(truth, rel=2e-2)
    assert found.error < 1e-10 * found.value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("weibull(0, 1)", "weibull: shape=0"),
        ("triangular(0, 2, 1)", "must be in order"),
        ("von_mises(0, -1)", "concentration=-1"),
        ("kumaraswamy(2)", "kumaraswamy needs b"),
        ("exponential(rate=2)", "unknown parameter of exponential 'rate'"),
        ("weibul(2, 1)", "did you mean 'weibull'"),
    ],
)
def test_bad_parameters_of_named_families_are_refused_in_one_line(text, said):
    with pytest.raises(GantheoryError) as caught:
        parse_density(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_draws_of_named_families_follow_their_distribution_functions():
    rng = np.random.default_rng(11)
    for name in TRUTHS:
        law = drawn(name, rng)
        share = np.sort(law.cdf(law.sample(rng, 2000)))
        gap = np.max(np.abs(share - (np.arange(2000) + 0.5) / 2000))
        assert gap < 2.2 / math.sqrt(2000), law  # Kolmogorov's bound at 1e-4


PLAIN = (
    "normal(0, 1)", "laplace(0, 1)", "logistic(0, 1)", "gumbel(0, 1)", "student_t(3)",
    "generalised_normal(0, 1, 1.5)", "skew_normal(0, 1, -2)", "uniform(0, 1)", "gamma(2, 1)",
    "triangular(0, 0.3, 1)", "exponential(2)", "chi_squared(3)", "lognormal(0, 1)", "cauchy(1, 2)",
    "weibull(2, 0.7)", "rayleigh(3)", "inverse_gamma(2, 1)", "log_logistic(2, 1)", "pareto(2, 1)",
    "half_normal(1)", "half_cauchy(1)", "beta(2, 3)", "kumaraswamy(2, 3)", "von_mises(0, 1)",
    "truncnormal(0, 1, -1, 2)",
)  # fmt: skip


@pytest.mark.parametrize("law", [*PLAIN, "affine(weibull(2, 0.7), 1, -2)", "weibull(0.02, 3)"])
def test_a_distribution_function_is_one_at_infinity_and_none_before_it(law):
    known = parse_density(law)
    assert float(known.cdf(math.inf)) == pytest.approx(1, abs=1e-12)
    assert float(known.sf(-math.inf)) == pytest.approx(1, abs=1e-12)
    assert float(known.sf(math.inf)) == pytest.approx(0, abs=1e-12)
    assert float(known.cdf(-math.inf)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("law", [law for law in PLAIN if "von_mises" not in law])
def test_what_is_left_above_a_quantile_has_mass_one(law):
    a = float(parse_density(law).ppf(0.7))
    found = divergence("tv", f"restrict({law}, {a!r}, inf)", f"normal({a - 5!r}, 1e-6)")
    assert found.value == pytest.approx(1, abs=1e-9)
