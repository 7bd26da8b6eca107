"""Inequalities between several divergences that are not linear: two points, three, and bounds."""

import random

import mpmath
import numpy as np
import pytest
import sympy as sp
from flint import fmpz_mpoly_ctx
from test_inequality import LAWS_ON_FOUR, sides

from gantheory.divergences import DIVERGENCES
from gantheory.exact.signs.enclosure import sign_on_unit_interval
from gantheory.exact.signs.logforms import log_form
from gantheory.functions import r
from gantheory.inequalities.bounds import (
    certificate_by_bounds,
    certificate_by_jensen,
)
from gantheory.inequalities.convex import prove_convex
from gantheory.inequalities.inequality import prove
from gantheory.inequalities.pairs import certificate
from gantheory.inequalities.quadrant import sign_on_quadrant
from gantheory.inequalities.search import counterexample
from gantheory.inequalities.statements import read_statement
from gantheory.inequalities.values import factored, is_nonnegative_between
from gantheory.records import How

TRUE = [
    "tv**2 <= 2*hellinger2",
    "jeffreys >= 4*tv**2",
    "kl_pq >= -2*log(1 - hellinger2)",
    "jeffreys >= -4*log(1 - hellinger2)",
    "kl_pq >= log((1+tv)/(1-tv)) - 2*tv/(1+tv)",
    "kl_pq >= 2*tv**2 + 4/9*tv**4",
    "kl_qp >= 2*tv**2 + 0.44*tv**4",
    "exp(-jsd) >= 1/2",
    "-log(bc) >= hellinger2",
    "jsd <= log(2/(1 + exp(-jeffreys/2)))",
    "2*tv_gap >= bc**2",
    "jsd*tv <= kl_pq",
    "kl_pq*kl_qp >= 4*tv**4",
    "hellinger2*jsd <= tv**2",
    "pearson_chi2*tv_gap >= tv**2",
    "tv <= 1 - exp(-kl_pq)/2",  # Bretagnolle and Huber (1979), as Tsybakov (2009) has it
    "kl_qp >= -log(2*(1-tv))",  # both sides without bound at tv = 1
    "hellinger2 >= 1 - sqrt(1 - tv**2)",  # equal on some laws of two points for each tv
]
FALSE = [
    "tv**2 <= 1.99*hellinger2",
    "jeffreys >= 4.01*tv**2",
    "kl_pq >= -2.01*log(1 - hellinger2)",
    "kl_pq >= 2*tv**2 + 0.5*tv**4",
    "kl_pq >= 2*tv**2 + 0.445*tv**4",
    "exp(-jsd) >= 0.51",
    "-log(bc) >= 1.01*hellinger2",
    "jsd <= 0.99*log(2/(1 + exp(-jeffreys/2)))",
    "tv + bc**2 >= 1",
    "jsd*tv <= 0.2*kl_pq",
    "kl_pq*kl_qp >= 4.01*tv**4",
    "tv*tv_gap <= 0.24",
    "tv <= 0.99 - exp(-kl_pq)/2",
    "hellinger2 >= 1.01*(1 - sqrt(1-tv**2))",
]


@pytest.mark.parametrize("statement", TRUE)
def test_what_is_true_is_proved_and_holds_on_random_laws(statement):
    verdict = prove(statement)
    assert verdict.how in {How.PROVED, How.CERTIFIED}, verdict.reason
    for p, q in LAWS_ON_FOUR:
        left, right, relation = sides(statement, p, q)
        slack = mpmath.mpf(10) ** -13 * (1 + abs(left))
        assert left <= right + slack if "<" in relation else left >= right - slack


@pytest.mark.parametrize("statement", FALSE)
def test_what_is_false_is_refuted_by_laws_that_really_violate_it(statement):
    verdict = prove(statement)
    assert verdict.how is How.REFUTED, verdict.reason
    with mpmath.workdps(60):
        p, q = ([mpmath.mpf(sp.Rational(x).p) / sp.Rational(x).q for x in law]
                for law in (verdict.p, verdict.q))  # fmt: skip
        assert mpmath.fsum(p) == mpmath.fsum(q) == 1
        left, right, relation = sides(statement, p, q)
        assert left > right if "<" in relation else left < right
        assert verdict.left == pytest.approx(float(left), rel=1e-12)


def test_laws_on_two_points_do_not_decide_what_first_fails_on_three():
    statement = read_statement("tv + bc**2 >= 1")
    assert counterexample(statement, 1.0, points=(2,)) is None
    assert len(counterexample(statement, 1.0).p) == 3
    assert prove_convex(statement).how is How.UNDECIDED  # it would be proved on two points alone


def test_a_second_derivative_proves_nothing_where_the_first_does_not_vanish():
    tv = sp.Symbol("tv", nonnegative=True)
    entries = {tv: DIVERGENCES["tv"]}
    assert certificate(tv**2, entries) is not None
    assert certificate(tv**2 - tv, entries) is None  # bends upwards from a slope of -1
    assert certificate(tv - 1, entries) is None  # rises, from -1
    assert certificate(tv - tv**2, entries) is not None


A, B = fmpz_mpoly_ctx.get(("a", "b"), "lex").gens()


PLACES = [np.exp(axis.ravel()) for axis in np.meshgrid(*[np.linspace(-7, 7, 300)] * 2)]


