"""Means of exponentials, roots, softplus and bells over random names, and the functions they need.

The oracles are SciPy's quadrature of the integrand as it is written and mpmath's polylogarithm.
"""

from itertools import pairwise

import mpmath
import numpy as np
import pytest
import sympy as sp
from flint import arb, arb_series, ctx
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import erf, expit

import gantheory as gt
from gantheory.errors import GantheoryError
from gantheory.expressions import parse
from gantheory.formulas import PAYOFF
from gantheory.functions import fermi_dirac, logistic_normal, t
from gantheory.implicit.constants import ball_of
from gantheory.implicit.isolation import Function
from gantheory.implicit.near import Near
from gantheory.implicit.solution import Implicit
from gantheory.losses import plain
from gantheory.smoothed import fermi_series, logistic_normal_series
from gantheory.theory.jets import jet, variable

LAWS = {
    "uniform(-1, 2)": stats.uniform(-1, 3),
    "normal(1, 1/2)": stats.norm(1, 0.5),
    "normal(0, 1/2)": stats.norm(0, 0.5),
    "laplace(1, 1/3)": stats.laplace(1, 1 / 3),
    "logistic(1, 1/4)": stats.logistic(1, 1 / 4),
    "exponential(1/3)": stats.expon(scale=1 / 3),
    "triangular(0, 1/2, 2)": stats.triang(0.25, 0, 2),
    "exponential(1)": stats.expon(),
    "exponential(2)": stats.expon(scale=2),
    "exponential(1/2)": stats.expon(scale=1 / 2),
    "laplace(0, 1)": stats.laplace(),
    "laplace(1/2, 2)": stats.laplace(1 / 2, 2),
}
FORMULAS = {
    "exp(m - t)": lambda m, t: np.exp(m - t),
    "relu(t - m)*exp(m/2)": lambda m, t: max(t - m, 0) * np.exp(m / 2),
    "m**2*exp(t - 2*m)": lambda m, t: m**2 * np.exp(t - 2 * m),
    "softplus(m - t)": lambda m, t: np.logaddexp(0, m - t),
    "log(1 - sigmoid(t - 2*m))": lambda m, t: -np.logaddexp(0, t - 2 * m),
    "m*tanh(t - m)": lambda m, t: m * np.tanh(t - m),
    "m**2*sigmoid(2*m - t)": lambda m, t: m**2 * expit(2 * m - t),
    "sigmoid(m - t)**3": lambda m, t: expit(m - t) ** 3,
    "sigmoid(m - t)*(1 - sigmoid(m - t))": lambda m, t: expit(m - t) * expit(t - m),
    "m*abs(t - m)**3": lambda m, t: m * abs(t - m) ** 3,
    "exp(-(m - t)**2)": lambda m, t: np.exp(-((m - t) ** 2)),
    "relu(m - t)*exp(-m**2)": lambda m, t: max(m - t, 0) * np.exp(-(m**2)),
    "erf(2*m - t)": lambda m, t: erf(2 * m - t),
    "abs(t - m)**1.5": lambda m, t: abs(t - m) ** 1.5,
    "relu(m - t)**2": lambda m, t: max(m - t, 0) ** 2,
    "(m - t)**2": lambda m, t: (m - t) ** 2,
    "softplus(t - m)": lambda m, t: np.logaddexp(0, t - m),
    "sigmoid(m + t)": lambda m, t: expit(m + t),
    "tanh(m - t)": lambda m, t: np.tanh(m - t),
    "log(1 - sigmoid(t - m/2))": lambda m, t: -np.logaddexp(0, t - m / 2),
}
CLOSED = [
    ("exp(m - t)", list(LAWS)[:2] + list(LAWS)[3:7]),
    ("relu(t - m)*exp(m/2)", ["normal(1, 1/2)", "laplace(1, 1/3)", "triangular(0, 1/2, 2)"]),
    ("m**2*exp(t - 2*m)", ["normal(1, 1/2)", "logistic(1, 1/4)", "exponential(1/3)"]),
    ("softplus(m - t)", ["uniform(-1, 2)", "normal(1, 1/2)", "triangular(0, 1/2, 2)"]),
    ("log(1 - sigmoid(t - 2*m))", ["normal(1, 1/2)", "triangular(0, 1/2, 2)"]),
    ("m*tanh(t - m)", ["uniform(-1, 2)", "normal(1, 1/2)"]),
    ("m**2*sigmoid(2*m - t)", ["uniform(-1, 2)", "normal(1, 1/2)"]),
    ("sigmoid(m - t)**3", ["uniform(-1, 2)", "normal(1, 1/2)"]),
    ("sigmoid(m - t)*(1 - sigmoid(m - t))", ["uniform(-1, 2)", "normal(1, 1/2)"]),
    ("m*abs(t - m)**3", ["triangular(0, 1/2, 2)"]),
    ("exp(-(m - t)**2)", ["uniform(-1, 2)", "normal(1, 1/2)", "triangular(0, 1/2, 2)"]),
    ("relu(m - t)*exp(-m**2)", ["uniform(-1, 2)", "normal(1, 1/2)"]),
    ("erf(2*m - t)", ["uniform(-1, 2)", "normal(1, 1/2)"]),
    ("abs(t - m)**1.5", ["uniform(-1, 2)", "triangular(0, 1/2, 2)"]),
    ("relu(m - t)**2", ["normal(1, 1/2)", "laplace(1, 1/3)", "exponential(1/3)"]),
    ("(m - t)**2", ["logistic(1, 1/4)"]),
    ("softplus(m - t)", ["exponential(1)", "exponential(2)", "laplace(0, 1)", "laplace(1/2, 2)"]),
    ("softplus(t - m)", ["exponential(1)", "laplace(1/2, 2)"]),
    ("sigmoid(m + t)", ["exponential(1)", "exponential(2)", "laplace(0, 1)", "laplace(1/2, 2)"]),
    ("tanh(m - t)", ["exponential(1)", "exponential(1/2)", "laplace(0, 1)"]),
    ("log(1 - sigmoid(t - m/2))", ["exponential(2)"]),
]


