"""The figure that moves on the start page: three curves of a loss against the distance.

The numbers are integrated while the page is built; a slider and a chooser then need no server.
"""

import json
from pathlib import Path

import numpy as np
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from gantheory.integrals.curves import Target, curves, find_family

LOSSES = ("minimax", "non-saturating", "reverse-kl", "least-squares-01", "hinge")
PARTS = {"value": "D reports", "loss": "the loss reads", "followed": "G follows"}
POINTS = np.linspace(0, 8, 81).tolist()
SCRIPT = Path(__file__).with_name("explorer.js")


def named(title, part):
    """Return the divergence of a curve's title, without the loss and what it is to it."""
    return title.split(": ")[-1].removeprefix("follows ").removeprefix(part).strip()


def rounded(values):
    """Return numbers of five digits, and None where a curve has none."""
    return [float(f"{v:.5g}") if np.isfinite(v) else None for v in values]


def numbers():
    """Return for each loss the three curves with their slopes in d, on one grid."""
    family = find_family("distance")
    found = {}
    for loss in LOSSES:
        targets = [Target.of(f"{loss}.{part}") for part in PARTS]
        found[loss] = [
            {
                "label": label,
                "name": target.title.split(": ")[-1]
                .removeprefix("follows ")
                .removeprefix(part)
                .strip(),
                "value": rounded(curve.value),
                "slope": rounded(curve.gradient),
            }
            for (part, label), target, curve in zip(
                PARTS.items(), targets, curves(targets, family, np.array(POINTS)), strict=True
            )
        ]
    return {"d": [float(d) for d in POINTS], "losses": found}


class ExplorerDirective(SphinxDirective):
    """The figure, as HTML with its numbers and its script inside; nothing in other formats."""

    def run(self):
        data = json.dumps(numbers(), separators=(",", ":"))
        script = SCRIPT.read_text().replace("__DATA__", data)
        return [
            nodes.raw("", f'<div id="explorer"></div>\n<script>{script}</script>', format="html")
        ]


def setup(app):
    app.add_directive("explorer", ExplorerDirective)
    return {"parallel_read_safe": True}
