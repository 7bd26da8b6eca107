"""Rigorous enclosures hold the truth, are narrow, and refuse what they cannot do."""

from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import mpmath
import pytest

from gantheory import GantheoryError, Status
from gantheory.densities import parse_density
from gantheory.integrals import divergence
from gantheory.integrals.certified import enclose_divergence

mp = mpmath.MPContext()
mp.dps = 40


def law(name, **parameters):
    return SimpleNamespace(name=name, parameters=parameters)


NORMAL = law("normal", loc=0, scale=1)
SHIFTED = law("normal", loc=2, scale=1)
WIDE = law("normal", loc=0.5, scale=3)
LAPLACE = law("laplace", loc=0.5, scale=0.7)
LOGISTIC = law("logistic", loc=-1, scale=1.3)
GUMBEL = law("gumbel", loc=0.2, scale=0.9)
T3 = law("student_t", df=3, loc=0, scale=1)
SQUARE = law("uniform", a=-1, b=1)
SPIKE = law("normal_mixture", weights=(0.9, 0.1), locs=(0, 0.3), scales=(1, 0.001))


def pdf(one, x):
    """The textbook density in mpmath: an oracle that shares no code with the enclosures."""
    v = {k: mp.mpf(str(v)) for k, v in one.parameters.items() if not isinstance(v, tuple)}
    if one.name == "uniform":
        return mp.mpf(1) / (v["b"] - v["a"]) if v["a"] <= x <= v["b"] else mp.mpf(0)
    z, s = (x - v["loc"]) / v["scale"], v["scale"]
    if one.name == "normal":
        return mp.exp(-z * z / 2) / (s * mp.sqrt(2 * mp.pi))
    if one.name == "laplace":
        return mp.exp(-abs(z)) / (2 * s)
    if one.name == "logistic":
        return mp.sech(z / 2) ** 2 / (4 * s)
    if one.name == "gumbel":
        return mp.exp(-z - mp.exp(-z)) / s
    d = v["df"]
    beta = mp.gamma((d + 1) / 2) / (mp.gamma(d / 2) * mp.sqrt(d * mp.pi))
    return beta / s * (1 + z * z / d) ** (-(d + 1) / 2)


def integrand(name, a, b):
    m = (a + b) / 2
    return {
        "jsd": lambda: (a * mp.log(a / m) + b * mp.log(b / m)) / 2,
        "triangular": lambda: (a - b) ** 2 / (a + b),
        "hellinger2": lambda: (mp.sqrt(a) - mp.sqrt(b)) ** 2 / 2,
        "kl_pq": lambda: a * mp.log(a / b),
        "kl_mq": lambda: m * mp.log(m / b),
        "jeffreys": lambda: (a - b) * mp.log(a / b),
        "power_0.3": lambda: (
            (a**0.3 * b ** mp.mpf("0.7") - a * mp.mpf("0.3") - b * mp.mpf("0.7")) / mp.mpf("-0.21")
        ),
        "tv_gap": lambda: min(a, b),
    }[name]()


CASES = [
    ("jsd", NORMAL, WIDE),
    ("triangular", LAPLACE, NORMAL),
    ("hellinger2", LOGISTIC, GUMBEL),
    ("kl_pq", NORMAL, LAPLACE),
    ("kl_mq", LAPLACE, LOGISTIC),
    ("jeffreys", LOGISTIC, WIDE),
    ("jsd", GUMBEL, LAPLACE),
]


@pytest.mark.parametrize(("name", "p", "q"), CASES, ids=lambda c: getattr(c, "name", c))
def test_the_enclosure_holds_an_independent_quadrature(name, p, q):
    cuts = [-90, -20, -6, -2, mp.mpf("0.5"), 1, 3, 6, 20, 90]
    found = mp.quad(lambda x: integrand(name, pdf(p, x), pdf(q, x)), cuts)
    result = enclose_divergence(name, p, q, 15)
    assert result.digits == 15
    assert abs(mp.mpf(result.mid) - found) <= mp.mpf("1e-14") * found
    assert Decimal(result.lower) <= Decimal(result.upper)
    assert float(result.lower) == pytest.approx(result.estimate.value, rel=1e-14)


