"""The command line: bad input is one clear line, exit status 2, no traceback, nothing written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gantheory import errors
from gantheory.cli import COMMANDS, cli, main
from gantheory.cli.simulate import _resumable

BAD = {
    "unknown command": (["derve", "minimax"], "did you mean 'derive'"),
    "unknown loss": (["derive", "minmax"], "did you mean 'minimax'"),
    "unknown divergence": (["divergence", "jds", "normal(0, 1)", "normal(1, 1)"], "jsd"),
    "unknown density": (["divergence", "jsd", "nromal(0, 1)", "normal(1, 1)"], "normal"),
    "negative scale": (["divergence", "jsd", "normal(0, -1)", "normal(1, 1)"], "-1"),
    "malformed density": (
        ["divergence", "jsd", "normal(0, 1", "normal(1, 1)"],
        "write it like 'normal(0, 1)'",
    ),
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
    "malformed inequality": (["prove", "jsd <="], "write it like 'jsd <= log(2)*tv'"),
    "unknown name in an inequality": (["prove", "jsd <= foo"], "foo"),
    "ratio in an inequality": (["prove", "(r-1)^2 <= 2*tv"], "by name"),
    "payoff as a game's name": (["game", "x*y"], "--value 'x*y'"),
    "divergence as an argument": (["curve", "jsd"], "curve --help"),
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


def started(python, folder, *arguments, **options):
    """Run the installed program from a folder; return its status and what it wrote."""
    environment = {**os.environ, **options.pop("environment", {})}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [python, "-m", "gantheory", *arguments],
        cwd=folder, env=environment, stderr=subprocess.PIPE, text=True,
        encoding=environment.get("PYTHONIOENCODING"), **options,
    )  # fmt: skip
    return done.returncode, done.stderr, done.stdout


@pytest.mark.parametrize("name", ["simulations.py", "simulations/__init__.py"])
def test_a_users_own_simulations_is_named_in_one_line(name, installed, tmp_path):
    own = tmp_path / name
    own.parent.mkdir(exist_ok=True)
    own.write_text("raise SystemExit('this must not be run')\n")
    status, err, _ = started(installed, tmp_path, "simulate", stdout=subprocess.PIPE)
    assert status == 2
    assert len(err.strip().splitlines()) == 1
    assert str(own.name) in err
    assert "rename" in err
    if name == "simulations.py":  # and what trains nothing runs all the same
        status, err, out = started(installed, tmp_path, "cite", "minimax", stdout=subprocess.PIPE)
        assert (status, err) == (0, "")
        assert "Goodfellow" in out


def test_a_folder_of_data_named_simulations_is_in_nobodys_way(installed, tmp_path):
    (tmp_path / "simulations").mkdir()
    status, err, out = started(installed, tmp_path, "simulate", stdout=subprocess.PIPE)
    assert (status, err) == (0, "")
    assert "frozen-gradient" in out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", [["cite", "minimax"], ["losses", "--json"], ["--help"]])
def test_a_full_disk_is_one_line_and_no_traceback(arguments, installed, tmp_path):
    with open("/dev/full", "w") as full:
        status, err, _ = started(installed, tmp_path, *arguments, stdout=full)
    assert status == 2
    assert len(err.strip().splitlines()) == 1
    assert "cannot write the output" in err


def test_a_closed_pipe_ends_quietly(installed, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        status, err, _ = started(installed, tmp_path, "losses", stdout=pipe)
    assert status in {1, 141}
    assert err == ""


def test_a_code_page_without_greek_shows_its_letters_by_name(installed, tmp_path):
    status, err, out = started(
        installed, tmp_path, "derive", "minimax", "--steps",
        stdout=subprocess.PIPE, environment={"PYTHONIOENCODING": "cp1252"},
    )  # fmt: skip
    assert (status, err) == (0, "")
    assert "rho" in out
    assert "\\u" not in out


def test_a_curve_says_where_there_is_no_slope_and_prints_no_nan():
    done = CliRunner().invoke(cli, ["curve", "-d", "tv", "-d", "jsd", "--points", "3"])
    assert "nan" not in done.output
    assert "TV(P, Q): no slope exists at d = 0, or none is determined; see the note" in (
        " ".join(done.output.split())
    )
    assert "two sides differ" in " ".join(done.output.split())
    assert "JS(P, Q): no slope" not in done.output


@pytest.mark.parametrize(("cases", "said"), [("[]", ""), ('[{"case": "a"}]', "cases are kept")])
def test_an_interrupt_says_what_is_kept_only_where_a_case_was_finished(tmp_path, cases, said):
    (tmp_path / "record.json").write_text(f'{{"measurements": {cases}}}')
    with pytest.raises(KeyboardInterrupt) as stopped, _resumable(tmp_path):
        raise KeyboardInterrupt
    assert said in str(stopped.value)
    assert bool(str(stopped.value)) == bool(said)
