"""Laws on finitely many points of the line with rational weights, and exact quantities of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from gantheory.errors import GantheoryError

Number = int | Fraction | str


@dataclass(frozen=True)
class DiscreteLaw:
    """A law with rational weights on increasing rational points.

    >>> DiscreteLaw.of([0, 1], ["1/4", "3/4"]).mean
    Fraction(3, 4)
    """

    points: tuple[Fraction, ...]
    weights: tuple[Fraction, ...]

    @classmethod
    def of(cls, points: Sequence[Number], weights: Sequence[Number]) -> DiscreteLaw:
        """Return the law; points may come in any order and repeat."""
        if len(points) != len(weights):
            raise GantheoryError(f"{len(points)} points and {len(weights)} weights")
        masses: dict[Fraction, Fraction] = {}
        for point, weight in zip(points, weights, strict=True):
            masses[Fraction(point)] = masses.get(Fraction(point), Fraction(0)) + Fraction(weight)
        if any(mass < 0 for mass in masses.values()) or sum(masses.values()) != 1:
            raise GantheoryError(f"weights {list(map(str, weights))} are not probabilities")
        ordered = sorted(point for point in masses if masses[point])
        return cls(tuple(ordered), tuple(masses[point] for point in ordered))

    @property
    def mean(self) -> Fraction:
        """The expectation."""
        return sum((x * w for x, w in self.items()), Fraction(0))

    def items(self) -> list[tuple[Fraction, Fraction]]:
        """Return (point, weight) pairs."""
        return list(zip(self.points, self.weights, strict=True))

    def mass(self, point: Fraction) -> Fraction:
        """Return the weight of one point."""
        return dict(self.items()).get(point, Fraction(0))
