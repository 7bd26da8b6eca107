"""Where blocks are measured: here, in processes of this machine, or in whatever has ``submit``."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from gantheory.errors import GantheoryError, InternalError, MissingExtraError, shown
from simulations.settings import check_whole

Function = Callable[[str], str]


class WorkerLost(RuntimeError):
    """A worker's process ended before it answered: killed, out of memory, or crashed."""


class Submitting(Protocol):
    """Anything in the shape of `concurrent.futures.Executor`."""

    def submit(self, function: Function, text: str, /) -> Future[str]:
        """Start ``function(text)`` and return its future."""


class Here:
    """Measures in this very process, one block at a time."""

    width = 1

    def submit(self, function: Function, text: str) -> Future[str]:
        """Do the work now."""
        future: Future[str] = Future()
        try:
            future.set_result(function(text))
        except Exception as error:
            future.set_exception(error)
        return future

    def close(self) -> None:
        """Nothing is open."""


class Workers:
    """Processes of this machine, each with its own pipe: one that dies loses its own block only.

    A thread waits for each process. A worker ends by itself when the pipe closes, so none is left
    behind by a killed parent.
    """

    def __init__(self, count: int) -> None:
        self.width = count
        self.threads = ThreadPoolExecutor(count, "sweep")
        self.mine = threading.local()
        self.children: set[subprocess.Popen[str]] = set()
        self.closed = False

    def submit(self, function: Function, text: str) -> Future[str]:
        """Have the next free worker do the work."""
        return self.threads.submit(self._ask, f"{function.__module__}:{function.__name__}", text)

    def _ask(self, function: str, text: str) -> str:
        child = getattr(self.mine, "child", None)
        if child is None or child.poll() is not None:
            child = self.mine.child = self._start()
        assert child.stdin is not None
        assert child.stdout is not None
        line = ""
        with suppress(OSError, ValueError):  # its end of the pipe is gone
            child.stdin.write(json.dumps([function, text]) + "\n")
            child.stdin.flush()
            line = child.stdout.readline()
        if not line.endswith("\n"):
            self._end(child)
            raise WorkerLost(f"its process ended with status {child.returncode}")
        kind, content = json.loads(line)
        if kind == "failed":
            raise RuntimeError(content)
        return str(content)

    def _start(self) -> subprocess.Popen[str]:
        root = str(Path(__file__).parents[2])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "simulations.sweeps.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        self.children.add(child)
        if self.closed:  # meanwhile, and maybe without this one
            child.kill()
        return child

    def _end(self, child: subprocess.Popen[str]) -> None:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self.children.discard(child)

    def close(self) -> None:
        """End all workers at once, those too that are just being started."""
        self.closed = True
        self.threads.shutdown(wait=False, cancel_futures=True)
        for child in list(self.children):
            child.kill()
        self.threads.shutdown(wait=True)
        for child in list(self.children):
            self._end(child)


class GivenExecutor:
    """Someone else's executor: it is used, and left open."""

    def __init__(self, executor: Submitting, width: int) -> None:
        self.executor, self.width = executor, width

    def submit(self, function: Function, text: str) -> Future[str]:
        """Hand the work on."""
        future = self.executor.submit(function, text)
        if not isinstance(future, Future):
            raise GantheoryError(
                f"executor of type {type(self.executor).__name__}: its submit gave "
                f"{shown(future)}, not a concurrent.futures.Future"
            )
        return future

    def close(self) -> None:
        """Leave it to its owner."""


