"""Try one mutant: run the chosen tests on the mutated copy, in a process of its own.

The process is forked from a server that has the heavy libraries loaded and none of the packages, so
a trial costs the tests alone. It reports each test before it starts; one that takes far longer than
on the sound tree ends the trial as "timed out", which counts as killed.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from benchmarks.mutation.sites import Mutant

HEAVY = ["numpy", "scipy.stats", "scipy.integrate", "scipy.optimize", "sympy", "flint", "mpmath"]
HEAVY += ["torch", "hypothesis", "pytest", "rich", "click", "matplotlib.pyplot", "zuko", "jinja2"]
PATIENCE = 20.0  # a test may take this many times its usual time,
GRACE = 60.0  # and this many seconds more, before it counts as endless
MEMORY = 8 << 30  # bytes of data that a trial may hold


@dataclass(frozen=True)
class Outcome:
    """How a trial ended: killed, timed out, survived, unreached or unfinished."""

    status: str
    by: str
    tests: int
    seconds: float


def server() -> multiprocessing.context.ForkServerContext:
    """Return the context whose processes start with the heavy libraries loaded."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(HEAVY)
    return context


def attempt(mutant: Mutant, tree: Path, stages: list[dict[str, float]], seconds: float) -> Outcome:
    """Plant ``mutant`` in ``tree``, run the stages (usual seconds by test), and mend it."""
    if not stages:
        return Outcome("unreached", "no test runs this line", 0, 0.0)
    path = tree / mutant.file
    sound, names = path.read_bytes(), {left.name for left in tree.iterdir()}
    forget_compiled(path)
    path.write_bytes(mutant.planted(sound))
    try:
        return run_all(tree, stages, seconds)
    finally:
        path.write_bytes(sound)
        forget_compiled(path)
        tidy(tree, names)


def tidy(tree: Path, keep: set[str]) -> None:
    """Remove what a trial left in the tree."""
    for left in tree.iterdir():
        if left.name not in keep:
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def forget_compiled(path: Path) -> None:
    """Remove the compiled files of one module: they are told apart only by whole seconds."""
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()


def run_all(tree: Path, stages: list[dict[str, float]], seconds: float) -> Outcome:
    """Run stage after stage, each in a new process, until the error is noticed or time is up."""
    tests, spent = 0, 0.0
    for stage in stages:
        outcome = run(tree, stage, seconds - spent)
        tests, spent = tests + outcome.tests, spent + outcome.seconds
        if outcome.status != "survived":
            break
    return Outcome(outcome.status, outcome.by, tests, spent)


def run(tree: Path, tests: dict[str, float], seconds: float) -> Outcome:
    """Run the tests in a new process until the first failure, an endless test, or the limit."""
    context = server()
    receive, send = context.Pipe(duplex=False)
    begin = time.monotonic()
    process = context.Process(target=inside, args=(str(tree), list(tests), send))
    process.start()
    send.close()
    try:
        return follow(receive, tests, begin, seconds)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.join()


def follow(receive: Connection, tests: dict[str, float], begin: float, seconds: float) -> Outcome:
    """Read the reports of a trial until it is decided."""
    current, done, usual = "at import", 0, GRACE
    while True:
        spent = time.monotonic() - begin
        if spent > seconds:
            return Outcome("unfinished", f"{done} of {len(tests)} tests passed", done, spent)
        patience = min(GRACE + PATIENCE * usual, seconds - spent + 1.0)
        if not receive.poll(patience):
            if patience < GRACE + PATIENCE * usual:
                continue
            return Outcome("timed out", current, done, time.monotonic() - begin)
        try:
            word, name = receive.recv()
        except EOFError:  # the process died: a crash of the interpreter, or out of memory
            if not done:
                raise RuntimeError("a trial died before its first test; try it by hand") from None
            return Outcome("killed", f"{current} (the process died)", done, spent)
        if word == "start":
            current, usual, done = name, tests.get(name, 1.0), done + 1
        elif word == "failed":
            return Outcome("killed", name, done, spent)
        else:
            return Outcome("survived" if done else "killed", name, done, spent)


class Reporter:
    """A pytest plugin: keep the chosen tests in their order, and report what happens."""

    def __init__(self, chosen: list[str], send: Connection) -> None:
        self.order = {name: index for index, name in enumerate(chosen)}
        self.send = send

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self.order]
        items.sort(key=lambda item: self.order[item.nodeid])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.send.send(("start", nodeid))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.send.send(("failed", report.nodeid))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.send.send(("failed", f"{report.nodeid} at import"))


def inside(tree: str, chosen: list[str], send: Connection) -> None:
    """Run the chosen tests on the tree (in the child process)."""
    os.setsid()
    os.nice(5)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    os.chdir(tree)
    os.environ["PYTHONPATH"] = tree
    sys.path[:] = [tree, *(place for place in sys.path if not (Path(place) / "gantheory").is_dir())]
    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silence, stream)
    files = list(dict.fromkeys(name.split("::")[0] for name in chosen))
    plugin = Reporter(chosen, send)
    loaded = "ignore::pytest.PytestAssertRewriteWarning"  # of libraries that the server has loaded
    code = pytest.main(["-x", "-q", "-W", loaded, *files], plugins=[plugin])
    send.send(("end", str(code)))
