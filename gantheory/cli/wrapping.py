"""Lines on a terminal: wrapped between words with their indent; as they are in a pipe."""

from __future__ import annotations

import shutil
import sys
import textwrap

import click


def say(line: str) -> None:
    """Print a line; on a terminal what does not fit goes on below, indented by two more."""
    if sys.stdout.isatty():
        line = wrapped(line, shutil.get_terminal_size().columns)
    click.echo(line)


def wrapped(line: str, width: int) -> str:
    """Return a line broken between words, the rest indented by two more than its start.

    >>> print(wrapped("  G follows: a long name", 16))
      G follows: a
        long name
    """
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.fill(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
