"""The answer first: five lines, each as well known as the steps that it rests on."""

import json
import math
import re

import pytest
from click.testing import CliRunner

import gantheory as gt
from gantheory.cli import cli
from gantheory.derivations.exposition import ORDER, Line
from gantheory.derivations.summary import summary_of
from gantheory.estimators.bounds import derive_bound
from gantheory.estimators.derive import derive_estimator
from gantheory.estimators.preference import derive_preference
from gantheory.estimators.reward import derive_reward
from gantheory.losses import CATALOGUE, CRITICS

LABELS = ["D reports", "loss reads", "G follows", "gradient", "at P = Q"]


@pytest.mark.parametrize("name", list(CATALOGUE)[::5])
def test_a_summary_has_five_lines_without_a_none(name):
    lines = gt.derive(name).summary
    assert [line.label for line in lines] == LABELS
    assert not [line for line in lines if "None" in line.text or line.known not in ORDER]


@pytest.mark.parametrize("name", CRITICS)
def test_a_critic_says_what_it_reports_as_surely_as_its_weakest_step(name):
    found = gt.derive(name)
    weakest = min((step.known for step in found.steps), key=ORDER.index)
    assert found.summary[0].known == ("undecided" if found.undecided else weakest)


@pytest.mark.parametrize(("generator", "nowhere"), [("0*D", True), ("2", True), ("-D", False)])
def test_a_generator_that_nothing_moves_is_said_to_have_no_gradient_at_any_fake(generator, nowhere):
    found = gt.derive(gt.Loss("mine", real="log(D)", fake="log(1 - D)", generator=generator))
    gradient = next(line for line in found.summary if line.label == "gradient")
    assert (gradient.text == "no fake gives one: G's loss does not depend on D") is nowhere


def test_signs_that_were_mixed_up_and_a_domain_of_the_score_are_said():
    mixed = gt.Loss("mine", real="-log(D)", fake="-log(1 - D)", generator="-log(D)")
    assert "of a loss that it minimises, change the sign" in gt.derive(mixed).summary[0].text
    bounded = gt.Loss("mine", "log(D)", "log(1 − D)", "-log(D)", domain="[0, 1]")
    assert gt.derive(bounded).summary[0].text.endswith("; D = sigmoid(t), t in [0, 1]")


@pytest.mark.parametrize("name", ["minimax", "hinge", "alpha-gan(alpha=2)", "linear"])
def test_every_step_is_in_the_notation_of_the_summary(name):
    told = [f"{one.text} {one.reason}" for one in gt.derive(name).steps]
    assert not [one for one in told if "**" in one or "Piecewise" in one or "None" in one]
    stars = [star for one in told for star in re.findall(r".?\*.?", one)]
    assert set(stars) <= {"D* ", "D*)", "t* ", "t*)"}


def test_the_hinge_in_five_lines():
    value, loss, followed, gradient, equality = gt.derive("hinge").summary
    assert value.text.startswith("2·TV(P, Q) - 2, by D* = -1 where r < 1, else 1")
    assert loss == Line("loss reads", loss.text, "refuted")
    assert "no divergence: its generator jumps by -2 at r = 1" in loss.text
    assert followed == Line("G follows", "2·TV(P, Q)", "proved")
    given = "fakes that D recognises (r -> 0) give one in the raw score, but none in log r"
    assert gradient.text == given
    assert equality.text == "D = -1 to 1; discriminator's loss 2, generator's -1 to 1"


def test_what_parameters_decide_is_said_with_its_condition():
    followed = gt.derive("least-squares").summary[2]
    assert followed.text.endswith("a divergence only if -a + c >= 0 and -b + c >= 0")


def test_a_line_is_no_surer_than_a_step_that_it_rests_on(monkeypatch):
    found = gt.derive("minimax")
    title = "Second-order condition"
    doubted = tuple(
        type(step)(step.title, step.text, step.latex, gt.How.UNDECIDED, step.reason)
        if step.title == title
        else step
        for step in found.steps
    )
    monkeypatch.setitem(found.__dict__, "steps", doubted)
    known = {line.label: line.known for line in summary_of(found)}
    assert known["D reports"] == "undecided"
    assert known["G follows"] == "proved"


