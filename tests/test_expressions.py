"""The whitelist parser: bad text is one clear line, quickly, and nothing is evaluated."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gantheory.errors import GantheoryError
from gantheory.expressions import ELEMENTARY, Grammar, number, parse

PAYOFF = Grammar("payoff", ELEMENTARY, frozenset({"t", "D"}), parameters=True)
INEQUALITY = Grammar("inequality", {"log": (1, 1)}, frozenset({"jsd"}), comparisons=True)

ADMITTED = [
    "log(D)", "-log(D/(1 - D))", "relu(1 - t)", "max(0, t, 1)", "alpha*log(D)", "t**(1/2)",
    "2**t", "t**0.99", "t**(1/1000000)", "0.3*t", "+".join("t" * 400), "sqrt(abs(t))", "+t", "(t)",
]  # fmt: skip
REFUSED = {
    "__import__('os')": "unknown function",
    "t.real": "not arithmetic",
    "t[0]": "not arithmetic",
    "9**9**9**9": "exponent",
    "t**65": "exponent",
    "t**-65": "exponent",
    "t**0.1234567": "over more than 1000000",
    "((t + 1)**64)**64": "multiply",
    "((9**64)**64)**64": "multiply",
    "(" * 100_000 + "t" + ")" * 100_000: "characters",
    "(" * 300 + "t" + ")" * 300: "brackets",
    "-" * 900 + "t": "nests deeper",
    "l\u043eg(D)": "outside plain ASCII",
    "t\x00": "outside plain ASCII",
    "": "empty",
    " \t ": "empty",
    "1e999": "too large",
    "1" * 50: "too long",
    "0.49999999999999999999*t": "fraction",
    "1/0": "divides by zero",
    "1/(2 - 2)": "divides by zero",
    "0**-1": "divides by zero",
    "t if t else 1": "not arithmetic",
    "lambda: 1": "not arithmetic",
    "~t": "not arithmetic",
    "t % 2": "not arithmetic",
    "t; t": "malformed",
    "log(D": "malformed",
    "log D": "malformed",
    "t t": "malformed",
    "max(t)": "takes 2 to 8",
    "max(*t)": "takes 2 to 8",
    "log(D, base=2)": "keyword",
    "foo(t)": "unknown function",
    "lgo(t)": "did you mean 'log'",
    "(lambda: 1)()": "not a known function",
    "log": "unknown name",
    "a__b": "unknown name",
    "'a'": "not arithmetic",
    "f'{t}'": "not arithmetic",
    "True": "not arithmetic",
    "1j": "not arithmetic",
    "...": "not arithmetic",
    "t < 1": "not arithmetic",
    "(t, 1)": "not arithmetic",
    "t := 1": "malformed",
}


@pytest.mark.parametrize("text", ADMITTED, ids=lambda text: text[:20])
def test_arithmetic_is_admitted(text):
    parse(text, PAYOFF)


@pytest.mark.parametrize(("text", "said"), REFUSED.items(), ids=lambda text: ascii(text)[:24])
def test_anything_else_is_refused_in_one_line(text, said):
    with pytest.raises(GantheoryError, match=said) as caught:
        parse(text, PAYOFF)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_one_comparison_is_admitted_only_where_the_grammar_says_so():
    parse("jsd <= log(2)", INEQUALITY)
    with pytest.raises(GantheoryError, match="compare two sides"):
        parse("0 <= jsd <= 1", INEQUALITY)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_text_raises_anything_but_the_one_error(text):
    said = ""
    try:
        parse(text, PAYOFF)
    except GantheoryError as error:
        said = str(error)
    assert "\n" not in said


@given(st.fractions(max_denominator=64), st.integers(-20, 20))
def test_numbers_are_exact(value, power):
    if value == 0 and power < 0:
        return
    text = f"({value.numerator}/{value.denominator})**({power})"
    assert number(parse(text, PAYOFF)) == value**power


def test_decimals_are_exact_rationals():
    assert number(parse("0.1 + 0.2", PAYOFF)) == Fraction(3, 10)
    assert number(parse("0.1*t", PAYOFF)) is None
