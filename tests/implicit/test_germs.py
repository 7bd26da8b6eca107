"""Expansions near an end, zeros on an interval and exact constants, each against mpmath."""

import math

import mpmath
import numpy as np
import pytest
import sympy as sp
from flint import arb, ctx, fmpq

from gantheory.deadline import Undecided
from gantheory.functions import sigmoid, softplus, t
from gantheory.implicit.constants import (
    ball_of,
    coefficient_sign,
    exactly,
    plus,
    product_of,
    raised,
)
from gantheory.implicit.isolation import Function, limit_near, near, zeros
from gantheory.implicit.monomials import Monomial, NotSmall
from gantheory.implicit.reals import Real
from gantheory.implicit.stationary import limit_at
from gantheory.implicit.tidying import slope_of, tidied

EXPRESSIONS = [
    sp.exp(-2 * t) * t + 1 / (1 + t**2),
    softplus(-2 * t) - softplus(3 * t) + sigmoid(t),
    sp.tanh(t / 2) ** 2 - sigmoid(-t) * t**3,
    sp.sqrt(1 + t**2) - sp.Abs(1),
    sp.log(2 + t**2) / (3 + sp.exp(t)),
    sp.erf(t) - sp.erfc(2 * t - 1),
    sp.atan(t) / (1 + t**2) - sp.exp(-(t**2)),
    (3 + t**4) ** sp.Rational(-1, 4) + sp.sin(1 / (2 + t**2)),
    sp.cos(1 / (2 + t**2)) * t - t,
]
COMPLEMENTS = 2 - 2 * sp.erf(t) + t * (1 + sp.erf(2 * t))
ENDS = [(sp.oo, -1), (-sp.oo, 1), (sp.log(2), 1), (sp.Integer(0), -1)]


def by_mpmath(expr, place):
    plain = expr.replace(softplus, lambda u: sp.log(1 + sp.exp(u)))
    plain = plain.replace(sigmoid, lambda u: 1 / (1 + sp.exp(-u)))
    with mpmath.workdps(900):
        return sp.lambdify(t, plain, "mpmath")(place)


@pytest.mark.parametrize("expr", EXPRESSIONS, ids=str)
def test_an_expansion_and_its_remainder_hold_from_its_start_on(expr):
    for end, side in ENDS:
        start = 64
        with ctx.workprec(256):
            germ = near(t, end, side, start)(expr)
            for s in (start, 5 * start, 300 * start):
                with mpmath.workdps(900):
                    shift = mpmath.mpf(side) / s
                    place = shift + (mpmath.log(2) if end != 0 else 0)
                    truth = by_mpmath(expr, place if end.is_finite else mpmath.mpf(-side * s))
                terms = sum((ball_of(c) * m.at(arb(s)) for m, c in germ.terms), arb(0))
                rest = arb(0) if germ.rest is None else germ.rest[0] * germ.rest[1].at(arb(s))
                with mpmath.workdps(80):
                    gap = abs(arb(mpmath.nstr(truth, 75)) - terms)
                assert gap <= rest + abs(terms) * arb(2) ** -150
                if germ.terms and germ.rest is not None and s > start:
                    last = germ.terms[-1]
                    size = abs(ball_of(last[1])) * last[0].at(arb(s))
                    assert rest < 10**6 * size


@pytest.mark.parametrize(
    ("expr", "end", "side", "limit"),
    [
        (softplus(t) - t, sp.oo, -1, 0),
        (t * (sp.pi / 2 - sp.atan(t)), sp.oo, -1, 1),
        ((1 - sp.erf(t)) * sp.exp(t**2) * t, sp.oo, -1, 1 / sp.sqrt(sp.pi)),
        (sp.erfc(t) * t, -sp.oo, 1, -sp.oo),
        ((sp.exp(t) - 2) / (t - sp.log(2)), sp.log(2), 1, 2),
        (sp.log(t) * t, sp.Integer(0), 1, 0),
        (1 / t, sp.Integer(0), -1, -sp.oo),
        ((1 + 1 / t) ** t, sp.oo, -1, sp.E),
        (sigmoid(t) * sp.exp(-t), -sp.oo, 1, 1),
        (sp.tanh(t) + 1, -sp.oo, 1, 0),
        (
            t**2 * (sp.sqrt(sp.pi) * t * sp.exp(t**2) * sp.erfc(t) - 1),
            sp.oo,
            -1,
            -sp.Rational(1, 2),
        ),
    ],
)
def test_a_limit_is_exact(expr, end, side, limit):
    with ctx.workprec(192):
        assert sp.simplify(limit_near(expr, t, Real.of(end), side) - limit) in (0, sp.nan)
        assert (
            limit_at(expr, Real.of(end), side).exact == limit or not sp.sympify(limit).is_infinite
        )


def test_what_oscillates_has_no_limit():
    with pytest.raises(Undecided, match="oscillates"):
        limit_near(sp.sin(t), t, Real.of(sp.oo), -1)


