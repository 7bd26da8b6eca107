"""Losses whose free parameters weigh their payoffs, against a search with numbers for them."""

import numpy as np
import pytest

from gantheory import Loss, derive

NUMBERS = {"a": 0.75, "b": 1.5, "c": 2.0, "k": 3.0}
A, B, C, K = NUMBERS.values()


def huber(u, width):
    return np.where(abs(u) <= width, u**2 / 2, width * (abs(u) - width / 2))


def D(t):
    return 1 / (1 + np.exp(-t))


LOSSES = {  # formulas and domain; the same by numpy with the numbers, and the ends of its search
    "two hills": (
        ("-c*(t**4 - t)", "-D", "-D", "(-oo, oo)"),
        (lambda t: -C * (t**4 - t), lambda t: -D(t), lambda t: -D(t), -9, 9),
    ),
    "an end": (
        ("c*tanh(t)", "-b*(relu(t) + t**2/8)", "-a*t + 3", "[-2, 2]"),
        (
            lambda t: C * np.tanh(t),
            lambda t: -B * (np.maximum(t, 0) + t**2 / 8),
            lambda t: 3 - A * t,
            -2,
            2,
        ),
    ),
    "generator alone": (
        ("-huber(1 - t, 1/2)", "-exp(t/2)", "k*(t - 1/2)**2 + c", "(-oo, oo)"),
        (
            lambda t: -huber(1 - t, 0.5),
            lambda t: -np.exp(t / 2),
            lambda t: K * (t - 0.5) ** 2 + C,
            -9,
            9,
        ),
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
def test_weights_leave_signs_as_they_are_and_move_the_ratios(name):
    (real, fake, generator, domain), functions = LOSSES[name]
    loss = Loss(name, real, fake, generator, domain=domain)
    found = derive(loss, seconds=100)
    assert found.status == "derived"
    assert found.value.is_divergence
    numbers = {key: NUMBERS[key] for key in loss.parameters}
    for ratio in (0.09, 0.8, 5.0):
        (row,) = found.at(ratio, parameters=numbers)
        low, here, high = (searched(functions, ratio * k) for k in (1 - 1e-3, 1, 1 + 1e-3))
        assert row.t.value == pytest.approx(here[0], abs=1e-5)
        slopes = [(high[k] - low[k]) / (2e-3 * ratio) for k in (1, 2)]
        assert row.value.value == pytest.approx(slopes[0], rel=1e-3, abs=1e-4)
        assert row.followed.value == pytest.approx(-slopes[1] / ratio, rel=1e-3, abs=1e-4)
    even = searched(functions, 1)
    at_one = found.equilibrium
    for stated, truth in ((at_one.discriminator_loss, -even[3]), (at_one.generator_loss, even[2])):
        given = {symbol: numbers[str(symbol)] for symbol in stated.free_symbols}
        assert float(stated.subs(given)) == pytest.approx(truth, abs=1e-5)
    heights = [searched(functions, r)[2] for r in np.geomspace(0.02, 50, 40)]
    assert found.followed.is_divergence == bool(np.all(np.diff(heights) <= 1e-9))


def test_what_a_closed_form_leaves_open_is_read_without_the_weights():
    found = derive(Loss("half closed", "-c*sigmoid(-t)", "1 - exp(t)", "-atan(t)"), seconds=100)
    at_one = found.equilibrium.discriminator_loss
    grid = np.linspace(-20, 5, 200_001)
    height = np.max(-C * D(-grid) + 1 - np.exp(grid))
    given = {symbol: C for symbol in at_one.free_symbols}
    assert float(at_one.subs(given)) == pytest.approx(-height, abs=1e-7)
    assert found.loss.is_divergence is False


def test_where_the_optimum_jumps_at_equality_the_other_score_is_named_for_its_weights():
    found = derive(Loss("hills", "-c*(t**4 - t)", "-D", "-D"), seconds=100)
    (other,) = found.equilibrium.others
    assert float(other.condition.rhs) == pytest.approx(0.24998193, abs=1e-8)
    assert str(found.summary[1].text).endswith("where r stands for (c)·p/q")


def test_a_loss_without_a_bound_has_none_whatever_the_weights():
    found = derive(Loss("up", "c*(t + tanh(t) + t**2)", "-exp(-t)", "-t"), seconds=100)
    assert found.status == "no optimum"


def test_parameters_that_do_more_than_weigh_are_not_taken_for_weights():
    from gantheory.derivations.weighted import weighed
    from gantheory.functions import to_sympy

    assert weighed(to_sympy("a*t + t**2")) is None
    assert weighed(to_sympy("a*t**b")) is None
    assert weighed(to_sympy("a*(b*t + b*exp(t))/3 - b")).weight == to_sympy("a*b")
