"""Train a user's own generator and discriminator as an ensemble of seeds, by any recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

import torch
from torch import Tensor, nn

from gantheory.dynamics.rules import Rule as Moves
from gantheory.errors import GantheoryError, shown, unknown_name
from gantheory.files import as_folder
from gantheory.losses import find
from gantheory.losses.critic import Critic
from gantheory.losses.loss import REALS, Loss
from gantheory.shown import Overview, Shown
from simulations.coded import Code, as_coded, with_sigmoid, without_sigmoid
from simulations.ensembles import Member, Recipe, State
from simulations.forwards import (
    Selected,
    bare,
    check_module,
    check_raw,
    output_of,
    recording,
    untouched,
)
from simulations.modules import Given, Stacked, as_network, check_apart, own_parameters, path_of
from simulations.points import DataPoints, as_sampler, check_axes
from simulations.reference import ReferenceEngine
from simulations.regularisers import Regulariser
from simulations.runs import load_checkpoint, train_run
from simulations.samples import fresh_samples
from simulations.settings import check_chunks, check_seeds, check_whole
from simulations.streams import Sampler
from simulations.threads import one_thread
from simulations.train import Path as EnginePath
from simulations.train import Progress, engine, train
from simulations.updates import DirectionRule
from simulations.watch import Watch, latent_shape

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class Trained(Shown):
    """An ensemble of a user's GAN after its training.

    Attributes:
        members, recipe, state: what was trained, how, and where it ended.
        path: ``"fast"`` or ``"reference"``; ``why`` says why it was this one.
        watches: one a member, with its readings, where ``every`` was given.
        probabilities: whether the discriminator ends in a sigmoid, and its loss takes its outputs;
            ``recipe`` and ``watches`` have its raw scores then.
    """

    members: tuple[Member, ...]
    recipe: Recipe
    state: State
    path: str
    why: str
    watches: tuple[Watch, ...] = ()
    probabilities: bool = False

    @property
    def finite(self) -> list[bool]:
        """Return of each member whether all of its parameters are still numbers."""
        return [bool(one) for one in self.state.finite]

    def overview(self) -> Overview:
        """Return what was trained, by which path, and who was lost."""
        lost = [str(member.seed) for member, fine in zip(self.members, self.finite, strict=True)
                if not fine]  # fmt: skip
        title = f"{len(self.members)} member(s), {self.state.step} steps, {self.path} path"
        said = f"seed(s) {', '.join(lost)}: parameters are no numbers any more; lower the rates"
        loss = self.members[0].loss
        played = loss if isinstance(loss, str) else loss.title
        rows = (("path", f"{self.path}: {self.why}"), ("loss", played))
        return Overview(f"{title}; {said}" if lost else title, rows)

    def modules(self, k: int = 0) -> tuple[nn.Module, nn.Module]:
        """Return copies of the generator and the discriminator with member k's numbers."""
        if k not in range(len(self.members)):
            raise GantheoryError(f"k={k!r}: members count from 0 to {len(self.members) - 1}")
        maker, scores = _filled(self.recipe, self.state, k)
        critic = with_sigmoid(scores) if self.probabilities else scores
        return maker, critic.inner if isinstance(critic, Selected) else critic

    def samples(self, n: int) -> Tensor:
        """Return n fresh samples of every member, (members, n, dimension), on the CPU."""
        check_whole("n", n, 1)
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


