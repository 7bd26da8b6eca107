"""The generator's two classic losses against D, with their slopes in D and in the logit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gantheory.report.plots.style import BLUE, GRID, INK, VERMILION, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHADE = 0.02  # where D is this sure that a sample is fake


def plot_losses() -> Figure:
    """Plot log(1 − D) and −log D, their slopes in D, and their slopes in the logit t.

    A sample that D is sure to be fake (D near 0) still has slope −1 in D under log(1 − D); it is in
    the logit, which the network outputs, that the slope −D vanishes.
    """
    D = np.linspace(1e-3, 1 - 1e-3, 999)
    panels = (
        ("the loss", "nats", np.log1p(-D), -np.log(D)),
        ("its slope in D", "nats", -1 / (1 - D), -1 / D),
        ("its slope in the logit t", "nats", -D, -(1 - D)),
    )
    figure = new_figure(9.6, 3.6)
    for axes, (title, unit, saturating, other) in zip(figure.subplots(1, 3), panels, strict=True):
        axes.plot(D, saturating, color=BLUE, linewidth=1.8, label="log(1 − D), saturating")
        axes.plot(D, other, color=VERMILION, linewidth=1.8, linestyle=(0, (6, 2)),
                  label="−log D, non-saturating")  # fmt: skip
        axes.axvspan(0, SHADE * 2.5, color=GRID, alpha=0.35, linewidth=0)
        axes.set_xlim(0, 1)
        tidy(axes, "D(x) of a fake sample", unit, title)
    losses, slopes, logits = figure.axes
    losses.set_ylim(-4, 4)
    slopes.set_ylim(-8, 0.3)
    slopes.annotate("−1 at D = 0", (0.0, -1.0), xytext=(0.16, -0.28), fontsize=8, color=BLUE,
                    arrowprops={"arrowstyle": "-", "color": BLUE, "linewidth": 0.7})  # fmt: skip
    logits.annotate("0 at D = 0:\nthe gradient vanishes", (0.0, 0.0), xytext=(0.2, -0.14),
                    fontsize=8, color=BLUE,
                    arrowprops={"arrowstyle": "-", "color": BLUE, "linewidth": 0.7})  # fmt: skip
    logits.text(0.24, -0.92, "−(1 − D)", color=VERMILION, fontsize=8.5)
    logits.text(0.72, -0.68, "−D", color=BLUE, fontsize=8.5)
    losses.legend(loc="upper right", fontsize=8, frameon=False)
    losses.text(0.07, -3.8, "grey: D knows\nthat it is fake", fontsize=7.5, color=INK)
    return figure
