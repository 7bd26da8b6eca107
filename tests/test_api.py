"""The flat interface: one call for a question."""

import pickle

import pytest

import gantheory as gt
from gantheory.derivations.kept import nothing_kept
from gantheory.errors import GantheoryError
from gantheory.losses import CATALOGUE, CRITICS


@pytest.mark.parametrize("name", gt.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name):
    assert getattr(gt, name).__doc__


@pytest.mark.parametrize("name", [*CRITICS, "WGAN"])
def test_a_constrained_loss_is_derived_by_name_like_any_other(name):
    found = gt.derive(name)
    assert isinstance(found, gt.CriticDerivation)
    with nothing_kept():
        assert found == gt.derive(gt.find(name))


@pytest.mark.parametrize("name", list(CATALOGUE)[::4])
def test_a_derivation_travels_to_another_process_with_its_proof(name):
    found = gt.derive(name)
    there = pickle.loads(pickle.dumps(found))
    assert there == found
    assert there.steps == found.steps
    assert there.as_dict() == found.as_dict()


def test_a_typo_gets_one_line_with_the_nearest_names():
    with pytest.raises(GantheoryError, match="did you mean 'wasserstein'"):
        gt.derive("waserstein")
    with pytest.raises(GantheoryError, match=r"minimax\.optimal-discriminator"):
        gt.check("minimax.optimal-discriminater")


def test_claims_are_decided_by_their_ids():
    law, twin = gt.check(["minimax.optimal-discriminator", "minimax.optimal-discriminator-twin"])
    assert law.as_expected
    assert twin.as_expected
    assert (law.verdict.how, twin.verdict.how) == (gt.How.PROVED, gt.How.REFUTED)
