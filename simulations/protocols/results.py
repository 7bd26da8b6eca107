"""What was published of a toy, and what we measured of it, as data beside each other."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from gantheory.records import Estimate
from gantheory.shown import Overview, Shown
from simulations.compare import across_seeds

QUANTITIES = {  # name -> how it is told, and its format
    "modes": ("modes", ".4g"),
    "quality": ("high quality", ".1%"),
    "reverse_kl": ("reverse KL", ".2g"),
    "kl": ("KL", ".3g"),
    "w1": ("W1", ".3g"),
    "w1_of_data": ("W1 of two data sets", ".3g"),
    "distance": ("distance", ".2g"),
    "factor": ("factor a step", ".5f"),
}
KEYS = {"protocol", "arxiv", "place", "method", "trials", "spread", "read", "said"}
READ = {"copy": "read in a copy", "memory": "not confirmed in a copy"}


@dataclass(frozen=True, repr=False)
class Published(Shown):
    """One printed row.

    Attributes:
        protocol: the toy's name here.
        arxiv, place, method: the paper, where in it, and what is called so there.
        numbers: quantity -> (value, spread), the spread None where none is printed.
        trials, spread: how many runs were averaged, and what the spreads are, as printed.
        read: ``"copy"`` or, where no copy was found to check it, ``"memory"``.
        said: what is printed in words in place of numbers.
    """

    protocol: str
    arxiv: str
    place: str
    method: str
    numbers: Mapping[str, tuple[float, float | None]]
    trials: int | None = None
    spread: str | None = None
    read: str = "memory"
    said: str = ""

    def overview(self) -> Overview:
        """Return who printed it, and the row."""
        return self.row().overview()

    def row(self) -> TableRow:
        """Return the row of a table, in words."""
        return _published_row(self)

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain data."""
        return {**self.__dict__, "numbers": {k: list(v) for k, v in self.numbers.items()}}


@dataclass(frozen=True, repr=False)
class ProtocolOutcome(Shown):
    """What we measured of a toy.

    Attributes:
        protocol: its name.
        steps, published_steps: how many were made, and how many the protocol has.
        seeds: of the members.
        numbers: quantity -> one number a seed; nan where a member left the numbers.
        machine: where it was trained.
        note: what else to know of this run.
    """

    protocol: str
    steps: int
    published_steps: int
    seeds: tuple[int, ...]
    numbers: Mapping[str, tuple[float, ...]]
    machine: str = ""
    note: str = ""

    def overview(self) -> Overview:
        """Return how long the run was, and what was measured."""
        return self.row().overview()

    def row(self) -> TableRow:
        """Return the row of a table, in words."""
        return _outcome_row(self)

    @property
    def whole(self) -> bool:
        """Return whether all steps of the protocol were made."""
        return self.steps >= self.published_steps

    @property
    def label(self) -> str:
        """Return how long the run was, a shortened one never as the protocol's."""
        if self.whole:
            return f"whole, {self.steps} steps"
        return f"SHORTENED to {self.steps} of {self.published_steps} steps: not the protocol"

    def mean(self, quantity: str) -> tuple[float, float]:
        """Return the mean over seeds and its standard error, nan from a single seed."""
        values = self.numbers[quantity]
        n = len(values)
        mean = math.fsum(values) / n
        if n == 1:
            return mean, math.nan
        return mean, math.sqrt(math.fsum((x - mean) ** 2 for x in values) / (n - 1) / n)

    def median(self, quantity: str) -> Estimate:
        """Return the interval from the least to the largest seed, which holds the median.

        It misses with probability 2^(1-n) for n seeds, whatever the law of a seed's result.
        """
        import numpy as np

        values = np.array(self.numbers[quantity])
        return across_seeds(values, 2.0 ** (1 - len(values)))

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as plain data; numbers that are none become null."""
        numbers = {
            name: [x if math.isfinite(x) else None for x in values]
            for name, values in self.numbers.items()
        }
        return {**self.__dict__, "seeds": list(self.seeds), "numbers": numbers}


@dataclass(frozen=True, repr=False)
class TableRow(Shown):
    """A row of the table of a toy: published or ours, in words."""

    who: str
    numbers: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""

    def overview(self) -> Overview:
        """Return who it is of, its numbers and the remark."""
        numbers = ((QUANTITIES[name][0], text) for name, text in self.numbers.items())
        return Overview(self.who, (*numbers, ("remark", self.remark)))


def table_rows(rows: Sequence[Published], outcomes: Sequence[ProtocolOutcome]) -> list[TableRow]:
    """Return the rows of a toy's table: what was published, then what we measured."""
    return [*(one.row() for one in rows), *(one.row() for one in outcomes)]


