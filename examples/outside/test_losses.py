"""The project's own tests, with the kit."""

import losses
import published
import pytest

from gantheory.testing import check_game, check_gradient_penalty, check_losses


def test_the_losses_are_those_of_the_non_saturating_game():
    assert check_losses(losses.d_loss, losses.g_loss, "non-saturating").recovered


def test_the_penalty_is_r1_with_gamma_10():
    check_gradient_penalty(losses.r1_penalty, target=0.0, weight=10.0)


@pytest.mark.parametrize("rate", [0.1, 1.0])
def test_both_players_descend(rate):
    check_game(lambda x, y: (-rate * y, rate * x), "bilinear", factor=rate)


@pytest.mark.xfail(raises=AssertionError, strict=True, reason="the norm of the channels alone")
def test_the_published_penalty_is_that_of_a_sample():
    check_gradient_penalty(published.gradient_penalty, target=1.0, weight=10.0)


@pytest.mark.xfail(raises=AssertionError, strict=True, reason="the label of fakes")
def test_the_published_generator_is_non_saturating():
    check_losses(losses.d_loss, published.g_loss, "non-saturating")
