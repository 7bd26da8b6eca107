"""Densities with known structure: where they live, how they end, how they depend on parameters."""

from __future__ import annotations

from typing import Any

from gantheory.densities import (  # noqa: F401  (each enters its families)
    bounded,
    circle,
    counts,
    discrete,
    elliptical,
    images,
    intervals,
    lifetimes,
    location_scale,
    mixtures,
    modes,
    normal,
    plane,
    positive,
    powerlaws,
    renamed,
    restricted,
    shapes,
    simplex,
    spread,
    truncated,
)
from gantheory.densities.arrays import Densities, laws
from gantheory.densities.base import FAMILIES, Density, in_order
from gantheory.densities.tails import Tail
from gantheory.densities.text import parse_density, read_laws
from gantheory.densities.univariate import Points, Univariate
from gantheory.densities.user import own_density

__all__ = [
    "FAMILIES",
    "Densities",
    "Density",
    "Points",
    "Tail",
    "Univariate",
    "density",
    "list_densities",
    "own_density",
    "parse_density",
    "read_laws",
]


def list_densities() -> tuple[str, ...]:
    """Return the names of all families, your own included; `density` makes a law of one.

    >>> "student_t" in list_densities()
    True
    """
    return tuple(FAMILIES)


def density(name: Any, *values: Any, **parameters: Any) -> Density:
    """Return a density by family name and parameters, or from its text.

    Args:
        name: a family such as ``"normal"``, with ``parameters``; or a whole text such as
            ``"mixture(0.5*normal(-2, 0.1) + 0.5*normal(2, 0.1))"``.
        values: parameters in the family's order, as its text has them.
        parameters: numbers; an array in a number's place makes one law of each element, and
            `gantheory.divergence` then returns arrays.

    Raises:
        GantheoryError: an unknown name or an illegal parameter, with the remedy.

    >>> print(density("normal", loc=0, scale=1), density("normal", 0, scale=1))
    normal(0, 1) normal(0, 1)
    """
    parameters = in_order(name, values, parameters)
    if isinstance(name, Density):
        return name.replace(**parameters) if parameters else name
    if parameters or (isinstance(name, str) and name.strip() and not set(name) & set("(+*/")):
        return laws(name, **parameters)
    return read_laws(name)
