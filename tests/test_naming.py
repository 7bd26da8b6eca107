"""Losses are found as people type them: in any case, by alias, and else with the nearest."""

import ast
import dataclasses

import pytest

from gantheory.densities import density
from gantheory.dynamics.games import get_game
from gantheory.errors import GantheoryError
from gantheory.expressions import number, parse
from gantheory.formulas import PAYOFF
from gantheory.integrals.curves import Family, find_family
from gantheory.losses import CATALOGUE, CRITICS, find, get_loss
from gantheory.naming import find_entry

ENTRIES = [*CATALOGUE.values(), *CRITICS.values()]
SHARED = {"sgan", "standard-gan"}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_an_entry_answers_to_its_name_and_aliases_in_any_case(entry):
    for said in (entry.name, *set(entry.aliases) - SHARED):
        for typed in (said, said.upper(), said.replace("-", "_"), f" {said.replace('-', ' ')} "):
            assert find(typed) is entry


def test_no_alias_is_the_name_of_another_entry():
    names = {entry.name for entry in ENTRIES}
    said = [alias for entry in ENTRIES for alias in entry.aliases if alias not in SHARED]
    assert len(said) == len(set(said))
    assert not names & set(said)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("lsgan", "least-squares-01"), ("vanilla", "minimax"), ("ns-gan", "non-saturating"),
        ("nsgan", "non-saturating"), ("wgan", "wasserstein"), ("WGAN-GP", "wgan-gp"),
        ("sngan", "hinge"), ("RaGAN", "relativistic-average"),
    ],
)  # fmt: skip
def test_common_names_mean_what_they_commonly_mean(typed, name):
    assert find(typed).name == name


def test_an_alias_of_two_entries_is_answered_with_what_each_is():
    twins = [
        dataclasses.replace(CATALOGUE["minimax"], aliases=("gan",)),
        dataclasses.replace(CATALOGUE["non-saturating"], aliases=("GAN",)),
    ]
    with pytest.raises(GantheoryError) as error:
        find_entry("loss", "Gan", twins)
    assert all(f"{twin.name} ({twin.title})" in str(error.value) for twin in twins)


def test_the_standard_gan_of_papers_is_answered_with_both_generators():
    with pytest.raises(GantheoryError, match=r"may mean minimax .* or non-saturating ") as error:
        find("SGAN")
    assert "(Non-saturating GAN)" in str(error.value)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("lsgann", "'least-squares-01'"), ("wasserstien gan", "'wasserstein'"), ("hinges", "'hinge'")],
)
def test_a_slip_is_answered_by_alias_and_title_too(typed, meant):
    with pytest.raises(GantheoryError, match="did you mean") as error:
        find(typed)
    assert meant in str(error.value)


def test_what_resembles_nothing_is_answered_with_a_few_names_and_their_number():
    with pytest.raises(
        GantheoryError, match=r"known: alpha-gan, .* \.\.\. \(\d+ in all, by 'gantheory losses'\)$"
    ):
        find("zzzzzz")


def test_numbers_follow_an_alias_and_a_critic_takes_none():
    assert get_loss("EBGAN(m=2)").name == "energy-based(m=2)"
    with pytest.raises(GantheoryError, match="is no parameter"):
        find("wgan(m=2)")
    with pytest.raises(GantheoryError, match="not separable"):
        get_loss("wgan")


@pytest.mark.parametrize(
    ("typed", "law"),
    [
        ("N(0, 1)", "normal(0, 1)"), ("GAUSSIAN(loc=2)", "normal(2, 1)"),
        ("U(0, 2)", "uniform(0, 2)"),
        ("Cauchy(1, 2)", "cauchy(1, 2)"), ("t(3)", "student_t(3, 0, 1)"),
        ("Mixture(0.5*n(0, 1) + 0.5*exponential(2))",
         "mixture(0.5*normal(0, 1) + 0.5*exponential(2))"),
    ],
)  # fmt: skip
def test_a_density_is_read_by_its_family_or_an_alias_in_any_case(typed, law):
    assert str(density(typed)) == law
    assert find_family(Family("N(0, 1)", typed)).at(1.0)[1] == density(law)


def test_ln_is_log_and_a_caret_is_a_power_that_binds_as_one():
    for typed, written in (("ln(D)", "log(D)"), ("-(t - 1)^2 + t", "-(t - 1)**2 + t")):
        assert ast.dump(parse(typed, PAYOFF)) == ast.dump(parse(written, PAYOFF))
    assert number(parse("2^3 + 1", PAYOFF)) == 9


@pytest.mark.parametrize(
    ("typed", "name"),
    [("LSGAN", "dirac-least-squares-01"), ("Dirac NS-GAN", "dirac-non-saturating"),
     ("gaussian_vanilla", "gaussian-minimax"), ("Linear-Quadratic", "linear-quadratic-minimax")],
)  # fmt: skip
def test_a_game_is_read_by_the_names_of_its_loss(typed, name):
    assert get_game(typed).name == get_game(name).name
