"""Train a user's own generator and discriminator as an ensemble of seeds, by any recipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

import torch
from torch import Tensor, nn

from gantheory.dynamics.rules import Rule as Moves
from gantheory.errors import GantheoryError
from gantheory.losses.critic import Critic
from gantheory.losses.loss import Loss
from simulations.ensembles import Member, Recipe, State
from simulations.modules import Given, Stacked, as_network, path_of
from simulations.points import as_sampler
from simulations.reference import ReferenceEngine
from simulations.regularisers import Regulariser
from simulations.runs import load_checkpoint, train_run
from simulations.samples import fresh_samples
from simulations.streams import CHUNK
from simulations.train import Path as EnginePath
from simulations.train import Progress, engine, last, train
from simulations.updates import DirectionRule
from simulations.watch import Watch

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Trained:
    """An ensemble of a user's GAN after its training.

    Attributes:
        members, recipe, state: what was trained, how, and where it ended.
        path: ``"fast"`` or ``"reference"``; ``why`` says why it was this one.
        watches: one a member, with its readings, where ``every`` was given.
    """

    members: tuple[Member, ...]
    recipe: Recipe
    state: State
    path: str
    why: str
    watches: tuple[Watch, ...] = field(default=(), repr=False)

    def modules(self, k: int = 0) -> tuple[nn.Module, nn.Module]:
        """Return copies of the generator and the discriminator with member k's numbers."""
        return _filled(self.recipe, self.state, k)

    def samples(self, n: int) -> Tensor:
        """Return n fresh samples of every member, (members, n, dimension), on the CPU."""
        return fresh_samples(self.state, self.recipe, self.members, n)

    def draw(self, k: int = 0) -> Figure:
        """Return the figure of member k's readings."""
        if not self.watches:
            raise GantheoryError("nothing was measured; train with every=100, or another number")
        return self.watches[k].draw()


class Options(TypedDict, total=False):
    """What `train_modules` hands on: the fields of `Recipe` that a user's modules leave open."""

    batch: int
    discriminator_steps: int
    generator_steps: int
    rule: DirectionRule | tuple[DirectionRule, DirectionRule]
    order: str | Moves
    schedule: str
    annealing: str
    train: Literal["both", "discriminator", "generator"]
    regularisers: tuple[Regulariser, ...]
    clip: float | None
    packing: int
    unrolling: int
    condition: int
    averaging: float | None
    dtype: torch.dtype
    device: str
    source: Literal["twister", "counter"]


def train_modules(
    generator: nn.Module,
    discriminator: nn.Module,
    data: Any,
    loss: Loss | Critic | str = "non-saturating",
    *,
    latent: int,
    seeds: Iterable[int] = (0,),
    fresh: bool = False,
    steps: int = 2000,
    discriminator_rate: float = 1e-3,
    generator_rate: float = 1e-3,
    noise: float = 0.0,
    parameters: Mapping[str, float] | None = None,
    every: int | None = None,
    held_out: Any = None,
    out: Path | str | None = None,
    progress: Progress | None = None,
    path: EnginePath = "auto",
    **options: Unpack[Options],
) -> Trained:
    """Train a generator and a discriminator on data, one member a seed; your modules stay as is.

    Args:
        generator: maps latents (n, latent) to samples; under ``condition=c`` latents and c numbers
            of the condition (n, latent + c) to what stands before it.
        discriminator: maps samples to one raw score each, without a sigmoid, or to several.
        data: numbers, a file, a Dataset, a density or a sampler (see `simulations.points`).
        loss: a name of the catalogue, a `Loss`, or a critic such as ``"relativistic"``.
        latent: dimension of the generator's input.
        seeds: one member each: of its samples, and of its initial values where ``fresh``.
        fresh: draw each layer's initial values anew by its ``reset_parameters``; otherwise every
            member starts from the modules' own numbers.
        steps, discriminator_rate, generator_rate, noise, parameters: see `Recipe` and `Member`.
        every: measure every member after so many steps, a multiple of 64 (see `Watch`).
        held_out: data to measure on; by default ``data``.
        out: a folder for checkpoints: after a crash the same call goes on from the last one; then
            nothing is measured on the way.
        progress, path: see `simulations.train.train`.
        options: whatever else `Recipe` takes: batch, rule, schedule, regularisers, averaging, ...

    Raises:
        GantheoryError: before any work, where networks, data, loss and recipe do not fit.
    """
    recipe, whys = _recipe(generator, discriminator, latent, fresh, steps, options)
    law, rates = as_sampler(data), (discriminator_rate, generator_rate)
    members = tuple(Member(law, loss, parameters or {}, k, *rates, noise) for k in seeds)
    _check_interval(every, free=out is None and not recipe.condition)
    states = train(members, recipe, progress=progress, path=path)  # refuses what does not fit
    taken = _path_taken(members, recipe, path, whys)
    if out is not None:
        train_run(out, members, recipe, progress=progress, path=path)
        return Trained(members, recipe, load_checkpoint(out)[1], *taken)
    if every is None:
        return Trained(members, recipe, last(states), *taken)
    measured_on = law if held_out is None else as_sampler(held_out)
    watches: list[Watch] = []
    for state in filter(lambda state: state.step % every == 0 or state.step == steps, states):
        watches = _watched(watches, members, recipe, state, measured_on, latent)
    return Trained(members, recipe, state, *taken, tuple(watches))


