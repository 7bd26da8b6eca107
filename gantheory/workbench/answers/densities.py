"""The view of two densities: D* over P and Q, and divergences with their errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gantheory.densities.univariate import Univariate
from gantheory.divergences import named
from gantheory.errors import GantheoryError
from gantheory.integrals.curves import Family
from gantheory.integrals.dispatch import divergence
from gantheory.integrals.transport.catalogue import DISTANCES
from gantheory.records import Estimate, number_text
from gantheory.workbench.answers import Refused, bounded_number, chart_numbers, reading
from gantheory.workbench.answers.links import command, python

NAMES = ("kl_pq", "kl_qp", "jsd", "tv", "hellinger2", "pearson_chi2", "w1")
POINTS = 241
WIDTHS = 4.0  # of each bump that the plot shows
LARGEST = 1e6  # distance d


def family(p: str, q: str) -> Family:
    """Return the pair of texts in which d varies; each is tried once, at d = 1.

    Raises:
        Refused: naming the field that is wrong.
    """
    for field, text in (("p", p), ("q", q)):
        if not text.strip():
            raise Refused(field, "write a density, such as normal(0, 1)")
        with reading(field):
            law = Family(text, text).at(1.0)[0]
        if not isinstance(law, Univariate):
            raise Refused(field, f"{text[:40]!r} does not lie on the line")
    return Family(p.strip(), q.strip())


def answer(p: str, q: str, d: float) -> Any:
    """Return the two densities, D* between them, and their divergences, at one d."""
    d = bounded_number("d", d, -LARGEST, LARGEST)
    with reading("q"):
        first, second = family(p, q).at(d)
    assert isinstance(first, Univariate)
    assert isinstance(second, Univariate)
    x = np.linspace(*_span(first, second), POINTS)
    with np.errstate(all="ignore"):
        log_p, log_q = first.logpdf(x), second.logpdf(x)
        optimum = 1 / (1 + np.exp(log_q - log_p))
    return {
        "x": chart_numbers(x), "p": chart_numbers(np.exp(log_p)),
        "q": chart_numbers(np.exp(log_q)), "D": chart_numbers(optimum),
        "laws": [str(first), str(second)],
        "rows": [_row(name, first, second) for name in NAMES],
        "apart": _apart(first, second),
        "command": command("divergence", "jsd", str(first), str(second)),
        "python": python(f"gt.divergence('jsd', {str(first)!r}, {str(second)!r})"),
    }  # fmt: skip


def _span(first: Univariate, second: Univariate) -> tuple[float, float]:
    ends = [(c - WIDTHS * w, c + WIDTHS * w) for law in (first, second) for c, w in law.centers]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _row(name: str, p: Univariate, q: Univariate) -> dict[str, str]:
    """Return one line of the table: the symbol, the value with its error, and the reason."""
    title = DISTANCES[name].title if name in DISTANCES else named(name).title
    try:
        found = divergence(name, p, q)
    except GantheoryError as refused:
        found = Estimate.undetermined(str(refused))
    if math.isnan(found.value):
        return {"name": title, "value": "undetermined", "error": "", "reason": found.reason or ""}
    if not found.is_finite:
        value = f"{found.value}".replace("inf", "∞")
        return {"name": title, "value": value, "error": "", "reason": found.reason or ""}
    value, _, error = number_text(found.value, found.error).partition(" ")
    return {"name": title, "value": value, "error": error, "reason": found.reason or ""}


def _apart(p: Univariate, q: Univariate) -> str:
    """Say what it means that two laws do not overlap, where they do not."""
    jsd = divergence("jsd", p, q)
    if not jsd.is_finite or abs(jsd.value - math.log(2)) > 1e-9:
        return ""
    far = "do not overlap" if jsd.error < 1e-12 and jsd.value >= math.log(2) - 1e-15 else (
        "hardly overlap")  # fmt: skip
    return (
        f"P and Q {far}: JSD is at its greatest, log 2, and its slope in d is next to nothing. An "
        "optimal discriminator tells them apart without a fault; only a distance such as W1 still "
        "says how far it is."
    )
