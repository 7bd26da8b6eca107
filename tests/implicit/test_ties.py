"""Maxima that tend to the same as r tends to 0 or infinity: which is higher, by a search."""

import numpy as np
import pytest

import gantheory as gt

FAR = np.logspace(-8, 9, 40_001)
SCORES = np.concatenate([-FAR[::-1], [0.0], FAR, np.linspace(-4, 4, 40_001)])


def relu(x):
    return np.maximum(x, 0)


TIED = [
    # At t = 1 and as t -> -oo nothing is lost as r -> 0: -2.1·r against 3·r·log r
    ("-3*abs(t - 0.3)", "relu(t) - exp(t - 1)",
     lambda t: (-3 * abs(t - 0.3), relu(t) - np.exp(t - 1))),
    # 2·r·log(2·r) - 2·r on both sides, and then 0.6 on one
    ("log1p((0.3 - t)**2)", "-abs(t)", lambda t: (np.log1p((0.3 - t) ** 2), -abs(t))),
    # 1/r on both sides, one with more
    ("-t**2", "where(t > 0, 2*t, -3*t)", lambda t: (-t * t, np.where(t > 0, 2 * t, -3 * t))),
    # an iterated logarithm against a logarithm
    ("-exp(t) + t", "log1p(t**2)", lambda t: (t - np.exp(t), np.log1p(t * t))),
]  # fmt: skip


@pytest.mark.parametrize(("real", "fake", "payoffs"), TIED)
def test_the_higher_of_two_maxima_that_tend_to_the_same_is_found(real, fake, payoffs):
    found = gt.derive(gt.Loss("tied", real, fake, fake))
    assert found.no_optimum is None
    assert not found.undecided
    with np.errstate(over="ignore"):
        a, b = payoffs(SCORES)
        for ratio in (1e-7, 1e-3, 0.3, 5, 1e3, 1e7):
            (at,) = found.at(ratio)
            best = ratio * a + b
            score = SCORES[best.argmax()]
            mine = np.array(float(at.t.value))
            of_mine = np.dot((ratio, 1), payoffs(mine))
            assert of_mine >= best.max() - 1e-12 * abs(ratio * a[best.argmax()])
            assert mine == pytest.approx(score, rel=2e-3, abs=2e-3)
