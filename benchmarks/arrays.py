"""Laws with arrays of parameters: divergences of many pairs at once, against torch's closed forms.

Processor time on one thread, the best of several turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch.distributions import Normal, kl_divergence

import gantheory as gt
from benchmarks.figures import Figure
from gantheory.integrals.bulk.normals import NormalPairs, of_normals

MANY, SOME = 100_000, 10_000


def parameters(n, seed):
    rng = np.random.default_rng(seed)
    return {"loc": rng.normal(size=n), "scale": rng.uniform(0.2, 3, n)}


def best(call: Callable[[], object], turns: int, calls: int = 1) -> float:
    """Return the least processor time of a call, in seconds."""
    found = []
    for _ in range(turns):
        start = time.process_time()
        for _ in range(calls):
            call()
        found.append((time.process_time() - start) / calls)
    return min(found)


def figures(quick):
    """Yield how long arrays and single pairs take, beside torch."""
    torch.set_num_threads(1)
    turns = 2 if quick else 7
    a, b = parameters(MANY, 0), parameters(MANY, 1)
    p, q = gt.density("normal", **a), gt.density("normal", **b)
    theirs = [Normal(*map(torch.tensor, law.values())) for law in (a, b)]
    found = gt.divergence("kl_pq", p, q)
    apart = np.abs(found.value / kl_divergence(*theirs).numpy() - 1).max()
    ours = best(lambda: gt.divergence("kl_pq", p, q), turns)
    other = best(lambda: kl_divergence(*theirs), turns)
    yield Figure("1e5 KLs of normals, ours / torch", ours / other, "times", 20, True)
    yield Figure("1e5 KLs, apart from torch", float(apart), "relative")

    n = SOME // 20 if quick else SOME
    p, q = (gt.density("normal", **parameters(n, k)) for k in (0, 1))
    took = best(lambda: gt.divergence_table(["jsd"], p, q, wrt=(None, "q.loc")), 1)
    yield Figure("1e4 JSDs of normals with gradients", took * SOME / n, "s", 10, True)

    first, second = gt.density("normal", loc=0, scale=1), gt.density("normal", loc=1, scale=2)
    pair = [Normal(torch.tensor(m), torch.tensor(s)) for m, s in ((0.0, 1.0), (1.0, 2.0))]
    single = best(lambda: kl_divergence(*pair), turns, 200)
    closed = best(lambda: gt.divergence("kl_pq", first, second, method="closed form"), turns, 100)
    yield Figure("one closed form, ours / torch", closed / single, "times", 10, True)
    numbers = NormalPairs(*map(np.float64, (0, 1, 1, 2)))
    formula = best(lambda: of_normals("kl_pq", numbers), turns, 100)
    through = best(lambda: gt.divergence("kl_pq", first, second), turns, 100)
    yield Figure("`divergence` adds to a KL of normals", (through - formula) * 1e6, "us", 100, True)
