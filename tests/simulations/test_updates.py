"""Update rules against torch.optim, and the orders of moves against their known recurrences."""

from dataclasses import dataclass

import numpy as np
import pytest
import sympy as sp
import torch

from gantheory.dynamics import rules
from gantheory.dynamics.analysis import analyse
from gantheory.dynamics.methods import make_method
from gantheory.dynamics.motion.orbits import decide_by_orbits
from gantheory.dynamics.motion.trajectories import trajectories
from gantheory.dynamics.rules import list_methods
from gantheory.dynamics.text import read_game
from gantheory.errors import GantheoryError
from gantheory.losses.loss import Loss
from simulations.ensembles import Member, Recipe, initial_state
from simulations.networks import Affine, Mlp
from simulations.runs import load_checkpoint, train_run
from simulations.streams import CHUNK
from simulations.train import last, train
from simulations.updates import Adam, RmsProp, Schedule, Sgd

RATES = (0.1, 0.02, 0.003)


class NegativeMomentum(torch.optim.Optimizer):
    """The heavy ball of Gidel et al.; torch.optim refuses to make momentum negative."""

    def __init__(self, parameters, lr, momentum, weight_decay):
        super().__init__(parameters, {"lr": lr})
        self.momentum, self.weight_decay, self.before = momentum, weight_decay, None

    @torch.no_grad()
    def step(self):
        (p,), lr = self.param_groups[0]["params"], self.param_groups[0]["lr"]
        back = p.clone() if self.before is None else self.before
        self.before = p.clone()
        p += self.momentum * (p - back) - lr * (p.grad + self.weight_decay * p)


RULES = [
    (Sgd(), lambda p, lr: torch.optim.SGD([p], lr=lr)),
    (Sgd(momentum=0.7), lambda p, lr: torch.optim.SGD([p], lr=lr, momentum=0.7)),
    (Adam(), lambda p, lr: torch.optim.Adam([p], lr=lr)),
    (Adam(0.5, 0.9), lambda p, lr: torch.optim.Adam([p], lr=lr, betas=(0.5, 0.9))),
    (Sgd(-0.5, weight_decay=0.3), lambda p, lr: NegativeMomentum([p], lr, -0.5, 0.3)),
    (RmsProp(), lambda p, lr: torch.optim.RMSprop([p], lr=lr)),
    (RmsProp(0.9, 1e-5, 0.1), lambda p, lr: torch.optim.RMSprop([p], lr, 0.9, 1e-5, 0.1)),
    (
        Adam(0.5, weight_decay=0.2),
        lambda p, lr: torch.optim.Adam([p], lr=lr, betas=(0.5, 0.999), weight_decay=0.2),
    ),
    (
        Adam(weight_decay=0.2, decoupled=True),
        lambda p, lr: torch.optim.AdamW([p], lr=lr, weight_decay=0.2),
    ),
    (Adam(0.0, 0.99, 1e-4), lambda p, lr: torch.optim.Adam([p], lr, (0.0, 0.99), 1e-4)),
]


@pytest.mark.parametrize(("rule", "theirs"), RULES)
def test_a_rule_moves_each_member_as_torch_optim_does_at_that_members_rate(rule, theirs):
    torch.manual_seed(0)
    start = torch.randn(3, 7, dtype=torch.float64)
    target = torch.randn(3, 7, dtype=torch.float64)
    ours, memory = start.clone(), {name: torch.zeros_like(start) for name in rule.buffers}
    rows = [start[k].clone().requires_grad_() for k in range(3)]
    optimisers = [theirs(row, lr) for row, lr in zip(rows, RATES, strict=True)]
    for count in range(1, 201):
        gradient = (ours - target) ** 3
        direction = rule.direction(gradient, memory, count, ours)
        ours -= torch.tensor(RATES, dtype=torch.float64)[:, None] * direction
        for k, (row, optimiser) in enumerate(zip(rows, optimisers, strict=True)):
            row.grad = ((row - target[k]) ** 3).detach()
            optimiser.step()
    assert (ours - torch.stack([row.detach() for row in rows])).abs().max() < 1e-12
    assert (ours - start).abs().max() > 0.1