def test_without_an_optimum_or_an_answer_the_reason_is_the_summary():
    (line,) = gt.derive(gt.Loss("none", real="t", fake="-t", generator="t")).summary
    assert line.label == "no optimum"
    assert line.text.startswith("r·a(t) + b(t) grows without bound")


def test_the_command_answers_first_and_shows_steps_when_asked():
    short, long, data = (
        CliRunner().invoke(cli, ["derive", "minimax", *more], catch_exceptions=False).stdout
        for more in ([], ["--steps"], ["--json"])
    )
    assert "G follows" in short
    assert len(short.splitlines()) < 13
    assert long.index("G follows") < long.index("1. The game")
    assert [line["label"] for line in json.loads(data)["summary"]] == LABELS


def test_without_a_closed_form_the_score_is_the_parameter_and_enclosed_numbers_are_certified():
    found = gt.derive(gt.Loss("odd", "t**5 - t", "-t**6", "-t"))
    value, *_, equality = found.summary
    assert "by D* = the score t at which r = 6·t^5/(5·t^4 - 1)" in value.text
    assert "at_score" not in str(found.summary)
    assert equality.known == "certified"


@pytest.mark.parametrize(
    ("real", "fake", "generator"),
    [("-exp(-t)", "-exp(2*t)", "log(1 + exp(-t))"), ("t - t**2", "-t", "-t**3"),
     ("t - t**5", "-t**6", "-t**3"), ("log(D)", "log(1 - D)", "-log(D)**3"),
     ("t - t**2", "-t**4", "-sqrt(1 + t**2)")],
)  # fmt: skip
def test_a_loss_of_any_form_is_summed_up_in_lines_that_are_read_at_a_glance(real, fake, generator):
    lines = gt.derive(gt.Loss("own", real, fake, generator)).summary
    assert len(lines) <= 5
    assert max(len(line.text) for line in lines) < 200
    assert not [line for line in lines if "Piecewise" in line.text or "oo" in line.text]


@pytest.mark.parametrize(
    ("derived", "labels"),
    [(lambda: derive_estimator("k3"), ["mean", "frozen", "as reward", "weighted", "noise"]),
     (lambda: derive_preference("dpo"), ["prompt", "held by", "at 0"]),
     (lambda: derive_preference("w"), ["prompt"]),
     (lambda: derive_reward("airl"), ["D reports", "G follows", "reward"]),
     (lambda: derive_bound("infonce"), ["reaches", "critic", "gap", "limit"])],
)  # fmt: skip
def test_every_kind_of_theory_answers_first(derived, labels):
    found = derived()
    assert [line.label for line in found.summary] == labels
    assert str(found).splitlines()[1] == str(found.summary[0])
    assert not [step for step in found.steps if "kl_" in step.text or "||" in step.text]


def test_an_estimator_is_summed_up_by_what_its_gradient_follows():
    by_label = {line.label: line for line in derive_estimator("k3").summary}
    assert by_label["mean"].text.endswith("KL(Q‖P)")
    assert by_label["frozen"].text.endswith("KL(P‖Q)")
    assert by_label["as reward"].known == "refuted"
    assert derive_estimator("k1").summary[1].text.endswith("pure noise")


def test_a_loss_at_equilibrium_has_the_decimals_of_a_log():
    smoothed = gt.Loss(
        "smoothed", real="0.9*log(D) + 0.1*log(1 - D)", fake="log(1 - D)", generator="-log(D)"
    )
    (line,) = (line for line in gt.derive(smoothed).summary if line.label == "at P = Q")
    D = 0.45
    value = 0.9 * math.log(D) + 0.1 * math.log(1 - D) + math.log(1 - D)
    assert f"discriminator's loss ≈ {-value:.6g}, generator's ≈ {-math.log(D):.6g}" in line.text
