"""The flat interface: one call for a question."""

import doctest
import inspect
import pickle
import re
from importlib import import_module
from pathlib import Path

import pytest

import gantheory as gt
from gantheory.derivations.kept import nothing_kept
from gantheory.errors import GantheoryError
from gantheory.losses import CATALOGUE, CRITICS

PAGE = (Path(__file__).parents[1] / "docs" / "reference" / "api.md").read_text()
ON_PAGE = re.findall(r"\.\. auto(?:class|function|exception):: gantheory\.(\S+)", PAGE)


@pytest.mark.parametrize("name", gt.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name):
    assert getattr(gt, name).__doc__


def test_every_public_name_is_on_the_page_of_the_interface():
    assert {name for name in gt.__all__ if not inspect.ismodule(getattr(gt, name))} <= {*ON_PAGE}


@pytest.mark.parametrize("plural", ["losses", "divergences", "densities", "games"])
def test_each_catalogue_has_its_module_and_a_list_of_its_names(plural):
    assert inspect.ismodule(getattr(gt, plural))
    assert getattr(gt, f"list_{plural}")()


@pytest.mark.parametrize("path", ON_PAGE)
def test_every_name_on_the_page_has_an_example(path):
    """Which the suite runs, as every doctest: here it is only found."""
    module, _, name = f"gantheory.{path}".rpartition(".")
    found = getattr(import_module(module), name)
    texts = [found.__doc__, *(getattr(part, "__doc__", "") for part in vars(found).values())]
    assert any(doctest.DocTestParser().get_examples(text or "") for text in texts)


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
