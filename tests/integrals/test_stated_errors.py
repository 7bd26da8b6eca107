"""Log-densities and scores of every family are as exact as stated, against formulas in 110 digits.

Parameters are drawn from the whole legal range, and points from the middle to the far tails.
"""

import mpmath as mp
import numpy as np
import pytest
from mpmath import mpf

from gantheory.densities import Points, density

EPS = 2.0**-52
DIGITS, STEP = 110, mpf(10) ** -40
LINE = ("normal", "laplace", "logistic", "gumbel")
FAMILIES = (*LINE, "student_t", "gamma", "beta", "lognormal", "uniform", "truncnormal")


@pytest.fixture(autouse=True)
def many_digits():
    with mp.workdps(DIGITS):
        yield


def log_normal(z, scale):
    return -(z**2) / 2 - mp.log(scale * mp.sqrt(2 * mp.pi))


def log_student(z, df, scale):
    constant = mp.loggamma((df + 1) / 2) - mp.loggamma(df / 2) - mp.log(mp.pi * df) / 2
    return constant - mp.log(scale) - (df + 1) / 2 * mp.log1p(z**2 / df)


def log_beta(x, a, b):
    constant = mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)
    return (a - 1) * mp.log(x) + (b - 1) * mp.log1p(-x) - constant


def log_cut(x, v):
    a, b = ((v[end] - v["loc"]) / v["scale"] for end in "ab")
    mass = mp.ncdf(b) - mp.ncdf(a) if a < 0 else mp.ncdf(-a) - mp.ncdf(-b)
    return log_normal((x - v["loc"]) / v["scale"], v["scale"]) - mp.log(mass)


def log_truth(name, v, x):
    """The textbook log-density, in mpmath alone."""
    s = v.get("scale", mpf(1))
    z = (x - v.get("loc", 0)) / s
    return {
        "normal": lambda: log_normal(z, s),
        "laplace": lambda: -abs(z) - mp.log(2 * s),
        "logistic": lambda: -abs(z) - 2 * mp.log1p(mp.exp(-abs(z))) - mp.log(s),
        "gumbel": lambda: -z - mp.exp(-z) - mp.log(s),
        "student_t": lambda: log_student(z, v["df"], s),
        "gamma": lambda: (v["shape"] - 1) * mp.log(z) - z - mp.loggamma(v["shape"]) - mp.log(s),
        "beta": lambda: log_beta(x, v["a"], v["b"]),
        "lognormal": lambda: log_normal((mp.log(x) - v["loc"]) / s, s) - mp.log(x),
        "uniform": lambda: -mp.log(v["b"] - v["a"]),
        "truncnormal": lambda: log_cut(x, v),
    }[name]()


def drawn(name, rng):
    def power(low, high):
        return float(10 ** rng.uniform(low, high))

    loc = float(rng.choice([0, 1, -1])) * power(-3, 6)
    scale = power(-30, 100) if rng.random() < 0.3 else power(-3, 3)
    cut = loc + float(rng.normal()) * scale * float(rng.choice([1, 5, 20]))
    parameters = {
        "student_t": {"df": power(-2, 8), "loc": loc, "scale": scale},
        "gamma": {"shape": power(-3, 8), "scale": scale},
        "beta": {"a": power(-3, 7), "b": power(-3, 7)},
        "lognormal": {"loc": float(rng.uniform(-500, 500)), "scale": power(-3, 1)},
        "uniform": {"a": loc, "b": loc + abs(loc) * 1e-10 + power(-3, 3)},
        "truncnormal": {"loc": loc, "scale": scale, "a": cut, "b": cut + scale * power(-2, 2)},
    }
    return density(name, **parameters.get(name, {"loc": loc, "scale": scale}))


def places(law, rng):
    center, width = law.centers[0]
    y = width * rng.normal(size=5) * np.array([1e-3, 1, 5, 30, 1e3])
    low, high = ((end - center) / 2 for end in law.support)  # beyond, it is seen from that end
    y = np.clip(np.abs(y) if not low else -np.abs(y) if not high else y, low, high)
    at = Points(np.full(5, center), np.sign(y), np.abs(y), np.log(np.abs(y)))
    inside = np.isfinite(law.log_density(at)) & (law.log_density(at) > -1e250)
    return at, [(k, mpf(center) + mpf(y[k])) for k in np.nonzero(inside)[0]]


def laws(name, count):
    rng = np.random.default_rng(FAMILIES.index(name))
    while count:
        law = drawn(name, rng)
        if name in ("uniform", "truncnormal") and not law.a < law.b:
            continue
        yield law, *places(law, rng)
        count -= 1


