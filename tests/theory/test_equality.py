"""What is read at P = Q, where scores tie or lie flat, and what never reaches a person.

The oracle evaluates payoffs by numpy from the formulas' text and maximises over a grid of scores.
"""

import json
import random
import re

import numpy as np
import pytest
import sympy as sp
from test_derive import NUMPY, payoff

from gantheory import Loss, derive
from gantheory.deadline import Undecided
from gantheory.derivations.engine import numbers_only
from gantheory.derivations.kept import nothing_kept
from gantheory.exact.assumptions import Assumptions
from gantheory.functions import r
from gantheory.losses import CATALOGUE
from gantheory.records import How
from gantheory.report.explain import explain
from gantheory.theory import consequences
from gantheory.theory.cases import condition, in_cases, piecewise

BREAKS = {  # a kink of F lies at a ratio that parameters place before or behind 1
    "hinge": ("-gamma*relu(1 - t)", "-relu(1 + t)", "-t", "(-oo, oo)"),
    "nnpu": ("gamma*sigmoid(t) - gamma*sigmoid(-t)", "-sigmoid(t)", "sigmoid(-t)", "(-oo, oo)"),
    "squared": ("-t", "-relu(gamma - t)**2", "t", "[0, oo)"),
    "logarithm": ("log(t + gamma)", "-t", "-t", "[0, oo)"),
    "two kinks": ("-relu(1 - t) - gamma*relu(2 - t)", "-t", "t", "[0, oo)"),
}


def loss(real, fake, generator="-t", **more):
    return Loss("yours", real, fake, generator, **more)


def number(expr, value=None):
    return float(expr.subs({s: value for s in expr.free_symbols}))


def best_at_equality(yours):
    """Return max a + b over scores, and the scores that attain it, on a fine grid."""
    t = np.unique(np.concatenate([np.linspace(-60, 60, 24_001), np.linspace(-4, 4, 64_001)]))
    lower, upper = (float(sp.sympify(end)) for end in yours.domain.strip("()[]").split(","))
    t = t[(t >= lower) & (t <= upper)]
    total = payoff(yours.real, yours)(t) + payoff(yours.fake, yours)(t)
    return total.max(), t[total >= total.max() - 1e-9], payoff(yours.generator, yours)


@pytest.mark.parametrize("name", BREAKS)
def test_equality_is_piecewise_in_a_parameter_and_right_at_every_number(name):
    *formulas, domain = BREAKS[name]
    general = derive(loss(*formulas, domain=domain))
    even = general.equilibrium
    assert isinstance(even.discriminator_loss, sp.Piecewise)
    for value in ("1/5", "1/2", "7/10", "1", "8/5", "3"):
        yours = loss(*formulas, domain=domain).given(gamma=value)
        top, scores, generator_loss = best_at_equality(yours)
        exact = sp.Rational(value)
        special = derive(yours).equilibrium
        for found in (even, special):
            assert number(found.discriminator_loss, exact) == pytest.approx(-top, abs=1e-6)
            span = [number(end, exact) for end in found.D_range or (found.D, found.D)]
            assert span[0] <= number(found.D, exact) <= span[1]
            assert np.clip(span[1], -15, 15) == pytest.approx(
                np.clip(scores.max(), -15, 15), abs=2e-3
            )
        assert number(even.D, exact) == number(special.D)
        assert number(even.generator_loss, exact) == pytest.approx(number(special.generator_loss))
        if np.isfinite(number(special.D)):
            at = generator_loss(np.array([number(special.D)]))[0]
            assert number(special.generator_loss) == pytest.approx(at, abs=1e-9)
        assert number(general.value.constant, exact) == pytest.approx(top, abs=1e-6)
        numeric = derive(yours).as_dict()["disjoint"]
        for part in ("value", "loss", "followed"):
            known = getattr(general.disjoint, part)
            if known is not None and known.is_finite is not False:
                assert number(known, exact) == pytest.approx(float(sp.sympify(numeric[part])))


def test_the_imbalanced_hinge_and_the_non_negative_risk_read_their_published_numbers():
    hinge = derive(loss(*BREAKS["hinge"][:3]).given(gamma="1/2"))
    assert hinge.equilibrium.D == -1
    assert (hinge.equilibrium.discriminator_loss, hinge.equilibrium.generator_loss) == (1, 1)
    assert (hinge.disjoint.value, hinge.disjoint.loss) == (1, 0)
    prior = derive(loss(*BREAKS["nnpu"][:3]).given(gamma="3/10"))
    assert prior.value.constant == -sp.Rational(3, 10)
    assert prior.equilibrium.generator_loss == 1
    assert prior.disjoint.value == sp.Rational(3, 5)


@pytest.mark.parametrize("name", BREAKS)
def test_a_piecewise_answer_is_printed_everywhere_and_explained(name):
    yours = loss(*BREAKS[name][:3], domain=BREAKS[name][3])
    found = derive(yours)
    assert "where gamma" in str(found)
    assert "Piecewise" in json.dumps(found.as_dict()["equilibrium"])
    assert "cases" in found._repr_latex_()
    said = explain(yours)
    assert isinstance(said.discriminator.equilibrium, sp.Piecewise)
    json.dumps(said.as_dict())


