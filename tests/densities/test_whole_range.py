"""Families over their whole legal range, against formulas of their own in many digits."""

import math
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest

from gantheory import Status, divergence
from gantheory.densities import Points, density
from gantheory.densities.pushforward import pushforward
from gantheory.integrals.closed_forms import closed_form

EPS = 2.0**-52
RNG = np.random.default_rng(20)
SHAPES = [float(10 ** RNG.uniform(-3, 8)) for _ in range(40)]


@pytest.fixture(autouse=True)
def many_digits():
    with mp.workdps(60):
        yield


def true_gamma(law, x):
    k, s = mp.mpf(law.shape), mp.mpf(law.scale)
    return (k - 1) * mp.log(x / s) - x / s - mp.loggamma(k) - mp.log(s)


def true_beta(law, x):
    a, b = mp.mpf(law.a), mp.mpf(law.b)
    log_beta = mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)
    return (a - 1) * mp.log(x) + (b - 1) * mp.log(1 - x) - log_beta


def true_student(law, x):
    df, s = mp.mpf(law.df), mp.mpf(law.scale)
    constant = mp.loggamma((df + 1) / 2) - mp.loggamma(df / 2) - mp.log(mp.pi * df) / 2
    return constant - mp.log(s) - (df + 1) / 2 * mp.log1p(((x - law.loc) / s) ** 2 / df)


def drawn(kind, shape, other):
    if kind is true_gamma:
        return density("gamma", shape=shape, scale=float(10 ** RNG.uniform(-100, 100)))
    if kind is true_beta:
        return density("beta", a=shape, b=other)
    return density("student_t", df=shape, loc=0.0, scale=float(10 ** RNG.uniform(-100, 100)))


def about(law):
    center, width = law.centers[0]
    y = width * RNG.normal(size=4) * RNG.choice([1e-3, 1, 5], size=4)
    one = np.full(4, center)
    x = one + y
    keep = np.isfinite(law.logpdf(x))
    at = Points(one, np.sign(y), np.abs(y), np.log(np.abs(y)))
    return at, [mp.mpf(float(c)) + mp.mpf(float(d)) for c, d in zip(one, y, strict=True)], keep


@pytest.mark.parametrize("truth", [true_gamma, true_beta, true_student])
def test_a_log_density_is_off_by_no_more_than_its_family_states(truth):
    compared = 0
    for shape, other in zip(SHAPES, SHAPES[::-1], strict=True):
        law = drawn(truth, shape, other)
        at, x, keep = about(law)
        got = law.log_density(at)
        for value, place, inside in zip(got, x, keep, strict=True):
            if inside:
                off = abs(float(truth(law, place) - mp.mpf(float(value))))
                assert off <= 8 * EPS * (law.log_magnitude + abs(value)), (law, place)
                compared += 1
    assert compared > 60


@pytest.mark.parametrize(("truth", "name"), [(true_gamma, "shape"), (true_beta, "a"),
                                             (true_beta, "b"), (true_student, "df")])  # fmt: skip
def test_a_score_is_off_by_no_more_than_its_family_states(truth, name):
    for shape, other in zip(SHAPES, SHAPES[::-1], strict=True):
        law = drawn(truth, shape, other)
        at, x, keep = about(law)
        got = law.scores(name, at)
        for value, place, inside in zip(got, x, keep, strict=True):
            if not inside:
                continue

            def moved(theta, law=law, place=place):
                return truth(_With(law, name, theta), place)

            exact = mp.diff(moved, getattr(law, name), h=mp.mpf(getattr(law, name)) * 1e-18)
            allowed = 16 * EPS * (law.score_size(name) + abs(value)) + 1e-15 * abs(value)
            assert abs(float(exact - mp.mpf(float(value)))) <= allowed, (law, place)


class _With:
    """A law with one parameter in many digits."""

    def __init__(self, law, name, value):
        self.__dict__.update(law.parameters | {name: value})


@pytest.mark.parametrize("seed", range(12))
def test_mass_is_carried_across_gaps(seed):
    """Ordered supports: W1 is the difference of the means, wherever the supports lie."""
    rng = np.random.default_rng(seed)
    shift = float(rng.choice([1e-12, 1.0, 1e3, 1e8]))
    a, b = (float(10 ** rng.uniform(-1, 1.5)) for _ in "ab")
    low = density("beta", a=a, b=b)
    high = density(f"uniform({2 + shift!r}, {3 + shift!r})")
    parts = (a, b, 2 + shift, 3 + shift)
    a, b, c, d = map(mp.mpf, parts)
    found = divergence("w1", low, high)
    truth = (c + d) / 2 - a / (a + b)
    assert abs(found.value - float(truth)) <= found.error <= 1e-9 * found.value
    half = divergence("w1", f"mixture(0.5*{high} + 0.5*uniform(0, 1))", "uniform(0, 1)")
    apart = ((c + d) / 2 - mp.mpf(0.5)) / 2
    assert abs(half.value - float(apart)) <= half.error <= 1e-9 * half.value


