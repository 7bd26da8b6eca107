"""Losses with free parameters and no closed form, against a search with numbers for them."""

import json

import numpy as np
import pytest
import sympy as sp
from click.testing import CliRunner

from gantheory import Loss, derive, explain
from gantheory.cli.derive import command as derive_command
from gantheory.derivations import at_numbers

A, G = 1.3, 0.4
NUMBERS = {"a": A, "g": G}


def softplus(u):
    return np.logaddexp(0, u)


LOSSES = {  # formulas; the same by numpy with the numbers; ends; followed a divergence, loss
    "quartic": (
        ("-(t - a)**2 - g*t**4", "-softplus(t)", "-t", "(-oo, oo)"),
        (lambda t: -((t - A) ** 2) - G * t**4, lambda t: -softplus(t), lambda t: -t, -9, 9),
        True,
    ),
    "turning": (
        ("t", "-t**2/2 - g*t**4", "-t + a*t**2", "(-oo, oo)"),
        (lambda t: t, lambda t: -(t**2) / 2 - G * t**4, lambda t: A * t**2 - t, -9, 9),
        False,
    ),
    "ends": (
        ("t - exp(-a*t)/3", "-t**2 - g*exp(t)", "softplus(-t) + relu(2 - t)", "[-1, 1]"),
        (
            lambda t: t - np.exp(-A * t) / 3,
            lambda t: -(t**2) - G * np.exp(t),
            lambda t: softplus(-t) + 2 - t,
            -1,
            1,
        ),
        True,
    ),
}


def searched(functions, ratio):
    """Return t*, a(t*), c(t*) and the height by finer and finer grids around the best place."""
    real, fake, generator, low, high = functions
    for _ in range(8):
        grid = np.linspace(low, high, 2001)
        height = ratio * real(grid) + fake(grid)
        k = int(np.argmax(height))
        low, high = grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)]
    return grid[k], real(grid[k]), generator(grid[k]), height[k]


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_with_parameters_is_decided_for_all_of_them_in_the_score(name, monkeypatch):
    monkeypatch.setattr(at_numbers, "SHARES", at_numbers.SHARES[:1])  # numbers that confirm: fewer
    (real, fake, generator, domain), functions, follows = LOSSES[name]
    loss = Loss(name, real, fake, generator, domain=domain)
    found = derive(loss, seconds=100)
    assert found.status == "derived"
    assert found.value.is_divergence
    assert found.followed.is_divergence is follows
    for ratio in (0.09, 0.8, 30.0):
        (row,) = found.at(ratio, parameters=NUMBERS)
        low, here, high = (searched(functions, ratio * k) for k in (1 - 1e-3, 1, 1 + 1e-3))
        assert row.t.value == pytest.approx(here[0], abs=1e-5)
        slopes = [(high[k] - low[k]) / (2e-3 * ratio) for k in (1, 2)]
        assert row.value.value == pytest.approx(slopes[0], rel=1e-3, abs=1e-4)
        assert row.followed.value == pytest.approx(-slopes[1] / ratio, rel=1e-3, abs=1e-4)
    even, at_one = searched(functions, 1), found.equilibrium
    for stated, truth in ((at_one.discriminator_loss, -even[3]), (at_one.generator_loss, even[2])):
        given = {symbol: NUMBERS[str(symbol)] for symbol in stated.free_symbols}
        assert float(stated.subs(given)) == pytest.approx(truth, abs=1e-5)
    heights = [searched(functions, r)[2] for r in np.geomspace(0.02, 50, 40)]
    assert follows == bool(np.all(np.diff(heights) <= 1e-9))
    ways = {step.title: step.known for step in found.steps}
    assert ways["The optimal discriminator"] == "proved"
    kinds = [branch.kind for branch in found.optimum.branches]
    assert kinds == (["end", "stationary", "end"] if name == "ends" else ["stationary"])


def test_what_depends_on_the_parameters_says_at_which_numbers_it_holds():
    found = derive(Loss("drift", "t - g*t**4", "-exp(t) - a*t**2", "-t"), seconds=100)
    assert found.loss.is_divergence is None
    assert "a divergence at a = 1/5" in found.loss.reason
    assert "none at a = 1" in found.loss.reason
    assert (found.equilibrium.D, found.equilibrium.discriminator_loss) == (0, 1)
    assert found.saturation.limit_at_0 == 0
    given = derive(Loss("drift", "t - g*t**4", "-exp(t) - a*t**2", "-t").given(a="1/5", g="1/5"))
    assert given.loss.is_divergence


def test_numbers_typed_for_parameters_are_read_at_ratios():
    typed = ["--real", "t", "--fake", "-exp(t) - k*t**4", "--generator=-t", "--at", "3", "--json"]
    given = CliRunner().invoke(derive_command, [*typed, "--parameter", "k=1/2"])
    (row,) = json.loads(given.output)["at"]
    here = searched((lambda t: t, lambda t: -np.exp(t) - t**4 / 2, lambda t: -t, -9, 9), 3)
    assert row["t"]["value"] == pytest.approx(here[0], abs=1e-6)
    free = CliRunner().invoke(derive_command, typed)
    assert "--parameter NAME=0.5" in str(free.exception)


def test_a_concavity_that_depends_on_the_parameters_leaves_the_optimum_open():
    found = derive(Loss("hills", "tanh(a*t) - t**2", "-t - t**4", "-t"), seconds=100)
    assert "concavity depends on the parameters" in found.undecided["optimum"]


@pytest.mark.parametrize(
    ("generator", "first", "last", "falls"),
    [
        ("-t", -1, -1, True),
        ("exp(-t)", "-exp(c)", "-exp(-c)", True),
        ("t**3", "3*c**2", "3*c**2", False),
    ],
)
def test_at_the_ends_of_a_domain_the_score_sees_the_slope_of_the_loss(
    generator, first, last, falls
):
    """D is certain at an end: the loss stands still in r, and has its slope there in the score."""
    found = derive(Loss("ends", "log(D)", "log(1 - D) - t", generator, domain="[-c, c]"))
    c = sp.Symbol("c", positive=True)
    read = found.saturation.score_limit_at_0, found.saturation.score_limit_at_inf
    for told, truth in zip(read, (first, last), strict=True):
        assert sp.simplify(told - sp.sympify(truth, {"c": c})) == 0
    assert found.saturation.limit_at_0 == found.saturation.limit_at_inf == 0
    assert found.saturation.vanishing_in_score is False
    assert found.loss.is_divergence is (False if falls else None)
    assert ("begins to fall" in found.loss.reason) is falls


def test_pieces_in_the_parameters_are_said_in_words_everywhere():
    loss = Loss("mine", "-gamma*relu(1 - t)", "-relu(1 + t)", "-t", parameters={"gamma": "(0, oo)"})
    found = derive(loss)
    printed = [str(found), *(step.text for step in found.steps), str(explain(loss))]
    assert any("2·gamma where gamma <= 1, else 2" in text for text in printed)
    assert [text for text in printed if "Piecewise" in text or "Eq(" in text] == []
