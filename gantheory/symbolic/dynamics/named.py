"""The small games that have names on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gantheory.errors import GantheoryError, unknown_name
from gantheory.games import list_games
from gantheory.symbolic.dynamics.known import bilinear, dirac, gaussian, linear_quadratic
from gantheory.symbolic.dynamics.record import Dynamics

FAMILIES: Mapping[str, Callable[..., Dynamics]] = {
    "dirac": dirac,
    "linear-quadratic": linear_quadratic,
    "gaussian": gaussian,
}


def list_dynamics() -> tuple[str, ...]:
    """Return the names of all games; a family alone stands for its minimax loss."""
    families = [f"{family}-{game}" for family in FAMILIES for game in list_games()]
    return ("bilinear", *FAMILIES, *families)


def named_game(name: str, **regularisers: Any) -> Dynamics:
    """Return a game by name: ``bilinear``, ``dirac``, ``dirac-LOSS``, ``gaussian-LOSS``, ...

    A bare name of a catalogue loss means its Dirac-GAN. ``regularisers`` (``r1``, ``r2``,
    ``penalty``, ``noise``) are for Dirac-GANs.

    >>> named_game("non-saturating").name
    'dirac-non-saturating'
    """
    given = {key: value for key, value in regularisers.items() if value}
    family, _, loss = name.partition("-")
    if name.startswith("linear-quadratic"):
        family, loss = "linear-quadratic", name.removeprefix("linear-quadratic").removeprefix("-")
    if name in list_games():
        family, loss = "dirac", name
    if name != "bilinear" and (family not in FAMILIES or (loss or "minimax") not in list_games()):
        raise unknown_name("game", name, {*list_dynamics(), *list_games()})
    if given and family != "dirac":
        raise GantheoryError(
            f"{', '.join(given)} needs a score to regularise, which {name!r} has not; "
            "use a Dirac-GAN such as 'dirac-minimax'"
        )
    return bilinear() if name == "bilinear" else FAMILIES[family](loss or "minimax", **given)
