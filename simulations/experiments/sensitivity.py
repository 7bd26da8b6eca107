"""The same small GAN over learning rates and discriminator steps: where it works, where it fails.

Claim: no loss works at every setting. The final exact divergence of one GAN ranges over orders of
magnitude with the two learning rates and with k, the discriminator's steps for each of G's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gantheory.records import Estimate, How
from simulations.data import Law, as_density
from simulations.ensembles import Member, Recipe
from simulations.experiments.base import (
    Combination,
    Comparison,
    Experiment,
    Measurement,
    Setting,
)
from simulations.measure import normal_jsd
from simulations.networks import Affine, Mlp
from simulations.train import last, train

if TYPE_CHECKING:
    from matplotlib.figure import Figure

P = "normal(2, 1)"
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
LOSS = "non-saturating"


def _rates(quick: bool) -> tuple[float, ...]:
    """Return the learning rates of either player."""
    return RATES[2:5] if quick else RATES


@dataclass(frozen=True)
class Steps(Combination):
    """How many steps the discriminator makes for each of the generator's."""

    k: int

    def __str__(self) -> str:
        """Return the label."""
        return f"k={self.k}"


def cases(quick: bool) -> tuple[Steps, ...]:
    """Return the numbers k of discriminator steps."""
    return (Steps(1),) if quick else (Steps(1), Steps(5))


def compare(case: Steps, setting: Setting) -> Measurement:
    """Train every pair of rates as one ensemble and integrate the final JSD exactly."""
    grid = _rates(setting.quick)
    first = setting.seed_of(str(case))
    seeds = 1 if setting.quick else 4
    members = [
        Member(
            Law(as_density(P)), LOSS, seed=first + s, discriminator_rate=d, generator_rate=g
        )
        for d in grid for g in grid for s in range(seeds)
    ]  # fmt: skip
    # the control: G at rest, at the rate of D that comes second
    members.append(
        Member(Law(as_density(P)), LOSS, seed=first, discriminator_rate=grid[1], generator_rate=0)
    )
    how = Recipe(
        Mlp((1, 32, 32, 1), activation="tanh"),
        Affine(loc=-1.0, scale=0.5),
        steps=1024 if setting.quick else 3072,
        batch=128,
        discriminator_steps=case.k,
        device=setting.device,
    )
    rows = last(train(members, how)).parameters["generator"][:, :2].cpu().numpy()
    *trained, still = _jsd(*rows.T).tolist()
    means = np.reshape(trained, (len(grid), len(grid), -1)).mean(axis=2)
    lost = int((~np.isfinite(rows).all(axis=1)).sum())
    counted = f" ({lost} runs that left the numbers count as log 2)" if lost else ""
    best, worst = float(means.min()), float(means.max())
    name = f"sensitivity.{case}"
    exact = "exact divergence of the trained generators"
    comparisons = (
        Comparison(
            f"{name}.works", f"{case}: some pair of rates ends below 0.01 nats of JSD",
            Estimate(best, method=exact), "<=", Estimate(0.01),
        ),
        Comparison(
            f"{name}.fails",
            f"{case}: some pair of rates ends above 0.1 nats of JSD{counted}",
            Estimate(worst, method=exact), ">=", Estimate(0.1),
        ),
        Comparison(
            f"{name}.twin", f"{case}: a generator at rest ends below 0.01 nats of JSD",
            Estimate(still, method=exact), "<=", Estimate(0.01), How.REFUTED,
            twin_of=f"{name}.works",
        ),
    )  # fmt: skip
    numbers: dict[str, Any] = {"rates": grid, "mean": means.tolist(), "seeds": seeds, "lost": lost}
    return Measurement(str(case), comparisons, numbers)


def _jsd(loc: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return the exact JSD from N(2, 1); log 2 for a generator that left the numbers."""
    with np.errstate(all="ignore"):
        values = normal_jsd(loc - 2.0, scale)
    return np.where(np.isfinite(values), values, np.log(2))


def draw(measured: Sequence[Measurement]) -> Figure:
    """Draw the heat map of the final divergence for each k."""
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1 + 4.5 * len(measured), 4.2), layout="constrained")
    every = figure.subplots(1, len(measured), squeeze=False)[0]
    for axes, m in zip(every, measured, strict=True):
        grid = [f"{rate:g}" for rate in m.numbers["rates"]]
        image = axes.imshow(
            m.numbers["mean"], origin="lower", cmap="viridis_r", norm=LogNorm(1e-4, 0.6932)
        )
        axes.set_xticks(range(len(grid)), grid, rotation=45)
        axes.set_yticks(range(len(grid)), grid)
        axes.set(xlabel="generator's rate", ylabel="discriminator's rate", title=m.case)
    figure.colorbar(image, ax=every, label="final JSD in nats (log 2 at most)")
    return figure


EXPERIMENT = Experiment(
    name="sensitivity",
    title="Learning rates and discriminator steps",
    claim="the same GAN ends anywhere between a thousandth of a nat and log 2, by its rates",
    expected=("best cell below 0.01 nats, worst above 0.1",),
    minutes=6,
    quick_minutes=0.3,
    cases=cases,
    measure=compare,
    draw=draw,
    source="Lucic et al. (2018), arXiv:1711.10337",
)
