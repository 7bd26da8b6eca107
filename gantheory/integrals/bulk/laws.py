"""Laws with arrays of parameters as the rows that quadrature in bulk takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from gantheory.densities import Density
from gantheory.densities.arrays import Densities
from gantheory.densities.inherited import of_family
from gantheory.densities.mixing import AnyMixture
from gantheory.integrals.bulk.rows import STANDARD, LawRows, MixtureRows, Number


def row_of(
    law: Density, shape: tuple[int, ...], moved: str | None = None
) -> LawRows | MixtureRows | None:
    """Return a row for every element of a shape, ``moved`` its varying parameter.

    Returns:
        None where the family is not served in bulk, or where a part of a mixture moves.
    """
    if of_family(law, AnyMixture):
        parts = [_row(part, shape, None) for part in law.parts]
        known = [part for part in parts if part is not None]
        if moved is not None or len(known) < len(parts):
            return None
        weights = tuple(_number(weight, shape, moves=False) for weight in law.probabilities)
        return MixtureRows(weights, tuple(known))
    return _row(law, shape, moved)


def _row(law: Density, shape: tuple[int, ...], moved: str | None) -> LawRows | None:
    name = law.family.name if isinstance(law, Densities) else law.name
    if name not in STANDARD or moved not in (None, "loc", "scale"):
        return None
    loc, scale = (
        _number(law.parameters[key], shape, moves=key == moved) for key in ("loc", "scale")
    )
    return LawRows(STANDARD[name], loc, scale)


def _number(value: Any, shape: tuple[int, ...], *, moves: bool) -> Number:
    column = np.broadcast_to(np.asarray(value, float), shape).reshape(-1, 1)
    return Number(column, np.ones_like(column) if moves else None)
