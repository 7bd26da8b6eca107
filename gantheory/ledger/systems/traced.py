"""The trainer with an eye on it: each gradient is noted, and each run of a network counted."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from simulations.data import Law, parse_density
from simulations.ensembles import Member, Recipe, State, initial_state
from simulations.networks import Mlp
from simulations.reference import ReferenceEngine, Tensors
from simulations.updates import Sgd

RATE = 1e-3


@dataclass(frozen=True)
class _Counted(Mlp):
    """A network that counts its runs."""

    player: str = ""
    runs: dict[str, int] = field(default_factory=dict)

    def __call__(self, parameters: Tensor, x: Tensor) -> Tensor:
        """Run it once more."""
        self.runs[self.player] = self.runs.get(self.player, 0) + 1
        return super().__call__(parameters, x)


@dataclass(frozen=True)
class Evaluation:
    """A gradient that was taken: whose, where, and the runs of the networks up to its end."""

    player: str
    at: Tensors
    gradient: Tensor
    runs: dict[str, int]


class Noting(ReferenceEngine):
    """The trainer of one small GAN by plain gradient steps; notes each gradient in turn."""

    def __init__(self, seed: int) -> None:
        self.seen: list[Evaluation] = []
        self.runs: dict[str, int] = {}
        discriminator, generator = (
            _Counted((1, 4, 1), "tanh", player=player, runs=self.runs)
            for player in ("discriminator", "generator")
        )
        member = Member(Law(parse_density("normal(2, 1)")), seed=seed, discriminator_rate=RATE,
                        generator_rate=RATE)  # fmt: skip
        recipe = Recipe(discriminator, generator, steps=1, batch=16, rule=Sgd())
        super().__init__([member], recipe)

    def start(self) -> State:
        """Return the state before the first step."""
        return initial_state(self.members, self.recipe)

    def discriminator_gradient(
        self, parameters: Tensors, samples: Tensors, update: int = 0
    ) -> Tensor:
        """Return D's gradient, noted."""
        found = super().discriminator_gradient(parameters, samples, update)
        return self._note("discriminator", parameters, found)

    def generator_gradient(self, parameters: Tensors, samples: Tensors, update: int = 0) -> Tensor:
        """Return G's gradient, noted."""
        found = super().generator_gradient(parameters, samples, update)
        return self._note("generator", parameters, found)

    def _note(self, player: str, parameters: Tensors, gradient: Tensor) -> Tensor:
        at = {name: rows.clone() for name, rows in parameters.items()}
        self.seen.append(Evaluation(player, at, gradient, dict(self.runs)))
        return gradient
