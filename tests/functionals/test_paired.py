"""Games on pairs: value and held gradient against one integral over a normal difference."""

import math

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.integrate import quad
from scipy.stats import norm

import gantheory as gt
from gantheory.cli.divergence import command as divergence_command

P, Q = "normal(0, 1)", "normal(1, 1)"
GAP = norm(1, math.sqrt(2))  # of y - x, which is log r(x) - log r(y)


def ranking(payoff, generator):
    return gt.Critic("rank", "Rank", gt.Pairs(payoff), gt.AnyFunction(), generator)


def softplus(x):
    return np.logaddexp(0, x)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(
    ("payoff", "generator", "share", "phi", "slope"),
    [
        ("log(sigmoid(t))", "-log(sigmoid(-t))", 1.0, lambda t: -softplus(-t), sigmoid),
        ("-exp(-t)", "exp(t)", 0.5, lambda t: -np.exp(-t), np.exp),
        (
            "-softplus(-2*t)",
            "-softplus(-t)",
            0.5,
            lambda t: -softplus(-2 * t),
            lambda t: sigmoid(-t),
        ),
    ],
)
def test_a_ranking_game_has_the_numbers_of_one_integral(payoff, generator, share, phi, slope):
    """C = share·log r; a fake that moves by dx changes C(x) - C(y) by share·dx with C held."""
    game = ranking(payoff, generator)
    best = gt.optimal_critic(game, P, Q)
    value = quad(lambda z: phi(share * z) * GAP.pdf(z), -20, 22, epsabs=1e-12)[0]
    moved = quad(lambda z: share * slope(share * z) * GAP.pdf(z), -20, 22, epsabs=1e-12)[0]
    gradient = best.gradient("q.loc")
    assert abs(best.value.value - value) <= best.value.error + 1e-10
    assert abs(gradient.value - moved) <= gradient.error + 1e-10
    assert best.value.error < 1e-9
    assert gradient.error < 1e-9
    follows = {line.label: line.text for line in gt.derive(game).summary}["G follows"]
    assert follows.startswith("an f-divergence")


def test_a_generator_that_ranks_fakes_below_follows_no_divergence():
    found = gt.derive(ranking("log(sigmoid(t))", "-t"))
    assert "no divergence" in found.follows


def test_ranking_losses_without_a_difference_of_scores_say_so():
    with pytest.raises(gt.GantheoryError, match=r"no difference of scores.*1/2\*triangular\(P x Q"):
        gt.optimal_critic(ranking("-(1 - t)**2", "(1 - t)**2"), P, Q)


def test_the_command_line_has_games_on_pairs_and_with_labels():
    run = CliRunner().invoke(divergence_command, ["relativistic.value", P, Q, "--wrt", "q.loc"])
    assert "-0.4918017089" in run.output
    assert "0.6750567023" in run.output
    run = CliRunner().invoke(divergence_command, ["conditional.value", P, Q])
    assert "-1.16345139675" in run.output  # 2·JSD - 2·log 2 of N(0, 1) and N(1, 1)
