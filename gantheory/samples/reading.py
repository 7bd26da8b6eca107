"""Samples from arrays and from files: CSV, npy and Parquet."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from gantheory.densities.base import Array
from gantheory.errors import GantheoryError, require, unknown_name
from gantheory.samples.record import Samples

ENDINGS = (".csv", ".npy", ".parquet")


def is_sample_like(given: Any) -> bool:
    """Whether something is samples: an array, a list, or the name of a file of a known ending."""
    if isinstance(given, Path):
        return True
    if isinstance(given, str):
        return given.lower().endswith(ENDINGS)
    return isinstance(given, Samples | np.ndarray | list)


def samples(given: Any, column: str | None = None) -> Samples:
    """Return samples from an array, or from a CSV, npy or Parquet file.

    Args:
        given: numbers of shape (n,) or (n, dim), or the path of a file.
        column: of a file with named columns, the one to take; without it all are taken.

    Raises:
        GantheoryError: for numbers or files that cannot be read, in one line.

    >>> print(samples([1.0, 2.0, 4.0]))
    samples (3 points on the line)
    """
    if isinstance(given, Samples):
        return given
    if not isinstance(given, str | Path):
        if column is not None:
            raise GantheoryError(f"column={column!r}: an array has no named columns; index it")
        return Samples(given)
    path = Path(given)
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise GantheoryError(f"{str(given)[:80]!r}: samples are read from {', '.join(ENDINGS)}")
    if not path.is_file():
        raise GantheoryError(f"{str(given)[:80]!r} is no file")
    reader = {".csv": _csv, ".npy": _npy, ".parquet": _parquet}[ending]
    return Samples(reader(path, column), path.name)


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
    try:
        picked = [[float(row[k]) for k in wanted] for row in body] if wanted else [
            [float(cell) for cell in row] for row in body
        ]  # fmt: skip
    except (ValueError, IndexError):
        bad = next(k for k, row in enumerate(body) if not _readable(row, wanted))
        raise GantheoryError(
            f"{path.name}: row {bad + 1 + bool(header)} has a cell that is no number; name a column"
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
    return np.asarray((frame if column is None else frame.select(column)).to_numpy())
