"""The Loss record checks its own formulas when it is built."""

import re

import pytest

from gantheory import derive
from gantheory.errors import GantheoryError
from gantheory.formulas import interval
from gantheory.losses import CATALOGUE, CRITICS, get_loss
from gantheory.losses.loss import Loss

MINIMAX = {"real": "log(D)", "fake": "log(1 - D)", "generator": "log(1 - D)"}


def test_a_game_prints_its_formulas_and_nothing_derived():
    loss = Loss("mine", **MINIMAX)
    assert loss.as_dict() == {
        "name": "mine", "title": "mine", **MINIMAX,
        "domain": "(-oo, oo)", "link": "sigmoid(t)", "parameters": {},
    }  # fmt: skip


def test_the_link_is_the_score_itself_where_no_payoff_is_written_in_d():
    assert Loss("w", real="t", fake="-t", generator="-t").link == "t"


def test_parameters_are_positive_unless_declared():
    loss = Loss("m", real="alpha*t", fake="-b*t", generator="-t", parameters={"b": "(0, 1)"})
    assert loss.parameters == {"alpha": "(0, oo)", "b": "(0, 1)"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"real": "log(D"}, "malformed"),
        ({"real": "log(E[x])"}, "no name with a law"),
        ({"domain": "0, 1"}, "malformed domain"),
        ({"domain": "(0, 1, 2)"}, "two ends"),
        ({"domain": "(a.b, 1)"}, "not arithmetic"),
        ({"parameters": {"alpha": "(0, 1)"}}, "occurs in no payoff"),
    ],
)
def test_malformed_games_name_the_text_and_the_remedy(changes, said):
    with pytest.raises(GantheoryError, match=said):
        Loss("mine", **{**MINIMAX, **changes})


def test_an_interval_knows_which_ends_are_attained():
    half_open = interval("[0, oo)")
    assert (half_open.closed_lower, half_open.closed_upper) == (True, False)


def test_a_game_is_given_numbers_for_its_parameters():
    loss = get_loss("two-sided-smoothing(a=0.9, b=1/10)")
    assert loss.name == "two-sided-smoothing(a=9/10, b=1/10)"
    assert loss.real == "9 / 10 * log(D) + (1 - 9 / 10) * log(1 - D)"
    assert loss.parameters == {}
    assert loss.claims == ()
    assert get_loss("energy-based(m=2)").domain == "[0, oo)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("two-sided-smoothing(a=0.9)", "needs a number for b"),
        ("two-sided-smoothing(a=0.5, b=0.6)", r"b=3/5 is outside its legal interval \(0, a\)"),
        ("alpha-gan(alpha=0)", "outside its legal interval"),
        ("alpha-gan(alpha=1)", r"'alpha-gan' with alpha=1: payoff .* divides by zero"),
        ("alpha-gan(alpha=1)", "divides by zero"),
        ("alpha-gan(beta=1)", "unknown parameter"),
        ("alpha-gan(alpha=t)", "is no number"),
        ("alpha-gan(alpha=2", "does not close"),
        ("hinge(m=1)", "unknown parameter"),
    ],
)
def test_numbers_that_a_game_cannot_take_are_refused(text, said):
    with pytest.raises(GantheoryError, match=said):
        get_loss(text)


@pytest.mark.parametrize("loss", [*CATALOGUE.values(), *CRITICS.values()], ids=lambda g: g.name)
def test_a_paper_appeared_within_two_years_after_its_preprint(loss):
    number = re.search(r"(\d\d)(\d\d)", loss.reference.arxiv)
    if "/" not in loss.reference.arxiv:  # the older numbers name a field
        assert 0 <= loss.reference.year - (2000 + int(number[1])) <= 2
        assert 1 <= int(number[2]) <= 12
    assert loss.reference.title
    assert loss.reference.authors


def test_numbers_for_some_parameters_leave_the_typical_ones_of_the_others():
    free = Loss("mine", "a*t", "-b*t**2", "-t", typical={"a": "3", "b": "2"})
    assert dict(free.partly(b=5).typical) == {"a": "3"}


@pytest.mark.parametrize("domain", ["(2, 1)", "(1, 1)", "(0, -oo)"])
def test_a_domain_whose_ends_are_exchanged_is_empty(domain):
    with pytest.raises(GantheoryError, match="is empty; write its lower end first"):
        derive(Loss("mine", "t", "-t**2", "-t", domain=domain))