def test_ends_that_all_but_agree_keep_the_digits_of_their_difference():
    for gap in (1e-6, 1e-9, 2.0**-40):
        found = divergence("w1", "uniform(0, 3.3)", density("uniform", a=gap, b=3.3))
        assert abs(found.value - gap / 2) <= found.error <= 1e-12 * gap


def exact_kl(mean, cov, mean2, cov2):
    p, q = mp.matrix(cov), mp.matrix(cov2)
    apart = mp.matrix([mp.mpf(y) - mp.mpf(x) for x, y in zip(mean, mean2, strict=True)])
    inverse = q**-1
    trace = sum((inverse * p)[k, k] for k in range(len(mean)))
    form = (apart.T * inverse * apart)[0]
    return (trace - len(mean) + form + mp.log(mp.det(q) / mp.det(p))) / 2


@pytest.mark.parametrize("seed", range(25))
def test_normals_of_any_condition_are_right_within_a_rounding(seed):
    rng = np.random.default_rng(seed)
    dim = int(rng.integers(2, 5))

    def law():
        root = rng.normal(size=(dim, dim)) * 10 ** rng.uniform(-4, 4, size=dim)
        cov = root @ root.T
        cov = (cov + cov.T) / 2 + np.diag(np.diag(cov)) * 10.0 ** -rng.integers(1, 9)
        mean = rng.normal(size=dim) * 10 ** rng.uniform(-2, 8)
        return mean.tolist(), cov.tolist()

    (mean, cov), (mean2, cov2) = law(), law()
    p = density("normal_nd", loc=tuple(mean), cov=tuple(map(tuple, cov)))
    q = density("normal_nd", loc=tuple(mean2), cov=tuple(map(tuple, cov2)))
    found, truth = divergence("kl_pq", p, q), exact_kl(mean, cov, mean2, cov2)
    assert abs(mp.mpf(found.value) - truth) <= found.error <= 1e-15 * found.value
    same = divergence("jsd_gap", p, p.replace(loc=tuple(mean2)))
    assert same.value >= 0 or same.status is not Status.OK


@pytest.mark.parametrize("apart", [1e-12, 1e-8, 1e-3])
@pytest.mark.parametrize("scale", [1e-3, 1.0])
def test_energy_and_mmd_keep_their_digits_as_two_laws_approach(apart, scale):
    p, q = density("normal", loc=0.1, scale=scale), density("normal", loc=0.1 + apart, scale=scale)
    d, s = mp.mpf(q.loc) - mp.mpf(p.loc), mp.sqrt(2) * mp.mpf(scale)
    half = s * mp.sqrt(2 / mp.pi)
    bent = half * mp.exp(-((d / s) ** 2) / 2) + d * mp.erf(d / (s * mp.sqrt(2)))
    wide = 1 + s**2
    truths = {
        "energy": 2 * (bent - half),
        "mmd2": 2 * (1 - mp.exp(-(d**2) / (2 * wide))) / mp.sqrt(wide),
    }
    for name, truth in truths.items():
        found = divergence(name, p, q)
        assert abs(mp.mpf(found.value) - truth) <= found.error <= 1e-14 * found.value
        slope = divergence(name, p, q, wrt="q.loc")
        assert slope.status is Status.OK
        if apart < 1e-2 * scale:  # there both are quadratic in the shift
            assert slope.value == pytest.approx(2 * found.value / float(d), rel=1e-4)


@pytest.mark.parametrize("apart", [1e-15, 1e-9, 1e-3])
def test_masses_that_all_but_agree_keep_the_digits_of_their_difference(apart):
    p, q = [0.5, 0.25, 0.25], [0.5 + apart, 0.25 - apart, 0.25]
    found = divergence("kl_pq", density("discrete", masses=p), density("discrete", masses=q))
    a, b = [[mp.mpf(m) / mp.fsum(map(mp.mpf, w)) for m in w] for w in (p, q)]
    truth = sum(x * mp.log(x / y) for x, y in zip(a, b, strict=True))
    assert abs(mp.mpf(found.value) - truth) <= found.error <= 1e-12 * found.value
    assert found.status is Status.OK