class Dask:
    """The workers of a dask scheduler, wherever they are; needs the extra ``dask``.

    A block whose worker dies is run again by dask itself. A scheduler that dies takes all blocks
    with it: then one of the same address is waited for, and what was lost is handed in again.
    Until this is closed, distributed logs nothing below `logging.CRITICAL` in this process: it
    would print tracebacks of a dead scheduler, for which there is one line here.
    """

    patience = 60.0  # seconds to wait for a scheduler
    loggers = "distributed", "distributed.client"  # all that distributed gives a level, but gc's

    def __init__(self, address: str) -> None:
        self.address = address
        self.client: Any = None
        self.levels: dict[str, int] = {}
        self.noticed = False
        self._connect("no dask scheduler answers at {}; start one")

    def _connect(self, trouble: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise MissingExtraError("--scheduler", "dask") from None
        self._silence()  # after the import, which sets the levels
        try:
            self.client = Client(
                self.address, timeout=self.patience, set_as_default=False, name="gantheory"
            )
        except (OSError, ValueError) as error:
            self.close()
            where = f"{self.address!r} ({type(error).__name__})"
            raise GantheoryError(
                f"{trouble.format(where)} by `dask scheduler` and workers by `dask worker ADDRESS`"
            ) from None

    def _silence(self) -> None:
        for name in self.loggers:
            logger = logging.getLogger(name)
            self.levels.setdefault(name, logger.level)
            logger.setLevel(logging.CRITICAL)

    @property
    def width(self) -> int:
        """Return how many blocks to hand in at once: two for each thread of the workers."""
        threads = 0
        if self._alive:
            with suppress(OSError):  # its scheduler dies just now
                threads = sum(self.client.nthreads().values())
        return max(4, 2 * threads)

    def notice(self) -> None:
        """Say in one line, on standard error and once, that a sweep waits for a first worker."""
        threads = 1
        if self._alive:
            with suppress(OSError):
                threads = sum(self.client.nthreads().values())
        if not threads and not self.noticed:
            print(
                f"the dask scheduler at {self.address!r} has no worker: the sweep waits until one "
                f"is started by `dask worker {self.address}`",
                file=sys.stderr, flush=True,
            )  # fmt: skip
        self.noticed = not threads

    @property
    def _alive(self) -> bool:
        return self.client is not None and self.client.status == "running"

    def submit(self, function: Function, text: str) -> Future[str]:
        """Hand the work to the scheduler, or to the next one where it dies just now."""
        with suppress(OSError):
            if self._alive:
                return self._handed(function, text)
        self._disconnect()
        self._connect(
            "the dask scheduler ended, and none answers at {}; what was measured is kept, and the "
            "same sweep goes on: start one"
        )
        return self._handed(function, text)

    def _handed(self, function: Function, text: str) -> Future[str]:
        executor: Executor = self.client.get_executor(pure=False, retries=2)
        return executor.submit(function, text)

    def _disconnect(self) -> None:
        if self.client is not None:
            with suppress(Exception):  # a dead scheduler cannot be told
                self.client.close(timeout=2)
            self.client = None

    def close(self) -> None:
        """Close the connection; the scheduler stays."""
        self._disconnect()
        for name, level in self.levels.items():
            logging.getLogger(name).setLevel(level)
        self.levels.clear()


Engine = Here | Workers | GivenExecutor | Dask


def check_asked(workers: int | None, scheduler: str | None, executor: Submitting | None) -> None:
    """Raise where nothing could measure as it is asked for."""
    if scheduler is not None and executor is not None:
        raise GantheoryError("scheduler or executor: give one of them")
    if workers is not None:
        check_whole("workers", workers, 1)
    if scheduler is not None and not (isinstance(scheduler, str) and scheduler):
        raise GantheoryError(f"scheduler={shown(scheduler)} is no address, as 'tcp://host:8786'")
    if executor is not None and (isinstance(executor, type) or not hasattr(executor, "submit")):
        what = executor.__name__ if isinstance(executor, type) else type(executor).__name__
        kind = "class" if isinstance(executor, type) else "type"
        raise GantheoryError(f"executor of {kind} {what} has no submit(function, argument)")


def engine_for(
    *, workers: int | None, scheduler: str | None, executor: Submitting | None, cells: int
) -> Engine:
    """Return where to measure: by default a process for each core, or here if one cell is left."""
    count = workers if workers is not None else (os.cpu_count() or 1)
    if scheduler is not None:
        return Dask(scheduler)
    if executor is not None:
        return GivenExecutor(executor, 2 * count)
    count = min(count, cells)
    return Workers(count) if count > 1 else Here()


def refuse_impossible(answers: int, asked: int) -> None:
    """Raise where an engine gave back another number of answers than cells."""
    if answers != asked:
        raise InternalError(f"an engine answered {answers} of {asked} cells")