def test_jsd_of_two_normals_is_certain_to_thirty_digits():
    result = enclose_divergence("jsd", NORMAL, SHIFTED, 30)
    assert result.mid == "0.336830820346831612004804799983"
    truth = Decimal("0.3368308203468316120048047999828928066701410972702612652742396973")
    assert Decimal(result.lower) < truth < Decimal(result.upper)
    assert Decimal(result.upper) - Decimal(result.lower) < Decimal("1e-30")
    assert float(result.tail) < 1e-30


def test_heavy_tails_a_hundred_scales_apart_take_few_evaluations():
    cauchy = law("student_t", df=1, loc=0, scale=1), law("student_t", df=1, loc=100, scale=1)
    result = enclose_divergence("jsd", *cauchy, 30)
    # the overlap of two shifted Cauchy laws is twice the mass beyond halfway
    gap = enclose_divergence("tv_gap", *cauchy, 8)
    truth = Decimal(str(1 - 2 * mp.atan(50) / mp.pi))
    assert Decimal(gap.lower) - Decimal("1e-38") <= truth <= Decimal(gap.upper) + Decimal("1e-38")
    assert result.digits == 30
    assert result.estimate.evaluations < 12_000  # it took ten times as many in one chart for both


def test_fifteen_digits_enclose_what_sixty_digits_find():
    coarse, fine = (enclose_divergence("jsd", NORMAL, SPIKE, digits) for digits in (15, 60))
    assert Decimal(coarse.lower) < Decimal(fine.lower) < Decimal(fine.upper) < Decimal(coarse.upper)
    assert coarse.estimate.value == pytest.approx(0.0324990, abs=5e-8)  # quadrature finds 0.0013


CLOSED = [
    ("pearson_chi2", NORMAL, SHIFTED, str(mp.expm1(4))),
    ("neyman_chi2", NORMAL, SHIFTED, str(mp.expm1(4))),
    ("power_3", NORMAL, SHIFTED, str(mp.expm1(12) / 6)),
    (
        "hellinger2",
        law("gamma", shape=1, scale=1),
        law("gamma", shape=2, scale=1),
        str(1 - mp.gamma(1.5)),
    ),
    # Γ(2·3 − 2)Γ(2)/Γ(3)² − 1
    ("pearson_chi2", law("gamma", shape=3, scale=1), law("gamma", shape=2, scale=1), "0.5"),
    ("pearson_chi2", law("beta", a=2, b=3), law("uniform", a=0, b=1), str(mp.mpf(13) / 35)),
    (
        "tv",
        law("lognormal", loc=0, scale=1),
        law("lognormal", loc=2, scale=1),
        str(mp.erf(1 / mp.sqrt(2))),
    ),
    ("kl_pq", law("beta", a=1, b=2), law("beta", a=1, b=1), str(mp.log(2) - mp.mpf(1) / 2)),
    ("kl_pq", NORMAL, SHIFTED, "2"),
    ("bc", NORMAL, law("normal", loc=40, scale=1), str(mp.exp(-200))),
    ("tv", NORMAL, SHIFTED, str(mp.erf(1 / mp.sqrt(2)))),
    ("tv", NORMAL, law("normal", loc=1e-6, scale=1), str(mp.erf(mp.mpf(1e-6) / 2 / mp.sqrt(2)))),
    ("bc", SQUARE, law("uniform", a=3, b=4), "0"),
    ("kl_pq", SQUARE, NORMAL, str(mp.log(mp.sqrt(2 * mp.pi) / 2) + mp.mpf(1) / 6)),
    ("jsd", SQUARE, law("uniform", a=0, b=2), str(mp.log(2) / 2)),
    ("tv", SQUARE, law("uniform", a=3, b=4), "1"),
    ("jsd_gap", NORMAL, NORMAL, str(mp.log(2))),
    ("kl_pq", law("student_t", df=1), law("student_t", df=1, loc=1), str(mp.log(mp.mpf(5) / 4))),
]


@pytest.mark.parametrize(("name", "p", "q", "truth"), CLOSED)
def test_closed_forms_are_enclosed(name, p, q, truth):
    result = enclose_divergence(name, p, q, 18)
    slack = Decimal(truth) * Decimal("1e-38")  # the oracle has forty digits
    assert Decimal(result.lower) - slack <= Decimal(truth) <= Decimal(result.upper) + slack
    assert result.digits == 18


