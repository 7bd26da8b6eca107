r"""Pairs of laws on two points: where a false inequality between divergences is shown to fail.

Every vector of f-divergences of a pair of laws is an average of such vectors for pairs on two
points, because a law of r with mean 1 is a mixture of ones on {r₁ ≤ 1 ≤ r₂}. Two points therefore
refute every false linear inequality, and decide every one whose region is convex
(P. Harremoës, I. Vajda, 2011, "On pairs of f-divergences and their joint range",
arXiv:1007.0097).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp
from flint import arb, ctx, fmpq

from gantheory.divergences import FDivergence
from gantheory.exact.signs.balls import enclose
from gantheory.theory.branches import Branches, combined_generator, enclose_form

BITS = 512  # ratios within 2^-136 of 1 leave differences of second order 72 digits


@dataclass(frozen=True)
class Laws:
    """Two laws on the same few points, with exact rational probabilities."""

    p: tuple[sp.Rational, ...]
    q: tuple[sp.Rational, ...]

    def __str__(self) -> str:
        return f"P = {_listed(self.p)}, Q = {_listed(self.q)}"


def _listed(law: tuple[sp.Rational, ...]) -> str:
    return f"({', '.join(map(str, law))})"


def two_points(p: sp.Rational, q: sp.Rational) -> Laws:
    """Return P = (p, 1 − p) and Q = (q, 1 − q)."""
    return Laws((p, 1 - p), (q, 1 - q))


EQUAL = two_points(sp.Rational(1, 2), sp.Rational(1, 2))


def divergence_of(entry: FDivergence, laws: Laws) -> arb | None:
    """Return an enclosure of the divergence of two laws; None where it is +∞."""
    total = arb(0)
    for p, q in zip(laws.p, laws.q, strict=True):
        part = _share(entry, p, q)
        if part is None:
            return None
        total += part
    return total


def _share(entry: FDivergence, p: sp.Rational, q: sp.Rational) -> arb | None:
    """Return q·f(p/q), with f(0)·q and f'(∞)·p where one of them is zero."""
    with ctx.workprec(BITS):
        if p == 0 and q == 0:
            return arb(0)
        if p == 0 or q == 0:
            h = combined_generator({entry: sp.Integer(1)})
            end = h.at_zero() if p == 0 else h.slope_at_infinity()
            return None if isinstance(end, int) else enclose_form(end) * _ball(p + q)
        x = sp.root(p / q, _plain(entry).root)
        if x.is_Rational:
            return _plain(entry).value(fmpq(int(x.p), int(x.q))) * _ball(q)
        return _value_of_generator(entry, p / q) * _ball(q)


@lru_cache(maxsize=256)
def _plain(entry: FDivergence) -> Branches:
    return combined_generator({entry: sp.Integer(1)})


def _value_of_generator(entry: FDivergence, ratio: sp.Rational) -> arb:
    from gantheory.functions import r
    from gantheory.theory.branches import generator_formula

    return enclose(generator_formula(entry), {r: _ball(ratio)})


def _ball(value: sp.Rational) -> arb:
    return arb(fmpq(int(value.p), int(value.q)))


def enclosed_value(
    expression: sp.Expr, divergences: Mapping[sp.Symbol, FDivergence], laws: Laws
) -> arb | None:
    """Return an enclosure of an expression in divergences; None where one of them is infinite."""
    with ctx.workprec(BITS):
        values = {}
        for symbol in expression.free_symbols:
            value = divergence_of(divergences[symbol], laws)
            if value is None:
                return None
            values[symbol] = value
        return enclose(expression, values)


def infinite_ones(divergences: Mapping[sp.Symbol, FDivergence], laws: Laws) -> set[sp.Symbol]:
    """Return the symbols of the divergences that are infinite on two laws."""
    return {symbol for symbol, entry in divergences.items() if divergence_of(entry, laws) is None}


def laws_of(low: fmpq, high: fmpq) -> Laws:
    """Return the laws whose ratio p/q takes the values low < 1 < high."""
    weight = (high - 1) / (high - low)
    return two_points(_rational(weight * low), _rational(weight))


def _rational(value: fmpq) -> sp.Rational:
    return sp.Rational(int(value.p), int(value.q))


def grids() -> Iterator[tuple[list[fmpq], list[fmpq]]]:
    """Yield ratios x below and above 1, coarse first: a short counterexample is worth more."""
    eighths = {fmpq(k, 8) for k in range(1, 8)}
    for size in (3, 5, 8, 12, 16, 24, 64):
        far = {fmpq(k, 2**j) for j in range(3, size + 1) for k in (1, 3)}
        close = {1 - fmpq(1, 2**j) for j in range(3, min(size, 32) + 1)}
        below = sorted(eighths | far | close)
        yield below, [1 / x for x in below]
