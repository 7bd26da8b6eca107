"""Vanishing gradients: minimax against non-saturating against W1, over the distance of two laws."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gantheory.integrals.curves import FAMILIES, Target, curves, vanishing
from gantheory.report.plots.style import INK, label_ends, look, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_vanishing(family: str = "distance", points: int = 101) -> Figure:
    """Plot the generator's gradient in d for three losses, on a linear and a logarithmic axis.

    Minimax and non-saturating follow what `gantheory.derive` says they follow; a critic that is
    Lipschitz follows W1, whose derivative in the shift is 1 wherever the laws lie.
    """
    chosen = FAMILIES[family]
    d = np.linspace(*chosen.range, points)
    targets = [Target.followed_by("minimax"), Target.followed_by("non-saturating")]
    w1 = replace(Target.of("w1"), title="W1: Lipschitz critic")
    found = curves([*targets, w1], chosen, d)
    mark = vanishing(targets[0], chosen)
    figure = new_figure(9.6, 4.0)
    linear, logarithmic = figure.subplots(1, 2)
    for k, curve in enumerate(found):
        size = np.where(curve.gradient > 0, curve.gradient, np.nan)
        linear.plot(d, curve.gradient, **look(k), linewidth=1.8)
        logarithmic.plot(d, size, **look(k), linewidth=1.8)
    logarithmic.set_yscale("log")
    for axes in (linear, logarithmic):
        axes.set_xlim(*chosen.range)
    tidy(linear, chosen.axis, "derivative in d", "the generator's gradient")
    tidy(logarithmic, chosen.axis, "derivative in d", "the same on a logarithmic axis")
    linear.set_ylim(bottom=0)
    if mark.falls_at is not None:
        height = mark.fraction * mark.peak_gradient
        logarithmic.plot([mark.falls_at], [height], "o", color=look(0)["color"], markersize=5)
        logarithmic.annotate(
            f"1% of its maximum\nat d = {mark.falls_at:.3g}", (mark.falls_at, height),
            xytext=(-96, -26), textcoords="offset points", fontsize=8, color=INK,
        )  # fmt: skip
    label_ends(
        logarithmic,
        [(float(c.gradient[-1]), c.target.title, look(k)["color"]) for k, c in enumerate(found)],
    )
    return figure
