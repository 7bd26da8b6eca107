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
    """Return the catalogue game called ``name``, with numbers for its parameters where it has them.

    >>> get_game("minimax").generator
    'log(1 - D)'
    >>> get_game("energy-based(m=2)").fake
    '-relu(2 - t)'
    """
    name, bracket, rest = name.partition("(")
    if bracket:
        return get_game(name.strip()).given(**_numbers(rest))
    if name in CRITICS:
        raise GantheoryError(
            f"game {name!r} is not separable; use gantheory.symbolic.derive_critic({name!r})"
        )
    if name not in CATALOGUE:
        raise unknown_name("game", name, CATALOGUE)
    return CATALOGUE[name]


def _numbers(text: str) -> dict[str, str]:
    """Return the numbers in ``"alpha=0.5, beta=1/3)"`` by name."""
    if not text.rstrip().endswith(")"):
        raise GantheoryError(f"{'(' + text[:40]!r} does not close; write it like GAME(alpha=0.5)")
    parts = [part.partition("=") for part in text.rstrip()[:-1].split(",") if part.strip()]
    return {name.strip(): value for name, _, value in parts}


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
