"""Exact sums of logarithms: Σ cᵢ log aᵢ with rational cᵢ and positive rational aᵢ.

The logarithms of the primes are linearly independent over the rationals (unique factorisation),
so a sum that is written over them is 0 exactly where all its coefficients are. Divergences of
finite laws with rational masses are such sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

from flint import arb, ctx, fmpz


@dataclass(frozen=True)
class LogSum:
    """Σ c log p over primes p.

    >>> half, six = log_of_rational(Fraction(1, 2)), log_of_rational(Fraction(6))
    >>> half + six == log_of_rational(Fraction(3))
    True
    """

    primes: Mapping[int, Fraction] = field(default_factory=dict)

    def __add__(self, other: LogSum) -> LogSum:
        merged = dict(self.primes)
        for prime, power in other.primes.items():
            merged[prime] = merged.get(prime, Fraction(0)) + power
        return LogSum({prime: power for prime, power in merged.items() if power})

    def __mul__(self, factor: Fraction | int) -> LogSum:
        powers = {prime: power * factor for prime, power in self.primes.items()}
        return LogSum({prime: power for prime, power in powers.items() if power})

    __rmul__ = __mul__

    def __neg__(self) -> LogSum:
        return self * -1

    def __sub__(self, other: LogSum) -> LogSum:
        return self + -other

    def __lt__(self, other: LogSum) -> bool:
        return (self - other).sign < 0

    def __le__(self, other: LogSum) -> bool:
        return (self - other).sign <= 0

    @property
    def sign(self) -> int:
        """-1, 0 or 1: 0 is exact, and a sum that is not 0 is told from it in balls."""
        if not self.primes:
            return 0
        bits = 64
        while True:
            ball = self.ball(bits)
            if ball > 0:
                return 1
            if ball < 0:
                return -1
            bits *= 2

    def ball(self, bits: int = 128) -> arb:
        """Return a ball that holds the sum."""
        before = ctx.prec
        ctx.prec = bits
        try:
            terms = (
                arb(c.numerator) / c.denominator * arb(p).log() for p, c in self.primes.items()
            )
            return sum(terms, arb(0))
        finally:
            ctx.prec = before

    def __float__(self) -> float:
        return float(self.ball().mid())


@cache
def log_of_rational(a: Fraction) -> LogSum:
    """Return log a of a positive rational number."""
    if a <= 0:
        raise ValueError(f"log {a} is not real")
    powers: dict[int, Fraction] = {}
    for number, sign in ((a.numerator, 1), (a.denominator, -1)):
        for prime, power in fmpz(number).factor():
            powers[int(prime)] = Fraction(sign * int(power))
    return LogSum(powers)


def total(terms: Iterable[LogSum]) -> LogSum:
    """Return the sum of some sums."""
    return sum(terms, LogSum())
