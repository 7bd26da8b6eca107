"""How far long work is: shown to who looks on, and to nobody else."""

import io
import sys

import pytest

from gantheory.progress import is_watched, tracked


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_in_a_pipe_nothing_is_written(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert list(tracked(range(3), 3, "counting")) == [0, 1, 2]
    assert sys.stderr.getvalue() == ""


def test_in_a_terminal_the_work_and_how_far_it_is_are_shown_unless_quiet(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(tracked(range(3), 3, "counting", quiet=True)) == [0, 1, 2]
    assert sys.stderr.getvalue() == ""
    assert list(tracked(range(3), 3, "counting")) == [0, 1, 2]
    assert "counting" in sys.stderr.getvalue()
    assert "100%" in sys.stderr.getvalue()


def test_the_output_of_a_notebooks_cell_is_watched_and_a_missing_stream_is_not(monkeypatch):
    outstream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})
    monkeypatch.setattr(sys, "stderr", outstream())
    assert is_watched()
    monkeypatch.setattr(sys, "stderr", None)
    assert not is_watched()


def test_what_the_work_raises_is_raised(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())

    def work():
        yield 1
        raise ValueError("planted")

    with pytest.raises(ValueError, match="planted"):
        list(tracked(work(), 2, "working"))
