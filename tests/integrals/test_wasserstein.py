"""Derivatives of W1 in every kind of parameter, against differences of an independent W1."""

import math

import mpmath
import numpy as np
import pytest
from scipy import optimize, stats

from gantheory import Status
from gantheory.integrals import divergence

mp = mpmath.MPContext()
mp.dps = 30


def cut(cdf, a, b):
    """The distribution function given a <= X <= b."""
    return lambda x: np.clip((cdf(x) - cdf(a)) / (cdf(b) - cdf(a)), 0.0, 1.0)


def turned(cdf, loc, scale):
    """The distribution function of loc − scale·X."""
    return lambda x: 1 - cdf((loc - x) / scale)


def summed(w, first, second):
    return lambda x: w * first(x) + (1 - w) * second(x)


# (q as text, parameter, its value, the distribution function of q at a value of the parameter)
CASES = [
    ("student_t(3, 0.4, 1.2)", "df", 3.0, lambda t: stats.t(t, 0.4, 1.2).cdf),
    ("gamma(0.4, 2.1)", "shape", 0.4, lambda t: stats.gamma(t, scale=2.1).cdf),
    ("gamma(2, 0.9)", "scale", 0.9, lambda t: stats.gamma(2, scale=t).cdf),
    ("beta(0.6, 2.3)", "a", 0.6, lambda t: stats.beta(t, 2.3).cdf),
    ("lognormal(0.2, 0.5)", "scale", 0.5, lambda t: stats.lognorm(t, scale=math.exp(0.2)).cdf),
    ("truncnormal(0.3, 1.1, -1, 2)", "scale", 1.1,
     lambda t: cut(stats.norm(0.3, t).cdf, -1, 2)),
    ("truncnormal(0.3, 1.1, -1, 2)", "a", -1.0, lambda t: cut(stats.norm(0.3, 1.1).cdf, t, 2)),
    ("restrict(laplace(0.3, 1.1), -1, 2)", "b", 2.0,
     lambda t: cut(stats.laplace(0.3, 1.1).cdf, -1, t)),
    ("restrict(laplace(0.3, 1.1), -1, 2)", "base.scale", 1.1,
     lambda t: cut(stats.laplace(0.3, t).cdf, -1, 2)),
    ("affine(student_t(4, 0, 1), 1, -2)", "base.df", 4.0,
     lambda t: turned(stats.t(t).cdf, 1, 2)),
    ("affine(gumbel(0, 1), 1, -2)", "scale", -2.0,
     lambda t: turned(stats.gumbel_r().cdf, 1, -t)),
    ("mixture(0.4*gamma(2, 1) + 0.6*normal(-1, 0.3))", "components[0].shape", 2.0,
     lambda t: summed(0.4, stats.gamma(t).cdf, stats.norm(-1, 0.3).cdf)),
    ("mixture(0.4*gamma(2, 1) + 0.6*normal(-1, 0.3))", "components[1].scale", 0.3,
     lambda t: summed(0.4, stats.gamma(2).cdf, stats.norm(-1, t).cdf)),
    ("normal_mixture((0.3, 0.7), (-2, 1.5), (0.1, 0.5))", "locs[1]", 1.5,
     lambda t: summed(0.3, stats.norm(-2, 0.1).cdf, stats.norm(t, 0.5).cdf)),
    # weights[k] grows at the expense of the others alike: its derivative is q_k − q
    ("normal_mixture((0.3, 0.7), (-2, 1.5), (0.1, 0.5))", "weights[0]", 0.0,
     lambda t: summed(0.3 * (1 - t) + t, stats.norm(-2, 0.1).cdf, stats.norm(1.5, 0.5).cdf)),
]  # fmt: skip


NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)


def distance(first, second, kinks=()):
    """W1 by Gauss-Legendre panels in asinh x, cut at the crossings and kinks."""

    def gap(x):
        return first(x) - second(x)

    t = np.linspace(-16, 16, 2001)
    signs = np.sign(np.where(np.abs(gap(np.sinh(t))) > 1e-15, gap(np.sinh(t)), 0))
    roots = [optimize.brentq(lambda v: gap(np.sinh(v)), t[k], t[k + 1], xtol=1e-15)
             for k in np.nonzero(signs[1:] * signs[:-1] < 0)[0]]  # fmt: skip
    ends = np.unique([*np.linspace(-16, 16, 321), *roots, *np.arcsinh([-1, 0, 1, 2, *kinks]),
                      *np.geomspace(1e-12, 0.1, 34)])  # fmt: skip
    half, middle = np.diff(ends)[:, None] / 2, (ends[1:] + ends[:-1])[:, None] / 2
    at = middle + half * NODES
    return float(np.sum(half * WEIGHTS * np.abs(gap(np.sinh(at))) * np.cosh(at)))


