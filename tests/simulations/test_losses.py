"""Losses in torch are the games' formulas: against 60-digit arithmetic on the text itself."""

import ast
import math
import re
from pathlib import Path

import mpmath
import pytest
import sympy
import torch
from mpmath import mp

from gantheory.errors import GantheoryError
from gantheory.functions import t
from gantheory.losses import CATALOGUE
from gantheory.losses.loss import Loss
from simulations.losses import (
    discriminator_loss,
    generator_loss,
    smooth_labels,
    torch_loss,
)

GAMES = sorted(CATALOGUE)
PARTS = ("real", "fake", "generator")
VALUES = {"a": 0.9, "b": 0.2, "c": 0.7, "alpha": 0.5, "m": 2.0, "prior": 0.3}
OUTPUTS = (-800.0, -90.0, -17.3, -2.1, -0.4, 0.3, 1.7, 12.9, 88.0, 800.0)
# a few roundings in the dtype, relative to the largest term of the formula
ROUNDING = {torch.float32: 4e-6, torch.float64: 1e-14}


def values_of(loss):
    if loss.name == "least-squares":  # whose labels are in the other order
        return {"a": 0.2, "b": 0.9, "c": 0.7}
    return {name: VALUES.get(name, 0.4) for name in loss.parameters}


def oracle(loss, part):
    """Return a payoff as a function of the score, evaluated from its text by mpmath alone."""
    code = compile(getattr(loss, part), "payoff", "eval")
    names = {
        name: getattr(mpmath, name) for name in ("log", "exp", "sqrt", "tanh", "atan")
    } | {"abs": abs, "max": max, "min": min, "relu": lambda u: max(u, mp.mpf(0)),
         "sigmoid": lambda u: 1 / (1 + mpmath.exp(-u)),
         "softplus": lambda u: mpmath.log(1 + mpmath.exp(u)),
         **{k: mp.mpf(v) for k, v in values_of(loss).items()}}  # fmt: skip
    return lambda score: eval(code, {}, names | {"t": score, "D": names["sigmoid"](score)})


def compiled(name):
    loss = CATALOGUE[name]
    return loss, torch_loss(loss, values_of(loss))


@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("name", GAMES)
def test_every_payoff_and_gradient_is_finite_at_outputs_of_size_800(name, dtype):
    _, loss = compiled(name)
    for part in PARTS:
        payoff = getattr(loss, part)
        output = torch.linspace(-800, 800, 97, dtype=dtype, requires_grad=True)
        value = payoff(output)
        (gradient,) = torch.autograd.grad(value.sum(), output)
        for result in (value, gradient, payoff.slope(output.detach())):
            assert result.isfinite().all(), part


@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("name", GAMES)
def test_every_payoff_equals_its_text_to_rounding(name, dtype):
    loss, torch_version = compiled(name)
    score = sympy.lambdify(t, torch_version.score.expression.rewrite(sympy.exp), "mpmath")
    for part in PARTS:
        exact = oracle(loss, part)
        got = getattr(torch_version, part)(torch.tensor(OUTPUTS, dtype=dtype)).tolist()
        for output, value in zip(torch.tensor(OUTPUTS, dtype=dtype).tolist(), got, strict=True):
            with mp.workdps(900):  # 1 − D is 1e-348 at an output of 800
                wanted = exact(score(mp.mpf(output)))
            if abs(wanted) < 1e30:  # beyond, exponentials saturate
                # size: what the terms of a formula cancel from, such as 1/(a−1) and labels
                assert abs(value - wanted) <= ROUNDING[dtype] * (2 + abs(wanted)), (part, output)


