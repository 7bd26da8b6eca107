"""What a view shows, as a command and as Python: each answer can be had without the page."""

from __future__ import annotations

import shlex


def command(name: str, *arguments: str, **options: object) -> str:
    """Return a command line; an option that is True is a flag, one that is None is left out.

    >>> command("derive", real="log(D)", steps=True)
    "gantheory derive --real 'log(D)' --steps"
    """
    words = ["gantheory", name, *map(shlex.quote, arguments)]
    for option, value in options.items():
        values = value if isinstance(value, list) else [value]
        for one in values:
            words += _option(option, one)
    return " ".join(words)


def _option(name: str, value: object) -> list[str]:
    flag = f"--{name.replace('_', '-')}"
    if value is None or value is False:
        return []
    if value is True:
        return [flag]
    text = shlex.quote(str(value))
    return [f"{flag}={text}"] if text.startswith("-") else [flag, text]


def python(*lines: str, imports: str = "import gantheory as gt") -> str:
    """Return lines of Python with what they import."""
    return "\n".join([imports, "", *lines])
