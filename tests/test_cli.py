"""The command line: bad input is one clear line, exit status 2, no traceback, nothing written."""

import json
import subprocess
import sys

import pytest

from gantheory import errors
from gantheory.cli import COMMANDS, cli, main

BAD = {
    "unknown command": (["derve", "minimax"], "did you mean 'derive'"),
    "unknown game": (["derive", "minmax"], "did you mean 'minimax'"),
    "unknown divergence": (["divergence", "jds", "normal(0, 1)", "normal(1, 1)"], "jsd"),
    "unknown density": (["divergence", "jsd", "nromal(0, 1)", "normal(1, 1)"], "normal"),
    "negative scale": (["divergence", "jsd", "normal(0, -1)", "normal(1, 1)"], "-1"),
    "malformed density": (["divergence", "jsd", "normal(0, 1", "normal(1, 1)"], "malformed"),
    "unknown derivative": (
        ["divergence", "jsd", "normal(0, 1)", "normal(1, 1)", "--wrt", "q.lco"], "lco"),
    "malformed payoff": (
        ["derive", "--real", "log(D", "--fake", "log(1-D)", "--generator", "D"], "malformed"),
    "code in a payoff": (
        ["derive", "--real", "__import__('os')", "--fake", "t", "--generator", "t"], "unknown"),
    "half a game": (["derive", "--real", "log(D)"], "--fake"),
    "unwritable report": (["check", "--quick", "--out", "/dev/null/report"], "--out"),
    "unwritable figure": (["curve", "--out", "/dev/null/figure.png"], "/dev/null"),
    "unknown experiment": (["simulate", "frozen"], "frozen-gradient"),
    "unknown option": (["check", "--fast"], "--fast"),
    "malformed inequality": (["prove", "jsd <="], "malformed"),
    "unknown name in an inequality": (["prove", "jsd <= foo"], "foo"),
    "step of zero": (["game", "bilinear", "--method", "simultaneous", "--step", "0"], "step"),
}  # fmt: skip


def run(arguments, monkeypatch):
    """Run the command line in this process and return its exit status."""
    monkeypatch.setattr(sys, "argv", ["gantheory", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code or 0


@pytest.mark.parametrize(("arguments", "said"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_status_2(arguments, said, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run(arguments, monkeypatch) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert said in err
    assert not list(tmp_path.iterdir()), "nothing may be left half-written"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name, monkeypatch, capsys):
    assert run([name, "--help"], monkeypatch) == 0
    out = capsys.readouterr().out
    assert "Example" in out
    assert f"gantheory {name}" in out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_speaks_json(name):
    command = cli.get_command(None, name)
    assert any("--json" in parameter.opts for parameter in command.params)


def test_the_module_runs_as_the_command_does():
    done = subprocess.run(
        [sys.executable, "-m", "gantheory", "derive", "minimax", "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    derived = json.loads(done.stdout)
    assert derived["zero_sum"] is True
    assert derived["followed"]["divergence"]


@pytest.mark.parametrize(
    ("module", "extra", "arguments"),
    [
        ("torch", "torch", ["check"]),
        ("torch", "torch", ["simulate", "frozen-gradient"]),
        ("jinja2", "report", ["check", "--quick"]),
        ("matplotlib", "report", ["check"]),
    ],
)
def test_a_missing_extra_is_named_before_any_work(
    module, extra, arguments, monkeypatch, capsys, tmp_path
):
    found = errors.find_spec
    hide = lambda name: None if name == module else found(name)  # noqa: E731
    monkeypatch.setattr(errors, "find_spec", hide)
    monkeypatch.chdir(tmp_path)
    assert run(arguments, monkeypatch) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.strip().splitlines())) == ("", 1)
    assert f"gantheory[{extra}]" in err
    assert not list(tmp_path.iterdir())
