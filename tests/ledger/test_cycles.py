"""WGAN-GP's cycle and the slow approach, against matrices, SciPy's integrator and plants."""

import math

import numpy as np
import pytest
from flint import arb, ctx
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from gantheory.ledger.systems import cycles
from gantheory.records import How


@pytest.mark.parametrize("weight", [0.05, 0.3, 0.62, 0.97])
def test_the_crossings_of_wgan_gp_tend_to_the_amplitude_that_is_proved(weight):
    """Half a turn is a matrix exponential; crossings are followed from far inside and outside."""
    omega = math.sqrt(1 - weight**2)
    half = expm(np.array([[0, 1], [-1, -2 * weight]]) * math.pi / omega)
    amplitude = 2 * weight / math.tanh(math.pi * weight / omega / 2)
    for a in (0.0, 7.0):
        for _ in range(300):
            place, slope = half @ np.array([-a - 2 * weight, 0.0])
            assert abs(slope) < 1e-9
            a = place + 2 * weight
        assert a == pytest.approx(amplitude, rel=1e-6)


def test_no_other_amplitude_is_affirmed():
    assert cycles.wgan_gp_cycle().how is How.PROVED
    for plant in cycles.PLANTS["wgan_gp_cycle"].values():
        assert cycles.wgan_gp_cycle(**plant).how is How.REFUTED


def test_the_enclosure_holds_the_trajectory_and_is_narrow():
    def flow(t, z):
        u = z[0] * z[1]
        return [z[1] / (1 + math.exp(u)), -z[0] / (1 + math.exp(-u))]

    times = [k * cycles.STEP for k in range(1, 25)]
    found = solve_ivp(flow, (0, 3), [1.0, 1.0], rtol=1e-12, atol=1e-14, t_eval=times)
    before, cap = ctx.prec, ctx.cap
    ctx.prec, ctx.cap = cycles.DIGITS, cycles.ORDER + 2
    try:
        state = [arb("0.5"), arb.pi() / 4]
        for x, y in found.y.T:
            state = cycles._advance(state)
            w, angle = 1 / (x * x + y * y), math.atan2(y, x)
            turned = round((float(state[1].mid()) - angle) / (2 * math.pi)) * 2 * math.pi
            for ball, true in zip(state, (w, angle + turned), strict=True):
                assert abs(float(ball.mid()) - true) < float(ball.rad()) + 1e-9
                assert float(ball.rad()) < 1e-5
    finally:
        ctx.prec, ctx.cap = before, cap


def test_no_other_rate_is_affirmed():
    assert cycles.slow_approach(low="2.5", high="5").how is How.CERTIFIED
    for plant in cycles.PLANTS["slow_approach"].values():
        assert cycles.slow_approach(**{"low": "2.5", "high": "5", **plant}).how is How.REFUTED
    assert cycles.slow_approach(low="2.95", high="5").how is How.UNDECIDED  # within the ball
