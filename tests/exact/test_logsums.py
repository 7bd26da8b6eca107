"""Sums of logarithms are compared exactly; their values are those of floating point."""

import math
import random
from fractions import Fraction

import pytest

from gantheory.exact.logsums import LogSum, log_of_rational, total


def drawn(seed):
    draw = random.Random(seed)
    terms = [(Fraction(draw.randint(-9, 9), draw.randint(1, 9)),
              Fraction(draw.randint(1, 400), draw.randint(1, 400))) for _ in range(6)]  # fmt: skip
    return total(c * log_of_rational(a) for c, a in terms), math.fsum(
        c * math.log(a) for c, a in terms
    )


@pytest.mark.parametrize("seed", range(20))
def test_a_sum_has_the_value_and_the_sign_of_its_floating_point_twin(seed):
    (one, x), (other, y) = drawn(seed), drawn(seed + 100)
    assert float(one) == pytest.approx(x, rel=1e-12, abs=1e-12)
    assert float(one - other) == pytest.approx(x - y, rel=1e-12, abs=1e-12)
    assert (one < other) == (x < y)
    assert (one * Fraction(2, 3)).sign == one.sign == (x > 0) - (x < 0)


@pytest.mark.parametrize("seed", range(20))
def test_products_are_sums_exactly(seed):
    draw = random.Random(seed)
    a, b = (Fraction(draw.randint(1, 10**6), draw.randint(1, 10**6)) for _ in range(2))
    n = draw.randint(2, 9)
    assert log_of_rational(a**n * b) == n * log_of_rational(a) + log_of_rational(b)
    assert (log_of_rational(a) - log_of_rational(a)).sign == 0
    assert log_of_rational(Fraction(1)) == LogSum()


def test_two_sums_that_agree_to_many_digits_are_told_apart():
    """10^40 + 1 and 10^40: the logarithms differ by 1e-40."""
    near = log_of_rational(Fraction(10**40 + 1)) - log_of_rational(Fraction(10**40))
    assert near.sign == 1
    assert (-near).sign == -1


def test_no_logarithm_of_what_is_not_positive():
    for a in (Fraction(0), Fraction(-1, 2)):
        with pytest.raises(ValueError, match="not real"):
            log_of_rational(a)
