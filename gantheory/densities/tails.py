r"""Tails: how a log-density behaves at an end of its support, as exact orders of growth.

Whether an integral is finite is decided by these orders, before any quadrature. They are rational
functions of the parameters, which are binary64 numbers, so they are kept and compared as fractions:
a threshold is met exactly or not at all, however near to it the parameters are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import cmp_to_key
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

Number = Fraction | float  # a float given to a tail becomes the fraction that it is
# weight·(Y/scale)^exponent with Y = y at an infinite end and 1/y at a finite one
Power = tuple[Number, Number, Number]
EXPANDED = 8  # terms of a shifted power: two laws that agree in the first two agree in all


@dataclass(frozen=True)
class Tail:
    r"""The growth of log p at one end, by coefficients of a fixed scale of terms.

    At an infinite end y = abs(x) → ∞ and L = log y; at a finite end y is the distance to it,
    y → 0 and L = −log y (the terms y² and y are then absent):

    .. math:: \log p = -e^{\text{lift} + \text{rate}\,y} + \text{square}\,y^2
              + \text{linear}\,y + \text{logsquare}\,L^2 + \text{log}\,L + O(1)

    with the double exponential present where ``rate > 0``. Other ``powers``, such as those of a
    Weibull law, are added as (exponent, scale, weight): weight·(y/scale)^exponent, or at a finite
    end weight·(scale·y)^−exponent, exponents being positive. Locations are absorbed into the lower
    coefficients, so two laws on one axis can be combined.
    """

    finite: bool = False
    rate: Number = Fraction(0)
    lift: Number = Fraction(0)
    square: Number = Fraction(0)
    linear: Number = Fraction(0)
    logsquare: Number = Fraction(0)
    log: Number = Fraction(0)
    powers: tuple[Power, ...] = ()

    def __post_init__(self) -> None:
        for name in ORDERS:
            if not isinstance(value := getattr(self, name), Fraction):
                object.__setattr__(self, name, Fraction(value))
        if self.powers:
            self._sort_powers()

    def _sort_powers(self) -> None:
        """Keep powers that grow, and write those of order 1 and 2 at infinity as such."""
        kept = []
        for power in self.powers:
            exponent, scale, weight = (Fraction(number) for number in power)
            if not self.finite and exponent in (1, 2):
                name = "square" if exponent == 2 else "linear"
                own = getattr(self, name) + weight / scale ** int(exponent)
                object.__setattr__(self, name, own)
            elif exponent > 0 and weight:
                kept.append((exponent, scale, weight))
        object.__setattr__(self, "powers", tuple(sorted(kept, reverse=True)))

    @property
    def order(self) -> Any:
        """A key that sorts tails at one end by how heavy they are."""
        return _heavier_than(self)

    @property
    def is_constant(self) -> bool:
        """Whether log p stays bounded at this end."""
        return not self.powers and not any(getattr(self, name) for name in ORDERS)

    @property
    def is_algebraic(self) -> bool:
        """Whether the density is of the order of a power of y."""
        return not (self.powers or self.rate or self.square or self.linear or self.logsquare)

    @property
    def is_unbounded(self) -> bool:
        """Whether the density tends to infinity at this end."""
        return Growing.of(1, self, 0, self).direction > 0

    def at(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return the growth at distances y, without the O(1)."""
        long = -np.log(y) if self.finite else np.log(y)
        terms = (self.square, self.linear, self.logsquare, self.log, self.rate, self.lift)
        square, linear, logsquare, log, rate, lift = map(float, terms)
        double = np.exp(lift + rate * y) if rate else 0.0
        value = square * y**2 + linear * y + logsquare * long**2 + log * long - double
        for exponent, scale, weight in (tuple(map(float, power)) for power in self.powers):
            value = value + weight * np.exp(exponent * (long - math.log(scale)))
        return np.asarray(value)

    def __str__(self) -> str:
        y, long = ("y", "log(y)") if not self.finite else ("y", "log(1/y)")
        terms = [(self.square, f"{y}^2"), (self.linear, y), (self.logsquare, f"{long}^2")]
        terms.append((self.log, long))
        lift, rate = float(self.lift), float(self.rate)
        double = f"-exp({lift:g} + {rate:g} y)" if self.rate else ""
        powers = [f"{float(w):+g} (Y/{float(s):g})^{float(c):g}" for c, s, w in self.powers]
        powers = [term.replace("Y", "1/y" if self.finite else "y") for term in powers]
        known = (f"{float(c):+g} {name}" for c, name in terms if c)
        found = " ".join([double, *powers, *known]).strip()
        return found or "constant"

    def affine(self, loc: float, scale: float) -> Tail:
        """Return the tail of loc + scale·X at the image of this end (``scale`` may be < 0)."""
        size, shift = Fraction(abs(scale)), Fraction(loc)
        stretched = 2 * self.logsquare * Fraction(math.log(size)) if self.logsquare else 0
        if self.finite:
            powers = tuple((c, Fraction(s) / size, w) for c, s, w in self.powers)
            return replace(self, log=self.log + stretched, powers=powers)
        # y' = |loc + scale x|, so y = (y' - s)/size with s the signed shift toward this end
        return replace(
            self,
            rate=self.rate / size,
            lift=self.lift - self.rate * shift / size,
            square=self.square / size**2,
            linear=self.linear / size - 2 * self.square * shift / size**2,
            log=self.log - stretched,
            powers=tuple(term for power in self.powers for term in _shifted(power, shift, size)),
        )


