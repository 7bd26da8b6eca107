"""Tails of images G(z), against log p_z(z) − log abs(G'(z)) in many digits, far out."""

import math

import mpmath as mp
import numpy as np
import pytest
from scipy import integrate, stats

from gantheory import GantheoryError, divergence
from gantheory.densities import Points
from gantheory.densities.pushforward import pushforward

NAMES = {
    "exp": mp.exp, "log": mp.log, "sqrt": mp.sqrt, "abs": abs, "tanh": mp.tanh, "atan": mp.atan,
    "relu": lambda v: max(v, mp.mpf(0)), "sigmoid": lambda v: 1 / (1 + mp.exp(-v)),
    "softplus": lambda v: mp.log1p(mp.exp(v)), "max": max,
}  # fmt: skip
LATENT = {
    "normal(0.5, 2)": lambda z: -((z - 0.5) ** 2) / 8,
    "laplace(0, 1)": lambda z: -abs(z),
    "student_t(3, 0, 1)": lambda z: -2 * mp.log1p(z * z / 3),
    "gamma(2.5, 1.5)": lambda z: 1.5 * mp.log(z) - z / 1.5,
    "gumbel(0, 1)": lambda z: -z - mp.exp(-z),
    "weibull(1.5, 1)": lambda z: 0.5 * mp.log(z) - z**1.5,
    "lognormal(0, 1)": lambda z: -(mp.log(z) ** 2) / 2 - mp.log(z),
}
# G, z, the end of z and what x tends to there; where the tail is not to be claimed, None
CARRIED = [
    ("3*z - 1", "normal(0.5, 2)", math.inf, math.inf),
    ("2 - z", "gumbel(0, 1)", math.inf, -math.inf),
    ("exp(2*z + 1)", "normal(0.5, 2)", math.inf, math.inf),
    ("exp(-z/2)", "laplace(0, 1)", math.inf, 0.0),
    ("exp(z)", "gumbel(0, 1)", -math.inf, 0.0),
    ("z**3 + z**2", "normal(0.5, 2)", math.inf, math.inf),
    ("z**5 - 3*z**4", "normal(0.5, 2)", -math.inf, -math.inf),
    ("z**2", "student_t(3, 0, 1)", -math.inf, math.inf),
    ("sigmoid(2*z)", "normal(0.5, 2)", -math.inf, 0.0),
    ("atan(z)*0 + 1/z", "weibull(1.5, 1)", math.inf, 0.0),
    ("softplus(z)", "normal(0.5, 2)", math.inf, math.inf),
    ("z + 2*tanh(3*z)", "normal(0.5, 2)", -math.inf, -math.inf),
    ("log(z)", "gamma(2.5, 1.5)", math.inf, math.inf),
    ("log(z)", "gamma(2.5, 1.5)", 0.0, -math.inf),
    ("sqrt(z)", "lognormal(0, 1)", math.inf, math.inf),
    ("z - 1/z", "gamma(2.5, 1.5)", math.inf, math.inf),
    ("relu(z) - relu(-z)/10", "laplace(0, 1)", -math.inf, -math.inf),
    ("z*tanh(z)", "normal(0.5, 2)", math.inf, math.inf),
    ("log(1 + z**2)", "student_t(3, 0, 1)", math.inf, math.inf),
    ("2**z", "laplace(0, 1)", -math.inf, 0.0),
    ("max(z, 2*z)", "normal(0.5, 2)", math.inf, math.inf),
    ("(z**2 + 1)**0.5*z", "normal(0.5, 2)", math.inf, math.inf),
]


