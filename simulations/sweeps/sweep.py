"""A sweep: all cells measured, each kept as soon as it is known, in any engine."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gantheory.densities.base import Density
from gantheory.errors import GantheoryError, several
from gantheory.files import as_folder, locked
from gantheory.losses.loss import Loss
from gantheory.records import Status
from simulations.settings import check_progress, check_seeds
from simulations.sweeps.cells import (
    Cell,
    Found,
    Settings,
    Train,
    blocks_of,
    cells_of,
    records_of_block,
    request,
)
from simulations.sweeps.engines import (
    Dask,
    Engine,
    GivenExecutor,
    Submitting,
    check_asked,
    engine_for,
    refuse_impossible,
)
from simulations.sweeps.store import Store, table, write_sweep

if TYPE_CHECKING:
    import polars

TRIES = 3  # of a block: the third is made cell by cell, and names the culprit
PAUSE = 1.0  # seconds between two looks, for a Ctrl-C that another thread received
Progress = Callable[[int, int], None]  # cells done, cells in all


def sweep(
    loss: Loss | str | Iterable[Loss | str],
    p: Density | str | Iterable[Density | str],
    q: Density | str | Iterable[Density | str],
    *,
    seeds: Iterable[int] = (0,),
    out: Path | str,
    workers: int | None = None,
    scheduler: str | None = None,
    executor: Submitting | None = None,
    progress: Progress | None = None,
    train: Train = Settings.train,
    steps: int = Settings.steps,
    batch: int = Settings.batch,
    hidden: Iterable[int] = Settings.hidden,
    activation: str = Settings.activation,
    rate: float = Settings.rate,
    generator_rate: float = Settings.generator_rate,
) -> polars.DataFrame:
    """Train and measure one GAN for every loss, pair of laws and seed; return one row a cell.

    Each cell is kept in ``out`` as soon as it is known, beside ``table.csv`` and ``table.parquet``:
    the same call goes on after any crash, to the same table to the last bit, on one machine.

    Args:
        loss: losses by name, as ``"alpha-gan(alpha=2)"`` or as `Loss`; one or several.
        p: the data; densities on the line.
        q: the fixed law of the fakes, or where the generator starts (``train="both"``).
        seeds, out: of initial values and samples; the folder of the records.
        workers: processes of this machine, by default one a core; 1 measures in this process.
        scheduler, executor: address of a dask scheduler, or what has ``submit``, to measure
            instead; it is given ``workers`` blocks twice over.
        progress: called with the cells done and the cells in all, at the start and after each.
        train, steps, batch, hidden, activation, rate, generator_rate: as `Settings` has them.

    Returns:
        A polars table: loss, p, q, seed; value, optimum, gap, with errors; loc, scale; status.

    Raises:
        GantheoryError: before any work, where a cell or a record cannot be, or ``out`` is taken.
    """
    how = Settings(train, steps, batch, hidden, activation, rate, generator_rate)  # type: ignore[arg-type]
    cells = cells_of(_several(loss), _several(p), _several(q), check_seeds(seeds), how)
    folder = as_folder(out)
    check_progress(progress)
    check_asked(workers, scheduler, executor)
    with locked(folder, "--out"):
        store = Store(folder, how)
        store.clean()
        missing = store.missing(cells)
        table([], [])  # a missing package shows before the work, not after it
        begin = partial(engine_for, workers=workers, scheduler=scheduler, executor=executor)
        known = len(set(cells)) - len(missing)
        lost = _measured(missing, how, begin, store, known, progress) if missing else {}
        rows = [lost.get(cell) or store.read(cell) or _unknown() for cell in cells]
        frame = table(cells, rows)
        write_sweep(frame, folder)
    return frame


def _measured(
    missing: Sequence[Cell], how: Settings, begin: Callable[..., Engine], store: Store, known: int,
    progress: Progress | None,
) -> dict[Cell, Found]:  # fmt: skip
    """Measure cells and keep their records; return what was found of those set aside."""
    lost: dict[Cell, Found] = {}
    where = begin(cells=len(missing))
    if progress is not None:
        progress(known, known + len(missing))
    try:
        blocks = blocks_of(missing, how, most=where.width)
        for done, (cell, found) in enumerate(finished_cells(blocks, how, where), 1):
            if found.pop("kept", True):
                store.keep(cell, found)
            else:
                lost[cell] = found
            if progress is not None:
                progress(known + done, known + len(missing))
    finally:
        where.close()
    return lost


def _several(given: Any) -> list[Any]:
    give = "a name, a record, or several of them"
    return several("loss or density", given, (str, Loss, Density), give)


def _unknown() -> Found:
    return {"status": str(Status.UNDETERMINED), "reason": "its record is gone; sweep again"}


@dataclass(frozen=True)
class _Task:
    """Cells that are measured together, and how often that was tried."""

    cells: Sequence[Cell]
    tries: int = 0


def finished_cells(
    blocks: Iterable[Sequence[Cell]], settings: Settings, where: Engine
) -> Iterator[tuple[Cell, Found]]:
    """Yield every cell with what it measured, as it is known.

    A block that fails is tried again, then cell by cell; a cell that fails alone too is set aside:
    its row says so, and no record is kept of it.
    """
    waiting = deque(_Task(tuple(block)) for block in blocks)
    running: dict[Future[str], _Task] = {}
    while waiting or running:
        trouble = _hand_in(waiting, running, settings, where)
        done = _done(running) if trouble else _first_done(running, where)
        for future in sorted(done, key=_failed):  # what is known is kept before anything is raised
            task = running.pop(future)
            try:
                rows = json.loads(future.result())
            except (Exception, CancelledError) as error:
                if isinstance(where, GivenExecutor) and isinstance(error, BrokenExecutor):
                    raise GantheoryError(
                        "the executor broke; what was measured is kept: give another one, and the "
                        "sweep goes on"
                    ) from None
                again = _again(task)
                waiting.extend(again)
                yield from () if again else _set_aside(task, error)
                continue
            refuse_impossible(len(rows), len(task.cells))
            yield from zip(task.cells, rows, strict=True)
        if trouble:
            raise trouble


def _hand_in(
    waiting: deque[_Task], running: dict[Future[str], _Task], settings: Settings, where: Engine
) -> GantheoryError | None:
    """Fill the engine; return what it says where it takes no more."""
    while waiting and len(running) < where.width:
        task = waiting.popleft()
        try:
            future = where.submit(records_of_block, request(task.cells, settings))
        except GantheoryError as error:
            return error
        running[future] = task
    return None


def _done(running: Iterable[Future[str]]) -> set[Future[str]]:
    return {future for future in running if future.done() and not _failed(future)}


def _first_done(running: Iterable[Future[str]], where: Engine) -> set[Future[str]]:
    """Wait for a block; a pause at a time, in which a missing worker is told of."""
    done: set[Future[str]] = set()
    while not done:
        done, _ = wait(running, timeout=PAUSE, return_when=FIRST_COMPLETED)
        if not done and isinstance(where, Dask):
            where.notice()
    return done


def _failed(future: Future[str]) -> bool:
    return future.cancelled() or future.exception() is not None


def _again(task: _Task) -> list[_Task]:
    tries = task.tries + 1
    if tries >= TRIES:
        return []
    parts = [(cell,) for cell in task.cells] if tries == TRIES - 1 else [task.cells]
    return [_Task(part, tries) for part in parts]


def _set_aside(task: _Task, error: BaseException) -> Iterator[tuple[Cell, Found]]:
    reason = f"set aside after {TRIES} tries: {str(error) or type(error).__name__}"
    for cell in task.cells:
        yield cell, {"status": str(Status.UNDETERMINED), "reason": reason, "kept": False}
