"""How results show themselves: one line in a REPL, a small table in a notebook.

A result says once what there is to say, in `Shown.overview`; its line and its table are made of
that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from html import escape
from typing import Any, NamedTuple


class Overview(NamedTuple):
    """What a result says of itself: a title, and rows of a label and a text."""

    title: str
    rows: tuple[tuple[str, str], ...] = ()


class Shown:
    """A result that is one line in a REPL and a table in a notebook.

    A subclass overrides `overview`, or has a ``__str__`` of several lines; a dataclass must be
    declared with ``repr=False``.
    """

    def overview(self) -> Overview:
        """Return the title and the rows; by default those of the text, split at ``" = "``."""
        title, *lines = str(self).splitlines()
        return Overview(title, tuple(_split(line) for line in lines if line.strip()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.overview().title})"

    def _repr_html_(self) -> str:
        return html_table(*self.overview())


def html_table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """Return a table with its title above: a label and a text a row, what is empty left out."""
    body = "".join(
        f'<tr><th scope="row" style="text-align: left">{escape(label)}</th>'
        f'<td style="text-align: left">{escape(text)}</td></tr>'
        for label, text in rows
        if text
    )
    return f"<table><caption><b>{escape(title)}</b></caption><tbody>{body}</tbody></table>"


def constructor(record: Any) -> str:
    """Return a dataclass as the call that makes it, without what is so by default.

    What is computed from other fields is left out; records in it, as a reference, are too.
    """
    declared = [field for field in dataclasses.fields(record) if field.repr]
    given = {f.name: getattr(record, f.name) for f in declared if _is_required(f)}
    try:
        plain = type(record)(**given)
    except ValueError:  # another field makes these legal
        plain = None
    parts = [repr(given.pop("name"))] if "name" in given else []
    parts += [f"{name}={value!r}" for name, value in given.items()]
    for field in declared:
        value = getattr(record, field.name)
        inner = value if isinstance(value, tuple) else (value,)
        if _is_required(field) or any(map(dataclasses.is_dataclass, inner)):
            continue
        if value != getattr(plain, field.name, None):
            parts.append(f"{field.name}={value!r}")
    return f"{type(record).__name__}({', '.join(parts)})"


def _is_required(field: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def _split(line: str) -> tuple[str, str]:
    label, separator, text = line.strip().partition(" = ")
    return (label, text) if separator else ("", line.strip())
