"""One cell of a sweep: a loss, two laws and a seed; what decides it, and what it measures."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from gantheory.densities.base import Density
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError, shown, unknown_name
from gantheory.losses import bound, find
from gantheory.losses.loss import Loss
from gantheory.records import Estimate, Status
from simulations.data import Law, as_density
from simulations.discriminators import Task, TrainedDiscriminator
from simulations.ensembles import Member, Recipe, State
from simulations.measure import integrated_value
from simulations.networks import ACTIVATIONS, Affine, Mlp
from simulations.settings import check_size, check_whole
from simulations.streams import generator_of
from simulations.theory import predict
from simulations.threads import one_thread
from simulations.train import last, train
from simulations.updates import Schedule

# Version of the recipe and of what is measured: another one makes other cells, so that no record of
# an older one is read. 1 gave values beyond float64's range as those of the tangent of training.
MEANING = 2
BLOCK = 16  # cells that are trained together, at the fast path's speed
Train = Literal["discriminator", "both"]
FORMULAS = "name", "real", "fake", "generator", "domain", "link"
Found = dict[str, Any]  # what was measured, as JSON data


@dataclass(frozen=True)
class Settings:
    """How every cell is trained: Algorithm 1 with Adam, the rates falling to 0 along a cosine.

    Args:
        train: ``"discriminator"``, between p and a fixed q; or ``"both"``, with the generator
            x = loc + scale·z, which starts as q, a normal law.
        steps, batch: how many steps, and samples of either side in each.
        hidden, activation: of the discriminator.
        rate, generator_rate: of D and of G.
    """

    train: Train = "discriminator"
    steps: int = 1024
    batch: int = 512
    hidden: tuple[int, ...] = (32, 32)
    activation: str = "softplus"
    rate: float = 1e-2
    generator_rate: float = 1e-2

    def __post_init__(self) -> None:
        if self.train not in get_args(Train):
            raise unknown_name("train", self.train, get_args(Train))
        if self.activation not in list(ACTIVATIONS):
            raise unknown_name("activation", self.activation, ACTIVATIONS)
        whole: dict[str, Any] = {n: check_whole(n, getattr(self, n), 1) for n in ("steps", "batch")}
        if isinstance(self.hidden, str) or not isinstance(self.hidden, Iterable):
            raise GantheoryError(f"hidden={shown(self.hidden)}: give widths, as (32, 32)")
        whole["hidden"] = tuple(check_whole("hidden", width, 1) for width in self.hidden)
        for name in ("rate", "generator_rate"):
            whole[name] = check_size(name, getattr(self, name))
            if not whole[name]:
                raise GantheoryError(f"{name}=0 must be a positive number")
        for name, value in whole.items():  # of numpy's types too: a record is JSON
            object.__setattr__(self, name, value)

    def recipe(self, q: Density) -> Recipe:
        """Return the recipe of cells whose second law is ``q``."""
        both = self.train == "both"
        return Recipe(
            Mlp((1, *self.hidden, 1), activation=self.activation),
            Affine(**q.parameters) if both else None,
            steps=self.steps,
            batch=self.batch,
            schedule=Schedule.COSINE,
            train=self.train,
        )


@dataclass(frozen=True)
class Cell:
    """What one row of the table is a function of, beside the settings; laws as their text."""

    loss: tuple[str, ...]  # its `FORMULAS`, numbers in the place of parameters
    p: str
    q: str
    seed: int

    def definition(self) -> Loss:
        """Return the loss."""
        name, real, fake, generator, domain, link = self.loss
        return Loss(name, real, fake, generator, domain, link)

    def key(self, settings: Settings) -> str:
        """Return the name of the cell's record: a hash of everything that decides it."""
        decided = [MEANING, asdict(settings), self.loss[1:], self.p, self.q, self.seed]
        text = json.dumps(decided, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def names(self) -> dict[str, str | int]:
        """Return the first columns of the cell's row."""
        return {"loss": self.loss[0], "p": self.p, "q": self.q, "seed": self.seed}


def cells_of(
    losses: Iterable[Loss | str],
    p: Iterable[Density | str],
    q: Iterable[Density | str],
    seeds: Iterable[int],
    settings: Settings,
) -> list[Cell]:
    """Return all combinations, seeds running fastest; what cannot be trained is refused here.

    Raises:
        GantheoryError: for unknown losses, laws beyond the line, a second law that no generator
            starts as, or seeds that are none.
    """
    defined = [_formulas(loss) for loss in losses]
    first, second = ([_law(law) for law in laws] for laws in (p, q))
    if settings.train == "both" and (other := [x for x in second if x.name != "normal"]):
        raise GantheoryError(
            f"q = {other[0]}: the generator loc + scale*z starts as a normal law; give "
            "'normal(0, 1)', or train='discriminator'"
        )
    numbers = list(seeds)
    for seed in numbers:
        generator_of(seed, 0)  # refuses what is no seed
    if not (defined and first and second and numbers):
        raise GantheoryError("a sweep needs at least one loss, one p, one q and one seed")
    return [
        Cell(loss, str(a), str(b), seed)
        for loss in defined for a in first for b in second for seed in numbers
    ]  # fmt: skip


def _formulas(loss: Loss | str) -> tuple[str, ...]:
    named = find(loss) if isinstance(loss, str) else loss
    if not isinstance(named, Loss):
        raise GantheoryError(
            f"loss {str(loss)[:60]!r} constrains its discriminator, which a sweep does not; give a "
            "loss such as 'minimax'"
        )
    one = bound(named)
    return tuple(getattr(one, name) for name in FORMULAS)


def _law(law: Density | str) -> Univariate:
    density = as_density(law)
    if not isinstance(density, Univariate):
        raise GantheoryError(f"{density}: a sweep needs densities on the line")
    if as_density(str(density)) != density:
        raise GantheoryError(f"{density}: give the law as text that other processes can read")
    return density


def blocks_of(cells: Sequence[Cell], settings: Settings, most: int = 1) -> list[list[Cell]]:
    """Return the cells in blocks that one recipe trains together, so that ``most`` have work."""
    size = max(1, min(BLOCK, len(cells) // most))
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.q if settings.train == "both" else "", []).append(cell)
    return [
        group[begin : begin + size]
        for group in groups.values()
        for begin in range(0, len(group), size)
    ]


def request(cells: Sequence[Cell], settings: Settings) -> str:
    """Return a block as the text that `records_of_block` takes."""
    return json.dumps({"settings": asdict(settings), "cells": [astuple(cell) for cell in cells]})


@one_thread()
def records_of_block(text: str) -> str:
    """Train a block of cells and return what each measured, in order, as JSON."""
    asked = json.loads(text)
    plain = asked["settings"]
    settings = Settings(**{**plain, "hidden": tuple(plain["hidden"])})
    cells = [Cell(tuple(loss), p, q, seed) for loss, p, q, seed in asked["cells"]]
    return json.dumps(measured_cells(cells, settings), allow_nan=False)


def measured_cells(cells: Sequence[Cell], settings: Settings) -> list[Found]:
    """Train cells together and measure each; a cell's numbers do not depend on the others."""
    recipe = settings.recipe(as_density(cells[0].q))
    fixed = settings.train == "discriminator"
    members = [
        Member(
            Law(as_density(cell.p), settings.batch),
            cell.definition(),
            seed=cell.seed,
            discriminator_rate=settings.rate,
            generator_rate=settings.generator_rate,
            fake=Law(as_density(cell.q), settings.batch) if fixed else None,
        )
        for cell in cells
    ]
    state = last(train(members, recipe))
    return [_found(cell, recipe, state, k) for k, cell in enumerate(cells)]


def _found(cell: Cell, recipe: Recipe, state: State, k: int) -> Found:
    rows: dict[str, Tensor] = {
        player: rows[k].to("cpu", torch.float64) for player, rows in state.parameters.items()
    }
    if not bool(state.finite[k]):
        return _lost(f"its parameters were not all finite after {state.step} steps; lower the rate")
    q, moved = cell.q, {}
    if "generator" in rows:
        loc, scale = rows["generator"].tolist()
        q, moved = f"normal({loc!r}, {abs(scale)!r})", {"loc": loc, "scale": scale}
    task = Task(cell.definition(), cell.p, q, cell.seed)
    critic = TrainedDiscriminator(task, recipe.discriminator, rows["discriminator"])
    try:
        value = integrated_value(task.loss, critic, cell.p, q)
        optimum = _optimum(cell.loss, cell.p, q)
    except GantheoryError as error:
        return _lost(str(error)) | moved
    parts = {"value": value, "optimum": optimum, "gap": _gap(optimum, value)}
    reason = next((e.reason for e in parts.values() if e.status is not Status.OK), None)
    numbers = {
        column: number if math.isfinite(number) else None
        for name, part in parts.items()
        for column, number in ((name, part.value), (f"{name}_error", part.error))
    }
    status = Status.OK if reason is None else Status.UNDETERMINED
    return numbers | moved | {"status": str(status), "reason": reason}


def _gap(optimum: Estimate, value: Estimate) -> Estimate:
    """Return how far a discriminator's value falls short of the best one's."""
    for part, what in ((optimum, "optimum"), (value, "value")):
        if not part.is_finite:
            return Estimate.undetermined(f"the {what} is {part}")
    return Estimate(optimum.value - value.value, optimum.error + value.error)


def _lost(reason: str) -> Found:
    return {"status": str(Status.UNDETERMINED), "reason": reason}


@lru_cache(maxsize=512)
def _optimum(formulas: tuple[str, ...], p: str, q: str) -> Estimate:
    return predict(Cell(formulas, p, q, 0).definition()).optimal_value(p, q)
