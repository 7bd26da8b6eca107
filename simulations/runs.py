"""Runs that survive: a record of what was trained and measured, and checkpoints to go on from.

A checkpoint is one safetensors file: the state's tensors, and the record as JSON in its header.
It replaces the one before in a single atomic step, so a run that is killed at any instant goes on
from the last one, and ends bitwise where it would have ended.
"""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from gantheory.dynamics.rules import Rule as Moves
from gantheory.errors import GantheoryError, MissingExtraError, shown
from gantheory.files import as_folder, locked, write_atomically
from gantheory.losses.critic import Critic
from gantheory.losses.loss import Loss
from gantheory.records import Estimate, Status
from simulations.ensembles import Member, Recipe, State, check_members, initial_state
from simulations.settings import check_chunks, check_progress
from simulations.streams import CHUNK
from simulations.threads import one_thread
from simulations.train import Path as EnginePath
from simulations.train import Progress, train

FORMAT = 2
CHECKPOINT, RECORD = "checkpoint.safetensors", "run.json"
HEADER = "gantheory"  # the key of the checkpoint's metadata
Measure = Callable[[State], Mapping[str, Any]]


@dataclass(frozen=True)
class Run:
    """What was trained, from which seeds, and what was measured on the way.

    Attributes:
        recipe, members: what the result is a function of, as plain data.
        step: how many steps have been made.
        measurements: one mapping a measured step: ``step``, and each quantity by name; an
            `Estimate` is kept with its error and status.
        statuses: one mapping a member: its ``status``, ok or undetermined, and the ``reason``.
        path: which engine trained it.
        environment: versions and threads; other versions may round otherwise.
    """

    recipe: Mapping[str, Any]
    members: tuple[Mapping[str, Any], ...]
    step: int = 0
    measurements: tuple[Mapping[str, Any], ...] = ()
    statuses: tuple[Mapping[str, str], ...] = ()
    path: str = "auto"
    environment: Mapping[str, str] | None = None

    @classmethod
    def of(cls, members: Sequence[Member], recipe: Recipe, path: EnginePath = "auto") -> Run:
        """Return the record of a run that has not begun."""
        described = tuple(as_plain(member) for member in members)
        statuses = tuple({"status": str(Status.OK)} for _ in members)
        plan, where = as_plain(recipe), _environment()
        return cls(plan, described, statuses=statuses, path=path, environment=where)

    def to_json(self) -> str:
        """Return the record as JSON text."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Run:
        """Return the record in ``text``.

        Raises:
            GantheoryError: where it is none of this format.
        """
        try:
            data = json.loads(text)
            if data.pop("format") != FORMAT:
                raise KeyError("format")
            lists = {name: tuple(data[name]) for name in ("members", "measurements", "statuses")}
            return cls(**{**data, **lists})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise GantheoryError(
                f"not the record of a run ({type(error).__name__}: {str(error)[:40]}); "
                "remove it, or choose another folder"
            ) from None

    def seen(self, state: State, measured: Mapping[str, Any]) -> Run:
        """Return the record with what was measured at ``state``, and who left the numbers."""
        lost = {
            "status": str(Status.UNDETERMINED),
            "reason": f"its parameters were not all finite after step {state.step}; lower its rate",
        }
        pairs = zip(self.statuses, state.finite.tolist(), strict=True)
        statuses = tuple(
            lost if status["status"] == Status.OK and not finite else status
            for status, finite in pairs
        )
        kept = (*self.measurements, {"step": state.step, **_plain(measured)}) if measured else ()
        return replace(self, step=state.step, measurements=kept, statuses=statuses)

    def write(self, folder: Path | str) -> None:
        """Write ``run.json`` in ``folder``, atomically."""
        write_atomically(Path(folder) / RECORD, self.to_json())


@one_thread()  # measuring too: the sums of a run that goes on round alike
def train_run(
    folder: Path | str,
    members: Sequence[Member],
    recipe: Recipe,
    *,
    measure: Measure | None = None,
    every: int = 10 * CHUNK,
    progress: Progress | None = None,
    path: EnginePath = "auto",
    tensorboard: Path | str | None = None,
) -> Run:
    """Train in ``folder``, going on from its checkpoint where there is one; return the record.

    Args:
        folder: where the checkpoint and ``run.json`` live; made where missing.
        members, recipe, progress, path: see `train.train`.
        measure: called with the state after every ``every`` steps and at the end; what it returns
            is part of the record. It must be a function of the state, and leave it alone: a run
            goes on only where it gives what the record holds of the checkpoint's state.
        every: steps between checkpoints, a multiple of 64.
        tensorboard: a folder for event files of the numbers measured.

    Raises:
        GantheoryError: where the folder cannot be written, is at work, or holds another run.
    """
    check_chunks("every", every)
    check_progress(progress)
    folder = as_folder(folder, "folder")
    board = _board(tensorboard) if tensorboard else None
    if measure is not None and not callable(measure):
        raise GantheoryError(f"measure={shown(measure)} must be a function of the state")
    check_members(members, recipe)
    Run.of(members, recipe, path)  # what cannot be recorded is refused before anything is written
    with locked(folder):
        run, begin = resume(folder, members, recipe, path)
        _check_measure(run, begin, measure, finished=run.step == recipe.steps)
        if run.step == 0 and not (folder / CHECKPOINT).exists():
            save_checkpoint(folder, run, begin)
        for state in train(members, recipe, state=begin, progress=progress, path=path):
            if state.step % every and state.step < recipe.steps:
                continue
            run = run.seen(state, measure(state) if measure else {})
            save_checkpoint(folder, run, state)
            if board is not None and run.measurements:
                _log(board, run.measurements[-1])
        run.write(folder)
    return run


def _check_measure(run: Run, state: State, measure: Measure | None, *, finished: bool) -> None:
    """Raise where ``measure`` does not give what ``run`` holds of this very state."""
    if run.step == 0 or (finished and measure is None):
        return
    kept = run.measurements[-1] if run.measurements else {}
    now = {"step": state.step, **_plain(measure(state))} if measure else {}
    if not _same(kept, now):
        raise GantheoryError(
            "the run was measured otherwise before: at its checkpoint this `measure` does not give "
            "what the record holds; give the same function of the state, or another folder"
        )


def _same(first: Any, second: Any) -> bool:
    """Return whether two pieces of plain data are equal, numbers up to rounding."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return first.keys() == second.keys() and all(_same(first[k], second[k]) for k in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_same, first, second))
    if isinstance(first, float) and isinstance(second, int | float):
        return math.isclose(first, second, rel_tol=1e-6, abs_tol=1e-9)
    return bool(first == second)


