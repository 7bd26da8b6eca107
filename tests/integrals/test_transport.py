"""W2, energy distance and MMD against integrals and sums that share no code with them."""

import math

import mpmath
import numpy as np
import pytest
from scipy import integrate, stats

from gantheory import GantheoryError, Status
from gantheory.densities import parse_density
from gantheory.integrals import divergence
from gantheory.integrals.transport.distances import energy_distance, mmd2, w2

mp = mpmath.MPContext()
mp.dps = 30
MIXTURE = "mixture(0.3*normal(-2, 0.5) + 0.7*normal(1, 1))"
PAIRS = [("normal(0, 1)", "normal(1, 2)"), (MIXTURE, "normal(0, 1)"), (MIXTURE, "normal(3, 0.2)")]


@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_energy_distance_is_twice_the_squared_gap_of_the_distribution_functions(p, q):
    first, second = parse_density(p), parse_density(q)
    integral = integrate.quad(lambda x: (first.cdf(x) - second.cdf(x)) ** 2, -15, 15,
                              points=[-2, 0, 1, 3], limit=200)[0]  # fmt: skip
    found = energy_distance(p, q)
    assert found.value == pytest.approx(2 * integral, rel=1e-8)
    assert found.error < 1e-13


@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_mmd_is_the_double_integral_of_the_kernel(p, q):
    x = np.linspace(-12, 12, 1201)
    gap = (parse_density(p).pdf(x) - parse_density(q).pdf(x)) * (x[1] - x[0])
    kernel = np.exp(-0.5 * ((x[:, None] - x) / 0.7) ** 2)
    assert mmd2(p, q, 0.7).value == pytest.approx(gap @ kernel @ gap, rel=1e-9)
    assert mmd2(p, q, 0.7).value != pytest.approx(mmd2(p, q, 1.4).value, rel=1e-2)


def test_the_planar_forms_reduce_to_the_known_ones():
    p, q = "normal_2d_iso((0, 0), 1)", "normal_2d_iso((3, 4), 2)"
    assert w2(p, q).value == pytest.approx(math.sqrt(25 + 2 * 1), rel=1e-14)
    rng = np.random.default_rng(1)
    a, b = (parse_density(law).sample(rng, (4, 100_000)[1]) for law in (p, q))
    c, d = (parse_density(law).sample(rng, 100_000) for law in (p, q))
    terms = (2 * np.linalg.norm(a - b, axis=1) - np.linalg.norm(a - c, axis=1)
             - np.linalg.norm(b - d, axis=1))  # fmt: skip
    interval = 6 * terms.std() / math.sqrt(len(terms))  # misses with probability 2e-9
    assert abs(energy_distance(p, q).value - terms.mean()) < interval
    assert interval < 0.1


def test_w2_of_full_covariances_is_the_trace_formula():
    a, b = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([[1.0, -0.3], [-0.3, 2.0]])
    p, q = f"normal_nd((0, 0), {a.tolist()})", f"normal_nd((1, 2), {b.tolist()})"
    # the square root of BA by its characteristic polynomial: tr √M = √(tr M + 2 √det M)
    product = a @ b
    root = math.sqrt(np.trace(product) + 2 * math.sqrt(np.linalg.det(product)))
    assert w2(p, q).value == pytest.approx(math.sqrt(5 + np.trace(a + b) - 2 * root), rel=1e-13)


@pytest.mark.parametrize(
    ("p", "q", "value"),
    [
        ("normal(0, 1)", "normal(3, 5)", 5.0),
        ("uniform(0, 1)", "uniform(0, 2)", math.sqrt(1 / 3)),
        ("gamma(2, 1)", "gamma(2, 3)", 2 * math.sqrt(6)),
        ("student_t(1, 0, 1)", "student_t(1, 2, 1)", 2.0),
        ("laplace(0, 1)", "laplace(0, 3)", 2 * math.sqrt(2)),
    ],
)
def test_w2_on_the_line(p, q, value):
    found = w2(p, q)
    assert abs(found.value - value) <= found.error + 1e-15 * value
    assert found.error < 1e-6


