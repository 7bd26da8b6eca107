"""Laws that are fitted to samples: kernel density estimates on the line."""

from __future__ import annotations

import re

import numpy as np

from gantheory.densities.base import Array, Density, make
from gantheory.errors import GantheoryError, shown
from gantheory.tables import is_table_name, read_table, samples_call

RULES = ("scott", "silverman")
_KDE = re.compile(r"""\.kde\(\s*(?:bandwidth\s*=\s*)?(['"]?)([\w.+-]*)\1\s*\)""")


def kde(points: Array, bandwidth: float | str = "scott", source: str = "samples") -> Density:
    """Return a kernel density estimate on the line: a mixture of normals, one a sample.

    Args:
        points: the samples, of shape (n,).
        bandwidth: the normals' standard deviation, or a rule for it: ``"scott"``
            (σ·n^(−1/5)) or ``"silverman"`` (σ·(3n/4)^(−1/5)), σ the samples' own.
        source: what the samples are called in messages.

    A divergence of such a law is that of a fitted model, and none of the law behind the draws.
    """
    if points.ndim != 1:
        raise GantheoryError(
            f"{source}: a kernel density estimate is made on the line; take a column"
        )
    width = _bandwidth(points, bandwidth, source)
    n = len(points)
    return make("normal_mixture", weights=(1 / n,) * n, locs=points, scales=(width,) * n)


def _bandwidth(points: Array, rule: float | str, source: str) -> float:
    if not isinstance(rule, str):
        return float(rule)
    if rule not in RULES:
        raise GantheoryError(f"bandwidth={rule!r} must be a number or one of {', '.join(RULES)}")
    n = len(points)
    spread = float(np.std(points, ddof=1)) if n > 1 else 0.0
    if not spread:
        raise GantheoryError(
            f"{source}: all points are equal, so no rule gives a bandwidth; give a number"
        )
    return float(spread * (n if rule == "scott" else 3 * n / 4) ** -0.2)


def fitted_law(text: str) -> Density | None:
    """Return the law of ``samples("a.csv", column="x").kde()``, or None for another text.

    Raises:
        GantheoryError: for samples to which nothing is fitted, which have no density.
    """
    found = (text.strip(), None, "") if is_table_name(text) else samples_call(text)
    if found is None:
        return None
    name, column, rest = found
    if not rest:
        inner = repr(name) if column is None else f"{name!r}, column={column!r}"
        raise GantheoryError(
            f"{shown(text)} are samples, which have no density: `divergence` compares them as they "
            f"are; elsewhere fit a law to them: samples({inner}).kde()"
        )
    fit = _KDE.fullmatch(rest)
    if fit is None:
        raise GantheoryError(
            f"{shown(text)}: what may follow samples(...) is .kde(), .kde(silverman) or .kde(0.3)"
        )
    return kde(read_table(name, column), _number_or_rule(fit[2]), name)


def _number_or_rule(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text or RULES[0]
