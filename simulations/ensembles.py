"""What an ensemble is: its members, the recipe that they share, and the state of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Real
from typing import Literal

import torch
from torch import Tensor

from gantheory.dynamics.rules import Rule as Moves
from gantheory.dynamics.rules import alternating, clipped, get_rule, list_rules
from gantheory.errors import GantheoryError, require_type, shown, unknown_name, wrong_type
from gantheory.losses.critic import Critic
from gantheory.losses.loss import Loss
from simulations.networks import Network, initialise
from simulations.regularisers import Regulariser
from simulations.settings import check_device, check_size, check_training, check_whole
from simulations.streams import CHUNK, INITIAL, Draw, Sampler, generator_of
from simulations.trainable import Trainable, check_constraint, trainable
from simulations.updates import Adam, DirectionRule, Schedule

Player = Literal["discriminator", "generator"]
ADAM = Adam()
SOURCES = "twister", "counter"
TRAINED = "both", "discriminator", "generator"
LATENTS = "normal", "uniform"
AVERAGE = "average"  # the buffer of a generator's running average


@dataclass(frozen=True)
class Member:
    """One GAN of an ensemble: what may differ between members.

    Args:
        real: the data.
        loss: a catalogue name, a `Loss`, or a `Critic` that the recipe keeps in its class.
        parameters: values of the game's free parameters.
        seed: of initial values and samples; a member's result is a function of its own fields
            and the recipe, whoever trains beside it.
        discriminator_rate, generator_rate: learning rates.
        noise: deviation of the instance noise added to whatever the discriminator sees.
        fake: a fixed law in the generator's place; then only the discriminator is trained.
    """

    real: Sampler
    loss: Loss | Critic | str = "non-saturating"
    parameters: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    discriminator_rate: float = 1e-3
    generator_rate: float = 1e-3
    noise: float = 0.0
    fake: Sampler | None = None

    def __post_init__(self) -> None:
        require_type("mapping of parameters", self.parameters, Mapping, "one, as {'alpha': 2}")
        object.__setattr__(self, "seed", check_whole("seed", self.seed, 0))
        for name in ("discriminator_rate", "generator_rate", "noise"):
            object.__setattr__(self, name, check_size(name, getattr(self, name)))


@dataclass(frozen=True)
class Recipe:
    """How every member is trained: Algorithm 1 of Goodfellow et al. (2014), arXiv:1406.2661.

    Each step makes ``discriminator_steps`` (k) updates of D on fresh minibatches of ``batch`` (m)
    real and m fake samples, then ``generator_steps`` of G, each on m fresh fakes.

    Args:
        discriminator: maps a sample (or ``packing`` of them, side by side) to one number, or to
            several, each a discriminator of its own: losses are means over them, as over the
            patches of Isola et al. (2017), arXiv:1611.07004; penalties take their sum's gradient.
        generator: maps latent draws to samples; None where members have a fixed ``fake`` law.
        steps: how many steps in all; schedules refer to it.
        rule: how gradients become directions: `Sgd`, `Adam`, `RmsProp`, or a pair, D's and G's.
        order: who moves when: a name of `gantheory.dynamics.rules.list_rules`, or such a rule,
            with G as player 1. Alternating is Algorithm 1, D first; others take one step of each.
        schedule: factor on the rates over the run.
        annealing: factor on the instance noise over the run.
        train: which player moves; the other keeps its initial or given parameters.
        regularisers: penalties added to the discriminator's loss; with packing, on the gradient
            in all that the discriminator sees at once.
        clip: bound on every discriminator parameter after each of its updates (Arjovsky et al.,
            2017, arXiv:1701.07875).
        packing: samples that the discriminator sees together (Lin et al., 2018,
            arXiv:1712.04086); divides ``batch``.
        unrolling: how many steps of D by plain gradient descent G looks ahead through, on D's last
            minibatch of the step (Metz et al., 2017, arXiv:1611.02163); D itself is not moved.
        condition: how many numbers, the last ones of a sample, say what it is, as its class: G is
            given those of a real sample behind its latent numbers, makes the rest, and D sees both
            (Mirza and Osindero, 2014, arXiv:1411.1784).
        averaging: weight of the past in a running average of G's parameters over the steps, as
            0.999; `State.averaged` has it in their place.
        latent: the law of the generator's input, standard normal or uniform on [−1, 1].
        dtype: torch.float64 unless asked.
        device: where training runs.
        source: where random numbers come from: ``"twister"``, drawn member by member on the CPU
            (`simulations.streams`), or ``"counter"``, made on the device for all members at once
            (`simulations.counter`). Either gives a member the same numbers on every device, and
            each its own; a GPU needs the second.
    """

    discriminator: Network
    generator: Network | None
    steps: int
    batch: int = 256
    discriminator_steps: int = 1
    generator_steps: int = 1
    rule: DirectionRule | tuple[DirectionRule, DirectionRule] = ADAM
    order: str | Moves = "alternating"
    schedule: str = Schedule.CONSTANT
    annealing: str = Schedule.CONSTANT
    train: Literal["both", "discriminator", "generator"] = "both"
    regularisers: tuple[Regulariser, ...] = ()
    clip: float | None = None
    packing: int = 1
    unrolling: int = 0
    condition: int = 0
    averaging: float | None = None
    latent: Literal["normal", "uniform"] = "normal"
    dtype: torch.dtype = torch.float64
    device: str = "cpu"
    source: Literal["twister", "counter"] = "twister"

    def __post_init__(self) -> None:
        given = [self.discriminator, *([] if self.generator is None else [self.generator])]
        for network in given:
            require_type("network of an ensemble", network, Network, "an Mlp, as Mlp((1, 32, 1))")
        for choice in (self.schedule, self.annealing):
            if choice not in list(Schedule):
                raise unknown_name("schedule", choice, map(str, Schedule))
        for name, known in (("source", SOURCES), ("train", TRAINED), ("latent", LATENTS)):
            if getattr(self, name) not in known:
                raise unknown_name(name, getattr(self, name), known)
        for name in ("batch", "discriminator_steps", "generator_steps", "packing"):
            check_whole(name, getattr(self, name), 1)
        for name in ("steps", "unrolling", "condition"):
            check_whole(name, getattr(self, name), 0)
        check_training(self.clip, self.regularisers, self.dtype, self.device)
        object.__setattr__(self, "device", str(self.device))  # a torch.device too
        if self.unrolling and (self.regularisers or self.train != "both"):
            raise GantheoryError(
                "unrolling looks ahead through D's plain loss while both players move; leave out "
                "regularisers= and train="
            )
        if self.batch % self.packing:
            raise GantheoryError(f"packing={self.packing} must divide batch={self.batch}")
        if self.averaging is not None and not (
            isinstance(self.averaging, Real) and 0 < self.averaging < 1
        ):
            raise GantheoryError(f"averaging={shown(self.averaging)} must lie between 0 and 1")
        rules = self.rules.values()
        if any(isinstance(rule, type) or not isinstance(rule, DirectionRule) for rule in rules):
            raise GantheoryError(
                f"rule={self.rule!r:.60} cannot train; give Sgd(), Adam(), RmsProp(), or a pair of "
                "them, the discriminator's and the generator's"
            )
        self.moves  # noqa: B018 - refused here where it cannot train
        most = self.generator.inputs if self.generator else 1
        if not 0 <= self.condition < most:
            raise GantheoryError(
                f"condition={self.condition!r} must leave the generator a latent number: it takes "
                f"{self.generator.inputs if self.generator else 0} numbers in all"
            )
        if getattr(self.discriminator, "norm", None) == "batch":
            raise GantheoryError(
                "norm='batch' in a discriminator makes a sample's score depend on its minibatch, "
                "so it is no function of x; use norm='spectral' or none there"
            )

    @property
    def players(self) -> tuple[Player, ...]:
        """Return who moves."""
        return ("discriminator", "generator") if self.train == "both" else (self.train,)

    @property
    def networks(self) -> dict[Player, Network]:
        """Return each player's network, without a generator where there is none."""
        made: dict[Player, Network] = {"discriminator": self.discriminator}
        return made if self.generator is None else {**made, "generator": self.generator}

    @property
    def rules(self) -> dict[Player, DirectionRule]:
        """Return each player's rule."""
        pair = self.rule if isinstance(self.rule, tuple) and len(self.rule) == 2 else None
        critic, maker = pair or (self.rule, self.rule)
        return {"discriminator": critic, "generator": maker}  # type: ignore[dict-item]

    def buffers(self, player: Player) -> tuple[str, ...]:
        """Return the names of what a player keeps beside its parameters, shaped like them."""
        averages = player == "generator" and self.averaging is not None
        return (*self.rules[player].buffers, *((AVERAGE,) if averages else ()))

    @cached_property
    def moves(self) -> Moves:
        """Return the rule of a step, for (G, D), clipped where the recipe clips D.

        Raises:
            GantheoryError: for a rule that is unknown, or that minibatches cannot follow.
        """
        k, g = self.discriminator_steps, self.generator_steps
        clip = self.clip if "discriminator" in self.players else None
        if self.order == "alternating":
            return alternating(inner=k, outer=g, leader=2, clip=clip)
        if isinstance(self.order, str) and self.order not in list_rules():
            raise unknown_name("order", self.order, list_rules())
        rule = get_rule(self.order) if isinstance(self.order, str) else self.order
        if not isinstance(rule, Moves):
            raise GantheoryError(f"order={shown(rule)} is no rule; give a name, as 'alternating'")
        if rule.is_implicit:
            raise GantheoryError(
                f"order={rule.name!r} solves an equation at every step, which minibatches cannot; "
                f"use order='extragradient', which approaches it"
            )
        own = rule.options.get("inner", 1), rule.options.get("outer", 1)
        if own != (k, g):
            raise GantheoryError(
                f"order={rule.name!r} makes {own[0]} step(s) of D and {own[1]} of G; "
                f"discriminator_steps={k} and generator_steps={g} needs order='alternating'"
            )
        return rule if clip is None else clipped(rule, clip)

    def noise_factors(self, step: int) -> Tensor:
        """Return the factors on the noise in the chunk from ``step`` on: (CHUNK, 1, 1, 1)."""
        annealing = Schedule(self.annealing)
        factors = [annealing.factor(step + index, self.steps) for index in range(CHUNK)]
        return torch.tensor(factors, dtype=self.dtype)[:, None, None, None]

    @cached_property
    def draw(self) -> Draw:
        """Return what each step needs of a member's randomness."""
        latent_dim = self.generator.inputs - self.condition if self.generator else 0
        mixes = self.batch // self.packing if self.regularisers else 0
        return Draw(
            self.batch,
            self.discriminator_steps,
            self.generator_steps,
            latent_dim,
            self.latent,
            self.dtype,
            mixes,
        )


