"""Divergences and their gradients along a family, with measured points laid over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gantheory.integrals.curves import TargetCurve, Vanishing
from gantheory.records import Estimate
from gantheory.report.plots.style import INK, label_ends, look, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SPREAD = 30.0  # curves whose heights differ by more than this are drawn on a logarithmic axis
DECADES = 7


@dataclass(frozen=True)
class Measured:
    """A gradient measured at one d; ``label`` is that of the curve it belongs to."""

    label: str
    d: float
    gradient: Estimate


def plot_curves(
    d: np.ndarray,
    curves: Sequence[TargetCurve],
    *,
    axis: str = "d",
    marks: Sequence[Vanishing] = (),
    measured: Sequence[Measured] = (),
    title: str = "",
) -> Figure:
    """Plot every curve above and its derivative in d below.

    Args:
        d: the values of the varying number.
        curves: from `gantheory.integrals.curves.along.curves`.
        axis: the label of the horizontal axis.
        marks: where gradients have fallen to a fraction of their maximum.
        measured: gradients measured by training, drawn with their intervals.
        title: a line above the figure.
    """
    figure = new_figure(8.4, 6.4)
    above, below = figure.subplots(2, 1, sharex=True)
    for k, curve in enumerate(curves):
        above.plot(d, curve.value, **look(k), linewidth=1.8)
        below.plot(d, curve.gradient, **look(k), linewidth=1.8)
    above.set_xlim(float(np.min(d)), float(np.max(d)))
    tidy(above, "", "value (nats)", title)
    tidy(below, axis, "derivative in d (nats per unit)")
    _scale(above, [curve.value for curve in curves])
    _scale(below, [curve.gradient for curve in curves])
    _marks(below, curves, marks)
    _points(below, curves, measured)
    _labels(above, curves, [curve.value[-1] for curve in curves])
    _labels(below, curves, [curve.gradient[-1] for curve in curves])
    return figure


def _scale(axes: Axes, series: Sequence[np.ndarray]) -> None:
    """Choose a logarithmic axis where it is needed to see the lowest of several curves."""
    finite = [s[np.isfinite(s)] for s in series]
    tops = [float(np.max(np.abs(s))) for s in finite if len(s) and np.any(s)]
    if not tops:
        return
    lasts = [float(abs(s[-1])) for s in finite if len(s) and s[-1]]
    spread = max(tops) / min([*tops, *lasts])
    if len(tops) > 1 and spread > SPREAD and all(np.all(s >= 0) for s in finite):
        axes.set_yscale("log")
        bottom = max(max(tops) * 10.0**-DECADES, min(*lasts, 1e-2 * min(tops)) / 3)
        axes.set_ylim(bottom, max(tops) * 2)
        for line in axes.get_lines():  # a zero has no place on this axis: the line starts after it
            y = np.asarray(line.get_ydata(), float)
            line.set_ydata(np.where(y > 0, y, np.nan))
        return
    low = min(float(np.min(s)) for s in finite if len(s))
    axes.set_ylim(min(low * 1.05, 0.0), max(tops) * 1.08)


def _labels(axes: Axes, curves: Sequence[TargetCurve], ends: Sequence[float]) -> None:
    texts = [curve.target.title or curve.target.label for curve in curves]
    label_ends(
        axes,
        [
            (float(end), text, look(k)["color"])
            for k, (end, text) in enumerate(zip(ends, texts, strict=True))
            if np.isfinite(end)
        ],
    )


def _marks(axes: Axes, curves: Sequence[TargetCurve], marks: Sequence[Vanishing]) -> None:
    """Mark each fall with a dot; falls at the same d share one line and one sentence."""
    order = [curve.target.label for curve in curves]
    shown: set[float] = set()
    for mark in marks:
        if mark.falls_at is None:
            continue
        colour = look(order.index(mark.target.label))["color"]
        height = mark.fraction * mark.peak_gradient
        axes.plot([mark.falls_at], [height], "o", color=colour, markersize=5, zorder=5)
        place = round(mark.falls_at, 6)
        if place in shown:
            continue
        shown.add(place)
        axes.axvline(mark.falls_at, color=INK, linewidth=0.7, linestyle=":")
        text = f"{mark.fraction:.0%} of the maximum at d = {mark.falls_at:.3g}"
        _beside(axes, text, mark.falls_at, len(shown), colour)


def _beside(axes: Axes, text: str, d: float, row: int, colour: str) -> None:
    """Write of a fall beside its line, in the ``row``-th row, where no gradient is.

    A falling curve comes from above on the left. On a logarithmic axis it leaves the foot left of
    the line free; on a linear one it is at the foot long before, and the top is free.
    """
    at_foot = axes.get_yscale() == "log"
    is_left = at_foot or d > np.dot(axes.get_xlim(), (0.35, 0.65))
    axes.annotate(
        text, (d, 0.0 if at_foot else 1.0), xycoords=("data", "axes fraction"),
        ha="right" if is_left else "left", fontsize=8, color=colour, textcoords="offset points",
        xytext=(-4 if is_left else 4, 11 * row - 6 if at_foot else 2 - 11 * row),
    )  # fmt: skip


def _points(axes: Axes, curves: Sequence[TargetCurve], measured: Sequence[Measured]) -> None:
    for k, curve in enumerate(curves):
        mine = [m for m in measured if m.label == curve.target.label]
        if mine:
            axes.errorbar(
                [m.d for m in mine],
                [m.gradient.value for m in mine],
                yerr=[m.gradient.error for m in mine],
                fmt="o", color=look(k)["color"], markersize=4, capsize=3, linewidth=1.2,
                markerfacecolor="#ffffff", zorder=6,
            )  # fmt: skip
    if measured:
        axes.plot([], [], "o", color=INK, markerfacecolor="#ffffff", markersize=4,
                  label="trained discriminators, with their intervals")  # fmt: skip
        axes.legend(loc="lower left", fontsize=8, frameon=False)
