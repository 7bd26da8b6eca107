"""Sweeps whose workers, scheduler or own process are killed, against the same sweep left alone.

Each gets SIGKILL when a random number of cells is kept; what is gone is started again, and the two
tables are compared byte for byte. Sweeps through dask need ``gantheory[dask]``; without it they
are counted as not tried.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.campaigns.outcome import WRONG, Outcome
from benchmarks.figures import Figure

CELLS = 1000
FIRST = 50_000
CELL = ["--loss", "minimax", "--p", "normal(0, 1)", "--q", "normal(1, 1)", "--steps", "64",
        "--batch", "32", "--hidden", "8"]  # fmt: skip
LOCAL = ("--workers", "4")
DASK_WORKERS = 3
PATIENCE = 900.0  # seconds for a sweep, however slow the machine


@dataclass
class Swept:
    """One sweep on the command line, in a folder of its own."""

    folder: Path
    cells: int
    where: tuple[str, ...] = LOCAL

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, or go on with it."""
        what = [*CELL, *self.where, "--seeds", f"0:{self.cells}", "--out", str(self.folder)]
        return python("-m", "gantheory", "sweep", "--quiet", *what)

    def kept(self) -> int:
        """Return how many cells are kept."""
        return sum(1 for _ in self.folder.glob("cells/*/*.json"))

    def reaches(self, cells: int, running: subprocess.Popen[bytes]) -> bool:
        """Wait until so many cells are kept; return False where the sweep ended before."""
        while self.kept() < cells:
            if running.poll() is not None:
                return False
            time.sleep(0.01)
        return running.poll() is None

    def tables(self) -> tuple[bytes, ...]:
        """Return its two tables."""
        return tuple((self.folder / f"table.{kind}").read_bytes() for kind in ("csv", "parquet"))


def python(*arguments: str) -> subprocess.Popen[bytes]:
    """Start Python on one thread, without its talk."""
    quiet = subprocess.DEVNULL
    one = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, *arguments], stdout=quiet, stderr=quiet, env=one)


def children_of(process: subprocess.Popen[bytes]) -> list[int]:
    """Return the processes that a process started and that still run."""
    told = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, check=False)
    return [int(word) for word in told.stdout.split()]


def killed_here(swept: Swept, r: random.Random, outcome: Outcome) -> None:
    """Kill a local worker, then the sweep itself, and go on with it."""
    first, second = sorted(r.sample(range(1, swept.cells * 9 // 10), 2))
    running = swept.start()
    if swept.reaches(first, running) and (workers := children_of(running)):
        os.kill(r.choice(workers), signal.SIGKILL)
        outcome.note("workers killed")
    if swept.reaches(second, running):
        running.kill()
        outcome.note("sweeps killed")
    running.wait()
    swept.start().wait(PATIENCE)


def killed_through_dask(swept: Swept, r: random.Random, outcome: Outcome) -> None:
    """Kill a worker of a dask scheduler, then the scheduler, and start another at its address."""
    first, second = sorted(r.sample(range(1, swept.cells * 9 // 10), 2))
    port = free_port()
    swept.where = ("--scheduler", f"tcp://127.0.0.1:{port}")
    with ExitStack() as still:
        scheduler, workers = still.enter_context(cluster(port))
        running = still.enter_context(ended(swept.start()))
        if swept.reaches(first, running):
            r.choice(workers).kill()
            outcome.note("dask workers killed")
        if swept.reaches(second, running):
            scheduler.kill()
            scheduler.wait()
            outcome.note("dask schedulers killed")
            still.enter_context(cluster(port))
        running.wait(PATIENCE)


@contextmanager
def cluster(port: int) -> Iterator[tuple[subprocess.Popen[bytes], list[subprocess.Popen[bytes]]]]:
    """Run a dask scheduler with workers on this machine."""
    with ExitStack() as still:
        dask = ["-m", "dask"]
        at = ["--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
        alone = ["--nthreads", "1", "--no-nanny", "--no-dashboard"]
        scheduler = still.enter_context(ended(python(*dask, "scheduler", *at)))
        workers = [
            still.enter_context(ended(python(*dask, "worker", f"tcp://127.0.0.1:{port}", *alone)))
            for _ in range(DASK_WORKERS)
        ]
        yield scheduler, workers


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Kill a process at the end, if it still runs."""
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(seeds: range, outcome: Outcome, cells: int = CELLS) -> None:
    """Kill at the instants of the seeds, and compare with a sweep left alone."""
    ways = [killed_here]
    if find_spec("distributed"):
        ways.append(killed_through_dask)
    else:
        outcome.note("not tried for want of dask")
    with tempfile.TemporaryDirectory() as folder:
        alone = Swept(Path(folder) / "alone", cells)
        alone.start().wait(PATIENCE)
        for seed in seeds:
            for way in ways:
                swept = Swept(Path(folder) / f"{way.__name__}-{seed}", cells)
                way(swept, random.Random(seed), outcome)
                compare(swept, alone, f"{way.__name__}, seed {seed}", outcome)


def compare(swept: Swept, alone: Swept, which: str, outcome: Outcome) -> None:
    """Say whether a sweep that was killed came to the table of the one left alone."""
    outcome.note("tables compared")
    try:
        same = swept.tables() == alone.tables()
    except FileNotFoundError:
        outcome.note(WRONG, which, f"no table, {swept.kept()} of {swept.cells} cells kept")
        return
    if not same:
        outcome.note(WRONG, which, "another table")


def figures(quick: bool) -> Iterator[Figure]:
    """Yield how many tables differ from that of the sweep left alone."""
    outcome = Outcome()
    run(range(FIRST, FIRST + 1), outcome, cells=64 if quick else CELLS)
    yield from outcome.figures("tables")


if __name__ == "__main__":
    from benchmarks.campaigns.command import main

    main(run, Outcome())
