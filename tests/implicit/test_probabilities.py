"""Payoffs that are finite in D: arcs of a bounded range of ratios, whose scores end at infinity."""

import numpy as np
import pytest

import gantheory as gt

D = np.linspace(0, 1, 20_001)
RATIOS = (1e-3, 0.05, 0.3, 0.45, 0.49, 0.51, 1, 3, 17, 1e3)
FINITE = {
    "3*(1 - D)**2": lambda x: 3 * (1 - x) ** 2,
    "-3/(1 + D)": lambda x: -3 / (1 + x),
    "D**2": lambda x: x**2,
    "(1 - D)**2/2": lambda x: (1 - x) ** 2 / 2,
    "-3*sin(3*D)": lambda x: -3 * np.sin(3 * x),
    "-D**2 - 2*D": lambda x: -(x**2) - 2 * x,
    "D*log(D)": lambda x: x * np.log(np.where(x == 0, 1, x)),
    "-tanh(3*D - 2)": lambda x: -np.tanh(3 * x - 2),
    "abs(D - 1/3)": lambda x: abs(x - 1 / 3),
}
PAIRS = [
    ("3*(1 - D)**2", "-3/(1 + D)"), ("D**2", "(1 - D)**2/2"), ("-3*sin(3*D)", "-D**2 - 2*D"),
    ("abs(D - 1/3)", "D*log(D)"),
    ("-tanh(3*D - 2)", "D**2"), ("-3/(1 + D)", "3*(1 - D)**2"),
]  # fmt: skip


@pytest.mark.parametrize(("real", "fake"), PAIRS)
def test_the_optimal_probability_is_the_best_of_a_grid(real, fake):
    found = gt.derive(gt.Loss("finite", real, fake, fake))
    assert found.no_optimum is None
    assert "optimum" not in found.undecided
    a, b = FINITE[real], FINITE[fake]
    for ratio in RATIOS:
        (at,) = found.at(ratio)
        best = float(at.D)
        assert ratio * a(best) + b(best) >= (ratio * a(D) + b(D)).max() - 1e-12 * (1 + ratio)
        assert np.sign(float(at.t)) == np.sign(best - 0.5)


def test_a_slope_of_tanh_is_known_where_tanh_is_one():
    found = gt.derive(gt.Loss("steep", "-tanh(3*t - 2)", "sigmoid(3*t - 2)/4", "-sigmoid(t)"))
    (at,) = found.at(10**6)
    assert float(at.t) == pytest.approx((2 - np.log(16e6)) / 3, abs=1e-6)  # 16·r·e^u = 1 far out
