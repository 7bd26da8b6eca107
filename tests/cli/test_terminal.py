"""The terminal: help without a command, nothing cut short, short lists, completed names."""

import io
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from rich.console import Console

from gantheory.cli import COMMANDS, cli, main
from gantheory.cli.ascii import HANDLER, in_ascii
from gantheory.cli.curves import show_curves
from gantheory.cli.divergences import known_divergences
from gantheory.cli.listing import side_by_side
from gantheory.cli.wrapping import wrapped
from gantheory.ledger.statements.deciding import all_entries, decide_entry
from gantheory.records import Estimate, How, Verdict
from gantheory.report.statements import print_rows
from gantheory.verify import Outcome


def run(*arguments, columns=80):
    return CliRunner(env={"COLUMNS": str(columns)}).invoke(cli, arguments)


def test_a_bare_command_shows_the_help():
    done = run()
    assert done.exit_code == 0
    assert done.output == run("--help").output
    assert "derive" in done.output


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("listing", ["divergences", "densities", "losses"])
def test_a_listing_is_never_cut_short(listing, columns):
    assert "…" not in run(listing, columns=columns).output


@pytest.mark.parametrize("columns", [50, 80, 120])
def test_a_table_of_curves_shows_whole_numbers_and_names_at_any_width(columns):
    done = run("curve", "--points", "3", "-d", "jsd", "-d", "kl_pq", "-d", "hellinger2",
               "-d", "triangular", "-d", "tv", columns=columns)  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "…" not in done.output
    for whole in ("hellinger2", "triangular", "2.232e-06", "kl_pq"):
        assert whole in done.output


@pytest.mark.parametrize("command", ["derive hinge", "game bilinear", "densities", "losses"])
def test_no_line_in_a_pipe_or_a_file_ends_in_blanks(command):
    done = run(*command.split())
    assert done.exit_code == 0
    assert [line for line in done.output.splitlines() if line != line.rstrip()] == []


def test_tables_side_by_side_hold_each_column_once_and_fit():
    widths = [30, 20, 50, 10, 70, 5]
    tables = side_by_side(widths, 80, 8)
    assert [column for table in tables for column in table] == list(range(6))
    assert all(len(t) == 1 or 8 + sum(widths[k] for k in t) <= 80 for t in tables)


def test_a_long_line_goes_on_below_with_its_indent_and_loses_no_word():
    line = "  gradient: per fake sample it vanishes where D recognises fakes"
    lines = wrapped(line, 30).split("\n")
    assert all(len(one) <= 30 for one in lines)
    assert all(one.startswith("    ") for one in lines[1:])
    assert " ".join(wrapped(line, 30).split()) == " ".join(line.split())


def completed(line):
    """Return what a shell is told of the last word of a line, by click's own protocol."""
    *arguments, begun = line.split(" ")
    shell = ShellComplete(cli, {}, "gantheory", "_GANTHEORY_COMPLETE")
    return {(item.type, item.value) for item in shell.get_completions(arguments, begun)}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("derive non-s", "non-saturating"), ("derive wass", "wasserstein"), ("cite lsg", "lsgan"),
        ("divergence hell", "hellinger2"), ("divergence w", "w1"),
        ("divergence jsd norm", "normal("), ("divergence jsd gauss", "gaussian("),
        ("divergence jsd N C --method quad", "quadrature"), ("divergence --unit b", "bits"),
        ("game bil", "bilinear"), ("game hin", "hinge"), ("game x --method opt", "optimistic"),
        ("simulate froz", "frozen-gradient"), ("protocols pacgan", "pacgan-ring"),
        ("curve --family cau", "cauchy"), ("curve -g hin", "hinge"),
        ("curve --figure van", "vanishing"), ("curve --regulariser g", "gp("),
        ("derive --bound inf", "infonce"), ("derive --reward ai", "airl"),
        ("derive --regulariser bo", "both"), ("derive --frozen samples --loss k", "k3"),
        ("check minimax.va", "minimax.value"), ("check minimax.value 003-8", "003-84"),
        ("claims 003-8", "003-84"), ("claims --verdict ref", "refuted"),
        ("claims --source 00", "003"), ("sweep --loss minimax --loss hi", "hinge"),
        ("sweep --p norm", "normal("), ("sweep --train b", "both"),
        ("sweep --activation soft", "softplus"), ("audit a.py:f --claims hin", "hinge"),
        ("workbench tr", "train"),
    ],
)  # fmt: skip
def test_a_shell_completes_names(line, expected):
    found = completed(line)
    assert ("plain", expected) in found
    assert all(name.startswith(line.rpartition(" ")[2]) for _, name in found)