@pytest.mark.parametrize(
    ("name", "p", "q"),
    [("kl_pq", NORMAL, SQUARE), ("kl_qp", SQUARE, NORMAL), ("jeffreys", NORMAL, SQUARE)],
)
def test_mass_outside_of_the_support_is_infinite_and_says_so(name, p, q):
    result = enclose_divergence(name, p, q)
    assert result.mid == "inf"
    assert result.estimate.status is Status.INFINITE
    assert "mass where" in result.estimate.reason


def test_equal_laws_have_divergence_exactly_zero():
    result = enclose_divergence("kl_pq", T3, T3)
    assert (result.lower, result.upper, result.estimate.value) == ("0", "0", 0.0)


def test_a_float_is_the_binary_number_that_it_is_and_a_fraction_is_itself():
    for loc, truth in ((0.1, Fraction(0.1) ** 2 / 2), (Fraction(1, 10), Fraction(1, 200))):
        result = enclose_divergence("kl_pq", law("normal", loc=loc, scale=1), NORMAL, 30)
        assert Fraction(result.lower) <= truth <= Fraction(result.upper)
        assert Fraction(result.upper) - Fraction(result.lower) < Fraction(1, 10**30)


@pytest.mark.parametrize(
    ("name", "p", "q", "word"),
    [
        ("jds", NORMAL, SHIFTED, "jsd"),
        ("jsd", law("gamma", shape=2, scale=1), NORMAL, "gamma"),
        ("kl_pq", law("student_t", df=1), NORMAL, "tails"),
        ("pearson_chi3", NORMAL, SHIFTED, "pearson_chi2"),
        ("pearson_chi2", NORMAL, law("normal", loc=2, scale=0.5), "tails"),
        ("power_61", NORMAL, SHIFTED, "within"),
        ("jsd", law("truncnormal", loc=0, scale=1, a=0, b=1), NORMAL, "truncnormal"),
    ],
)
def test_what_cannot_be_certified_is_refused_with_the_name(name, p, q, word):
    with pytest.raises(GantheoryError, match=word):
        enclose_divergence(name, p, q)


def test_a_number_of_digits_out_of_range_is_named():
    with pytest.raises(GantheoryError, match="digits=0"):
        enclose_divergence("jsd", NORMAL, SHIFTED, 0)


def test_the_working_precision_of_the_library_is_left_as_it_was():
    import flint

    before = flint.ctx.prec
    enclose_divergence("jsd", NORMAL, SHIFTED, 40)
    assert flint.ctx.prec == before


CROSSED = [
    ("jsd", "logistic(-0.5, 1.25)", "affine(gumbel(0, 1), 1, 0.5)"),
    ("tv_gap", "mixture(0.3*normal(1, 0.5) + 0.7*laplace(1, 1))", "normal(0, 2)"),
    ("hellinger2", "affine(uniform(0, 1), 1, -2)", "normal(0.5, 1)"),
    ("kl_pm", "gamma(0.75, 1.3)", "lognormal(-0.5, 1.5)"),
    ("triangular", "beta(0.5, 2)", "beta(0.7, 2.5)"),
    ("power_0.3", "beta(2.25, 2)", "uniform(0, 1)"),
    ("pearson_chi2", "gamma(2, 1)", "gamma(2.5, 0.9)"),
    ("pearson_chi2", "mixture(0.5*normal(-1, 1) + 0.5*normal(1, 1))", "logistic(0, 1)"),
    ("power_-0.5", "laplace(0, 1)", "normal(0, 1)"),
]


@pytest.mark.parametrize(("name", "p", "q"), CROSSED)
def test_quadrature_lies_in_the_enclosure_within_its_error(name, p, q):
    certain = enclose_divergence(name, parse_density(p), parse_density(q), 15)
    found = divergence(name, p, q)
    assert certain.digits == 15
    assert float(certain.lower) - found.error <= found.value <= float(certain.upper) + found.error
    assert not float(certain.lower) <= found.value + 1e-6 <= float(certain.upper)