@dataclass(frozen=True)
class Normal:
    """Normal data."""

    dim: int = 1

    def sample(self, n, generator, dtype):
        return torch.randn(n, 1, generator=generator, dtype=dtype)


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


def known(rule, steps):
    """The same by the rule's own trajectory: θ descends −ψθ and ψ ascends it."""
    game = read_game("-x*y", "x", "y")
    return trajectories(game, rule, [1.0, 0.5], STEP, steps).points[-1, 0]


ORDERS = ["simultaneous", "alternating", "extragradient", "optimistic"]
TRAINED = [name for name in rules.list_rules() if not rules.get_rule(name).is_implicit]


@pytest.mark.parametrize("order", TRAINED)
def test_networks_are_trained_by_the_rule_that_theory_analyses(order):
    rule = rules.alternating(leader=2) if order == "alternating" else rules.get_rule(order)
    assert np.allclose(orbit(order, 40), known(rule, 40), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "rule", [rules.momentum(-0.5, 0.25), rules.momentum(0.3, order="simultaneous"),
             rules.alternating(), rules.optimistic()],
)  # fmt: skip
def test_a_rule_itself_may_be_given_for_its_name(rule):
    assert np.allclose(orbit(rule, 40), known(rule, 40), rtol=0, atol=1e-12)


def test_a_run_by_a_rule_with_memory_goes_on_bitwise(tmp_path):
    recipe = Recipe(Mlp((1, 4, 1)), Affine(), 2 * CHUNK, batch=8, order=rules.momentum(-0.5))
    members = [Member(Normal(), discriminator_rate=1e-2, seed=seed) for seed in (0, 1)]
    whole = train_run(tmp_path / "whole", members, recipe)
    states = train(members, recipe)
    kept = next(states).copy()
    ends = last(train(members, recipe, state=kept)), load_checkpoint(tmp_path / "whole")[1]
    for player in kept.parameters:
        assert torch.equal(ends[0].parameters[player], ends[1].parameters[player])
    described = {"type": "Rule", "name": "momentum", "momentum1": -0.5, "momentum2": -0.5}
    assert whole.recipe["order"] == {**described, "order": "alternating"}


def test_a_rule_registered_from_outside_is_trained_analysed_and_listed(monkeypatch):
    monkeypatch.setattr(rules, "REGISTERED", dict(rules.REGISTERED))

    def drifting(weight=0.5):
        """Step simultaneously, then go back a share of the way to where the last step ended."""

        def advance(field, state, step):
            x, y, old_x, old_y = state
            new_x, new_y = x + step * field.first(x, y), y + step * field.second(x, y)
            back = new_x - weight * (new_x - old_x), new_y - weight * (new_y - old_y)
            return (*back, x, y)

        return rules.Rule("drifting", advance, lambda field, x, y: (x, y), {"weight": weight})

    for _ in (1, 2):  # registering the same rule again changes nothing
        rules.register_rule("drifting", drifting)
    rule = rules.get_rule("drifting")
    assert np.allclose(orbit("drifting", 40), known(rule, 40), rtol=0, atol=1e-12)
    found = analyse(read_game("x*y", "x", "y"), "drifting", "0.3")
    assert found.operator.shape == (4, 4)
    assert not found.operator.has(sp.Float)
    assert decide_by_orbits(found).behaviour == "diverges"
    assert np.linalg.norm(orbit("drifting", 200)) > 1.2 * np.linalg.norm(orbit("drifting", 20))
    assert "drifting" in list_methods()
    with pytest.raises(GantheoryError, match="drifting"):
        make_method("drifted")
    with pytest.raises(GantheoryError, match="an update rule 'optimistic' exists"):
        rules.register_rule("optimistic", drifting)
    with pytest.raises(GantheoryError, match="not a Rule of that name"):
        rules.register_rule("other", drifting)


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