@pytest.mark.parametrize(("name", "truth"), [("w1", 0.6), ("w2", math.sqrt(0.6)), ("energy", 0.72)])
def test_laws_on_points_move_mass_too(name, truth):
    found = divergence(name, "discrete([0.2, 0.8])", "discrete([0.8, 0.2])")
    assert found.value == pytest.approx(truth, rel=1e-15)


@pytest.mark.parametrize("s", [5.0, 20.0, 26.5, 27.0, 31.25, 37.0, 45.0])
def test_a_log_density_below_the_range_is_followed(s):
    found = divergence("kl_pq", density("normal", loc=0.0, scale=s), "gumbel(0, 1)")
    truth = mp.exp(mp.mpf(s) ** 2 / 2) - mp.log(2 * mp.pi * mp.e * mp.mpf(s) ** 2) / 2
    assert found.log_value == pytest.approx(float(mp.log(truth)), abs=1e-10)
    if found.is_finite:
        assert abs(mp.mpf(found.value) - truth) <= found.error <= 1e-11 * found.value


def test_images_under_a_kink_and_under_an_inverse_are_the_laws_that_they_are():
    folded = pushforward("abs(z)", "normal(0, 1)")
    found = divergence("tv", folded, "restrict(normal(0, 1), 0, inf)")
    assert found.value <= found.error < 1e-12
    inverse = [pushforward("1/z", f"gamma({k}, 1)") for k in (3, 4)]
    found, known = divergence("jsd", *inverse), divergence("jsd", "gamma(3, 1)", "gamma(4, 1)")
    assert abs(found.value - known.value) <= found.error + known.error < 1e-11


@pytest.mark.parametrize("seed", range(8))
def test_a_closed_form_errs_by_a_rounding_and_says_so(seed):
    rng = np.random.default_rng(seed)
    shape, other = (float(10 ** rng.uniform(-2, 8)) for _ in "pq")
    p, q = density("gamma", shape=shape, scale=0.5), density("gamma", shape=other, scale=2.0)
    a, b, s, t = map(mp.mpf, (shape, other, 0.5, 2.0))
    truth = (a - b) * mp.digamma(a) - mp.loggamma(a) + mp.loggamma(b) + b * mp.log(t / s)
    truth += a * (s - t) / t
    found = closed_form("kl_pq", p, q)
    assert abs(mp.mpf(found.value) - truth) <= found.error <= 2e-14 * abs(found.value)


@pytest.mark.parametrize("seed", range(8))
def test_a_closed_form_keeps_its_digits_however_close_two_laws_are(seed):
    """KL = d²/2 and 1 − BC = 1 − exp(−d²/8) of normals a distance d apart, down to 1e-150."""
    apart = 10 ** np.random.default_rng(seed).uniform(-150, -10)
    p, q = density("normal(0, 1)"), density("normal", loc=apart, scale=1.0)
    square = mp.mpf(apart) ** 2
    truths = {"kl_pq": square / 2, "hellinger2": square / 8, "pearson_chi2": square}
    for name, truth in truths.items():
        found = closed_form(name, p, q)
        assert abs(mp.mpf(found.value) - truth) <= found.error + square**2 <= 1e-14 * found.value
    assert closed_form("hellinger2", p, p).value == 0


def test_a_closed_form_beyond_the_range_gives_its_logarithm_and_no_infinity():
    found = closed_form("pearson_chi2", density("normal(0, 1)"), density("normal(100, 1)"))
    assert found.status is Status.UNDETERMINED
    assert found.log_value == pytest.approx(1e4, rel=1e-15)


@pytest.mark.parametrize("apart", [1e-158, 1.7e-160, 3e-162, 2e-162, 1e-170])
def test_a_value_below_the_range_is_not_called_exact(apart):
    """KL = d²/2 of normals a distance d apart, where no binary64 number is next to it."""
    p, q = density("normal(0, 1)"), density("normal", loc=apart, scale=1.0)
    truth = Fraction(apart) ** 2 / 2
    for found in (closed_form("kl_pq", p, q), divergence("kl_pq", p, q)):
        off = abs(Fraction(found.value) - truth)
        assert off <= Fraction(found.error) <= Fraction(1e-4) * truth + Fraction(1e-320)
    same = divergence("kl_pq", p, p)
    assert (same.value, same.error) == (0, 0)


