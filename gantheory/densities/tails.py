r"""Tails: how a log-density behaves at an end of its support, as exact orders of growth.

Whether an integral is finite is decided by these orders, before any quadrature.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Tail:
    r"""The growth of log p at one end, by coefficients of a fixed scale of terms.

    At an infinite end y = abs(x) → ∞ and L = log y; at a finite end y is the distance to it,
    y → 0 and L = −log y (the terms y² and y are then absent):

    .. math:: \log p = -e^{\text{lift} + \text{rate}\,y} + \text{square}\,y^2
              + \text{linear}\,y + \text{logsquare}\,L^2 + \text{log}\,L + O(1)

    with the double exponential present where ``rate > 0``. Locations are absorbed into the lower
    coefficients, so two laws on one axis can be combined.
    """

    finite: bool = False
    rate: float = 0.0
    lift: float = 0.0
    square: float = 0.0
    linear: float = 0.0
    logsquare: float = 0.0
    log: float = 0.0

    @property
    def order(self) -> tuple[float, ...]:
        """The coefficients from the fastest-growing term down, for comparing two tails."""
        double = (-self.rate, -self.lift) if self.rate else (0.0, 0.0)
        return (*double, self.square, self.linear, self.logsquare, self.log)

    @property
    def is_constant(self) -> bool:
        """Whether log p stays bounded at this end."""
        return not any(getattr(self, f.name) for f in fields(self) if f.name != "finite")

    def affine(self, loc: float, scale: float) -> Tail:
        """Return the tail of loc + scale·X at the image of this end (``scale`` may be < 0)."""
        size = abs(scale)
        if self.finite:
            shift = 2 * self.logsquare * math.log(size)
            return replace(self, log=self.log + shift)
        # y' = |loc + scale x|, so y = (y' - s)/size with s the signed shift toward this end
        return self._moved(size, loc)

    def _moved(self, size: float, shift: float) -> Tail:
        return replace(
            self,
            rate=self.rate / size,
            lift=self.lift - self.rate * shift / size,
            square=self.square / size**2,
            linear=self.linear / size - 2 * self.square * shift / size**2,
            log=self.log - 2 * self.logsquare * math.log(size),
        )


CONSTANT = Tail(finite=True)


def heavier(tails: list[Tail]) -> Tail:
    """Return the tail that dominates a sum of densities."""
    return max(tails, key=lambda tail: tail.order)
