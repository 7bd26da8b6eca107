"""What an experiment is, and the record that it leaves."""

from __future__ import annotations

import hashlib
import json
import math
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gantheory.errors import GantheoryError
from gantheory.files import write_atomically
from gantheory.records import Estimate, How, Status

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMAT = 2


@dataclass(frozen=True)
class Comparison:
    """Two sides that a claim sets in relation, and how the verdict should know it.

    Attributes:
        id: stable dotted identifier, unique in an experiment's record.
        statement: what is claimed, as plain text.
        left: what was found, with its error.
        relation: ``"="``, ``"<="`` or ``">="``.
        right: the theory, or the bound that is claimed.
        expected: `How.REFUTED` for the false twin of a law.
        twin_of: the id of the law whose twin it is.
        apart: how far off the nearest wrong theory is, where an equality's allowance is to be
            judged by that and not by the size of the right side (see `gantheory.verify.agree`).
        surely: whether the whole interval has to satisfy the bound, and not its nearer end alone.
    """

    id: str
    statement: str
    left: Estimate
    relation: Literal["=", "<=", ">="]
    right: Estimate
    expected: How = How.MEASURED
    twin_of: str | None = None
    apart: float | None = None
    surely: bool = False


@dataclass(frozen=True)
class Combination:
    """One combination of an experiment's choices: subclass it with a field for each choice.

    Its `str` is its label: a record keeps its measurement, and seeds are drawn, under that.

    >>> @dataclass(frozen=True)
    ... class Chosen(Combination):
    ...     loss: str
    ...     packing: int
    >>> str(Chosen("minimax", 2)), Chosen("minimax", 2).joined(", ")
    ('minimax|2', 'minimax, 2')
    """

    def __str__(self) -> str:
        """Return the label."""
        return self.joined("|")

    def joined(self, mark: str) -> str:
        """Return the choices as text with ``mark`` between them."""
        return mark.join(map(str, astuple(self)))


