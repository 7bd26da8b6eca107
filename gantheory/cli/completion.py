"""Names that a shell completes: losses, divergences, densities, small games.

Turn it on with ``eval "$(_GANTHEORY_COMPLETE=bash_source gantheory)"``, or zsh_source, fish_source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def _of(names: Callable[[], Iterable[str]]) -> Complete:
    """Return a completer; it asks for the names only when a shell does."""

    def complete(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
        return [name for name in names() if name.startswith(begun)]

    return complete


def _losses() -> Iterable[str]:
    from gantheory.losses import CATALOGUE, CRITICS

    return (*CATALOGUE, *CRITICS)


def _divergences() -> Iterable[str]:
    from gantheory.divergences import COMPLEMENTS, DIVERGENCES

    return (*DIVERGENCES, *COMPLEMENTS, "w1", "w2", "energy", "mmd2")


def _densities() -> Iterable[str]:
    from gantheory.densities import FAMILIES

    return (f"{name}(" for name in FAMILIES)


def _games() -> Iterable[str]:
    from gantheory.dynamics.games import list_games

    return list_games()


losses, divergences, densities, games = map(_of, (_losses, _divergences, _densities, _games))
