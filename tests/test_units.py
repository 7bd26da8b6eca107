"""A change of units: lengths are multiplied by k, so are distances and their errors.

A divergence has no unit, a distance is a length, and a derivative in a location or a scale is
divided by one. Errors obey the same law as values, up to the rounding of another decimal.
"""

import pytest

import gantheory
from gantheory.records import Status

PAIRS = {
    "normal, logistic": ("normal({0}, {1})", "logistic({1}, {2})"),
    "laplace, normal": ("laplace({0}, {2})", "normal({1}, {1})"),
    "gumbel, normal": ("gumbel({0}, {1})", "normal({0}, {2})"),
    "uniform, logistic": ("uniform({0}, {2})", "logistic({0}, {1})"),
}
POWERS = {"jsd": 0, "kl_qm": 0, "hellinger2": 0, "tv": 0, "w1": 1, "w2": 1}
STRETCHES = (1e-3, 400.0)
WIDEST = 30.0  # between the errors of one number in two units


def laws(pair, k):
    lengths = (0.3 * k, 1.1 * k, 2.7 * k)
    return [text.format(*map(repr, lengths)) for text in PAIRS[pair]]


def assert_same(one, other, factor):
    assert one.status is other.status is Status.OK
    assert abs(one.value * factor - other.value) <= one.error * factor + other.error
    assert other.error <= WIDEST * factor * one.error
    assert factor * one.error <= WIDEST * other.error


@pytest.mark.parametrize("stretch", STRETCHES)
@pytest.mark.parametrize("name", POWERS)
@pytest.mark.parametrize("pair", PAIRS)
def test_values_and_errors_follow_the_unit(pair, name, stretch):
    one, other = (gantheory.divergence(name, *laws(pair, k)) for k in (1.0, stretch))
    assert_same(one, other, stretch ** POWERS[name])


@pytest.mark.parametrize("stretch", STRETCHES)
@pytest.mark.parametrize("name", POWERS)
@pytest.mark.parametrize("wrt", ["q.loc", "q.scale"])
def test_gradients_and_their_errors_follow_the_unit(name, wrt, stretch):
    one, other = (
        gantheory.divergence(name, *laws("laplace, normal", k), wrt=wrt) for k in (1.0, stretch)
    )
    assert_same(one, other, stretch ** (POWERS[name] - 1))