@pytest.mark.parametrize("name", FAMILIES)
def test_log_densities_are_off_by_no_more_than_their_families_state(name):
    largest = 0.0
    for law, at, inside in laws(name, 40):
        found = law.log_density(at)
        v = {key: mpf(value) for key, value in law.parameters.items()}
        for k, x in inside:
            off = float(abs(log_truth(name, v, x) - mpf(float(found[k]))))
            allowed = 4 * EPS * (law.log_magnitude + abs(found[k]))
            assert off <= allowed, (law, x)
            largest = max(largest, off / allowed)
    assert largest > 1e-3  # what is stated is no useless bound


@pytest.mark.parametrize("name", FAMILIES)
def test_scores_are_off_by_no_more_than_their_families_state(name):
    for law, at, inside in laws(name, 15):
        v = {key: mpf(value) for key, value in law.parameters.items()}
        for parameter in {*v, "loc", "scale"}:
            found = law.scores(parameter, at)
            for k, x in inside:
                if not np.isfinite(found[k]):
                    continue
                truth = derivative(name, v, x, parameter, mpf(law.centers[0][1]))
                allowed = 16 * EPS * (law.score_size(parameter) + abs(found[k])) + 1e-300
                assert float(abs(truth - mpf(float(found[k])))) <= allowed, (law, parameter, x)


def test_what_cancels_in_a_log_density_and_in_a_score_is_stated():
    """log p near 0 is a sum of large terms, and so is a score that crosses 0."""
    for scale in (1e-100, 1e-30, 1e60):
        law = density("normal", loc=0.0, scale=scale)
        assert law.log_magnitude > abs(np.log(scale))
    for law, size in ((density("beta", a=0.104, b=2236.2), 1.0), (density("uniform"), 1.0),
                      (density("laplace", scale=0.01), 100.0)):  # fmt: skip
        assert size <= law.score_size("scale") <= 10 * size


def derivative(name, v, x, parameter, width):
    """A central difference in 110 digits; loc and scale are those of an image where not own."""
    if parameter in v:
        unit = v[parameter] if name == "beta" or parameter not in ("loc", "a", "b") else width
        unit = mpf(1) if name == "lognormal" else unit

        def moved(h):
            return log_truth(name, v | {parameter: v[parameter] + h}, x)
    else:
        unit = width if parameter == "loc" else mpf(1)

        def moved(h):
            if parameter == "loc":
                return log_truth(name, v, x - h)
            return log_truth(name, v, x / (1 + h)) - mp.log(1 + h)

    h = unit * STEP
    return (moved(h) - moved(-h)) / (2 * h)


def base_mass(name, v, a, b):
    """The mass of a law between two points, in the tail that does not cancel."""
    below = {
        "normal": mp.ncdf,
        "laplace": lambda z: mp.exp(z) / 2 if z < 0 else 1 - mp.exp(-z) / 2,
        "logistic": lambda z: 1 / (1 + mp.exp(-z)),
        "gumbel": lambda z: mp.exp(-mp.exp(-z)),
    }[name]
    low, high = ((end - v["loc"]) / v["scale"] for end in (a, b))
    return below(high) - below(low)


@pytest.mark.parametrize("name", LINE)
def test_a_score_of_what_is_restricted_is_off_by_no_more_than_stated(name):
    """The score of the base all but cancels against the flow of mass over the cut in a far tail."""
    rng = np.random.default_rng(LINE.index(name))
    cancelling, largest = 0, 0.0
    for _ in range(25):
        loc, scale = float(rng.normal()), float(10 ** rng.uniform(-3, 3))
        a = loc + scale * float(rng.uniform(-6, 20 if name != "normal" else 9))
        b = a + scale * float(10 ** rng.uniform(-4, 1))
        base = density(name, loc=loc, scale=scale)
        law = density("restrict", base=base, a=a, b=b)
        x = a + (b - a) * rng.uniform(size=4)
        v = {"loc": mpf(loc), "scale": mpf(scale)}
        for parameter in v:
            h = mpf(scale) * STEP

            def log_law(x, h, parameter=parameter, v=v, ends=(a, b)):
                moved = v | {parameter: v[parameter] + h}
                return log_truth(name, moved, x) - mp.log(base_mass(name, moved, *ends))

            found, whole = law.score(f"base.{parameter}", x), base.score(parameter, x)
            for point, score, own in zip(x, found, whole, strict=True):
                truth = (log_law(mpf(point), h) - log_law(mpf(point), -h)) / (2 * h)
                size = law.score_size(f"base.{parameter}")
                off = float(abs(truth - mpf(float(score))))
                assert off <= 16 * EPS * (size + abs(score)), (law, parameter, point)
                cancelling += abs(score) < 1e-3 * abs(own)
                largest = max(largest, off / (16 * EPS * (size + abs(score))))
    assert largest > 1e-3
    assert cancelling > 10