@pytest.mark.parametrize(("q", "name", "value", "family"), CASES)
def test_the_derivative_is_the_slope_of_an_independent_distance(q, name, value, family):
    found = divergence("w1", "normal(0, 1)", q, wrt=f"q.{name}")
    step, normal = 2e-3, stats.norm().cdf
    with np.errstate(over="ignore"):  # in the oracle's Gumbel law
        at = {k: distance(family(value + k * step), normal, [value + k * step])
              for k in (-2, -1, 1, 2)}  # fmt: skip
    slope = (at[-2] - 8 * at[-1] + 8 * at[1] - at[2]) / (12 * step)
    assert found.value == pytest.approx(slope, rel=2e-7, abs=1e-8)
    assert found.error < 1e-11
    assert found.status is Status.OK
    mirrored = divergence("w1", q, "normal(0, 1)", wrt=f"p.{name}")
    assert mirrored.value == pytest.approx(found.value, rel=1e-13)


def test_the_derivative_in_a_gamma_shape_meets_twenty_digits():
    def lognormal(x):
        return mp.ncdf(mp.log(x) / mp.mpf("0.5")) if x > 0 else mp.zero

    def gap(x, k):
        return mp.gammainc(k, 0, x, regularized=True) - lognormal(x)

    shape, step = mp.mpf(2), mp.mpf("1e-4")
    root = mp.findroot(lambda x: gap(x, shape), (0.5, 1.0))

    def value(k):
        inner = mp.findroot(lambda x: gap(x, k), root)
        ends = [0, mp.mpf("0.1"), inner, 2, 5, 20, 60]
        return sum(abs(mp.quad(lambda x: gap(x, k), ends[j : j + 2])) for j in range(6))

    slope = (value(shape + step) - value(shape - step)) / (2 * step)
    found = divergence("w1", "lognormal(0, 0.5)", "gamma(2, 1)", wrt="q.shape")
    assert found.value == pytest.approx(float(slope), rel=1e-7)  # step² of the central difference


def test_equal_tails_do_not_hide_the_sign_far_out():
    # F_p − F_q is below 1e-300 where the wide component keeps a tenth of its mass
    p = "mixture(0.5*normal(0, 100) + 0.5*normal(0, 1))"
    q = "mixture(0.5*normal(0, 100) + 0.5*normal(1, 1))"
    assert divergence("w1", p, q, wrt="q.loc").value == pytest.approx(1.0, rel=1e-13)
    assert divergence("w1", p, q).value == pytest.approx(0.5, rel=1e-13)


def test_a_stretch_on_which_the_laws_agree_is_a_kink_only_if_mass_moves_there():
    p = "mixture(0.5*uniform(0, 1) + 0.5*uniform(2, 3))"
    q = "mixture(0.5*uniform(0, 1) + 0.5*uniform(2, 3.5))"
    end = divergence("w1", p, q, wrt="q.components[1].b")
    assert end.value == pytest.approx(0.25, rel=1e-13)
    for name in ("weights[0]", "loc", "components[0].b"):
        found = divergence("w1", p, q, wrt=f"q.{name}")
        assert found.status is Status.UNDETERMINED
        assert "kink" in found.reason


@pytest.mark.parametrize(
    ("p", "q", "wrt", "word"),
    [
        ("student_t(1, 0, 1)", "student_t(1, 1, 1)", "q.df", "lack a mean"),
        ("student_t(1, 0, 1)", "student_t(1, 1, 1)", "q.scale", "lack a mean"),
        ("normal(0, 1)", "student_t(0.9, 0, 1)", "q.df", "inf"),
        ("gamma(2, 1)", "gamma(2, 1)", "q.shape", "kink"),
    ],
)
def test_no_derivative_is_given_where_there_is_none(p, q, wrt, word):
    found = divergence("w1", p, q, wrt=wrt)
    assert found.status is Status.UNDETERMINED
    assert word in found.reason


def test_a_shift_of_a_law_without_mean_has_its_derivative():
    found = divergence("w1", "student_t(1, 0, 1)", "student_t(1, 3, 1)", wrt="q.loc")
    assert found.value == pytest.approx(1.0, rel=1e-14)


