"""Losses are found as people type them: in any case, by alias, and else with the nearest."""

import dataclasses

import pytest

from gantheory.errors import GantheoryError
from gantheory.losses import CATALOGUE, CRITICS, find, get_loss
from gantheory.naming import find_entry

ENTRIES = [*CATALOGUE.values(), *CRITICS.values()]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_an_entry_answers_to_its_name_and_aliases_in_any_case(entry):
    for said in (entry.name, *entry.aliases):
        for typed in (said, said.upper(), said.replace("-", "_"), f" {said.replace('-', ' ')} "):
            assert find(typed) is entry


def test_no_alias_is_the_name_of_another_entry():
    names = {entry.name for entry in ENTRIES}
    said = [alias for entry in ENTRIES for alias in entry.aliases]
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


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("lsgann", "'least-squares-01'"), ("wasserstien gan", "'wasserstein'"), ("hinges", "'hinge'")],
)
def test_a_slip_is_answered_by_alias_and_title_too(typed, meant):
    with pytest.raises(GantheoryError, match="did you mean") as error:
        find(typed)
    assert meant in str(error.value)


def test_what_resembles_nothing_is_answered_with_all_names():
    with pytest.raises(GantheoryError, match="known: alpha-gan, "):
        find("zzzzzz")


def test_numbers_follow_an_alias_and_a_critic_takes_none():
    assert get_loss("EBGAN(m=2)").name == "energy-based(m=2)"
    with pytest.raises(GantheoryError, match="has no parameters"):
        find("wgan(m=2)")
    with pytest.raises(GantheoryError, match="not separable"):
        get_loss("wgan")
