"""How often the interval of a distance of samples holds the distance of the laws behind them.

Six pairs of laws on the line, 200 points of each; the truth is summed on a fine grid from SciPy's
distribution functions and shares no code with the package.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

import gantheory as gt
from benchmarks.figures import Figure

METHODS = ("w1", "w2", "energy", "mmd2", "ks")
PLANAR = ("w1", "w2", "sliced_w1", "sliced_w2", "energy")
# normals in the plane that are moved: W1 = W2 = the move, a slice has its part along the direction
MOVES = {"planar equal": 0.0, "planar moved": 1.0, "planar far": 3.0}
PAIRS = {
    "shifted normals": (stats.norm(0, 1), stats.norm(1, 1)),
    "equal normals": (stats.norm(0, 1), stats.norm(0, 1)),
    "normal and Laplace": (stats.norm(0, 1), stats.laplace(0.5, 1)),
    "exponential and gamma": (stats.expon(0, 1), stats.gamma(3, 0, 0.5)),
    "uniform and beta": (stats.uniform(0, 1), stats.beta(2, 5)),
    "logistic and t": (stats.logistic(0, 1), stats.t(5, 0.3, 2)),
}
POINTS, STATED = 200, 0.95


def truths(p, q):
    """Return every distance of two laws by sums over a grid of 20 000 places or levels."""
    low = min(law.ppf(1e-9) for law in (p, q))
    high = max(law.isf(1e-9) for law in (p, q))
    x = np.linspace(low, high, 20_001)
    step, gap = x[1] - x[0], p.cdf(x) - q.cdf(x)
    level = (np.arange(200_000) + 0.5) / 200_000
    x4 = x[::10]
    mass = np.diff(p.cdf(np.append(x4, np.inf))) - np.diff(q.cdf(np.append(x4, np.inf)))
    middle = x4 + 5 * step
    kernel = np.exp(-0.5 * (middle[:, None] - middle[None]) ** 2)
    return {
        "w1": float(np.sum(np.abs(gap)) * step),
        "w2": float(np.sqrt(np.mean((p.ppf(level) - q.ppf(level)) ** 2))),
        "energy": float(2 * np.sum(gap**2) * step),
        "mmd2": float(mass @ kernel @ mass),
        "ks": float(np.abs(gap).max()),
    }


def planar(seeds):
    """Yield method, and for each move how often the interval holds the truth and how wide it is."""
    for name in PLANAR:
        few = min(seeds, 40) if name in ("w1", "w2") else seeds  # each repeat is a transport
        for move in MOVES.values():
            exact = {
                "w1": move,
                "w2": move,
                "sliced_w1": 2 * move / np.pi,
                "sliced_w2": move / np.sqrt(2),
                "energy": gt.divergence(
                    "energy", "normal_2d_iso((0, 0), 1)", f"normal_2d_iso(({move}, 0), 1)"
                ).value,
            }[name]
            found = []
            for seed in range(few):
                rng = np.random.default_rng(seed)
                x, y = rng.normal(size=(2, 100, 2)) + np.array([[[0, 0]], [[move, 0]]])
                found.append(gt.divergence(name, x, y))
            held = [e.lower - e.error <= exact <= e.upper + e.error for e in found]
            yield (
                name,
                few,
                float(np.mean(held)),
                float(np.mean([e.upper - e.lower for e in found])),
            )


def figures(quick):
    """Yield, method by method, the least share of seeds over the pairs."""
    seeds = 20 if quick else 200
    held = {name: [] for name in METHODS}
    width = {name: [] for name in METHODS}
    for p, q in PAIRS.values():
        exact = truths(p, q)
        inside = dict.fromkeys(METHODS, 0)
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            x, y = (law.rvs(POINTS, random_state=rng) for law in (p, q))
            for name in METHODS:
                found = gt.divergence(name, x, y)
                inside[name] += found.lower - 1e-6 <= exact[name] <= found.upper + 1e-6
                width[name].append(found.upper - found.lower)
        for name in METHODS:
            held[name].append(inside[name] / seeds)
    for name in METHODS:
        note = f"mean width {np.mean(width[name]):.3g}, {seeds} seeds, 6 pairs"
        yield Figure(
            f"{name}: least coverage of a pair", min(held[name]), "share", STATED, note=note
        )
    of_planes = list(planar(seeds))
    for name in PLANAR:
        rows = [row[1:] for row in of_planes if row[0] == name]
        note = f"mean width {np.mean([w for *_, w in rows]):.3g}, {rows[0][0]} seeds, 3 pairs"
        yield Figure(
            f"{name} in the plane: least coverage", min(c for _, c, _ in rows), "share", STATED,
            note=note,
        )  # fmt: skip
