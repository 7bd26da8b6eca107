"""The runner of the benchmarks: each is there, says what it compares, and keeps its figures."""

import importlib
import json
import math
import re
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as runner
from benchmarks.figures import Figure


@pytest.mark.parametrize("name", [*runner.ALONE, *runner.WITH_OTHERS, *runner.CAMPAIGNS])
def test_every_benchmark_imports_what_it_measures_and_says_what_that_is(name):
    assert callable(importlib.import_module(f"benchmarks.{name}").figures)
    assert runner.purpose(name).endswith(".")


def test_the_runner_and_the_readme_name_every_benchmark():
    folder = Path(runner.__file__).parent
    files = [path for place in (".", "campaigns") for path in (folder / place).glob("*.py")]
    measured = {
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for path in files
        if "\ndef figures(quick" in path.read_text()
    }
    names = [*runner.ALONE, *runner.WITH_OTHERS, *runner.CAMPAIGNS]
    rows = re.findall(r"^\| `(.+?)` \|", (folder / "README.md").read_text(), re.MULTILINE)
    assert sorted(measured) == sorted(names) == sorted(rows)


def test_a_missed_bar_is_an_exit_status_and_a_figure_that_is_no_number_is_null(
    tmp_path, monkeypatch, capsys
):
    figures = [
        Figure("fast", 3.0, "times", 2.0),
        Figure("near", 1e-9, "nats", 1e-3, True),
        Figure("slow", 5.0, "s", 2.0, True),
        Figure("lost", math.nan, "relative"),
    ]
    module = type(sys)("benchmarks.trajectories")
    module.figures = lambda quick: iter(figures)
    monkeypatch.setitem(sys.modules, "benchmarks.trajectories", module)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "trajectories", "--out", str(tmp_path)])
    assert runner.main() == 1
    assert "MISSED" in capsys.readouterr().out
    kept = json.loads((tmp_path / "trajectories.json").read_text())
    assert [row["met"] for row in kept["figures"]] == [True, True, False, None]
    assert kept["figures"][-1]["value"] is None
    figures.pop(2)
    assert runner.main() == 0


def test_an_unknown_benchmark_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benchmarks", "trajectory"])
    with pytest.raises(SystemExit, match="2"):
        runner.main()
    assert "unknown benchmark 'trajectory'" in capsys.readouterr().err
