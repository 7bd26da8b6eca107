"""Lines on a terminal: wrapped between words with their indent; as they are in a pipe."""

from __future__ import annotations

import shutil
import sys

import click

from gantheory.report.terminal import wrapped


def say(line: str) -> None:
    """Print a line; on a terminal what does not fit goes on below, indented by two more."""
    if sys.stdout.isatty():
        line = wrapped(line, shutil.get_terminal_size().columns)
    click.echo(line)
