"""What was read off one pair of networks: numbers with their errors, and how they are shown."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gantheory.divergences.symbols import in_prose
from gantheory.records import Estimate
from gantheory.shown import Overview, Shown


@dataclass(frozen=True, repr=False)
class Reading(Shown):
    """What one pair of networks was seen to do, on n fresh samples of either side.

    Of networks that left the numbers all is undetermined, or nan; the value has the reason.

    Attributes:
        step: of the training, as it was told.
        value: V = E_p[a(t)] + E_q[b(t)] of the discriminator as it is.
        bound: V less its value at p = q, a lower bound of ``divergence`` between p and q: no
            discriminator can claim more than there is. 0 at equilibrium. On points that the
            discriminator has trained on it bounds the divergence of those points only.
        divergence: the name of what the best discriminator would report.
        generator_loss: E_q[c(t)].
        slope: the mean of abs(c'(t)) over fakes: how strongly the score reaches the generator.
        slope_at_equality: the same at p = q; a ratio near 0 is a generator without a signal.
        discriminator_gradient, generator_gradient: Euclidean norms of the losses' gradients, in
            the parameters that require gradients; in all of a network that is frozen as a whole.
        same_law: p-value of the two-sample test; None where none was asked for.
        loss: what was played, in words; of torch code how either player calls it, with its labels.
    """

    step: int
    value: Estimate
    bound: Estimate
    divergence: str
    generator_loss: Estimate
    slope: float
    slope_at_equality: float
    discriminator_gradient: float
    generator_gradient: float
    same_law: float | None = None
    loss: str = ""

    def overview(self) -> Overview:
        """Return the bound that D certifies, and below what else was read."""
        tested = "" if self.same_law is None else f"{self.same_law:.3g}"
        rows = [
            ("loss", self.loss),
            ("value of the game", str(self.value)),
            ("generator's loss", str(self.generator_loss)),
            ("slope on fakes", f"{_read(self.slope)}, at p = q {_read(self.slope_at_equality)}"),
            ("gradient of D, of G", f"{_read(self.discriminator_gradient)}, "
                                    f"{_read(self.generator_gradient)}"),
            ("p-value of the same law", tested),
        ]  # fmt: skip
        bounded = f"{in_prose(self.divergence)} >= {self.bound}"
        return Overview(f"step {self.step}: {bounded}", tuple(rows))


def _read(number: float) -> str:
    return "undetermined" if math.isnan(number) else f"{number:.4g}"
