"""Random densities, losses, cells and discriminators, from what the catalogues declare."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

from gantheory.densities import FAMILIES, Density
from gantheory.densities.base import build_density
from gantheory.densities.univariate import Univariate
from gantheory.divergences import DIVERGENCES, FDivergence
from gantheory.errors import GantheoryError, MissingExtraError
from gantheory.expressions import number
from gantheory.formulas import interval
from gantheory.losses import CATALOGUE
from gantheory.losses.loss import Loss

try:
    from hypothesis import reject
    from hypothesis import strategies as st
except ImportError:
    raise MissingExtraError("gantheory.testing", "testing") from None

SCORES = 12.0  # abs(t) of random discriminators: D within 6e-6 of 0 and 1
RESOLUTION = 1e-9  # of lengths, where the typical range of every parameter is about 1


@st.composite
def densities(draw: Any, families: Iterable[str] | None = None) -> Univariate:
    """Draw a density on the line, with parameters from the typical range that each declares.

    >>> from hypothesis import find
    >>> find(densities(["normal"]), lambda law: law.loc > 1).name
    'normal'
    """
    known = [name for name, family in FAMILIES.items() if is_drawable(family)]
    family = FAMILIES[draw(st.sampled_from(list(families) if families is not None else known))]
    values = {f.name: draw(_parameters(f)) for f in dataclasses.fields(family)}  # type: ignore[arg-type]
    try:
        law: Univariate = build_density(family, values)  # type: ignore[assignment]
    except GantheoryError:  # a combination that is not legal, such as uniform(2, 1)
        reject()
    if any(high - low < RESOLUTION for low, high in law.pieces):
        reject()
    return law


def density_pairs(families: Iterable[str] | None = None) -> st.SearchStrategy[Any]:
    """Draw two densities on the line, P and Q."""
    names = None if families is None else tuple(families)
    return st.tuples(densities(names), densities(names))


@st.composite
def convex_generators(draw: Any, most: int = 3) -> str:
    """Draw a convex function f of r > 0 with f(1) = 0, as the text of a formula.

    It is a sum of named generators, of squares and of kinks max(r − c, 0), with weights of at
    least 1/8, so that ``gantheory.divergence`` takes it, and ``eval`` of what hypothesis prints.
    """
    named = st.sampled_from([f"({one.f})" for one in DIVERGENCES.values()])
    places = st.integers(1, 24).map(lambda k: k / 8)
    kinks = places.map(lambda c: f"(max(r - {c}, 0) - {max(1 - c, 0.0)})")
    squares = places.map(lambda c: f"((r - {c})**2 - {(1 - c) ** 2})")
    parts = draw(st.lists(st.one_of(named, kinks, squares), min_size=1, max_size=most))
    weights = [draw(st.integers(1, 16)) / 8 for _ in parts]
    return " + ".join(f"{w}*{part}" for w, part in zip(weights, parts, strict=True))


def is_drawable(family: type[Density]) -> bool:
    """Whether every parameter of a family on the line is a number with a declared range."""
    declared = dataclasses.fields(family)  # type: ignore[arg-type]
    return issubclass(family, Univariate) and all(f.metadata.get("domain") for f in declared)


def _parameters(field: Any) -> st.SearchStrategy[float]:
    domain = field.metadata["domain"]
    low, high = domain.typical
    if domain.integer:
        return st.integers(math.ceil(low), math.floor(high)).map(float)
    return st.floats(low, high).map(lambda value: value if abs(value) > RESOLUTION else 0.0)


def losses() -> st.SearchStrategy[Loss]:
    """Draw a loss of the catalogue, its free parameters at their typical values.

    >>> from hypothesis import find
    >>> find(losses(), lambda loss: loss.name == "hinge").real
    '-relu(1 - t)'
    """
    return st.sampled_from([loss.at_typical() for loss in CATALOGUE.values()])


def divergences() -> st.SearchStrategy[FDivergence]:
    """Draw a named divergence.

    >>> from hypothesis import find
    >>> find(divergences(), lambda entry: entry.name == "tv").f
    'abs(r - 1)/2'
    """
    return st.sampled_from(list(DIVERGENCES.values()))


@st.composite
def cuts(draw: Any, p: Univariate, q: Univariate, most: int = 8) -> list[float]:
    """Draw points that cut the line into cells, at random quantiles of the two densities.

    >>> from hypothesis import find
    >>> from gantheory.densities.normal import Normal
    >>> points = find(cuts(Normal(0, 1), Normal(1, 1)), lambda points: len(points) > 1)
    >>> points == sorted(points)
    True
    """
    levels = st.lists(st.floats(0.001, 0.999), min_size=1, max_size=most)
    points = [float(side.ppf(level)) for side in (p, q) for level in draw(levels)]
    return sorted({point for point in points if math.isfinite(point)})


def scores(loss: Loss, size: int) -> st.SearchStrategy[list[float]]:
    """Draw the scores of an arbitrary discriminator, one a cell, within the loss's domain.

    >>> from hypothesis import find
    >>> find(scores(CATALOGUE["minimax"], 3), lambda t: True)
    [0.0, 0.0, 0.0]
    """
    low, high = score_range(loss)
    return st.lists(st.floats(low, high, allow_nan=False), min_size=size, max_size=size)


def score_range(loss: Loss, most: float = SCORES) -> tuple[float, float]:
    """Return the loss's domain of scores, cut to abs(t) <= most; an open end is left out.

    >>> score_range(CATALOGUE["minimax"])
    (-12.0, 12.0)
    """
    domain = interval(loss.domain)
    lower, upper = (number(end) for end in (domain.lower, domain.upper))
    low = -most if lower is None else max(-most, float(lower))
    high = most if upper is None else min(most, float(upper))
    margin = 1e-9 * (high - low)
    return (
        low + margin * (lower == low and not domain.closed_lower),
        high - margin * (upper == high and not domain.closed_upper),
    )
