"""The terminal: help without a command, nothing cut short, short lists, completed names."""

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from gantheory.cli import cli
from gantheory.cli.completion import densities, divergences, games, losses
from gantheory.cli.listing import side_by_side
from gantheory.cli.wrapping import wrapped


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


@pytest.mark.parametrize(
    ("complete", "begun", "expected"),
    [(losses, "non-s", "non-saturating"), (losses, "wass", "wasserstein"),
     (divergences, "hell", "hellinger2"), (densities, "norm", "normal("),
     (games, "bil", "bilinear")],
)  # fmt: skip
def test_a_shell_completes_names(complete, begun, expected):
    found = complete(None, None, begun)
    assert expected in found
    assert all(name.startswith(begun) for name in found)


@pytest.mark.parametrize("target", ["/dev/full", None])
def test_a_full_disk_or_a_closed_pipe_ends_in_at_most_one_line(target):
    if target and not os.path.exists(target):
        pytest.skip("no /dev/full here")
    command = [sys.executable, "-m", "gantheory", "densities"]
    if target:
        with open(target, "w") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        return
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.stderr == ""
