"""Update rules against torch.optim, and the orders of moves against their known recurrences."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from gantheory.errors import GantheoryError
from gantheory.losses.loss import Loss
from simulations.ensembles import Member, Recipe, initial_state
from simulations.networks import Affine, Mlp
from simulations.train import last, train
from simulations.updates import Adam, Schedule, Sgd, memory_of

RATES = (0.1, 0.02, 0.003)
RULES = [
    (Sgd(), lambda p, lr: torch.optim.SGD([p], lr=lr)),
    (Sgd(momentum=0.7), lambda p, lr: torch.optim.SGD([p], lr=lr, momentum=0.7)),
    (Adam(), lambda p, lr: torch.optim.Adam([p], lr=lr)),
    (Adam(0.5, 0.9), lambda p, lr: torch.optim.Adam([p], lr=lr, betas=(0.5, 0.9))),
    (Adam(0.0, 0.99, 1e-4), lambda p, lr: torch.optim.Adam([p], lr, (0.0, 0.99), 1e-4)),
]


@pytest.mark.parametrize(("rule", "theirs"), RULES)
def test_a_rule_moves_each_member_as_torch_optim_does_at_that_members_rate(rule, theirs):
    torch.manual_seed(0)
    start = torch.randn(3, 7, dtype=torch.float64)
    target = torch.randn(3, 7, dtype=torch.float64)
    ours, memory = start.clone(), memory_of(rule, "alternating", start)
    rows = [start[k].clone().requires_grad_() for k in range(3)]
    optimisers = [theirs(row, lr) for row, lr in zip(rows, RATES, strict=True)]
    for count in range(1, 201):
        gradient = (ours - target) ** 3
        direction = rule.direction(gradient, memory, count)
        ours -= torch.tensor(RATES, dtype=torch.float64)[:, None] * direction
        for k, (row, optimiser) in enumerate(zip(rows, optimisers, strict=True)):
            row.grad = ((row - target[k]) ** 3).detach()
            optimiser.step()
    assert (ours - torch.stack([row.detach() for row in rows])).abs().max() < 1e-12
    assert (ours - start).abs().max() > 0.1


@dataclass(frozen=True)
class Zero:
    """All data at 0."""

    dim: int = 1

    def sample(self, n, generator, dtype):
        return torch.zeros(n, 1, dtype=dtype)


BILINEAR = Loss("bilinear", real="t", fake="-t", generator="-t")
STEP = 0.3


def orbit(order, steps):
    """Return (θ, ψ) of the bilinear game V = −ψθ after each of 1, 2, ... steps of training."""
    recipe = Recipe(
        Mlp((1, 1)), Affine(1.0, 0.0, train="loc"), steps, batch=4, rule=Sgd(), order=order
    )
    members = [Member(Zero(), BILINEAR, discriminator_rate=STEP, generator_rate=STEP)]
    state = initial_state(members, recipe)
    state.parameters["discriminator"][0, 0] = 0.5
    state = last(train(members, recipe, state=state, path="reference"))
    return float(state.parameters["generator"][0, 0]), float(
        state.parameters["discriminator"][0, 0]
    )


def known(order, steps):
    """The same by the textbook recurrences: ψ' = −θ (D ascends V), θ' = ψ (G descends −ψθ)."""
    field = np.array([[0.0, 1.0], [-1.0, 0.0]])
    x, before = np.array([1.0, 0.5]), None
    for _ in range(steps):
        if order == "simultaneous":
            x = x + STEP * field @ x
        elif order == "alternating":
            psi = x[1] - STEP * x[0]
            x = np.array([x[0] + STEP * psi, psi])
        elif order == "extragradient":
            x = x + STEP * field @ (x + STEP * field @ x)
        else:
            now = field @ x
            x = x + STEP * (2 * now - (now if before is None else before))
            before = now
    return x


ORDERS = ["simultaneous", "alternating", "extragradient", "optimistic"]


@pytest.mark.parametrize("order", ORDERS)
def test_each_order_of_moves_follows_its_recurrence_on_the_bilinear_game(order):
    assert np.allclose(orbit(order, 40), known(order, 40), rtol=0, atol=1e-12)


def test_the_orders_of_moves_do_what_theory_says_of_them():
    radius = {order: np.linalg.norm(orbit(order, 60)) / np.hypot(1, 0.5) for order in ORDERS}
    assert radius["simultaneous"] == pytest.approx((1 + STEP**2) ** 30, rel=1e-9)
    assert 0.5 < radius["alternating"] < 2
    assert radius["extragradient"] < 0.1
    assert radius["optimistic"] < 0.1


def test_schedules_start_at_one_and_end_where_they_say():
    for schedule in Schedule:
        assert schedule.factor(0, 100) == 1
    assert Schedule.CONSTANT.factor(99, 100) == 1
    assert Schedule.HALFWAY.factor(50, 100) == 1
    assert Schedule.LINEAR.factor(25, 100) == 0.75
    assert Schedule.COSINE.factor(50, 100) == pytest.approx(0.5)
    for schedule in ("linear", "halfway", "cosine"):
        assert 0 < Schedule(schedule).factor(99, 100) < 0.03
    assert [Schedule.EARLY.factor(step, 100) for step in (25, 50, 75)] == [0.5, 0, 0]


@pytest.mark.parametrize("wrong", [{"beta1": 1.0}, {"beta2": -0.1}])
def test_a_rate_of_memory_outside_zero_and_one_is_refused(wrong):
    with pytest.raises(GantheoryError, match=next(iter(wrong))):
        Adam(**wrong)
