"""How near a trained discriminator comes to its optimum, and in how much processor time.

For each pair of laws and each recipe of `simulations.fit.fit_discriminator`: the largest gap
V(D*) − V(D) over the seeds, both by quadrature, and the median processor time of one fit.
"""

from __future__ import annotations

import statistics
import time

from benchmarks.figures import Figure
from simulations.experiments.pairs import PAIRS
from simulations.fit import fit_discriminator
from simulations.measure import integrated_value
from simulations.theory import predict

LAWS = PAIRS | {
    "far": ("normal(0, 1)", "normal(4, 1)"),
    "near": ("normal(0, 1)", "normal(0.1, 1)"),
    "heavy tail": ("student_t(3, 0, 1)", "normal(1, 1)"),
    "four modes": (
        "normal_mixture((.25, .25, .25, .25), (-6, -2, 2, 6), (.5, .5, .5, .5))",
        "normal(0, 4)",
    ),
}
# recipe -> (its arguments, nats, seconds): the bar, where there is one
RECIPES = {
    "Adam, 600 steps": ({"recipe": "adam"}, None, None),
    "precise, 150 iterations": ({"steps": 150}, 1e-3, 1.0),
    "precise, 300 iterations": ({"steps": 300}, 1e-4, 2.0),
}


def timed(arguments, p, q, seed):
    start = time.process_time()
    found = fit_discriminator("minimax", p, q, seed=seed, **arguments)
    return time.process_time() - start, found


def figures(quick):
    """Yield the gap and the time of each recipe, pair by pair."""
    timed({"steps": 10}, *PAIRS["shifted"], 0)  # the imports
    for name, (p, q) in LAWS.items():
        best = predict("minimax").optimal_value(p, q).value
        for recipe, (arguments, nats, seconds) in RECIPES.items():
            runs = [timed(arguments, p, q, seed) for seed in range(1 if quick else 3)]
            gap = max(best - integrated_value("minimax", found, p, q).value for _, found in runs)
            took = statistics.median(spent for spent, _ in runs)
            yield Figure(f"{name}: {recipe}, gap", gap, "nats", nats, True)
            yield Figure(f"{name}: {recipe}, time", took, "s", seconds, True)
