"""Losses as training takes them: separable ones, and critics that are constrained or paired.

A critic of `gantheory.losses.constrained` says what is maximised and over which functions. Its
class is the recipe's business: a penalty, a clip or a norm that keeps D in it. What no recipe here
keeps is refused before any work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from torch import Tensor

from gantheory.errors import GantheoryError
from gantheory.functions import t, to_sympy
from gantheory.losses import CATALOGUE, CRITICS, find
from gantheory.losses.critic import Averages, Critic, Expectations, Functional, Pairs
from gantheory.losses.function_classes import AnyFunction, GradientPenalty, Slope
from gantheory.losses.loss import Loss
from simulations import regularisers
from simulations.losses import Payoff, TorchLoss, torch_loss
from simulations.networks import Mlp

if TYPE_CHECKING:
    from simulations.ensembles import Recipe

Values = Mapping[str, float] | None
IDENTITY = Payoff(t)
ON_PAIRS = AnyFunction("x, y")  # D sees whole rows, the condition y behind the sample x


@dataclass(frozen=True, eq=False)
class PairedLoss:
    """A loss that compares real samples x with fake ones y by their scores C(x), C(y).

    Of n samples of either side the i-th real one meets the i-th fake one: an unbiased mean over
    all pairs, as Jolicoeur-Martineau (2018), arXiv:1807.00734, and Huang et al. (2024),
    arXiv:2501.05441, train. Averages are those of the minibatch.
    """

    objective: Pairs | Averages
    generator: Payoff
    generator_on_real: Payoff | None
    score: Payoff = IDENTITY

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return minus the objective, for scores (K, n) of either side: shape (K,)."""
        if isinstance(self.objective, Pairs):
            return -Payoff(to_sympy(self.objective.payoff))(real - fake).mean(-1)
        on_real, on_fake = self._averaged(real, fake)
        first = Payoff(to_sympy(self.objective.real))(on_real).mean(-1)
        return -first - Payoff(to_sympy(self.objective.fake))(on_fake).mean(-1)

    def generator_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Return what the generator minimises, shape (K,)."""
        assert real is not None
        if isinstance(self.objective, Pairs):
            return self.generator(real - fake).mean(-1)
        on_real, on_fake = self._averaged(real, fake)
        loss = self.generator(on_fake).mean(-1)
        if self.generator_on_real is not None:
            loss = loss + self.generator_on_real(on_real).mean(-1)
        return loss

    @staticmethod
    def _averaged(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        return real - fake.mean(-1, keepdim=True), fake - real.mean(-1, keepdim=True)


Trainable = TorchLoss | PairedLoss


def trainable(loss: Loss | Critic | str, parameters: Values = None) -> Trainable:
    """Return a loss for networks whose output is any real number, by name or as a record.

    Raises:
        GantheoryError: for an unknown name, or a critic that no network here is trained as.

    >>> type(trainable("wgan")).__name__, type(trainable("relativistic")).__name__
    ('TorchLoss', 'PairedLoss')
    """
    named: Loss | Critic = find(loss) if isinstance(loss, str) else loss
    if isinstance(named, Critic):
        return _of_critic(named, parameters)
    return torch_loss(named, parameters)


def _of_critic(critic: Critic, parameters: Values) -> Trainable:
    if parameters:
        raise GantheoryError(
            f"loss {critic.name!r} has no parameters of its own; what constrains its "
            "discriminator is the recipe's: regularisers=, clip=, or a network with norm='spectral'"
        )
    return _compiled(replace(critic, title="", reference=None, claims=()))


@lru_cache(maxsize=64)
def _compiled(critic: Critic) -> Trainable:
    known = isinstance(critic.constraint, AnyFunction | GradientPenalty | Slope)
    if not known:
        raise GantheoryError(
            f"loss {critic.name!r}: {critic.constraint}; no recipe here keeps a network in that "
            "class, so it is derived but not trained"
        )
    objective = critic.objective
    if isinstance(objective, Expectations):
        return torch_loss(Loss(critic.name, objective.real, objective.fake, critic.generator))
    if isinstance(objective, Functional):
        raise GantheoryError(
            f"loss {critic.name!r}: {objective}; a function of means is derived and solved by "
            "optimal_critic, but not trained"
        )
    on_real = critic.generator_on_real
    return PairedLoss(
        objective,
        Payoff(to_sympy(critic.generator)),
        Payoff(to_sympy(on_real)) if on_real else None,
    )


def is_paired(loss: Loss | Critic | str) -> bool:
    """Return whether the generator's loss compares fakes with real samples."""
    if isinstance(loss, str):
        loss = CRITICS.get(loss) or CATALOGUE.get(loss) or find(loss)
    return isinstance(loss, Critic) and isinstance(loss.objective, Pairs | Averages)


def check_constraint(loss: Loss | Critic | str, recipe: Recipe) -> None:
    """Raise where nothing in the recipe keeps a critic in its class.

    Raises:
        GantheoryError: with what to add.
    """
    critic = find(loss) if isinstance(loss, str) else loss
    if not isinstance(critic, Critic):
        return
    trainable(critic)
    if critic.constraint == ON_PAIRS and not recipe.condition:
        raise GantheoryError(
            f"loss {critic.name!r} needs a condition y beside the samples x: data whose last "
            "numbers are the condition, and condition=1, or how many they are"
        )
    if isinstance(critic.constraint, AnyFunction):
        return
    kinds = [type(regulariser) for regulariser in recipe.regularisers]
    penalty = regularisers.GradientPenalty in kinds
    network = recipe.discriminator
    bounded = recipe.clip is not None or (isinstance(network, Mlp) and network.norm == "spectral")
    lipschitz = isinstance(critic.constraint, Slope)
    more = ", or clip=0.01, or an Mlp with norm='spectral'"
    if not penalty and not (bounded and lipschitz):
        raise GantheoryError(
            f"loss {critic.name!r} needs a discriminator that is bounded ({critic.constraint}); "
            "give the recipe regularisers=(GradientPenalty(10),)"
            f"{more if lipschitz else ''}"
        )
