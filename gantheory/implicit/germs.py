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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, cmp_to_key, lru_cache
from typing import TypeAlias

import sympy as sp
from flint import arb, arb_series, ctx, fmpq

from gantheory.deadline import Undecided, check_time
from gantheory.exact.signs.balls import NoEnclosure, enclose

TERMS = 6  # kept in each germ: derivatives of payoffs cancel two or three
BITS = 256
SIMPLE = 60  # operations in a constant that is still simplified to see whether it is 0
ZERO, ONE, MINUS = fmpq(0), fmpq(1), fmpq(-1)


class Constant:
    """An irrational constant: a ball around it, and its exact form, put together when asked."""

    __slots__ = ("_exact", "_make", "ball")

    def __init__(self, ball: arb, make: Callable[[], sp.Expr]) -> None:
        self.ball, self._make = ball, make
        self._exact: sp.Expr | None = None

    @property
    def exact(self) -> sp.Expr:
        """The constant as an expression."""
        if self._exact is None:
            self._exact = self._make()
        return self._exact

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and bool(self.exact == other.exact)

    def __hash__(self) -> int:
        return hash(self.exact)

    def __neg__(self) -> Constant:
        return Constant(-self.ball, lambda: -self.exact)


Exact: TypeAlias = fmpq | Constant  # fractions are fast, and most constants are fractions


class NotSmall(Undecided):
    """A bound fails for all s ≥ S: a larger S may do."""


@dataclass(frozen=True)
class Monomial:
    """exp(Σ k·s^p)·s^power·(log s)^logs, with ``rates`` the pairs (p, k), largest p first."""

    rates: tuple[tuple[fmpq, Exact], ...] = ()
    power: fmpq = ZERO
    logs: fmpq = ZERO

    @cached_property
    def _hash(self) -> int:
        return hash((len(self.rates), int(self.power.p), int(self.power.q), int(self.logs.p)))

    def __hash__(self) -> int:
        return self._hash

    def __mul__(self, other: Monomial) -> Monomial:
        if not self.rates or not other.rates:
            rates_of_both = self.rates or other.rates
            return Monomial(rates_of_both, self.power + other.power, self.logs + other.logs)
        rates = dict(self.rates)
        for p, k in other.rates:
            rates[p] = plus(rates.get(p, ZERO), k)
        kept = tuple(
            sorted(((p, k) for p, k in rates.items() if coefficient_sign(k)), reverse=True)
        )
        return Monomial(kept, self.power + other.power, self.logs + other.logs)

    def __pow__(self, e: fmpq) -> Monomial:
        rates = tuple((p, times(k, e)) for p, k in self.rates if e)
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
EXPONENTIAL = tuple(fmpq(1, math.factorial(k)) for k in range(TERMS))
LOGARITHM = (ZERO, *(fmpq((-1) ** (k + 1), k) for k in range(1, TERMS)))


def fraction(x: sp.Rational) -> fmpq:
    """Return a rational number of sympy's."""
    return fmpq(int(x.p), int(x.q))


def as_sympy(c: Exact) -> sp.Expr:
    """Return a constant as an expression."""
    return sp.Rational(int(c.p), int(c.q)) if isinstance(c, fmpq) else c.exact


def exactly(c: sp.Expr) -> Exact:
    """Return an expression as a constant."""
    return fraction(c) if c.is_Rational else Constant(enclose(c), lambda: c)


def plus(c: Exact, d: Exact) -> Exact:
    """Return the sum of two constants."""
    if isinstance(c, fmpq) and isinstance(d, fmpq):
        return c + d
    return Constant(ball_of(c) + ball_of(d), lambda: as_sympy(c) + as_sympy(d))


def times(c: Exact, d: Exact) -> Exact:
    """Return the product of two constants."""
    if isinstance(c, fmpq) and isinstance(d, fmpq):
        return c * d
    return Constant(ball_of(c) * ball_of(d), lambda: as_sympy(c) * as_sympy(d))


