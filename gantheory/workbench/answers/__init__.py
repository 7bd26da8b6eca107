"""What each view of the workbench says: functions from typed text and numbers to JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from gantheory.errors import GantheoryError


class Refused(GantheoryError):
    """What one field holds cannot be taken; ``field`` is its name."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


@contextmanager
def reading(field: str) -> Iterator[None]:
    """Put a refusal of the enclosed block down to a field."""
    try:
        yield
    except Refused:
        raise
    except GantheoryError as error:
        raise Refused(field, str(error)) from None


def bounded_number(field: str, value: Any, low: float, high: float) -> float:
    """Return a number between two bounds.

    Raises:
        Refused: for anything else.
    """
    if not isinstance(value, int | float) or not low <= value <= high:
        raise Refused(field, f"{value!r:.40} must be a number from {low:g} to {high:g}")
    return float(value)


def chart_numbers(values: Iterable[float]) -> list[float | None]:
    """Return numbers for a chart: six digits, and None where a curve has a gap.

    >>> chart_numbers([1 / 3, float("inf")])
    [0.333333, None]
    """
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in values]


def _sampled(function: Callable[[float], float], points: Iterable[float]) -> list[float | None]:
    """Return a function at points, None where it has no finite value."""
    return chart_numbers(map(function, points))
