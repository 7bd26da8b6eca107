"""What is printed: styled on a terminal, and in a file or a pipe without blanks at line ends."""

from __future__ import annotations

import re
import sys
import textwrap
from typing import IO, Any, cast

from rich.console import Console

BLANKS = re.compile(r"[ \t]+(?=\n)")


class Stripped:
    """A stream that drops the blanks at the end of each line written to it."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write lines, which come whole."""
        return self.stream.write(BLANKS.sub("", text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def console(*, highlight: bool = True) -> Console:
    """Return a console on standard output, whose tables pad no lines unless it is a terminal."""
    if sys.stdout.isatty():
        return Console(highlight=highlight)
    return Console(file=cast(IO[str], Stripped(sys.stdout)), highlight=highlight)


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
