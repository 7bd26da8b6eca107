"""The small games that have names on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gantheory.dynamics.known import bilinear, dirac, gaussian, linear_quadratic
from gantheory.dynamics.record import Game
from gantheory.errors import GantheoryError, unknown_name
from gantheory.losses import list_losses

FAMILIES: Mapping[str, Callable[..., Game]] = {
    "dirac": dirac,
    "linear-quadratic": linear_quadratic,
    "gaussian": gaussian,
}


def list_games() -> tuple[str, ...]:
    """Return the names of all games; a family alone stands for its minimax loss."""
    families = [f"{family}-{game}" for family in FAMILIES for game in list_losses()]
    return ("bilinear", *FAMILIES, *families)


def get_game(name: str, **regularisers: Any) -> Game:
    """Return a game by name: ``bilinear``, ``dirac``, ``dirac-LOSS``, ``gaussian-LOSS``, ...

    A bare name of a catalogue loss means its Dirac-GAN. ``regularisers`` (``r1``, ``r2``,
    ``penalty``, ``noise``) are for Dirac-GANs.

    >>> get_game("non-saturating").name
    'dirac-non-saturating'
    """
    given = {key: value for key, value in regularisers.items() if value}
    family, _, loss = name.partition("-")
    if name.startswith("linear-quadratic"):
        family, loss = "linear-quadratic", name.removeprefix("linear-quadratic").removeprefix("-")
    if name in list_losses():
        family, loss = "dirac", name
    if name != "bilinear" and (family not in FAMILIES or (loss or "minimax") not in list_losses()):
        raise unknown_name("game", name, {*list_games(), *list_losses()})
    if given and family != "dirac":
        raise GantheoryError(
            f"{', '.join(given)} needs a score to regularise, which {name!r} has not; "
            "use a Dirac-GAN such as 'dirac-minimax'"
        )
    return bilinear() if name == "bilinear" else FAMILIES[family](loss or "minimax", **given)