def mine(formula, law):
    return gt.Loss("mine", "t", f"-E[{formula}]", "-t", laws={"m": law})


@pytest.mark.parametrize(("formula", "laws"), CLOSED)
def test_a_mean_is_its_integral(formula, laws):
    for law in laws:
        tree = parse(plain(mine(formula, law)).fake, PAYOFF)
        for score in (-2.3, 0.4, 1.3):
            with ctx.workprec(192):
                found = -float(jet(tree, {"t": variable(arb(score))})[0].mid())
            low, high = (float(LAWS[law].ppf(share)) for share in (1e-15, 1 - 1e-15))
            inner = {score, score / 2, 0, 0.5, 1, 2}
            ends = [low, *sorted(x for x in inner if low < x < high), high]
            far = 10 * LAWS[law].std()  # exponentials lift tails
            ends = [low - far, *ends, high + far]
            truth = sum(
                quad(lambda m, s=score, pdf=LAWS[law].pdf: FORMULAS[formula](m, s) * pdf(m), a, b)[
                    0
                ]
                for a, b in pairwise(ends)
            )
            assert found == pytest.approx(truth, rel=1e-8, abs=1e-9), (law, score)


@pytest.mark.parametrize(
    ("formula", "law", "said"),
    [
        ("exp(m - t)", "exponential(2)", "not known to be finite"),
        ("exp(-3*m)", "logistic(0, 1/2)", "not known to be finite"),
        ("exp(m**2)", "normal(0, 1)", "not known to be finite"),
        ("m*softplus(m - t)", "logistic(0, 1)", "without powers of the name"),
        ("m*softplus(m - t)", "exponential(1)", "over a uniform or triangular law or"),
        ("sqrt(1 + m + exp(t))", "exponential(1)", "over a uniform or triangular law"),
        ("relu(m - t)*sigmoid(m)", "normal(0, 1)", "beside a kink"),
    ],
)
def test_a_mean_that_does_not_close_says_over_which_laws_it_would(formula, law, said):
    with pytest.raises(GantheoryError, match=said):
        plain(mine(formula, law))


@pytest.mark.parametrize("k", [1, 2, 3])
def test_fermi_dirac_integrals_are_polylogarithms_in_balls(k):
    with ctx.workprec(128), mpmath.workdps(80):
        for u in (-40, -3.5, -0.25, 0, 0.75, 30):
            series = fermi_series(k, arb_series([arb(u), 1], prec=3))
            for j in range(3):
                order = k - j + 1
                truth = -mpmath.polylog(order, -mpmath.exp(u)).real / mpmath.factorial(j)
                assert series[j].overlaps(arb(truth) * (1 + arb(0, 1e-30)))
                assert series[j].rad() < abs(series[j]) * 1e-30
            wide = fermi_series(k, arb_series([arb(u, 0.25)], prec=1))[0]
            assert wide.contains(fermi_series(k, arb_series([arb(u + 0.24)], prec=1))[0])