@pytest.mark.parametrize(("formula", "latent", "end", "target"), CARRIED)
def test_the_tail_of_an_image_is_what_its_density_does(formula, latent, end, target):
    law = pushforward(formula, latent)
    tail = law.tail(target, 1 if target == law.support[0] else -1)
    assert tail is not None
    image = eval(f"lambda z: {formula}", dict(NAMES))
    apart = []
    for away in (200, 600) if math.isinf(end) else ("1e-30", "1e-60"):
        with mp.workdps(700):
            z = mp.sign(end) * away if math.isinf(end) else mp.mpf(away)
            slope = mp.diff(image, z, h=abs(z) * mp.mpf(10) ** -300)
            truth = LATENT[latent](z) - mp.log(abs(slope))
            apart.append(
                truth - _grown(tail, abs(image(z) - (0 if math.isinf(target) else target)))
            )
    assert abs(apart[1] - apart[0]) < 0.1 + 1e-13 * abs(truth), (str(tail), apart)


def _grown(tail, y):
    exact = {name: mp.mpf(getattr(tail, name).numerator) / getattr(tail, name).denominator
             for name in ("square", "linear", "logsquare", "log", "rate", "lift")}  # fmt: skip
    long = -mp.log(y) if tail.finite else mp.log(y)
    value = exact["square"] * y**2 + exact["linear"] * y
    value += exact["logsquare"] * long**2 + exact["log"] * long
    value -= mp.exp(exact["lift"] + exact["rate"] * y) if tail.rate else 0
    for power in tail.powers:
        exponent, scale, weight = (mp.mpf(x.numerator) / x.denominator for x in power)
        value += weight * mp.exp(exponent * (long - mp.log(scale)))
    return value


IMAGES = {
    "exp(z)": lambda z: (np.exp(z), np.exp(z)),
    "1/(1 + exp(-z))": lambda z: (1 / (1 + np.exp(-z)), 1 / (2 + np.exp(z) + np.exp(-z))),
    "z + 2*tanh(3*z)": lambda z: (z + 2 * np.tanh(3 * z), 1 + 6 / np.cosh(3 * z) ** 2),
    "log(z)": lambda z: (np.log(z), 1 / z),
}
OF_Z = {"normal(0, 1)": stats.norm.logpdf, "gamma(2, 1)": stats.gamma(2).logpdf}
OF_X = {
    "lognormal(0.5, 1)": stats.lognorm(1, scale=math.exp(0.5)).logpdf,
    "beta(2, 2)": stats.beta(2, 2).logpdf,
    "normal(0, 2.5)": stats.norm(0, 2.5).logpdf,
    "normal(0, 1)": stats.norm.logpdf,
}


@pytest.mark.parametrize(
    ("formula", "latent", "other"),
    [
        ("exp(z)", "normal(0, 1)", "lognormal(0.5, 1)"),
        ("1/(1 + exp(-z))", "normal(0, 1)", "beta(2, 2)"),
        ("z + 2*tanh(3*z)", "normal(0, 1)", "normal(0, 2.5)"),
        ("log(z)", "gamma(2, 1)", "normal(0, 1)"),
    ],
)
def test_kl_of_an_image_is_answered_both_ways(formula, latent, other):
    law = pushforward(formula, latent)
    for name in ("kl_pq", "kl_qp"):
        found = divergence(name, law, other)
        assert found.error < 1e-11
        # the same in z, where the image's density is that of z over its slope
        z = np.linspace(-30, 30, 400_001)
        z = np.exp(z / 2) if latent.startswith("gamma") else z
        x, slope = IMAGES[formula](z)
        with np.errstate(all="ignore"):
            mine, theirs = OF_Z[latent](z), OF_X[other](x) + np.log(slope)
            weight, gap = (mine, mine - theirs) if name == "kl_pq" else (theirs, theirs - mine)
            inside = np.where(np.exp(weight) > 0, np.exp(weight) * gap, 0.0)
        assert found.value == pytest.approx(integrate.simpson(inside, x=z), abs=1e-6)


def test_a_fold_at_zero_ends_at_zero():
    for image, same in (("z**2", "chi_squared(1)"), ("abs(z)", "half_normal(1)")):
        law = pushforward(image)
        assert law.support[0] == 0.0
        for name in ("kl_pq", "kl_qp"):  # not inf: no mass lies below the image's end
            found = divergence(name, law, same)
            assert abs(found.value) <= found.error < 1e-12


