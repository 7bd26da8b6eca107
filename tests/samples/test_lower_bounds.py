"""What samples show of an f-divergence: a lower bound, and none where they are not independent."""

import math

import numpy as np

from gantheory import divergence
from gantheory.densities import parse_density
from gantheory.records import Status


def test_an_f_divergence_of_samples_is_only_bounded_from_below():
    truth = divergence("jsd", "normal(0, 1)", "normal(2, 1)").value
    p, q = parse_density("normal(0, 1)"), parse_density("normal(2, 1)")
    x, y = p.sample(0, 800), q.sample(1, 700)
    found = divergence("jsd", x, y)
    assert found.status is Status.UNDETERMINED
    assert math.isnan(found.value)
    assert 0.4 * truth < found.lower < truth
    assert "samples do not determine jsd" in str(found)
    same = [divergence("kl_pq", p.sample(k, 100), p.sample(100 + k, 100)).lower for k in range(6)]
    assert sum(bound > 0 for bound in same) <= 1


def test_samples_that_are_not_independent_bound_nothing():
    rng = np.random.default_rng(0)
    for dim in (1, 2):
        x, y = (rng.normal(size=(300, dim)) for _ in range(2))
        for other in (x, rng.permutation(x), np.concatenate([x[:150], y]), x[:200]):
            found = divergence("jsd", x, other)
            assert found.lower == 0
            assert "not independent" in found.reason
    counts, others = rng.poisson(3, 300), rng.poisson(9, 300)  # which agree by chance
    assert divergence("jsd", counts, counts).lower == 0
    assert 0.05 < divergence("jsd", counts, others).lower < 0.3


def test_few_equal_points_among_many_are_seen():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 400))
    y[7] = x[300]
    assert "1 point that neither repeats" in divergence("jsd", x, y).reason
