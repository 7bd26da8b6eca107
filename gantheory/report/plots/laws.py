"""Pictures of laws: D* over its two densities, dropped modes, and a generator's pushforward."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gantheory.densities import Density, parse_density
from gantheory.densities.mapped import Pushforward
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError
from gantheory.report.plots.style import (
    BLUE,
    GRID,
    INK,
    PURPLE,
    VERMILION,
    look,
    new_figure,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FINE = 1201


def _on_the_line(law: Density | str) -> Univariate:
    found = parse_density(law)
    if not isinstance(found, Univariate):
        raise GantheoryError(f"{found}: this figure needs a density on the line")
    return found


def span(laws: Sequence[Univariate], widths: float = 4.0) -> tuple[float, float]:
    """Return an interval that shows the bumps of all laws."""
    ends = [(c - widths * w, c + widths * w) for law in laws for c, w in law.centers]
    return min(low for low, _ in ends), max(high for _, high in ends)


def plot_optimum(
    p: Density | str, q: Density | str, trained: tuple[np.ndarray, np.ndarray] | None = None
) -> Figure:
    """Plot P and Q, and under them D* = p/(p + q), with a trained D(x) as dots where it is given.

    Args:
        p: the data density, on the line.
        q: the generator's density.
        trained: points x and a trained discriminator's D(x) there.
    """
    first, second = _on_the_line(p), _on_the_line(q)
    x = np.linspace(*span([first, second]), FINE)
    log_p, log_q = first.logpdf(x), second.logpdf(x)
    figure = new_figure(7.6, 5.2)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1, 1.1])
    _filled(above, x, np.exp(log_p), BLUE, f"P = {first}")
    _filled(above, x, np.exp(log_q), VERMILION, f"Q = {second}", dashes=(0, (6, 2)))
    with np.errstate(invalid="ignore", over="ignore"):
        best = 1 / (1 + np.exp(log_q - log_p))
    below.plot(x, best, color=INK, linewidth=1.8, label="D* = p/(p + q)")
    below.axhline(0.5, color=INK, linewidth=0.6, linestyle=":")
    below.text(x[0], 0.52, " ½: cannot tell them apart", fontsize=8)
    if trained is not None:
        below.plot(*trained, "o", color=PURPLE, markersize=3.5, label="trained D")
    above.set_ylim(bottom=0)
    above.set_xlim(x[0], x[-1])
    below.set_ylim(-0.03, 1.03)
    tidy(above, "", "density")
    tidy(below, "x", "probability that x is real")
    above.legend(fontsize=8.5, frameon=False, loc="upper right")
    below.legend(fontsize=8.5, frameon=False, loc="upper right", bbox_to_anchor=(1, 0.92))
    return figure


def _filled(
    axes: Axes, x: np.ndarray, y: np.ndarray, colour: str, label: str, dashes: object = "-"
) -> None:
    axes.plot(x, y, color=colour, linewidth=1.8, linestyle=dashes, label=label)
    axes.fill_between(x, y, color=colour, alpha=0.12, linewidth=0)


def mode_costs(modes: int) -> dict[str, np.ndarray]:
    """Return what each divergence charges for keeping k = 1, ..., n of n equal, separate modes.

    P has mass 1/n on each mode, Q has 1/k on each one kept and M = (P + Q)/2 what follows from
    that: KL(Q‖P) = log(n/k), TV = 1 − k/n, 2·JSD = 2 log 2 − (k/n) log(1 + n/k) − log(1 + k/n).
    """
    if modes < 2:
        raise GantheoryError(f"modes={modes}: at least 2 are needed to drop one")
    r = np.arange(1, modes + 1) / modes  # k/n
    on_kept, on_dropped = 0.5 * (1 + r), 0.5 * (1 - r)  # the mass of M
    return {
        "KL(Q‖P): log-odds generator": -np.log(r),
        "2·KL(M‖P): non-saturating": 2
        * (on_kept * np.log(0.5 * (1 + 1 / r)) + on_dropped * math.log(0.5)),
        "2·JSD(P, Q): minimax": 2 * math.log(2) - r * np.log1p(1 / r) - np.log1p(r),
        "2·TV(P, Q): hinge": 2 * (1 - r),
    }


def plot_mode_dropping(modes: int = 8) -> Figure:
    """Plot what losing some of ``modes`` equal, separate modes costs; see `mode_costs`."""
    costs, k = mode_costs(modes), np.arange(1, modes + 1)
    figure = new_figure(7.6, 4.2)
    axes = figure.subplots()
    for j, (name, values) in enumerate(costs.items()):
        axes.plot(k, values, marker="o", markersize=3.5, linewidth=1.6, label=name, **look(j))
    axes.set_xlim(0.8, modes + 0.2)
    axes.set_ylim(bottom=-0.04)
    axes.set_xticks(k)
    tidy(axes, f"modes kept, of n = {modes}", "divergence",
         "What losing modes costs; KL(P‖Q) is infinite as soon as one is lost")  # fmt: skip
    axes.legend(fontsize=8.5, frameon=False, loc="upper right")
    return figure


def plot_pushforward(law: Pushforward, arrows: int = 41) -> Figure:
    """Draw how G carries a latent law to the line: its density, arrows from z to x, and the image.

    Arrows start at quantiles of z, so each carries the same mass: where they crowd together the
    density of x is high.
    """
    levels = (np.arange(arrows) + 0.5) / arrows
    z = np.asarray(law.latent.ppf(levels), float)
    x = law.generate(z)[0]
    figure = new_figure(7.6, 5.6)
    above, middle, below = figure.subplots(3, 1, height_ratios=[1, 1.3, 1])
    shown_z = np.linspace(z[0] - 0.25 * (z[-1] - z[0]), z[-1] + 0.25 * (z[-1] - z[0]), FINE)
    low, high = (float(v) for v in np.quantile(x, [0.06, 0.94]))
    margin = 0.3 * (high - low)
    both = (min(shown_z[0], low - margin), max(shown_z[-1], high + margin))
    shown_x = np.linspace(*both, FINE)
    _filled(above, shown_z, law.latent.pdf(shown_z), BLUE, f"z ~ {law.latent}")
    for start, end in zip(z, x, strict=True):
        if not both[0] <= end <= both[1]:
            continue
        middle.annotate("", (end, 0), (start, 1), annotation_clip=True,
                        arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 0.5,
                                    "alpha": 0.7, "mutation_scale": 7, "shrinkA": 0,
                                    "shrinkB": 0})  # fmt: skip
    density = law.pdf(shown_x)
    _filled(below, shown_x, density, VERMILION, f"x = {law.formula}", dashes=(0, (6, 2)))
    folds = [end for end in (*law.kinks, *law.support) if math.isfinite(end)]
    for fold in folds:
        below.axvline(fold, color=GRID, linewidth=0.8, linestyle=":")
    top = float(np.quantile(density[np.isfinite(density)], 0.985 if folds else 1.0))
    below.set_ylim(0, 1.3 * top)
    above.set_ylim(bottom=0)
    for axes in (above, middle, below):
        axes.set_xlim(both)
    tidy(above, "", "density of z")
    tidy(below, "x = G(z)", "density of x")
    middle.set_axis_off()
    middle.set_ylim(0, 1)
    for axes in (above, below):
        axes.legend(fontsize=8.5, frameon=False, loc="upper right")
    return figure