def test_the_sign_on_the_quadrant_is_that_on_a_fine_grid():
    chance, known = random.Random(7), 0
    monomials = [A**i * B**j for i in range(4) for j in range(4 - i)]
    for seed in range(60):
        poly = sum((chance.randint(-2, 3) * one for one in monomials), (A - 2 * B) ** 2)
        for factor, _ in (poly + seed % 7 * (A**2 + B**2)).factor()[1]:
            found = sign_on_quadrant(factor, "a", "b")
            terms = factor.to_dict().items()
            values = sum(
                float(c) * PLACES[0] ** int(i) * PLACES[1] ** int(j) for (i, j), c in terms
            )
            assert found is None or (values * found >= 0).all()
            assert found is not None or values.min() < 0 < values.max()
            known += found is not None
    assert known > 5


X = sp.Symbol("x", nonnegative=True)


@pytest.mark.parametrize(
    ("g", "high", "holds"),
    [
        (sp.exp(-X) - sp.Rational(1, 2), sp.log(2), True),
        (-sp.log(1 - X) - X, sp.S.One, True),
        (sp.exp(X) - 1 - X - X**2 / 2, sp.oo, True),
        (sp.exp(X) - 1 - X - X**2 * 0.51, sp.oo, False),
        (sp.log(1 + X) - X / 2, sp.oo, False),
        (X**2 - X**3 / 2, sp.Integer(2), True),
        (X**2 - X**3 * sp.Rational(51, 100), sp.Integer(2), False),
        (-X, sp.S.One, False),
        (sp.sqrt(X) - X, sp.S.One, True),
    ],
)
def test_a_function_is_called_nonnegative_on_an_interval_only_where_it_is(g, high, holds):
    assert is_nonnegative_between(sp.nsimplify(g), X, sp.S.Zero, high) is holds


@pytest.mark.parametrize("seed", range(8))
def test_what_bounds_certify_holds_on_random_laws(seed):
    chance = random.Random(seed)
    names = ["jsd", "tv", "hellinger2", "kl_pq", "triangular", "jeffreys"]
    small = "*".join(chance.sample(names, 2))
    large = "*".join(chance.sample(names, 2))
    statement = f"{chance.randint(1, 8)}*{small} <= {chance.randint(1, 8)}*{large}"
    found = certificate_by_bounds(read_statement(statement))
    worst = max(
        left - right for left, right, _ in (sides(statement, p, q) for p, q in LAWS_ON_FOUR)
    )
    assert found is None or worst <= 1e-13
    assert found is None or found.how in {How.PROVED, How.CERTIFIED}


def test_jensen_bounds_in_its_own_direction_only():
    for true, false in (
        ("hellinger2 <= 1 - exp(-kl_pq/2)", "hellinger2 >= 1 - exp(-kl_pq/2)"),
        ("pearson_chi2 >= exp(kl_pq) - 1", "pearson_chi2 <= exp(kl_pq) - 1"),
        ("kl_qm <= log(2/(1 + exp(-kl_qp)))", "kl_qm <= log(2/(1 + exp(-kl_pq)))"),
    ):
        assert certificate_by_jensen(read_statement(true)).how is How.PROVED
        assert certificate_by_jensen(read_statement(false)) is None


def test_an_interior_zero_forbids_a_strict_sign():
    touching = log_form((2 * r - 1) ** 2, r)
    assert sign_on_unit_interval(touching).sign == 1
    assert not sign_on_unit_interval(touching).strict
    assert sign_on_unit_interval(log_form((2 * r - 1) ** 2 + r, r)).strict


@pytest.mark.parametrize("text", ["tv + bc**2 >= 1", "1 - hellinger2 >= sqrt(1 - tv)"])
def test_what_fails_on_three_points_alone_is_refuted_without_a_local_search(text):
    statement = read_statement(text)
    assert counterexample(statement, seconds=1.0, points=(2,), starts=1) is None
    found = counterexample(statement, seconds=0.0)
    assert found is not None
    assert len(found.p) == 3


@pytest.mark.parametrize("weight", ["1", "sqrt(2)"])
def test_a_product_of_roots_is_squared_as_one_root_is(weight):
    text = f"tv <= {weight}*sqrt(hellinger2*(2 - hellinger2))"
    assert prove(text).how is How.PROVED
    assert prove(text.replace("<= ", "<= 0.97/")).how is How.REFUTED


def test_logarithms_and_roots_of_factors_are_those_of_their_product():
    x, rng = sp.Symbol("x", nonnegative=True), random.Random(1)
    for _ in range(20):
        places = [sp.Rational(rng.randint(-5, 15), 10) for _ in range(3)]
        powers = [rng.choice((-2, -1, 1, 2)) for _ in places]
        product = sp.expand(sp.prod((x - a) ** 2 for a in places[:1])) * sp.prod(
            (x - a) ** k for a, k in zip(places, powers, strict=True)
        )
        for g in (sp.log(product), sp.sqrt(product), x - sp.log(sp.together(product)) / 3):
            written = factored(g, x, sp.S.Zero, sp.S.One)
            at = mpmath.mpf(rng.randint(1, 999)) / 1000
            if not any(at == a for a in places) and product.subs(x, at) > 0:
                both = [complex(sp.N(form.subs(x, at), 20)) for form in (g, written)]
                assert both[0] == pytest.approx(both[1], rel=1e-12), (g, written, at)
