"""Curves as lines and tables in a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gantheory.cli.curve_job import Job
    from gantheory.integrals.curves import Vanishing


def show_curves(job: Job) -> None:
    """Print where gradients vanish, the tables, and what the notes say."""
    from rich.padding import Padding

    from gantheory.report import terminal

    console = terminal.console()
    console.print(f"{job.family}: values in nats, and their derivatives ∂ in d", highlight=False)
    for mark in job.marks:
        console.print(Padding(_sentence(mark), (0, 0, 0, 2)))
    for table in _tables(job, console.width):
        console.print(table)
    for line in _without_slope(job):
        console.print(line, highlight=False)
    for note in sorted({reason for curve in job.curves for reason in curve.reasons}):
        console.print(f"note: {note}", highlight=False)
    for m in job.measured:
        console.print(
            f"{m.label} at d = {m.d:g}: measured {m.gradient.value:.5g} ± {m.gradient.error:.1g}",
            highlight=False,
        )


def _tables(job: Job, width: int) -> Iterator[Any]:
    """Yield the values and derivatives as tables, as many as whole numbers and names need."""
    from rich.box import SIMPLE
    from rich.table import Table

    from gantheory.cli.listing import side_by_side

    shown = _shown(len(job.d))
    texts = [
        [[_cell(part[k]) for k in shown] for part in (c.value, c.gradient)] for c in job.curves
    ]
    labels = [curve.target.label for curve in job.curves]
    widths = [
        max(len(label), *map(len, value)) + max(map(len, slope)) + 4
        for label, (value, slope) in zip(labels, texts, strict=True)
    ]
    for group in side_by_side(widths, width - 2, 8):
        table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
        for head in ("d", *(part for k in group for part in (labels[k], "∂"))):
            table.add_column(head, justify="right", overflow="fold")
        for row, k in enumerate(shown):
            table.add_row(f"{job.d[k]:g}", *(part[row] for one in group for part in texts[one]))
        yield table


def _cell(number: float) -> str:
    """Return a number to four digits; a note below the table says why there is none.

    >>> _cell(-0.0), _cell(float("inf")), _cell(float("nan"))
    ('0', '∞', 'none')
    """
    if math.isnan(number):
        return "none"
    return f"{number + 0.0:.4g}".replace("inf", "∞")


def _without_slope(job: Job) -> Iterator[str]:
    """Yield where curves have a value but no slope, or none that is determined."""
    for one in job.curves:
        pairs = zip(job.d, one.value, one.gradient, strict=True)
        at = [d for d, value, slope in pairs if math.isnan(slope) and not math.isnan(value)]
        if at:
            places = ", ".join(f"{d:g}" for d in at[:5]) + (", ..." if len(at) > 5 else "")
            name = one.target.title or one.target.label
            yield f"{name}: no slope exists at d = {places}, or none is determined; see the note"


def _shown(count: int) -> list[int]:
    return sorted({round(k * (count - 1) / 10) for k in range(11)})


def _sentence(mark: Vanishing) -> str:
    name, top = mark.target.title or mark.target.label, f"{mark.peak_gradient:.5g}"
    if math.isnan(mark.peak_gradient):
        return f"{name}: the gradient is not determined anywhere here"
    if mark.falls_at is None:
        return f"{name}: gradient never falls to {mark.fraction:.0%} of its largest size {top} here"
    return (
        f"{name}: gradient is largest at d = {mark.peak:.4g} ({top}) and has fallen to "
        f"{mark.fraction:.0%} of that at d = {mark.falls_at:.4g}"
    )
