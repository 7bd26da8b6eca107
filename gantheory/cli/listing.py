"""Tables on the terminal: nothing in them is ever cut short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


def print_table(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows under their columns; the name, which is what one types, is never broken."""
    from gantheory.report.terminal import console

    console().print(table_of(columns, rows))


def table_of(
    columns: Sequence[str], rows: Sequence[Mapping[str, object]], title: str = ""
) -> Table:
    """Return a table in which text that does not fit goes on below."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None)
    for column in columns:
        table.add_column(column, no_wrap=column == "name", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row[column])) for column in columns))
    return table


def print_list(
    columns: Sequence[str], rows: Sequence[Mapping[str, object]], *, beside: Mapping[str, str]
) -> None:
    """Print a name a row beside what it is, and below what else there is under its label.

    Args:
        columns: the name, and what stands beside it where there is room.
        rows: the entries.
        beside: labels of what goes below, where an entry has it.
    """
    from rich.table import Table
    from rich.text import Text

    from gantheory.report.terminal import console

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for row in rows:
        more = "\n".join(f"{label} {_cell(row[key])}" for key, label in beside.items() if row[key])
        shown = "  ".join(_cell(row[column]) for column in columns[1:])
        grid.add_row(Text(_cell(row[columns[0]])), Text(f"{shown}\n{more}" if more else shown))
    console().print(grid)


def side_by_side(widths: Sequence[int], width: int, first: int) -> list[list[int]]:
    """Return which columns stand in each of several tables, so that each fits the terminal.

    >>> side_by_side([30, 30, 30], 80, 6)
    [[0, 1], [2]]

    Args:
        widths: of each column.
        width: of the terminal.
        first: width of the column that every table begins with.
    """
    tables: list[list[int]] = [[]]
    used = first
    for column, wide in enumerate(widths):
        if tables[-1] and used + wide > width:
            tables.append([])
            used = first
        tables[-1].append(column)
        used += wide
    return tables


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    words = {True: "yes", False: "no", None: "undecided"}
    return words[value] if value is None or isinstance(value, bool) else str(value)
