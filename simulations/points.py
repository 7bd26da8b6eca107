"""A user's own data, as a sampler: arrays, tensors, files, datasets."""

from __future__ import annotations

import csv
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gantheory.densities.base import Density
from gantheory.errors import GantheoryError, require
from gantheory.tables import check_header, check_names, real_numbers
from simulations.counter import Places
from simulations.data import Law, as_density, read_idx
from simulations.forwards import untouched
from simulations.settings import check_whole
from simulations.streams import Sampler, drawn

WHAT = (
    "give a density such as 'normal(0, 1)', numbers of shape (points, dimension), a torch Dataset, "
    "a file (.npy, .csv, .parquet, IDX), or an object with `dim` and `sample(n, generator, dtype)`"
)


@dataclass(frozen=True)
class DataPoints:
    """Finitely many points, drawn with replacement: the empirical law of a user's data.

    Args:
        origin: where they come from, for records.
        digest: SHA-256 of the numbers: what tells one set of points from another.
        rows: shape (points, dimension), float64; made by `points`.

    >>> data = points([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    >>> data.dim, data.sample(4).shape
    (2, torch.Size([4, 2]))
    """

    origin: str
    digest: str

    @cached_property
    def rows(self) -> Tensor:
        """Return all points, shape (points, dimension)."""
        raise GantheoryError("make Points by simulations.points.points(data)")

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of a point as it was given, before it became a row."""
        return (self.dim,)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def dim(self) -> int:
        """Return the dimension of a point."""
        return self.rows.shape[1]

    def sample(
        self,
        n: int,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> Tensor:
        """Return n points drawn with replacement, shape (n, dim)."""
        chosen = torch.randint(len(self), (n,), generator=generator)
        return self.rows[chosen].to(dtype)

    def distinct(self, n: int, generator: torch.Generator) -> Tensor:
        """Return n different points in random order, all of them where there are fewer."""
        return self.rows[torch.randperm(len(self), generator=generator)[:n]]

    def points(self, places: Places) -> Tensor:
        """Return points made from numbers that are counted, for all members at once."""
        u = places.uniform()[..., 0]
        return self.rows.to(u.device)[(u * len(self)).long()]

    def split(self, share: float = 0.5, seed: int = 0) -> tuple[DataPoints, DataPoints]:
        """Return two parts without a common row: one to train on, one to measure on."""
        if not 0 < share < 1:
            raise GantheoryError(f"share={share!r} must lie between 0 and 1")
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))
        cut = round(share * len(self))
        if not 0 < cut < len(self):
            raise GantheoryError(f"share={share!r} of {len(self)} points leaves a part empty")
        halves = self.rows[order[:cut]], self.rows[order[cut:]]
        first, second = (_made(half.reshape(-1, *self.shape), self.origin) for half in halves)
        return first, second


def points(data: Any) -> DataPoints:
    """Return a user's data as a sampler of its empirical law.

    Args:
        data: numbers of shape (points, ...), as a list, array, tensor or table of numbers; a torch
            Dataset, whose items are samples or begin with one, as ``(sample, label)``; or the path
            of a .npy, .csv (numbers between commas, a header allowed), .parquet or IDX file, whose
            bytes become numbers from 0 to 1.

    Raises:
        GantheoryError: where it is none of these, or holds what is no finite number.
    """
    if isinstance(data, DataPoints):
        return data
    if isinstance(data, str | os.PathLike):
        return _made(_read(Path(data)), str(data))
    if isinstance(data, torch.utils.data.Dataset):
        return _made(_items(data), type(data).__name__)
    return _made(data, type(data).__name__)


def as_sampler(data: Any, what: str = "data") -> Sampler:
    """Return whatever a user calls data as something to draw samples from.

    Raises:
        GantheoryError: where it is nothing of the kind.
    """
    if isinstance(data, str) and not _is_file(Path(data)):
        return Law(as_density(data))
    if isinstance(data, Density):
        return Law(data)
    if isinstance(data, Sampler):
        _check_drawn(data, what)
        return data
    if isinstance(data, torch.utils.data.DataLoader):
        raise GantheoryError(f"{what}: a DataLoader draws minibatches; give its dataset instead")
    kinds = str | os.PathLike | torch.utils.data.Dataset | list | tuple
    if not isinstance(data, kinds) and not hasattr(data, "__array__"):
        raise GantheoryError(f"{what} of type {type(data).__name__} is no data; {WHAT}")
    return points(data)


def check_axes(data: Sampler, made: tuple[int, ...]) -> None:
    """Raise where a generator's samples have the axes of the data in another order."""
    given = getattr(data, "shape", ())
    one, other = (tuple(size for size in shape if size > 1) for shape in (given, made))
    if one != other and sorted(one) == sorted(other):
        raise GantheoryError(
            f"a point of the data has shape {given}, a sample of the generator {made}: the same "
            "axes in another order; permute the data's, as images to (channels, height, width)"
        )


