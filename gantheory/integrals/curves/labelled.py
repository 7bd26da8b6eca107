"""Curves with their labels: columns of numbers, a plot, and tables for other libraries."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gantheory.densities.base import Array
from gantheory.errors import GantheoryError, MissingExtraError
from gantheory.files import replacing

if TYPE_CHECKING:
    import polars
    from matplotlib.axes import Axes

SHOWN = 11  # rows of a table in a notebook
DASHES = ("-", "--", ":", "-.")
GRADIENT, ERROR = "_gradient", "_error"


@dataclass(frozen=True, repr=False)
class Curves:
    """Divergences and their derivatives in d along a family.

    ``curves["jsd"]`` is an array over ``curves["d"]``; beside each ``NAME`` there are
    ``NAME_error``, ``NAME_gradient`` and ``NAME_gradient_error``.

    Attributes:
        numbers: every column by its name, all of one length.
        axis: what d measures.
        title: the family.

    >>> from gantheory.integrals.curves.along import curve
    >>> curve(["tv"], values=[1.0]).columns
    ['d', 'tv', 'tv_error', 'tv_gradient', 'tv_gradient_error']
    """

    numbers: Mapping[str, Array]
    axis: str = "d"
    title: str = ""

    def __getitem__(self, name: str) -> Array:
        """Return one column."""
        if name not in self.numbers:
            raise GantheoryError(f"no column {name!r}; there are {', '.join(self.numbers)}")
        return self.numbers[name]

    def __len__(self) -> int:
        return len(self.numbers["d"])

    @property
    def columns(self) -> list[str]:
        """The names of all columns, ``d`` first."""
        return list(self.numbers)

    @property
    def names(self) -> list[str]:
        """The names of what is shown along d."""
        return [name for name in self.numbers if f"{name}{GRADIENT}" in self.numbers]

    def plot(self, ax: Axes | None = None, *, gradient: bool = False) -> Axes:
        """Draw every curve, or its derivative in d, and return the axes that hold them.

        Args:
            ax: matplotlib axes to draw in; by default those of a new figure, which a notebook
                shows below its cell.
            gradient: draw the derivatives instead of the values.
        """
        if ax is None:
            try:
                from matplotlib import pyplot
            except ImportError:
                raise MissingExtraError("a plot", "plots") from None
            _, ax = pyplot.subplots(figsize=(7.2, 4.2), layout="constrained")
        for name, dashes in zip(self.names, cycle(DASHES), strict=False):
            ax.plot(self["d"], self[f"{name}{GRADIENT if gradient else ''}"], dashes, label=name)
        ax.set(xlabel=self.axis, title=self.title,
               ylabel="derivative in d (nats per unit)" if gradient else "nats")  # fmt: skip
        ax.legend(frameon=False)
        return ax

    def to_polars(self) -> polars.DataFrame:
        """Return the columns as a polars table."""
        try:
            import polars
        except ImportError:
            raise MissingExtraError("a table of polars", "plots") from None
        return polars.DataFrame(dict(self.numbers))

    def to_pandas(self) -> Any:
        """Return the columns as a pandas table."""
        try:
            import pandas
        except ImportError:
            raise GantheoryError("a table of pandas needs pandas: pip install pandas") from None
        return pandas.DataFrame(dict(self.numbers))

    def to_csv(self, path: Path | str) -> Path:
        """Write the columns as CSV, whole or not at all; numbers keep all of their digits."""
        path = Path(path)
        with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.columns)
            writer.writerows(zip(*(map(float, c) for c in self.numbers.values()), strict=True))
        return path

    def __repr__(self) -> str:
        d = self["d"]
        return f"Curves(d = {d[0]:g} to {d[-1]:g}, {len(d)} points: {', '.join(self.names)})"

    def _repr_html_(self) -> str:
        parts = [part for name in self.names for part in (name, f"{name}{GRADIENT}")]
        rows = np.unique(np.linspace(0, len(self) - 1, SHOWN).round().astype(int))
        head = "".join(f"<th>{escape(part.replace(GRADIENT, ' slope'))}</th>" for part in parts)
        body = "".join(
            f"<tr><th>{self['d'][k]:g}</th>"
            + "".join(f"<td>{self[part][k]:.6g}</td>" for part in parts)
            + "</tr>"
            for k in rows
        )
        caption = f"<caption>{escape(self.title)}</caption>"
        return f"<table>{caption}<thead><tr><th>d</th>{head}</tr></thead>{body}</table>"
