"""Signs on (0, oo) against oracles that know the answer by construction."""

from fractions import Fraction

import mpmath
import pytest
import sympy as sp
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gantheory.exact.signs import sign_on_positive
from gantheory.exact.signs.logforms import constant, log_form
from gantheory.records import How

r = sp.Symbol("r", positive=True)
a, b = sp.symbols("a b", positive=True)
log = sp.log
JSD = (r * log(r) - (1 + r) * log((1 + r) / 2)) / 2
TRIANGULAR = (r - 1) ** 2 / (r + 1)

KNOWN = [
    (1 / (r**2 * (1 + r)), ">0", How.PROVED),
    (-1 / r, "<0", How.PROVED),
    ((r - 2) ** 2 / (1 + r), ">=0", How.PROVED),
    (-((r - 2) ** 2), "<=0", How.PROVED),
    (r - r, "=0", How.PROVED),
    (2 * (1 - r) / (r * (1 + r) ** 3), "mixed", How.PROVED),
    (1 - sp.sqrt(r) / 2 + r, ">0", How.PROVED),
    (sp.sqrt(r) - r, "mixed", How.PROVED),
    (r * log(r) - r + 1, ">=0", How.CERTIFIED),
    (log(1 + r) - r / (1 + r), ">0", How.CERTIFIED),
    (JSD - TRIANGULAR / 4, ">=0", How.CERTIFIED),  # touches zero at r = 1 to order 4
    (log(2) / 2 * TRIANGULAR - JSD, ">=0", How.CERTIFIED),  # equal at 0 and at infinity
    (sp.Rational(3465735902, 10**10) * TRIANGULAR - JSD, "mixed", How.CERTIFIED),
    (-log(r) / r**2, "mixed", How.CERTIFIED),
    (sp.pi * r - sp.Rational(22, 7) * r, "<0", How.CERTIFIED),
    (sp.sqrt(2) * r - log(4) * r, ">0", How.CERTIFIED),
    (log(r) ** 2, ">=0", How.CERTIFIED),
    ((log(r) - log(2)) ** 2, ">=0", How.PROVED),
    ((log(r) - log(2)) ** 2 - sp.Rational(1, 10**8), "mixed", How.CERTIFIED),
    (log(r) / (r - 1), ">0", How.CERTIFIED),  # the pole at 1 is removable
    (1 / sp.sqrt(r) - log(r) / (r - 1), ">=0", How.CERTIFIED),
    (log(r) ** 2 / (r - 1), "mixed", How.CERTIFIED),
    (log(r) / (r - 1) ** 2, "mixed", How.CERTIFIED),
    (log(6) - log(2) - log(3) + 0 * r, "=0", How.PROVED),
    (a * r ** (a - 2) * (1 + r**a) ** (1 / b - 2), ">0", How.PROVED),
    (a * (r - 1) ** 2 / (b + r), ">=0", How.PROVED),
    (a * b * (r - 1) * (r - 2), "mixed", How.PROVED),
    ((a - b) ** 2 * (r + 1), ">=0", How.PROVED),
    ((a - b) * (r + 1), "undecided", How.UNDECIDED),
    ((r - 1) * sp.exp(-r), "mixed", How.CERTIFIED),
    (sp.exp(-r) + sp.atan(r) - 10 * r, "mixed", How.CERTIFIED),
]


@pytest.mark.parametrize(("expression", "sign", "how"), KNOWN, ids=lambda value: str(value)[:40])
def test_known_signs_are_found_and_say_how(expression, sign, how):
    found = sign_on_positive(expression, r)
    assert (found.sign, found.how) == (sign, how), found.reason


@pytest.mark.parametrize(
    ("expression", "sign"),
    [(e, s) for e, s, _ in KNOWN if s not in {"undecided"} and e.free_symbols <= {r}],
    ids=lambda value: str(value)[:40],
)
def test_the_negative_is_decided_too_with_the_opposite_sign(expression, sign):
    mirrored = sign.translate(str.maketrans("<>", "><"))
    assert sign_on_positive(-expression, r).sign == mirrored


@pytest.mark.parametrize(
    "expression",
    [(20 - r) * sp.exp(-r), (r - sp.Rational(1, 20)) * sp.exp(-r)],
    ids=["far", "near"],
)
def test_the_witness_of_a_mixed_sign_is_a_place_where_it_is_negative(expression):
    witness = sign_on_positive(expression, r).counterexample
    assert expression.subs(r, witness).evalf(30) < 0


def test_an_undecided_sign_names_what_it_depends_on():
    found = sign_on_positive((a - 1) * (r + 1), r)
    assert found.is_nonnegative is None
    assert "a - 1" in found.reason


