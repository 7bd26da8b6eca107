"""The fast path: a whole step is one list of torch calls on memory that was laid out once.

Members train in blocks whose memory fits the cache: a block's parameters are copied in, a chunk
of steps is run, and they are copied back. A loss enters only as its slope at the discriminator's
output. On a CUDA device all members form one block and the list is captured as a graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import groupby

import torch
from torch import Tensor

from simulations.blocks import Mover
from simulations.ensembles import Member, Recipe, State
from simulations.fused import WORTH, together
from simulations.losses import Payoff, TorchLoss
from simulations.minibatches import portions
from simulations.plans import (
    ALIGNMENT,
    Arena,
    Join,
    Operation,
    Passes,
    block_memory,
    has_plan,
    is_batched,
    padded,
    padded_rows,
    plan,
)
from simulations.trainable import trainable
from simulations.updates import Schedule

# What one block may use, in bytes: three times a core's second-level cache. Blocks of 4, 6, 8, 16
# and 32 members of the one-dimensional toy took 211, 207, 175, 162 and 159 µs a gan-step (medians
# on a loaded machine): below 16 the calls themselves cost more than the cache saves.
CACHE = 3 * 2**20

Games = tuple[tuple[TorchLoss, int], ...]  # a block's games, each with its number of members


def is_fast(recipe: Recipe) -> bool:
    """Return whether this path can train by ``recipe``."""
    return (
        recipe.order == "alternating"
        and not recipe.regularisers
        and not recipe.unrolling
        and not recipe.condition
        and recipe.discriminator.outputs == 1
        and has_plan(recipe.discriminator)
        and has_plan(recipe.generator)
    )


class Fast:
    """Trains an ensemble block by block; equal to `Reference` up to rounding.

    On one CPU thread a member's result is bitwise the same in every block and place.
    """

    def __init__(self, members: Sequence[Member], recipe: Recipe, block: int | None = None) -> None:
        self.members, self.recipe = members, recipe
        self.block = block or block_size(recipe, len(members))
        self.workspaces: dict[int, Workspace] = {}
        self.losses = [_separable(member) for member in members]
        first: dict[int, int] = {}
        for place, loss in enumerate(self.losses):
            first.setdefault(id(loss), place)
        # members of one game stand together, so that a block's losses are slices of its memory
        self.order = sorted(range(len(members)), key=lambda k: first[id(self.losses[k])])

    def advance(self, state: State, steps: int) -> None:
        """Make ``steps`` steps of one chunk, drawing the chunk's samples."""
        for begin in range(0, len(self.members), self.block):
            rows = self.order[begin : begin + self.block]
            members = [self.members[k] for k in rows]
            workspace = self._workspace(len(members))
            workspace.load(state, rows, members, [self.losses[k] for k in rows])
            made = 0
            for count, samples in portions(members, self.recipe, state.step, steps):
                workspace.run(samples, state, made, count)
                made += count
            workspace.store(state, rows)
        for player in self.recipe.players:
            of_d = player == "discriminator"
            count = self.recipe.discriminator_steps if of_d else self.recipe.generator_steps
            state.updates[player] += count * steps
        state.step += steps

    def _workspace(self, size: int) -> Workspace:
        if size not in self.workspaces:
            self.workspaces[size] = Workspace(size, self.recipe)
        return self.workspaces[size]


def _separable(member: Member) -> TorchLoss:
    loss = trainable(member.loss, member.parameters)
    assert isinstance(loss, TorchLoss), "losses that compare pairs take the reference path"
    return loss