@dataclass(frozen=True)
class Measurement:
    """What one case gave: comparisons to be judged, and numbers to be drawn (plain JSON data).

    ``case`` is the case's label, its `str`.
    """

    case: str
    comparisons: tuple[Comparison, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Setting:
    """What an experiment's result is a function of, besides its code.

    ``data`` is the folder of the user's own data, for an experiment that reads any.
    """

    seed: int = 0
    quick: bool = False
    device: str = "cpu"
    data: str | None = None

    def stream(self, case: str) -> np.random.SeedSequence:
        """Return the source of all randomness of one case."""
        name = hashlib.sha256(f"{self.seed} {case}".encode()).digest()
        return np.random.SeedSequence(int.from_bytes(name))

    def seed_of(self, case: str) -> int:
        """Return a whole number below 2⁵³ that depends on the seed and the case."""
        return int(self.stream(case).generate_state(1, np.uint64)[0] >> np.uint64(11))


@dataclass(frozen=True)
class Experiment:
    """A claim, the cases that decide it, and the function that measures one of them.

    Attributes:
        name: as typed after ``gantheory simulate``.
        title: a short noun phrase.
        claim: the statement put to the test.
        expected: the numbers to expect, one line each.
        minutes: for the full run on one slow core; ``quick_minutes`` with ``--quick``.
        cases: the cases, given whether the run is quick: names, or `Combination` of choices.
        measure: measures one case.
        conclude: comparisons that need all cases together.
        draw: the figure.
        reads_data: whether it reads the folder `Setting.data`.
        source: who states the claim.
    """

    name: str
    title: str
    claim: str
    expected: tuple[str, ...]
    minutes: float
    quick_minutes: float
    cases: Callable[[bool], tuple[Any, ...]]
    measure: Callable[[Any, Setting], Measurement]
    draw: Callable[[Sequence[Measurement]], Figure]
    conclude: Callable[[Sequence[Measurement]], tuple[Comparison, ...]] = lambda measured: ()
    source: str = ""
    reads_data: bool = False

    @property
    def command(self) -> str:
        """Return the command that runs it."""
        return f"gantheory simulate {self.name}"

    def as_dict(self) -> dict[str, Any]:
        """Return what it is, without its functions, as plain JSON data."""
        shown = ("name", "title", "claim", "expected", "minutes", "quick_minutes", "source")
        return {**{key: getattr(self, key) for key in shown}, "command": self.command}

    def run(self, setting: Setting, done: Sequence[Measurement] = ()) -> Iterator[Measurement]:
        """Yield the measurement of every case that ``done`` lacks, as each is finished."""
        finished = {measurement.case for measurement in done}
        for case in self.cases(setting.quick):
            if str(case) not in finished:
                begin = time.perf_counter()
                measurement = self.measure(case, setting)
                yield replace(measurement, seconds=round(time.perf_counter() - begin, 3))


@dataclass(frozen=True)
class Record:
    """The measurements of one experiment under one setting, as kept in a JSON file."""

    experiment: str
    setting: Setting
    measurements: tuple[Measurement, ...] = ()

    def extended(self, measurement: Measurement) -> Record:
        """Return this record with one more measurement."""
        return replace(self, measurements=(*self.measurements, measurement))

    def write(self, path: Path) -> None:
        """Write the record atomically: a reader sees the old file or the new one, never half."""
        data = {"format": FORMAT, "environment": _environment(), **_plain(asdict(self))}
        text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
        write_atomically(path, text, "--out")

    @classmethod
    def read(cls, path: Path) -> Record:
        """Return the record in ``path``.

        Raises:
            GantheoryError: where the file is no record of this format.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data["format"] != FORMAT:
                raise KeyError("format")
            measured = tuple(_measurement(entry) for entry in data["measurements"])
            return cls(data["experiment"], Setting(**data["setting"]), measured)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise GantheoryError(
                f"{path} is no record of an experiment ({type(error).__name__}); "
                "remove it or choose another --out"
            ) from None

    @classmethod
    def resume(cls, path: Path, experiment: str, setting: Setting) -> Record:
        """Return the record to go on from: the one in ``path`` if there is one, else an empty one.

        Raises:
            GantheoryError: where ``path`` holds another experiment or another setting.
        """
        if not path.exists():
            return cls(experiment, setting)
        found = cls.read(path)
        if (found.experiment, found.setting) != (experiment, setting):
            raise GantheoryError(
                f"{path} holds {found.experiment} with {_shown(found.setting)}, not {experiment} "
                f"with {_shown(setting)}; choose another --out"
            )
        return found


def _shown(setting: Setting) -> str:
    quick = "quick, " if setting.quick else ""
    data = f", data of {setting.data}" if setting.data else ""
    return f"{quick}seed {setting.seed} on {setting.device}{data}"


def _environment() -> dict[str, str]:
    import torch

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "machine": platform.machine(),
        "threads": str(torch.get_num_threads()),
    }


def _plain(data: Any) -> Any:
    """Return ``data`` as strict JSON: non-finite numbers become text, read back by `_number`."""
    if isinstance(data, Mapping):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]
    if isinstance(data, np.ndarray | np.generic):
        return _plain(data.tolist())
    if isinstance(data, float) and not math.isfinite(data):
        return str(data)
    return data


def _measurement(data: Mapping[str, Any]) -> Measurement:
    comparisons = tuple(
        Comparison(
            **{
                **entry,
                "left": _estimate(entry["left"]),
                "right": _estimate(entry["right"]),
                "expected": How(entry["expected"]),
            }
        )
        for entry in data["comparisons"]
    )
    return Measurement(data["case"], comparisons, data["numbers"], data["seconds"])


def _estimate(data: Mapping[str, Any]) -> Estimate:
    return Estimate(
        **{
            **data,
            "value": float(data["value"]),
            "error": float(data["error"]),
            "status": Status(data["status"]),
            "warnings": tuple(data["warnings"]),
        }
    )
