"""A pytest plugin that writes down which test runs which line, and how long each test takes.

Loaded by ``python -m benchmarks.mutation record``. Lines run by a child process count for the test
that started it. The package's caches are emptied before each file of tests, so that every file that
needs a line is seen to run it; within a file a later test may profit from an earlier one, wherefore
the selection widens a line's tests to their files.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

PACKAGES = ("gantheory", "simulations")
SETTINGS = "[run]\nsource = {packages}\nparallel = true\ndata_file = {data}\ncontext = {context}\n"


class Recorder:
    """Measure coverage with one context a test; durations and outcomes go beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, ""
        self.seconds: dict[str, float] = {}
        self.passed: dict[str, bool] = {}
        data = str(folder / "coverage")
        self.coverage = coverage.Coverage(data_file=data, config_file=False, source=PACKAGES)
        self.coverage.start()
        settings = folder / "child.ini"
        context = "${PYTEST_CURRENT_TEST-}"
        settings.write_text(
            SETTINGS.format(packages=",".join(PACKAGES), data=data, context=context)
        )
        os.environ["COVERAGE_PROCESS_START"] = str(settings)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        file = item.nodeid.split("::")[0]
        if file != self.file:
            forget_results()
            self.file = file
        self.coverage.switch_context(item.nodeid)
        result = yield
        self.coverage.switch_context("")
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid
        self.seconds[name] = round(self.seconds.get(name, 0.0) + report.duration, 4)
        if report.when == "call" or not report.passed:
            self.passed[name] = report.passed and self.passed.get(name, True)

    def pytest_sessionfinish(self) -> None:
        self.coverage.stop()
        self.coverage.save()
        os.environ.pop("COVERAGE_PROCESS_START", None)
        self.coverage.combine([str(self.folder)], keep=False)
        self.coverage.save()
        tests = {name: self.seconds[name] for name, good in self.passed.items() if good}
        left = sorted(name for name, good in self.passed.items() if not good)
        (self.folder / "tests.json").write_text(json.dumps({"seconds": tests, "left_out": left}))


def forget_results() -> None:
    """Empty every ``lru_cache`` of the packages and of the tests."""
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in PACKAGES or name.startswith("test"):
            for thing in list(vars(module).values()):
                if isinstance(thing, functools._lru_cache_wrapper):
                    thing.cache_clear()


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Recorder(Path(os.environ["MUTATION_RECORD"])))
