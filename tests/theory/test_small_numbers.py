"""Small numbers inside logarithms, as code has them: what D is, where G rests and at which loss."""

import math

import mpmath
import pytest

from gantheory import Loss, derive

ADDED = ["1e-8", "2.220446049250313e-16", "1e-40"]
FLOORS = ["max(log({}), -100)", "log(max({}, exp(-60)))", "log(clamp({}, 1e-7, 1))"]


@pytest.mark.parametrize("number", ADDED)
def test_a_number_added_to_a_probability_bounds_the_ratios_at_which_d_moves(number):
    added = float(number)
    real, fake = f"log(D + {number})", f"log(1 - D + {number})"
    found = derive(Loss("added", real, fake, f"-{real}"))
    assert (found.status, found.implicit) == ("derived", None)  # D* has a closed form
    assert found.followed.is_divergence
    assert float(found.equilibrium.generator_loss) == pytest.approx(-math.log(0.5 + added))
    # G's loss at disjoint supports, less that at equality
    assert float(found.disjoint.loss) == pytest.approx(math.log((0.5 + added) / added))
    for row in found.at(added / 2, 0.25, 3):
        inside = (row.r * (1 + added) - added) / (1 + row.r)
        assert row.D.value == pytest.approx(min(max(inside, 0), 1), rel=1e-12)


@pytest.mark.parametrize("form", FLOORS)
def test_a_floor_under_a_logarithm_is_where_g_rests(form):
    real, fake = form.format("D"), form.format("1 - D")
    found = derive(Loss("floored", real, fake, f"-{real}"))
    assert found.status == "derived"
    floor = {"max(log": 100, "log(max": 60, "log(cla": 7 * math.log(10)}[form[:7]]
    assert float(found.disjoint.loss) == pytest.approx(floor - math.log(2))
    assert (found.saturation.score_limit_at_0, found.followed.is_divergence) == (0, True)
    with mpmath.workdps(60):  # where no slope pays: r·log(D) + log(1 - D) = -floor·r

        def gain(ratio):
            return ratio * mpmath.log(ratio) - (1 + ratio) * mpmath.log1p(ratio) + floor * ratio

        low = mpmath.exp(1 - mpmath.mpf(floor))
        place = mpmath.findroot(gain, (low / 3, low * 3), solver="illinois", tol=1e-110)
    below, above = found.at(float(place) * 0.99, float(place) * 1.01)
    assert below.D.value == 0
    assert above.D.value == pytest.approx(float(place) * 1.01, rel=1e-6)
