"""What the views say: right numbers, refusals beside their field, commands that say the same."""

import math
import shlex
from multiprocessing import active_children

import numpy as np
import pytest
from click.testing import CliRunner

from gantheory.cli import cli
from gantheory.workbench.answers import Refused, densities, distance, game, loss
from gantheory.workbench.answers.links import command
from gantheory.workbench.answers.processes import Answers
from gantheory.workbench.pages.densities import _at

STANDARD = {"real": "log(D)", "fake": "log(1 - D)", "generator": "-log(D)"}
HOSTILE = "__import__('os').system('touch hacked')"


def run(line):
    """Run a command line that a view shows."""
    words = shlex.split(line)
    assert words[0] == "gantheory"
    return CliRunner().invoke(cli, words[1:])


def test_the_loss_view_draws_what_calculus_says_of_the_original_gan():
    found = loss.answer(**STANDARD)
    t, r = np.array(found["payoffs"]["t"]), 10.0 ** np.array(found["along"]["r"])
    near = {"rtol": 1e-5, "atol": 1e-12}  # six digits are sent
    np.testing.assert_allclose(found["payoffs"]["real"], -np.logaddexp(0, -t), **near)
    np.testing.assert_allclose(found["payoffs"]["fake"], -np.logaddexp(0, t), **near)
    np.testing.assert_allclose(found["along"]["D"], r / (1 + r), **near)
    np.testing.assert_allclose(found["along"]["value"], r / (1 + r), **near)  # of 2 JSD
    np.testing.assert_allclose(found["along"]["followed"], 1 / (1 + r), **near)  # of 2 KL(M||P)
    assert [line[2] for line in found["summary"]] == ["proved"] * 5


@pytest.mark.parametrize(
    ("field", "text"),
    [("real", HOSTILE), ("fake", "log(1 - D"), ("generator", ""), ("domain", "(1, 0"),
     ("real", "t.__class__"), ("generator", "9**9**9**9")],
)  # fmt: skip
def test_a_formula_that_cannot_be_taken_is_refused_beside_its_field(field, text):
    with pytest.raises(Refused) as refused:
        loss.answer(**{**STANDARD, "domain": "(-oo, oo)", field: text})
    assert refused.value.field == field
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("field", "text"), [("p", HOSTILE), ("q", "normal(d"), ("q", "  ")])
def test_a_density_that_cannot_be_taken_is_refused_beside_its_field(field, text):
    with pytest.raises(Refused) as refused:
        densities.answer(**{"p": "normal(0, 1)", "q": "normal(d, 1)", "d": 1.0, field: text})
    assert refused.value.field == field


def test_the_density_view_says_infinite_and_apart_where_supports_are_disjoint():
    found = densities.answer("uniform(0, 1)", "uniform(d, d + 1)", 2.0)
    shown = {row["name"]: row for row in found["rows"]}
    assert shown["KL(P‖Q)"]["value"] == "∞"
    assert "q = 0" in shown["KL(P‖Q)"]["reason"]
    assert float(shown["JSD(P, Q)"]["value"]) == pytest.approx(math.log(2), abs=1e-9)
    assert found["apart"].startswith("P and Q do not overlap")
    assert densities.answer("normal(0, 1)", "normal(d, 1)", 1.0)["apart"] == ""


def test_gradients_against_distance_are_those_of_the_closed_forms():
    found = distance.answer("normal(0, 1)", "normal(d, 1)", 4.0, ["reverse-kl"])
    np.testing.assert_allclose(found["curves"][0]["gradient"], found["d"], rtol=1e-5)
    with pytest.raises(Refused, match="letter d"):
        distance.answer("normal(0, 1)", "normal(1, 1)")


def test_the_game_view_predicts_what_it_measures():
    flow = game.answer("dirac-minimax", "flow", 0.1, 1.0)
    assert "per unit of time" in flow["measured"]
    measured, error = (float(x) for x in flow["measured"].split(" per")[0].split(" ± "))
    assert abs(measured - math.exp(-0.5)) <= error < 0.1
    found = game.answer("bilinear", "simultaneous", 0.3)
    predicted = float(found["radius"])
    measured, error = (float(x) for x in found["measured"].split(" per")[0].split(" ± "))
    assert predicted == pytest.approx(math.sqrt(1 + 0.3**2), rel=1e-9)
    assert abs(measured - predicted) <= error + 1e-12 < 1e-3
    assert found["behaviour"] == "diverges"
    with pytest.raises(Refused):
        game.answer("bilinear", "simultaneous", -1.0)


def test_every_command_that_a_view_shows_runs_and_says_the_same():
    shown = [
        (loss.answer(**STANDARD)["command"], "G follows"),
        (densities.answer("normal(0, 1)", "normal(d, 1)", 2.0)["command"], "0.33683082"),
        (game.answer("bilinear", "optimistic", 0.5)["command"], "converges"),
    ]
    for line, words in shown:
        done = run(line)
        assert done.exit_code == 0, (line, done.output)
        assert words in done.output


def test_text_with_quotes_and_dashes_survives_a_command_line():
    line = command("derive", generator="-t", real="it's; rm -rf /", flag=True)
    assert shlex.split(line) == [
        "gantheory", "derive", "--generator=-t", "--real", "it's; rm -rf /", "--flag",
    ]  # fmt: skip


def test_a_question_without_an_answer_in_time_is_ended_and_the_next_is_answered():
    answers = Answers(children=1)
    try:
        with pytest.raises(ValueError, match="no answer within"):
            answers.ask("game", {"game": "bilinear", "method": "flow", "step": 0.1}, seconds=0.001)
        refused = answers.ask("loss", {**STANDARD, "real": HOSTILE})
        assert refused["field"] == "real"
        assert all(child.daemon for child in active_children())  # none outlives the server
    finally:
        answers.end()


def test_a_curve_has_no_point_beside_one_that_is_not_known():
    x, y = [0.0, 1.0, 2.0, 3.0], [1.0, None, 3.0, 7.0]
    places = (0.5, 1.5, 2.25, 4.0)
    assert [_at(x, y, place) for place in places] == [None, None, 4.0, None]
