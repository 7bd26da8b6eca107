"""Every family on the line obeys the same laws: one table of instances, one body of laws."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

import gantheory
from gantheory.densities import FAMILIES, Points, Univariate, density, own_density, parse_density
from gantheory.errors import GantheoryError

# text of an instance -> the same law in SciPy, where it has one
INSTANCES = {
    "normal(-1.5, 0.7)": stats.norm(-1.5, 0.7),
    "laplace(0.5, 2)": stats.laplace(0.5, 2),
    "student_t(3, -1, 0.5)": stats.t(3, -1, 0.5),
    "student_t(1, 0, 1)": stats.cauchy(),
    "logistic(1, 0.25)": stats.logistic(1, 0.25),
    "gumbel(2, 1.5)": stats.gumbel_r(2, 1.5),
    "uniform(-1, 2.5)": stats.uniform(-1, 3.5),
    "gamma(0.6, 2)": stats.gamma(0.6, scale=2),
    "gamma(7.5, 0.2)": stats.gamma(7.5, scale=0.2),
    "beta(0.4, 3)": stats.beta(0.4, 3),
    "beta(2, 5)": stats.beta(2, 5),
    "lognormal(0.3, 0.8)": stats.lognorm(0.8, scale=math.exp(0.3)),
    "truncnormal(0, 1, -1, 2)": stats.truncnorm(-1, 2),
    "truncnormal(0, 1, 5, inf)": stats.truncnorm(5, math.inf),
    "exponential(2)": stats.expon(scale=2),
    "chi_squared(3.5)": stats.chi2(3.5),
    "cauchy(1, 0.5)": stats.cauchy(1, 0.5),
    "half_normal(2)": stats.halfnorm(scale=2),
    "half_cauchy(0.5)": stats.halfcauchy(scale=0.5),
    "weibull(1.7, 2)": stats.weibull_min(1.7, scale=2),
    "rayleigh(1.5)": stats.rayleigh(scale=1.5),
    "inverse_gamma(3, 2)": stats.invgamma(3, scale=2),
    "pareto(2.5, 3)": stats.pareto(2.5, scale=3),
    "log_logistic(3, 0.5)": stats.fisk(3, scale=0.5),
    "generalised_normal(1, 2, 3.5)": stats.gennorm(3.5, 1, 2),
    "skew_normal(-1, 2, 3)": stats.skewnorm(3, -1, 2),
    "von_mises(1, 2)": None,
    "triangular(-1, 1, 2)": stats.triang(2 / 3, -1, 3),
    "kumaraswamy(2, 3.5)": None,
    "normal_mixture((0.25, 0.75), (-2, 1), (0.1, 1))": None,
    "mixture(0.9*normal(0, 1) + 0.1*uniform(3, 4))": None,
    "mixture(0.5*gamma(2, 1) + 0.5*laplace(-3, 0.5))": None,
    "affine(gamma(2, 1), 1, -2)": None,
    "affine(beta(2, 5), loc=-1, scale=3)": stats.beta(2, 5, -1, 3),
    "restrict(student_t(3, 0, 1), -1, inf)": None,
    "restrict(mixture(0.5*normal(-1, 1) + 0.5*normal(2, 0.5)), 0, 3)": None,
}
TEXTS = list(INSTANCES)
# (text, parameter) of every score that a difference of log-densities can confirm
SCORES = [
    (text, name)
    for text in TEXTS
    for name, value in density(text).parameters.items()
    if isinstance(value, float) and math.isfinite(value)
]


def inner_points(law, n=7):
    """Return points spread over the bulk of a law, away from its ends and kinks."""
    points = [c + k * w for c, w in law.centers for k in np.linspace(-1.2, 1.3, n)]
    return np.array([x for x in points if any(a < x < b for a, b in law.pieces)])


def test_every_family_on_the_line_has_an_instance_here():
    known = {name for name, family in FAMILIES.items() if issubclass(family, Univariate)}
    assert known == {text.partition("(")[0] for text in TEXTS}


@pytest.mark.parametrize("text", TEXTS)
def test_text_survives_the_round_trip(text):
    law = density(text)
    assert parse_density(str(law)) == law
    assert law.replace() == law


@pytest.mark.parametrize("text", TEXTS)
def test_the_density_integrates_to_one_and_to_its_distribution_function(text):
    law = density(text)
    cuts = [*law.support, *law.breakpoints, *inner_points(law, 3)]
    cuts = sorted({x for x in cuts if law.support[0] <= x <= law.support[1]})
    total = 0.0
    for low, high in pairwise(cuts):
        total += quad(law.pdf, low, high, epsabs=1e-12, epsrel=1e-11, limit=400)[0]
        if math.isfinite(high):
            assert abs(total - law.cdf(high)) < 2e-8
    assert abs(total - 1) < 2e-8


@pytest.mark.parametrize("text", [text for text in TEXTS if INSTANCES[text] is not None])
def test_log_density_distribution_and_quantiles_agree_with_scipy(text):
    law, other = density(text), INSTANCES[text]
    x = inner_points(law)
    np.testing.assert_allclose(law.logpdf(x), other.logpdf(x), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(law.cdf(x), other.cdf(x), rtol=1e-9)
    np.testing.assert_allclose(law.sf(x), other.sf(x), rtol=1e-9)
    np.testing.assert_allclose(law.ppf([0.1, 0.6]), other.ppf([0.1, 0.6]), rtol=1e-9)
    if math.isfinite(other.mean()):  # the Cauchy law has none, the half-Cauchy an infinite one
        assert abs(law.mean() - other.mean()) < 1e-9


@pytest.mark.parametrize("text", TEXTS)
def test_outside_of_its_support_a_density_vanishes(text):
    law = density(text)
    low, high = law.support
    outside = [x for x in (low - 1, high + 1) if math.isfinite(x)]
    assert np.all(np.isneginf(law.logpdf(outside)))


@pytest.mark.parametrize("text", TEXTS)
def test_the_slope_is_the_derivative_of_the_log_density(text):
    law = density(text)
    x = inner_points(law)
    x = x[[not any(abs(x_ - k) < 1e-4 for k in law.breakpoints) for x_ in x]]
    h = 1e-5 * np.minimum(1.0, law.centers[0][1])
    difference = (law.logpdf(x + h) - law.logpdf(x - h)) / (2 * h)
    np.testing.assert_allclose(law.slope(Points.at(x)), difference, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(("text", "name"), SCORES)
def test_a_score_is_the_derivative_of_the_log_density_in_its_parameter(text, name):
    law = density(text)
    x = inner_points(law)
    value = law.parameters[name]
    h = 1e-5 * max(abs(value), 0.1)
    up, down = law.replace(**{name: value + h}), law.replace(**{name: value - h})
    difference = (up.logpdf(x) - down.logpdf(x)) / (2 * h)
    np.testing.assert_allclose(law.score(name, x), difference, rtol=3e-5, atol=3e-5)


def test_scores_of_mixtures_reach_their_weights_and_components():
    law = density("normal_mixture", weights=[0.25, 0.75], locs=[-2, 1], scales=[0.5, 1])
    x, h = np.linspace(-3, 3, 9), 1e-5
    moved = [law.replace(locs=(-2 + s * h, 1)).logpdf(x) for s in (1, -1)]
    np.testing.assert_allclose(
        law.score("locs[0]", x), (moved[0] - moved[1]) / (2 * h), rtol=1e-6, atol=1e-9
    )
    grown = [
        np.log(
            (0.25 + s * h) * density("normal(-2, 0.5)").pdf(x)
            + 0.75 * density("normal(1, 1)").pdf(x)
        )
        - np.log1p(s * h)
        for s in (1, -1)
    ]
    np.testing.assert_allclose(
        law.score("weights[0]", x), (grown[0] - grown[1]) / (2 * h), rtol=1e-6, atol=1e-9
    )


@pytest.mark.parametrize("text", TEXTS)
def test_draws_follow_the_distribution_function(text):
    """Kolmogorov-Smirnov: the distance exceeds its bound with probability below 1e-9 a law."""
    law, n = density(text), 4000
    x = np.sort(law.sample(7, n))
    assert np.array_equal(x, np.sort(law.sample(7, n)))
    steps = np.arange(n + 1) / n
    level = law.cdf(x)
    distance = max(np.max(steps[1:] - level), np.max(level - steps[:-1]))
    assert distance < math.sqrt(math.log(2e9) / (2 * n))  # Massart 1990


def test_digits_survive_next_to_an_end_where_the_density_is_singular():
    law = density("beta(0.1, 0.2)")
    tiny = np.array([1e-30])
    at = Points(np.ones(1), -np.ones(1), tiny, np.log(tiny))
    # the factor x^(-0.9) is 1 there; the constant is read off at x = 1/2
    constant = float(law.logpdf(0.5)) + 1.7 * math.log(0.5)
    expected = -0.8 * math.log(1e-30) + constant
    assert abs(float(law.log_density(at)[0]) - expected) < 1e-12
    moved = density("affine(beta(0.1, 0.2), 3, 7)")
    image = Points(np.full(1, 10.0), -np.ones(1), 7 * tiny, np.log(7 * tiny))
    assert abs(float(moved.log_density(image)[0]) - (expected - math.log(7))) < 1e-12


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("normal(0, -1)", "scale=-1 must be positive"),
        ("normal(0, 0)", "scale=0 must be positive"),
        ("normal(0, 1, 2)", "takes 2 parameters"),
        ("normal(loc=0, mean=1)", "unknown parameter of normal 'mean'"),
        ("normal(0, loc=1)", "given twice"),
        ("gamma()", "gamma needs shape"),
        ("norml(0, 1)", "did you mean 'normal'"),
        ("uniform(1, 0)", "must be less than"),
        ("uniform(0, inf)", "b=inf must be finite"),
        ("mixture(0.5*normal(0, 1) + 0.6*normal(1, 1))", "sum to 1.1"),
        ("mixture(normal(0, 1)*normal(0, 1))", "no weighted density"),
        ("normal_mixture((0.5, 0.5), (0, 1), (1, 1, 1))", "2 locs need as many scales"),
        ("affine(normal(0, 1), 0, 0)", "scale=0"),
        ("restrict(uniform(0, 1), 2, 3)", "no mass"),
        ("restrict(3, 2, 3)", "no density on the line"),
        ("normal(normal(0, 1), 1)", "is not a number"),
        ("3 + 4", "is no density"),
        ("normal(0, 1e999)", "too long or too large"),
        ("__import__('os')", "__import__"),
        ("normal(0, 1).pdf", "not arithmetic"),
        ("normal(x, 1)", "unknown name"),
        ("", "'' is no density; write it like"),
    ],
)
def test_bad_text_is_refused_in_one_line_with_the_remedy(text, said):
    with pytest.raises(GantheoryError) as caught:
        density(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_parameters_are_checked_in_python_too():
    with pytest.raises(GantheoryError, match="scale='wide' is not a number"):
        gantheory.density("normal", scale="wide")
    with pytest.raises(GantheoryError, match="scale is not a number"):
        gantheory.density("normal", scale=math.nan)
    assert gantheory.density("normal", loc=1).replace(scale=2) == density("normal(1, 2)")


def test_a_density_of_ones_own_says_what_it_does_not_know():
    law = own_density(lambda x: -np.abs(x) - np.log(2))
    assert law.opaque
    assert not own_density(law.log_function, centers=[(0, 1)]).opaque
    with pytest.raises(GantheoryError, match="pass cdf"):
        law.cdf(0)
    with pytest.raises(GantheoryError, match="positive width"):
        own_density(law.log_function, centers=[(0, -1)])


@pytest.mark.parametrize(
    "base", ["normal(0.5, 2)", "lognormal(0, 1)", "affine(gamma(2, 1), -1, 3)"]
)
def test_a_restricted_law_misses_its_points_as_its_base_does(base):
    """F(x | a < X < b) = (F(x) − F(a))/mass moves with x by the same shift of x as F."""
    at = Points.at(np.linspace(0.3, 2.7, 9))
    law = density(f"restrict({base}, 0.1, 3)")
    assert np.array_equal(law.blur(at), density(base).blur(at))


@pytest.mark.parametrize(
    "family",
    ["normal({}, 2)", "laplace({}, 2)", "logistic({}, 2)", "gumbel({}, 2)", "cauchy({}, 2)",
     "student_t(3, {}, 2)", "skew_normal({}, 2, 3)", "generalised_normal({}, 2, 3)",
     "truncnormal({}, 2, 0, 3)"],
)  # fmt: skip
def test_four_roundings_of_the_distance_to_the_middle_are_stated_and_no_more(family):
    """Those of the difference, of the quotient, and of what the function makes of each."""
    x = np.array([0.25, 1.5, 2.75])
    assert density(family.format(0.5)).blur(Points.at(x)).tolist() == [1.0, 4.0, 9.0]


def test_an_unknown_parameter_names_the_known_ones():
    with pytest.raises(GantheoryError, match="did you mean 'scale'"):
        density("normal(0, 1)").score("scal", 0.5)


@pytest.mark.parametrize(
    "text",
    [
        "mixture([0.25, 0.75], [normal(0, 1), laplace(5, 1)])",
        "mixture(components=(normal(0, 1), laplace(5, 1)), weights=(0.25, 0.75))",
    ],
)
def test_a_mixture_may_be_written_by_its_parameters(text):
    assert density(text) == density("mixture(0.25*normal(0, 1) + 0.75*laplace(5, 1))")
    with pytest.raises(GantheoryError, match="as many weights"):
        density(text.replace("0.25, ", ""))
