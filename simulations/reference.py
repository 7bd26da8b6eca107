"""The readable path: one step of every member by autograd on the stacked networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from simulations.ensembles import Games, Member, Recipe, State, rates
from simulations.losses import TorchLoss
from simulations.minibatches import portions
from simulations.updates import Order, Schedule

Tensors = Mapping[str, Tensor]


class Reference:
    """Trains an ensemble as Algorithm 1 reads; any network, rule, order and regulariser."""

    def __init__(self, members: Sequence[Member], recipe: Recipe) -> None:
        self.members, self.recipe = members, recipe
        self.losses = Games.of(members)
        self.rates = rates(members, recipe)

    def advance(self, state: State, steps: int) -> None:
        """Make ``steps`` steps of one chunk, drawing the chunk's samples."""
        for count, samples in portions(self.members, self.recipe, state.step, steps):
            for index in range(count):
                self.step(state, {name: tensor[:, index] for name, tensor in samples.items()})
                state.step += 1

    def step(self, state: State, samples: Tensors) -> None:
        """Move the players once each (D k times) in the recipe's order."""
        if self.recipe.order == Order.ALTERNATING:
            self._alternate(state, samples)
            return
        gradients = self._gradients(state.parameters, samples)
        if self.recipe.order == Order.EXTRAGRADIENT:
            trial = dict(state.parameters)
            for player in self.recipe.players:
                trial[player] = trial[player] - self._move(state, player, gradients[player])
            gradients = self._gradients(trial, samples)
        for player in self.recipe.players:
            state.parameters[player].sub_(self._move(state, player, gradients[player]))
            self._clip(state)

    def _alternate(self, state: State, samples: Tensors) -> None:
        if "discriminator" in self.recipe.players:
            for k in range(self.recipe.discriminator_steps):
                gradient = self.discriminator_gradient(state.parameters, samples, k)
                move = self._move(state, "discriminator", gradient)
                state.parameters["discriminator"].sub_(move)
                self._clip(state)
        if "generator" in self.recipe.players:
            gradient = self.generator_gradient(state.parameters, samples)
            state.parameters["generator"].sub_(self._move(state, "generator", gradient))

    def _gradients(self, parameters: Tensors, samples: Tensors) -> dict[str, Tensor]:
        gradients = {
            "discriminator": self.discriminator_gradient,
            "generator": self.generator_gradient,
        }
        return {player: gradients[player](parameters, samples) for player in self.recipe.players}

    def discriminator_gradient(
        self, parameters: Tensors, samples: Tensors, update: int = 0
    ) -> Tensor:
        """Return the gradient (K, count) of −V plus the penalties, fakes held fixed.

        ``update`` numbers D's minibatches within the step.
        """
        drawn = {name: tensor[:, update] for name, tensor in samples.items()}
        psi = parameters["discriminator"].detach().requires_grad_()
        real = self._packed(_noisy(drawn["real"], drawn.get("real_noise")))
        fake = self._packed(_noisy(self._fakes(parameters, drawn), drawn.get("fake_noise")))
        loss = self.losses.each(
            TorchLoss.discriminator_loss, self._outputs(psi, real), self._outputs(psi, fake)
        )
        for penalty in self.recipe.regularisers:
            loss = loss + penalty(lambda x: self._scores(psi, x), real, fake, drawn["mix"])
        (gradient,) = torch.autograd.grad(loss.sum(), psi)
        return gradient

    def generator_gradient(self, parameters: Tensors, samples: Tensors) -> Tensor:
        """Return the gradient (K, count) of the generator's loss, D held fixed."""
        assert self.recipe.generator is not None
        drawn = {name: samples[name][:, -1] for name in ("latent", "fake_noise") if name in samples}
        theta = parameters["generator"].detach().requires_grad_()
        fake = self.recipe.generator(theta, drawn["latent"])
        seen = self._packed(_noisy(fake, drawn.get("fake_noise")))
        outputs = self._outputs(parameters["discriminator"], seen)
        loss = self.losses.each(TorchLoss.generator_loss, outputs)
        (gradient,) = torch.autograd.grad(loss.sum(), theta)
        return gradient

    @torch.no_grad()
    def _fakes(self, parameters: Tensors, drawn: Tensors) -> Tensor:
        if self.recipe.generator is None:
            return drawn["fake"]
        return self.recipe.generator(parameters["generator"], drawn["latent"])

    def _packed(self, x: Tensor) -> Tensor:
        """Return what D sees of samples (K, n, d): (K, n / packing, packing · d)."""
        return x.reshape(len(x), -1, self.recipe.discriminator.inputs)

    def _outputs(self, psi: Tensor, x: Tensor) -> Tensor:
        """Return D's outputs (K, n) for inputs (K, n, d)."""
        return self.recipe.discriminator(psi, x)[..., 0]

    def _scores(self, psi: Tensor, x: Tensor) -> Tensor:
        return self.losses.each(lambda loss, out: loss.score(out), self._outputs(psi, x))

    def _move(self, state: State, player: str, gradient: Tensor) -> Tensor:
        """Return what to subtract from a player's parameters, updating its memory."""
        recipe, memory = self.recipe, state.memory[player]
        state.updates[player] += 1
        direction = recipe.rule.direction(gradient, memory, state.updates[player])
        if recipe.order == Order.OPTIMISTIC:
            previous = memory["previous"] if state.updates[player] > 1 else direction
            current, direction = direction, 2 * direction - previous
            memory["previous"] = current.clone()
        factor = Schedule(recipe.schedule).factor(state.step, recipe.steps)
        return direction * (self.rates[player] * factor)

    def _clip(self, state: State) -> None:
        if self.recipe.clip is not None:
            state.parameters["discriminator"].clamp_(-self.recipe.clip, self.recipe.clip)


def _noisy(x: Tensor, noise: Tensor | None) -> Tensor:
    return x if noise is None else x + noise
