"""What a benchmark yields: figures, each with its unit and, where there is one, its bar."""

from __future__ import annotations

import platform
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

LIBRARIES = ("gantheory", "numpy", "scipy", "sympy", "torch")


@dataclass(frozen=True)
class Figure:
    """One measured number.

    ``unit`` is ``"times"`` for a ratio of two things measured in turns in one run, else a unit
    (``s``, ``nats``, ``relative``). ``bar`` is the least value that is good enough, or the
    greatest where ``lower`` says that less is better.
    """

    what: str
    value: float
    unit: str
    bar: float | None = None
    lower: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None without a bar."""
        if self.bar is None:
            return None
        return self.value <= self.bar if self.lower else self.value >= self.bar

    def as_dict(self) -> dict[str, Any]:
        """Return the figure under its JSON keys."""
        return asdict(self) | {"met": self.met}


def circumstances() -> dict[str, Any]:
    """Return where and with what a benchmark ran: figures of other machines do not compare."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }
