"""Samples from arrays and from files: CSV, npy and Parquet."""

from __future__ import annotations

from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from gantheory.densities.base import Density
from gantheory.errors import GantheoryError, shown
from gantheory.samples.record import Samples
from gantheory.tables import is_table_name, read_table, samples_call


def is_sample_like(given: Any) -> bool:
    """Whether something is samples: an array, numbers in a row, the name of a file, or a call.

    Arrays are numpy's, and whatever turns into one: series, frames and tensors.
    """
    if isinstance(given, Path):
        return True
    if isinstance(given, str):
        return is_table_name(given) or ((found := samples_call(given)) is not None and not found[2])
    if isinstance(given, Samples | np.ndarray | list | range):
        return True
    if isinstance(given, tuple):  # of numbers; two arrays are a pair (x, pdf)
        return bool(given) and all(isinstance(x, Real) for x in given)
    return hasattr(given, "__array__") and not isinstance(given, Density)


def refuse_samples(what: str, *given: Any) -> None:
    """Refuse samples where laws are needed, with what takes them.

    >>> refuse_samples("critics", "normal(0, 1)")
    """
    if any(map(is_sample_like, given)):
        raise GantheoryError(
            f"{what} are solved between laws; of samples x and y, divergence('w1', x, y), 'energy' "
            "and 'mmd2(bandwidth=1)' are what critics of bounded slope and of kernels reach; or "
            "give a law fitted to them, such as scipy.stats.gaussian_kde(x)"
        )


def samples(given: Any, column: str | None = None) -> Samples:
    """Return samples from an array, or from a CSV, npy or Parquet file.

    Args:
        given: numbers of shape (n,) or (n, dim); the path of a file; or the text of a call, such
            as ``"samples('a.csv', column='x')"``.
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
    if isinstance(given, str) and (found := samples_call(given)) is not None:
        if found[2]:
            raise GantheoryError(f"{shown(given)}: nothing may follow the file and the column")
        given, column = found[0], found[1] if column is None else column
    return Samples(read_table(given, column), Path(given).name)
