"""The readable path on a CUDA device, captured as a graph: one launch a step.

A step by autograd is hundreds of small kernels, and launching them takes ten times as long as they
do. A graph launches all at once. What changes from step to step, the samples, the number of the
update and the schedule's factor, lives in tensors, so that the graph sees it change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from simulations.ensembles import Games, Member, Recipe, State
from simulations.minibatches import portions
from simulations.reference import ReferenceEngine
from simulations.updates import Schedule


def can_capture(members: Sequence[Member], recipe: Recipe) -> bool:
    """Return whether a step is the same list of kernels every time, none of which waits.

    Several losses are put together by indices from the CPU, an exact spectral norm waits for its
    decomposition, other orders of moves keep more than a state has at the start, and dropout counts
    by the number of the step.
    """
    drops = any(getattr(network, "randoms", 0) for network in recipe.networks.values())
    norms = {getattr(network, "norm", None) for network in recipe.networks.values()}
    return (
        torch.device(recipe.device).type == "cuda"
        and recipe.order == "alternating"
        and "spectral" not in norms
        and not drops
        and len(Games.of(members).groups) == 1
    )


class Captured(ReferenceEngine):
    """Trains as `Reference` does, equal up to the rounding of Adam's corrections on the device."""

    def __init__(self, members: Sequence[Member], recipe: Recipe) -> None:
        super().__init__(members, recipe)
        self.live: State | None = None
        self.samples: dict[str, Tensor] = {}
        self.factor = torch.ones((), dtype=torch.float64, device=recipe.device)
        self.replay: Callable[[], object] | None = None

    def advance(self, state: State, steps: int) -> None:
        """Make ``steps`` steps of one chunk, drawing the chunk's samples."""
        live = self._adopted(state)
        schedule = Schedule(self.recipe.schedule)
        for made, samples in portions(self.members, self.recipe, state.step, steps):
            numbers = [schedule.factor(state.step + k, self.recipe.steps) for k in range(made)]
            factors = torch.tensor(numbers, dtype=torch.float64).to(self.recipe.device)
            for index in range(made):
                self._load({name: tensor[:, index] for name, tensor in samples.items()})
                self.factor.copy_(factors[index])
                if self.replay is None:
                    self.replay = self.captured(live)
                self.replay()
            state.step += made
        for player in self.recipe.players:
            of_d = player == "discriminator"
            k = self.recipe.discriminator_steps if of_d else self.recipe.generator_steps
            state.updates[player] += k * steps
        state.parameters, state.memory = dict(live.parameters), live.memory

    def _adopted(self, state: State) -> State:
        """Return the state in the graph's own memory, with the values of ``state``."""
        if self.live is None:
            counts = {
                player: torch.zeros((), dtype=torch.float64, device=self.recipe.device)
                for player in state.updates
            }
            copy = state.copy()
            self.live = State(0, copy.parameters, copy.memory, counts)  # type: ignore[arg-type]
        for mine, given in zip(_tensors(self.live), _tensors(state), strict=True):
            if mine is not given:
                mine.copy_(given)
        for player, number in state.updates.items():
            self.live.updates[player].fill_(number)  # type: ignore[attr-defined]
        return self.live

    def _load(self, samples: dict[str, Tensor]) -> None:
        if samples.keys() != self.samples.keys():
            self.samples = {name: torch.empty_like(x) for name, x in samples.items()}
        for name, tensor in samples.items():
            self.samples[name].copy_(tensor)

    def one_step(self, live: State) -> None:
        """Make one step in place: what is captured."""
        kept = dict(live.parameters)
        self.step(live, self.samples, self.factor)
        for player, memory in kept.items():
            memory.copy_(live.parameters[player])
            live.parameters[player] = memory

    def captured(self, live: State) -> Callable[[], object]:
        """Return one step as a graph's replay; what the warm-up changed is put back first."""
        counts: list[Any] = [*live.updates.values()]  # tensors, see `_adopted`
        kept = [(tensor, tensor.clone()) for tensor in (*_tensors(live), *counts)]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):  # libraries allocate their own memory on first use
                self.one_step(live)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.one_step(live)
        for tensor, value in kept:
            tensor.copy_(value)
        return graph.replay


def _tensors(state: State) -> list[Tensor]:
    return [
        *state.parameters.values(),
        *(tensor for memory in state.memory.values() for tensor in memory.values()),
    ]
