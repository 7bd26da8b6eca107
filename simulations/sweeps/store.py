"""One record a cell, written atomically and named by a hash of all that decides the cell.

A cell without a record is to do: so a sweep survives any crash of anything. Records of several
sweeps may share a folder; each sweep finds its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gantheory.errors import GantheoryError, MissingExtraError
from gantheory.files import PARTIAL, write_atomically
from gantheory.records import Status

if TYPE_CHECKING:
    import polars

    from simulations.sweeps.cells import Cell, Found, Settings

FORMAT = 1
CELLS = "cells"
NUMBERS = ("value", "value_error", "optimum", "optimum_error", "gap", "gap_error", "loc", "scale")


class Store:
    """The records in one folder. Only one process writes; `gantheory.files.locked` sees to it."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder, self.settings = folder, settings

    def place(self, cell: Cell) -> Path:
        """Return where a cell's record is; 256 folders keep each small."""
        key = cell.key(self.settings)
        return self.folder / CELLS / key[:2] / f"{key}.json"

    def clean(self) -> None:
        """Remove what a killed process left half-written."""
        for left in (self.folder / CELLS).glob(f"*/.*{PARTIAL}*"):
            left.unlink(missing_ok=True)

    def missing(self, cells: Iterable[Cell]) -> list[Cell]:
        """Return the cells without a record, each once."""
        held = {path.name for path in (self.folder / CELLS).glob("*/*.json")}
        return [cell for cell in dict.fromkeys(cells) if self.place(cell).name not in held]

    def keep(self, cell: Cell, found: Found) -> None:
        """Write a cell's record."""
        record = {"format": FORMAT, "cell": cell.names(), "found": found}
        text = json.dumps(record, ensure_ascii=False, allow_nan=False)
        write_atomically(self.place(cell), text, "--out")

    def read(self, cell: Cell) -> Found | None:
        """Return what a cell's record holds, or None where there is none.

        Raises:
            GantheoryError: where the file is truncated, damaged or of another kind.
        """
        path = self.place(cell)
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if record["format"] != FORMAT or record["cell"]["seed"] != cell.seed:
                raise ValueError("format")
            return dict(record["found"]) | {"status": Status(record["found"]["status"]).value}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise GantheoryError(
                f"{path} is no record of a cell ({type(error).__name__}); remove it, and the cell "
                "is measured again"
            ) from None


def table(cells: Sequence[Cell], found: Sequence[Found]) -> polars.DataFrame:
    """Return one row a cell: what it is, its numbers, null where unknown, status and reason."""
    try:
        import polars
    except ImportError:
        raise MissingExtraError("a table of cells", "samples") from None
    schema: dict[str, Any] = {"loss": polars.String, "p": polars.String, "q": polars.String}
    schema |= {"seed": polars.UInt64} | dict.fromkeys(NUMBERS, polars.Float64)
    schema |= {"status": polars.String, "reason": polars.String}
    rows = [cell.names() | held for cell, held in zip(cells, found, strict=True)]
    columns = {name: [row.get(name) for row in rows] for name in schema}
    return polars.DataFrame(columns, schema=schema)


def write_sweep(frame: polars.DataFrame, folder: Path) -> None:
    """Write ``table.csv`` and ``table.parquet``, each whole or not at all."""
    for name, write in (("csv", frame.write_csv), ("parquet", frame.write_parquet)):
        content = BytesIO()  # a full disk is ours to tell, not polars'
        write(content)
        write_atomically(folder / f"table.{name}", content.getvalue(), "--out")