def block_size(recipe: Recipe, members: int) -> int:
    """Return how many members one block holds: as many as fit the cache, or all on a GPU."""
    if recipe.device != "cpu":
        return members
    widths = [sum(getattr(recipe.discriminator, "sizes", (1,)))]
    floats = 2 * recipe.batch * widths[0] + 4 * recipe.discriminator.count
    if recipe.generator is not None:
        floats += 4 * recipe.generator.count
    return max(1, min(16, members, CACHE // (floats * recipe.dtype.itemsize)))


class Workspace:
    """All memory for one block of members, and one step of training as a list of operations."""

    def __init__(self, size: int, recipe: Recipe) -> None:
        self.recipe, self.real_size = recipe, size
        self.networks = {player: padded(network) for player, network in recipe.networks.items()}
        self.rows = _rows(recipe)
        self.size = max(size, 2) if _multiplies_blocks(recipe) else size
        updates = {
            "discriminator": recipe.discriminator_steps,
            "generator": recipe.generator_steps,
        }
        self.movers = {
            str(player): Mover(player, self.size, recipe, updates[player])
            for player in recipe.networks
        }
        self.inputs: dict[str, Tensor] = {}
        self.losses: list[TorchLoss] = []
        self.slopes: dict[tuple[str, Games], list[Operation]] = {}
        self.operations: list[Operation] = []
        worth = recipe.device != "cpu" and recipe.steps * size >= WORTH
        self.join: Join | None = together if worth else None
        self.games: Games = ()
        self.graphs: dict[Games, torch.cuda.CUDAGraph] = {}

    def load(
        self,
        state: State,
        rows: list[int],
        members: Sequence[Member],
        losses: Sequence[TorchLoss],
    ) -> None:
        """Take over the rows of ``members``, who play for ``losses``."""
        self.losses = [*losses, *[losses[-1]] * (self.size - len(losses))]
        self.games = tuple((loss, len(list(rows))) for loss, rows in groupby(self.losses))
        rates = {
            "discriminator": [member.discriminator_rate for member in members],
            "generator": [member.generator_rate for member in members],
        }
        for player, mover in self.movers.items():
            if player in self.recipe.players:
                column = torch.tensor(rates[player], dtype=self.recipe.dtype)[:, None]
                mover.load(state, player, rows, column.to(self.recipe.device))
            else:
                mover.parameters.load(state.parameters[player][rows])

    def store(self, state: State, rows: list[int]) -> None:
        """Give the rows back to the state."""
        for player in self.recipe.players:
            self.movers[player].store(state, player, rows)

    def run(self, samples: dict[str, Tensor], state: State, made: int, steps: int) -> None:
        """Make ``steps`` steps with samples (members, steps, ...), ``made`` after the state."""
        with torch.no_grad():
            if set(samples) != set(self.inputs):
                self._lay_out(samples)
            numbers = self._numbers(state, made, steps)
            own = (slice(self.real_size), slice(None), slice(self.recipe.batch))
            inputs = {name: memory[own] for name, memory in self.inputs.items()}
            for index in range(steps):
                for name, tensor in samples.items():
                    inputs[name].copy_(tensor[:, index])
                for mover, values in numbers:
                    mover.numbers.copy_(values[index])
                self._step()

    def _numbers(self, state: State, made: int, steps: int) -> list[tuple[Mover, Tensor]]:
        schedule, begin = Schedule(self.recipe.schedule), state.step + made
        factors = [schedule.factor(begin + index, self.recipe.steps) for index in range(steps)]
        movers = [(self.movers[player], state.updates[player]) for player in self.recipe.players]
        return [
            (mover, mover.numbers_of(count + made * len(mover.numbers) + 1, factors))
            for mover, count in movers
        ]

    def _step(self) -> None:
        if self.recipe.device == "cpu":
            for operation in self.operations:
                operation()
            return
        if self.games not in self.graphs:
            self.graphs[self.games] = self._captured()
        self.graphs[self.games].replay()

    def _captured(self) -> torch.cuda.CUDAGraph:
        """Return one step as a graph; what the warm-up changed is put back first."""
        kept = [
            (tensor, tensor.clone())
            for mover in self.movers.values()
            for tensor in (mover.parameters.flat, *(m.flat for m in mover.memory.values()))
        ]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):  # libraries allocate their own memory on first use
                for operation in self.operations:
                    operation()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for operation in self.operations:
                operation()
        for tensor, value in kept:
            tensor.copy_(value)
        return graph

    def _lay_out(self, samples: dict[str, Tensor]) -> None:
        """Allocate inputs and scratch memory and write down the operations of one step."""
        recipe, dim = self.recipe, samples["real"].shape[-1]
        n = self.rows * recipe.packing  # samples in memory; those beyond the minibatch are 0
        self.inputs = {
            name: tensor.new_zeros((self.size, tensor.shape[2], n, *tensor.shape[4:]))
            for name, tensor in samples.items()
        }
        self.graphs, self.slopes = {}, {}
        seen = block_memory((self.size, 2 * n, dim), recipe.dtype, recipe.device)
        arena = Arena(recipe.dtype, recipe.device)
        critic = self.movers["discriminator"]
        both = plan(
            self.networks["discriminator"],
            critic.parameters.matrices,
            critic.gradient.matrices,
            self._packed(seen),
            arena,
            join=self.join,
        )
        source = self._generator_plan() if recipe.generator is not None else None
        self.operations = []
        if "discriminator" in recipe.players:
            for k in range(recipe.discriminator_steps):
                self.operations += [partial(seen[:, :n].copy_, self.inputs["real"][:, k])]
                self.operations += self._noise(seen[:, :n], "real_noise", k)
                self.operations += self._fakes(seen[:, n:], source, k)
                self.operations += both.forward
                self.operations += [partial(self._discriminator_slope, both)]
                self.operations += both.backward
                self.operations += critic.update(k, self.join)
                if recipe.clip is not None:
                    clamp = critic.parameters.flat.clamp_
                    self.operations += [partial(clamp, -recipe.clip, recipe.clip)]
        if "generator" in recipe.players and source is not None:
            self.operations += self._generator_update(seen[:, n:], source, arena)

    def _packed(self, samples: Tensor) -> Tensor:
        width = self.recipe.discriminator.inputs
        return samples.view(len(samples), -1, width)

    def _generator_plan(self) -> Passes:
        mover = self.movers["generator"]
        latent = self.inputs["latent"]
        return plan(
            self.networks["generator"],
            mover.parameters.matrices,
            mover.gradient.matrices,
            block_memory(latent[:, 0].shape, self.recipe.dtype, self.recipe.device),
            Arena(self.recipe.dtype, self.recipe.device),
            join=self.join,
        )

    def _noise(self, seen: Tensor, name: str, k: int) -> list[Operation]:
        return [partial(seen.add_, self.inputs[name][:, k])] if name in self.inputs else []

    def _fakes(self, seen: Tensor, source: Passes | None, k: int) -> list[Operation]:
        """Return the operations that write minibatch ``k`` of fakes where D sees them."""
        if source is None:
            written: list[Operation] = [partial(seen.copy_, self.inputs["fake"][:, k])]
        else:
            written = [
                partial(source.x.copy_, self.inputs["latent"][:, k]),
                *source.forward,
                partial(seen.copy_, source.output),
            ]
        return written + self._noise(seen, "fake_noise", k)

    def _generator_update(self, seen: Tensor, source: Passes, arena: Arena) -> list[Operation]:
        critic, mover = self.movers["discriminator"], self.movers["generator"]
        judge = plan(
            self.networks["discriminator"],
            critic.parameters.matrices,
            None,
            self._packed(seen),
            arena,
            inputs=True,
            join=self.join,
        )
        assert judge.x_slope is not None
        calls: list[Operation] = []
        for index in range(self.recipe.generator_steps):
            calls += [
                *self._fakes(seen, source, self.recipe.discriminator_steps + index),
                *judge.forward,
                partial(self._generator_slope, judge),
                *judge.backward,
                partial(source.slope.copy_, judge.x_slope.view(source.slope.shape)),
                *source.backward,
                *mover.update(index, self.join),
            ]
        weight = self.recipe.averaging
        return calls if weight is None else [*calls, *mover.average(weight)]

    def _discriminator_slope(self, both: Passes) -> None:
        """Write the slope of −mean a(real) − mean b(fake) at D's outputs."""
        key = ("discriminator", self.games)
        if key not in self.slopes:
            halves = (("real", slice(0, self.rows)), ("fake", slice(self.rows, None)))
            self.slopes[key] = [
                call
                for part, columns in halves
                for call in self._slopes(part, both.output[:, columns], both.slope[:, columns], -1)
            ]
        for call in self.slopes[key]:
            call()

    def _generator_slope(self, judge: Passes) -> None:
        """Write the slope of mean c(fake) at D's outputs."""
        key = ("generator", self.games)
        if key not in self.slopes:
            self.slopes[key] = self._slopes("generator", judge.output, judge.slope, 1)
        for call in self.slopes[key]:
            call()

    def _slopes(self, part: str, output: Tensor, slope: Tensor, sign: int) -> list[Operation]:
        """Return the calls for one payoff of every member's game, members of one game together."""
        calls: list[Operation] = []
        n = self.recipe.batch // self.recipe.packing
        whole = self.rows % ALIGNMENT == 0  # else every member is a group of its own
        groups = groupby(range(self.size), key=lambda k: k if not whole else id(self.losses[k]))
        for members in (list(group) for _, group in groups):
            rows = slice(members[0], members[-1] + 1)
            payoff: Payoff = getattr(self.losses[rows.start], part)
            calls += payoff.bound_slope(output[rows, :, 0], slope[rows, :, 0], sign / n)
        return calls if n == self.rows else [*calls, slope[:, n:].zero_]


def _rows(recipe: Recipe) -> int:
    """Return how many rows of D's one half of a minibatch takes in memory."""
    return padded_rows(recipe.discriminator, recipe.batch // recipe.packing)


def _multiplies_blocks(recipe: Recipe) -> bool:
    """Return whether some product of a step takes a whole block in one call."""
    rows = _rows(recipe)
    critic = any(is_batched(padded(recipe.discriminator), n) for n in (rows, 2 * rows))
    maker = recipe.generator
    return critic or (maker is not None and is_batched(padded(maker), rows * recipe.packing))