REMOVABLE = [  # D or a loss is 0/0 at r = 1: (game, D, V)
    (("log(D) - (1 - D)", "log(1 - D) - D", "-log(D)"), "1/2", "-1 - 2*log(2)"),
    (("log(t) + t", "log(1 - t) - t", "-t"), "1/2", "-2*log(2)"),
    (("tanh(t)/2", "-tanh(t)/2", "-tanh(t)/2"), "0", "0"),
    (("log(D) + 2*D", "log(1 - D) - 2*D", "-log(D)"), "1/2", "-2*log(2)"),
]


@pytest.mark.parametrize(("formulas", "D", "V"), REMOVABLE)
def test_a_removable_singularity_at_equality_is_its_limit_and_no_nan_is_printed(formulas, D, V):
    domain = "(0, 1)" if "log(t)" in formulas[0] else "(-oo, oo)"
    found = derive(loss(*formulas, domain=domain))
    assert sp.sympify(D) == found.equilibrium.D
    assert sp.simplify(found.value.constant - sp.sympify(V)) == 0
    for shown in (str(found), json.dumps(found.as_dict()), found._repr_latex_()):
        assert "nan" not in shown


def test_what_is_not_a_number_stops_at_the_gate():
    assert numbers_only(sp.Integer(3)) == 3
    for bad in (sp.nan, sp.zoo, (sp.Integer(1), sp.nan + r)):
        with pytest.raises(Undecided, match="not a number"):
            numbers_only(bad)


TIES = [  # single scores that tie at r = 1, and none between them
    (("t**2", "-t", "-t"), "[0, 1]", {0, 1}),
    (("-abs(t - 1)**(1/2)", "-abs(t)**(1/2)", "-t"), "(-oo, oo)", {0, 1}),
    (("t**3", "-t", "t"), "[0, 1]", {0, 1}),
    (("max(2*t - 1, 0)", "-t", "-t"), "[0, 1]", {0, 1}),
]


@pytest.mark.parametrize(("formulas", "domain", "scores"), TIES)
def test_isolated_ties_are_all_named_and_nothing_between_them(formulas, domain, scores):
    found = derive(loss(*formulas, domain=domain)).equilibrium
    assert {found.D, *(other.D for other in found.others)} == scores
    assert found.D_range is None
    sign = {"-t": -1, "t": 1}[formulas[2]]
    assert found.generator_loss == sign * found.D
    assert all(other.generator_loss == sign * other.D for other in found.others)


@pytest.mark.parametrize("low", [-2, -1, 0])
@pytest.mark.parametrize("high", [1, 3])
def test_a_plateau_is_attained_and_its_range_is_said(low, high):
    clip = f"min(max(t, {low}), {high})".replace("-", "0 - ")
    found = derive(loss(clip, f"-({clip})", f"-({clip})"))
    assert found.optimum.attained
    assert found.optimum.plateaus == (((0, 1), -sp.oo, low), ((1, sp.oo), high, sp.oo))
    assert [branch.x for branch in found.optimum.branches] == [low, high]
    assert found.value.atoms == ((1, high - low),)
    assert found.equilibrium.D_range == (-sp.oo, sp.oo)
    assert "as good" in str(found)
    middle = derive(loss("-relu(t - 1) - relu(-1 - t)", "-relu(t - 2) - relu(-t - 2)"))
    assert middle.optimum.plateaus == (((0, sp.oo), -1, 1),)
    assert middle.equilibrium.D_range == (-1, 1)
    assert middle.loss is None
    assert middle.value.curvature == 0


def test_a_value_is_always_a_divergence():
    for yours in [loss("log(D) + D - 1", "log(1 - D) - D"), loss("a*t - b*t**2", "-t**4/4 - t**2")]:
        found = derive(yours)
        assert found.value is None or found.value.is_divergence
    for name, one in CATALOGUE.items():
        value = derive(one).value
        assert value is None or (value.is_divergence, value.condition) == (True, None), name


def test_a_contradiction_is_not_hidden(monkeypatch):
    wrong = consequences.Judgement(False, How.REFUTED, "forced")
    monkeypatch.setattr(consequences, "judge_convexity", lambda *_: wrong)
    found = derive("minimax")
    assert found.value is None
    assert "please report" in found.undecided["value"]


@pytest.mark.parametrize(
    ("fake", "generator", "answer"),
    [
        ("-t**2", "-t**2 + abs(t)/t", False),
        ("-t**2", "3 - t**2", True),
        ("-t**2", "-t**2 + a*abs(t)/t", False),
        ("-relu(1 + t)", "max(-1 - t, 0) - relu(2 + 2*t)/2", False),
        ("-relu(1 + t)", "-max(1 + t, 0) + 7", True),
        ("-softplus(t)", "log(1 - D)", True),
    ],
)
def test_zero_sum_means_one_constant_everywhere(fake, generator, answer):
    assert (
        derive(loss("-softplus(-t)" if "soft" in fake else "-(t - 1)**2", fake, generator)).zero_sum
        is answer
    )