@dataclass
class State:
    """Where a run stands: everything that its future depends on.

    ``parameters[player]`` has one row a member; ``memory[player]`` the update rule's tensors;
    ``updates[player]`` counts its updates. The randomness to come is a function of the members'
    seeds and ``step``. Training changes a state in place: keep one with `copy`.
    """

    step: int
    parameters: dict[str, Tensor]
    memory: dict[str, dict[str, Tensor]]
    updates: dict[str, int]

    def copy(self) -> State:
        """Return an independent copy."""
        return State(
            self.step,
            {name: rows.clone() for name, rows in self.parameters.items()},
            {
                player: {name: rows.clone() for name, rows in memory.items()}
                for player, memory in self.memory.items()
            },
            dict(self.updates),
        )

    @property
    def averaged(self) -> State:
        """Return a copy in which running averages stand for the generators' parameters."""
        copy = self.copy()
        if AVERAGE not in copy.memory.get("generator", {}):
            raise GantheoryError("nothing was averaged; train with Recipe(averaging=0.999)")
        copy.parameters["generator"] = copy.memory["generator"][AVERAGE].clone()
        return copy

    @property
    def finite(self) -> Tensor:
        """Return whether all of a member's parameters are numbers, shape (K,), on the CPU."""
        rows = [rows.isfinite().all(1).cpu() for rows in self.parameters.values()]
        return torch.stack(rows).all(0)


