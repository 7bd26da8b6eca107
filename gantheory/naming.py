"""From what a person types to the entry of a table: by name, by alias, and else with a hint."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache
from typing import Protocol, TypeVar

from gantheory.errors import GantheoryError, known_names


class Named(Protocol):
    """An entry of a table that people ask for.

    It may have a ``meaning``, which says more than its title, and the name of its ``reverse``,
    with which people confuse it.
    """

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


def find_entry(kind: str, typed: str, entries: Iterable[E], also: tuple[str, ...] = ()) -> E:
    """Return the entry that is called ``typed``, in any case, with or without ``-``, ``_``, blanks.

    Raises:
        GantheoryError: for a name of several entries, which are then listed with what they are, or
            of none, with the nearest names, aliases and titles; ``also`` are patterns of names.

    >>> from gantheory.losses import CATALOGUE
    >>> find_entry("loss", "LSGAN", CATALOGUE.values()).name
    'least-squares-01'
    """
    table, asked = tuple(entries), folded(typed)
    called = [entry for entry in table if folded(entry.name) == asked]
    called = called or [entry for entry in table if asked in _said(entry)]
    if len(called) == 1:
        return called[0]
    if called:
        choices = " or ".join(f"{entry.name} ({_meaning(entry)})" for entry in called)
        raise GantheoryError(f"{kind} {typed!r} may mean {choices}; name one of them")
    raise GantheoryError(f"unknown {kind} {_shortened(typed)}; {_hint(kind, asked, table, also)}")


def refuse_taken(kind: str, entry: Named, entries: Iterable[Named]) -> None:
    """Raise where the name of a new entry is one that people already call another by."""
    said = {folded(entry.name), *map(folded, entry.aliases)}
    for other in entries:
        if folded(entry.name) in {folded(other.name), *_said(other)}:
            raise GantheoryError(
                f"{kind} {entry.name!r} is already a name of {other.name} ({_meaning(other)}); "
                "choose another name"
            )
        if folded(other.name) in said:
            raise GantheoryError(f"the alias {other.name!r} of {kind} {entry.name!r} is a name")


def _said(entry: Named) -> set[str]:
    return {folded(text) for text in (entry.title, *entry.aliases) if text}


def _meaning(entry: Named) -> str:
    return str(getattr(entry, "meaning", entry.title))


def _hint(kind: str, asked: str, table: tuple[E, ...], also: tuple[str, ...]) -> str:
    names = {said: entry for entry in table for said in (*_said(entry), folded(entry.name))}
    near = [names[match] for match in get_close_matches(asked, names, n=3, cutoff=0.6)]
    for entry in tuple(near):  # a slip does not say which direction was meant
        near += [other for other in table if other.name == getattr(entry, "reverse", "")]
    meant = {entry.name: entry for entry in near}
    if len(meant) == 1:
        return f"did you mean {next(iter(meant))!r}?"
    if meant:
        told = [f"{name!r} ({_meaning(entry)})" for name, entry in meant.items()]
        return f"did you mean {' or '.join(told)}?"
    return known_names([*sorted(entry.name for entry in table), *also], kind)


@lru_cache(4096)
def folded(text: str) -> str:
    """Return a name as it is compared: in lower case, without blanks, hyphens and underscores.

    >>> folded("Least-squares 01"), folded("KL(P‖Q)")
    ('leastsquares01', 'kl(p|q)')
    """
    return re.sub(r"[‖|]+", "|", re.sub(r"[\s_-]", "", text.casefold()))


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
