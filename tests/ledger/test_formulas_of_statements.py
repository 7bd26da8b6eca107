"""Formulas of the ledger of statements: against dense grids, differences, and by hand."""

import random

import numpy as np
import pytest

from gantheory.errors import GantheoryError
from gantheory.ledger.statements.formula import decide_formula
from gantheory.ledger.statements.laws import compare_on_laws
from gantheory.records import How


@pytest.mark.parametrize("seed", range(12))
def test_signs_on_an_interval_agree_with_a_dense_grid(seed):
    """A quadratic with rational coefficients on (a, b), against numpy at 4001 points."""
    draw = random.Random(seed)
    a = draw.randint(-3, 2)
    b = a + draw.randint(1, 4)
    c = [draw.randint(-5, 5) for _ in range(3)]
    x = np.linspace(a, b, 4003)[1:-1]
    lowest, highest = np.polyval(c, x).min(), np.polyval(c, x).max()
    text = f"({c[0]})*x**2 + ({c[1]})*x + ({c[2]})"
    above = decide_formula(f"{text} > 0", {"x": f"({a}, {b})"}).how
    below = decide_formula(f"{text} < 0", {"x": f"({a}, {b})"}).how
    assert above in ({How.PROVED, How.CERTIFIED} if lowest > 1e-6 else {How.REFUTED, How.UNDECIDED})
    assert below in (
        {How.PROVED, How.CERTIFIED} if highest < -1e-6 else {How.REFUTED, How.UNDECIDED}
    )
    if lowest < -1e-3:
        assert above is How.REFUTED


@pytest.mark.parametrize("seed", range(8))
def test_derivatives_and_limits_agree_with_differences(seed):
    draw = random.Random(seed)
    a, b, k = draw.randint(1, 5), draw.randint(1, 5), draw.randint(2, 4)
    at = draw.choice(["1/3", "1/4", "2/3"])
    x, h = eval_fraction(at), 1e-6
    f = lambda D: a * np.log(D) + b * np.log(1 - D) + D**k  # noqa: E731
    slope = (f(x + h) - f(x - h)) / (2 * h)
    text = f"at(diff({a}*log(D) + {b}*log(1 - D) + D**{k}, D), D, {at})"
    where = {"D": "(0, 1)"}
    assert decide_formula(f"{text} < {slope + 1e-3:.6f}", where).holds
    assert decide_formula(f"{text} > {slope - 1e-3:.6f}", where).holds
    assert decide_formula(f"limit(D*{a}/({b} + D), D, 1) == {a}/({b} + 1)", where).holds
    assert not decide_formula(f"limit(D*{a}/({b} + D), D, 0) == {a}/({b} + 1)", where).holds


@pytest.mark.parametrize(
    ("text", "where", "how"),
    [
        ("x*(1 - x) < 1/4", {"x": "(0, 1)"}, "refuted"),  # touches: equality at 1/2
        ("x*(1 - x) <= 1/4", {"x": "(0, 1)"}, "proved"),
        ("x < y", {"x": "(0, 1)", "y": "(1/2, 2)"}, "refuted"),
        ("x < y", {"x": "(0, 1)", "y": "(1, 2)"}, "proved"),
        ("log((x - 2)**2) == 2*log(x - 2)", {"x": "(0, 1)"}, "undecided"),  # not real
        ("log((x - 2)**2) == 2*log(2 - x)", {"x": "(0, 1)"}, "proved"),
        ("sqrt(x**2) == x", {"x": "(-oo, oo)"}, "refuted"),
        ("limit(1/x, x, 0) == oo", {}, "proved"),
        ("limit(1/x, x, 0) < 5", {}, "refuted"),
        ("diff(p*log(p/(p + q)), q) == -p/(p + q)", {}, "proved"),
        ("diff(p*log(p/(p + q)), q) == -q/(p + q)", {}, "refuted"),
    ],
)
def test_a_formula_holds_on_open_intervals_alone(text, where, how):
    found = decide_formula(text, where)
    assert found.how == how, found.reason
    assert (found.counterexample is not None) == (how == "refuted")


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("x > 0", {"x": "[0, 1]"}, "write an open one"),
        ("x > 1", {"x": "(2, 1)"}, "is empty"),
        ("at(log(x), x, 0) < 0", {}, "write a limit"),
        ("limit(x, x, 1/2) == 1/2", {"x": "(0, 1)"}, "is confined to"),
        ("diff(x, 2) == 0", {}, "is a name"),
    ],
)
def test_a_formula_without_a_meaning_is_refused(text, where, said):
    with pytest.raises(GantheoryError, match=said):
        decide_formula(text, where)


def test_two_infinities_of_opposite_sign_decide_nothing():
    disjoint = (("1", "0"), ("0", "1"))
    assert compare_on_laws("kl_pq > jsd", *disjoint).how is How.CERTIFIED
    assert compare_on_laws("jsd < kl_pq + kl_qp", *disjoint).how is How.CERTIFIED
    with pytest.raises(GantheoryError, match="both signs"):
        compare_on_laws("kl_pq - kl_qp >= 0", *disjoint)


def eval_fraction(text):
    top, bottom = text.split("/")
    return int(top) / int(bottom)
