"""Comparisons decide both ways, and never turn a non-answer into an answer."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gantheory.records import Estimate, How
from gantheory.verify import agree, at_most

FINITE = st.floats(-1e6, 1e6)
ERROR = st.floats(0, 1e3)


@given(FINITE, ERROR, ERROR, st.floats(-1, 1))
def test_numbers_within_their_errors_agree(value, left_error, right_error, share):
    other = value + share * (left_error + right_error) * 0.999999
    slack = 1e-9 * (1 + abs(value))
    verdict = agree("x", Estimate(value, left_error + slack), Estimate(other, right_error))
    assert verdict.how is How.MEASURED


@given(FINITE, ERROR, ERROR, st.sampled_from([-1, 1]))
def test_numbers_beyond_their_errors_are_refuted(value, left_error, right_error, side):
    other = value + side * (1e-3 + 1.01 * (left_error + right_error))
    verdict = agree("x", Estimate(value, left_error), Estimate(other, right_error))
    assert verdict.how is How.REFUTED
    assert "times the stated error" in verdict.counterexample


@pytest.mark.parametrize(
    ("left", "right", "how"),
    [
        (Estimate.infinite("a"), Estimate.infinite("b"), How.MEASURED),
        (Estimate.infinite("a"), Estimate.infinite("b", sign=-1), How.REFUTED),
        (Estimate.infinite("a"), Estimate(1.0, 0.1), How.REFUTED),
        (Estimate(1.0, 0.1), Estimate.infinite("a"), How.REFUTED),
        (Estimate.undetermined("tails unknown"), Estimate(1.0), How.UNDECIDED),
        (Estimate(1.0), Estimate.undetermined("tails unknown"), How.UNDECIDED),
        (Estimate(math.nan), Estimate(1.0), How.REFUTED),
        (Estimate(1.0, math.inf), Estimate(2.0), How.UNDECIDED),
    ],
)
def test_infinite_and_undetermined_answers_are_compared_as_what_they_are(left, right, how):
    assert agree("x", left, right).how is how


@pytest.mark.parametrize(
    ("left", "right", "how"),
    [
        (1.0, 2.0, How.MEASURED),
        (2.0, 2.0, How.MEASURED),
        (2.05, 2.0, How.MEASURED),
        (2.2, 2.0, How.REFUTED),
        (math.inf, 2.0, How.REFUTED),
        (2.0, math.inf, How.MEASURED),
        (math.inf, math.inf, How.MEASURED),
    ],
)
def test_at_most_is_refuted_only_beyond_the_errors(left, right, how):
    assert at_most("x", Estimate(left, 0.05), Estimate(right, 0.05)).how is how


def test_error_probabilities_add_up():
    left = Estimate(1.0, 0.1, error_probability=1e-8)
    right = Estimate(1.0, 0.1, error_probability=2e-8)
    assert agree("x", left, right).error_probability == pytest.approx(3e-8)
