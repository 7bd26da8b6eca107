"""How far long work is: on standard error where a person looks on, and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def tracked(items: Iterable[T], total: int, doing: str, *, quiet: bool = False) -> Iterator[T]:
    """Yield ``items``, and show how many of ``total`` are done in a terminal or a notebook.

    >>> list(tracked("ab", 2, "reading"))
    ['a', 'b']
    """
    if quiet or not is_watched():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    # a notebook takes what overwrites one line; rich's own way there needs another package
    console = Console(file=sys.stderr, force_terminal=True, force_jupyter=False)
    yield from track(items, doing, total, console=console, transient=True)


def is_watched() -> bool:
    """Whether standard error is a terminal or the output of a notebook's cell."""
    stream = sys.stderr
    if stream is None or type(stream).__module__.startswith("ipykernel"):
        return stream is not None
    return stream.isatty()
