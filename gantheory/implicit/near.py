"""Expressions of the score near an end of the domain, as germs: each function by its expansion."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial

import sympy as sp
from flint import arb, arb_series, fmpq

from gantheory.deadline import Undecided
from gantheory.exact.signs.balls import enclose
from gantheory.functions import fermi_dirac, logistic_normal
from gantheory.implicit.constants import BITS, MINUS, ONE, Exact, as_sympy, exactly, fraction
from gantheory.implicit.germs import TERMS, Germ, composed, taylor
from gantheory.implicit.monomials import CONSTANT, Monomial
from gantheory.mean_atoms import logistic_exponential, logistic_logistic
from gantheory.residues import (
    EXPONENTIAL,
    LAWS,
    LOGISTIC,
    Pole,
    logistic_mean_series,
    path_after,
    poles_below,
    rest_beyond,
)  # fmt: skip
from gantheory.smoothed import fermi_series, logistic_normal_series, polynomial

Exactly = Callable[[sp.Expr], sp.Expr]
Series = Callable[[arb_series], arb_series]


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
        if name in ORDERED:
            return ORDERED[name](self, *expr.args)
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


def _fermi(near: Near, k: sp.Integer, argument: sp.Expr) -> Germ:
    """F_k(u) = e^u − e^(2u)/2^(k+1) + …, each sum off by at most the next term where u < 0."""
    u = near(argument)
    side = _is_infinite(u)
    if not side:
        return _analytic(*_fermi_pair(int(k)))(u)
    if side > 0:
        whole = polynomial(int(k), argument, sp.pi)
        return near(whole) + _fermi(near, k, -argument).scaled(ONE if k % 2 == 0 else MINUS)
    return _alternating(u, [fmpq(1, n ** (int(k) + 1)) for n in range(1, TERMS + 1)])


@lru_cache(maxsize=16)
def _fermi_pair(k: int) -> tuple[Exactly, Series]:
    return lambda u: fermi_dirac(k, u), lambda u: fermi_series(k, u)


def _alternating(u: Germ, sizes: Sequence[Exact]) -> Germ:
    """Return Σ (−1)^(n+1)·c_n·e^(nu) but for the last term, which bounds the rest."""
    grown = u.exp()
    total, power = Germ.of(u.start, {}), _one(u)
    for k, c in enumerate(sizes[:-1]):
        power = power * grown
        total = total + power.scaled(c if k % 2 == 0 else -c)
    bound, m = (power * grown).scaled(sizes[-1]).size()
    return total + Germ.of(u.start, {}, (bound, m))


def _logistic_normal(near: Near, k: sp.Integer, argument: sp.Expr, s: sp.Expr) -> Germ:
    """L_k(u, s): means of softplus's expansion, whose every sum is off by at most the next term.

    That holds of softplus and the sigmoid for every real argument, so of their means too.
    """
    u = near(argument)
    side = _is_infinite(u)
    if not side:
        return _analytic(*_normal_pair(int(k), s))(u)
    if side > 0:  # L_0(u) = u + L_0(−u)
        below = _logistic_normal(near, k, -argument, s).scaled(ONE if k % 2 == 0 else MINUS)
        return below + (u if k == 0 else _one(u) if k == 1 else Germ.of(u.start, {}))
    terms = [sp.exp((n * s) ** 2 / 2) * sp.Integer(n) ** (k - 1) for n in range(1, TERMS + 1)]
    if k > 1:  # Σ (−1)^(n+1) n^(k−1) x^n: what N terms miss of it is at most ...
        terms[-1] *= sp.Integer(2) ** (k - 1) * sp.factorial(k)
    return _alternating(u, [exactly(one) for one in terms])


def _logistic_mean(
    law: str, near: Near, k: sp.Integer, argument: sp.Expr, p: sp.Integer, q: sp.Integer
) -> Germ:
    """M_k(u, p/q) by its residues, and a bound on the integral beyond them."""
    u, s = near(argument), fmpq(int(p), int(q))
    side = _is_infinite(u)
    if not side:
        return _analytic(*_mean_pair(law, int(k), p, q))(u)
    if side > 0:  # softplus(v) = v + softplus(−v)
        mean = sp.S.Zero if law == LOGISTIC else p / q
        sign = ONE if k % 2 == 0 else MINUS
        below = _logistic_mean(law, near, k, -argument, -p if mean else p, q).scaled(sign)
        moved = u + Germ.constant(u.start, mean)
        return below + (moved if k == 0 else _one(u) if k == 1 else Germ.of(u.start, {}))
    count, c = path_after(law, s, max(2, math.ceil((TERMS + 2) / (1 + max(float(s), 0)))))
    total = Germ.of(u.start, {})
    for pole in poles_below(law, s, math.ceil(c) + 1, BITS)[:count]:
        size = exactly(size_of(law, p / q, pole) * as_sympy(pole.z) ** (k - 1))
        term = u.scaled(pole.z).exp().scaled(size)
        if pole.more is not None:
            term = term * u + term.scaled((int(k) - 1 + pole.more) / pole.z)
        total = total + term
    bound, m = u.scaled(c).exp().size()
    return total + Germ.of(u.start, {}, (bound * rest_beyond(law, s, c, int(k)), m))


def size_of(law: str, s: sp.Rational, pole: Pole) -> sp.Expr:
    """Return the size of a pole as an expression."""
    z = as_sympy(pole.z)
    sign = 1 if pole.size > 0 else -1
    if pole.more is not None:
        return sign * z
    if not z.is_Integer:
        return sign * abs(sp.pi * z / sp.sin(sp.pi * z))
    if law == EXPONENTIAL:
        return (-1) ** (z + 1) / (1 - s * z)
    return sign * abs(sp.pi * s * z / sp.sin(sp.pi * s * z))


@lru_cache(maxsize=64)
def _mean_pair(law: str, k: int, p: sp.Integer, q: sp.Integer) -> tuple[Exactly, Series]:
    function = {EXPONENTIAL: logistic_exponential, LOGISTIC: logistic_logistic}[law]
    return (
        lambda u: function(k, u, p, q),
        lambda u: logistic_mean_series(law, k, u, fmpq(int(p), int(q))),
    )


@lru_cache(maxsize=16)
def _normal_pair(k: int, s: sp.Expr) -> tuple[Exactly, Series]:
    return (
        lambda u: logistic_normal(k, u, s),
        lambda u: logistic_normal_series(k, u, enclose(s)),
    )


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
ORDERED: Mapping[str, Callable[..., Germ]] = {
    "fermi_dirac": _fermi, "logistic_normal": _logistic_normal,
    **{f"logistic_{law}": partial(_logistic_mean, law) for law in LAWS},
}  # fmt: skip
