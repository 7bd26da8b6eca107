"""A number with its error, as it is printed."""

from decimal import Decimal

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from gantheory.records import Estimate, number_text

SIZES = st.floats(1e-300, 1e300) | st.floats(0.01, 100)


@given(SIZES, st.sampled_from([1, -1]), st.floats(1e-17, 10))
@example(1 / 3, 1, 5.7e-17)
@example(0.9999999, 1, 1e-3)
def test_what_is_printed_holds_as_it_is_read_and_has_no_digits_to_spare(size, sign, relative):
    value, error = sign * size, relative * size
    shown, printed = map(Decimal, number_text(value, error).split(" ± "))
    rounding = Decimal("1.0005")  # errors are rounded from four digits
    blur = abs(shown - Decimal(value))
    assert printed * rounding >= Decimal(error) + blur
    assert float(printed) <= 1.7 * error + 1.2 * np.spacing(size)
    digits = len(str(shown.normalize().as_tuple().digits)) // 3
    assert digits <= 17
    assert digits <= max(4 + np.ceil(-np.log10(relative)), 3)


def test_an_exact_number_says_so():
    assert str(Estimate(0.1)) == "0.1 (exact)"
    assert str(Estimate(1 / 3)) == "0.3333333333333333 (exact)"