@pytest.mark.parametrize("s", ["0.05", "0.5", "3"])
def test_logistic_normal_integrals_are_means_in_balls(s):
    width = mpmath.mpf(s)
    for u in (-20, -1.5, 4):
        with mpmath.workdps(30):
            cuts = [-12, -4, 0, 4, 6, 14, 20]
            truth = mpmath.quad(
                lambda z, u=u: mpmath.npdf(z) * mpmath.log1p(mpmath.exp(u + width * z)), cuts
            )
        with ctx.workprec(100):
            x = arb_series([arb(u), 1], prec=2)
            found = logistic_normal_series(0, x, arb(s))
            assert found[0].rad() < found[0] * 1e-25
            assert abs(found[0] - arb(truth)) < found[0] * 1e-13
            assert found[1].overlaps(logistic_normal_series(1, x, arb(s))[0])
            wide = logistic_normal_series(0, arb_series([arb(u, 0.125)], prec=1), arb(s))[0]
            for place in (u - 0.12, u + 0.12):
                inside = logistic_normal_series(0, arb_series([arb(place)], prec=1), arb(s))[0]
                assert wide.contains(inside)


@pytest.mark.parametrize(
    "expr",
    [
        fermi_dirac(1, t), fermi_dirac(2, 1 - t), logistic_normal(0, t - 1, sp.Rational(1, 2)),
        logistic_normal(1, 2 - t, sp.Rational(1, 2)), logistic_normal(3, t, sp.Rational(1, 2)),
    ],
)  # fmt: skip
def test_an_expansion_near_infinity_holds_with_its_remainder(expr):
    for end in (sp.oo, -sp.oo):
        with ctx.workprec(256):
            germ = Near(t, end, -1 if end > 0 else 1, 16)(expr)
            for s in (16, 24):
                total = sum((m.at(arb(s)) * ball_of(c) for m, c in germ.terms), arb(0))
                rest = germ.rest[0] * germ.rest[1].at(arb(s))
                truth = Function(expr, t).value(arb(s if end > 0 else -s))
                assert not abs(truth - total) > rest
                assert rest < abs(truth) * 1e-8


@pytest.mark.parametrize(
    "law",
    ["normal(0, 1/2)", "uniform(-1, 2)", "exponential(1)", "exponential(1/3)", "logistic(1, 1/4)"],
)
def test_a_random_logistic_threshold_has_the_optimum_that_quadrature_finds(law):
    """r·σ(−t) = E[σ(m + t)]."""
    loss = gt.Loss("mine", "-softplus(-t)", "-E[softplus(m + t)]", "-t", laws={"m": law})
    m = LAWS[law].ppf((np.arange(40_000) + 0.5) / 40_000)
    with ctx.workprec(128):
        found = Implicit.of(plain(loss))
        for ratio in (0.3, 3.0):
            score = found.path.at(arb(ratio)).local.score(arb(ratio))
            truth = brentq(lambda t, r=ratio: r * expit(-t) - expit(t + m).mean(), -9, 9)
            assert float(score.mid()) == pytest.approx(truth, abs=1e-6)
            assert score.rad() < 1e-20


@pytest.mark.parametrize("law", ["exponential(1)"])
def test_a_mean_whose_terms_cancel_far_out_is_decided(law):
    """E[tanh(t − m)] is −1 + O(e^t): its slope, a difference of terms near 1, is positive."""
    found = gt.derive(gt.Loss("mine", "E[tanh(t - m)]", "-t^2/2", "-t", laws={"m": law}))
    assert not found.undecided
    low, high = (float(LAWS[law].ppf(share)) for share in (1e-15, 1 - 1e-15))
    for row in found.at(0.3, 3.0):
        score = brentq(
            lambda t, r=row.r: r * quad(lambda m: LAWS[law].pdf(m) / np.cosh(t - m) ** 2, low, high,
                                        points=(0,))[0] - t,
            -1, 9,
        )  # fmt: skip
        assert row.t.value == pytest.approx(score, abs=1e-7)
