r"""Tails: how a log-density behaves at an end of its support, as exact orders of growth.

Whether an integral is finite is decided by these orders, before any quadrature. They are rational
functions of the parameters, which are binary64 numbers, so they are kept and compared as fractions:
a threshold is met exactly or not at all, however near to it the parameters are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

Number = Fraction | float  # a float given to a tail becomes the fraction that it is


@dataclass(frozen=True)
class Tail:
    r"""The growth of log p at one end, by coefficients of a fixed scale of terms.

    At an infinite end y = abs(x) → ∞ and L = log y; at a finite end y is the distance to it,
    y → 0 and L = −log y (the terms y² and y are then absent):

    .. math:: \log p = -e^{\text{lift} + \text{rate}\,y} + \text{square}\,y^2
              + \text{linear}\,y + \text{logsquare}\,L^2 + \text{log}\,L + O(1)

    with the double exponential present where ``rate > 0``. Locations are absorbed into the lower
    coefficients, so two laws on one axis can be combined.
    """

    finite: bool = False
    rate: Number = Fraction(0)
    lift: Number = Fraction(0)
    square: Number = Fraction(0)
    linear: Number = Fraction(0)
    logsquare: Number = Fraction(0)
    log: Number = Fraction(0)

    def __post_init__(self) -> None:
        for name in ORDERS:
            if not isinstance(value := getattr(self, name), Fraction):
                object.__setattr__(self, name, Fraction(value))

    @property
    def order(self) -> tuple[Number, ...]:
        """The coefficients from the fastest-growing term down, for comparing two tails."""
        double = (-self.rate, -self.lift) if self.rate else (0, 0)
        return (*double, self.square, self.linear, self.logsquare, self.log)

    @property
    def is_constant(self) -> bool:
        """Whether log p stays bounded at this end."""
        return not any(getattr(self, name) for name in ORDERS)

    def at(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return the growth at distances y, without the O(1)."""
        long = -np.log(y) if self.finite else np.log(y)
        terms = (self.square, self.linear, self.logsquare, self.log, self.rate, self.lift)
        square, linear, logsquare, log, rate, lift = map(float, terms)
        double = np.exp(lift + rate * y) if rate else 0.0
        return np.asarray(square * y**2 + linear * y + logsquare * long**2 + log * long - double)

    def __str__(self) -> str:
        y, long = ("y", "log(y)") if not self.finite else ("y", "log(1/y)")
        terms = [(self.square, f"{y}^2"), (self.linear, y), (self.logsquare, f"{long}^2")]
        terms.append((self.log, long))
        lift, rate = float(self.lift), float(self.rate)
        double = f"-exp({lift:g} + {rate:g} y)" if self.rate else ""
        found = " ".join([double, *(f"{float(c):+g} {name}" for c, name in terms if c)]).strip()
        return found or "constant"

    def affine(self, loc: float, scale: float) -> Tail:
        """Return the tail of loc + scale·X at the image of this end (``scale`` may be < 0)."""
        size, shift = Fraction(abs(scale)), Fraction(loc)
        stretched = 2 * self.logsquare * Fraction(math.log(size)) if self.logsquare else 0
        if self.finite:
            return replace(self, log=self.log + stretched)
        # y' = |loc + scale x|, so y = (y' - s)/size with s the signed shift toward this end
        return replace(
            self,
            rate=self.rate / size,
            lift=self.lift - self.rate * shift / size,
            square=self.square / size**2,
            linear=self.linear / size - 2 * self.square * shift / size**2,
            log=self.log - stretched,
        )


ORDERS = tuple(f.name for f in fields(Tail) if f.name != "finite")
CONSTANT = Tail(finite=True)


def heavier(tails: list[Tail]) -> Tail:
    """Return the tail that dominates a sum of densities."""
    return max(tails, key=lambda tail: tail.order)


@dataclass(frozen=True)
class Growing:
    """The order of growth of the logarithm of a product of powers of two densities."""

    finite: bool
    doubles: tuple[tuple[Number, Number, Number], ...]  # (rate, lift, coefficient)
    square: Number
    linear: Number
    logsquare: Number
    log: Number

    @classmethod
    def of(cls, a: Number, p: Tail, b: Number, q: Tail) -> Growing:
        """Return the growth of a·log p + b·log q."""
        doubles = tuple((t.rate, t.lift, -c) for c, t in ((a, p), (b, q)) if t.rate and c)
        names = ("square", "linear", "logsquare", "log")
        pairs = [(getattr(p, name), getattr(q, name)) for name in names]
        # most are 0, and sums of fractions are slow
        return cls(
            p.finite, doubles, *((a * x if x else 0) + (b * y if y else 0) for x, y in pairs)
        )

    @property
    def double(self) -> int:
        """The sign of the fastest double exponential's coefficient."""
        rate = max((rate for rate, _, _ in self.doubles), default=0)
        return _sign_of_sum([(c, lift) for r, lift, c in self.doubles if r == rate])

    @property
    def direction(self) -> int:
        """Whether the logarithm tends to +∞ (1), to −∞ (−1) or stays bounded (0)."""
        terms = (self.double, self.square, self.linear, self.logsquare, self.log)
        return next((1 if term > 0 else -1 for term in terms if term), 0)

    def times_logs(self, logs: int, u: Growing) -> Growing:
        """Return the growth after multiplying by abs(u)**logs."""
        if not logs or self.finite:
            return self
        if u.double:
            rate = max(rate for rate, _, _ in u.doubles)
            return replace(self, linear=self.linear + logs * rate)
        power = 2 if u.square else 1 if u.linear else 0
        return replace(self, log=self.log + logs * power)

    @property
    def integrable(self) -> bool:
        """Whether the exponential of this growth has a finite integral at the end."""
        for term in (self.double, self.square, self.linear, self.logsquare):
            if term:
                return term < 0
        return self.log < (1 if self.finite else -1)


def _sign_of_sum(terms: list[tuple[Number, Number]]) -> int:
    """Return the sign of Σ c·e^lift, which is 0 only where equal lifts cancel (Lindemann)."""
    by_lift: dict[Number, Number] = {}
    for c, lift in terms:
        by_lift[lift] = by_lift.get(lift, 0) + c
    kept = [(c, lift) for lift, c in by_lift.items() if c]
    if len({c > 0 for c, _ in kept}) < 2:
        return 0 if not kept else 1 if kept[0][0] > 0 else -1
    (c, lift), (other, below) = kept
    for digits in (30, 300, 3000):
        with mpmath.workdps(digits):
            apart = (
                mpmath.mpf(Fraction(lift - below).numerator) / Fraction(lift - below).denominator
            )
            ratio = Fraction(-other / c)
            gap = apart - mpmath.log(mpmath.mpf(ratio.numerator) / ratio.denominator)
            if abs(gap) > mpmath.mpf(10) ** (10 - digits) * (1 + abs(apart)):
                return (1 if gap > 0 else -1) * (1 if c > 0 else -1)
    return 0