def test_w2_against_sorted_samples():
    level = (np.arange(200_000) + 0.5) / 200_000
    expected = math.sqrt(np.mean((stats.gumbel_r.ppf(level) - stats.norm.ppf(level)) ** 2))
    assert w2("gumbel(0, 1)", "normal(0, 1)").value == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("p", "q", "status"),
    [
        ("student_t(2)", "normal(0, 1)", Status.INFINITE),
        ("student_t(1, 0, 1)", "student_t(1, 2, 3)", Status.INFINITE),
        ("student_t(2)", "mixture(0.5*student_t(2) + 0.5*normal(0, 1))", Status.UNDETERMINED),
        ("student_t(2.0001)", "normal(0, 1)", Status.UNDETERMINED),
    ],
)
def test_w2_is_infinite_without_second_moments_and_undecided_at_their_brink(p, q, status):
    found = w2(p, q)
    assert found.status is status
    assert "moment" in found.reason or "decay too slowly" in found.reason


def test_w2_of_a_heavy_tail_meets_thirty_digits():
    # E X² + E Y² − 2 ∫ x T(x) over a normal, T the quantile of t at Φ(x), refined by Newton
    df, total = mp.mpf("2.1"), mp.zero

    def transported(z):
        level, x = mp.ncdf(-z), mp.mpf(-float(stats.t(2.1).ppf(float(mp.ncdf(-z)))))
        for _ in range(2):
            tail = mp.betainc(df / 2, 0.5, 0, df / (df + x * x), regularized=True) / 2
            scale = mp.sqrt(df * mp.pi) * mp.gamma(df / 2) / mp.gamma((df + 1) / 2)
            x += (tail - level) * scale * (1 + x * x / df) ** ((df + 1) / 2)
        return x

    total = mp.quad(lambda z: z * transported(z) * mp.npdf(z), [0, 2, 5, 12])
    truth = mp.sqrt(df / (df - 2) + 1 - 4 * total)
    found = w2("student_t(2.1)", "normal(0, 1)")
    assert abs(found.value - float(truth)) <= found.error
    assert found.error < 1e-12


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (MIXTURE, "normal(0, 1)"),
        (MIXTURE, "mixture(0.3*normal(-2, 0.5) + 0.7*normal(1.5, 1))"),
        ("mixture(0.5*normal(-2, 0.001) + 0.5*normal(2, 0.001))", "normal(0, 5)"),
        ("mixture(0.5*uniform(0, 1) + 0.5*uniform(2, 3))", "uniform(0, 1)"),
        ("beta(0.1, 0.1)", "affine(gumbel(0, 1), 1, -2)"),
        ("restrict(student_t(3), -1, 2)", "gamma(2, 1)"),
    ],
)
def test_w2_is_the_distance_of_sorted_quantiles(p, q):
    # the midpoint rule on the quantiles by bisection of the distribution functions alone
    level = (np.arange(20_000) + 0.5) / 20_000
    x, y = (_bisected(parse_density(law), level) for law in (p, q))
    found = w2(p, q)
    assert found.value == pytest.approx(math.sqrt(np.mean((x - y) ** 2)), rel=2e-4)
    assert found.error < 1e-11


def _bisected(law, level):
    low, high = np.full(level.shape, -1e3), np.full(level.shape, 1e3)
    for _ in range(60):
        middle = 0.5 * (low + high)
        below = law.cdf(middle) < level
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return high


