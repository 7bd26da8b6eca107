"""Every letter of a derivation is said to be what it is, in text, LaTeX and HTML."""

import re
from html import unescape

import pytest
from letters import letters, undefined

import gantheory as gt
from gantheory.cli.derive import command
from gantheory.derivations.exposition import latex_document
from gantheory.derivations.latex import escape_latex
from gantheory.estimators.bounds import derive_bound
from gantheory.estimators.derive import derive_estimator
from gantheory.estimators.preference import derive_preference
from gantheory.estimators.reward import derive_reward
from gantheory.regularised.theory import derive_regularised

THEORIES = {
    **{f"bound-{name}": (derive_bound, name) for name in ("nwj", "dv", "infonce", "lsif", "jsd")},
    **{f"estimator-{name}": (derive_estimator, name) for name in ("k1", "k2", "k3")},
    "preference": (derive_preference, "dpo"),
    "reward": (derive_reward, "airl"),
    "regularised": (derive_regularised, "minimax"),
    "implicit": (gt.derive, gt.Loss("own", "t", "-exp(t) - t**4/2", "-t")),
}


@pytest.mark.parametrize("kind", THEORIES)
def test_the_legend_has_every_letter_of_the_steps_and_none_twice(kind):
    derive, of = THEORIES[kind]
    found = derive(of)
    assert not undefined(found)
    shown = [one.text for one in found.notation]
    assert len(set(shown)) == len(shown)
    used = set().union(*(letters(step.latex) for step in found.steps if step.latex))
    for one in found.notation:
        assert letters(one.latex) & used or one.text in ("log", "sign", "softplus(u)"), one
    assert not re.search(r"at_score|[*][*]|[0-9][.][0-9]{16}(?![0-9]| ±)", str(found))


def test_a_parameter_that_has_the_letter_of_a_payoff_is_told_from_it():
    said = {one.text: one.meaning for one in gt.derive("least-squares").notation}
    assert said["a"] == "a parameter, in (-∞, ∞)"
    assert said["b"] == "a parameter, in (a, ∞)"
    assert "D" in said["a(t), b(t)"]
    assert r"(r\,a(t) + b(t)) = a + r" in gt.derive("least-squares").steps[2].latex


def test_the_variable_of_a_second_derivative_is_the_one_that_the_steps_solve_for():
    steps = {step.title: step for step in gt.derive("minimax").steps}
    assert r"\frac{d^2}{dz^2}" in steps["Second-order condition"].latex
    assert "in z," in steps["Second-order condition"].text


def test_terminal_latex_and_notebook_show_the_legend():
    from click.testing import CliRunner

    found = gt.derive("minimax")
    text = CliRunner().invoke(command, ["minimax", "--steps"], env={"COLUMNS": "120"}).output
    page, document = unescape(found._repr_html_()), latex_document(found)
    for one in found.notation:
        assert one.meaning in text
        assert one.meaning in page
        assert escape_latex(one.meaning) in document


def test_what_is_a_sentence_and_no_formula_stands_in_latex_and_notebook_as_a_sentence():
    found = derive_regularised("minimax", "both")
    held = next(step for step in found.steps if step.title == "Held")
    assert "descends the gradient" in held.text
    assert held.latex == ""
    assert escape_latex(held.text) in latex_document(found)
    assert held.text in unescape(found._repr_html_())


def test_a_sum_under_a_penalty_is_in_brackets_and_a_factor_over_gamma_too():
    found = derive_regularised("minimax", "both")
    assert "((p + q)·t')'" in found.steps[0].text
    assert "1/(8·gamma)" in found.summary[1].text
    assert "/8/gamma" not in str(found)
