"""The readable path as a graph: all that a graph cannot see change lives in tensors."""

from dataclasses import replace

import pytest
import torch

from simulations.captured import Captured, can_capture
from simulations.data import Law, as_density
from simulations.ensembles import Member, Recipe, initial_state
from simulations.networks import Mlp
from simulations.reference import ReferenceEngine
from simulations.regularisers import ZeroCentred
from simulations.updates import Adam, RmsProp, Sgd

P = Law(as_density("normal(1, 2)"))
HOW = Recipe(
    Mlp((1, 8, 1), "tanh"), Mlp((2, 8, 1), "tanh"), steps=40, batch=8, schedule="linear",
    averaging=0.9, regularisers=(ZeroCentred(0.1),), source="counter",
)  # fmt: skip
MEMBERS = [Member(P, "relativistic", seed=seed, noise=0.1) for seed in range(2)]


class Played(Captured):
    """A step that is not captured but played again, in the same memory."""

    calls = 0

    def captured(self, live):
        Played.calls += 1

        def play():
            before = {name: rows.data_ptr() for name, rows in live.parameters.items()}
            self.one_step(live)
            assert before == {name: rows.data_ptr() for name, rows in live.parameters.items()}

        return play


@pytest.mark.parametrize("rule", [Adam(0.5), RmsProp(), Sgd(0.5), (Adam(0.0, 0.99), Sgd())])
@pytest.mark.parametrize("change", [{}, {"discriminator_steps": 2, "train": "discriminator"}])
def test_a_played_step_is_the_step_of_the_readable_path(rule, change):
    how = replace(HOW, rule=rule, **change)
    plain, played = initial_state(MEMBERS, how), initial_state(MEMBERS, how)
    reference, graph = ReferenceEngine(MEMBERS, how), Played(MEMBERS, how)
    Played.calls = 0
    for steps in (3, 5):
        reference.advance(plain, steps)
        graph.advance(played, steps)
        played = played.copy()  # another state is taken over, too
    assert Played.calls == 1
    assert (played.step, played.updates) == (plain.step, plain.updates)
    for player, rows in plain.parameters.items():
        assert torch.allclose(played.parameters[player], rows, rtol=0, atol=1e-13)
        for name, kept in plain.memory.get(player, {}).items():
            assert torch.allclose(played.memory[player][name], kept, rtol=0, atol=1e-13)


def test_only_what_is_the_same_list_of_kernels_every_time_is_captured():
    card = replace(HOW, device="cuda")
    assert can_capture(MEMBERS, card)
    assert not can_capture(MEMBERS, HOW)
    assert not can_capture(MEMBERS, replace(card, order="optimistic"))
    assert not can_capture([*MEMBERS, Member(P)], card)
    assert not can_capture(
        MEMBERS, replace(card, discriminator=Mlp((1, 8, 1), "tanh", norm="spectral"))
    )
