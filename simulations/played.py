"""What a discriminator's scores are worth to either player: separable losses and critics.

A critic that is bounded by a constraint, as WGAN-GP's, is measured as its means are; whether D is
in its class is not looked at. One that compares real samples with fakes is measured on pairs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from gantheory.critics.concavity import bend_of
from gantheory.errors import GantheoryError
from gantheory.functions import to_sympy
from gantheory.losses import bound as with_numbers
from gantheory.losses import find
from gantheory.losses.critic import Critic, Expectations, Functional, Pairs
from gantheory.losses.loss import Loss
from gantheory.records import Estimate
from simulations.losses import Payoff
from simulations.theory import predict
from simulations.trainable import PairedLoss, trainable

PARTS = "real", "fake", "generator"
Theory = tuple[Estimate, str, float]


class Played(Protocol):
    """A loss as functions of scores, (n, outputs) of either side."""

    @property
    def loss(self) -> Loss:
        """Return the loss that names it, with the domain of its scores."""

    def gains(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return what each sample adds to the value: n numbers, whose mean it is."""

    def losses(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return what each sample adds to the generator's loss."""

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return what the discriminator minimises, of scores in one row."""

    def generator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return what the generator minimises, of scores in one row."""

    def slope(self, real: Tensor, fake: Tensor) -> float:
        """Return the mean size of the generator loss's derivative in a fake's score."""

    def theory(self, value: Estimate) -> Theory:
        """Return the bound, what it bounds, and the slope at p = q."""


class Separable:
    """V = E_p[a(t)] + E_q[b(t)] with the generator's loss E_q[c(t)]."""

    def __init__(self, loss: Loss, why_open: str = "") -> None:
        self.loss, self.why_open = loss, why_open
        self.real, self.fake, self.generator = (
            Payoff(to_sympy(getattr(loss, part))) for part in PARTS
        )

    def gains(self, real: Tensor, fake: Tensor) -> Tensor:
        return (self.real.measured(real) + self.fake.measured(fake)).mean(1)

    def losses(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.generator.measured(fake).mean(1)

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return -self.real(real).mean() - self.fake(fake).mean()

    def generator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.generator(fake).mean()

    def slope(self, real: Tensor, fake: Tensor) -> float:
        return float(self.generator.slope(fake).abs().mean())

    def theory(self, value: Estimate) -> Theory:
        if self.why_open:
            at_zero = float(self.generator.slope(torch.zeros(1)).abs())
            return Estimate.undetermined(self.why_open, "theory"), "undecided", at_zero
        try:
            theory = predict(self.loss)
        except GantheoryError as error:
            return Estimate.undetermined(str(error), "theory"), "undecided", math.nan
        at_equality = theory.score(torch.zeros(1, dtype=torch.float64))
        bound = replace(value, value=value.value - theory.value_constant)
        return bound, str(theory.value.divergence), float(self.generator.slope(at_equality).abs())


@dataclass(frozen=True)
class Paired:
    """The i-th real sample against the i-th fake, or either against the other side's mean."""

    loss: Loss
    paired: PairedLoss

    def gains(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return each pair's payoff; of averages with what its scores move the means by.

        Those parts have mean 0: they belong to the interval, not to the value (delta method).
        """
        objective = self.paired.objective
        if isinstance(objective, Pairs):
            return Payoff(to_sympy(objective.payoff)).measured(real - fake).mean(1)
        on_real, on_fake = real - fake.mean(), fake - real.mean()
        a, b = (Payoff(to_sympy(text)) for text in (objective.real, objective.fake))
        return self._spread(a(on_real) + b(on_fake), on_fake, on_real, a.slope(on_real),
                            b.slope(on_fake))  # fmt: skip

    def losses(self, real: Tensor, fake: Tensor) -> Tensor:
        c, d = self.paired.generator, self.paired.generator_on_real
        if isinstance(self.paired.objective, Pairs):
            return c(real - fake).mean(1)
        on_real, on_fake = real - fake.mean(), fake - real.mean()
        played, slope = c(on_fake), torch.zeros_like(on_real)
        if d is not None:
            played, slope = played + d(on_real), d.slope(on_real)
        return self._spread(played, on_fake, on_real, slope, c.slope(on_fake))

    @staticmethod
    def _spread(
        played: Tensor, on_fake: Tensor, on_real: Tensor, slope: Tensor, of_fake: Tensor
    ) -> Tensor:
        moved = slope.mean() * (on_fake - on_fake.mean())
        moved = moved + of_fake.mean() * (on_real - on_real.mean())
        return (played - moved).mean(1)

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.paired.discriminator_loss(real, fake)

    def generator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.paired.generator_loss(fake, real)

    def slope(self, real: Tensor, fake: Tensor) -> float:
        with torch.enable_grad():
            scores = fake.detach().reshape(-1).requires_grad_()
            loss = self.generator_loss(real.reshape(-1), scores)
            (slopes,) = torch.autograd.grad(loss, scores)
        return float(slopes.abs().sum())

    def theory(self, value: Estimate) -> Theory:
        zero = torch.zeros(1, dtype=torch.float64)
        at_equality = self.slope(zero, zero)
        objective = self.paired.objective
        if not isinstance(objective, Pairs):
            why = "the averages are those of the samples, so nothing is bounded from below"
            return Estimate.undetermined(why, "theory"), "undecided", at_equality
        payoff = to_sympy(objective.payoff)
        if bend_of(payoff) not in (-1, 0):  # else p = q may be worth more than a constant D
            why = "the payoff of a pair is not known to be concave, so nothing is bounded"
            return Estimate.undetermined(why, "theory"), "undecided", at_equality
        bound = replace(value, value=value.value - float(Payoff(payoff)(zero)))
        return bound, f"{self.loss.name}.value", at_equality


def played_as(loss: Loss | Critic | str, parameters: Mapping[str, float] | None) -> Played:
    """Return a loss of the catalogue, or a record of one, as it is measured.

    Raises:
        GantheoryError: for an unknown name, and for functions of means, which no sample adds to.
    """
    named = find(loss) if isinstance(loss, str) else loss
    if not isinstance(named, Critic):
        return Separable(with_numbers(loss, parameters))  # type: ignore[arg-type]
    objective, title = named.objective, f"{named.name}: {named.objective}"
    if parameters:
        raise GantheoryError(f"loss {named.name!r} has no parameters of its own")
    if isinstance(objective, Functional):
        raise GantheoryError(
            f"loss {named.name!r}: {objective}; a function of means is derived, not measured"
        )
    if isinstance(objective, Expectations):
        plain = Loss(named.name, objective.real, objective.fake, named.generator, title=title)
        return Separable(
            plain, f"it bounds a distance only where D is in its class: {named.constraint}"
        )
    paired = trainable(named)
    assert isinstance(paired, PairedLoss)
    return Paired(Loss(named.name, "t", "-t", "-t", title=title), paired)