SLOPES = [
    ("w2", "normal(0, 1)", "normal(3, {})", 5.0, "scale"),
    ("w2", "gamma(2, 1)", "gamma(2, {})", 3.0, "scale"),
    ("w2", "student_t(3)", "laplace({}, 1)", 0.2, "loc"),
    ("w2", "normal(0, 1)", "mixture(0.3*normal(-2, {}) + 0.7*normal(1, 1))", 0.5,
     "components[0].scale"),
    ("w2", "gumbel(0, 1)", "mixture(0.5*uniform(0, {}) + 0.5*gumbel(1, 1))", 1.0,
     "components[0].b"),
    ("w2", "normal_nd((0, 0), ((2, 0.5), (0.5, 1)))", "normal_nd(({}, 2), ((1, 0), (0, 2)))",
     1.0, "loc[0]"),
    ("w2", "normal_nd((0, 0), ((2, 0.5), (0.5, 1)))",
     "normal_nd((1, 2), ((1, {0}), ({0}, 2)))", -0.3, "cov[0][1]"),
    ("energy", "normal(0, 1)", "mixture(0.3*normal({}, 0.5) + 0.7*normal(1, 1))", -2.0,
     "components[0].loc"),
    ("energy", "normal(0, 1)", "normal_mixture((0.3, 0.7), (-2, 1), (0.5, {}))", 1.0,
     "scales[1]"),
    ("energy", "normal_2d_iso((0, 0), 1)", "ring_mixture_2d(8, {}, 0.3)", 2.0, "radius"),
    ("mmd2", MIXTURE, "normal(0.3, {})", 1.2, "scale"),
    ("mmd2", "normal_2d_iso((0, 0), 1)", "normal_nd((1, 2), ((1, {0}), ({0}, 2)))", -0.3,
     "cov[1][0]"),
    ("mmd2", "normal_2d_iso((0, 0), 1)", "mixture(0.4*normal_2d_iso((0, {}), 1) + "
     "0.6*normal_2d_iso((3, 0), 2))", 0.5, "components[0].loc[1]"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "p", "q", "value", "parameter"), SLOPES)
def test_derivatives_are_the_slopes_of_the_values(name, p, q, value, parameter):
    step = 1e-3
    at = {k: divergence(name, p, q.format(value + k * step)).value for k in (-2, -1, 1, 2)}
    slope = (at[-2] - 8 * at[-1] + 8 * at[1] - at[2]) / (12 * step)
    found = divergence(name, p, q.format(value), wrt=f"q.{parameter}")
    assert found.value == pytest.approx(slope, rel=1e-8, abs=1e-11)
    assert found.error < 1e-11
    mirrored = divergence(name, q.format(value), p, wrt=f"p.{parameter}")
    assert mirrored.value == pytest.approx(found.value, rel=1e-11)


def test_a_weight_grows_at_the_expense_of_the_others():
    def value(step):
        weights = 0.3 * (1 - step) + step, 0.7 * (1 - step)
        return divergence("mmd2", "normal(0, 1)", f"normal_mixture({weights}, (-2, 1), (0.5, 1))")

    slope = (value(1e-4).value - value(-1e-4).value) / 2e-4
    found = divergence("mmd2", "normal(0, 1)", MIXTURE, wrt="q.weights[0]")
    assert found.value == pytest.approx(slope, rel=1e-7)
    assert divergence("mmd2", "normal(0, 1)", MIXTURE, wrt="q.weights[1]").value == (
        pytest.approx(-found.value * 0.3 / 0.7, rel=1e-12)
    )


def test_at_equal_laws_w2_has_a_kink():
    for law, name in ((MIXTURE, "loc"), ("normal_2d_iso((0, 0), 1)", "loc[0]")):
        found = divergence("w2", law, law, wrt=f"q.{name}")
        assert found.status is Status.UNDETERMINED
        assert "kink" in found.reason


def test_the_same_law_is_at_distance_zero():
    for distance in (w2, energy_distance, mmd2):
        assert distance("normal(0.3, 2)", "normal(0.3, 2)").value == 0.0


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: mmd2("normal(0, 1)", "normal(1, 1)", 0.0), "bandwidth=0.0"),
        (lambda: w2("normal(0, 1)", "gamma(2, 1)", "q.shape"), "quantiles"),
        (lambda: w2("normal(0, 1)", "gamma(2, 1)", "q.shap"), "shape"),
        (lambda: mmd2("normal(0, 1)", MIXTURE, wrt="q.weights[2]"), "weights"),
        (lambda: w2("normal(0, 1)", "normal_2d_iso((0, 0), 1)"), "two normals"),
    ],
)
def test_bad_input_is_named(call, word):
    with pytest.raises(GantheoryError, match=word):
        call()