def _check_interval(every: int | None, free: bool) -> None:
    """Refuse to measure between chunks of steps, or where nothing is measured on the way."""
    if every is not None and (every < 1 or every % CHUNK or not free):
        raise GantheoryError(
            f"every={every!r} must be a multiple of {CHUNK} steps, without out= or condition="
        )


def _recipe(
    generator: nn.Module, discriminator: nn.Module, latent: int, fresh: bool, steps: int,
    options: Options,
) -> tuple[Recipe, tuple[str, str]]:  # fmt: skip
    """Return the recipe, and why each network is trained as it is."""
    told = options.get("condition", 0)
    shape = _sample_shape(generator, latent + told)
    if told and len(shape) != 1:
        raise GantheoryError(
            f"condition={told}: samples of shape {shape} must be flat, the condition behind them"
        )
    shape = (shape[0] + told,) if told else shape
    maker, why_g = as_network(generator, (latent + told,), fresh=fresh)
    critic, why_d = as_network(discriminator, shape, fresh=fresh)
    like = next(iter(generator.parameters()))
    options = {"dtype": like.dtype, "device": str(like.device), **options}
    try:
        return Recipe(critic, maker, steps, **options), (why_g, why_d)
    except TypeError as error:
        known = ", ".join(sorted(set(Recipe.__dataclass_fields__) - {"discriminator", "generator"}))
        raise GantheoryError(f"{str(error).split('__init__() ')[-1]}; options: {known}") from None


def _path_taken(
    members: tuple[Member, ...], recipe: Recipe, path: EnginePath, whys: tuple[str, str]
) -> tuple[str, str]:
    slow = isinstance(engine(members, recipe, path), ReferenceEngine)
    why = path_of(
        [
            ("generator", recipe.networks["generator"], whys[0]),
            ("discriminator", recipe.networks["discriminator"], whys[1]),
        ]
    )
    return "reference" if slow else "fast", why if slow == _stacked(recipe) else _asked(path)


def _stacked(recipe: Recipe) -> bool:
    return any(isinstance(network, Stacked) for network in recipe.networks.values())


def _asked(path: str) -> str:
    if path == "reference":
        return "path='reference' was asked for"
    return "the recipe needs autograd: a penalty, an order of moves, or a loss on pairs"


def _sample_shape(generator: nn.Module, latent: int) -> tuple[int, ...]:
    """Return the shape of one sample, without moving anything of the generator's."""
    from simulations.watch import untouched

    like = next(iter(generator.parameters()), None)
    if like is None:
        raise GantheoryError(f"{type(generator).__name__} has no parameters to train")
    try:
        with untouched(generator), torch.no_grad():
            made = generator(torch.zeros(2, latent, dtype=like.dtype, device=like.device))
    except (RuntimeError, ValueError, TypeError) as error:
        raise GantheoryError(
            f"the generator does not take latents of shape (n, {latent}): "
            f"{str(error).splitlines()[0][:120]}"
        ) from None
    return tuple(made.shape[1:])


def _filled(recipe: Recipe, state: State, k: int) -> tuple[nn.Module, nn.Module]:
    made = []
    for player in ("generator", "discriminator"):
        network = recipe.networks[player]
        assert isinstance(network, Given | Stacked)
        made.append(network.filled(state.parameters[player][k].detach()))
    return made[0], made[1]


def _watched(
    watches: list[Watch], members: tuple[Member, ...], recipe: Recipe, state: State, data: Any,
    latent: int,
) -> list[Watch]:  # fmt: skip
    """Measure every member as it stands; return its watch with one reading more."""
    found = []
    for k, member in enumerate(members):
        if isinstance(member.loss, Critic):
            raise GantheoryError("a constrained critic is not measured; leave out every=")
        pair = _filled(recipe, state, k)
        readings = watches[k].readings if watches else []
        watch = Watch(
            *pair, data, member.loss, latent, every=1,
            options={"parameters": member.parameters or None}, readings=readings,
        )  # fmt: skip
        watch(state.step)
        found.append(watch)
    return found
