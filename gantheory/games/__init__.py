"""The catalogue of losses: one literal each. Adding a loss is one entry in one of these files."""

from __future__ import annotations

from gantheory.errors import GantheoryError, unknown_name
from gantheory.game import Game
from gantheory.games.alpha import ALPHA
from gantheory.games.classic import CLASSIC
from gantheory.games.constrained import CONSTRAINED, Critic
from gantheory.games.fgan import FGAN
from gantheory.games.least_squares import LEAST_SQUARES
from gantheory.games.margin import MARGIN
from gantheory.games.smoothing import SMOOTHING

_ALL: tuple[Game, ...] = (*CLASSIC, *SMOOTHING, *LEAST_SQUARES, *FGAN, *MARGIN, *ALPHA)
CATALOGUE: dict[str, Game] = {entry.name: entry for entry in _ALL}
CRITICS: dict[str, Critic] = {entry.name: entry for entry in CONSTRAINED}


def list_games() -> tuple[str, ...]:
    """Return the names of all catalogue games."""
    return tuple(CATALOGUE)


def get_game(name: str) -> Game:
    """Return the catalogue game called ``name``.

    >>> get_game("minimax").generator
    'log(1 - D)'
    """
    if name in CRITICS:
        raise GantheoryError(
            f"game {name!r} is not separable; use gantheory.symbolic.derive_critic({name!r})"
        )
    if name not in CATALOGUE:
        raise unknown_name("game", name, CATALOGUE)
    return CATALOGUE[name]


def find(name: str) -> Game | Critic:
    """Return the entry called ``name``, whether it is separable or constrained.

    >>> find("wasserstein").constraint
    'f is 1-Lipschitz'
    """
    if name in CRITICS:
        return CRITICS[name]
    if name not in CATALOGUE:
        raise unknown_name("game", name, [*CATALOGUE, *CRITICS])
    return CATALOGUE[name]
