"""The readable path: one step of every member by autograd on the stacked networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gantheory.errors import GantheoryError
from simulations.counter import Counter
from simulations.ensembles import AVERAGE, Games, Member, Player, Recipe, State, rates
from simulations.minibatches import PAIRED, portions
from simulations.streams import DROPOUT
from simulations.trainable import is_paired
from simulations.updates import Schedule

Tensors = Mapping[str, Tensor]


MOVES = "moves {}"  # the buffers of what the order of moves keeps, for each player


class ReferenceEngine:
    """Trains an ensemble as Algorithm 1 reads; any network, rule, order and regulariser."""

    def __init__(self, members: Sequence[Member], recipe: Recipe) -> None:
        self.members, self.recipe = members, recipe
        self.losses = Games.of(members)
        self.rates = rates(members, recipe)
        self.compares = any(is_paired(member.loss) for member in members)
        self.seeds = tuple(member.seed for member in members)
        self.at, self.passes = 0, 0  # the step at work, and how many passes with dropout it made

    def advance(self, state: State, steps: int) -> None:
        """Make ``steps`` steps of one chunk, drawing the chunk's samples."""
        for made, samples in portions(self.members, self.recipe, state.step, steps):
            for index in range(made):
                self.step(state, {name: tensor[:, index] for name, tensor in samples.items()})
                state.step += 1

    def step(self, state: State, samples: Tensors, factor: Any = None) -> None:
        """Make one round of the recipe's moves: G is player 1, D player 2.

        ``factor`` on the rates is the schedule's unless given.
        """
        self.at, self.passes = state.step, 0
        field = Minibatches(self, state, samples)
        rule = self.recipe.moves
        x, y = field.strategies
        if factor is None:
            factor = Schedule(self.recipe.schedule).factor(state.step, self.recipe.steps)
        with torch.no_grad():
            memory = self._memory(state) or rule.start(field, x, y)
            x, y, *kept = rule.advance(field, (x, y, *memory), factor)
        after: dict[Player, Tensor] = {"generator": x, "discriminator": y}
        for index, (player, rows) in enumerate(after.items()):
            if player not in self.recipe.players:
                continue
            state.parameters[player] = rows
            for place, part in enumerate(kept[index::2]):
                state.memory[player][MOVES.format(place)] = part
        if self.recipe.averaging is not None and "generator" in self.recipe.players:
            state.memory["generator"][AVERAGE].lerp_(x, 1 - self.recipe.averaging)

    def _memory(self, state: State) -> tuple[Tensor, ...]:
        """Return what the order of moves kept, for G and for D in turn; nothing at the start."""
        kept: list[Tensor] = []
        place = 0
        while True:
            rows = [
                state.memory.get(player, {}).get(MOVES.format(place))
                for player in ("generator", "discriminator")
            ]
            known = next((row for row in rows if row is not None), None)
            if known is None:
                return tuple(kept)
            kept += [torch.zeros_like(known[:, :0]) if row is None else row for row in rows]
            place += 1

    def discriminator_gradient(
        self, parameters: Tensors, samples: Tensors, update: int = 0
    ) -> Tensor:
        """Return the gradient (K, count) of −V plus the penalties, fakes held fixed.

        ``update`` numbers D's minibatches within the step.
        """
        drawn = {name: x[:, update] for name, x in samples.items() if name not in PAIRED}
        psi = parameters["discriminator"].detach().requires_grad_()
        real, fake = self._seen(drawn, "real"), self._seen(self._faked(parameters, drawn), "fake")
        loss = self._discriminator_loss(psi, real, fake)
        for penalty in self.recipe.regularisers:
            loss = loss + penalty(lambda x: self._scores(psi, x), real, fake, drawn["mix"])
        (gradient,) = torch.autograd.grad(loss.sum(), psi)
        return gradient

    def generator_gradient(self, parameters: Tensors, samples: Tensors, update: int = 0) -> Tensor:
        """Return the gradient (K, count) of the generator's loss, D held fixed.

        ``update`` numbers G's minibatches within the step.
        """
        assert self.recipe.generator is not None
        place = self.recipe.discriminator_steps + update
        names = ("latent", "fake_noise")
        drawn = {name: samples[name][:, place] for name in names if name in samples}
        drawn |= {name: samples[name][:, update] for name in PAIRED if name in samples}
        theta = parameters["generator"].detach().requires_grad_()
        psi = parameters["discriminator"]
        if self.recipe.unrolling:
            psi = self._unrolled(theta, psi, samples)
        fake = self._made(theta, drawn["latent"], drawn.get("paired"))
        outputs = [self._outputs(psi, self._seen({**drawn, "fake": fake}, "fake"))]
        if self.compares:
            outputs.append(self._outputs(psi, self._seen(drawn, "paired")))
        loss = self.losses.each(lambda loss, *outputs: loss.generator_loss(*outputs), *outputs)
        (gradient,) = torch.autograd.grad(loss.sum(), theta)
        return gradient

    def _unrolled(self, theta: Tensor, psi: Tensor, samples: Tensors) -> Tensor:
        """Return where D's steps of plain gradient descent would lead, as a function of theta."""
        assert self.recipe.generator is not None
        last = self.recipe.discriminator_steps - 1
        drawn = {name: x[:, last] for name, x in samples.items() if name not in PAIRED}
        made = self._made(theta, drawn["latent"], drawn["real"])
        real, fake = self._seen(drawn, "real"), self._seen({**drawn, "fake": made}, "fake")
        psi = psi.detach().requires_grad_()
        for _ in range(self.recipe.unrolling):
            loss = self._discriminator_loss(psi, real, fake)
            (slope,) = torch.autograd.grad(loss.sum(), psi, create_graph=True)
            psi = psi - self.rates["discriminator"] * slope
        return psi

    def _discriminator_loss(self, psi: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        """Return every member's loss of D, shape (K,), without penalties."""
        return self.losses.each(
            lambda loss, *outputs: loss.discriminator_loss(*outputs),
            self._outputs(psi, real),
            self._outputs(psi, fake),
        )

    @torch.no_grad()
    def _faked(self, parameters: Tensors, drawn: Tensors) -> Tensors:
        """Return the samples with fakes among them."""
        if self.recipe.generator is None:
            return drawn
        made = self._made(parameters["generator"], drawn["latent"], drawn["real"])
        return {**drawn, "fake": made}

    def _made(self, theta: Tensor, latent: Tensor, like: Tensor | None) -> Tensor:
        """Return fakes (K, n, d): with a condition, under that of the real samples ``like``."""
        if not self.recipe.condition:
            return self._passed("generator", theta, latent)
        assert like is not None
        condition = like[..., -self.recipe.condition :]
        made = self._passed("generator", theta, torch.cat([latent, condition], -1))
        return torch.cat([made, condition], -1)

    def _seen(self, drawn: Tensors, kind: str) -> Tensor:
        """Return what D sees of samples (K, n, d): (K, n / packing, packing · d).

        Instance noise is added to all but the condition.
        """
        x, noise = drawn[kind], drawn.get(f"{kind}_noise")
        if noise is not None and self.recipe.condition:
            own = noise[..., : -self.recipe.condition]
            noise = torch.nn.functional.pad(own, (0, self.recipe.condition))
        x = x if noise is None else x + noise
        return x.reshape(len(x), -1, self.recipe.discriminator.inputs)

    def _outputs(self, psi: Tensor, x: Tensor) -> Tensor:
        """Return D's outputs (K, n) for inputs (K, n, d); of m outputs all, (K, n · m)."""
        return self._passed("discriminator", psi, x).flatten(1)

    def _passed(self, player: Player, rows: Tensor, x: Tensor) -> Tensor:
        """Return a network's outputs; dropout takes other numbers in each pass of a step."""
        network: Any = self.recipe.networks[player]
        width = getattr(network, "randoms", 0)
        if not width:
            return network(rows, x)
        self.passes += 1
        source = Counter(self.seeds, DROPOUT + self.passes, self.at, 1, self.recipe.device)
        return network(rows, x, source.draw(0, 0, (x.shape[1], width))[:, 0].to(x.dtype))

    def _scores(self, psi: Tensor, x: Tensor) -> Tensor:
        return self.losses.each(lambda loss, out: loss.score(out), self._outputs(psi, x))


class Minibatches:
    """One step's minibatches as the field of a game: where each player's rule would have it go.

    Player 1 is the generator, player 2 the discriminator. Each evaluation takes the player's next
    minibatch, the last one again where there are no more, and moves on the memory of its rule;
    asked again at the same strategies, it gives the same answer.
    """

    def __init__(self, trainer: ReferenceEngine, state: State, samples: Tensors) -> None:
        self.trainer, self.state, self.samples = trainer, state, samples
        self.found: dict[tuple[Player, int, int], tuple[Tensor, Tensor, Tensor]] = {}
        self.evaluations: dict[Player, int] = {"generator": 0, "discriminator": 0}

    @property
    def strategies(self) -> tuple[Tensor, Tensor]:
        """Return the parameters of G, none where there is no G, and of D."""
        critic = self.state.parameters["discriminator"]
        return self.state.parameters.get("generator", critic[:, :0]), critic

    def first(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the generator's direction times its rate."""
        return self._direction("generator", x, y)

    def second(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the discriminator's direction times its rate."""
        return self._direction("discriminator", x, y)

    def implicit(self, x: Tensor, y: Tensor, step: float) -> tuple[Tensor, Tensor]:
        """Refuse: one minibatch has no implicit step."""
        raise GantheoryError("this update rule solves an equation, which minibatches cannot")

    def _direction(self, player: Player, x: Tensor, y: Tensor) -> Tensor:
        own = x if player == "generator" else y
        if player not in self.trainer.recipe.players:
            return torch.zeros_like(own)
        key = player, id(x), id(y)
        if key not in self.found:
            # the strategies are kept, too: another tensor must not take their place in memory
            self.found[key] = x, y, self._evaluated(player, x, y, own)
        return self.found[key][2]

    def _evaluated(self, player: Player, x: Tensor, y: Tensor, own: Tensor) -> Tensor:
        trainer, recipe = self.trainer, self.trainer.recipe
        of_g = player == "generator"
        gradient_of = trainer.generator_gradient if of_g else trainer.discriminator_gradient
        most = recipe.generator_steps if of_g else recipe.discriminator_steps
        update = min(self.evaluations[player], most - 1)
        self.evaluations[player] += 1
        parameters = {"discriminator": y} if recipe.generator is None else {
            "generator": x, "discriminator": y,
        }  # fmt: skip
        with torch.enable_grad():
            gradient = gradient_of(parameters, self.samples, update)
        self.state.updates[player] += 1
        memory, number = self.state.memory[player], self.state.updates[player]
        direction = recipe.rules[player].direction(gradient, memory, number, own)
        return -(direction * trainer.rates[player])
