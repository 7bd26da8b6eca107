"""A loss with its optimum found: what its theory and the steps of its proof are read from."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from gantheory.exact.assumptions import Assumptions
from gantheory.losses.loss import Loss
from gantheory.theory.coordinates import Coordinate
from gantheory.theory.curvature import Curve
from gantheory.theory.optimum import Optimum
from gantheory.theory.pieces import Piece


@dataclass(frozen=True)
class Solved:
    """A loss with its optimum, ready for its consequences."""

    definition: Loss
    parameters: Assumptions
    coordinate: Coordinate
    pieces: tuple[Piece, ...]
    optimum: Optimum

    def composed(self, part: str) -> Curve:
        """Return a payoff of the optimum as it is composed, from which limits are taken."""
        return Curve(tuple((b.ratios, getattr(b, part)) for b in self.optimum.branches))

    def along(self, part: str) -> Curve:
        """Return a payoff at the optimum as a curve in r, in normal form."""
        cells = [(b.ratios, getattr(b, part)) for b in self.optimum.branches]
        if any(expr.has(sp.oo, -sp.oo) for _, expr in cells):
            return Curve(tuple(cells))
        return Curve(tuple(cells)).map(lambda expr: expr, self.parameters)

    def slopes(self) -> Curve | None:
        """Return c'(t) in the raw score at the optimum; None where the loss has a kink there."""
        cells = [(b.ratios, b.slope) for b in self.optimum.branches if b.slope is not None]
        if len(cells) < len(self.optimum.branches):
            return None
        if any(slope.is_infinite for _, slope in cells):
            return Curve(tuple(cells))
        return Curve(tuple(cells)).map(lambda expr: expr, self.parameters)
