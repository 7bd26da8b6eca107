"""What the exact algebra works out: powers in any form, and no polynomial that is too long."""

import pytest
import sympy as sp

from gantheory.deadline import Undecided
from gantheory.exact.algebra import Algebra
from gantheory.functions import r

a, b, c = sp.symbols("a b c", positive=True)
ALGEBRA = Algebra({r: 1.3, a: 0.7, b: 2.1, c: 0.4})


def test_a_power_of_a_short_polynomial_is_worked_out():
    base = 1 + r + a
    assert ALGEBRA.is_zero(base**12 - sp.expand(base**12))
    assert not ALGEBRA.is_zero(base**12 - sp.expand(base**12) - 1)
    ALGEBRA.normal(base**60)  # 1891 terms


@pytest.mark.parametrize("power", [20, -20])
def test_a_power_of_a_long_polynomial_is_refused_before_it_is_worked_out(power):
    with pytest.raises(Undecided, match=f"a power {power} of a long polynomial"):
        ALGEBRA.normal((1 + r + a + b + c) ** power)


def test_a_sum_that_vanishes_identically_divides_nothing():
    nothing = (1 + r) ** 2 - 1 - 2 * r - r**2
    with pytest.raises(Undecided, match="divides by zero identically"):
        ALGEBRA.normal(1 / nothing)


def test_a_product_that_grows_too_long_is_refused():
    long = 1 + r + a + b + c
    ALGEBRA.normal(long**8)  # 495 terms
    with pytest.raises(Undecided, match="more than 2000 terms"):
        ALGEBRA.normal(long**8 * (long + 1) ** 8)


def test_a_degree_beyond_the_limit_is_refused():
    ALGEBRA.normal((r**200 + 2) ** 2)
    with pytest.raises(Undecided, match="a degree beyond 400"):
        ALGEBRA.normal((r**201 + 2) ** 2)


@pytest.mark.parametrize(
    ("one", "same"),
    [
        (1 / (a * (1 + b)), 1 / (a + a * b)),
        (1 / a + 1 / b, (a + b) / a / b),
        ((a - 1) / (a**2 - 1), 1 / (a + 1)),
        (a, a),
    ],
)
def test_a_power_written_as_an_exponential_of_a_logarithm_is_that_power(one, same):
    written = sp.exp(r + one * sp.log(r))
    assert ALGEBRA.normal(written - sp.exp(r) * r**same) == 0
    assert ALGEBRA.normal(written - sp.exp(r) * r ** (same + 1)) != 0


def test_a_power_of_0_is_said_to_depend_on_its_exponent():
    with pytest.raises(Undecided, match="a power of 0 is 0 or infinite depends on the parameters"):
        ALGEBRA.normal(sp.exp(a * sp.log(sp.S.Zero * r + (r - r), evaluate=False)))