def test_a_wrong_critic_would_be_seen():
    # the critic of the mirrored law: the same magnitude with the other sign
    found = divergence("w1", "normal(0, 1)", "gamma(2, 1)", wrt="q.shape")
    assert found.value > 0.5
    assert divergence("w1", "normal(9, 1)", "gamma(2, 1)", wrt="q.shape").value < -0.5


@pytest.mark.parametrize(("q", "mean"), [("gamma(0.5, 1)", 0.5), ("beta(0.4, 2)", 0.4 / 2.4)])
def test_an_end_without_bound_may_move_where_the_quantiles_are_known(q, mean):
    """Left of all its mass, W1 = loc + scale·E X, however high the density is at the end."""
    for name, slope in (("loc", 1.0), ("scale", mean)):
        found = divergence("w1", "uniform(-2, -1)", q, wrt=f"q.{name}")
        assert abs(found.value - slope) <= found.error + 1e-16 < 1e-14


@pytest.mark.parametrize("seed", range(3))
def test_restricting_a_law_to_all_of_its_line_changes_no_value_and_no_error(seed):
    loc, scale = np.random.default_rng(seed).uniform((-2, 0.5), (2, 2)).round(3).tolist()
    for base in (f"normal({loc}, {scale})", f"affine(gamma(2, 1), {loc}, {scale})"):
        known = divergence("w1", base, "logistic(0, 3)")
        found = divergence("w1", f"restrict({base}, -inf, inf)", "logistic(0, 3)")
        assert abs(found.value - known.value) <= found.error + known.error
        assert found.error == pytest.approx(known.error, rel=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_a_narrow_lognormal_moves_as_its_mean_does_where_all_mass_goes_one_way(seed):
    """∂W1 = ∂E[exp(m + s·Z)]; the logarithm of x has few digits of (log x − m)/s left."""
    rng = np.random.default_rng(seed)
    loc, scale = float(rng.normal()), float(10 ** rng.uniform(-9, -2))
    top = 2 * math.exp(loc)
    law, other = f"lognormal({loc!r}, {scale!r})", f"uniform({top!r}, {2 * top!r})"
    truth = -scale * math.exp(loc + scale**2 / 2)
    image = f"affine({law}, {-abs(loc)!r}, 0.5)"
    for moved, name, slope in ((law, "scale", truth), (image, "base.scale", truth / 2)):
        found = divergence("w1", moved, other, wrt=f"p.{name}")
        assert abs(found.value - slope) <= found.error <= 1e-13 * top, moved


def test_the_slope_of_w1_between_heavy_tails_is_a_moment_where_one_is_wider():
    """W1 of loc + scale·T with t heavy tails: ∂ of E abs(a + b·T) in b, here at a = 0."""
    for df in (1.05, 1.1, *np.random.default_rng(9).uniform(1.05, 3, 4)):
        law = f"student_t({float(df)!r}, 0, 1)"
        beta = mp.beta(mp.mpf(df) / 2, 0.5)
        truth = 2 * mp.sqrt(mp.mpf(df)) / (beta * (mp.mpf(df) - 1))
        found = divergence("w1", law, f"student_t({float(df)!r}, 0, 2)", wrt="q.scale")
        assert abs(found.value - truth) <= found.error <= 1e-11 * truth


@pytest.mark.parametrize("seed", range(3))
def test_w2_is_not_lost_where_the_quantiles_of_both_laws_underflow(seed):
    """W2² = ∫ e^−t (s·t^(1/k) − s'·t^(1/k'))² dt for Weibull laws: moments of the exponential."""
    draw = np.random.default_rng(seed)
    k, s = draw.uniform(0.3, 0.9), 10 ** draw.uniform(-30, 30)
    k2, s2 = k * (1 + 10 ** draw.uniform(-9, -2)), s * (1 + 10 ** draw.uniform(-9, -2))
    laws = [f"weibull({float(a)!r}, {float(b)!r})" for a, b in ((k, s), (k2, s2))]
    with mp.workdps(40):
        (a, u), (b, v) = ((1 / mp.mpf(float(x)), mp.mpf(float(y))) for x, y in ((k, s), (k2, s2)))
        square = u * u * mp.gamma(1 + 2 * a) - 2 * u * v * mp.gamma(1 + a + b)
        truth = mp.sqrt(square + v * v * mp.gamma(1 + 2 * b))
    found = divergence("w2", *laws)
    assert abs(found.value - truth) <= found.error <= 1e-3 * truth
