"""Means of softplus over exponential and logistic laws, against mpmath's and SciPy's quadrature."""

from itertools import pairwise

import mpmath
import numpy as np
import pytest
import sympy as sp
from flint import arb, arb_series, ctx, fmpq
from scipy import stats
from scipy.integrate import quad
from scipy.special import expit

import gantheory as gt
from gantheory import residues
from gantheory.expressions import parse
from gantheory.formulas import PAYOFF
from gantheory.functions import t, to_sympy
from gantheory.implicit.constants import ball_of
from gantheory.implicit.isolation import Function
from gantheory.implicit.near import Near
from gantheory.losses import plain
from gantheory.residues import logistic_mean_array, logistic_mean_series
from gantheory.theory.jets import jet, variable

SCALES = [("exponential", s) for s in (fmpq(1, 3), fmpq(-3), fmpq(7, 5))]
SCALES += [("logistic", fmpq(1, 3)), ("logistic", fmpq(2))]


def mean(law, u, s, k):
    """Return E[softplus(u + sX)] or of the sigmoid, by mpmath's quadrature."""
    s = mpmath.mpf(int(s.p)) / int(s.q)
    cuts = {0, *(float(c) for c in (1, 6, 30, abs(u / s), abs(u / s) + 4 / abs(s)))}

    def term(x):
        v = u + s * x
        g = 1 / (1 + mpmath.exp(-v)) if k else mpmath.log1p(mpmath.exp(v))
        return g * (mpmath.exp(-x) if law == "exponential" else mpmath.sech(x / 2) ** 2 / 4)

    sides = (1,) if law == "exponential" else (1, -1)
    return mpmath.quad(term, sorted({c * side for c in cuts | {90} for side in sides}))


@pytest.mark.parametrize(("law", "s"), SCALES)
def test_a_mean_is_its_integral_in_balls_and_in_arrays(law, s):
    for u in (-9.5, 0.2):
        with ctx.workprec(100), mpmath.workdps(20):
            found = logistic_mean_series(law, 0, arb_series([arb(u), 1], prec=2), s)
            for k in (0, 1):
                truth = mean(law, u, s, k)
                assert found[k].rad() < abs(found[k]) * 1e-25
                assert abs(found[k] - arb(truth)) < abs(found[k]) * 1e-15
        array = logistic_mean_array(law, 0, [u], int(s.p), int(s.q))
        assert array[0] == pytest.approx(float(found[0]), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize(("law", "s"), SCALES)
def test_a_wide_ball_holds_the_values_within(law, s):
    for k in (0, 1, 3):
        for u in (-3.0, 0.0, 0.2):
            wide = logistic_mean_series(law, k, arb_series([arb(u, 0.1)], prec=1), s)[0]
            for place in (u - 0.09, u + 0.04):
                assert wide.contains(
                    logistic_mean_series(law, k, arb_series([arb(place)], prec=1), s)[0]
                )
            assert wide.rad() < 0.3


@pytest.mark.parametrize("law", residues.LAWS)
def test_many_bits_are_the_same_by_residues_as_by_the_polynomial(law):
    orders, s, u = range(3), fmpq(2, 3), arb(-0.2)
    with ctx.workprec(352):
        ways = residues._by_residues(law, s, u, orders), residues._near_zero(law, s, u, orders)
        for one, other in zip(*ways, strict=True):
            assert one.overlaps(other)
            assert max(one.rad(), other.rad()) < 1e-90


@pytest.mark.parametrize(
    "text",
    [
        "logistic_exponential(0, t, 1, 2)", "logistic_exponential(1, 2*t - 1, 3, 2)",
        "logistic_exponential(2, 1 - t, -3, 1)", "logistic_logistic(0, t - 1, 1, 3)",
        "logistic_logistic(2, t, 2, 1)",
    ],
)  # fmt: skip
def test_an_expansion_near_infinity_holds_with_its_remainder(text):
    expr = to_sympy(text)
    for end in (sp.oo, -sp.oo):
        with ctx.workprec(256):
            germ = Near(t, end, -1 if end > 0 else 1, 16)(expr)
            for s in (16, 24):
                total = sum((m.at(arb(s)) * ball_of(c) for m, c in germ.terms), arb(0))
                truth = Function(expr, t).value(arb(s if end > 0 else -s))
                rest = germ.rest[0] * germ.rest[1].at(arb(s))
                assert not abs(truth - total) > rest
                assert rest < abs(truth) * 1e-6


LAWS = {
    "exponential(1/3)": stats.expon(scale=1 / 3),
    "laplace(1, 3/7)": stats.laplace(1, 3 / 7),
    "logistic(1/2, 2)": stats.logistic(1 / 2, 2),
}
FORMULAS = {
    "softplus(m - t)": lambda m, t: np.logaddexp(0, m - t),
    "tanh(t - m)": lambda m, t: np.tanh(t - m),
    "sigmoid(m + t)**2": lambda m, t: expit(m + t) ** 2,
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("formula", FORMULAS)
def test_a_mean_over_an_unbounded_law_of_any_scale_is_its_integral(formula, law):
    loss = gt.Loss("mine", "t", f"-E[{formula}]", "-t", laws={"m": law})
    tree, density = parse(plain(loss).fake, PAYOFF), LAWS[law].pdf
    for score in (-2.3, 0.4):
        found = -float(jet(tree, {"t": variable(arb(score))})[0].mid())
        ends = [-60, -5, 0.5, 1, 5, 60]
        truth = sum(
            quad(lambda m, s=score: FORMULAS[formula](m, s) * density(m), a, b)[0]
            for a, b in pairwise(ends)
        )
        assert found == pytest.approx(truth, rel=1e-8)


def test_a_scale_without_a_number_is_refused_with_the_reason():
    loss = gt.Loss("mine", "t", "-E[sigmoid(m - t)]", "-t", laws={"m": "logistic(0, k)"})
    assert "is a fraction" in gt.derive(loss).undecided["optimum"]


def test_arrays_of_a_wide_law_are_its_integral_and_are_summed_in_parts(monkeypatch):
    u, order = np.linspace(-5, 5, 40).reshape(4, 10), 1
    for law, density in (("exponential", stats.expon), ("logistic", stats.logistic)):
        for s in (30.0, -30.0):
            cuts = [0.0, 40.0] if law == "exponential" else [-40.0, 0.0, 40.0]
            bends = sorted(
                {*cuts, *np.clip(-u[1, 2] / s + np.array([-1, 0, 1]), *cuts[:: len(cuts) - 1])}
            )
            truth = sum(
                quad(
                    lambda x, s=s, law=density: expit(u[1, 2] + s * x) * law.pdf(x), a, b, limit=200
                )[0]
                for a, b in pairwise(bends)
            )
            found = logistic_mean_array(law, order, u, s, 1.0)
            assert found[1, 2] == pytest.approx(truth, rel=1e-9)
            with monkeypatch.context() as patched:
                patched.setattr(residues, "AT_ONCE", 5000)
                assert logistic_mean_array(law, order, u, s, 1.0) == pytest.approx(found, rel=1e-13)
