"""Games composed at random from the grammar's functions, against a search over scores.

The oracle evaluates the formulas' text by numpy and shares no code with the engine.
"""

import json
from itertools import pairwise

import numpy as np
import pytest
from test_derive import number, payoff

from gantheory import Loss, derive

REAL = [
    "-relu({a} - t)",
    "-relu(1 - t)**2",
    "-abs(t - {a})",
    "min(t, {a})",
    "log(D)",
    "sigmoid(t)",
    "-exp(-t)",
    "tanh(t/2)",
    "-(t - {a})**2",
    "min(t, 1, 2*t + {a})",
    "-softplus({a} - t)",
]
FAKE = [
    "-relu(t + {a})",
    "-relu(1 + t)**2",
    "-abs(t + {a})",
    "-max(t, {a})",
    "log(1 - D)",
    "-sigmoid(t)",
    "-exp(t)",
    "-tanh(t/2)",
    "-(t + {a})**2",
    "-relu(t + 2) - relu(t - 1)",
]
LOSS = ["-t", "(t - 1)**2", "softplus(-t)", "relu(1 - t)", "-min(t, 1)", "-D", "max(-t, t/2)"]
DOMAINS = ["(-oo, oo)", "(-oo, oo)", "[-1, 2]", "[-5, 5]", "[0, 3]"]  # fmt: skip


def composed(seed):
    """Return one random game with numbers."""
    draw = np.random.default_rng(seed)
    a = draw.choice(["0", "1", "1/2", "3/2"])
    real, fake, loss, domain = (str(draw.choice(texts)) for texts in (REAL, FAKE, LOSS, DOMAINS))
    weight = draw.choice(["1", "2", "1/2"])
    real = f"{weight}*({real.format(a=a)})"
    return Loss("random", real, fake.format(a=a), loss, domain=domain)


def best(loss, ratio):
    """Return max r·a + b, and the real payoff and the loss at the scores that attain it."""
    low, high = (float(e.replace("oo", "inf")) for e in loss.domain.strip("()[]").split(","))
    ends = max(low, -40), min(high, 40)
    t = np.unique(
        np.concatenate([np.linspace(*ends, 8_001), np.clip(np.arange(-8, 8, 2.0**-11), *ends)])
    )
    a, b, c = (payoff(text, loss)(t) for text in (loss.real, loss.fake, loss.generator))
    total = ratio * a + b
    top = total >= total.max() - 1e-7
    return total.max(), a[top], c[top]


@pytest.mark.parametrize("seed", range(30))
def test_a_random_game_is_solved_as_a_search_over_scores_solves_it(seed):
    loss = composed(seed)
    found = derive(loss)
    assert "nan" not in json.dumps(found.as_dict()) + str(found)
    if found.status != "derived":
        assert found.no_optimum or found.undecided["optimum"]
        return
    assert found.value.is_divergence
    for ratio in (0.13, 0.77, 1.0, 2.9):
        top, reals, losses = best(loss, ratio)
        branch = next(b for b in found.optimum.branches if ratio <= float(b.ratios[1]))
        assert number(branch.supremum, loss, ratio) == pytest.approx(top, abs=2e-5)
        inside = float(branch.ratios[0]) + 1e-3 < ratio < float(branch.ratios[1]) - 1e-3
        if inside and found.loss is not None and branch.attained:
            exact = number(branch.generator, loss, ratio)
            assert losses.min() - 5e-3 <= exact <= losses.max() + 5e-3
        if inside:
            assert reals.min() - 5e-3 <= number(branch.real, loss, ratio) <= reals.max() + 5e-3
    top, _, losses = best(loss, 1.0)
    even = found.equilibrium
    assert float(even.discriminator_loss) == pytest.approx(-top, abs=2e-5)
    assert float(found.value.constant) == pytest.approx(top, abs=2e-5)
    if even.generator_loss is not None and even.generator_loss.is_finite:
        assert losses.min() - 5e-3 <= float(even.generator_loss) <= losses.max() + 5e-3
    if found.followed is not None and found.followed.is_divergence:
        path = [best(loss, ratio)[2] for ratio in np.geomspace(0.02, 50, 15)]
        falls = [later.min() <= earlier.max() + 1e-4 for earlier, later in pairwise(path)]
        assert all(falls)
