"""Power divergences: their names, and their digits as the order nears zero or one."""

from fractions import Fraction

import mpmath
import pytest

from gantheory.divergences import named
from gantheory.errors import GantheoryError
from gantheory.integrals import divergence
from gantheory.records import Status


def test_power_divergences_are_named_by_either_prefix_and_any_rational():
    p, q = "normal(0, 1)", "normal(1, 1)"
    assert divergence("alpha_0.3", p, q).value == divergence("power_3/10", p, q).value
    assert divergence("power_1", p, q).value == divergence("kl_pq", p, q).value
    assert divergence("power_2", p, q).value * 2 == pytest.approx(
        divergence("pearson_chi2", p, q).value, rel=1e-12
    )


@pytest.mark.parametrize("order", ["0.99", "0.999999", "0.000001", "1/7919", "-0.01", "1.000001"])
@pytest.mark.parametrize("shift", [1e-3, 1.0, 5.0])
def test_a_power_divergence_keeps_its_digits_as_its_order_nears_zero_or_one(order, shift):
    """The formula with α(α − 1) below loses them: 1/7919 was 20 stated errors off."""
    found = divergence(named(f"power_{order}"), "normal(0, 1)", f"normal({shift}, 1)")
    with mpmath.workdps(40):
        alpha = Fraction(order)
        scale = mpmath.mpf((alpha * (alpha - 1)).numerator) / (alpha * (alpha - 1)).denominator
        truth = mpmath.expm1(scale * mpmath.mpf(shift) ** 2 / 2) / scale
        assert abs(found.value - truth) <= found.error
    assert found.status is Status.OK


@pytest.mark.parametrize("order", ["0.99", "-0.000001", "1/7919", "59.999999", "-59.5"])
def test_the_name_of_a_power_divergence_leads_back_to_it(order):
    entry = named(f"power_{order}")
    assert named(entry.name) == entry
    assert divergence(entry, "normal(0, 1)", "normal(0.1, 1)").status is Status.OK


@pytest.mark.parametrize("order", ["60.5", "-61", "10000"])
def test_a_power_beyond_sixty_is_refused(order):
    with pytest.raises(GantheoryError, match="60"):
        named(f"power_{order}")
