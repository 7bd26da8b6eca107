"""Gradients against distance: what generators follow as Q moves away from P."""

from __future__ import annotations

from typing import Any

import numpy as np

from gantheory.integrals.curves import Target, TargetCurve, curves
from gantheory.workbench.answers import Refused, bounded_number, chart_numbers
from gantheory.workbench.answers.densities import LARGEST, family
from gantheory.workbench.answers.links import command, python

LOSSES = ("minimax", "non-saturating", "reverse-kl")
POINTS = 81
FAR = 10.0
EVERYWHERE = 1e-6  # relative error of a point above which a curve has a gap there


def answer(p: str, q: str, stop: float = FAR, losses: list[str] | None = None) -> Any:
    """Return the divergence that each loss's generator follows, and its slope in d, along d."""
    stop = bounded_number("d", stop, 1e-6, LARGEST)
    chosen = list(LOSSES if losses is None else losses)
    pair = family(p, q)
    if "d" not in _letters(p) | _letters(q):
        raise Refused("q", "nothing moves: write the letter d where a number of Q should vary")
    targets = [Target.followed_by(loss) for loss in chosen]
    points = np.linspace(0.0, stop, POINTS)[1:]
    found = curves(targets, pair, points)
    return {
        "d": chart_numbers(points),
        "curves": [_shown(one) for one in found],
        "notes": sorted({reason for one in found for reason in one.reasons}),
        "command": command("curve", loss=chosen, p=p, q=q, to=f"{stop:g}", out="curve.png"),
        "python": python(
            "from gantheory.integrals.curves import Family", "",
            f"family = Family({p!r}, {q!r}, range=(0, {stop:g}))",
            f"table = gt.curve([], family, losses={chosen!r})",
        ),
    }  # fmt: skip


def _shown(one: TargetCurve) -> dict[str, Any]:
    value, gradient = (
        np.where(error <= EVERYWHERE + EVERYWHERE * np.abs(numbers), numbers, np.nan)
        for numbers, error in ((one.value, one.value_error), (one.gradient, one.gradient_error))
    )
    return {
        "name": one.target.title or one.target.label,
        "value": chart_numbers(value),
        "gradient": chart_numbers(gradient),
    }


def _letters(text: str) -> set[str]:
    import re

    return set(re.findall(r"\b[A-Za-z_]\w*\b", text))
