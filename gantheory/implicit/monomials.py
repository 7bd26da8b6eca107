"""Monomials at infinity, exp(Σ k·s^p)·s^e·(log s)^l: their order, and bounds for all s ≥ S."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from flint import arb, fmpq

from gantheory.deadline import Undecided
from gantheory.implicit.constants import (
    MINUS,
    ZERO,
    Exact,
    ball_of,
    coefficient_sign,
    plus,
    product_of,
)

Rates = tuple[tuple[fmpq, Exact], ...]


class NotSmall(Undecided):
    """A bound fails for all s ≥ S: a larger S may do."""


def _raised(s: arb, p: fmpq) -> arb:
    return s ** int(p) if p.q == 1 else (s.log() * ball_of(p)).exp()


def _joined(one: Rates, other: Rates) -> Rates:
    """Add rates, those of the largest powers first, and leave out what cancels."""
    if not one or not other:
        return one or other
    (p, k), (q, m) = one[0], other[0]
    if p != q:
        first, rest = (one[0], (one[1:], other)) if p > q else (other[0], (one, other[1:]))
        return (first, *_joined(*rest))
    total, left = plus(k, m), _joined(one[1:], other[1:])
    return ((p, total), *left) if coefficient_sign(total) else left


@dataclass(frozen=True, slots=True)
class Monomial:
    """exp(Σ k·s^p)·s^power·(log s)^logs, with ``rates`` the pairs (p, k), largest p first."""

    rates: Rates = ()
    power: fmpq = ZERO
    logs: fmpq = ZERO

    def __hash__(self) -> int:  # that of a fraction is slow
        return hash((len(self.rates), int(self.power.p), int(self.power.q), int(self.logs.p)))

    def __mul__(self, other: Monomial) -> Monomial:
        rates = _joined(self.rates, other.rates)
        return Monomial(rates, self.power + other.power, self.logs + other.logs)

    def __pow__(self, e: fmpq) -> Monomial:
        rates = tuple((p, product_of(k, e)) for p, k in self.rates if e)
        return Monomial(rates, self.power * e, self.logs * e)

    def over(self, other: Monomial) -> Monomial:
        """Return the quotient."""
        if self.rates == other.rates:
            return Monomial((), self.power - other.power, self.logs - other.logs)
        return self * other**MINUS

    @property
    def order(self) -> int:
        """1 where it grows without bound, -1 where it vanishes, 0 where it is constant."""
        for _, k in self.rates:
            return coefficient_sign(k)
        leading = self.power or self.logs
        return (leading > 0) - (leading < 0)

    def at(self, s: arb) -> arb:
        """Return the value at s."""
        total = ball_of(self.power) * s.log()
        for p, k in self.rates:
            total += ball_of(k) * _raised(s, p)
        if self.logs:
            total += ball_of(self.logs) * s.log().log()
        return total.exp()

    def fall(self, s: arb) -> arb:
        """Return a lower bound on −d log m/d log s, for all arguments from s on.

        Divided by the power s^p of the fastest rate, every other term shrinks as s grows, so
        that those against it are largest at s itself.
        """
        top = self.rates[0][0] if self.rates else ZERO
        parts = [(p - top, -ball_of(k) * ball_of(p)) for p, k in self.rates]
        total = arb(0)
        for shift, c in (*parts, (-top, -ball_of(self.power))):
            if shift == 0:
                total += c
            elif c < 0:
                total += c * _raised(s, shift)
        if self.logs > 0:
            total -= ball_of(self.logs) * _raised(s, -top) / s.log()
        return total * _raised(s, top) if total > 0 else total

    @lru_cache(maxsize=8192)  # noqa: B019 (monomials are few and small)
    def bound(self, start: int) -> arb:
        """Return a bound on it for all arguments from ``start`` on."""
        s = arb(start)
        if self.order == 0:
            return arb(1)
        if self.order > 0:
            raise NotSmall("a term grows")
        if not self.rates and not self.power:
            return self.at(s)
        if not self.fall(s) > 0:
            raise NotSmall("a term does not fall from there on")
        return self.at(s)


CONSTANT = Monomial()


def compared(one: Monomial, other: Monomial) -> int:
    if one.rates == other.rates:
        mine, its = (one.power, one.logs), (other.power, other.logs)
        return (its > mine) - (its < mine)
    return other.over(one).order
