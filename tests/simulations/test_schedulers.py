"""Sweeps through a dask scheduler that dies: what it lost is measured again, told in one line."""

import logging
import sys
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import SimpleNamespace
from typing import ClassVar

import pytest

from gantheory.errors import GantheoryError
from simulations.sweeps.sweep import sweep

P, Q = "normal(0, 1)", "normal(1, 1)"
SMALL = {"steps": 64, "batch": 32, "hidden": (8,)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The table of a sweep that nothing disturbed."""
    return sweep("minimax", P, Q, seeds=range(4), out=tmp_path_factory.mktemp("w"),
                 workers=1, **SMALL)  # fmt: skip


class Scheduler:
    """A dask client as a sweep uses it; its scheduler dies once, in the middle of its work."""

    made: ClassVar[list["Scheduler"]] = []

    def __init__(self, address, **options):
        if address == "tcp://nowhere:1":
            raise OSError("timed out")
        self.status, self.handed = "running", 0
        self.pool = ThreadPoolExecutor(1)
        Scheduler.made.append(self)

    def nthreads(self):
        return {"worker": 1}

    def get_executor(self, **options):
        return self

    def submit(self, function, text):
        self.handed += 1
        if len(Scheduler.made) == 1 and self.handed > 1:
            self.status = "closed"
            lost = Future()
            lost.cancel()
            lost.set_running_or_notify_cancel()
            return lost
        return self.pool.submit(function, text)

    def close(self, timeout):
        self.pool.shutdown()


def test_what_a_dead_scheduler_lost_is_handed_to_the_next(tmp_path, monkeypatch, whole):
    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace(Client=Scheduler))
    found = sweep("minimax", P, Q, seeds=range(4), out=tmp_path, scheduler="tcp://a:1", **SMALL)
    assert found.equals(whole)
    assert Scheduler.made[0].handed == 2
    assert len(Scheduler.made) == 2
    with pytest.raises(GantheoryError, match="no dask scheduler answers at 'tcp://nowhere:1'"):
        sweep("minimax", P, Q, seeds=[9], out=tmp_path, scheduler="tcp://nowhere:1", **SMALL)


class Resetting(Scheduler):
    """One that still counts as running when its connection is gone."""

    def _check(self):
        if len(Scheduler.made) == 1 and self.handed:
            raise ConnectionResetError("reset by peer")

    def nthreads(self):
        self._check()
        return super().nthreads()

    def submit(self, function, text):
        self._check()
        return super().submit(function, text)


def test_a_scheduler_that_dies_while_it_is_asked_is_waited_for(tmp_path, monkeypatch, whole):
    monkeypatch.setattr(Scheduler, "made", [])
    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace(Client=Resetting))
    found = sweep("minimax", P, Q, seeds=range(4), out=tmp_path, scheduler="tcp://a:1", **SMALL)
    assert found.equals(whole)
    assert [one.handed > 0 for one in Scheduler.made] == [True, True]


class Deserted(Scheduler):
    """One that has no worker at first; what it is asked for is done when one comes."""

    waiting: ClassVar[list[tuple]] = []
    looks: ClassVar[int] = 0

    def nthreads(self):
        if len(self.waiting) == 4:
            Deserted.looks += 1
        if self.looks == 4:
            for future, function, text in self.waiting:
                future.set_result(function(text))
        return {"worker": 1} if self.looks >= 4 else {}

    def submit(self, function, text):
        self.waiting.append((Future(), function, text))
        return self.waiting[-1][0]


def test_a_scheduler_without_workers_is_said_to_be_waited_for(tmp_path, monkeypatch, whole, capsys):
    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace(Client=Deserted))
    monkeypatch.setattr("simulations.sweeps.sweep.PAUSE", 0.01)
    found = sweep("minimax", P, Q, seeds=range(4), out=tmp_path, scheduler="tcp://a:1", **SMALL)
    assert found.equals(whole)
    line = capsys.readouterr().err.splitlines()
    assert len(line) == 1
    assert "'tcp://a:1' has no worker" in line[0]
    assert "`dask worker tcp://a:1`" in line[0]


def test_a_scheduler_without_dask_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(GantheoryError, match=r"gantheory\[dask\]"):
        sweep("minimax", P, Q, seeds=[0], out=tmp_path, scheduler="tcp://a:1", **SMALL)


@pytest.fixture
def printed():
    """What distributed's loggers print, with the levels that distributed gives them."""
    kept, handler = [], logging.Handler()
    handler.emit = kept.append
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    before = [(logger, logger.level, logger.propagate) for logger in loggers]
    for logger, level in zip(loggers, (logging.INFO, logging.WARNING), strict=True):
        logger.setLevel(level)
    loggers[0].addHandler(handler)
    yield kept
    loggers[0].removeHandler(handler)
    for logger, level, propagate in before:
        logger.setLevel(level)
        logger.propagate = propagate


class Dying(Scheduler):
    """One that is not started again, and of whose death distributed prints tracebacks."""

    def __init__(self, address, **options):
        if Scheduler.made:
            logging.getLogger("distributed.batched").error("closed", exc_info=OSError("refused"))
            logging.getLogger("distributed.client").error("lost", exc_info=OSError("refused"))
            raise OSError("timed out")
        super().__init__(address, **options)

    def submit(self, function, text):
        found = super().submit(function, text)
        wait([found])  # the first one is known when the second is lost
        return found


def test_a_scheduler_that_ends_is_told_in_one_line_of_ours(tmp_path, monkeypatch, whole, printed):
    monkeypatch.setattr(Scheduler, "made", [])
    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace(Client=Dying))
    with pytest.raises(GantheoryError) as told:
        sweep("minimax", P, Q, seeds=range(4), out=tmp_path, scheduler="tcp://a:1", **SMALL)
    assert str(told.value).startswith("the dask scheduler ended, and none answers at 'tcp://a:1'")
    assert "what was measured is kept" in str(told.value)
    assert "\n" not in str(told.value)
    assert not printed
    logging.getLogger("distributed.client").warning("of another use")
    assert [record.getMessage() for record in printed] == ["of another use"]
    assert len(list(tmp_path.glob("cells/*/*.json"))) == 1
    assert sweep("minimax", P, Q, seeds=range(4), out=tmp_path, workers=1, **SMALL).equals(whole)