def _check_drawn(sampler: Sampler, what: str) -> None:
    """Raise where a sampler of the user's own gives no tensor of the points it was asked for."""
    if isinstance(sampler, DataPoints | Law):
        return
    if isinstance(sampler, type):
        name = sampler.__name__
        raise GantheoryError(f"{what}: {name} is a class; give one object of it, as {name}()")
    n = check_whole("dim", sampler.dim, 1) + 1  # so that no shape fits by exchanging its axes
    with untouched():  # it may draw from another source than the one it is given
        points = drawn(sampler, n, torch.Generator().manual_seed(0), torch.float64, what)
    check_finite(points, what)


def check_finite(points: Tensor, what: str) -> None:
    """Raise where points that a sampler drew are no numbers."""
    bad = int((~points.isfinite().all(1)).sum())
    if bad:
        raise GantheoryError(f"{what}: {bad} of {len(points)} points drawn hold nan or inf")


def _made(numbers: Any, origin: str) -> DataPoints:
    rows = torch.from_numpy(real_numbers(numbers, origin))
    shape = tuple(rows.shape[1:]) or (1,)
    rows = rows[:, None] if rows.ndim == 1 else rows.flatten(1) if rows.ndim > 2 else rows
    if rows.ndim != 2 or not rows.numel():
        raise GantheoryError(f"data of shape {tuple(rows.shape)}; {WHAT}")
    bad = int((~rows.isfinite().all(1)).sum())
    if bad:
        raise GantheoryError(f"{bad} of {len(rows)} points hold nan or inf; leave them out")
    made = DataPoints(origin, hashlib.sha256(rows.contiguous().numpy().tobytes()).hexdigest())
    made.__dict__.update(rows=rows, shape=shape)
    return made


def _items(data: Any) -> Tensor:
    if isinstance(data, torch.utils.data.IterableDataset) or not hasattr(data, "__len__"):
        raise GantheoryError("an iterable dataset has no length; collect its items into a tensor")
    kind = type(data).__name__
    with untouched():  # items may be augmented at random
        firsts = [_sample_of(data[k], kind) for k in range(len(data))]
    rows = [torch.from_numpy(real_numbers(first, kind)) for first in firsts]
    if len({row.shape for row in rows}) != 1:
        raise GantheoryError(f"{kind}: its items must be numbers of one shape, as images of a size")
    return torch.stack(rows)


def _sample_of(item: Any, kind: str) -> Any:
    """Return the sample in an item of a Dataset: the item, or the first of a tuple's parts."""
    if isinstance(item, Mapping):
        keys = ", ".join(map(repr, item))[:60]
        raise GantheoryError(
            f"{kind}: an item is a mapping ({keys}); let it be the sample, or (sample, label)"
        )
    if not isinstance(item, tuple | list) or not item:
        return item
    rest = [np.ndim(part) for part in item[1:] if hasattr(part, "shape")]
    bare = isinstance(item[0], float | int | np.generic)
    if (bare and len(item) > 1) or (np.ndim(item[0]) == 0 and max(rest, default=0) > 0):
        raise GantheoryError(
            f"{kind}: an item begins with one number where its sample is looked for; return the "
            "sample as one tensor, or (sample, label)"
        )
    return item[0]


ENDINGS = ".npy", ".csv", ".parquet"
IDX = re.compile(r".*[-.]idx\d-ubyte(\.gz)?|.*\.idx(\.gz)?")


def _is_file(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS or IDX.fullmatch(path.name) is not None


def _read(path: Path) -> Any:
    if IDX.fullmatch(path.name):
        return read_idx(path) / 255.0
    try:
        if path.suffix.lower() == ".npy":
            return np.load(path, allow_pickle=False)
        if path.suffix.lower() == ".parquet":
            return _parquet(path)
        if path.suffix.lower() == ".csv":
            with path.open(newline="", encoding="utf-8-sig") as file:
                return _numbers([row for row in csv.reader(file) if row], path)
    except (OSError, ValueError, EOFError) as error:
        if isinstance(error, GantheoryError):
            raise
        raise GantheoryError(f"cannot read {path}: {error}") from None
    raise GantheoryError(f"{path}: unknown kind of file; use .npy, .csv, .parquet or IDX")


def _parquet(path: Path) -> Any:
    require("a Parquet file", "samples", "polars")
    import polars

    try:
        frame = polars.read_parquet(path)
    except polars.exceptions.PolarsError as error:
        raise GantheoryError(f"cannot read {path}: {str(error).splitlines()[0]}") from None
    return frame


def _numbers(table: list[list[str]], path: Path) -> list[list[float]]:
    """Return a table's numbers; a first row without a number is a header."""
    rows = table[1:] if table and not any(_is_number(cell) for cell in table[0]) else table
    if not rows:
        raise GantheoryError(f"{path} holds no points")
    if rows is not table:
        check_header(table[0], len(rows[0]), str(path))
        check_names(table[0], str(path))
    for line, row in enumerate(rows, start=len(table) - len(rows) + 1):
        if len(row) != len(rows[0]) or not all(map(_is_number, row)):
            raise GantheoryError(
                f"{path}, row {line}: {len(rows[0])} numbers expected, found {','.join(row)[:40]!r}"
                f"{'' if len(row) > 1 else '; commas stand between numbers'}"
            )
    return [[float(cell) for cell in row] for row in rows]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
