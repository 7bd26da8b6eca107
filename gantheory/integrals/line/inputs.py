"""What the rounding of parameters to binary64 does to divergences of nearly equal laws."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from gantheory.densities.univariate import Univariate


def input_noise(p: Univariate, q: Univariate) -> float:
    """Return the relative change of a divergence when each parameter moves to the decimal shown.

    A divergence of two close laws is about quadratic in the difference Δ of their parameters, so
    a parameter that is rounded by δ (1.000001 is no binary64 number) moves it by 2δ/abs(Δ).
    """
    if type(p) is not type(q):
        return 0.0
    ours, theirs = _numbers(p.parameters), _numbers(q.parameters)
    if len(ours) != len(theirs):
        return 0.0
    differing = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    rounding = sum(rounded_by(a) + rounded_by(b) for a, b in differing)
    return 2 * rounding / max((abs(a - b) for a, b in differing), default=1.0)


def _numbers(value: Any) -> list[float]:
    """Return every number among a law's parameters, in order."""
    if isinstance(value, dict):
        return [x for item in value.values() for x in _numbers(item)]
    if isinstance(value, tuple):
        return [x for item in value for x in _numbers(item)]
    if isinstance(value, Univariate):
        return _numbers(value.parameters)
    return [float(value)] if isinstance(value, int | float) and abs(value) < float("inf") else []


def rounded_by(value: float) -> float:
    """Return how far a binary64 number lies from the decimal that it prints as.

    >>> rounded_by(0.5)
    0.0
    """
    if value.is_integer() and abs(value) < 2**53:
        return 0.0
    return float(abs(Fraction(repr(value)) - Fraction(value)))