@pytest.mark.parametrize(
    "line", ["divergence w1 a.c", "audit loss", "curve --file my", "nothing x"]
)
def test_a_shell_completes_files_where_they_are_taken_and_keeps_silent_of_unknown_commands(line):
    assert completed(line) == ({("file", line.split()[-1])} if "nothing" not in line else set())


FREE = {
    "real", "fake", "generator", "objective", "domain", "link", "parameter", "law", "weight",
    "preference", "ratios", "init", "call_", "statement", "wrt", "mu", "column", "p", "q",
    "device", "seeds", "hidden", "scheduler", "value", "value2", "player1", "player2", "step",
    "consensus", "momentum", "momentum2", "r1", "r2", "gradient_penalty", "noise", "clip", "state",
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_what_no_shell_completes_is_a_formula_or_a_number_and_every_command_takes_quiet(name):
    parameters = cli.get_command(None, name).params
    texts = [one for one in parameters if one.type is click.STRING]
    assert {one.name for one in texts if one._custom_shell_complete is None} <= FREE
    assert [one for one in parameters if "--quiet" in one.opts and "-q" in one.opts]


def test_quiet_leaves_the_answer_and_takes_the_notes(tmp_path):
    loss = ["derive", "--real", "-(t - 1)**2", "--fake", "-t**2", "--generator", "-t", "--save"]
    curve = ["curve", "-d", "tv", "--points", "3", "--out"]
    for number, (line, ending) in enumerate(((loss, "toml"), (curve, "csv"))):
        said = [
            run(*line, str(tmp_path / f"{number}{kind}.{ending}"), *quiet)
            for kind, quiet in (("loud", ()), ("still", ("--quiet",)))
        ]
        assert all(done.exit_code == 0 for done in said)
        assert "wrote" in said[0].output
        assert "wrote" not in said[1].output
        rest = [text for text in said[0].output.splitlines() if "wrote" not in text]
        assert [line for line in rest if line] == [x for x in said[1].output.splitlines() if x]


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii"])
def test_a_code_page_that_lacks_a_sign_gets_it_in_ascii(encoding):
    text = "χ²(P‖Q) = 0.5 ± 1e-9, √JSD → ∞, ρ·θ, é, ┏━┓│, ✕ refuted, 漢"
    written = text.encode(encoding, errors=HANDLER).decode(encoding)
    assert "?" not in written
    assert "chi" in written
    assert "||" in written
    assert in_ascii(text).isascii()
    assert in_ascii(text).endswith("\\u6f22")


def test_every_sign_that_stands_in_the_packages_has_a_name_in_ascii():
    root = Path(__file__).parents[2]
    sources = [*root.glob("gantheory/**/*.py"), *root.glob("simulations/**/*.py")]
    printing = [path for path in sources if "workbench" not in path.parts]  # pages of a browser
    signs = {sign for path in printing for sign in path.read_text(encoding="utf-8")}
    assert len(signs) > 150
    assert sorted(sign for sign in signs - {"\\"} if "\\" in in_ascii(sign)) == []


def test_commands_of_an_ascii_terminal_end_without_a_traceback():
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "80"}
    for arguments in (
        ["derive", "lsgan", "--steps"],
        ["divergence", "jsd", "normal(0, 1)", "normal(1, 1)"],
    ):
        command = [sys.executable, "-m", "gantheory", *arguments]
        done = subprocess.run(command, env=env, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.isascii()
        assert b"\\u" not in done.stdout


def test_help_of_divergence_has_a_line_for_every_name():
    lines = run("divergence", "--help").output.splitlines()
    for row in known_divergences():
        assert [line for line in lines if line.split()[:1] == [row["name"]]], row["name"]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_and_its_examples_fit_a_terminal_of_80_columns(name):
    assert [line for line in run(name, "--help").output.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("columns", [80, 120])
def test_a_verdict_on_a_game_and_the_findings_of_curves_come_first(columns):
    game = run("game", "bilinear", columns=columns).output.splitlines()
    assert game[1].startswith("verdict")
    assert "step in none" not in "".join(game)
    curve = run("curve", "-d", "tv", "--points", "3", columns=columns).stdout.split("\n")
    curve = [line for line in curve if line]
    assert curve[1].startswith("  TV(P, Q): gradient is largest")
    assert "nan" not in " ".join(curve)


def test_what_a_stuck_value_means_comes_first():
    lines = run("explain", "non-saturating", "--stuck", "0.6931").output.splitlines()
    assert lines[1].startswith("  stuck at 0.6931")


def test_what_a_verdict_stands_on_is_wrapped_on_a_terminal_in_the_signs_of_the_field():
    rows = [decide_entry(entry) for entry in all_entries() if entry.id == "003-84"]
    terminal, pipe = io.StringIO(), io.StringIO()
    print_rows(rows, explain=True, console=Console(file=terminal, width=60, force_terminal=True))
    print_rows(rows, explain=True, console=Console(file=pipe, width=60))
    lines = re.sub(r"\x1b\[[\d;]*m", "", terminal.getvalue()).splitlines()
    assert max(map(len, lines)) <= 60
    assert " ".join(" ".join(lines).split()) == " ".join(pipe.getvalue().split())
    assert max(map(len, pipe.getvalue().splitlines())) > 100
    asked = [line for line in lines if "kl_" in line or "oo" in line.split()]
    assert all(line.strip().startswith("asked:") for line in asked)
    assert "  ◆ certified: KL(Q‖M) <= KL(Q‖P)/2" in lines


@pytest.mark.parametrize("done", [0, 3])
def test_an_interrupted_sweep_says_what_is_kept_only_where_something_is(
    done, tmp_path, monkeypatch, capsys
):
    module = pytest.importorskip("simulations.sweeps.sweep")

    def interrupted(*_, progress, **__):
        progress(done, 8)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "sweep", interrupted)
    laws = ["--p", "normal(0, 1)", "--q", "normal(1, 1)", "--quiet", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["gantheory", "sweep", "--loss", "minimax", *laws])
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr().err.strip()
    assert left.value.code == 130
    assert said.startswith("interrupted")
    assert ("3 cells are kept" in said) == (done == 3)


@pytest.mark.parametrize("value", [-1.1636284756123, 1.7392312e-4, 3.0, 12345.678912345])
@pytest.mark.parametrize("error", [1.2e-11, 3.4e-5, 0.02])
def test_in_the_table_of_a_sweep_the_error_decides_the_digits(value, error):
    from gantheory.cli.sweep import _number

    number, told = _number(value, error).split(" ± ")
    assert abs(float(number) - value) <= error / 10
    assert error <= float(told) <= 1.2 * error
    decimals = len(number.partition("e")[0].partition(".")[2]) - int(number.partition("e")[2] or 0)
    assert decimals <= 3 - math.log10(min(error, abs(value)))  # none that the error does not leave


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [(None, None, "none"), (math.inf, 0.0, "inf"), (math.nan, math.inf, "nan"), (0.5, None, "0.5")],
)
def test_what_is_no_number_in_the_table_of_a_sweep_is_said(value, error, shown):
    from gantheory.cli.sweep import _number

    assert _number(value, error) == shown


def test_what_was_trained_is_printed_below_the_curves(capsys):
    slope = Estimate(-0.123456789, 0.02)
    job = SimpleNamespace(
        family="distance", marks=[], d=[1.0], curves=[], targets=[],
        measured=[SimpleNamespace(label="hinge", d=1.5, gradient=slope)],
    )  # fmt: skip
    show_curves(job)
    assert "hinge at d = 1.5: measured -0.12346 ± 0.02" in capsys.readouterr().out


@pytest.mark.parametrize("decided", [0, 1])
def test_an_interrupted_check_names_its_report_only_where_something_was_decided(
    decided, tmp_path, monkeypatch, capsys
):
    def run_one(checks):
        for check in list(checks)[:decided]:
            yield Outcome(check, Verdict(check.statement, How.PROVED))
        raise KeyboardInterrupt

    monkeypatch.setattr("gantheory.ledger.checks.run", run_one)
    monkeypatch.setattr("gantheory.report.html.write_check", lambda out, *_, **__: out / "a.html")
    line = ["gantheory", "check", "minimax.value", "--quiet", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", line)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 130
    assert ("holds what was decided" in capsys.readouterr().err) == bool(decided)