def initial_state(members: Sequence[Member], recipe: Recipe) -> State:
    """Return the state before the first step, each member's from its own seed."""
    check_members(members, recipe)
    sources = [generator_of(member.seed, INITIAL) for member in members]
    parameters = {
        str(player): initialise(network, sources).to(recipe.device, recipe.dtype)
        for player, network in recipe.networks.items()
    }
    memory = {
        str(player): {
            name: rows.clone() if name == AVERAGE else torch.zeros_like(rows)
            for rows in [parameters[player]]
            for name in recipe.buffers(player)
        }
        for player in recipe.players
    }
    updates: dict[str, int] = dict.fromkeys(recipe.players, 0)
    return State(0, parameters, memory, updates)


def check_members(members: Sequence[Member], recipe: Recipe) -> None:
    """Raise `GantheoryError` where members and recipe do not fit together."""
    require_type("recipe", recipe, Recipe, "simulations.ensembles.Recipe(...)")
    if isinstance(members, Member) or not isinstance(members, Sequence):
        raise wrong_type("ensemble", members, "a list of members")
    for member in members:
        require_type("member", member, Member, "simulations.ensembles.Member(data, ...)")
    if not members:
        raise GantheoryError("an ensemble needs at least one member")
    check_device(recipe.device)
    for law in {id(x): x for m in members for x in (m.real, m.fake) if x is not None}.values():
        if not isinstance(law, Sampler):
            raise GantheoryError(
                f"a member's data of type {type(law).__name__} cannot be sampled; make it a "
                "sampler by simulations.points.as_sampler"
            )
    for member in members:
        check_constraint(member.loss, recipe)
    dims = {member.real.dim for member in members}
    dims |= {member.fake.dim for member in members if member.fake is not None}
    dims |= {recipe.generator.outputs + recipe.condition} if recipe.generator else set()
    if len(dims) > 1:
        raise GantheoryError(f"samples of dimensions {sorted(dims)} meet in one ensemble")
    seen = recipe.packing * dims.pop()
    if recipe.discriminator.inputs != seen:
        raise GantheoryError(
            f"the discriminator takes {recipe.discriminator.inputs} numbers; "
            f"{recipe.packing} packed sample(s) have {seen}"
        )
    fixed = [member.fake is not None for member in members]
    if any(fixed) and (not all(fixed) or recipe.generator or recipe.train != "discriminator"):
        raise GantheoryError(
            "a fixed fake law trains the discriminator alone: give it to every member, with "
            "generator=None and train='discriminator'"
        )
    if not any(fixed) and recipe.generator is None:
        raise GantheoryError("nothing to draw fakes from: give a generator, or a fake law a member")