def test_monomials_are_bounded_from_their_start_on_or_say_that_they_are_not():
    draw = np.random.default_rng(1)
    bounded = 0
    for _ in range(120):
        rates = tuple(
            (fmpq(int(p), 2), fmpq(int(k), 3))
            for p, k in zip((4, 2, 1), draw.integers(-3, 4, 3), strict=True)
            if k and draw.random() < 0.5
        )
        m = Monomial(rates, fmpq(int(draw.integers(-5, 6)), 2), fmpq(int(draw.integers(-1, 3))))
        try:
            bound = m.bound(16)
        except NotSmall:
            continue
        bounded += 1
        values = [m.at(arb(16) * arb(2) ** k) for k in range(6)]
        assert all(value <= bound * (1 + arb(2) ** -30) for value in values)
    assert bounded > 15


def rate_of_fall(m, s):
    """−d log m/d log s, by floats."""
    rates = sum(float(ball_of(k)) * float(p) * s ** float(p) for p, k in m.rates)
    return -rates - float(m.power) - float(m.logs) / math.log(s)


def test_the_bound_on_a_fall_holds_from_its_start_on_and_is_met_where_all_terms_oppose():
    draw = np.random.default_rng(5)
    for _ in range(200):
        powers = sorted(draw.choice([3, 2, 1], draw.integers(0, 3), replace=False), reverse=True)
        signs = draw.choice([-1, 1], 4)
        rates = tuple(
            (fmpq(int(p), 2), fmpq(int(sign * draw.integers(1, 9)), 4))
            for p, sign in zip(powers, signs, strict=False)
        )
        m = Monomial(rates, fmpq(int(draw.integers(-6, 7)), 2), fmpq(int(draw.integers(-2, 3))))
        start = int(draw.choice([8, 64]))
        bound = float(m.fall(arb(start)))
        if bound > 0:
            truth = [rate_of_fall(m, start * k) for k in (1, 1.5, 7, 400, 1e5)]
            assert bound <= min(truth) * (1 + 1e-12)
        against = [k > 0 for _, k in m.rates[1:]] + ([m.power > 0] if rates else [])
        falls = rate_of_fall(m, start)
        if all(against) and m.logs >= 0 and falls > 1e-9:
            assert bound == pytest.approx(falls, rel=1e-12)
        if (rates and rates[0][1] > 0) or (not rates and m.power > 0):
            assert not bound > 0


def test_constants_are_added_and_raised_exactly():
    root, third = exactly(sp.sqrt(2)), exactly(sp.Rational(1, 3))
    assert coefficient_sign(plus(product_of(root, root), exactly(sp.Integer(-2)))) == 0
    assert coefficient_sign(plus(raised(root, fmpq(4)), fmpq(-5))) == -1
    assert ball_of(raised(third, fmpq(-2))) == 9
    assert ball_of(raised(exactly(sp.Integer(2)), fmpq(1, 2))).overlaps(ball_of(root))


@pytest.mark.parametrize("seed", range(6))
def test_all_zeros_are_found_and_no_other(seed):
    draw = np.random.default_rng(seed)
    places = sorted(sp.Rational(int(k), 60) for k in draw.choice(np.arange(-170, 170), 4, False))
    factor = [sp.exp(t), 2 + sp.tanh(t), softplus(-t), 1 / (1 + t**4)][seed % 4]
    expr = factor * sp.Mul(*(t - place for place in places))
    with ctx.workprec(192):
        found = zeros(Function(expr, t), Real.of(sp.Integer(-3)), Real.of(sp.Integer(3)), False)
        assert len(found) == 4
        for one, place in zip(found, places, strict=True):
            assert one.ball.contains(arb(fmpq(int(place.p), int(place.q))))
            assert one.ball.rad() < 1e-30
        whole = zeros(Function(expr, t), Real.of(-sp.oo), Real.of(sp.oo), False)
        assert len(whole) == 4
        inside = zeros(Function(expr, t), Real.of(places[1]), Real.of(sp.oo), False)
        assert len(inside) == 2


def test_a_double_zero_is_one_zero_and_simple_ones_are_named():
    with ctx.workprec(192):
        square = Function((t - sp.Rational(1, 3)) ** 2 * (sp.exp(t) - 2), t)
        found = zeros(square, Real.of(sp.Integer(-2)), Real.of(sp.Integer(2)))
        assert [one.exact for one in found][-1] == sp.log(2)
        assert len(found) == 2
        assert found[0].ball.overlaps(arb(1) / 3)
        assert zeros(Function(sp.exp(t) + 1, t), Real.of(-sp.oo), Real.of(sp.oo)) == []


@pytest.mark.parametrize("expr", [EXPRESSIONS[0], EXPRESSIONS[6], COMPLEMENTS], ids=str)
def test_a_tidied_slope_is_the_slope(expr):
    for place in (-1.3, 2.2):
        slope = mpmath.diff(lambda x: by_mpmath(expr, x), place)
        plain = by_mpmath(slope_of(expr), place)
        assert float(plain) == pytest.approx(float(slope), rel=1e-9, abs=1e-9)
        assert float(by_mpmath(tidied(expr), place)) == pytest.approx(
            float(by_mpmath(expr, place)), rel=1e-12
        )
