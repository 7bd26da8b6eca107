"""Where no textbook integral exists, f(0) + f'(oo) is a certified number.

By parts, g(0) + g'(oo) = h(0) - the integral of h(1/s) over 0 < s < 1: the oracle, by mpmath.
"""

import mpmath
import numpy as np
import pytest

from gantheory import Loss, derive
from gantheory.records import Estimate

LOSSES = {
    "-log(D)": lambda t: mpmath.log1p(mpmath.exp(-t)),
    "exp(-t)": lambda t: mpmath.exp(-t),
    "(1 - D)**(3/2)": lambda t: (1 + mpmath.exp(t)) ** mpmath.mpf(-1.5),
    "-sqrt(D)": lambda t: -mpmath.sqrt(1 / (1 + mpmath.exp(-t))),
    "-tanh(t)": lambda t: -mpmath.tanh(t),
    "sqrt(1 + (t - 2)**2)": lambda t: mpmath.sqrt(1 + (t - 2) ** 2),
}


def on_disjoint(loss, score):
    """Return h(0) - the integral of h(1/s), from the score at the ratio 1/s."""
    with mpmath.workdps(30):
        return loss(score(mpmath.inf)) - mpmath.quad(lambda s: loss(score(s)), [0, 0.1, 0.5, 1])


@pytest.mark.parametrize("text", LOSSES)
@pytest.mark.parametrize("seed", [0])
def test_what_least_squares_follows_is_enclosed_for_any_loss(text, seed):
    place = int(np.random.default_rng(seed).integers(2, 9))
    found = derive(Loss("squares", f"-(t - {place}/4)**2", "-t**2", text)).disjoint.followed
    truth = on_disjoint(LOSSES[text], lambda s: mpmath.mpf(place) / 4 / (1 + s))
    if not isinstance(found, Estimate):  # the textbook knows it
        assert float(found) == pytest.approx(float(truth), rel=1e-12)
        return
    assert abs(found.value - truth) <= found.error
    assert found.error < 1e-14 * max(1, abs(truth))


def test_a_hinge_at_an_end_of_the_domain_is_enclosed():
    loss = Loss("capped", "-(t - 1/2)**2", "-relu(t + 1/2)", "-log(D)", domain="(-oo, 1]")
    found = derive(loss).disjoint.followed
    half = mpmath.mpf(1) / 2
    truth = on_disjoint(LOSSES["-log(D)"], lambda s: max(-half, half - s / 2))
    assert abs(found.value - truth) <= found.error < 1e-14


def test_a_zero_sum_game_follows_its_value_on_disjoint_supports():
    halves = "3/2*(D**(2/3) - 1)", "3/2*((1 - D)**(2/3) - 1)"
    found = derive(Loss("alpha", *halves, halves[1]))
    value = found.disjoint.value.evalf(30)
    assert abs(found.disjoint.followed.value - value) <= found.disjoint.followed.error < 1e-14


def test_a_certified_number_is_shown_with_its_error():
    found = derive(Loss("squares", "-(t - 1)**2", "-t**2", "-log(D)"))
    shown = found.as_dict()["disjoint"]["followed"]
    assert shown["how"] == "certified"
    assert shown["error"] < 1e-15
    step = next(step for step in found.steps if step.title == "Disjoint supports")
    assert step.how == "certified"
    assert "0.285528926743504 ± " in str(found)


def test_an_integral_that_diverges_is_infinite():
    found = derive(Loss("poly", "log(D) + D - 1", "log(1 - D) - D", "-log(D)"))
    assert str(found.disjoint.followed) == "oo"