def raised(c: Exact, e: fmpq) -> Exact:
    """Return a power of a constant."""
    if e.q == 1 and abs(e) < 64:
        if isinstance(c, fmpq):
            return c ** int(e)
        return Constant(c.ball ** int(e), lambda: as_sympy(c) ** int(e))
    return exactly(as_sympy(c) ** as_sympy(e))


def ball_of(c: Exact) -> arb:
    """Return a ball around a constant."""
    return arb(c) if isinstance(c, fmpq) else c.ball


def _raised(s: arb, p: fmpq) -> arb:
    return s ** int(p) if p.q == 1 else (s.log() * ball_of(p)).exp()


def _compared(one: Monomial, other: Monomial) -> int:
    if one.rates == other.rates:
        mine, its = (one.power, one.logs), (other.power, other.logs)
        return (its > mine) - (its < mine)
    return other.over(one).order


def coefficient_sign(c: Exact) -> int:
    """Return the sign of an exact constant.

    Raises:
        Undecided: where balls do not tell it from 0 and algebra does not show that it is 0.
    """
    if isinstance(c, fmpq) or not c.ball.contains(0):
        value = c if isinstance(c, fmpq) else c.ball
        return int(value > 0) - int(value < 0)
    return sign_of(c.exact)


@lru_cache(maxsize=4096)
def sign_of(c: sp.Expr) -> int:
    """Return the sign of a constant that is an expression."""
    if c.is_Rational:
        return int(sp.sign(c))
    for bits in (BITS, 4 * BITS):
        with ctx.workprec(bits):
            try:
                ball = enclose(c)
            except NoEnclosure as reason:
                raise Undecided(str(reason)) from None
        if ball > 0 or ball < 0:
            return 1 if ball > 0 else -1
        if sp.expand(c) == 0:
            return 0
    if c.count_ops() < SIMPLE and sp.simplify(c) == 0:
        return 0
    raise Undecided(f"whether {str(c)[:80]} is 0 is not known")


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
        ordered = sorted(terms, key=cmp_to_key(_compared))
        kept = [(m, c) for m in ordered if coefficient_sign(c := terms[m])]
        bounds = [rest for rest in rests if rest is not None and rest[0] != 0]
        while kept and (len(kept) > TERMS or _is_lost(kept[-1], bounds)):
            m, c = kept.pop()
            bounds.append((abs(ball_of(c)), m))
        if not bounds:
            return cls(start, tuple(kept))
        top = sorted((m for _, m in bounds), key=cmp_to_key(_compared))[0]
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
        return Germ(self.start, tuple((m, times(c, factor)) for m, c in self.terms), rest)

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
                terms[product] = plus(terms.get(product, ZERO), times(c, d))
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
        terms = {n.over(m): times(d, inverse) for n, d in self.terms[1:]}
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
        if e.q == 1 and 0 <= e <= 4:
            total = Germ.constant(self.start, sp.Integer(1))
            for _ in range(int(e)):
                total = total * self
            return total
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
    derivative = function(u)
    for k in range(TERMS):
        found.append(exactly(derivative.subs(u, at) / sp.factorial(k)))
        derivative = sp.diff(derivative, u)
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


class Near:
    """Expressions of t as germs at one end of an interval, each computed once.

    Raises:
        Undecided: where an expression has no expansion of this kind.
    """

    def __init__(self, t: sp.Symbol, end: sp.Expr, side: int, start: int) -> None:
        self.t, self.start = t, start
        if end.is_infinite:
            score = Germ.of(start, {Monomial(power=ONE): ONE if end > 0 else MINUS})
        else:
            score = Germ.of(start, {CONSTANT: exactly(end), Monomial(power=MINUS): fmpq(side)})
        self.known = {t: score}

    def __call__(self, expr: sp.Expr) -> Germ:
        """Return an expression as a germ."""
        if expr not in self.known:
            self.known[expr] = self._germ(expr)
        return self.known[expr]

    def _germ(self, expr: sp.Expr) -> Germ:
        if self.t not in expr.free_symbols:
            return Germ.constant(self.start, expr)
        if isinstance(expr, sp.Add | sp.Mul):
            total = self(expr.args[0])
            for part in expr.args[1:]:
                total = total + self(part) if isinstance(expr, sp.Add) else total * self(part)
            return total
        if isinstance(expr, sp.Pow):
            base = self(expr.base)
            if expr.exp.is_Rational:
                return base.power(fraction(expr.exp))
            return (base.log() * self(expr.exp)).exp()
        name = type(expr).__name__
        if name not in FUNCTIONS or len(expr.args) != 1:
            raise Undecided(f"{name} has no expansion near an end of the domain")
        return FUNCTIONS[name](self(expr.args[0]))


