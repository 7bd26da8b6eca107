"""Where a report was made: versions and machine, for reproducing it."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("gantheory", "sympy", "numpy", "scipy", "python-flint", "torch", "matplotlib")


def environment() -> dict[str, str]:
    """Return the versions and the machine that results depend on.

    >>> "Python" in environment()
    True
    """
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} logical cores"
    return {
        "Python": platform.python_version(),
        "Machine": machine,
        **{name: _version(name) for name in PACKAGES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