def _shifted(power: Any, shift: Fraction, size: Fraction) -> Iterator[Power]:
    """Return the terms of weight·((y − shift)/(size·scale))^exponent that grow, by binomials."""
    exponent, scale, weight = power
    scale = scale * size
    for k in range(EXPANDED):
        if exponent <= k or not weight:
            return
        yield exponent - k, scale, weight
        weight = weight * (exponent - k) / (k + 1) * -shift / scale


@cmp_to_key
def _heavier_than(one: Any, other: Any) -> int:
    return Growing.of(1, one, -1, other).direction


ORDERS = tuple(f.name for f in fields(Tail) if f.name not in ("finite", "powers"))
CONSTANT = Tail(finite=True)


def heavier(tails: list[Tail]) -> Tail:
    """Return the tail that dominates a sum of densities."""
    distinct = list(dict.fromkeys(tails))  # comparing is slower than hashing
    return max(distinct, key=lambda tail: tail.order) if len(distinct) > 1 else distinct[0]


@dataclass(frozen=True)
class Growing:
    """The order of growth of the logarithm of a product of powers of two densities."""

    finite: bool
    doubles: tuple[tuple[Number, Number, Number], ...]  # (rate, lift, coefficient)
    square: Number
    linear: Number
    logsquare: Number
    log: Number
    powers: tuple[Power, ...] = ()

    @classmethod
    def of(cls, a: Number, p: Tail, b: Number, q: Tail) -> Growing:
        """Return the growth of a·log p + b·log q."""
        doubles = tuple((t.rate, t.lift, -c) for c, t in ((a, p), (b, q)) if t.rate and c)
        names = ("square", "linear", "logsquare", "log")
        pairs = [(getattr(p, name), getattr(q, name)) for name in names]
        powers = tuple((e, s, w * Fraction(c)) for c, t in ((a, p), (b, q)) for e, s, w in t.powers)
        # most are 0, and sums of fractions are slow
        sums = [(a * x if x else 0) + (b * y if y else 0) for x, y in pairs]
        return cls(p.finite, doubles, sums[0], sums[1], sums[2], sums[3], powers)

    @property
    def double(self) -> int:
        """The sign of the fastest double exponential's coefficient."""
        rate = max((rate for rate, _, _ in self.doubles), default=0)
        return _sign_of_sum([(c, lift) for r, lift, c in self.doubles if r == rate])

    @property
    def power(self) -> tuple[Number, int]:
        """The exponent and the sign of the fastest power of y (1/y at a finite end), or 0 and 0."""
        by_exponent: dict[Number, list[tuple[Fraction, Fraction]]] = {}
        for exponent, scale, weight in self.powers:
            by_exponent.setdefault(exponent, []).append((Fraction(weight), Fraction(scale)))
        for order, plain in ((2, self.square), (1, self.linear)):
            if plain:
                by_exponent[order] = [(Fraction(plain), Fraction(1))]
        for fastest in sorted(by_exponent, reverse=True):
            if sign := _sign_of_powers(Fraction(fastest), by_exponent[fastest]):
                return fastest, sign
        return 0, 0

    @property
    def direction(self) -> int:
        """Whether the logarithm tends to +∞ (1), to −∞ (−1) or stays bounded (0)."""
        terms = (self.double, self.power[1], self.logsquare, self.log)
        return next((1 if term > 0 else -1 for term in terms if term), 0)

    def times_logs(self, logs: int, u: Growing) -> Growing:
        """Return the growth after multiplying by abs(u)**logs."""
        if not logs:
            return self
        if u.double:
            rate = max(rate for rate, _, _ in u.doubles)
            return replace(self, linear=self.linear + logs * rate)
        return replace(self, log=self.log + logs * u.power[0])

    @property
    def integrable(self) -> bool:
        """Whether the exponential of this growth has a finite integral at the end."""
        for term in (self.double, self.power[1], self.logsquare):
            if term:
                return term < 0
        return self.log < (1 if self.finite else -1)