def test_the_words_say_in_which_place_a_gradient_vanishes():
    hinge = derive("hinge").saturation
    assert (hinge.vanishing, hinge.vanishing_in_score, hinge.score_limit_at_0) == (True, False, -1)
    squares = derive("least-squares-01").saturation
    assert (squares.vanishing, squares.score_limit_at_0) == (True, -1)
    for name in ("hinge", "least-squares-01", "minimax"):
        text = str(derive(name)) + explain(name).gradient
        assert "in log r" in text
        assert "in the raw score" in text
        assert "logit" not in text


def test_the_second_order_condition_is_computed_and_not_typed(monkeypatch):
    assert derive("minimax").second_order.derivative is not None
    monkeypatch.setattr(consequences, "second_derivative", lambda *_: sp.Integer(1))
    with nothing_kept():
        forced = derive("minimax").second_order
    assert (forced.holds, forced.how) == (False, How.REFUTED)
    monkeypatch.setattr(consequences, "second_derivative", lambda *_: r - 1)
    with nothing_kept():
        forced = derive("minimax")
    assert forced.second_order.derivative is None
    assert "negative" not in next(s for s in forced.steps if "Second" in s.title).text


def test_an_isolated_zero_away_from_equality_is_still_a_divergence_with_equality_only_there():
    # h' = -(r - 2)**2: the followed curvature touches 0 at r = 2 alone
    cubic = loss("log(D)", "log(1 - D)", "-(exp(3*t)/3 - 2*exp(2*t) + 4*exp(t))")
    followed = derive(cubic).followed
    assert followed.is_divergence
    assert followed.zero_only_at_equality
    flat = derive(loss("-relu(2 - t)", "-t", "t", domain="[0, oo)")).value
    assert flat.is_divergence
    assert flat.zero_only_at_equality is None or flat.atoms[0][0] == 1


def test_conditions_are_solved_for_a_parameter_and_cases_join():
    a = sp.Symbol("a", positive=True)
    known = Assumptions({"a": a}, {a: (sp.S.Zero, sp.oo)}, {a: 0.83})
    assert condition(1 / (2 * a) - 1, ">=", known) == (a <= sp.Rational(1, 2))
    assert condition(3 * a**2 - 2 * a, ">", known) == (a > sp.Rational(2, 3))
    one = sp.Piecewise((a, a < 1), (1, True))
    assert in_cases(lambda x, y: x + y, one, one) == sp.Piecewise((2 * a, a < 1), (2, True))
    at_one = piecewise([(sp.Integer(1), sp.Eq(a, 1)), (a, a <= 1), (sp.Integer(2), sp.true)])
    assert at_one == sp.Piecewise((a, a <= 1), (2, True))


assert NUMPY  # the oracle's functions are those of the derivations' tests


@pytest.mark.parametrize("seed", range(6))
def test_a_loss_that_jumps_where_the_best_score_stays_has_no_one_value(seed: int) -> None:
    draw = random.Random(seed)
    place, weight = draw.randint(-3, 3), draw.choice([1, 2, "1/3"])
    sign = draw.choice(["abs(u)/u", "u/abs(u)", "sqrt(u**2)/u", "2*relu(u)/u - 1"])
    real, fake = draw.choice([("-u**2", "-2*u**2"), ("-abs(u)", "-u**2"), ("u/abs(u)", "-2")])
    fake = f"{fake} - u**4"
    texts = [
        re.sub(r"\bu\b", f"(t - ({place}))", text)
        for text in (real, fake, f"{weight}*({sign}) + u**2")
    ]
    found = derive(Loss("jump", *texts))
    assert found.equilibrium is not None
    told = {
        found.equilibrium.generator_loss,
        *(tie.generator_loss for tie in found.equilibrium.others),
    }
    if real == "u/abs(u)":  # better from above
        assert told == {sp.Rational(weight)}
        assert found.loss is not None
        assert found.loss.constant == sp.Rational(weight)
    else:
        assert told == {sp.Rational(weight), -sp.Rational(weight)}
        assert found.loss is None
    assert found.optimum is not None
    assert not found.optimum.attained


def test_a_loss_that_jumps_as_the_best_score_passes_is_told_on_both_sides() -> None:
    found = derive(Loss("jump", "-(t - 1)**2", "-(t + 1)**2", "atan(1/t)"))
    assert found.equilibrium is not None
    told = [
        found.equilibrium.generator_loss,
        *(tie.generator_loss for tie in found.equilibrium.others),
    ]
    assert told == [-sp.pi / 2, sp.pi / 2]
    assert found.loss is not None
    assert found.loss.is_divergence is False
