"""What used to be undecided, or to end in a traceback, without need."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from typed import best_score, value

from gantheory.derivations.engine import derive
from gantheory.errors import GantheoryError
from gantheory.exact.assumptions import Assumptions
from gantheory.exact.limits import limit
from gantheory.formulas import names_of
from gantheory.functions import r, to_sympy
from gantheory.losses.loss import Loss

SAMPLES = np.random.default_rng(8)
LOG = ("log(D)", "log(1 - D)")
SQUARES = ("-(t - 1)**2/2", "-t**2/2")


def expected(real: str, fake: str, loss: str, ratio: float, lower: float, upper: float):
    """Return a'(t*)·t*', and −h'/r, of the maximiser found by search, by central differences."""
    with mp.workdps(36):
        step = mp.mpf(10) ** -6
        ratios = mp.mpf(ratio) - step, mp.mpf(ratio) + step
        below, above = (best_score(real, fake, x, lower, upper)[0] for x in ratios)
        payoff, h = (value(part, t=above) - value(part, t=below) for part in (real, loss))
        return payoff / (2 * step), -h / (2 * step) / ratio


@pytest.mark.parametrize(
    ("real", "fake", "loss", "searched"),
    [
        ("D**0.7", "(1 - D)**0.7", "-D**0.7", (-20, 20)),
        ("3/2*(D**(2/3) - 1)", "3/2*((1 - D)**(2/3) - 1)", "-D**(1/3)", (-20, 20)),
        ("D**(1/4)", "(1 - D)**(1/4)", "-log(D)", (-20, 20)),
        (*LOG, "exp(min(t, 2))*min(t, 2)", (-20, 20)),
        (*LOG, "softplus(-max(min(t, 1), -1/2))", (-20, 20)),
        (*LOG, "tanh(abs(t) - 1)", (-20, 20)),
        ("min(D, 3/4)", "-D**2", "-log(D)", (-9, 9)),
        (*SQUARES, "softplus(-t)", (-3, 3)),
        (*SQUARES, "-log(D)", (-3, 3)),
        (*SQUARES, "exp(-2*t) + relu(D - 2/3)", (-3, 3)),
        ("t - t**2/2", "-t - t**2/2", "tanh(2*t)", (-3, 3)),
        ("-t**2", "-t**2", "-t", (-3, 3)),
    ],
)
def test_games_that_need_no_more_than_algebra_are_derived(real, fake, loss, searched):
    found = derive(Loss("own", real, fake, loss), seconds=60)
    assert found.value is not None and found.followed is not None  # noqa: PT018
    for ratio in SAMPLES.uniform(0.2, 4, 1):
        for name, one in zip(
            ("value", "followed"), expected(real, fake, loss, ratio, *searched), strict=True
        ):
            got = float(found.curvatures[name].curvature.subs(r, ratio))
            assert got == pytest.approx(float(one), rel=2e-4, abs=1e-6)


def test_weighted_log_odds_read_as_a_multiple_of_the_score():
    for text in ("w*log(1 - D) - w*log(D)", "w*(log(1 - D) - log(D))", "-w*log(D/(1 - D))"):
        assert str(to_sympy(text)) == "-t*w"
    assert derive(Loss("own", *LOG, "w*log(1 - D) - w*log(D)")).followed.divergence == "kl_qp*w"


def test_parameters_of_the_domain_are_declared_and_numbered():
    loss = Loss("own", "t", "-t", "-t", domain="[-c, c]", parameters={"c": "(0, k)"})
    assert loss.parameters == {"c": "(0, k)", "k": "(0, oo)"}
    assert derive(loss).value.divergence == "2*c*tv"
    assert derive(loss.given(c=2, k=3)).value.divergence == "4*tv"


@pytest.mark.parametrize(
    ("domain", "end"), [("(-oo, log(2))", "log(2)"), ("[-1, sqrt(3)]", "sqrt(3)")]
)
def test_constants_end_a_domain(domain, end):
    score = derive(Loss("own", "t", "-exp(t)", "-t", domain=domain)).optimum.score
    assert str(score.subs(r, 100)) == end


def test_an_interval_of_one_point_is_a_number():
    one = Loss("own", "a*log(D)", "log(1 - D)", "-log(D)", parameters={"a": "[1, 1]"})
    assert derive(one).value.divergence == "2*jsd"


@pytest.mark.parametrize("text", ["(1, 1)", "[1, 1)", "(2, 1)", "(oo, 1)", "(0, log(2))", "(b, b)"])
def test_an_interval_that_is_empty_or_no_fraction_is_refused(text):
    with pytest.raises(GantheoryError, match="interval"):
        derive(Loss("own", "a*log(D)", "log(1 - D)", "-log(D)", parameters={"a": text}))


@pytest.mark.parametrize("name", ["nan", "oo", "inf", "E", "I", "pi", "r", "x", "z", "p", "q", "u"])
def test_letters_with_a_meaning_are_no_parameters(name):
    with pytest.raises(GantheoryError, match="fixed meaning"):
        Loss("own", f"{name}*log(D)", "log(1 - D)", "-log(D)")


@pytest.mark.parametrize("name", ["t", "D", "r"])
def test_letters_with_a_meaning_end_no_domain(name):
    with pytest.raises(GantheoryError, match="fixed meaning"):
        Loss("own", "t", "-t", "-t", domain=f"[0, {name}]")


def test_euler_s_number_is_the_only_e_that_a_derivation_prints():
    found = derive(Loss("own", *LOG, "-exp(1)*log(D)"))
    assert found.loss.constant == sp.E * sp.log(2)
    assert not any("E = " in step.text or "E = " in step.latex for step in found.steps)
    assert any("z = exp(t)" in step.text or "z =" in step.latex for step in found.steps)


@pytest.mark.parametrize(
    ("text", "point", "side"),
    [
        ("(1 + r**3)**(2/3)/r**2", "inf", -1),
        ("((1 + r**3)**(2/3) - 1)/r**3", 0, 1),
        ("(log(1 + r) - r + r**2/2 - r**3/3)/r**4", 0, 1),
        ("(exp(r) - 1 - r - r**2/2)/r**3", 0, 1),
        ("exp(1/(1 + r))*r/(2 + r)", "inf", -1),
        ("exp(-1/r)/r**3", 0, 1),
        ("log(r)*exp(-r)", "inf", -1),
        ("(2**(1/(1 + r)) - 2)/r", 0, 1),
    ],
)
def test_limits_agree_with_values_near_the_end(text, point, side):
    end = sp.oo if point == "inf" else sp.Integer(point)
    found = limit(to_sympy(text, ratio=True), r, end, side, Assumptions())
    with mp.workdps(60):
        near = value(text, r=mp.mpf(10) ** (9 if point == "inf" else -9))
    assert float(found) == pytest.approx(float(near), rel=1e-6, abs=1e-6)


def test_names_of_an_interval_leave_out_the_infinities():
    assert names_of("(-oo, 2*a + sqrt(b))") == {"a", "b"}


def test_infinities_beside_formulas_of_parameters_add_up():
    loss = "(exp(alpha*t) - 1 - alpha*(exp(t) - 1))/(alpha*(alpha - 1))"
    for interval, one in (("(0, 1)", 4 * sp.exp(0.5)), ("(1, oo)", sp.oo)):
        definition = Loss("own", "t", "-exp(t - 1)", loss, parameters={"alpha": interval})
        found = derive(definition, seconds=60).disjoint.loss
        assert float(found.subs(next(iter(found.free_symbols), r), 0.5)) == pytest.approx(
            float(one)
        )
