"""Comparisons decide both ways, and never turn a non-answer into an answer."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gantheory.records import Estimate, How, Verdict
from gantheory.verify import Check, Outcome, agree, at_most

FINITE = st.floats(-1e6, 1e6)
ERROR = st.floats(0, 1e3)
SIZE = st.floats(1e-6, 1e6)
SHARE = st.floats(0, 0.024)


@given(SIZE, SHARE, SHARE, st.floats(-1, 1))
def test_numbers_within_their_errors_agree(value, left_share, right_share, share):
    left_error, right_error = left_share * value, right_share * value
    other = value + share * (left_error + right_error) * 0.999999
    slack = 1e-9 * value
    verdict = agree("x", Estimate(other, left_error + slack), Estimate(value, right_error))
    assert verdict.how is How.MEASURED
    missed = abs(other - value) + left_error + right_error + slack
    assert verdict.reason == f"the two sides may still differ by up to {missed:.2g}"


@given(SIZE, st.floats(0.051, 1e3), st.floats(0, 1), st.sampled_from([0.0, 1e-6]))
def test_an_allowance_beyond_five_percent_of_the_theory_decides_nothing(
    value, share, split, probability
):
    left = Estimate(value, split * share * value, error_probability=probability)
    verdict = agree("x", left, Estimate(value, (1 - split) * share * value * 0.9999))
    if share * (1 - split) < 1:  # a computed theory that is 0 within its error has size 1
        assert verdict.how is How.UNDECIDED
        assert ("too few samples" in verdict.reason) == (probability > 0)
    assert at_most("x", left, Estimate(value)).how is How.MEASURED  # a bound says no more


def test_the_distance_to_the_twin_takes_the_place_of_the_size():
    left = Estimate(1.0, 0.04, error_probability=1e-6)
    assert agree("x", left, Estimate(1.0)).how is How.MEASURED
    assert agree("x", left, Estimate(1.0), apart=0.5).how is How.UNDECIDED
    zero = Estimate(0.001, 0.02, error_probability=1e-6)
    assert agree("x", zero, Estimate(0.0), apart=0.1).how is How.UNDECIDED
    assert agree("x", zero, Estimate(0.0), apart=1.0).how is How.MEASURED
    assert agree("x", replace(zero, error=0.06), Estimate(0.0)).how is How.UNDECIDED


def test_a_bound_says_by_how_much_it_may_still_be_violated():
    near = at_most("x", Estimate(1.99, 0.05), Estimate(2.0, 0.05))
    assert near.reason == "it may still be violated by up to 0.09"
    assert at_most("x", Estimate(1.0, 0.05), Estimate(2.0, 0.05)).reason is None


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


@pytest.mark.parametrize(
    ("expected", "words"), [(How.PROVED, "as it should be"), (How.REFUTED, "should be refuted")]
)
def test_an_outcome_says_whether_it_is_the_one_that_should_be(expected, words):
    check = Check("one", "1 = 1", lambda: Verdict("1 = 1", How.PROVED), expected)
    shown = Outcome(check, check.run()).overview()
    assert next(text for label, text in shown.rows if label == "check").endswith(words)
