"""Rational numbers between others, for samples that stay short."""

from __future__ import annotations

from flint import fmpq


def simplest(lower: fmpq, upper: fmpq) -> fmpq:
    """Return the rational of least denominator strictly between two.

    >>> simplest(fmpq(1, 3), fmpq(1, 2))
    2/5
    """
    floor = lower.floor()
    if floor + 1 < upper:
        return fmpq(floor + 1)
    if lower == floor:  # upper <= floor + 1: floor + 1/k with the least k
        return fmpq(floor) + fmpq(1, (1 / (upper - floor)).floor() + 1)
    return floor + 1 / simplest(1 / (upper - floor), 1 / (lower - floor))
