"""Where the generator's loss alone jumps, D* is as without it, and a score reads the side it is on.

The oracle evaluates the formula as typed at the score that is optimal at r = 1, in Python.
"""

import random

import pytest
import sympy as sp

from gantheory import Loss, derive

GAMES = {  # real, fake, and the only optimal score at r = 1
    "logistic": ("log(D)", "log(1 - D)", 0),
    "least squares": ("-(t - 1)**2", "-t**2", sp.Rational(1, 2)),
    "exponential": ("-exp(-t)", "-exp(t)", 0),
    "quadratic": ("t", "-t**2/4 - t", 0),
    "shifted": ("-(t - 3)**2", "-2*t**2", 1),
}
LOSSES = ["-t", "1 - t", "t**2 + 2", "3", "exp(t)", "-2*t - 1"]


@pytest.mark.parametrize("game", GAMES)
@pytest.mark.parametrize("seed", range(3))
def test_a_jump_of_the_generators_loss_leaves_the_optimum_alone(game, seed):
    draw = random.Random(f"{game} {seed}")
    real, fake, best = GAMES[game]
    place = best + draw.choice([0, 0, 0, sp.Rational(1, 3), -1])
    below, above = draw.sample(LOSSES, 2)
    relation = draw.choice(["<", "<=", ">", ">="])
    first, second = (below, above) if "<" in relation else (above, below)
    jumping = Loss("jumping", real, fake, f"where(t {relation} {place}, {first}, {second})")
    found, smooth = derive(jumping), derive(Loss("smooth", real, fake, "-t"))
    assert str(found.value.curvature) == str(smooth.value.curvature)
    assert found.equilibrium.D == smooth.equilibrium.D
    chosen = first if sp.sympify(f"{best} {relation} {place}") else second
    told = sp.sympify(chosen).subs("t", best)
    assert found.equilibrium.generator_loss == told
    assert not found.equilibrium.others


def test_the_attained_side_of_a_jump_at_the_best_score_is_read():
    found = derive(Loss("hinge", "-relu(1 - t)", "-relu(1 + t)", "where(t < 1, -t, 5 - t)"))
    assert found.followed is not None
    assert found.loss.is_divergence is False  # its generator jumps from 1 to 4
    assert "jumps by 3" in found.loss.reason


@pytest.mark.parametrize(
    ("generator", "others"),
    [
        ("where(t >= 1, 5 - t, -t)", [(1, 4)]),
        ("where(t > 1, 5 - t, -t)", []),
        ("where(t > -1, -t, 9)", [(-1, 9)]),
        ("where(t >= 1, 2 - t, -t)", []),  # 1, which the stretch comes near to at its other end
        ("where(t > 0, -t, 3 - t)", []),
    ],
)
def test_a_loss_at_the_end_of_a_stretch_that_jumps_there_is_told(generator, others):
    found = derive(Loss("hinge", "-relu(1 - t)", "-relu(1 + t)", generator))
    assert [(one.D, one.generator_loss) for one in found.equilibrium.others] == others
    assert found.equilibrium.D_range == (-1, 1)
    told = found.summary[-1].text
    assert all(f"or {loss} at D = {D}" in told for D, loss in others)


@pytest.mark.parametrize(("relation", "loss"), [(">", 1), (">=", 0)])
def test_a_jump_leaves_an_optimum_without_a_closed_form_alone_too(relation, loss):
    payoffs = "log(D) - t**4", "log(1 - D)"
    found = derive(Loss("jumping", *payoffs, f"where(t {relation} 0, t, 1 + t)"))
    smooth = derive(Loss("smooth", *payoffs, "-t"))
    assert [row.t.value for row in found.at(0.5, 2)] == [row.t.value for row in smooth.at(0.5, 2)]
    assert found.equilibrium.generator_loss == loss
    assert not found.equilibrium.others
    assert "jumps by -1" in found.loss.reason
