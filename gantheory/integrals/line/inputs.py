"""What the rounding of parameters to binary64 does to divergences of nearly equal laws."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from gantheory.densities.univariate import Univariate

NUMBER = (float, int)


def input_noise(p: Univariate, q: Univariate) -> float:
    """Return the relative change of a divergence when each parameter moves to the decimal shown.

    A divergence of two close laws is about quadratic in the difference Δ of their parameters, so
    a parameter that is rounded by δ (1.000001 is no binary64 number) moves it by 2δ/abs(Δ).
    """
    if type(p) is not type(q):
        return 0.0
    ours, theirs = _numbers(p), _numbers(q)
    if len(ours) != len(theirs):
        return 0.0
    differing = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    rounding = sum(rounded_by(a) + rounded_by(b) for a, b in differing)
    return 2 * rounding / max((abs(a - b) for a, b in differing), default=1.0)


def _numbers(law: Univariate) -> list[float]:
    """Return every number among a law's parameters, in order."""
    found: list[float] = []
    _collect(law, found)
    return found


def _collect(value: Any, found: list[float]) -> None:
    if isinstance(value, NUMBER):
        if abs(value) < math.inf:
            found.append(float(value))
    elif isinstance(value, tuple):
        for item in value:
            _collect(item, found)
    elif isinstance(value, Univariate):
        for item in value.parameters.values():
            _collect(item, found)


def rounded_by(value: float) -> float:
    """Return how far a binary64 number lies from the decimal that it prints as.

    >>> rounded_by(0.5)
    0.0
    """
    if value.is_integer() and abs(value) < 2**53:
        return 0.0
    return float(abs(Fraction(repr(value)) - Fraction(value)))
