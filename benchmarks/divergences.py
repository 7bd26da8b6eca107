"""One general pair, sixteen outputs: one sweep against a careful `scipy.integrate.quad`.

Eight divergences and their derivatives in Q's location. The competitor is what an expert writes:
integrands in u = log p − log q without cancellation, scalar mathematics, breakpoints at modes and
crossings, epsrel = 1e-11, a log weight that cannot underflow to 0·log 0. The two take
turns of a tenth of a second of processor time on one thread; the ratio of medians is what counts.
"""

from __future__ import annotations

import itertools
import math
import statistics
import time
import warnings

from scipy.integrate import quad

from benchmarks.figures import Figure
from benchmarks.integrands import NAMES, SCALAR, slope, value
from gantheory.integrals import divergence_table

TURN = 0.1  # seconds
LOG2, ROOT = math.log(2), 0.5 * math.log(2 * math.pi)

# (name, P, Q) as texts, and the same log-densities in scalar mathematics
PAIRS = {
    "normal, shift 2": ("normal(0, 1)", "normal(2, 1)"),
    "normal, shift 8": ("normal(0, 1)", "normal(8, 1)"),
    "two modes and a normal": (
        "mixture(0.5*normal(-2, 0.1) + 0.5*normal(2, 0.1))",
        "normal(0.3, 2)",
    ),
    "Student's t and logistic": ("student_t(3, 0, 1)", "logistic(1, 0.7)"),
}


def log_normal(x, loc, scale):
    return -0.5 * ((x - loc) / scale) ** 2 - ROOT - math.log(scale)


def log_two_modes(x):
    a, b = log_normal(x, -2, 0.1), log_normal(x, 2, 0.1)
    top = max(a, b)
    return top + math.log(0.5 * (math.exp(a - top) + math.exp(b - top)))


T3 = math.lgamma(2) - math.lgamma(1.5) - 0.5 * math.log(3 * math.pi)


def log_logistic(x, loc, scale):
    z = abs(x - loc) / scale
    return -z - 2 * math.log1p(math.exp(-z)) - math.log(scale)


# log p, log q, d log q/d loc, the modes, and how far the tails reach
LAWS = {
    "normal, shift 2": (
        lambda x: log_normal(x, 0, 1), lambda x: log_normal(x, 2, 1), lambda x: x - 2,
        [0, 1, 2], 14,
    ),
    "normal, shift 8": (
        lambda x: log_normal(x, 0, 1), lambda x: log_normal(x, 8, 1), lambda x: x - 8,
        [0, 4, 8], 20,
    ),
    "two modes and a normal": (
        log_two_modes, lambda x: log_normal(x, 0.3, 2), lambda x: (x - 0.3) / 4,
        [-2.4, -2.24, -2, -1.76, -1.6, 0, 1.6, 1.76, 2, 2.24, 2.4], 24,
    ),
    "Student's t and logistic": (
        lambda x: T3 - 2 * math.log1p(x * x / 3), lambda x: log_logistic(x, 1, 0.7),
        lambda x: math.tanh((x - 1) / 1.4) / 0.7, [-3, 0, 1, 4], math.inf,
    ),
}  # fmt: skip


def careful_quad(label):
    log_p, log_q, score, points, reach = LAWS[label]
    inner = sorted({*points, *crossings(log_p, log_q, points)})
    edges = [max(inner[0] - reach, -math.inf), *inner, inner[-1] + reach]
    found = {}
    for name in NAMES:
        for derivative in (False, True):
            weight = (slope if derivative else value)(name, SCALAR)

            def integrand(x, weight=weight, derivative=derivative):
                a, b = log_p(x), log_q(x)
                found = weight(math.exp(a), math.exp(b), a - b)
                return found * score(x) if derivative else found

            parts = [
                quad(integrand, a, b, epsabs=0, epsrel=1e-11, limit=200)[0]
                for a, b in itertools.pairwise(edges)
            ]
            found[name, "q.loc" if derivative else None] = math.fsum(parts)
    return found


def crossings(log_p, log_q, points):
    """Return where log p = log q, by bisection between 400 samples around the modes."""
    low, high = min(points) - 12, max(points) + 12
    grid = [low + (high - low) * k / 400 for k in range(401)]
    found = []
    for a, b in itertools.pairwise(grid):
        fa, fb = log_p(a) - log_q(a), log_p(b) - log_q(b)
        if fa * fb < 0:
            for _ in range(60):
                middle = (a + b) / 2
                if (log_p(middle) - log_q(middle)) * fa > 0:
                    a = middle
                else:
                    b = middle
            found.append(a)
    return found


def ours(label):
    return divergence_table(NAMES, *PAIRS[label], wrt=(None, "q.loc"))


def timed(function, label):
    """Return the processor time of one call, over as many as fill a turn, and the last answer."""
    start, calls = time.process_time(), 0
    while (spent := time.process_time() - start) < TURN:
        found = function(label)
        calls += 1
    return spent / calls, found


def figures(quick):
    """Yield how many times as long `quad` takes, and how far the two are apart, pair by pair."""
    warnings.simplefilter("ignore")
    for label in PAIRS:
        ours(label)
        runs = [(timed(ours, label), timed(careful_quad, label)) for _ in range(3 if quick else 9)]
        mine, theirs = (statistics.median(run[side][0] for run in runs) for side in (0, 1))
        found, other = (run[1] for run in runs[-1])
        apart = max(abs(found[key].value / other[key] - 1) for key in found if found[key].value)
        note = f"{mine * 1e3:.2f} ms for 16 outputs"
        yield Figure(f"{label}, quad / ours", theirs / mine, "times", note=note)
        yield Figure(f"{label}, apart", apart, "relative")
