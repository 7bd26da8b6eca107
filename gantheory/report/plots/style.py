"""What all figures share: colours that everyone can tell apart, sizes, direct labels, saving."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gantheory.errors import GantheoryError, MissingExtraError
from gantheory.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008): distinct for all common kinds of colour vision. Line styles repeat it in
# print; the report replaces these by the page's own shades.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
)  # fmt: skip
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1, 2)), (0, (1, 1)), "-")
INK, GRID = "#000000", "#b0b0b0"
FORMATS = (".png", ".svg", ".pdf")


def new_figure(width: float = 7.2, height: float = 4.2) -> Figure:
    """Return an empty figure in inches, outside of any global state."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("a figure", "plots") from None
    return Figure(figsize=(width, height), layout="constrained")


def look(of: int) -> dict[str, Any]:
    """Return the colour and dashes of the curve number ``of``."""
    return {"color": COLOURS[of % len(COLOURS)], "linestyle": DASHES[of % len(DASHES)]}


def tidy(axes: Axes, xlabel: str = "", ylabel: str = "", title: str = "") -> None:
    """Label an axis, take away its upper and right frame, and lay a light grid under it."""
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    if title:
        axes.set_title(title, fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=GRID, linewidth=0.4, alpha=0.6)
    axes.set_axisbelow(True)


def label_ends(axes: Axes, ends: Sequence[tuple[float, str, str]], gap: float = 0.058) -> None:
    """Write (y, text, colour) beside the right end of an axis, apart enough to be read.

    ``gap`` is the least distance of two labels, as a share of the axis.
    """
    to_axes = axes.transData + axes.transAxes.inverted()
    x = axes.get_xlim()[1]
    places = [(float(to_axes.transform((x, y))[1]), text, colour) for y, text, colour in ends]
    places = [(min(max(y, 0.0), 1.0), text, colour) for y, text, colour in places]
    height = 0.0
    shifted = []
    for y, text, colour in sorted(places):
        height = max(y, height)
        shifted.append([height, text, colour])
        height += gap
    over = max(0.0, shifted[-1][0] - 1.0) if shifted else 0.0  # type: ignore[operator]
    for y, text, colour in shifted:  # type: ignore[assignment]
        axes.text(1.015, y - over, text, color=colour, fontsize=8.5, va="center",
                  transform=axes.transAxes)  # fmt: skip


def save_figure(figure: Figure, path: Path | str) -> Path:
    """Write a figure as PNG, SVG or PDF, whole or not at all.

    Raises:
        GantheoryError: for another ending, or a place that cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise GantheoryError(f"cannot write {path.name!r} as a figure; use {', '.join(FORMATS)}")
    from matplotlib import rc_context

    metadata = {"Date": None} if path.suffix.lower() == ".svg" else None  # reproducible files
    svg = rc_context({"svg.hashsalt": "gantheory", "svg.fonttype": "none"})
    with replacing(path) as partial, svg:
        figure.savefig(partial, dpi=160, metadata=metadata, facecolor="#ffffff")
    return path