@one_thread()
def train_modules(
    generator: nn.Module,
    discriminator: nn.Module,
    data: Any,
    loss: Loss | Critic | str | Code = "non-saturating",
    *,
    latent: int | tuple[int, ...],
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
    score: Callable[[Any], Tensor] | None = None,
    progress: Progress | None = None,
    path: EnginePath = "auto",
    **options: Unpack[Options],
) -> Trained:
    """Train a generator and a discriminator on data, one member a seed; your modules stay as is.

    Args:
        generator: maps latents (n, latent) to samples; under ``condition=c`` latents and the
            condition's c numbers (n, latent + c) to what stands before it.
        discriminator: maps samples to raw scores, without a sigmoid, one or several each; under
            ``packing=m`` it takes m samples, their first axes one behind the other.
        data: numbers, a file, a Dataset, a density or a sampler (see `simulations.points`).
        loss: a name of the catalogue, a `Loss`, a critic, or torch code (see `simulations.coded`):
            a criterion, or ``(d_loss(real, fake), g_loss(fake))``; D ends in a sigmoid where it
            takes probabilities.
        latent: dimension of the generator's input, or its shape, as ``(100, 1, 1)``.
        seeds: one member each: of its samples, and of its initial values where ``fresh``.
        fresh: draw initial values by each layer's ``reset_parameters``; else the modules' own.
        steps, discriminator_rate, generator_rate, noise, parameters: see `Recipe` and `Member`.
        every: measure every member after so many steps, a multiple of 64 (see `Watch`).
        held_out: data to measure on; by default ``data``.
        out: a folder for checkpoints, from which the same call goes on; nothing is measured then.
        score: takes the scores from what D returns, as ``lambda out: out[0]`` of (t, features).
        progress, path, options: see `simulations.train.train`, and what else `Recipe` takes.

    Raises:
        GantheoryError: before any work, where networks, data, loss and recipe do not fit.
    """
    generator, discriminator = bare(generator), bare(discriminator)
    own = check_seeds(seeds)
    check_whole("steps", steps, 1)
    check_apart(generator, discriminator)
    if not isinstance(fresh, bool):
        raise GantheoryError(f"fresh={shown(fresh)} must be True or False")
    folder = None if out is None else as_folder(out)
    (played, scored), discriminator = _played(loss), _scoring(discriminator, score)
    recipe, whys = _recipe(generator, discriminator, latent, fresh, steps, options, scored)
    law, rates = as_sampler(data), (discriminator_rate, generator_rate)
    members = tuple(Member(law, played, parameters or {}, k, *rates, noise) for k in own)
    _check_play(recipe, members, law, every, kept=folder is not None)
    if not recipe.condition:
        check_axes(law, _sample_shape(generator, latent_shape(latent)))
    states = train(members, recipe, progress=progress, path=path)  # refuses what does not fit
    taken = _path_taken(members, recipe, path, whys)
    if folder is not None:
        train_run(folder, members, recipe, progress=progress, path=path)
        return Trained(members, recipe, load_checkpoint(folder)[1], *taken, (), scored)
    seen = law if held_out is None else as_sampler(held_out)
    state, watches = _measured(states, every, members, recipe, seen, latent)
    return Trained(members, recipe, state, *taken, watches, scored)


def _scoring(discriminator: nn.Module, score: Callable[[Any], Tensor] | None) -> nn.Module:
    """Return the module that gives scores alone."""
    if score is None:
        return discriminator
    check_module("discriminator", discriminator)
    return Selected(discriminator, score)


def _check_play(
    recipe: Recipe, members: Sequence[Member], law: Sampler, every: int | None, *, kept: bool
) -> None:
    """Raise where data, scores or the interval of measurements do not fit the recipe."""
    _check_data(law, recipe)
    _check_scores(recipe, members)
    _check_interval(every, free=not kept and not recipe.condition and recipe.packing == 1)


def _played(loss: Loss | Critic | str | Code) -> tuple[Loss | Critic | str, bool]:
    """Return the loss as formulas, and whether it takes probabilities."""
    coded = as_coded(loss)
    if coded is None:
        return loss, False  # type: ignore[return-value]
    if coded.summed:
        raise GantheoryError(
            f"{coded.written}: it sums over the minibatch, and losses here are means; give "
            "reduction='mean', and rates times the batch size for the same moves"
        )
    return replace(coded.loss, domain=REALS), coded.probabilities  # D's outputs, as they are


def _check_interval(every: int | None, free: bool) -> None:
    """Refuse to measure between chunks of steps, or where nothing is measured on the way."""
    if every is not None and check_chunks("every", every) and not free:
        raise GantheoryError(f"every={every}: nothing is measured under out=, condition=, packing=")


def _check_data(law: Sampler, recipe: Recipe) -> None:
    """Raise where the generator's samples are not like the data, or the data are beyond dtype."""
    assert recipe.generator is not None
    made = recipe.generator.outputs + recipe.condition
    if law.dim != made:
        raise GantheoryError(
            f"the generator makes samples of {made} number(s), the data have dimensions of "
            f"{law.dim}; they must be as many"
        )
    if isinstance(law, DataPoints) and not law.rows.to(recipe.dtype).isfinite().all():
        raise GantheoryError(f"the data have numbers beyond {recipe.dtype}; divide them by a unit")


def _check_scores(recipe: Recipe, members: Sequence[Member]) -> None:
    """Raise where the discriminator's scores went through a sigmoid that the loss has too."""
    network = recipe.discriminator
    assert isinstance(network, Given | Stacked)
    for member in members[:1]:
        played = find(member.loss) if isinstance(member.loss, str) else member.loss
        if isinstance(played, Loss):
            with recording():
                row = network.row_of(network.module)[None].clone().requires_grad_()
                x = torch.zeros(1, 2, network.inputs, dtype=row.dtype)
                check_raw(network(row, x), played)


