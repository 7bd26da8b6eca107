"""A loss is derived once a process, and nothing that a limit of time cut short is kept."""

from dataclasses import replace

import pytest

import gantheory as gt
from gantheory.derivations import engine, kept
from gantheory.divergences import FDivergence
from gantheory.losses import get_loss
from gantheory.registry import register, unregister

SMALL = gt.Loss("small", "t", "-t**2/2", "-t")


@pytest.fixture
def derived(monkeypatch):
    """Return the names and times of what is really derived, in order."""
    log, right = [], engine._derived
    monkeypatch.setattr(engine, "_derived", lambda *asked: log.append(asked) or right(*asked))
    return log


def test_the_same_question_is_answered_once_and_another_is_another(derived):
    first = gt.derive(SMALL)
    assert gt.derive(gt.Loss("small", "t", "-t**2/2", "-t")) is first
    assert len(derived) == 1
    for other in (replace(SMALL, fake="-t**2"), replace(SMALL, domain="[-1, 1]"),
                  replace(SMALL, title="Small"), get_loss("least-squares").given(a=0, b=1, c=1),
                  get_loss("least-squares").given(a=0, b=1, c=0)):  # fmt: skip
        assert gt.derive(other).definition == gt.derive(other).definition == other
    assert len(derived) == 6


def test_what_a_limit_cut_short_is_derived_again_with_the_same_limit(derived):
    for _ in range(2):
        assert gt.derive(SMALL, seconds=1e-9).undecided
    assert gt.derive(SMALL).status == "derived"
    assert len(derived) == 3


def test_a_name_that_is_entered_or_withdrawn_is_seen(derived):
    before = gt.derive(SMALL).value.divergence
    mine = register(FDivergence("small_one", "(r - 1)**2/4", title="S"))
    try:
        gt.derive(SMALL)
        assert len(derived) == 2
    finally:
        unregister(mine)
    assert gt.derive(SMALL).value.divergence == before
    assert len(derived) == 2


def test_at_most_so_many_are_kept_and_the_oldest_goes_first(derived, monkeypatch):
    monkeypatch.setattr(kept, "MOST", 2)
    for generator in ("-t", "-2*t", "-3*t", "-t"):
        gt.derive(replace(SMALL, generator=generator))
    assert len(derived) == 4


def test_a_loss_of_a_users_own_class_is_not_kept(derived):
    class Mine(gt.Loss):
        pass

    one = Mine("small", "t", "-t**2/2", "-t")
    assert gt.derive(one) == gt.derive(one)
    assert len(derived) == 2
