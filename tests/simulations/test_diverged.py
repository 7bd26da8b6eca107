"""A member that leaves the numbers is recorded as lost, and nobody beside it feels it."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import gantheory as gt
from gantheory.errors import GantheoryError
from gantheory.files import locked
from gantheory.losses import CRITICS, find, list_losses
from gantheory.losses.loss import Loss
from simulations.data import Law, as_density
from simulations.ensembles import Member, Recipe, initial_state
from simulations.measure import integrated_value
from simulations.networks import Affine, Mlp
from simulations.protocols import get_protocol, run_protocol
from simulations.regularisers import GradientPenalty
from simulations.runs import Run
from simulations.train import last, train
from simulations.trainable import trainable
from simulations.updates import Adam, RmsProp, Sgd

DATA = Law(as_density("normal(1, 1)"))
RECIPE = Recipe(Mlp((1, 4, 1)), Affine(), steps=3, batch=8)


def played():
    """Return every loss that trains here, with the numbers that its parameters usually have."""
    found = []
    for name in [*list_losses(), *CRITICS]:
        loss = find(name)
        if isinstance(loss, Loss):
            found.append((loss, {k: float(v) for k, v in loss.typical.items()}))
        elif name != "conditional":
            try:
                trainable(loss)
            except GantheoryError:
                continue
            found.append((loss, {}))
    assert len(found) > 40
    return found


def poisoned(members, recipe):
    """Train members, every second one of them from a parameter that is no number."""
    state = initial_state(members, recipe)
    for rows in state.parameters.values():
        rows[1::2, 0] = math.nan
    return last(train(members, recipe, state=state))


RULES = {"sgd": Sgd(0.5), "adam": Adam(), "rmsprop": RmsProp()}
ORDERS = "simultaneous", "extragradient", "midpoint", "optimistic", "momentum"


@pytest.mark.parametrize(
    ("order", "rule"),
    [*(("alternating", rule) for rule in RULES), *((order, "adam") for order in ORDERS)],
)
def test_whoever_is_lost_beside_it_a_member_is_bitwise_itself(order, rule):
    """Every loss under every rule and order of moves, each beside a lost twin of its own."""
    recipe = replace(RECIPE, order=order, rule=RULES[rule])
    for constrained in (False, True):
        how = replace(recipe, regularisers=(GradientPenalty(1.0),)) if constrained else recipe
        members = [
            Member(DATA, loss, values, seed=k, discriminator_rate=1e-2)
            for k, (loss, values) in enumerate(played())
            if isinstance(loss, Loss) is not constrained
        ]
        alone = last(train(members, how))
        beside = poisoned([m for m in members for _ in range(2)], how)
        for player, rows in alone.parameters.items():
            assert torch.equal(rows, beside.parameters[player][::2]), player
        assert not beside.finite[1::2].any()
        assert beside.finite[::2].equal(alone.finite)


def test_a_run_says_from_which_step_a_member_was_lost():
    members = [Member(DATA, seed=k) for k in range(2)]
    found = Run.of(members, RECIPE).seen(poisoned(members, RECIPE), {})
    assert [one["status"] for one in found.statuses] == ["ok", "undetermined"]
    assert "after step 3; lower its rate" in found.statuses[1]["reason"]


def pair(link=nn.Identity):
    torch.manual_seed(1)
    return nn.Linear(2, 1), nn.Sequential(nn.Linear(1, 1), link())


@pytest.mark.parametrize("loss", ["hinge", "relativistic", nn.BCEWithLogitsLoss()])
def test_a_lost_member_does_not_end_the_training_that_is_measured(loss):
    options = {"latent": 2, "steps": 64, "batch": 4, "every": 64, "seeds": [3]}
    found = gt.train(*pair(), "normal(0, 1)", loss, generator_rate=1e308, **options)
    reading = found.watches[0].readings[-1]
    assert found.finite == [False]
    assert not reading.value.is_finite
    assert "the generator's parameters are not all finite" in reading.value.reason
    assert loss != "hinge" or found.draw().axes


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [("generator", "generator's parameters"), ("discriminator", "discriminator's parameters"),
     ("samples", "generator's samples"), ("scores", "discriminator's scores")],
)  # fmt: skip
def test_a_watch_records_what_left_the_numbers_and_lets_the_loop_go_on(spoilt, said):
    maker, critic = pair()
    parts = {"generator": maker, "samples": maker, "discriminator": critic, "scores": critic}
    nan = spoilt in ("generator", "discriminator")
    with torch.no_grad():
        for p in parts[spoilt].parameters():
            p.fill_(math.nan if nan else 3e38)
    watch = gt.watch(maker, critic, "normal(0, 1)", latent=2, every=1, options={"n": 50})
    reading = watch(0)
    assert said in reading.value.reason
    assert (reading.divergence, math.isnan(reading.generator_gradient)) == ("2*jsd", True)


def test_norms_are_those_of_the_parameters_that_move():
    maker, critic = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)), pair()[1]
    whole = gt.measure(maker, critic, "normal(0, 1)", latent=2, n=64)
    maker[0].requires_grad_(False)
    half = gt.measure(maker, critic, "normal(0, 1)", latent=2, n=64)
    maker[0].requires_grad_(True)
    maker[1].requires_grad_(False)
    other = gt.measure(maker, critic, "normal(0, 1)", latent=2, n=64)
    maker.requires_grad_(False)  # for the other player's turn
    assert gt.measure(maker, critic, "normal(0, 1)", latent=2, n=64) == whole
    assert math.hypot(half.generator_gradient, other.generator_gradient) == pytest.approx(
        whole.generator_gradient, rel=1e-6
    )


def test_a_value_beyond_float64_is_not_the_tangents():
    """Training goes on along a tangent of exp; a measurement must not take that for the value."""
    loss = gt.get_loss("f-gan-kl")  # b(t) = -exp(t - 1)
    far = integrated_value(loss, lambda x: 1e4 + 0 * x[..., 0], "normal(0, 1)", "normal(1, 1)")
    assert not far.is_finite
    assert "leaves float64's numbers" in far.reason
    near = integrated_value(loss, lambda x: 600 + 0 * x[..., 0], "normal(0, 1)", "normal(1, 1)")
    assert near.value == pytest.approx(-math.exp(599), rel=1e-9)


@pytest.mark.parametrize("name", ["pacgan-ring", "mescheder-circle-gan", "stacked-digits-gan"])
def test_a_lost_seed_of_a_published_toy_has_no_numbers(name):
    small = replace(get_protocol(name), rates=(1e38, 1e38))
    found = run_protocol(small, seeds=[0], steps=2).numbers
    assert all(np.isnan(values).all() for key, values in found.items() if key != "w1_of_data")


def test_a_folder_that_another_run_holds_is_refused_before_a_toy_is_trained(tmp_path):
    with locked(tmp_path), pytest.raises(GantheoryError, match="another run is at work"):
        run_protocol("dirac-gan", seeds=[0], steps=64, out=tmp_path)