def _published_row(row: Published) -> TableRow:
    numbers = {}
    for name, (value, spread) in row.numbers.items():
        shown = QUANTITIES[name][1]
        more = "" if spread is None else f" ± {spread:{shown}}"
        numbers[name] = f"{value:{shown}}{more}"
    trials = f"mean of {row.trials}" if row.trials else ""
    around = f", ± {row.spread}" if row.spread else ""
    remarks = [trials + around, row.said, READ["memory"] if row.read == "memory" else ""]
    remark = "; ".join(filter(None, remarks))
    return TableRow(f"{row.method}; arXiv:{row.arxiv}, {row.place}", numbers, remark)


def _outcome_row(outcome: ProtocolOutcome) -> TableRow:
    numbers = {}
    for name, values in outcome.numbers.items():
        shown = QUANTITIES[name][1]
        finite = [x for x in values if math.isfinite(x)]
        if len(finite) < len(values):
            numbers[name] = f"{len(values) - len(finite)} of {len(values)} seeds: no number"
            continue
        mean, error = outcome.mean(name)
        if len(values) == 1 or min(values) == max(values):
            numbers[name] = f"{mean:{shown}}"
        else:
            ends = f"{min(values):{shown}} to {max(values):{shown}}"
            numbers[name] = f"{mean:{shown}} ± {error:{shown}} ({ends})"
    seeds = f"{len(outcome.seeds)} seeds" if len(outcome.seeds) > 1 else "1 seed"
    remarks = [outcome.label, seeds, outcome.machine, outcome.note]
    return TableRow("gantheory", numbers, "; ".join(filter(None, remarks)))


def published_of(protocol: str) -> tuple[Published, ...]:
    """Return what was published of a toy, row by row."""
    return tuple(row for row in _published() if row.protocol == protocol)


def outcomes_of(protocol: str) -> tuple[ProtocolOutcome, ...]:
    """Return our measurements of a toy that come with the package."""
    return tuple(found for found in _measured() if found.protocol == protocol)


@cache
def _published() -> tuple[Published, ...]:
    text = files("simulations.protocols").joinpath("published.toml").read_text(encoding="utf-8")
    return tuple(_row(entry) for entry in tomllib.loads(text)["row"])


def _row(entry: dict[str, Any]) -> Published:
    numbers = {
        name: (values[0], values[1] if len(values) > 1 else None)
        for name, values in entry.items()
        if name not in KEYS
    }
    return Published(numbers=numbers, **{k: v for k, v in entry.items() if k in KEYS})


@cache
def _measured() -> tuple[ProtocolOutcome, ...]:
    text = files("simulations.protocols").joinpath("measured.json").read_text(encoding="utf-8")
    return tuple(map(outcome_from, json.loads(text)))


def outcome_from(plain: Mapping[str, Any]) -> ProtocolOutcome:
    """Return an outcome from its plain data."""
    numbers = {
        name: tuple(math.nan if x is None else float(x) for x in values)
        for name, values in plain["numbers"].items()
    }
    return ProtocolOutcome(**{**plain, "seeds": tuple(plain["seeds"]), "numbers": numbers})
