"""How often the interval of a distance of samples holds the distance of the laws behind them.

Pairs of laws on the line, in the plane and in space, two sizes of samples, every method that states
an interval. The truths on the line are sums on a fine grid from SciPy's distribution functions; in
space they are closed forms. Neither shares code with the package.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from scipy import special, stats

from benchmarks.campaigns.outcome import Outcome
from benchmarks.figures import Figure

STATED = 0.95
MISTAKEN = 0.01  # the chance that a cell of the stated coverage is said to be below it
SEEDS = 200
SIZES = (40, 200)
IN_SPACE = (40,)
METHODS = {
    "w1": {}, "w2": {}, "energy": {}, "mmd2": {}, "ks": {},
    "ks guaranteed": {"guaranteed": True}, "mmd2 guaranteed": {"guaranteed": True},
}  # fmt: skip
TO_LAW = ("w1", "energy", "ks", "ks guaranteed")
OF_SPACE = ("w1", "w2", "sliced_w1", "sliced_w2", "energy", "mmd2", "sinkhorn")
BOUNDED = ("tv",)  # of the f-divergences the one that two cells can give whole
PAIRS = {
    "equal normals": (stats.norm(0, 1), stats.norm(0, 1)),
    "equal exponentials": (stats.expon(0, 1), stats.expon(0, 1)),
    "equal t": (stats.t(5), stats.t(5)),
    "normal and Laplace": (stats.norm(0, 1), stats.laplace(0.5, 1)),
    "exponential and gamma": (stats.expon(0, 1), stats.gamma(3, 0, 0.5)),
    "uniform and beta": (stats.uniform(0, 1), stats.beta(2, 5)),
}
# (dimension, move along the first axis, factor): Q is a moved and stretched standard normal law
SPACE = {
    "plane equal": (2, 0.0, 1.0), "plane moved": (2, 1.0, 1.0), "plane far": (2, 3.0, 1.0),
    "plane stretched": (2, 0.0, 2.0), "space equal": (3, 0.0, 1.0), "space moved": (4, 1.0, 1.0),
}  # fmt: skip
EPS = 2.0  # of the Sinkhorn cost


def grid(p: Any, q: Any) -> Any:
    """Return 20 001 places that hold all but 2e-9 of both laws."""
    low, high = min(p.ppf(1e-9), q.ppf(1e-9)), max(p.isf(1e-9), q.isf(1e-9))
    return np.linspace(low, high, 20_001)


@cache
def truths(name: str) -> dict[str, float]:
    """Return every distance of a pair on the line, by sums over places or levels."""
    p, q = PAIRS[name]
    x = grid(p, q)
    step, gap = x[1] - x[0], p.cdf(x) - q.cdf(x)
    level = (np.arange(200_000) + 0.5) / 200_000
    rough = x[::10]
    mass = np.diff(p.cdf(np.append(rough, np.inf))) - np.diff(q.cdf(np.append(rough, np.inf)))
    apart = (rough[:, None] - rough[None]) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        density, other = p.pdf(x), q.pdf(x)
        kl = np.where(density > 0, density * np.log(density / other), 0.0)
    found = {
        "w1": np.sum(np.abs(gap)) * step,
        "w2": np.sqrt(np.mean((p.ppf(level) - q.ppf(level)) ** 2)),
        "energy": 2 * np.sum(gap**2) * step,
        "mmd2": mass @ np.exp(-0.5 * apart) @ mass,
        "ks": np.abs(gap).max(),
        "tv": 0.5 * np.sum(np.abs(density - other)) * step,
        "kl_pq": np.sum(kl) * step,
    }
    return {k: float(v) for k, v in found.items()}


def mean_norm(dim: int, move: float, scale: float) -> float:
    """Return E‖X‖ of a normal law around a place ``move`` from 0: a confluent hypergeometric."""
    half = special.gamma((dim + 1) / 2) / special.gamma(dim / 2)
    return float(
        scale * math.sqrt(2) * half * special.hyp1f1(-0.5, dim / 2, -((move / scale) ** 2) / 2)
    )


def mean_kernel(dim: int, move: float, variance: float) -> float:
    """Return E exp(−‖X‖²/2) of a normal law."""
    return float((1 + variance) ** (-dim / 2) * math.exp(-(move**2) / (2 * (1 + variance))))


def sinkhorn(dim: int, move: float, factor: float) -> float:
    """Return the Sinkhorn cost of normal laws for squared distances.

    Source: H. Janati, B. Muzellec, G. Peyré, M. Cuturi (2020), arXiv:2006.02572, Theorem 1.
    """
    half = EPS / 2
    d = math.sqrt(4 * factor**2 + half**2)
    one = 1 + factor**2 - d + half * (1 - math.log(2 * half)) + half * math.log(d + half)
    return move**2 + dim * one


@cache
def truths_in_space(name: str) -> dict[str, float]:
    """Return every distance of a pair in space: the one law is the other one's image.

    A move costs its length. A stretch moves along the gradient of ‖x‖, whose mean is W1. A slice
    of either is a move or a stretch on the line.
    """
    dim, move, factor = SPACE[name]
    grown = abs(factor - 1)
    turned = math.gamma(dim / 2) / (math.sqrt(math.pi) * math.gamma((dim + 1) / 2))  # E|u₁|
    own = [mean_norm(dim, 0.0, math.sqrt(2) * s) for s in (1.0, factor)]
    return {
        "w1": move + grown * mean_norm(dim, 0.0, 1.0),
        "w2": math.hypot(move, grown * math.sqrt(dim)),
        "sliced_w1": move * turned + grown * math.sqrt(2 / math.pi),
        "sliced_w2": math.hypot(move / math.sqrt(dim), grown),
        "energy": 2 * mean_norm(dim, move, math.hypot(1, factor)) - sum(own),
        "mmd2": mean_kernel(dim, 0, 2) + mean_kernel(dim, 0, 2 * factor**2)
        - 2 * mean_kernel(dim, move, 1 + factor**2),
        "sinkhorn": sinkhorn(dim, move, factor),
    }  # fmt: skip


def run(seeds: range, outcome: Outcome) -> None:
    """Try every method on samples of every pair, drawn by each seed."""
    for seed in seeds:
        for trial in itertools.chain(on_the_line(seed), in_space(seed)):
            judge(outcome, *trial)


def on_the_line(seed: int) -> Iterator[tuple[str, str, int, Any, Any, float]]:
    """Yield method, pair, size, both laws, and the truth."""
    for pair, (p, q) in PAIRS.items():
        true = truths(pair)
        for n in SIZES:
            rng = np.random.default_rng([seed, n])
            x, y = (law.rvs(n, random_state=rng) for law in (p, q))
            for method in METHODS:
                yield method, pair, n, x, y, true[method.split()[0]]
            for method in TO_LAW:
                yield f"{method} to a law", pair, n, x, q, true[method.split()[0]]
            if n == max(SIZES):
                for method in BOUNDED:
                    yield f"least {method}", pair, n, x, y, true[method]


def in_space(seed: int) -> Iterator[tuple[str, str, int, Any, Any, float]]:
    """Yield the same of samples in space."""
    for pair, (dim, move, factor) in SPACE.items():
        true = truths_in_space(pair)
        for n in IN_SPACE:
            rng = np.random.default_rng([seed, n])
            x, y = rng.normal(size=(2, n, dim))
            y = factor * y + move * np.eye(dim)[0]
            for method in OF_SPACE:
                yield f"{method} in space", pair, n, x, y, true[method]


def judge(outcome: Outcome, method: str, pair: str, n: int, x: Any, y: Any, truth: float) -> None:
    """Note whether an interval holds the truth, and how wide it is."""
    cell = f"{method}|{pair}|{n}"
    found = interval(method, x, y)
    near = 1e-6 * (1 + abs(truth))  # of the sums that are the truth
    outcome.counts[f"tried|{cell}"] += 1
    outcome.counts[f"held|{cell}"] += found.lower - near <= truth <= found.upper + near
    outcome.counts[f"width|{cell}"] += found.upper - found.lower


def interval(method: str, x: Any, y: Any) -> Any:
    """Return what the package says of samples, or of samples and a law."""
    import gantheory as gt

    name, *how = method.split()
    if name == "least":
        return gt.divergence(how[0], x, y)
    options = {"guaranteed": True} if "guaranteed" in how else {}
    if name == "sinkhorn":
        options = {"eps": EPS}
    laws = (gt.samples(z) if isinstance(z, np.ndarray) else gt.density(z) for z in (x, y))
    return gt.between_samples(name, *laws, **options)


def figures_of(outcome: Outcome) -> Iterator[Figure]:
    """Yield, method by method, the least share of seeds over the pairs and sizes."""
    cells = sorted(word.split("|", 1)[1] for word in outcome.counts if word.startswith("tried"))
    shares = {c: outcome.counts[f"held|{c}"] / outcome.counts[f"tried|{c}"] for c in cells}
    widths = {c: outcome.counts[f"width|{c}"] / outcome.counts[f"tried|{c}"] for c in cells}
    yield below(outcome, cells)
    for method, of in itertools.groupby(cells, lambda cell: cell.split("|")[0]):
        own = list(of)
        least = min(own, key=shares.__getitem__)
        note = f"{least.split('|', 1)[1]}; {outcome.counts[f'tried|{least}']} seeds; mean "
        note += f"{np.mean([shares[c] for c in own]):.3f}; width {widths[least]:.3g}"
        yield Figure(f"{method}: least coverage", shares[least], "share", note=note)


def below(outcome: Outcome, cells: list[str]) -> Figure:
    """Return the cells whose coverage is below what is stated, by Holm's tests of all at once.

    Of a coverage that is just as stated half of all counts lie below: a cell counts where its
    count is too low for that, at a chance of one in a hundred that any cell is named by mistake.
    """
    tails = {
        c: stats.binom.cdf(outcome.counts[f"held|{c}"], outcome.counts[f"tried|{c}"], STATED)
        for c in cells
    }
    order = sorted(cells, key=tails.__getitem__)
    named = list(
        itertools.takewhile(lambda c: tails[c] * (len(order) - order.index(c)) < MISTAKEN, order)
    )
    note = ", ".join(named) or f"of {len(cells)} cells; the least chance is {tails[order[0]]:.2g}"
    return Figure("cells below what is stated", len(named), "cells", 0, True, note)


def figures(quick: bool) -> Iterator[Figure]:
    """Yield what came of a campaign."""
    outcome = Outcome()
    run(range(5 if quick else SEEDS), outcome)
    return figures_of(outcome)


if __name__ == "__main__":
    from benchmarks.campaigns.command import main

    main(run, Outcome(), figures_of)
