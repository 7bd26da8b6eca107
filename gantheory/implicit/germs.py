r"""Functions near infinity: finitely many exact terms and a bound on all that is left out.

A germ stands for a function of s that is

.. math:: f(s) = \sum_i c_i\, m_i(s) + R(s), \qquad |R(s)| \le \varepsilon\, m_R(s)
   \quad\text{for all } s \ge S,

with constants c_i in exact form and monomials
:math:`m = \exp(\sum_j k_j s^{p_j})\, s^e\, (\log s)^l`. Its sign is that of its leading term
wherever the other terms, bounded by balls on all of [S, ∞), cannot reach it, so that a sign is
proved for every s ≥ S and a limit is exact. An end of a domain at a finite score p is reached as
t = p ± 1/s.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cmp_to_key, lru_cache, reduce

import sympy as sp
from flint import arb, arb_series, fmpq

from gantheory.deadline import Undecided, check_time
from gantheory.exact.derivative import derivative
from gantheory.exact.signs.balls import enclose
from gantheory.implicit.constants import (
    MINUS,
    ONE,
    ZERO,
    Exact,
    as_sympy,
    ball_of,
    coefficient_sign,
    exactly,
    plus,
    product_of,
    raised,
)
from gantheory.implicit.monomials import CONSTANT, Monomial, NotSmall, compared

TERMS = 6  # kept in each germ: derivatives of payoffs cancel two or three
EXPONENTIAL = tuple(fmpq(1, math.factorial(k)) for k in range(TERMS))
LOGARITHM = (ZERO, *(fmpq((-1) ** (k + 1), k) for k in range(1, TERMS)))


def _is_lost(term: tuple[Monomial, Exact], bounds: Sequence[tuple[arb, Monomial]]) -> bool:
    """Whether what is left out may be larger than a term."""
    m, c = term
    orders = [(n.over(m).order, size) for size, n in bounds]
    return any(order > 0 or (order == 0 and not size < abs(ball_of(c))) for order, size in orders)


@dataclass(frozen=True)
class Germ:
    """Terms (monomial -> constant) in falling order, and a bound (ball, monomial) on the rest."""

    start: int
    terms: tuple[tuple[Monomial, Exact], ...]
    rest: tuple[arb, Monomial] | None = None

    @classmethod
    def of(
        cls, start: int, terms: Mapping[Monomial, Exact], *rests: tuple[arb, Monomial] | None
    ) -> Germ:
        """Sort the terms, drop zeros, and put what is too small or too much into the rest."""
        ordered = sorted(terms, key=cmp_to_key(compared))
        kept = [(m, c) for m in ordered if coefficient_sign(c := terms[m])]
        missed = [rest for rest in rests if rest is not None and not rest[0].is_zero()]
        bounds = list(missed)
        while kept and (len(kept) > TERMS or _is_lost(kept[-1], missed)):
            m, c = kept.pop()
            bounds.append((abs(ball_of(c)), m))
        if not bounds:
            return cls(start, tuple(kept))
        top = min((m for _, m in bounds), key=cmp_to_key(compared))
        size = sum((b * m.over(top).bound(start) for b, m in bounds), arb(0))
        return cls(start, tuple(kept), (size.abs_upper(), top))

    @classmethod
    def constant(cls, start: int, value: sp.Expr) -> Germ:
        """Return a constant."""
        return cls.of(start, {CONSTANT: exactly(value)})

    @property
    def lead(self) -> tuple[Monomial, Exact]:
        """The leading term.

        Raises:
            Undecided: where all known terms cancel.
        """
        if self.terms:
            return self.terms[0]
        raise Undecided("the leading terms cancel near an end of the domain")

    @property
    def is_zero(self) -> bool:
        """Whether it is 0 and nothing else."""
        return not self.terms and self.rest is None

    def scaled(self, factor: Exact) -> Germ:
        """Return a multiple."""
        if factor == 0:
            return Germ.of(self.start, {})
        rest = self.rest and ((self.rest[0] * abs(ball_of(factor))).abs_upper(), self.rest[1])
        return Germ(self.start, tuple((m, product_of(c, factor)) for m, c in self.terms), rest)

    def __add__(self, other: Germ) -> Germ:
        terms = dict(self.terms)
        for m, c in other.terms:
            terms[m] = plus(terms.get(m, ZERO), c)
        return Germ.of(self.start, terms, self.rest, other.rest)

    def __neg__(self) -> Germ:
        return Germ(self.start, tuple((m, -c) for m, c in self.terms), self.rest)

    def __sub__(self, other: Germ) -> Germ:
        return self + (-other)

    def __mul__(self, other: Germ) -> Germ:
        terms: dict[Monomial, Exact] = {}
        for m, c in self.terms:
            for n, d in other.terms:
                product = m * n
                terms[product] = plus(terms.get(product, ZERO), product_of(c, d))
        rests = []
        for one, two in ((self, other), (other, self)):
            if one.rest is not None and not two.is_zero:
                size, m = two.size()
                rests.append((one.rest[0] * size, one.rest[1] * m))
        return Germ.of(self.start, terms, *rests)

    def size(self) -> tuple[arb, Monomial]:
        """Return (C, m) with abs(f) ≤ C·m for all s ≥ S."""
        if not self.terms:
            return self.rest or (arb(0), CONSTANT)
        top = self.terms[0][0]
        total = sum(
            (abs(ball_of(c)) * m.over(top).bound(self.start) for m, c in self.terms), arb(0)
        )
        if self.rest is not None:
            total += self.rest[0] * self.rest[1].over(top).bound(self.start)
        return total, top

    def without_lead(self) -> Germ:
        """Return δ in f = c·m·(1 + δ)."""
        m, c = self.lead
        inverse = raised(c, MINUS)
        terms = {n.over(m): product_of(d, inverse) for n, d in self.terms[1:]}
        rest = self.rest and (self.rest[0] / abs(ball_of(c)), self.rest[1].over(m))
        return Germ.of(self.start, terms, rest)

    def small(self) -> arb:
        """Return a bound on abs(f) where it vanishes at infinity."""
        size, m = self.size()
        return size * m.bound(self.start)

    def sign(self) -> int:
        """Return its one sign for all s ≥ S.

        Raises:
            NotSmall: where the terms after the first may outweigh it.
        """
        if self.is_zero:
            return 0
        _, c = self.lead
        if not self.without_lead().small() < 1:
            raise NotSmall("the leading term does not decide the sign yet")
        return coefficient_sign(c)

    def limit(self) -> sp.Expr:
        """Return its exact limit; infinities included."""
        if self.is_zero or (not self.terms and self.rest and self.rest[1].order < 0):
            return sp.Integer(0)
        if not self.terms:
            raise Undecided("a function oscillates near an end of the domain")
        m, c = self.lead
        if m.order > 0:
            return self.sign() * sp.oo
        if m.order == 0 and self.rest is not None and self.rest[1].order == 0:
            raise Undecided("a function oscillates near an end of the domain")
        return as_sympy(c) if m.order == 0 else sp.Integer(0)

    def power(self, e: fmpq) -> Germ:
        """Return f^e."""
        if e.q == 1 and 1 <= e <= 4:
            return reduce(operator.mul, [self] * int(e))
        m, c = self.lead
        if e.q != 1 and coefficient_sign(c) < 0:
            raise Undecided("a root of a negative number near an end of the domain")
        delta = self.without_lead()
        grown = composed(binomials(e), lambda z: _power(1 + z, e), delta)
        front = Germ(self.start, ((m**e, raised(c, e)),))
        return front * grown

    def log(self) -> Germ:
        """Return log f."""
        m, c = self.lead
        if coefficient_sign(c) < 0 or m.logs:
            raise Undecided("a logarithm near an end of the domain has no expansion here")
        terms: dict[Monomial, Exact] = {
            CONSTANT: exactly(sp.log(as_sympy(c))),
            Monomial(logs=ONE): m.power,
        }
        for p, k in m.rates:
            terms[Monomial(power=p)] = k
        delta = self.without_lead()
        return Germ.of(self.start, terms) + composed(LOGARITHM, lambda z: (1 + z).log(), delta)

    def parted(self) -> tuple[Germ, sp.Expr, Germ]:
        """Return f as what grows, a constant and what vanishes."""
        if self.rest is not None and self.rest[1].order >= 0:
            raise Undecided("an expansion near an end of the domain has too few terms")
        grows = {m: c for m, c in self.terms if m.order > 0}
        constant = as_sympy(dict(self.terms).get(CONSTANT, ZERO))
        falls = {m: c for m, c in self.terms if m.order < 0}
        return Germ.of(self.start, grows), constant, Germ.of(self.start, falls, self.rest)

    def exp(self) -> Germ:
        """Return exp f, where what grows in f are powers of s and multiples of log s."""
        grows, constant, falls = self.parted()
        front, factor = CONSTANT, exactly(sp.exp(constant))
        for m, c in grows.terms:
            if m == Monomial(logs=ONE) and isinstance(c, fmpq):
                front = front * Monomial(power=c)
            elif not m.rates and not m.logs:
                front = front * Monomial(((m.power, c),))
            else:
                raise Undecided("an exponential near an end of the domain has no expansion here")
        grown = composed(EXPONENTIAL, arb_series.exp, falls)
        return Germ(self.start, ((front, factor),)) * grown


def _power(z: arb_series, e: fmpq) -> arb_series:
    return (z.log() * ball_of(e)).exp()


@lru_cache(maxsize=512)
def taylor(function: Callable[[sp.Expr], sp.Expr], at: sp.Expr) -> tuple[Exact, ...]:
    """Return the exact Taylor coefficients of a function at a constant."""
    u, found = sp.Dummy("u"), []
    slope = function(u)
    for k in range(TERMS):
        found.append(exactly(slope.subs(u, at) / sp.factorial(k)))
        slope = derivative(slope, u)
    return tuple(found)


@lru_cache(maxsize=64)
def binomials(e: fmpq) -> tuple[Exact, ...]:
    """Return the Taylor coefficients of (1 + u)^e."""
    found = [ONE]
    for k in range(1, TERMS):
        found.append(found[-1] * (e - k + 1) / k)
    return tuple(found)


def composed(
    coefficients: Sequence[Exact],
    series: Callable[[arb_series], arb_series],
    delta: Germ,
    at: sp.Expr = sp.S.Zero,
) -> Germ:
    """Return g(x₀ + δ) for a germ δ that vanishes: Taylor's terms, and Lagrange's remainder."""
    if delta.is_zero:
        return Germ.of(delta.start, {CONSTANT: coefficients[0]})
    small = delta.small()
    if not small < 1:
        raise NotSmall("a term near an end of the domain is not small yet")
    ball = enclose(at) + (arb(0).union(small)).union(-small)
    order = TERMS
    remainder = series(arb_series([ball, 1], prec=order + 1))[order]
    if not remainder.is_finite():
        raise NotSmall("a Taylor series near an end of the domain is not valid yet")
    total = Germ.of(delta.start, {})
    power = Germ.of(delta.start, {CONSTANT: ONE})
    for k, c in enumerate(coefficients):
        check_time()
        total = total + power.scaled(c)
        power = power * delta if k < order - 1 else power
    size, m = delta.size()
    return total + Germ.of(delta.start, {}, (abs(remainder) * size**order, m ** fmpq(order)))
