"""The losses, and the pairs of one-dimensional densities, on which theory and training meet."""

from __future__ import annotations

from dataclasses import dataclass

from gantheory.losses import get_loss, list_losses
from gantheory.losses.loss import Loss
from simulations.experiments.base import Combination

# Name -> (p, q). Smooth and of full support, so that every divergence of the original GAN is
# finite; q has a location and a scale, which the generator moves.
PAIRS: dict[str, tuple[str, str]] = {
    "shifted": ("normal(0, 1)", "normal(1.7, 1)"),
    "wider": ("normal(0, 1)", "normal(1, 2)"),
    "narrower": ("normal(0, 1.5)", "normal(0.5, 1)"),
    "two-modes": ("normal_mixture((0.5, 0.5), (-2, 2), (1, 1))", "normal(0, 2)"),
    "logistic": ("logistic(0, 1)", "normal(0.5, 2)"),
    "skewed": ("normal(0, 1)", "gumbel(1, 1)"),
}
# The pair on which the source's claim is decided: P = N(0, 1), Q = N(1.7, 1).
SPINE = "shifted"


@dataclass(frozen=True)
class LossOnPair(Combination):
    """A loss of the catalogue on one of the pairs."""

    loss: str
    pair: str


def played(name: str) -> Loss:
    """Return the catalogue's loss, its free parameters at their typical values."""
    return get_loss(name).at_typical()


def played_numbers(name: str) -> dict[str, float]:
    """Return the numbers at which a loss with free parameters is played."""
    return {parameter: float(value) for parameter, value in played(name).numbers.items()}


def objectives() -> tuple[str, ...]:
    """Return one loss for each different discriminator: same payoffs, same D, trained once."""
    names = reversed(list_losses())  # so that the first of several with one discriminator stays
    return tuple(sorted({_payoffs(name): name for name in names}.values(), key=list_losses().index))


def same_discriminator(name: str) -> str:
    """Return the first loss of the catalogue whose discriminator plays for the same payoffs.

    >>> same_discriminator("non-saturating")
    'minimax'
    """
    wanted = _payoffs(name)
    return next(other for other in list_losses() if _payoffs(other) == wanted)


def _payoffs(name: str) -> tuple[str, str, str]:
    loss = played(name)
    return loss.real, loss.fake, loss.domain
