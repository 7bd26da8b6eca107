"""Discriminators trained to optimality against a fixed pair of densities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gantheory.densities.base import Density
from gantheory.losses.loss import Loss
from simulations.data import Law, as_density
from simulations.ensembles import Member, Recipe, State
from simulations.losses import torch_loss
from simulations.networks import Mlp, Network
from simulations.train import last, train
from simulations.updates import Schedule

# softplus is smooth, as D* is, and grows linearly, as log(p/q) does between normals: for
# N(0, 1), N(1.7, 1) the value falls short of its optimum by 3e-6 to 1e-5 nats after 1024 steps,
# where tanh leaves 3e-5 (measured). Width 128 gains nothing in one dimension. What matters most
# is that the rate falls to zero, then that minibatches are stratified.
NETWORK = Mlp((1, 32, 32, 1), activation="softplus")
RATE = 1e-2


@dataclass(frozen=True)
class Task:
    """One discriminator to train: its game, the two laws and a seed."""

    loss: Loss | str
    p: Density | str
    q: Density | str
    seed: int = 0
    parameters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class TrainedDiscriminator:
    """A trained discriminator as a function: points (..., dim) -> scores t of shape (...)."""

    task: Task
    network: Network
    row: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """Return the scores, differentiable in ``x``."""
        output = self.network(self.row[None], x.reshape(1, -1, x.shape[-1]))
        score = torch_loss(self.task.loss, self.task.parameters).score
        return score(output.reshape(x.shape[:-1]))


def recipe(
    steps: int = 1024, batch: int = 512, network: Network = NETWORK, device: str = "cpu"
) -> Recipe:
    """Return Algorithm 1's discriminator step alone, with the rate falling to zero."""
    return Recipe(
        discriminator=network,
        generator=None,
        steps=steps,
        batch=batch,
        schedule=Schedule.COSINE,
        train="discriminator",
        device=device,
    )


def train_discriminators(
    tasks: Sequence[Task], how: Recipe | None = None, rate: float = RATE
) -> list[TrainedDiscriminator]:
    """Train all tasks as one ensemble, on stratified minibatches, and return them as functions."""
    how = how or recipe()
    state = last(train(_members(tasks, how, rate), how))
    return _functions(tasks, how, state)


def snapshots(
    task: Task, how: Recipe, rate: float = RATE
) -> list[tuple[int, TrainedDiscriminator]]:
    """Train one task and return it as a function after every 64 steps, with the step."""
    states = train(_members([task], how, rate), how)
    return [(state.step, _functions([task], how, state)[0]) for state in states]


def _members(tasks: Sequence[Task], how: Recipe, rate: float) -> list[Member]:
    return [
        Member(
            real=Law(as_density(task.p), how.batch),
            fake=Law(as_density(task.q), how.batch),
            loss=task.loss,
            parameters=task.parameters,
            seed=task.seed,
            discriminator_rate=rate,
        )
        for task in tasks
    ]


def _functions(tasks: Sequence[Task], how: Recipe, state: State) -> list[TrainedDiscriminator]:
    rows = state.parameters["discriminator"].to("cpu", torch.float64)
    return [
        TrainedDiscriminator(task, how.discriminator, row.clone())
        for task, row in zip(tasks, rows, strict=True)
    ]
