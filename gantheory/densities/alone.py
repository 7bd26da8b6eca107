"""What holds of a law on the line of which the log-density alone is known."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.tails import CONSTANT, Tail
from gantheory.densities.univariate import LogRatio, Points, StandardForm, Univariate
from gantheory.errors import GantheoryError

BOUNDED = 1.0  # nats by which what is left of a tail may differ between the places probed


class Alone(Univariate):
    """A law on the line that states its log-density, and of whose mass nothing is certain.

    Distribution functions, draws and scores are refused; a tail is known at a finite end next to
    which the density is seen to level out. The mass is checked by every integral.
    """

    __str__ = Univariate.__str__
    normalised = False
    exact_pieces, exact_breaks = Univariate.exact_pieces, Univariate.exact_breaks
    support, breakpoints = Univariate.support, Univariate.breakpoints
    exact_tail, log_depth, misread = Univariate.exact_tail, Univariate.log_depth, Univariate.misread
    below, above, blur = Univariate.below, Univariate.above, Univariate.blur
    cdf, sf, ppf, isf = Univariate.cdf, Univariate.sf, Univariate.ppf, Univariate.isf
    sample, mean = Univariate.sample, Univariate.mean
    slope, elasticity = Univariate.slope, Univariate.elasticity
    score, score_size = Univariate.score, Univariate.score_size

    @property
    def opaque(self) -> bool:  # type: ignore[override]
        """Whether its centers are those of the law that it was made from."""
        ours, theirs = (
            inspect.getattr_static(kind, "centers") for kind in (type(self), self.known_of)
        )
        return ours is theirs

    def tail(self, point: float, side: int) -> Tail | None:
        ends = {(low, +1) for low, _ in self.pieces} | {(high, -1) for _, high in self.pieces}
        if (point, side) in ends:
            return self.end_tail(point)
        return CONSTANT if np.isfinite(self.logpdf(point)) else None

    def end_tail(self, end: float) -> Tail | None:
        known = math.isfinite(end) and follows(self.logpdf, self, CONSTANT, end)
        return CONSTANT if known else None

    def scores(self, name: str, at: Points) -> Array:
        _refuse_own(self, name)
        return Univariate.scores(self, name, at)

    def end_velocity(self, name: str, end: float) -> float:
        _refuse_own(self, name)
        return Univariate.end_velocity(self, name, end)

    def velocity(self, name: str, at: Points) -> Array | None:
        return None if name in self.parameters else Univariate.velocity(self, name, at)

    def standard_form(self) -> StandardForm | None:
        return None

    def log_ratio(self, other: Any, at: Points) -> LogRatio | None:
        return None


def _refuse_own(law: Univariate, name: str) -> None:
    """Raise for a parameter of the law itself, of which ``loc`` may be no place."""
    if name in law.parameters:
        raise GantheoryError(
            f"{law}: its score in {name} is not known; define scores, or leave the derivative out"
        )


def follows(log_density: Callable[[Array], Array], law: Univariate, tail: Tail, end: float) -> bool:
    """Whether log p less the tail stays bounded toward an end, at the places probed."""
    (center, width), (low, high) = law.centers[0], law.support
    if math.isfinite(end):
        side = 1.0 if end == low else -1.0
        widest = min(width, (high - low) / 4)
        y = widest * 0.5 ** np.array([20.0, 30.0])
        x = end + side * y
        if not np.all(np.abs(x - end - side * y) < 1e-3 * y):
            return True  # too near for binary64 to tell
    else:
        side = math.copysign(1.0, end)
        y = np.abs(center) + width * 2.0 ** np.arange(6.0, 13.0)
        x = side * y
    with np.errstate(all="ignore"):
        value = np.asarray(log_density(x), float)
        rest = value - tail.at(y)
    if np.isfinite(rest).sum() < 2:
        return True  # beyond the range of binary64 at every place: nothing to compare
    x, value, rest = (v[np.isfinite(rest)] for v in (x, value, rest))
    return bool(abs(rest[-1] - rest[0]) <= BOUNDED + 1e-9 * np.abs(value).max())


Univariate.known_alone = Alone