def test_a_place_at_which_the_slope_touches_zero_is_a_pole():
    law = pushforward("z**3")
    x = np.array([1e-100, 1e-30, 1e-9, 1.0])
    truth = stats.norm.logpdf(np.cbrt(x)) - np.log(3 * np.cbrt(x) ** 2)
    np.testing.assert_allclose(law.logpdf(x), truth, rtol=1e-12)
    assert divergence("pearson_chi2", law, "student_t(3)").value == math.inf  # p² ~ x^(−4/3)
    assert pushforward("(z - 1)**3").tail(0.0, 1).log == pytest.approx(2 / 3)
    flat = pushforward("z**4")
    truth = np.log(2) + stats.norm.logpdf(x**0.25) - np.log(4 * x**0.75)
    np.testing.assert_allclose(flat.logpdf(x), truth, rtol=1e-12)


def test_a_logarithm_has_no_end():
    law = pushforward("log(z)", "gamma(2, 1)")
    assert law.support == (-math.inf, math.inf)
    found = divergence("kl_pq", law, pushforward("log(z)", "gamma(3, 1)"))
    truth = divergence("kl_pq", "gamma(2, 1)", "gamma(3, 1)")
    assert abs(found.value - truth.value) <= found.error < 1e-11


@pytest.mark.parametrize("image", [1e6, -3e4, 1e-3])
def test_beside_an_end_the_density_is_read_from_the_distance_to_it(image):
    """x = c + y keeps few digits of y, and half of the mass of this law lies below y = 1e-6."""
    law = pushforward(f"{image!r} + z", "gamma(0.05, 1)")
    y = np.array([1e-12, 1e-9, 1e-7, 1e-5]) * min(abs(image), 1.0)
    at = Points(np.full(4, image), np.ones(4), y, np.log(y))
    truth = -0.95 * np.log(y) - y - math.lgamma(0.05)
    assert np.abs(law.log_density(at) - truth).max() < 1e-11


@pytest.mark.parametrize("scale", [0.25, 0.7, 1.5, 2.0])
def test_exp_of_minus_an_exponential_is_a_power_down_to_0(scale):
    """Its density is y^(a − 1)·a with a = 1/scale; E log y is −1/a under it, −1 under uniform."""
    a, law = 1 / scale, pushforward("exp(-z)", f"exponential({scale})")
    truths = {"kl_pq": math.log(a) - (a - 1) / a, "kl_qp": a - 1 - math.log(a)}
    for name, truth in truths.items():
        found = divergence(name, law, "uniform(0, 1)")
        assert abs(found.value - truth) <= found.error < 1e-10 * truth


@pytest.mark.parametrize(
    ("formula", "latent", "same"),
    [
        ("2*z + 1", "cauchy(0, 1)", "cauchy(1, 2)"),
        ("exp(z)", "exponential(1)", "pareto(1, 1)"),
        ("-exp(z)", "exponential(5)", "affine(pareto(0.2, 1), 0, -1)"),
        ("1/z", "gamma(0.3, 1)", "inverse_gamma(0.3, 1)"),
    ],
)
def test_images_follow_their_tails_to_where_binary64_holds_no_place(formula, latent, same):
    law = pushforward(formula, latent)
    for name in ("kl_pq", "kl_qp", "jsd"):
        found = divergence(name, law, same)
        assert abs(found.value) <= found.error + 1e-25 < 1e-10, name


@pytest.mark.parametrize(
    ("formula", "latent"), [("1/z", "normal(0, 1)"), ("1/(z - 0.3)", "laplace(0, 1)")]
)
def test_a_pole_among_the_mass_is_refused(formula, latent):
    """G falls on both sides of it; its image was taken for one from the one end to the other."""
    with pytest.raises(GantheoryError, match="not finite near z="):
        divergence("kl_qp", pushforward(formula, latent), "cauchy(0, 1)")