@pytest.mark.parametrize("seed", range(6))
def test_divergences_of_nested_uniform_laws_are_functions_of_their_widths(seed):
    """For P inside Q and ω = (width of Q)/(width of P): KL = log ω, power 3 = (ω² − 1)/6."""
    rng = np.random.default_rng(seed)
    low, high = (10.0 ** rng.uniform((-9, -1, -1)[seed % 3], (-8, -0.5, 2)[seed % 3], 2)).tolist()
    p, q = density("uniform(0, 1)"), density("uniform", a=-low, b=1 + high)
    wider = mp.mpf(q.b) - mp.mpf(q.a)
    truths = {"kl_pq": mp.log(wider), "power_3": (wider**2 - 1) / 6}
    for name, truth in truths.items():
        found = divergence(name, p, q)
        assert abs(mp.mpf(found.value) - truth) <= found.error <= 1e-13 * (1 + truth)
    assert divergence("kl_qp", q, p).value == divergence("kl_pq", p, q).value


@pytest.mark.parametrize(("loc", "finite"), [(0.69, True), (0.70, False), (-5.0, True)])
@pytest.mark.parametrize("turn", [1, -1])
def test_the_places_of_double_exponential_tails_decide_by_the_side_they_lie_on(loc, finite, turn):
    """∫ p²/q of Gumbel laws of scale 1 is finite where 2·exp(m) > exp(m'): m' − m < log 2."""
    laws = [f"affine(gumbel({m}, 1), 0, {turn})" for m in (0.0, loc)]
    assert math.isfinite(divergence("pearson_chi2", *laws).value) is finite
    moved = [f"affine(gumbel(0, 1), {turn * m}, {turn})" for m in (0.0, loc)]
    assert math.isfinite(divergence("pearson_chi2", *moved).value) is finite


@pytest.mark.parametrize("shape", [1e6, 1e7, 3e7])
def test_w1_of_gamma_laws_of_large_shape_keeps_its_digits(shape):
    """The larger shape is the larger law, so that W1 is the difference of the means."""
    p, q = density("gamma", shape=shape), density("gamma", shape=shape * 1.0001)
    found = divergence("w1", p, q)
    assert abs(found.value - (q.shape - p.shape)) <= found.error < 1e-9 * found.value


@pytest.mark.parametrize("seed", range(12))
def test_a_gumbel_law_far_narrower_than_the_other_is_a_point_to_it(seed):
    rng = np.random.default_rng(seed)
    unit, loc = 10 ** rng.uniform(-50, 50), rng.uniform(-2, 2)
    narrow = f"gumbel({loc * unit!r}, {unit * 10 ** rng.uniform(-29, -20)!r})"
    wide = f"normal(0, {unit!r})"
    moved = math.sqrt(2 / math.pi) * math.exp(-(loc**2) / 2) + loc * math.erf(loc / math.sqrt(2))
    weight = rng.uniform(0.1, 0.9)
    mixed = f"mixture({weight!r}*{narrow} + {1 - weight!r}*{wide})"
    for found, truth in (
        (divergence("w1", wide, narrow), moved * unit),
        (divergence("w1", mixed, wide), weight * moved * unit),
        (divergence("tv", mixed, wide), weight),
        (divergence("tv", wide, mixed), weight),
    ):
        assert abs(found.value - truth) <= found.error + 1e-14 * truth
        assert found.error < 1e-11 * truth


@pytest.mark.parametrize("scale", [1e-40, 1e-20, 1.0, 1e20])
def test_a_gumbel_law_has_a_distribution_function_at_every_distance(scale):
    law = density("gumbel", loc=-0.030459240384580255, scale=scale)
    y = np.geomspace(1e-3, 1e60, 400) * scale
    for side in (-1.0, 1.0):
        at = Points(np.full(400, law.loc), np.full(400, side), y, np.log(y))
        assert np.allclose(law.below(at) + law.above(at), 1, rtol=1e-14)
        with np.errstate(over="ignore"):
            assert not np.isnan(law.log_density(at)).any()
    assert float(law.cdf(-math.inf)) == 0
    assert float(law.sf(math.inf)) == 0


@pytest.mark.parametrize("mode", [0.0, 1.0, 0.3])
def test_the_mass_beyond_a_triangle_is_none_or_all_wherever_its_mode_is(mode):
    draw = np.random.default_rng(5)
    for _ in range(5):
        low, width = draw.normal(), 10 ** draw.uniform(-20, 20)
        a, b = low * width, low * width + width
        law = density("triangular", a=a, mode=a + mode * width if mode < 1 else b, b=b)
        outside = np.array([a - 3 * width, a, b, b + 0.5 * width, b + 9 * width])
        assert law.cdf(outside).tolist() == [0, 0, 1, 1, 1]
        assert law.sf(outside).tolist() == [1, 1, 0, 0, 0]
