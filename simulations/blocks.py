"""A block of members in memory: matrices contiguous over the block, and updates as operations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from simulations.ensembles import AVERAGE, Player, Recipe, State
from simulations.networks import Affine, Network
from simulations.plans import Join, aligned, padded
from simulations.updates import Buffers, Operation


class Rows:
    """A network's numbers for one block, each matrix contiguous over the block's members.

    ``matrices`` are those of `simulations.plans.padded`; what was added to the network stays 0.
    """

    def __init__(self, network: Network, size: int, recipe: Recipe) -> None:
        self.shapes, wide = network.shapes, padded(network)
        # weights meet matrix products and start aligned; biases meet elementwise sums only
        biases = [isinstance(network, Affine) or index % 2 for index in range(len(self.shapes))]
        strides = [
            i * o if bias else aligned(i * o)
            for bias, (i, o) in zip(biases, wide.shapes, strict=True)
        ]
        sizes = [aligned(size * stride) for stride in strides]
        self.flat = torch.zeros(sum(sizes), dtype=recipe.dtype, device=recipe.device)
        self.matrices = [
            part[: size * stride].view(size, stride)[:, : i * o].view(size, i, o)
            for part, stride, (i, o) in zip(
                self.flat.split(sizes), strides, wide.shapes, strict=True
            )
        ]
        self.own = [
            matrix[:, :i, :o] for matrix, (i, o) in zip(self.matrices, self.shapes, strict=True)
        ]

    def load(self, rows: Tensor) -> None:
        """Copy members' rows in; the last one fills up a block of more."""
        for matrix, part in zip(self.own, self._parts(rows), strict=True):
            whole = part.view(-1, *matrix.shape[1:])
            matrix[: len(rows)].copy_(whole)
            matrix[len(rows) :].copy_(whole[-1:])

    def stored(self, members: int) -> Tensor:
        """Return the members' rows, without what fills up the block."""
        return torch.cat([matrix[:members].reshape(members, -1) for matrix in self.own], 1)

    def _parts(self, rows: Tensor) -> tuple[Tensor, ...]:
        return rows.split([i * o for i, o in self.shapes], dim=1)


class Mover:
    """One player's parameters, gradient and memory for a block, and the update as operations."""

    def __init__(self, player: Player, size: int, recipe: Recipe, updates: int) -> None:
        network = recipe.networks[player]
        self.rule = recipe.rules[player]
        self.parameters, self.gradient, self.rate = (Rows(network, size, recipe) for _ in range(3))
        self.memory = {name: Rows(network, size, recipe) for name in recipe.buffers(player)}
        self.scratch = torch.empty_like(self.gradient.flat)
        # Numbers that change from update to update live in tensors, so a captured graph sees them.
        self.numbers = torch.zeros(updates, 3, dtype=recipe.dtype, device=recipe.device)

    def load(self, state: State, player: str, rows: list[int], rates: Tensor) -> None:
        """Take over members' parameters, memory and learning rates."""
        self.parameters.load(state.parameters[player][rows])
        for name, memory in self.memory.items():
            memory.load(state.memory[player][name][rows])
        for matrix in self.rate.matrices:
            matrix[: len(rates)].copy_(rates[:, :, None].expand(len(rates), *matrix.shape[1:]))

    def store(self, state: State, player: str, rows: list[int]) -> None:
        """Give them back."""
        state.parameters[player][rows] = self.parameters.stored(len(rows))
        for name, memory in self.memory.items():
            state.memory[player][name][rows] = memory.stored(len(rows))

    def numbers_of(self, count: int, factors: Sequence[float]) -> Tensor:
        """Return what ``update`` reads, step by step: shape (steps, updates a step, 3).

        ``count`` is the number of the first update, ``factors`` the schedule's.
        """
        updates = len(self.numbers)
        rows = [
            self.rule.numbers(count + index, factors[index // updates])
            for index in range(len(factors) * updates)
        ]
        return torch.tensor(rows, dtype=torch.float64).to(self.numbers).view(-1, updates, 3)

    def update(self, index: int, join: Join | None = None) -> list[Operation]:
        """Return the operations of update number ``index`` of a step, as one where asked."""
        memory = {name: rows.flat for name, rows in self.memory.items()}
        flat = self.parameters.flat, self.gradient.flat, self.rate.flat
        buffers = Buffers(*flat, memory, self.scratch, self.numbers[index])
        calls = self.rule.operations(buffers)
        return calls if join is None else join(calls)

    def average(self, weight: float) -> list[Operation]:
        """Return the operations that take the parameters into their running average."""
        return [partial(self.memory[AVERAGE].flat.lerp_, self.parameters.flat, 1 - weight)]
