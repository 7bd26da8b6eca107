"""Curves of penalised discriminators: V and what the generator follows, with D held."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gantheory.densities.base import Array
from gantheory.errors import GantheoryError
from gantheory.integrals.curves.families import Family, slopes_of
from gantheory.integrals.curves.targets import Target
from gantheory.losses import get_loss
from gantheory.losses.loss import Loss
from gantheory.records import Estimate, Status
from gantheory.regularised.penalised import optimal_discriminator
from gantheory.regularised.record import RegularisedDiscriminator
from gantheory.regularised.regulariser import Regulariser

Progress = Callable[[int, int], None]
Row = tuple[Estimate, Estimate]


def penalised_numbers(
    loss: Loss | str,
    regulariser: Regulariser | str,
    family: Family,
    points: Array,
    progress: Progress | None = None,
) -> tuple[Target, Array, Sequence[str]]:
    """Return V(D) of the best penalised D and the generator's gradient in d, with D held.

    Returns:
        The target that names the curve; an array of shape (4, points) with V, its error, the
        gradient and its error, nan where there are none; and why, where there are none.

    Raises:
        GantheoryError: for an unknown loss or regulariser, or a family in which p moves too: no
            generator moves the data.
    """
    game = get_loss(loss)
    penalty = Regulariser.of(regulariser) if isinstance(regulariser, str) else regulariser
    found = np.full((4, len(points)), np.nan)
    reasons: list[str] = []
    for k, d in enumerate(points):
        for row, one in zip((0, 2), _at(game, penalty, family, float(d)), strict=True):
            found[row, k], found[row + 1, k] = one.value, one.error
            if one.status is not Status.OK and one.reason:
                reasons.append(one.reason)
        if progress:
            progress(k + 1, len(points))
    title = f"{game.name} with {regulariser}: V(D), and what G follows"
    return (
        Target(f"{game.name} {regulariser}", title=title),
        found,
        tuple(dict.fromkeys(reasons)),
    )


def _at(game: Loss, penalty: Regulariser, family: Family, d: float) -> Row:
    """Return V and the gradient in d at one place."""
    p, q = family.at(d)
    moving = {name: rate for name, rate in slopes_of(family, d).items() if rate}
    if any(name.startswith("p.") for name in moving):
        raise GantheoryError(
            f"family {family}: p moves with d, but with D held only a parameter of q moves G's loss"
        )
    solved = optimal_discriminator(game, p, q, regulariser=penalty)
    return solved.value, _gradient(solved, moving)


def _gradient(solved: RegularisedDiscriminator, moving: dict[str, float]) -> Estimate:
    """Return the derivative of G's loss in d by the chain rule."""
    parts = [(rate, solved.gradient(name)) for name, rate in moving.items()]
    for _, part in parts:
        if part.status is not Status.OK:
            return part
    value = sum(rate * part.value for rate, part in parts)
    error = sum(abs(rate) * part.error for rate, part in parts)
    return Estimate(float(value), float(error), method="finite elements")
