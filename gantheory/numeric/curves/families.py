"""One-parameter families of pairs of densities: two texts in which the letter ``d`` varies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gantheory.densities import Density, parse_density
from gantheory.densities.base import Array
from gantheory.errors import unknown_name

if TYPE_CHECKING:
    pass


_LETTER = re.compile(r"\bd\b")


@dataclass(frozen=True)
class Family:
    """A pair of laws that depends on one number, written ``d`` in their texts.

    Attributes:
        p: the data density; its parameters may contain ``d``, as in ``"normal(d/2, 1)"``.
        q: the generator's density.
        axis: what d measures, for the axis of a plot.
        range: the values of d that a figure shows.

    >>> print(*Family("normal(0, 1)", "normal(d, 1)").at(0.5))
    normal(0, 1) normal(0.5, 1)
    """

    p: str
    q: str
    axis: str = "d"
    range: tuple[float, float] = (0.0, 10.0)

    def at(self, value: float) -> tuple[Density, Density]:
        """Return the two laws at one value of d."""
        number = repr(float(value))
        p, q = (_LETTER.sub(f"({number})", text) for text in (self.p, self.q))
        return parse_density(p), parse_density(q)

    def __str__(self) -> str:
        return f"P = {self.p}, Q = {self.q}"


_PAIR = "mixture(0.5*normal(-2, {s}) + 0.5*normal(2, {s}))"
FAMILIES = {
    "distance": Family("normal(0, 1)", "normal(d, 1)", "distance d between the means, in σ"),
    "scale": Family("normal(0, 1)", "normal(0, d)", "ratio d of the standard deviations", (0.2, 5)),
    "weight": Family(
        "mixture(0.5*normal(-3, 1) + 0.5*normal(3, 1))",
        "mixture((1 - d)*normal(-3, 1) + d*normal(3, 1))",
        "weight d of the right mode in Q",
        (0.01, 0.99),
    ),
    "separation": Family(
        "mixture(0.5*normal(-d/2, 1) + 0.5*normal(d/2, 1))",
        "normal(0, 1)",
        "separation d of the two modes of P, in σ",
    ),
    "laplace": Family("laplace(0, 1)", "laplace(d, 1)", "distance d between the medians"),
    "logistic": Family("logistic(0, 1)", "logistic(d, 1)", "distance d between the means"),
    "cauchy": Family("student_t(df=1)", "student_t(df=1, loc=d)", "distance d between the medians"),
}


def find_family(family: Family | str) -> Family:
    """Return a family by its name in `FAMILIES`."""
    if isinstance(family, Family):
        return family
    if family not in FAMILIES:
        raise unknown_name("family", family, FAMILIES)
    return FAMILIES[family]


def ends_of(family: Family, points: Array) -> tuple[float, float]:
    """Return two different values of d that are both legal, from which slopes are taken."""
    low, high = float(np.min(points)), float(np.max(points))
    return (low, high) if low < high else (min(low, family.range[0]), max(high, family.range[1]))


def slopes_of(family: Family, points: Array) -> dict[str, float] | None:
    """Return how fast each number in the two laws moves with d, as ``{"q.loc": 1.0}``.

    None where something other than a number moves (a mixture's list), or not in a straight line.
    """
    low, high = ends_of(family, points)
    start, middle, end = (family.at(d) for d in (low, 0.5 * (low + high), high))
    slopes = {}
    for law, a, b, c in zip("pq", start, middle, end, strict=True):
        for name, first in a.parameters.items():
            half, last = b.parameters.get(name), c.parameters.get(name)
            if first == half == last:
                continue
            if not (
                isinstance(first, float) and isinstance(half, float) and isinstance(last, float)
            ):
                return None
            if abs(first + last - 2 * half) > 1e-12 * (abs(first) + abs(last)):
                return None
            slopes[f"{law}.{name}"] = float(last - first) / (high - low)
    return slopes
