"""The minibatches of a whole ensemble: drawn member by member, or counted for all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from simulations.counter import Countable, Counter, Places
from simulations.ensembles import Member, Recipe
from simulations.streams import CHUNK, TRAINING, Sampler, generator_of
from simulations.trainable import is_paired
from simulations.updates import Schedule

# What counted numbers may take at once, in bytes: some of a GPU's memory, or a CPU's cache. A
# number takes about 100 on its way from four words to a float, were nothing fused.
MEMORY = {"cpu": 2**22}
DEVICE_MEMORY = 2**32
PER_NUMBER = 100
# part of the format: a new purpose comes last
PURPOSES = (
    "real", "fake", "latent", "mix", "real_noise", "fake_noise", "paired", "paired_noise",
)  # fmt: skip
# real samples for G's updates, where its loss compares or it is given their condition
PAIRED = "paired", "paired_noise"
NOISES = "real_noise", "fake_noise", "paired_noise"


def portions(
    members: Sequence[Member], recipe: Recipe, step: int, steps: int
) -> Iterator[tuple[int, dict[str, Tensor]]]:
    """Yield (count, samples) until ``steps`` steps of one chunk are covered from ``step`` on.

    Samples are stacked, (K, at least count, ...), on the recipe's device. Numbers that are counted
    come in portions that take bounded memory.
    """
    if recipe.source == "twister":
        yield steps, drawn(members, recipe, step)
        return
    source = Counted(members, recipe, step)
    for begin in range(0, steps, source.most):
        count = min(source.most, steps - begin)
        yield count, source.samples(begin, count)


def drawn(members: Sequence[Member], recipe: Recipe, step: int) -> dict[str, Tensor]:
    """Return every member's chunk of samples from ``step`` on, stacked: (K, CHUNK, ...)."""
    chunks = [
        recipe.draw.chunk(
            member.real,
            member.fake,
            member.noise,
            generator_of(member.seed, TRAINING, step // CHUNK),
            paired=bool(recipe.condition) or is_paired(member.loss),
        )
        for member in members
    ]
    if recipe.annealing != Schedule.CONSTANT:
        factors = recipe.noise_factors(step)
        for chunk in chunks:
            for name in chunk.keys() & set(NOISES):
                chunk[name].mul_(factors)
    names = dict.fromkeys(name for chunk in chunks for name in chunk)
    return {
        name: torch.stack([_or_zeros(chunk, name, chunks) for chunk in chunks]).to(recipe.device)
        for name in names
    }


def _or_zeros(chunk: dict[str, Tensor], name: str, chunks: list[dict[str, Tensor]]) -> Tensor:
    """Return a member's tensor, or the zero noise of a member that has none."""
    if name in chunk:
        return chunk[name]
    return torch.zeros_like(next(other[name] for other in chunks if name in other))


@dataclass(frozen=True)
class Counted:
    """One chunk's samples from counted numbers; those of a sampler that cannot count are drawn."""

    members: Sequence[Member]
    recipe: Recipe
    step: int

    @cached_property
    def most(self) -> int:
        """Return how many steps to make at once."""
        draw, dim = self.recipe.draw, self.members[0].real.dim
        points = (2 * draw.critic_steps + draw.maker_steps) * draw.batch
        numbers = len(self.members) * points * (3 * dim + draw.latent_dim)
        memory = MEMORY.get(self.recipe.device, DEVICE_MEMORY)
        return max(1, min(CHUNK, memory // (PER_NUMBER * numbers)))

    def samples(self, begin: int, count: int) -> dict[str, Tensor]:
        """Return ``count`` steps' samples from step ``begin`` of the chunk on."""
        draw, k, batch = self.recipe.draw, self.recipe.draw.critic_steps, self.recipe.batch
        seeds = tuple(member.seed for member in self.members)
        counter = Counter(seeds, TRAINING, self.step + begin, count, self.recipe.device)
        found = {"real": self._points("real", counter, k)}
        compares = any(is_paired(member.loss) for member in self.members)
        paired = compares or bool(self.recipe.condition)
        if paired:
            found["paired"] = self._points("paired", counter, draw.maker_steps)
        if self.recipe.generator is None:
            found["fake"] = self._points("fake", counter, k)
        else:
            places = Places(counter, PURPOSES.index("latent"), k + draw.maker_steps, batch)
            width = draw.latent_dim
            normal = draw.latent == "normal"
            found["latent"] = places.normal(width) if normal else 2 * places.uniform(width) - 1
        if draw.mixes:
            found["mix"] = Places(counter, PURPOSES.index("mix"), k, draw.mixes).uniform()
        if any(member.noise for member in self.members):
            found |= self._noise(counter, begin, paired)
        return {name: tensor.to(self.recipe.dtype) for name, tensor in found.items()}

    def _noise(self, counter: Counter, begin: int, paired: bool) -> dict[str, Tensor]:
        scale = torch.tensor([member.noise for member in self.members], dtype=torch.float64)
        factors = self.recipe.noise_factors(self.step).double()[begin : begin + counter.steps]
        scales = (scale[:, None, None, None, None] * factors).to(counter.device)
        draw, dim = self.recipe.draw, self.members[0].real.dim
        k, more = draw.critic_steps, draw.critic_steps + draw.maker_steps
        counts = (k, more, draw.maker_steps) if paired else (k, more)
        return {
            name: Places(counter, PURPOSES.index(name), count, self.recipe.batch).normal(dim)
            * scales
            for name, count in zip(NOISES, counts, strict=False)
        }

    def _points(self, role: str, counter: Counter, count: int) -> Tensor:
        """Return ``count`` minibatches a step of every member's law, (K, steps, count, n, dim)."""
        groups = self._laws["fake" if role == "fake" else "real"]
        places = Places(counter, PURPOSES.index(role), count, self.recipe.batch)
        parts = [self._of(law, rows, places) for law, rows in groups]
        if len(parts) == 1:
            return parts[0]
        order = torch.tensor([row for _, rows in groups for row in rows]).argsort()
        return torch.cat(parts)[order.to(counter.device)]

    def _of(self, law: Sampler, rows: list[int], places: Places) -> Tensor:
        counter = places.counter
        if isinstance(law, Countable) and getattr(law, "counts", True):
            everyone = len(rows) == len(counter.seeds)
            chosen = counter.seeds if everyone else tuple(counter.seeds[row] for row in rows)
            return law.points(replace(places, counter=replace(counter, seeds=chosen)))
        begin = counter.first - self.step
        points = [self._drawn(law, counter.seeds[row], places) for row in rows]
        return torch.stack(points)[:, begin : begin + counter.steps].to(counter.device)

    def _drawn(self, law: Sampler, seed: int, places: Places) -> Tensor:
        """Return one member's chunk from a sampler that takes a generator, drawn on the CPU."""
        k, batch = places.minibatches, places.batch
        generator = generator_of(seed, TRAINING, self.step // CHUNK)
        if places.purpose == PURPOSES.index("paired"):  # after D's, that they differ
            law.sample(CHUNK * self.recipe.draw.critic_steps * batch, generator, self.recipe.dtype)
        points = law.sample(CHUNK * k * batch, generator, self.recipe.dtype)
        return points.view(CHUNK, k, batch, law.dim)

    @cached_property
    def _laws(self) -> dict[str, list[tuple[Any, list[int]]]]:
        """Return, for real and fake samples, the different laws and the members that have each."""
        result = {}
        for role in ("real", "fake"):
            groups: dict[object, tuple[Any, list[int]]] = {}
            for row, member in enumerate(self.members):
                law = getattr(member, role)
                groups.setdefault(_name(law), (law, []))[1].append(row)
            result[role] = list(groups.values())
        return result


def _name(law: object) -> object:
    """Return what equal laws share: the law itself where it may stand in a table."""
    try:
        hash(law)
    except TypeError:
        return id(law)
    return law
