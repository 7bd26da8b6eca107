"""From what a person types to the entry of a table: by name, by alias, and else with a hint."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Protocol, TypeVar

from gantheory.errors import GantheoryError


class Named(Protocol):
    """An entry of a table that people ask for."""

    @property
    def name(self) -> str:
        """Its identifier, unique in its table."""

    @property
    def title(self) -> str:
        """What it is, in words."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """What else it is called; two entries may share one, and then neither is meant by it."""


E = TypeVar("E", bound=Named)


def find_entry(kind: str, typed: str, entries: Iterable[E]) -> E:
    """Return the entry that is called ``typed``, in any case, with ``-``, ``_`` or blanks.

    Raises:
        GantheoryError: for a name of several entries, which are then listed with their titles, or
            of none, with the nearest names, aliases and titles.

    >>> from gantheory.losses import CATALOGUE
    >>> find_entry("loss", "LSGAN", CATALOGUE.values()).name
    'least-squares-01'
    """
    table, asked = tuple(entries), _folded(typed)
    called = [entry for entry in table if _folded(entry.name) == asked]
    called = called or [entry for entry in table if asked in map(_folded, entry.aliases)]
    if len(called) == 1:
        return called[0]
    if called:
        choices = " or ".join(f"{entry.name} ({entry.title})" for entry in called)
        raise GantheoryError(f"{kind} {typed!r} may mean {choices}; name one of them")
    raise GantheoryError(f"unknown {kind} {_shortened(typed)}; {_hint(asked, table)}")


def _hint(asked: str, table: tuple[E, ...]) -> str:
    names = {
        _folded(said): entry.name
        for entry in table
        for said in (entry.title, *entry.aliases, entry.name)
    }
    near = get_close_matches(asked, names, n=3, cutoff=0.6)
    meant = list(dict.fromkeys(names[match] for match in near))
    if meant:
        return f"did you mean {' or '.join(map(repr, meant))}?"
    return f"known: {', '.join(sorted(entry.name for entry in table))}"


def _folded(text: str) -> str:
    return "-".join(text.casefold().replace("_", " ").replace("-", " ").split())


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