def _is_infinite(u: Germ) -> int:
    """Return 1 or -1 where u tends to an infinity, else 0."""
    end = u.limit()
    return int(sp.sign(end)) if end.is_infinite else 0


def _one(u: Germ) -> Germ:
    return Germ.constant(u.start, sp.Integer(1))


def _sigmoid(u: Germ) -> Germ:
    if _is_infinite(u) < 0:
        grown = u.exp()
        return grown * (_one(u) + grown).power(MINUS)
    if _is_infinite(u) > 0:
        return (_one(u) + (-u).exp()).power(MINUS)
    return (_one(u) + (-u).exp()).power(MINUS)


def _softplus(u: Germ) -> Germ:
    if _is_infinite(u) > 0:
        return u + (_one(u) + (-u).exp()).log()
    return (_one(u) + u.exp()).log()


def _tanh(u: Germ) -> Germ:
    two = Germ.constant(u.start, sp.Integer(2))
    if _is_infinite(u) < 0:
        return -_tanh(-u)
    if _is_infinite(u) > 0:
        return _one(u) - two * _sigmoid(-(two * u))
    return _analytic(sp.tanh, lambda z: 1 - 2 / (1 + (2 * z).exp()))(u)


def _atan(u: Germ) -> Germ:
    side = _is_infinite(u)
    if not side:
        return _analytic(sp.atan, arb_series.atan)(u)
    return Germ.constant(u.start, side * sp.pi / 2) - _atan(u.power(MINUS))


def _erf(u: Germ) -> Germ:
    if not _is_infinite(u):
        return _analytic(sp.erf, arb_series.erf)(u)
    return _one(u) - _erfc(u)


def _erfc(u: Germ) -> Germ:
    """erfc u = exp(−u²)/(u√π)·(1 − 1/(2u²) + …), each sum off by at most the next term."""
    side = _is_infinite(u)
    if not side:
        return _analytic(sp.erfc, arb_series.erfc)(u)
    if side < 0:
        return _one(u) + _one(u) - _erfc(-u)
    square = u * u
    series, inverse = _one(u), square.power(MINUS) * Germ.constant(u.start, -sp.S.Half)
    total = _one(u)
    for k in range(1, TERMS):
        series = series * inverse * Germ.constant(u.start, sp.Integer(2 * k - 1))
        total = total + series
    size, m = (series * inverse * Germ.constant(u.start, sp.Integer(2 * TERMS - 1))).size()
    total = total + Germ.of(u.start, {}, (size, m))
    return (-square).exp() * u.power(MINUS) * Germ.constant(u.start, 1 / sp.sqrt(sp.pi)) * total


def _analytic(
    exact: Callable[[sp.Expr], sp.Expr], series: Callable[[arb_series], arb_series]
) -> Callable[[Germ], Germ]:
    """Return a function that is analytic at the finite limit of its argument."""

    def applied(u: Germ) -> Germ:
        grows, constant, falls = u.parted()
        if grows.terms:  # of sin and cos alone: they stay within 1
            return Germ.of(u.start, {}, (arb(1), CONSTANT))
        return composed(taylor(exact, constant), series, falls, constant)

    return applied


FUNCTIONS: Mapping[str, Callable[[Germ], Germ]] = {
    "exp": Germ.exp, "log": Germ.log, "sigmoid": _sigmoid, "softplus": _softplus,
    "tanh": _tanh, "atan": _atan, "erf": _erf, "erfc": _erfc,
    "sin": _analytic(sp.sin, arb_series.sin), "cos": _analytic(sp.cos, arb_series.cos),
}  # fmt: skip
