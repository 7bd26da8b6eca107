"""Functions of payoffs: every backend against mpmath, and what losses with them derive to."""

import mpmath
import numpy as np
import pytest
import sympy as sp
import torch
from flint import arb

from gantheory import Loss, derive
from gantheory.errors import GantheoryError
from gantheory.exact.signs.balls import enclose
from gantheory.expressions import parse
from gantheory.formulas import PAYOFF
from gantheory.functions import t, to_sympy
from gantheory.testing.oracles import payoff
from gantheory.theory.jets import jet, variable
from simulations.losses import Payoff

TEXTS = [
    "sin(t)*cos(2*t)", "erf(t - 1)", "log1p(exp(t))", "log1p(-D)", "expm1(t/2)", "sign(t - 1)*t",
    "logsumexp(t, 1 - t)", "clamp(2*t, -1, 1.5)", "clamp(t, 1, t**2)", "leaky_relu(t)",
    "leaky_relu(t - 1, 0.2)", "huber(t)", "huber(t, 1/2)", "huber(3*t, 2)",
    "where(t > 0, log(1 + t), -t**2)", "where(1 <= t, t, exp(t))", "where(t < D, sin(t), 1)",
    "abs(t)**1.3", "fermi_dirac(1, t - 1)", "fermi_dirac(2, 2*t)*t",
    "logistic_normal(0, t - 1, 1/2)", "logistic_normal(2, 2*t, 2)",
    "logistic_exponential(0, t - 1, 1, 3)", "logistic_logistic(1, t - 1, 1, 2)",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_a_function_has_the_value_and_the_slope_that_mpmath_gives_in_every_backend(text):
    few = 2 if "logistic_" in text else 8  # its integral takes mpmath a second
    for score in np.random.default_rng(len(text)).uniform(-3, 3, few):
        expected = float(payoff(text, score))
        slope = float(mpmath.diff(lambda s: payoff(text, s), score, h=1e-7))
        tree, expr = parse(text, PAYOFF), to_sympy(text)
        sigmoid = 1 / (1 + (-variable(arb(score))).exp())
        series = jet(tree, {"t": variable(arb(score)), "D": sigmoid})
        assert float(series[0].mid()) == pytest.approx(expected, rel=1e-12, abs=1e-12)
        assert float(series[1].mid()) == pytest.approx(slope, rel=1e-5, abs=1e-5)
        assert float(enclose(expr, {t: arb(score)}).mid()) == pytest.approx(expected, abs=1e-12)
        x = torch.tensor([score], dtype=torch.float64, requires_grad=True)
        y = Payoff(expr)(x)
        assert y.item() == pytest.approx(expected, rel=1e-12, abs=1e-12)
        assert Payoff(expr).slope(x).item() == pytest.approx(slope, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize(
    ("real", "fake", "domain", "score", "value"),
    [
        ("-huber(t - 1)", "-huber(t)", "(-oo, oo)", "r/(r + 1)", "triangular/8"),
        ("-logsumexp(0, -t)", "-logsumexp(t, 0)", "(-oo, oo)", "log(r)", "2*jsd"),
        ("log1p(-D)", "log(D)", "(-oo, oo)", "log(1/r)", "2*jsd"),
        ("sign(t)", "-sign(t)", "[-1, 1]", "Piecewise((-1/2, r < 1), (1/2, True))", "2*tv"),
        ("where(t > 0, -t, t)", "-t**2", "(-oo, oo)", "0", "0"),
        ("where(t >= 0, 1, 0)", "-t", "[-1, 1]", "Piecewise((-1, r < 1), (0, True))", "tv"),
    ],
)
def test_losses_with_these_functions_derive_to_what_they_are(real, fake, domain, score, value):
    found = derive(Loss("mine", real, fake, "-t", domain=domain))
    assert (str(found.optimum.score), found.value.divergence) == (score, value)


@pytest.mark.parametrize(("comparison", "attained"), [(">", False), (">=", True)])
def test_an_optimum_at_a_jump_is_attained_where_the_formula_has_its_value_there(
    comparison, attained
):
    found = derive(Loss("mine", f"where(t {comparison} 0, 1, 0)", "-t", "-t", domain="[-1, 1]"))
    assert found.optimum.attained is attained
    assert found.value.atoms == ((1, 1),)


def test_a_domain_may_end_at_a_logarithm():
    found = derive(Loss("mine", "t", "-exp(t)", "-t", domain="(-oo, log(2)]"))
    assert sp.simplify(found.optimum.score.subs(sp.Symbol("r", positive=True), 5) - sp.log(2)) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("where(t, 1, 2)", "compares two sides"),
        ("where(t > 0 > 1, 1, 2)", "compares two sides"),
        ("where(t == 0, 1, 2)", "compares two sides"),
        ("where(t > 0, 1)", "takes 3 argument"),
        ("(t > 0)*2", "not arithmetic"),
        ("huber(t, 1, 2)", "takes 1 to 2 argument"),
    ],
)
def test_a_condition_that_is_none_ends_in_one_line(text, said):
    with pytest.raises(GantheoryError, match=said):
        to_sympy(text)
