"""W2 of normals whose widths differ by up to 1e6, and its derivatives, against 80 digits."""

import mpmath as mp
import numpy as np
import pytest

from gantheory import density, divergence


def w2(mean, cov, other, cov2):
    factor = mp.cholesky(cov2)
    roots = mp.eigsy(factor.T * cov * factor, eigvals_only=True)
    traces = sum(cov[i, i] + cov2[i, i] for i in range(cov.rows))
    apart = mp.fsum((x - y) ** 2 for x, y in zip(mean, other, strict=True))
    return mp.sqrt(apart + traces - 2 * sum(map(mp.sqrt, roots)))


@pytest.mark.parametrize("seed", range(3))
def test_w2_of_thin_normals_and_its_slope_in_a_covariance_keep_their_stated_error(seed):
    rng = np.random.default_rng(seed)
    condition = 10.0 ** (4 * seed + 4)
    covs, means = [], rng.normal(size=(2, 2))
    for _ in range(2):
        turn = np.linalg.qr(rng.normal(size=(2, 2)))[0]
        cov = (turn * [1.0, 1 / condition]) @ turn.T
        covs.append((cov + cov.T) / 2)
    laws = [
        density("normal_nd", loc=tuple(map(float, m)), cov=c.tolist())
        for m, c in zip(means, covs, strict=True)
    ]
    with mp.workdps(80):
        ours, theirs = map(mp.matrix, covs)
        step = mp.mpf(10) ** -35
        ends = []
        for sign in (1, -1):
            moved = theirs.copy()
            moved[0, 1] += sign * step
            moved[1, 0] += sign * step
            ends.append(w2(means[0], ours, means[1], moved))
        truths = {
            None: w2(means[0], ours, means[1], theirs),
            "q.cov[0][1]": (ends[0] - ends[1]) / (2 * step),
        }
    for wrt, truth in truths.items():
        found = divergence("w2", *laws, wrt=wrt)
        assert abs(found.value - truth) <= found.error < 1e-12 * abs(truth)
