"""One letter for two things: an expectation, and Euler's number in what sympy prints."""

import numpy as np
import sympy as sp

import gantheory as gt
from gantheory.divergences.symbols import in_prose
from gantheory.functions import to_sympy

EXPECTATIONS = ("E|X - Y|", "E[t]", "E_q[t]", "E (X - Y)^2", "E f(X)", "E(X)", "E's")


def test_an_expectation_keeps_its_letter_and_eulers_number_gets_its_own_in_any_mixture():
    draw, x, y = np.random.default_rng(4), sp.Symbol("x"), sp.Symbol("y")
    for _ in range(60):
        a, b = (int(k) for k in draw.integers(1, 9, 2))
        number = sp.E * x / (a + sp.E) + (b - y * sp.E) ** 2 + sp.E ** sp.Rational(1, 1)
        expectation = str(draw.choice(EXPECTATIONS))
        text = in_prose(f"{number}, {a} {expectation} - {expectation}")
        euler, _, prose = text.rpartition(f", {a} ")
        assert prose == f"{expectation} - {expectation}"
        assert "E" not in euler
        assert sp.sympify(euler.replace("·", "*")) == number


def test_no_theory_of_the_catalogue_takes_an_expectation_for_a_number():
    text = str(gt.derive("cramer"))
    assert "E|X - Y| is the integral of" in text
    assert "exp(1)" not in text


def test_what_is_printed_can_be_typed_again():
    draw = np.random.default_rng(5)
    t, a = sp.Symbol("t", real=True), sp.Symbol("a", positive=True)
    for _ in range(30):
        j, k = (int(n) for n in draw.integers(2, 9, 2))
        number = (j * t + a) ** k / (k * a**j + sp.log(1 + t**2) ** 2) - a * t * sp.exp(-j * t)
        text = in_prose(str(number))
        assert "*" not in text
        typed = to_sympy(text).subs(
            {s: {"t": t, "a": a}[s.name] for s in to_sympy(text).free_symbols}
        )
        assert abs(complex((typed - number).subs({t: 0.7, a: 1.3}).evalf())) < 1e-9
