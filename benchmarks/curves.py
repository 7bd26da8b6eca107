"""How fast a whole curve is: 1000 distances, 8 divergences and their 8 derivatives, to 1e-10.

The competitors are what an expert would write with SciPy: careful `quad` (log-space scalars, split
at the crossing, relative tolerance 1e-11), vectorised `tanhsinh` split at the crossing, and
`quad_vec` on all 16 000 outputs at once. Rounds are interleaved and the ratio of the best times is
given: on a shared machine only ratios within one run mean anything.
"""

import math
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.integrate import quad, quad_vec, tanhsinh

from benchmarks.figures import Figure
from benchmarks.integrands import ARRAY, NAMES, SCALAR, slope, value
from gantheory.integrals.curves import Family, Target, curves

FAMILY = Family("normal(0, 1)", "normal(d, 1)")
DISTANCES = np.linspace(0.01, 10, 1000)
QUAD_SAMPLE = (7, 211, 433, 660, 999)  # quad is timed on these and extrapolated
C = 0.5 * math.log(2 * math.pi)
# 16 is the bar of 50 that stood against integrands which built a table of all of them at each call:
# written fairly they take less than a third of that time (13.8 s and 4.5 s in one process).
BARS = {"quad": 16.0, "tanhsinh": 4.0, "quad_vec": 2.5}


def scalar(name, derivative, d):
    """Return one integrand as a scalar function of x."""
    weight, exp = (slope if derivative else value)(name, SCALAR), math.exp

    def f(x):
        found = weight(exp(-0.5 * x * x - C), exp(-0.5 * (x - d) ** 2 - C), 0.5 * d * d - d * x)
        return found * (x - d) if derivative else found

    return f


def array(name, derivative, x, d):
    """Return the same integrand at arrays."""
    p, q = np.exp(-0.5 * x * x - C), np.exp(-0.5 * (x - d) ** 2 - C)
    found = (slope if derivative else value)(name, ARRAY)(p, q, 0.5 * d * d - d * x)
    return found * (x - d) if derivative else found


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


def figures(quick):
    """Yield how many times as long each way takes, and how far from ours it ends."""
    methods = {"ours": ours, "quad_vec": by_quad_vec, "tanhsinh": by_tanhsinh, "quad": by_quad}
    seconds, found = {name: [] for name in methods}, {}
    for k in range(2 if quick else 5):
        for name, method in methods.items():
            if name == "quad" and k >= 2:
                continue
            start = time.perf_counter()
            found[name] = method()
            seconds[name].append(time.perf_counter() - start)
    best = {name: min(times) for name, times in seconds.items()}
    best["quad"] *= len(DISTANCES) / len(QUAD_SAMPLE)
    for name, bar in BARS.items():
        yield Figure(f"{name} / ours", best[name] / best["ours"], "times", bar)
    rows = list(QUAD_SAMPLE)
    relative = np.abs(found["ours"][:, rows] / found["quad"] - 1).max()
    absolute = np.abs(found["ours"] - found["quad_vec"]).max()
    yield Figure("apart from quad", float(relative), "relative")
    yield Figure("apart from quad_vec", float(absolute), "absolute")
