"""How fast a whole curve is: 1000 distances, 8 divergences and their 8 derivatives, to 1e-10.

The competitors are what an expert would write with SciPy: careful `quad` (log-space scalars, split
at the crossing, relative tolerance 1e-11), vectorised `tanhsinh` split at the crossing, and
`quad_vec` on all 16 000 outputs at once. Rounds are interleaved and the ratio of the best times is
printed: on a shared machine only ratios within one run mean anything.

    python benchmarks/curves.py [--rounds 5]
"""

import argparse
import json
import math
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.integrate import quad, quad_vec, tanhsinh

from gantheory.integrals.curves import Family, Target, curves

NAMES = ("jsd", "kl_pq", "kl_qp", "kl_pm", "kl_qm", "hellinger2", "tv", "triangular")
FAMILY = Family("normal(0, 1)", "normal(d, 1)")
DISTANCES = np.linspace(0.01, 10, 1000)
QUAD_SAMPLE = (7, 211, 433, 660, 999)  # quad is timed on these and extrapolated
LOG2, C = math.log(2), 0.5 * math.log(2 * math.pi)
BARS = {"quad": 50.0, "tanhsinh": 4.0, "quad_vec": 2.5}


def scalar(name, derivative, d):
    """Return one integrand as a scalar function, in log space, as a careful person writes it."""

    def softplus(u):
        return max(u, 0.0) + math.log1p(math.exp(-abs(u)))

    def f(x):
        lp, lq = -0.5 * x * x - C, -0.5 * (x - d) ** 2 - C
        u = 0.5 * d * d - d * x
        p, q = math.exp(lp), math.exp(lq)
        share = 1 / (1 + math.exp(-u)) if u > -700 else 0.0  # p/(p + q)
        if derivative:
            g = {
                "jsd": lambda: -q * (softplus(u) - LOG2) / 2,
                "kl_pq": lambda: -p,
                "kl_qp": lambda: -q * u,
                "kl_pm": lambda: -q * share,
                "kl_qm": lambda: q * (LOG2 - softplus(u) + share),
                "hellinger2": lambda: -0.5 * math.exp(0.5 * (lp + lq)),
                "tv": lambda: -0.5 * math.copysign(q, u),
                "triangular": lambda: -q * (2 * share - 1) * (1 + 2 * share),
            }[name]()
            return g * (x - d)
        return {
            "jsd": lambda: (p * (LOG2 - softplus(-u)) + q * (LOG2 - softplus(u))) / 2,
            "kl_pq": lambda: p * u,
            "kl_qp": lambda: -q * u,
            "kl_pm": lambda: p * (LOG2 - softplus(-u)),
            "kl_qm": lambda: q * (LOG2 - softplus(u)),
            "hellinger2": lambda: 0.5 * (math.exp(0.5 * lp) - math.exp(0.5 * lq)) ** 2,
            "tv": lambda: 0.5 * abs(p - q),
            "triangular": lambda: (p - q) * (2 * share - 1),
        }[name]()

    return f


def array(name, derivative, x, d):
    """The same integrands for arrays."""
    lp, lq = -0.5 * x * x - C, -0.5 * (x - d) ** 2 - C
    u = 0.5 * d * d - d * x
    p, q = np.exp(lp), np.exp(lq)
    softplus = lambda w: np.logaddexp(0, w)  # noqa: E731
    share = 0.5 * (1 + np.tanh(u / 2))
    if derivative:
        g = {
            "jsd": lambda: -q * (softplus(u) - LOG2) / 2,
            "kl_pq": lambda: -p,
            "kl_qp": lambda: -q * u,
            "kl_pm": lambda: -q * share,
            "kl_qm": lambda: q * (LOG2 - softplus(u) + share),
            "hellinger2": lambda: -0.5 * np.exp(0.5 * (lp + lq)),
            "tv": lambda: -0.5 * np.sign(u) * q,
            "triangular": lambda: -q * (2 * share - 1) * (1 + 2 * share),
        }[name]()
        return g * (x - d)
    return {
        "jsd": lambda: (p * (LOG2 - softplus(-u)) + q * (LOG2 - softplus(u))) / 2,
        "kl_pq": lambda: p * u,
        "kl_qp": lambda: -q * u,
        "kl_pm": lambda: p * (LOG2 - softplus(-u)),
        "kl_qm": lambda: q * (LOG2 - softplus(u)),
        "hellinger2": lambda: 0.5 * (np.exp(0.5 * lp) - np.exp(0.5 * lq)) ** 2,
        "tv": lambda: 0.5 * np.abs(p - q),
        "triangular": lambda: (p - q) * (2 * share - 1),
    }[name]()


COLUMNS = [(name, flag) for name in NAMES for flag in (False, True)]


def ours():
    found = curves([Target.of(name) for name in NAMES], FAMILY, DISTANCES)
    return np.stack([part for curve in found for part in (curve.value, curve.gradient)])


def by_quad():
    out = np.empty((16, len(QUAD_SAMPLE)))
    for j, k in enumerate(QUAD_SAMPLE):
        d = float(DISTANCES[k])
        for row, (name, flag) in enumerate(COLUMNS):
            f = scalar(name, flag, d)
            out[row, j] = quad(f, -10, 10 + d, points=sorted({0.0, d / 2, d}), epsabs=0,
                               epsrel=1e-11, limit=200)[0]  # fmt: skip
    return out


def by_tanhsinh():
    d, out = DISTANCES, np.empty((16, len(DISTANCES)))
    for row, (name, flag) in enumerate(COLUMNS):
        f = lambda x, d, name=name, flag=flag: array(name, flag, x, d)  # noqa: E731
        left = tanhsinh(f, -10, d / 2, args=(d,), rtol=1e-11, atol=1e-14)
        right = tanhsinh(f, d / 2, 10 + d, args=(d,), rtol=1e-11, atol=1e-14)
        out[row] = left.integral + right.integral
    return out


def by_quad_vec():
    d = DISTANCES
    f = lambda z: np.stack([array(name, flag, z + d / 2, d) for name, flag in COLUMNS])  # noqa: E731
    return quad_vec(f, -16, 16, points=(0.0,), epsabs=1e-11, epsrel=1e-11, norm="max")[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    methods = {"ours": ours, "quad_vec": by_quad_vec, "tanhsinh": by_tanhsinh, "quad": by_quad}
    seconds, found = {name: [] for name in methods}, {}
    for k in range(rounds):
        for name, method in methods.items():
            if name == "quad" and k >= 2:
                continue
            start = time.perf_counter()
            found[name] = method()
            seconds[name].append(time.perf_counter() - start)
    best = {name: min(times) for name, times in seconds.items()}
    best["quad"] *= len(DISTANCES) / len(QUAD_SAMPLE)
    rows = list(QUAD_SAMPLE)
    apart = np.abs(found["ours"][:, rows] / found["quad"] - 1).max()
    result = {
        "seconds": best,
        "times_faster": {name: best[name] / best["ours"] for name in BARS},
        "bars": BARS,
        "largest_relative_difference_to_quad": float(apart),
        "largest_absolute_difference_to_quad_vec": float(
            np.abs(found["ours"] - found["quad_vec"]).max()
        ),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
