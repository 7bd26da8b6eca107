r"""Which of two local maxima is the higher one as r tends to 0 or to infinity, by expansions.

Near the end of its arc a maximum has r = ρ(t) and F = r·a(t) + b(t), each a germ in the score. Two
germs in two scores are compared by a function of r that lies between them,

.. math:: F_1 - \varphi(\rho_1) > 0 > F_2 - \varphi(\rho_2), \qquad
    \varphi(r) = \sum_i c_i\, r^{\alpha_i}\, |\log r|^{\beta_i},

of which the first terms are what both have in common, and the last one lies between what they have
next: each inequality is a sign of one germ, proved from a score on, and so from a ratio on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import sympy as sp
from flint import arb, fmpq

from gantheory.deadline import Undecided
from gantheory.functions import t
from gantheory.implicit.constants import (
    MINUS,
    ONE,
    ZERO,
    Exact,
    as_sympy,
    coefficient_sign,
    exactly,
    fraction,
    plus,
    product_of,
    raised,
)
from gantheory.implicit.germs import TERMS, Germ
from gantheory.implicit.isolation import near
from gantheory.implicit.monomials import Monomial, NotSmall
from gantheory.implicit.stationary import Arc, Local

HALF = fmpq(1, 2)
STARTS = (*(2**k for k in range(3, 11)), 2**20)  # of germs: s >= S, the nearest that does


@dataclass(frozen=True)
class Term:
    """c·r^power·abs(log r)^logs, and with ``loglogs`` what no term here equals."""

    factor: Exact
    power: fmpq
    logs: fmpq = ZERO
    loglogs: fmpq = ZERO


@dataclass(frozen=True)
class Tail:
    """A local maximum near an end of the ratios: r and F as germs, for all ratios beyond one."""

    ratio: Germ
    value: Germ
    since: arb
    way: int

    @classmethod
    def of(cls, local: Local, way: int, start: int) -> Tail:
        """Return the tail towards infinity (1) or 0 (-1), for s from ``start`` on."""
        if not isinstance(local, Arc):
            a, b = (local.payoffs[name].exact for name in ("real", "fake"))
            if a is None or b is None or a.is_infinite or b.is_infinite:
                raise Undecided("a payoff at a kink or an end has no exact value")
            ratio = Germ.of(start, {Monomial(power=fmpq(way)): ONE})
            value = ratio.scaled(exactly(a)) + Germ.constant(start, b)
            return cls(ratio, value, arb(start) ** way, way)
        part, slopes = local.part, local.part.slopes
        side = -1 if (way == 1) == local.rises else 1
        end = part.lower if side == 1 else part.upper
        if end.exact is None:
            raise Undecided("an end of an arc has no exact form")
        score = -side * arb(start) if not end.is_finite else end.ball + arb(side) / start
        if not part.lower.ball < score < part.upper.ball:
            raise NotSmall("the expansion begins before the arc does")
        germ = near(t, end.exact, side, start)
        ratio = germ(slopes.ratio)
        value = ratio * germ(slopes.payoffs.real) + germ(slopes.payoffs.fake)
        real, fake, _ = slopes.functions
        return cls(ratio, value, -fake.value(score) / real.value(score), way)

    def expanded(self, term: Term) -> Germ:
        """Return a term in the ratio as a germ in the score."""
        found = Germ.constant(self.ratio.start, sp.S.One).scaled(term.factor)
        if term.power:
            found = found * self.ratio.power(term.power)
        if term.logs:
            found = found * self.ratio.log().scaled(fmpq(self.way)).power(term.logs)
        return found

    def less(self, term: Term) -> Tail:
        """Return the tail of F − φ(r)."""
        return replace(self, value=self.value - self.expanded(term))

    @property
    def lead(self) -> Term:
        """The leading term of F in the ratio."""
        (own, factor), (scale, _) = self.value.lead, self.ratio.lead
        power = _power_of(own, scale)
        rest = own.over(scale**power)
        if rest.rates or not (scale.rates or scale.power):
            raise Undecided("a value near an end of the ratios is no power of the ratio")
        if scale.rates:  # log r ~ k·s^p
            term = Term(ONE, power, rest.power / scale.rates[0][0], rest.logs)
        else:
            term = Term(ONE, power, rest.logs)
        if term.loglogs:
            return replace(term, factor=fmpq(coefficient_sign(factor)))
        _, unit = self.expanded(term).lead
        return replace(term, factor=product_of(factor, raised(unit, MINUS)))


def _power_of(own: Monomial, scale: Monomial) -> fmpq:
    """Return the α for which a monomial is that of the ratio to the power α, but for logarithms."""
    if not scale.rates:
        return own.power / scale.power if scale.power else ZERO
    if not own.rates:
        return ZERO
    (p, k), (q, rate) = own.rates[0], scale.rates[0]
    quotient = as_sympy(k) / as_sympy(rate)
    if p != q or not quotient.is_Rational:
        raise Undecided("a value near an end of the ratios is no power of the ratio")
    return fraction(quotient)


def is_higher_beyond(one: Local, other: Local, way: int) -> tuple[bool, arb]:
    """Return whether the first is higher as r -> oo (1) or r -> 0 (-1), and a ratio since which.

    Raises:
        Undecided: where their expansions do not tell.
    """
    for start in STARTS:
        try:
            terms = _between(Tail.of(one, way, start), Tail.of(other, way, start))
        except NotSmall:
            continue
        (sign, first), (against, second) = (_proved(local, way, terms) for local in (one, other))
        if sign == against:
            break
        beyond = first.max(second).upper() if way == 1 else first.min(second).lower()
        return sign > against, beyond.mid()
    raise Undecided("which of two local maxima is higher as r tends to an end is not known")


def _proved(local: Local, way: int, terms: Sequence[Term]) -> tuple[int, arb]:
    """Return the sign of F − φ(r), and a ratio since which it is that."""
    for start in STARTS:
        try:
            tail = Tail.of(local, way, start)
            return reduce(Tail.less, terms, tail).value.sign(), tail.since
        except NotSmall:
            continue
    raise Undecided("an expansion near an end of the ratios is valid nowhere")


def _between(one: Tail, other: Tail) -> list[Term]:
    """Return the terms of φ: what two tails have in common, and one between what comes next."""
    terms: list[Term] = []
    for _ in range(TERMS):
        terms.append(_next(one, other))
        if not _is_common(one, other):
            return terms
        one, other = (tail.less(terms[-1]) for tail in (one, other))
    raise Undecided("two expansions near an end of the ratios agree in all known terms")


def _is_common(one: Tail, other: Tail) -> bool:
    if one.value.is_zero or other.value.is_zero:
        return False
    mine, its = one.lead, other.lead
    same = (mine.power, mine.logs, mine.loglogs) == (its.power, its.logs, its.loglogs)
    return same and coefficient_sign(plus(mine.factor, -its.factor)) == 0


def _next(one: Tail, other: Tail) -> Term:
    """Return a term between the leading ones of two tails: the one itself that they share."""
    if one.value.is_zero or other.value.is_zero:
        return Term(ZERO, ZERO)
    mine, its = one.lead, other.lead
    orders = [(one.way * x.power, x.logs, x.loglogs) for x in (mine, its)]
    if orders[0] == orders[1]:
        if mine.loglogs:
            raise Undecided("iterated logarithms of the ratio are not compared")
        mean = product_of(plus(mine.factor, its.factor), HALF)
        return replace(mine, factor=mean)
    if orders[0][:2] == orders[1][:2]:
        raise Undecided("iterated logarithms of the ratio are not compared")
    sign = coefficient_sign((mine if orders[0] > orders[1] else its).factor)
    return Term(fmpq(sign), (mine.power + its.power) / 2, (mine.logs + its.logs) / 2)