@dataclass(frozen=True)
class Games:
    """The games of an ensemble, members of one game together."""

    groups: tuple[tuple[Trainable, Tensor | slice], ...]

    @classmethod
    def of(cls, members: Sequence[Member]) -> Games:
        """Compile the members' games, each once."""
        compiled = [trainable(member.loss, member.parameters) for member in members]
        different = {id(loss): loss for loss in compiled}
        rows = {key: [k for k, loss in enumerate(compiled) if id(loss) == key] for key in different}
        return cls(tuple((different[key], _slice(rows[key])) for key in different))

    def each(self, evaluate: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
        """Return ``evaluate(game, *rows)`` of every group, put back in the members' order."""
        if len(self.groups) == 1:
            return evaluate(self.groups[0][0], *tensors)
        results = [evaluate(loss, *(x[rows] for x in tensors)) for loss, rows in self.groups]
        places = torch.arange(len(tensors[0]))
        order = torch.cat([places[rows] for _, rows in self.groups])
        return torch.cat(results)[torch.argsort(order)]


def _slice(rows: list[int]) -> Tensor | slice:
    """Return consecutive rows as a slice, which copies nothing, and others as an index."""
    if rows == list(range(rows[0], rows[-1] + 1)):
        return slice(rows[0], rows[-1] + 1)
    return torch.tensor(rows)


def rates(members: Iterable[Member], recipe: Recipe) -> dict[str, Tensor]:
    """Return each player's learning rates as a column (K, 1)."""
    members = list(members)
    columns = {
        "discriminator": [member.discriminator_rate for member in members],
        "generator": [member.generator_rate for member in members],
    }
    return {
        player: torch.tensor(column, dtype=recipe.dtype, device=recipe.device)[:, None]
        for player, column in columns.items()
    }
