"""The catalogue of losses: one literal each. Adding a loss is one entry in one of these files."""

from __future__ import annotations

from gantheory.errors import unknown_name
from gantheory.game import Game
from gantheory.games.alpha import ALPHA
from gantheory.games.classic import CLASSIC
from gantheory.games.fgan import FGAN
from gantheory.games.least_squares import LEAST_SQUARES
from gantheory.games.margin import MARGIN
from gantheory.games.smoothing import SMOOTHING

_ALL: tuple[Game, ...] = (*CLASSIC, *SMOOTHING, *LEAST_SQUARES, *FGAN, *MARGIN, *ALPHA)
CATALOGUE: dict[str, Game] = {entry.name: entry for entry in _ALL}


def list_games() -> tuple[str, ...]:
    """Return the names of all catalogue games."""
    return tuple(CATALOGUE)


def get_game(name: str) -> Game:
    """Return the catalogue game called ``name``.

    >>> get_game("minimax").generator
    'log(1 - D)'
    """
    if name not in CATALOGUE:
        raise unknown_name("game", name, CATALOGUE)
    return CATALOGUE[name]
