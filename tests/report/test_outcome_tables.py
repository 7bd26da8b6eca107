"""Tables of outcomes show what was found, its error, the theory and the distance, uncut."""

import io

import pytest
from rich.console import Console

from gantheory.ledger.simulated import judge_comparison
from gantheory.records import Estimate, How
from gantheory.report.tables import print_outcomes
from gantheory.verify import Check, Outcome
from simulations.experiments.base import Comparison

FOUND = Estimate(0.46672431, 1.9e-5, error_probability=1e-8)


def outcome(left, relation, right, expected=How.MEASURED, **how):
    comparison = Comparison("toy.law", "a statement of some words", left, relation, right, **how)
    verdict = judge_comparison(comparison)
    return Outcome(
        Check("toy.law", "a statement of some words", lambda: verdict, expected), verdict
    )


def printed(width, *outcomes):
    text = io.StringIO()
    print_outcomes(outcomes, Console(file=text, width=width))
    return text.getvalue()


def row(text):
    """Return the cells of the first row, each put together again from its lines."""
    lines = [line.split("│")[1:-1] for line in text.splitlines() if line.startswith("│")]
    return ["".join(cell.strip() for cell in column) for column in zip(*lines, strict=True)]


@pytest.mark.parametrize("width", [36, 60, 80, 200])
def test_numbers_are_whole_at_any_width(width):
    text = printed(width, outcome(FOUND, "=", Estimate(0.46672, 1e-12)))
    assert "…" not in text
    verdict, statement, found, theory, apart = (cell.replace(" ", "") for cell in row(text))
    assert verdict == "●measured"
    assert statement == "astatementofsomewords"
    assert found == "0.466724±2e−5"
    assert theory == "0.46672"
    assert apart == "+4.3e−6,0.23errors"


def test_what_was_found_is_the_measurement_and_not_the_threshold():
    share = Estimate(0.96, 0.2, error_probability=1e-6)
    *_, found, theory, apart = row(printed(200, outcome(share, ">=", Estimate(0.5), surely=True)))
    assert (found, theory, apart) == ("0.96 ± 0.2", "at least 0.5", "+0.46")


def test_a_refuted_twin_shows_both_sides_too():
    twin = outcome(FOUND, "=", Estimate(0.23336), How.REFUTED)
    verdict, _, found, theory, apart = row(printed(200, twin))
    assert verdict == "✕ refuted"
    assert (found, theory) == ("0.466724 ± 2e−5", "0.23336")
    assert apart == "+0.23, 1.2e4 errors"


@pytest.mark.parametrize(
    ("left", "right", "apart"),
    [
        (Estimate(2.0), Estimate(2.0), "+0"),
        (Estimate.infinite("far"), Estimate.infinite("far"), "0"),
        (Estimate.infinite("far"), Estimate(1.0), "∞"),
    ],
)
def test_exact_and_infinite_sides_have_their_distance(left, right, apart):
    assert row(printed(200, outcome(left, "=", right)))[-1].partition("e")[0] == apart


def test_an_undecided_row_says_why():
    blind = outcome(Estimate.undetermined("too few"), "=", Estimate(1.0), How.UNDECIDED)
    assert row(printed(200, blind))[2] == "too few"


@pytest.mark.parametrize("name", ["training", "disjoint-lines", "digits", "mode-collapse"])
def test_no_experiment_puts_its_threshold_where_the_measurement_belongs(name):
    """In the sources a bare constant never stands left of a relation."""
    import ast
    import inspect

    from simulations.experiments import load

    module = inspect.getmodule(load(name).measure)
    calls = [
        node
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Comparison"
    ]
    assert calls
    for call in calls:
        if len(call.args) > 2 and isinstance(call.args[2], ast.Call):
            assert not all(isinstance(part, ast.Constant) for part in call.args[2].args)
