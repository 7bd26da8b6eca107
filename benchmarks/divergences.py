"""One general pair, sixteen outputs: one sweep against a careful `scipy.integrate.quad`.

Eight divergences and their derivatives in Q's location. The competitor is what an expert writes:
integrands in u = log p − log q without cancellation, scalar mathematics, breakpoints at modes and
crossings, epsrel = 1e-11, a log weight that cannot underflow to 0·log 0. The two take
turns of a tenth of a second of processor time on one thread; the ratio of medians is what counts.

    python benchmarks/divergences.py
"""

from __future__ import annotations

import itertools
import math
import statistics
import time

from scipy.integrate import quad

from gantheory.integrals import sweep

NAMES = ("kl_pq", "kl_qp", "jsd", "kl_pm", "kl_qm", "hellinger2", "tv", "triangular")
ROUNDS = 9
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
SCALAR = {
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


def softplus(u):
    return max(u, 0.0) + math.log1p(math.exp(-abs(u)))


def sigmoid(u):
    return 1 / (1 + math.exp(-u)) if u >= 0 else math.exp(u) / (1 + math.exp(u))


def value(name, p, q, u):
    if name == "kl_pq":
        return p * u - p + q if p else q
    if name == "kl_qp":
        return -q * u + p - q if q else p
    to_p, to_q = LOG2 - softplus(-u), LOG2 - softplus(u)
    return {
        "jsd": (p * to_p + q * to_q) / 2,
        "kl_pm": p * to_p + (q - p) / 2,
        "kl_qm": q * to_q + (p - q) / 2,
        "hellinger2": (math.sqrt(p) - math.sqrt(q)) ** 2 / 2,
        "tv": abs(p - q) / 2,
        "triangular": (p - q) ** 2 / (p + q) if p + q else 0.0,
    }[name]


def slope(name, p, q, u):
    """q·(G − G(−∞)), or q·G where that limit is infinite."""
    if name == "kl_pq":
        return -p
    if name == "kl_qp":
        return -q * u
    share = sigmoid(u)
    return {
        "jsd": -q * softplus(u) / 2,
        "kl_pm": -q * share,
        "kl_qm": -q * (softplus(u) - share),
        "hellinger2": -math.sqrt(p * q) / 2,
        "tv": -q if u > 0 else 0.0,
        "triangular": -4 * q * share * share,
    }[name]


def careful_quad(label):
    log_p, log_q, score, points, reach = SCALAR[label]
    inner = sorted({*points, *crossings(log_p, log_q, points)})
    edges = [max(inner[0] - reach, -math.inf), *inner, inner[-1] + reach]
    found = {}
    for name in NAMES:
        for derivative in (False, True):

            def integrand(x, name=name, derivative=derivative):
                a, b = log_p(x), log_q(x)
                p, q, u = math.exp(a), math.exp(b), a - b
                return slope(name, p, q, u) * score(x) if derivative else value(name, p, q, u)

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
    return sweep(NAMES, *PAIRS[label], wrt=(None, "q.loc"))


def timed(function, label):
    """Return the processor time of one call, over as many as fill a turn, and the last answer."""
    start, calls = time.process_time(), 0
    while (spent := time.process_time() - start) < TURN:
        found = function(label)
        calls += 1
    return spent / calls, found


def compare(label):
    import warnings

    warnings.simplefilter("ignore")
    ours(label)
    runs = [(timed(ours, label), timed(careful_quad, label)) for _ in range(ROUNDS)]
    mine = statistics.median(a[0] for a, _ in runs)
    theirs = statistics.median(b[0] for _, b in runs)
    found, other = runs[-1][0][1], runs[-1][1][1]
    apart = max(
        abs(found[key].value - other[key]) / max(abs(found[key].value), 1e-300) for key in found
    )
    stated = max(e.error / max(abs(e.value), 1e-300) for e in found.values())
    print(
        f"{label:26} sweep {mine * 1e3:6.2f} ms   quad {theirs * 1e3:7.1f} ms   "
        f"ratio {theirs / mine:5.1f}   largest relative difference {apart:.0e}, "
        f"stated error {stated:.0e}"
    )


if __name__ == "__main__":
    for label in PAIRS:
        compare(label)
