"""Matplotlib figures as inline SVG that follows the page's light or dark colours."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from gantheory.errors import MissingExtraError
from gantheory.report.plots.style import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Matplotlib's own colours, each with the variable that the page sets for light and for dark.
INK = {"#000000": "--ink", "#ffffff": "--paper", "#b0b0b0": "--grid", "#cccccc": "--grid"}
VARIABLES = ("--blue", "--vermilion", "--green", "--purple", "--orange", "--sky")
PALETTE = dict(zip(COLOURS, VARIABLES, strict=True))


@dataclass(frozen=True)
class Picture:
    """A figure of the report.

    Attributes:
        title: the short heading, also read out by screen readers.
        figure: a matplotlib Figure, or SVG text that a figure was turned into before.
        caption: what the reader should see in it, one or two sentences.
        description: what a person who cannot see it would need; the caption where empty.

    >>> Picture("A circle", "<svg><circle r='1'/></svg>", "It is round.").title
    'A circle'
    """

    title: str
    figure: Figure | str
    caption: str = ""
    description: str = ""


def inline_svg(picture: Picture, prefix: str) -> str:
    """Return the picture as an ``<svg>`` element that may stand inside a page.

    ``prefix`` keeps its identifiers apart from those of other pictures on the page. Colours that
    are in `INK` or `PALETTE` become variables of the page, so that they follow its theme.
    """
    text = picture.figure if isinstance(picture.figure, str) else _draw(picture.figure)
    start = text.find("<svg")
    body = text[start : text.rfind("</svg>") + len("</svg>")]
    body = re.sub(r"<(metadata|style)\b.*?</\1>", "", body, flags=re.DOTALL)
    return _titled(_with_variables(_with_prefix(body, prefix)), picture, prefix)


def _draw(figure: Figure) -> str:
    try:
        import matplotlib
    except ImportError:
        raise MissingExtraError("a plot", "plots") from None
    target = io.StringIO()
    # The salt makes identifiers, and so the whole page, a function of the figure alone.
    with matplotlib.rc_context({"svg.hashsalt": "gantheory", "svg.fonttype": "path"}):
        figure.savefig(
            target, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None}
        )
    return target.getvalue()


def _with_prefix(body: str, prefix: str) -> str:
    body = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', body)
    body = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', body)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", body)


def _with_variables(body: str) -> str:
    """Replace fixed colours in style attributes; glyphs without a fill take the ink too."""

    def styled(match: re.Match[str]) -> str:
        style = match[1]
        for colour, variable in {**INK, **PALETTE}.items():
            style = re.sub(colour, f"var({variable})", style, flags=re.IGNORECASE)
        return f'style="{style}"'

    return re.sub(r'style="([^"]*)"', styled, body)


def _titled(body: str, picture: Picture, prefix: str) -> str:
    names = f'role="img" aria-labelledby="{prefix}-title" aria-describedby="{prefix}-description"'
    words = (
        f'<title id="{prefix}-title">{escape(picture.title)}</title>'
        f'<desc id="{prefix}-description">'
        f"{escape(picture.description or picture.caption or picture.title)}</desc>"
    )
    opening, rest = body.split(">", 1)
    opening = re.sub(r'\s(?:width|height)="[^"]*"', "", opening)  # the page sets the width
    return f"{opening} {names}>{words}{rest}"