def _sign_of_powers(exponent: Fraction, terms: list[tuple[Fraction, Fraction]]) -> int:
    """Return the sign of Σ weight·scale^−exponent, exactly, of terms of at most two scales."""
    by_scale: dict[Fraction, Fraction] = {}
    for weight, scale in terms:
        by_scale[scale] = by_scale.get(scale, Fraction(0)) + weight
    kept = [(weight, scale) for scale, weight in by_scale.items() if weight]
    if len({weight > 0 for weight, _ in kept}) < 2:
        return 0 if not kept else 1 if kept[0][0] > 0 else -1
    (v, a), (w, b) = kept
    above = 1 if v > 0 else -1  # where (b/a)^exponent is more than −w/v
    if _is_power(-w / v, b / a, exponent):
        return 0
    digits = 30
    while True:  # ends: the two are not equal
        with mpmath.workdps(digits):
            grown, level = mpmath.log(_exactly(b / a)), mpmath.log(_exactly(-w / v))
            gap = _exactly(exponent) * grown - level
            if abs(gap) > mpmath.mpf(10) ** (10 - digits) * (1 + abs(level)):
                return above if gap > 0 else -above
        digits *= 4


def _is_power(number: Fraction, base: Fraction, exponent: Fraction) -> bool:
    """Whether number = base^exponent exactly.

    With exponent m/n in lowest terms both must be powers of one fraction t: base t^n, number t^m.
    """
    m, n = exponent.numerator, exponent.denominator
    if base == 1 or number == 1:
        return base == number
    if base < 1:
        base, number = 1 / base, 1 / number
    root = tuple(_root_of(part, n) for part in (base.numerator, base.denominator))
    if None in root:
        return False
    t = Fraction(*root)  # type: ignore[arg-type]
    size = m * max(t.numerator.bit_length(), t.denominator.bit_length())
    return size < 1 << 16 and t**m == number  # a larger one is no quotient of weights


def _root_of(whole: int, n: int) -> int | None:
    """Return the n-th root of a whole number where it is one."""
    if whole == 1:
        return 1
    if n > whole.bit_length():
        return None
    low, high = 1, 1 << (whole.bit_length() // n + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**n <= whole else (low, middle - 1)
    return low if low**n == whole else None


def _exactly(x: Fraction) -> Any:
    return mpmath.mpf(x.numerator) / x.denominator


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
            apart = _exactly(Fraction(lift - below))
            gap = apart - mpmath.log(_exactly(Fraction(-other / c)))
            if abs(gap) > mpmath.mpf(10) ** (10 - digits) * (1 + abs(apart)):
                return (1 if gap > 0 else -1) * (1 if c > 0 else -1)
    return 0