def _recipe(
    generator: nn.Module, discriminator: nn.Module, latent: int | tuple[int, ...], fresh: bool,
    steps: int, options: Options, scored: bool = False,
) -> tuple[Recipe, tuple[str, str]]:  # fmt: skip
    """Return the recipe, and why each network is trained as it is."""
    if callable(latent):
        raise GantheoryError(
            "latent= must be a number of dimensions or a shape here, as 2 or (100, 1, 1): members "
            "draw their own latents, normal ones"
        )
    known = {*Options.__annotations__, *signature(train_modules).parameters} - {"options"}
    for name in set(options) - known:
        raise unknown_name("option", name, known)
    told, packed = options.get("condition", 0), options.get("packing", 1)
    check_whole("condition", told, 0)
    check_whole("packing", packed, 1)
    seen = latent_shape(latent)
    seen = (seen[0] + told, *seen[1:])
    shape = _sample_shape(generator, seen)
    if told and (len(shape), len(seen)) != (1, 1):
        raise GantheoryError(
            f"condition={told}: latents of shape {seen} and samples of shape {shape} must be flat, "
            "the condition behind them"
        )
    shape = (packed * (shape[0] + told), *shape[1:]) if shape else (packed,)
    maker, why_g = as_network(generator, seen, fresh=fresh)
    if scored:
        discriminator = _raw(discriminator, shape)
    critic, why_d = as_network(discriminator, shape, fresh=fresh)
    like = own_parameters(generator)[0]
    options = {"dtype": like.dtype, "device": str(like.device), **options}
    return Recipe(critic, maker, steps, **options), (why_g, why_d)


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
    return "reference" if slow else "fast", why if slow == _stacked(recipe) else _asked(
        path, recipe
    )


def _stacked(recipe: Recipe) -> bool:
    return any(isinstance(network, Stacked) for network in recipe.networks.values())


def _asked(path: str, recipe: Recipe) -> str:
    if path == "reference":
        return "path='reference' was asked for"
    if recipe.discriminator.outputs > 1:
        return "the discriminator has several outputs"
    return "the recipe needs autograd: a penalty, an order of moves, or a loss on pairs"


def _raw(discriminator: nn.Module, shape: tuple[int, ...]) -> nn.Module:
    """Return the raw scores of a discriminator that ends in a sigmoid."""
    like = own_parameters(discriminator)[0]
    with untouched(discriminator):
        x = torch.zeros(2, *shape, dtype=like.dtype, device=like.device)
        return without_sigmoid(discriminator, x)


def _sample_shape(generator: nn.Module, latent: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of one sample, without moving anything of the generator's."""
    like = own_parameters(generator)[0]
    with untouched(generator), torch.no_grad():
        x = torch.zeros(2, *latent, dtype=like.dtype, device=like.device)
        return tuple(output_of("generator", generator, x).shape[1:])


def _filled(recipe: Recipe, state: State, k: int) -> tuple[nn.Module, nn.Module]:
    made = []
    for player in ("generator", "discriminator"):
        network = recipe.networks[player]
        assert isinstance(network, Given | Stacked)
        made.append(network.filled(state.parameters[player][k].detach()))
    return made[0], made[1]


def _measured(
    states: Iterable[State], every: int | None, members: tuple[Member, ...], recipe: Recipe,
    data: Any, latent: int | tuple[int, ...],
) -> tuple[State, tuple[Watch, ...]]:  # fmt: skip
    """Train to the end, and measure after every so many steps, where it is asked for."""
    watches: list[Watch] = []
    for state in states:
        if every is not None and (state.step % every == 0 or state.step == recipe.steps):
            watches = _watched(watches, members, recipe, state, data, latent)
    return state, tuple(watches)


def _watched(
    watches: list[Watch], members: tuple[Member, ...], recipe: Recipe, state: State, data: Any,
    latent: int | tuple[int, ...],
) -> list[Watch]:  # fmt: skip
    """Measure every member as it stands; return its watch with one reading more."""
    found = []
    for k, member in enumerate(members):
        pair = _filled(recipe, state, k)
        readings = watches[k].readings if watches else []
        watch = Watch(
            *pair, data, member.loss, latent, every=1,
            options={"parameters": member.parameters or None}, readings=readings,
        )  # fmt: skip
        watch(state.step)
        found.append(watch)
    return found
