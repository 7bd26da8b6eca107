"""Tables of numbers: arrays, and files of them in CSV, npy and Parquet."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from decimal import Decimal
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gantheory.errors import GantheoryError, require, shown, unknown_name

Array = NDArray[np.float64]
ENDINGS = (".csv", ".npy", ".parquet")
LARGEST = 1e150  # whose square is in the range of binary64
# samples("a.csv", column="x"): the file and the column, with or without quotation marks
_CALLED = re.compile(
    r"""samples?\(\s*(['"]?)([^'",]+)\1\s*(?:,\s*(?:column\s*=\s*)?(['"]?)([^'"]+?)\3\s*)?\)"""
)


def samples_call(text: str) -> tuple[str, str | None, str] | None:
    """Return file, column and what follows of ``samples("a.csv", column="x")``; None: it is none.

    >>> samples_call("samples('a.csv', column=x).kde()")
    ('a.csv', 'x', '.kde()')
    """
    text = text.strip()
    found = _CALLED.match(text)
    return None if found is None else (found[2].strip(), found[4], text[found.end() :].strip())


def is_table_name(text: str) -> bool:
    """Whether a text is the name of a file of a known ending."""
    return text.strip().lower().endswith(ENDINGS)


KINDS = {"c": "complex ones", "U": "text", "S": "bytes", "O": "objects", "M": "dates", "m": "times"}


def real_numbers(values: Any, source: str) -> Array:
    """Return a copy of real numbers of any shape, or raise in one line that names no array.

    What only turns into numbers, as text, dates, complex or masked ones, is refused.
    """
    if all(hasattr(values, name) for name in ("columns", "dtypes", "shape")):
        values = _frame(values, source)
    if np.ma.isMaskedArray(values) and np.ma.is_masked(values):
        raise GantheoryError(f"{source}: some of them are masked; drop these, like x.compressed()")
    try:
        given = np.asarray(_off_the_graph(values) if hasattr(values, "detach") else values)
        points = np.array(given, float) if _are_numbers(given) else None
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise GantheoryError(f"{source}: samples must be numbers of equal rows") from None
    if points is None:
        kind = KINDS.get(given.dtype.kind, given.dtype.name)
        raise GantheoryError(f"{source}: samples must be real numbers, not {kind}")
    return points


def _frame(frame: Any, source: str) -> Array:
    """Return the numbers of a table of pandas or polars, nan where there is none.

    Raises:
        GantheoryError: naming the column that holds what are no numbers.
    """
    check_names([str(name) for name in frame.columns], source)
    columns = []
    for k, name in enumerate(frame.columns):
        column = frame.iloc[:, k] if hasattr(frame, "iloc") else frame[:, k]
        kept = column[~column.isna()] if hasattr(column, "isna") else column
        given = np.asarray(kept)
        if given.ndim != 1 or not _are_numbers(given):
            raise GantheoryError(
                f"{source}: column {name!r} holds {column.dtype}, not numbers; leave it out"
            )
        filled = np.full(len(column), np.nan)
        filled[~np.asarray(column.isna()) if kept is not column else slice(None)] = given
        columns.append(filled)
    return np.stack(columns, axis=1) if columns else np.zeros((0, 0))


def _are_numbers(given: Any) -> bool:
    if given.dtype.kind == "O":
        return all(isinstance(x, Real | Decimal) for x in given.flat)
    return given.dtype.kind in "biuf"


# what pandas calls an index that it wrote among the columns, in CSV, read back, and in Parquet
INDEX = re.compile(r"|Unnamed: 0(_level_\d+)?|__index_level_\d+__")


def check_names(names: Sequence[str], source: str) -> None:
    """Raise where one column of several is an index, which is no dimension."""
    for place, name in {"last": names[-1], "first": names[0]}.items() if len(names) > 1 else ():
        if INDEX.fullmatch(name.strip()):
            kept = ", ".join([other for other in names if other != name][:8])
            what = f"is called {name!r}" if name.strip() else "has no name"
            raise GantheoryError(
                f"{source}: its {place} column {what}, as an index has; leave it out, or name a "
                f"column (known: {kept})"
            )


def check_header(header: Sequence[str], width: int, source: str) -> None:
    """Raise where the first line names other columns than the rows have, or one is an index."""
    for mark, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(header) == 1 and mark in header[0]:
            raise GantheoryError(f"{source}: its columns are parted by {name}; save it with commas")
    if header and len(header) != width:
        raise GantheoryError(
            f"{source}: its first line names {len(header)} column(s), and the rows have {width} "
            "cells; name each column, and leave out row names"
        )


def _off_the_graph(tensor: Any) -> Any:
    """Return a tensor as numpy can take it: without gradients, on the CPU, in a type it knows."""
    plain = tensor.detach().cpu()
    return plain.double() if plain.is_floating_point() else plain


def numbers(values: Any, source: str) -> Array:
    """Return numbers of shape (n,) or (n, dim), or raise in one line that names no array."""
    points = real_numbers(values, source)
    if isinstance(values, np.matrix) and 1 in points.shape:  # which has no other way to be a line
        points = points.ravel()
    if not points.size:
        raise GantheoryError(f"{source}: there is none; give at least one")
    if points.ndim not in (1, 2):
        raise GantheoryError(
            f"{source}: samples of shape {points.shape} must have shape (n,) or (n, dim)"
        )
    if bad := int(np.sum(~np.isfinite(points))):
        at = int(np.argwhere(~np.isfinite(points))[0][0])
        raise GantheoryError(
            f"{source}: {bad} of {points.size} numbers are nan or infinite, the first in row {at}; "
            "drop or fill them"
        )
    if float(np.max(np.abs(points))) > LARGEST:
        raise GantheoryError(f"{source}: numbers beyond 1e150 overflow in squares; change the unit")
    points.setflags(write=False)
    return points[:, 0] if points.ndim == 2 and points.shape[1] == 1 else points


def read_table(given: str | Path, column: str | None = None) -> Array:
    """Return the numbers of a CSV, npy or Parquet file, or of one of its columns.

    Raises:
        GantheoryError: for files that cannot be read, in one line.
    """
    if column is not None and not isinstance(column, str):
        raise GantheoryError(f"column={shown(column)} must be the name of a column")
    path = Path(given)
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise GantheoryError(f"{str(given)[:80]!r}: samples are read from {', '.join(ENDINGS)}")
    if not path.is_file():
        raise GantheoryError(f"{str(given)[:80]!r} is no file")
    reader = {".csv": _csv, ".npy": _npy, ".parquet": _parquet}[ending]
    return numbers(reader(path, column), path.name)


def _csv(path: Path, column: str | None) -> Array:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise GantheoryError(f"{path.name} is no readable CSV file: {error}") from None
    if not rows:
        raise GantheoryError(f"{path.name} holds no numbers")
    header = [cell.strip() for cell in rows[0]] if not all(map(_is_number, rows[0])) else []
    body = rows[1:] if header else rows
    wanted = _index(path, header, column)
    check_header(header, len(body[0]) if body else len(header), path.name)
    if column is None:
        check_names(header, path.name)
    try:
        picked = [[float(row[k]) for k in wanted] for row in body] if wanted else [
            [float(cell) for cell in row] for row in body
        ]  # fmt: skip
    except (ValueError, IndexError):
        bad = next(k for k, row in enumerate(body) if not _readable(row, wanted))
        of = f" (known: {', '.join(header[:9])})" if header else ""
        raise GantheoryError(
            f"{path.name}: row {bad + 1 + bool(header)} has a cell that is no number; name a "
            f"column of numbers{of}"
            if column is None
            else f"{path.name}: row {bad + 1 + bool(header)} has no number in column {column!r}"
        ) from None
    if len({len(row) for row in picked}) > 1:
        raise GantheoryError(f"{path.name}: its rows are of different lengths")
    return np.array(picked, float)


def _index(path: Path, header: list[str], column: str | None) -> list[int]:
    """Return the indices of the columns wanted; none stands for all."""
    if column is None:
        return []
    if not header:
        raise GantheoryError(f"{path.name} has no names of columns in its first row")
    if column not in header:
        raise unknown_name(f"column of {path.name}", column, header)
    if header.count(column) > 1:
        raise GantheoryError(
            f"{path.name} has {header.count(column)} columns {column!r}; rename one"
        )
    return [header.index(column)]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _readable(row: list[str], wanted: list[int]) -> bool:
    cells = [row[k] if k < len(row) else "" for k in wanted] if wanted else row
    return all(map(_is_number, cells))


def _npy(path: Path, column: str | None) -> Array:
    if column is not None:
        raise GantheoryError(f"column={column!r}: {path.name} has no named columns")
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (ValueError, OSError, EOFError):
        raise GantheoryError(f"{path.name} is no npy file of numbers") from None


def _parquet(path: Path, column: str | None) -> Array:
    require("a Parquet file", "samples", "polars")
    import polars

    try:
        frame = polars.read_parquet(path)
    except Exception as error:
        raise GantheoryError(f"{path.name} is no readable Parquet file: {error!s:.80}") from None
    if column is not None and column not in frame.columns:
        raise unknown_name(f"column of {path.name}", column, frame.columns)
    return _frame(frame if column is None else frame.select(column), path.name)