@pytest.mark.parametrize("name", GAMES)
def test_every_slope_is_the_derivative_of_the_text(name):
    loss, torch_version = compiled(name)
    score = sympy.lambdify(t, torch_version.score.expression.rewrite(sympy.exp), "mpmath")
    points = [-17.3, -2.1, -0.4, 0.3, 1.7, 12.9]  # no kink of any game lies here
    for part in PARTS:
        exact, payoff = oracle(loss, part), getattr(torch_version, part)
        outputs = torch.tensor(points, dtype=torch.float64, requires_grad=True)
        (automatic,) = torch.autograd.grad(payoff(outputs).sum(), outputs)
        slopes = payoff.slope(outputs.detach())
        for point, by_sympy, by_autograd in zip(points, slopes, automatic, strict=True):
            with mp.workdps(60):
                wanted = float(mp.diff(lambda v: exact(score(v)), mp.mpf(point)))  # noqa: B023
            scale = 1e-11 * (1 + abs(wanted))
            assert abs(by_sympy.item() - wanted) <= scale, (part, point)
            assert abs(by_autograd.item() - wanted) <= scale, (part, point)


@pytest.mark.parametrize("name", GAMES)
def test_scores_of_any_network_output_lie_in_the_games_domain(name):
    loss, torch_version = compiled(name)
    scores = torch_version.score(torch.linspace(-30, 30, 101, dtype=torch.float64))
    lower, upper = (end.strip("()[] ") for end in loss.domain.split(","))
    assert (scores >= float(sympy.Rational(lower)) if lower != "-oo" else torch.tensor(True)).all()
    assert (scores <= float(sympy.Rational(upper)) if upper != "oo" else torch.tensor(True)).all()
    assert (scores.diff() >= 0).all()
    assert scores[0] < scores[-1]


@pytest.mark.parametrize("planted", ["log(D)", "-log(D)/2", "-log(1 - D)", "log(1 - D)"])
def test_a_planted_error_in_a_payoff_is_not_within_rounding(planted):
    right = torch_loss("non-saturating").generator
    wrong = torch_loss(Loss("planted", "log(D)", "log(1 - D)", planted)).generator
    output = torch.tensor(OUTPUTS[2:8], dtype=torch.float64)
    assert ((right(output) - wrong(output)).abs() > 1e-3).any()


def test_losses_of_scores_are_minus_v_and_the_generators_mean():
    real, fake = torch.tensor([0.3, -1.0]), torch.tensor([2.0, 0.1, -0.7])
    sigmoid = [1 / (1 + math.exp(-x)) for x in (0.3, -1.0, 2.0, 0.1, -0.7)]
    value = sum(math.log(s) for s in sigmoid[:2]) / 2
    value += sum(math.log(1 - s) for s in sigmoid[2:]) / 3
    assert discriminator_loss("minimax")(real, fake).item() == pytest.approx(-value, rel=1e-6)
    wanted = -sum(math.log(s) for s in sigmoid[2:]) / 3
    assert generator_loss("non-saturating")(fake).item() == pytest.approx(wanted, rel=1e-6)


def test_a_parameter_without_a_value_is_named():
    with pytest.raises(GantheoryError, match=r"least-squares.*a, b, c|least-squares.*a"):
        torch_loss("least-squares")
    with pytest.raises(GantheoryError, match="did you mean 'minimax'"):
        torch_loss("minmax")


def test_smoothed_labels_are_a_game_with_mixed_payoffs():
    loss = smooth_labels("non-saturating", real=0.9)
    smooth, plain = torch_loss(loss), torch_loss("non-saturating")
    x = torch.tensor([-3.0, 0.2, 5.0], dtype=torch.float64)
    torch.testing.assert_close(smooth.real(x), 0.9 * plain.real(x) + 0.1 * plain.fake(x))
    torch.testing.assert_close(smooth.fake(x), plain.fake(x))
    torch.testing.assert_close(smooth.generator(x), plain.generator(x))
    with pytest.raises(GantheoryError, match=r"real=1\.2"):
        smooth_labels("minimax", real=1.2)


def test_no_gan_loss_is_written_by_hand_in_torch():
    by_hand = re.compile(r"BCE|binary_cross_entropy|logsigmoid|MSELoss|hinge_loss|mse_loss")
    for path in Path("simulations").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):  # what messages say is not code
            name = getattr(node, "attr", getattr(node, "id", ""))
            assert not by_hand.search(str(name)), path