def test_the_interval_of_a_parameter_decides():
    expression = a / (r * (1 + r) * (1 + (1 - a) * r))
    assert sign_on_positive(expression, r).sign == "undecided"
    unit = {a: (sp.Integer(0), sp.Integer(1))}
    assert sign_on_positive(expression, r, intervals=unit).sign == ">0"
    beyond = {a: (sp.Integer(1), sp.Integer(2))}
    assert sign_on_positive(expression, r, intervals=beyond).sign != ">0"


def test_a_simple_zero_away_from_the_ends_and_one_is_never_overlooked():
    touching = (log(r) - log(2)) ** 2
    assert sign_on_positive(touching, r).sign in {">=0", "undecided"}
    assert sign_on_positive(log(r) - log(2), r).sign == "mixed"


fractions = st.fractions(min_value=Fraction(1, 8), max_value=8, max_denominator=8)
factors = st.lists(st.tuples(fractions, st.integers(1, 3)), max_size=4, unique_by=lambda f: f[0])


@settings(max_examples=20, derandomize=True, deadline=None)
@given(
    factors, st.lists(st.integers(1, 5), max_size=2), st.sampled_from([1, -1]), st.integers(1, 3)
)
@example([(Fraction(1), 2)], [], -1, 1)
def test_products_with_chosen_roots_have_the_sign_that_was_chosen(roots, quadratics, lead, n):
    x = r ** sp.Rational(1, n)
    expression = sp.Integer(lead)
    for root, power in roots:
        expression *= (x - sp.Rational(root.numerator, root.denominator)) ** power
    for middle in quadratics:  # discriminant middle² − 4·middle² < 0
        expression *= x**2 + middle * x + middle**2
    found = sign_on_positive(sp.expand(expression) / (r + 3), r)
    if any(power % 2 for _, power in roots):
        assert found.sign == "mixed"
    else:
        assert found.sign == (">" if lead > 0 else "<") + ("=0" if roots else "0")
    if found.counterexample is not None:
        assert expression.subs(r, found.counterexample) < 0
    assert (found.counterexample is None) == (found.sign in {">0", ">=0"})


BASIS = [sp.Integer(1), r, log(r), r * log(r), log(1 + r), (1 + r) * log((1 + r) / 2), sp.sqrt(r)]
PLACES = [mpmath.mpf(2) ** (mpmath.mpf(k) / 8) for k in range(-160, 161)]
VALUES = [[f(x) for x in PLACES] for f in (sp.lambdify(r, e, "mpmath") for e in BASIS)]


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.lists(st.integers(-4, 4), min_size=len(BASIS), max_size=len(BASIS)))
@example([-1, 1, -1, 0, 0, 0, 0])  # r − 1 − log r touches zero at 1
@example([1, -1, 1, 0, 0, 0, 0])
def test_combinations_with_logarithms_agree_with_evaluation_at_many_points(weights):
    with mpmath.workdps(50):
        at = [
            sum(w * v for w, v in zip(weights, vs, strict=True)) for vs in zip(*VALUES, strict=True)
        ]
        expression = sum((w * e for w, e in zip(weights, BASIS, strict=True)), sp.Integer(0))
        found = sign_on_positive(expression, r)
        small = mpmath.mpf(10) ** -12
        assert found.sign != "undecided" or min(abs(v) for v in at) < 0.5
        if found.sign in {">0", ">=0", "=0"}:
            assert min(at) > -small
        if found.sign in {"<0", "<=0", "=0"}:
            assert max(at) < small
        if found.sign == "mixed" or "<" in found.sign:
            x = mpmath.mpf(found.counterexample.p) / found.counterexample.q
            assert sp.lambdify(r, expression, "mpmath")(x) < 0


def test_equal_constants_in_different_forms_are_equal_exactly():
    assert constant(log(12) - 2 * log(2) - log(3)).is_zero
    assert not constant(log(12) - 2 * log(2) - log(5)).is_zero


def test_identities_of_logarithms_of_polynomials_are_proved():
    assert log_form(log(r**2 - r + 1) + log(r + 1) - log(r**3 + 1), r).is_zero
    assert not log_form(log(r**2 - r + 1) + log(r + 1) - log(r**3 + 2), r).is_zero


def test_a_form_shifted_and_inverted_has_the_same_values():
    from flint import fmpq

    from gantheory.exact.signs.enclosure import form_at

    form = log_form(JSD - TRIANGULAR / 4 + sp.sqrt(r), r, 2)
    assert form_at(form, fmpq(3, 2)).overlaps(form_at(form.invert(), fmpq(2, 3)))
    assert form_at(form, fmpq(3, 4)).overlaps(form_at(form.shift(fmpq(1), -1), fmpq(1, 4)))
    assert not form_at(form, fmpq(3, 2)).overlaps(form_at(form, fmpq(2, 3)))