def resume(
    folder: Path | str, members: Sequence[Member], recipe: Recipe, path: EnginePath = "auto"
) -> tuple[Run, State]:
    """Return the record and state to go on from: the checkpoint's, else those of a new run.

    Raises:
        GantheoryError: where the checkpoint belongs to other members or another recipe.
    """
    fresh = Run.of(members, recipe, path)
    state = initial_state(members, recipe)
    place = Path(folder) / CHECKPOINT
    if not place.exists():
        return fresh, state
    found, state = load_checkpoint(folder)
    differing = [name for name in fresh.recipe if found.recipe.get(name) != fresh.recipe[name]]
    if differing or found.members != fresh.members or found.path != path:
        what = f"recipe.{differing[0]}" if differing else "members or path"
        raise GantheoryError(
            f"{place} belongs to another run: {what} differ(s); choose another folder"
        )
    for rows in (state.parameters, *state.memory.values()):
        rows.update({name: tensor.to(recipe.device) for name, tensor in rows.items()})
    return found, state


def save_checkpoint(folder: Path | str, run: Run, state: State) -> None:
    """Replace the checkpoint in ``folder`` atomically: a reader sees the old or the new one."""
    tensors = {f"parameters/{name}": rows for name, rows in state.parameters.items()}
    for player, memory in state.memory.items():
        tensors |= {f"memory/{player}/{name}": rows for name, rows in memory.items()}
    counts = {"step": state.step, "updates": state.updates}
    # One key: the order of several is not the same in every process, and so neither the bytes.
    header = json.dumps({"run": run.to_json(), "counts": counts})
    content = save(
        {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
        metadata={HEADER: header},
    )
    write_atomically(Path(folder) / CHECKPOINT, content)


def load_checkpoint(folder: Path | str) -> tuple[Run, State]:
    """Return the record and the state of the checkpoint in ``folder``, on the CPU.

    Raises:
        GantheoryError: where there is none, or it is damaged.
    """
    place = Path(folder) / CHECKPOINT
    try:
        with safe_open(place, framework="pt") as file:
            header = json.loads((file.metadata() or {})[HEADER])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return Run.from_json(header["run"]), _state(header["counts"], tensors)
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        if isinstance(error, GantheoryError):
            raise
        raise GantheoryError(
            f"{place} is no checkpoint ({type(error).__name__}); remove it or choose another folder"
        ) from None


def _state(counts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> State:
    parameters: dict[str, Tensor] = {}
    memory: dict[str, dict[str, Tensor]] = {player: {} for player in counts["updates"]}
    for key, tensor in tensors.items():
        match key.split("/"):
            case ["parameters", player]:
                parameters[player] = tensor
            case ["memory", player, name]:
                memory[player][name] = tensor
    return State(counts["step"], parameters, memory, dict(counts["updates"]))


def as_plain(value: Any) -> Any:
    """Return a configuration as plain data: dataclasses by their fields, laws as their text.

    >>> from simulations.networks import Affine
    >>> as_plain(Affine())
    {'type': 'Affine', 'loc': 0.0, 'scale': 1.0, 'dim': 1, 'train': 'both'}
    """
    from gantheory.densities.base import Density

    if isinstance(value, Density):
        return str(value)
    if isinstance(value, Moves):
        options = value.options.items()
        plain = {k: v if isinstance(v, int | float | str) else str(v) for k, v in options}
        return {"type": "Rule", "name": value.name, **plain}
    if isinstance(value, Loss | Critic):
        shown = value.as_dict()
        return {name: as_plain(shown[name]) for name in shown if name != "title"}
    if is_dataclass(value) and not isinstance(value, type):
        content = {field.name: as_plain(getattr(value, field.name)) for field in fields(value)}
        return {"type": type(value).__name__, **content}
    if isinstance(value, Mapping):
        return {str(key): as_plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(entry) for entry in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, torch.dtype):
        return str(value)
    raise GantheoryError(
        f"{type(value).__name__} cannot be recorded; make it a dataclass of plain values"
    )


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return measurements as strict JSON data; non-finite numbers become text."""
    if not isinstance(data, Mapping):
        raise GantheoryError(f"measure gave {shown(data)}; a mapping of names to numbers is wanted")
    return {name: _number(value) for name, value in data.items()}


def _number(value: Any) -> Any:
    if isinstance(value, Estimate):
        return _plain(asdict(value))
    if isinstance(value, Tensor) or hasattr(value, "tolist"):
        return _number(value.tolist())
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, list | tuple):
        return [_number(entry) for entry in value]
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise GantheoryError(f"measure gave {shown(value)}, which is no number to record")


def _environment() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "machine": platform.machine(),
    }


def _board(folder: Path | str) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MissingExtraError("TensorBoard output", "tensorboard") from None
    return SummaryWriter(str(folder))


def _log(board: Any, measured: Mapping[str, Any]) -> None:
    """Write every number measured at a step; a list becomes one curve a member."""
    for tag, value in _scalars("", measured):
        board.add_scalar(tag, value, measured["step"])
    board.flush()


def log_measurements(folder: Path | str, measured: Iterable[Any]) -> None:
    """Write an experiment's measurements as TensorBoard event files.

    A list as long as the case's ``step`` becomes one curve a member, a number one point.
    """
    board = _board(folder)
    for measurement in measured:
        numbers = _plain(measurement.numbers)
        steps = numbers.get("step", [])
        for name, value in numbers.items():
            along = isinstance(value, list) and len(value) == len(steps) and name != "step"
            points = zip(steps, value, strict=True) if along else [(0, value)]
            for step, point in points if along or isinstance(value, int | float) else ():
                for tag, number in _scalars(f"{measurement.case}/{name}", point):
                    board.add_scalar(tag, number, step)
    board.close()


def _scalars(tag: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, bool | int | float):
        yield tag, float(value)
    elif isinstance(value, Mapping):
        keys = ["value"] if "value" in value and "error" in value else value
        for key in keys:
            if key != "step":
                yield from _scalars(f"{tag}/{key}".strip("/"), value[key])
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _scalars(f"{tag}/{index}", entry)
