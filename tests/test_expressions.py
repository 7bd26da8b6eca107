"""The whitelist parser: bad text is one clear line, quickly, and nothing is evaluated."""

import ast
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
    "mean(log(D))": "write what one sample gives",
    "torch.mean(log(D))": "write what one sample gives",
    "relu(1 - t).mean()": "write what one sample gives",
    "log(D(x))": "write D alone, without arguments",
    "torch.log(D)": "without a module",
    "torch.abs.log(D)": "without a module",
    "torch.load(D)": "not a known function",
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


@pytest.mark.parametrize("typed", ["E_p[t] - log(E_q [exp(t)])", "E_p(t) − log(E_q[exp(t)])"])
def test_a_mean_over_a_law_may_have_square_brackets_and_a_typeset_minus(typed):
    functions = {"log": (1, 1), "exp": (1, 1), "E_p": (1, 1), "E_q": (1, 1)}
    grammar = Grammar("functional", functions, frozenset({"t"}))
    assert ast.dump(parse(typed, grammar)) == ast.dump(parse("E_p(t) - log(E_q(exp(t)))", grammar))


def test_greek_letters_and_lambda_are_names_of_parameters():
    assert ast.dump(parse("λ*t + α", PAYOFF)) == ast.dump(parse("lam*t + alpha", PAYOFF))
    assert ast.dump(parse("d/(4*lambda)", PAYOFF)) == ast.dump(parse("d/(4*lam)", PAYOFF))


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


def nested(depth):
    return "(" * depth + "t" + ")" * depth


LIMITS = {
    "characters": (lambda n: "t".ljust(n), "the limit is 1000", 1000),
    "brackets": (nested, "brackets", 40),
    "powers": (lambda n: f"t**{n}", "exponent beyond", 64),
    "negative powers": (lambda n: f"t**(-{n})", "exponent beyond", 64),
    "powers of powers": (lambda n: f"(t**8)**{n}", "multiply beyond", 8),
    "products of powers": (lambda n: f"t**32*t**{n}", "multiply beyond", 32),
    "sums of powers, each within": (lambda n: f"t**64 + t**{n}", "exponent beyond", 64),
    "digits": (lambda n: "1" * n, "too long or too large", 40),
    "large": (lambda n: f"1e{n}", "too long or too large", 300),
    "small": (lambda n: f"1e-{n}", "too long or too large", 300),
    "roots": (lambda n: f"t**(1/{n})", "over more than", 10**6),
    "arguments": (lambda n: f"max({', '.join(['t'] * n)})", "takes 2 to 8", 8),
    "parameters' letters": (lambda n: "a" * n, "name", 31),
}


@pytest.mark.parametrize("kind", LIMITS)
def test_a_limit_is_where_it_is_said_to_be(kind):
    make, said, most = LIMITS[kind]
    parse(make(most), PAYOFF)
    with pytest.raises(GantheoryError, match=said):
        parse(make(most + 1), PAYOFF)


def test_operations_may_nest_as_deep_as_brackets():
    def negated(depth):
        return "-" * depth + "t"

    parse(negated(40), PAYOFF)
    with pytest.raises(GantheoryError, match="deeper than 40 operations"):
        parse(negated(41), PAYOFF)


def test_a_chain_of_operations_counts_as_one_level():
    parse(" + ".join(["t"] * 200), PAYOFF)


@pytest.mark.parametrize("text", ["1/0", "t/(1 - 1)", "0**(-1)", "(2 - 2)**(-2)"])
def test_no_division_by_a_number_that_is_zero(text):
    with pytest.raises(GantheoryError, match="divides by zero"):
        parse(text, PAYOFF)


@pytest.mark.parametrize(
    ("text", "value"),
    [("-(1/3)", Fraction(-1, 3)), ("+2", 2), ("2 - 3/4", Fraction(5, 4)), ("2**-3", Fraction(1, 8)),
     ("0**0", 1), ("(1/2)**64", Fraction(1, 2**64)), ("2**(1/2)", None), ("t", None)],
)  # fmt: skip
def test_a_number_is_read_exactly_or_not_at_all(text, value):
    assert number(parse(text, PAYOFF)) == value
