"""Laws on finitely many points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from gantheory.densities.base import Array, Density, generator, parameter, register_family
from gantheory.errors import GantheoryError, shown


@register_family
@dataclass(frozen=True)
class Discrete(Density):
    """The law that takes the value k with probability ``masses[k]``.

    >>> from gantheory.densities import parse_density
    >>> parse_density("discrete([1/2, 1/4, 1/4])").masses
    (0.5, 0.25, 0.25)
    """

    name: ClassVar[str] = "discrete"
    dim = 0
    masses: tuple[float, ...] = parameter(None)

    def __post_init__(self) -> None:
        values = _numbers(self.masses)
        if not values or min(values) < 0 or not math.isfinite(sum(values)):
            raise GantheoryError(
                f"discrete: masses={shown(self.masses)} must be a list of numbers >= 0"
            )
        if abs(math.fsum(values) - 1) > 1e-9:  # as for the weights of a mixture
            raise GantheoryError(f"discrete: masses sum to {math.fsum(values):g}, not 1")
        object.__setattr__(self, "masses", values)

    def shares(self, size: int) -> list[Fraction]:
        """Return the first ``size`` probabilities as exact fractions that sum to 1."""
        masses = [Fraction(mass) for mass in self.masses]
        total = sum(masses)
        return [mass / total for mass in masses] + [Fraction(0)] * (size - len(masses))

    def logpdf(self, x: ArrayLike) -> Array:
        k = np.asarray(x)
        inside = (k >= 0) & (k < len(self.masses)) & (k == np.floor(k))
        with np.errstate(divide="ignore"):
            logs = np.log(np.array(self.masses) / math.fsum(self.masses))
        return np.where(inside, logs[np.where(inside, k, 0).astype(int)], -np.inf)

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        weights = np.array(self.masses) / math.fsum(self.masses)
        return generator(rng).choice(len(weights), size=n, p=weights).astype(float)


def _numbers(values: Any) -> tuple[float, ...]:
    if not isinstance(values, Sequence | np.ndarray) or isinstance(values, str):
        return ()
    try:
        return tuple(float(v) for v in values)
    except (TypeError, ValueError):
        return ()
