"""The figure of the experiment on mode collapse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gantheory.report.plots.style import BLUE, GREEN, VERMILION
from simulations.compare import proportion
from simulations.coverage import CEILING
from simulations.experiments.base import Combination, Measurement

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Numbers = Mapping[str, Any]
GREY = "#999999"


@dataclass(frozen=True)
class PackedMixture(Combination):
    """A mixture of modes, and how many samples D sees at once.

    >>> PackedMixture("ring", 1).title, PackedMixture("grid", 2).title
    ('ring', 'grid, packed by 2')
    """

    law: str
    packing: int

    @property
    def title(self) -> str:
        """Return how it is called in the figure."""
        return self.law if self.packing == 1 else f"{self.law}, packed by {self.packing}"


def draw(
    measured: Sequence[Measurement], ensembles: Mapping[PackedMixture, Numbers], fresh: int
) -> Figure:
    """Draw G against D's turns, and each ensemble's samples, shares of its modes and quality.

    Args:
        measured: the cases on the line and the groups of seeds.
        ensembles: each ensemble's numbers, one entry a seed.
        fresh: how many samples each seed's share of high quality is a count of.
    """
    from matplotlib.figure import Figure

    columns = max(4, len(ensembles))
    figure = Figure(figsize=(3.6 * columns, 10.5), layout="constrained")
    axes = figure.subplots(3, columns, squeeze=False)
    numbers = {m.case: m.numbers for m in measured}
    top = [("fixed", _fixed), ("chase", _chase)]
    for ax, (case, paint) in zip(axes[0], top, strict=False):
        if case in numbers:
            paint(ax, numbers[case])
    _counts(axes[0][2], ensembles)
    _quality(axes[0][3], ensembles, fresh)
    for column, (ensemble, found) in enumerate(ensembles.items()):
        _samples(axes[1][column], ensemble.title, found)
        _shares(axes[2][column], found)
    for ax in axes.ravel():
        ax.set_visible(ax.has_data())
    return figure


def _fixed(ax: Axes, numbers: Numbers) -> None:
    ax.plot(numbers["x"], numbers["score"], color=BLUE, label="score of the fixed D")
    ax.plot(numbers["made"], numbers["z"], ".", color=VERMILION, ms=4, label="z against G(z)")
    ax.set(
        xlabel="x", ylabel="score, z", title="D is fixed: G ends in D's best point", ylim=(-12, 8)
    )
    ax.legend(fontsize=8, loc="lower left")


def _chase(ax: Axes, numbers: Numbers) -> None:
    """Draw where D's best point and G lie after each turn, for the first seeds."""
    best, low, high = (np.array(numbers[name])[:, :6] for name in ("best", "low", "high"))
    turns = np.arange(len(best))
    for mode in (-1, 3):
        ax.axhspan(
            mode - 1, mode + 1, color=GREY, alpha=0.25, lw=0, label="modes" if mode < 0 else None
        )
    for seed in range(best.shape[1]):
        shift = 0.7 * (seed / best.shape[1] - 0.5)
        ax.vlines(turns + shift, low[:, seed], high[:, seed], color=VERMILION, lw=2.5)
        ax.plot(turns[1::2] + shift, best[1::2, seed], ".", color=BLUE, ms=6)
    ax.plot([], [], color=VERMILION, lw=2.5, label="all of G")
    ax.plot([], [], ".", color=BLUE, label="best of D")
    ax.set(ylabel="x", xlabel="whose turn is over", title="They take turns: D leaves, G follows")
    ax.set_xticks(turns, ["G" if turn % 2 == 0 else "D" for turn in turns])
    ax.set_ylim(-7, 10.5)
    ax.legend(fontsize=8, ncols=3, loc="upper center", columnspacing=0.8)


def _counts(ax: Axes, ensembles: Mapping[PackedMixture, Numbers]) -> None:
    """Draw the share of the modes that each seed covers."""
    for place, found in enumerate(ensembles.values()):
        total, modes = len(found["centres"]), np.array(found["modes"])
        ax.plot(place + _spread(modes), modes / total, "o", color=BLUE, ms=5, alpha=0.8)
        ax.text(place, 1.03, f"{modes.mean():.1f} of {total}", ha="center", fontsize=8)
    ax.set(title="Modes covered, by seed", ylabel="share of the modes", ylim=(0, 1.12))
    _name(ax, ensembles)


def _quality(ax: Axes, ensembles: Mapping[PackedMixture, Numbers], fresh: int) -> None:
    """Draw the share of high quality of each seed, with its 95 % interval."""
    for place, found in enumerate(ensembles.values()):
        shares = np.array(found["quality"], dtype=float)
        counts = np.nan_to_num(shares * fresh).round().astype(int)  # a lost seed is not drawn
        errors = [proportion(count, fresh, 0.05).error for count in counts.tolist()]
        ax.errorbar(place + _spread(shares), shares, errors, fmt="o", color=GREEN, ms=4, lw=1)
        ax.text(place, 1.03, f"{100 * shares.mean():.0f} %", ha="center", fontsize=8)
    ax.axhline(CEILING, color="black", ls="--", lw=1, label="perfect sampler")
    ax.set(title="Share of high quality, by seed", ylim=(0, 1.12))
    ax.legend(fontsize=8, loc="lower left")
    _name(ax, ensembles)


def _spread(values: np.ndarray) -> np.ndarray:
    return 0.5 * (np.arange(len(values)) / len(values) - 0.5)


def _name(ax: Axes, ensembles: Mapping[PackedMixture, Numbers]) -> None:
    names = [one.title.replace(", ", "\n") for one in ensembles]
    ax.set_xticks(range(len(names)), names, fontsize=8)
    ax.set_xlim(-0.6, max(len(names) - 0.4, 0.6))


def _samples(ax: Axes, title: str, numbers: Numbers) -> None:
    """Draw one seed's samples, those of high quality apart from the others."""
    centres, points = np.array(numbers["centres"]), np.array(numbers["points"], dtype=float)
    distance = np.linalg.norm(points[:, None] - centres[None], axis=2).min(axis=1)
    good = distance <= numbers["radius"]
    ax.plot(*points[~good].T, ".", color=VERMILION, ms=2, label="poor")
    ax.plot(*points[good].T, ".", color=BLUE, ms=2, label="high quality")
    ax.plot(*centres.T, "o", mfc="none", mec="black", mew=0.6, ms=7, label="mode")
    limit = 1.3 * float(np.abs(centres).max())
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit * 1.2), aspect="equal")
    ax.set_title(f"{title}: samples of one seed")
    ax.legend(fontsize=7, ncols=3, loc="upper center", columnspacing=0.8)


def _shares(ax: Axes, numbers: Numbers) -> None:
    """Draw each seed's shares of its modes, from the largest to the smallest."""
    shares = -np.sort(-np.array(numbers["masses"], dtype=float), axis=1) * len(numbers["centres"])
    ranks = np.arange(1, shares.shape[1] + 1)
    for row in shares:
        ax.plot(ranks, row, "o-", color=BLUE, ms=3, lw=0.8, alpha=0.6)
    ax.axhline(1, color="black", ls="--", lw=1, label="equal shares")
    ax.set(xlabel="mode, from the largest share", ylabel="share × number of modes", ylim=(0, None))
    mean = np.mean(np.array(numbers["reverse_kl"], dtype=float))
    ax.set_title(f"Shares of the modes, reverse KL {mean:.2f}")
    ax.legend(fontsize=8, loc="upper right")
