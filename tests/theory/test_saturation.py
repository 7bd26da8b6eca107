"""Where a gradient vanishes is said of two places; torch's autograd sees what is said of each."""

import math
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gantheory import derive
from gantheory.functions import r
from gantheory.losses import CATALOGUE
from gantheory.report.losses import view_loss

torch.set_num_threads(1)
FUNCTIONS = {
    "log": torch.log, "exp": torch.exp, "sqrt": torch.sqrt, "abs": torch.abs, "relu": torch.relu,
    "softplus": torch.nn.functional.softplus, "sigmoid": torch.sigmoid, "tanh": torch.tanh,
    "max": lambda *x: torch.stack(torch.broadcast_tensors(*map(torch.as_tensor, x))).amax(0),
    "min": lambda *x: torch.stack(torch.broadcast_tensors(*map(torch.as_tensor, x))).amin(0),
}  # fmt: skip
theory = cache(derive)


def numbers_for(name):
    loss = CATALOGUE[name]
    values = {p: 0.3 + 0.4 * k for k, p in enumerate(loss.parameters)}
    return values | ({"a": -0.3, "b": 0.8, "c": 0.5} if name == "least-squares" else {})


def value_of(expr, ratio, numbers):
    return float(expr.subs({s: ratio if s == r else numbers[s.name] for s in expr.free_symbols}))


def seen_by_autograd(loss, score, numbers):
    """c'(t) of the printed formula, differentiated by torch."""
    t = torch.tensor(score, dtype=torch.float64, requires_grad=True)
    names = {**FUNCTIONS, **numbers, "t": t, "D": torch.sigmoid(t)}
    value = eval(loss.generator, {"__builtins__": {}}, names)
    (slope,) = torch.autograd.grad(value, t)
    return value.item(), slope.item()


@pytest.mark.parametrize("name", CATALOGUE)
@settings(max_examples=4, derandomize=True, deadline=None)
@given(u=st.floats(-4, 4).filter(lambda u: abs(u) > 0.05))
def test_both_weights_are_what_autograd_sees(name, u):
    loss, found, numbers = CATALOGUE[name], theory(name), numbers_for(name)
    if found.saturation is None:
        assert found.no_optimum or found.undecided
        return
    score = value_of(found.optimum.score, math.exp(u), numbers)
    if not math.isfinite(score):
        return
    _, slope = seen_by_autograd(loss, score, numbers)
    if found.saturation.in_score is not None:
        stated = value_of(found.saturation.in_score, math.exp(u), numbers)
        assert stated == pytest.approx(slope, rel=1e-7, abs=1e-9)
    step = 1e-5
    sides = [
        seen_by_autograd(loss, value_of(found.optimum.score, math.exp(v), numbers), numbers)[0]
        for v in (u - step, u + step)
    ]
    weight = value_of(found.saturation.weight, math.exp(u), numbers)
    if abs(sides[1] - sides[0]) < 0.1:  # no jump of the optimum between
        assert weight == pytest.approx((sides[0] - sides[1]) / (2 * step), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize(
    ("name", "loss"),
    [("softmax", lambda x, y, p, q: -(p @ x + q @ y) / 2 + torch.log(p @ x.exp() + q @ y.exp())),
     ("donsker-varadhan", lambda x, y, p, q: p @ x - torch.log(q @ y.exp()))],
)  # fmt: skip
def test_both_weights_of_a_function_of_means_are_what_autograd_sees(name, loss):
    """Per fake sample, the factor of its mass, with scores of reals and fakes apart."""
    p, q = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]], dtype=torch.float64)
    found, ratios = theory(name), (p / q).tolist()
    scores = [value_of(found.critic, one, {}) for one in ratios]
    x = torch.tensor(scores, dtype=torch.float64)
    y = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss(x, y, p, q), y)
    for k, one in enumerate(ratios):
        seen = (slope[k] / q[k]).item()
        assert value_of(found.saturation.in_score, one, {}) == pytest.approx(seen, rel=1e-12)
        near = [value_of(found.critic, one * (1 + side * 1e-6), {}) for side in (-1, 1)]
        moved = seen * (near[1] - near[0]) / 2e-6
        assert value_of(found.saturation.weight, one, {}) == pytest.approx(-moved, rel=1e-8)


@pytest.mark.parametrize(
    ("name", "in_ratio", "in_score"),
    [("minimax", True, True), ("non-saturating", False, False), ("hinge", True, False),
     ("least-squares-01", True, False)],
)  # fmt: skip
def test_each_sentence_names_the_place(name, in_ratio, in_score):
    saturation = theory(name).saturation
    assert (saturation.vanishing, saturation.vanishing_in_score) == (in_ratio, in_score)
    words = {
        a.question: a.words for a in view_loss(theory(name)).answers if "gradient" in a.question
    }
    said = {True: "vanishes", False: "does not vanish"}
    assert [words[q] for q in words] == [said[in_ratio], said[in_score]]
    assert "in log r" in next(iter(words))
    text = str(theory(name))
    assert ("no gradient in log r" in text) is in_ratio
    assert ("no gradient in the raw score" in text) is in_score
