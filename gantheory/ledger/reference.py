"""The divergence engine against values that others computed to 25 digits and more."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from functools import partial
from importlib.resources import files
from typing import Any

from gantheory.ledger.twins import twin_of
from gantheory.records import Estimate, How, Verdict
from gantheory.verify import Check

REFERENCE_RELATIVE_ERROR = 1e-12  # the bar for normal pairs


def _reference_checks() -> Iterator[Check]:
    rows = json.loads(files("gantheory.ledger").joinpath("normal_pairs.json").read_text())
    pairs = dict.fromkeys((row["p"], row["q"]) for row in rows)
    for p, q in pairs:
        chosen = [row for row in rows if (row["p"], row["q"]) == (p, q)]
        statement = f"{len(chosen)} divergences and derivatives of {p} and {q} to 1e-12 relative"
        law = Check(
            f"reference.{p}.{q}".replace(" ", ""),
            statement,
            partial(_meets_reference, statement, chosen),
            How.MEASURED,
            source="mpmath and Arb, two methods that agree to 20 digits or more",
        )
        yield law
        false = f"{statement}, of references that are larger by 1e-11"
        yield twin_of(law, false, partial(_meets_reference, false, chosen, 1 + 1e-11))


def _meets_reference(
    statement: str, rows: Iterable[dict[str, Any]], factor: float = 1.0
) -> Verdict:
    """Refute at the first value that is off by more than the bar; else report the worst."""
    from gantheory.integrals import divergence

    worst, found = 0.0, ""
    for row in rows:
        estimate = divergence(row["divergence"], row["p"], row["q"], wrt=row["wrt"])
        truth = factor * float(row["value"])
        off = _relative_difference(estimate, truth)
        label = row["divergence"] + (f" in {row['wrt']}" if row["wrt"] else "")
        if not off <= REFERENCE_RELATIVE_ERROR:
            return Verdict(
                statement, How.REFUTED, estimate.value, truth, REFERENCE_RELATIVE_ERROR,
                counterexample=f"{label}: {estimate.value!r} against {truth!r}",
            )  # fmt: skip
        if off >= worst:
            worst, found = off, label
    reason = f"the largest relative difference is {worst:.1e}, of {found}"
    return Verdict(statement, How.MEASURED, error=REFERENCE_RELATIVE_ERROR, reason=reason)


def _relative_difference(estimate: Estimate, truth: float) -> float:
    """Return the relative difference; against an exact 0 the stated error takes its place."""
    off = 0.0 if estimate.value == truth else abs(estimate.value - truth)
    if truth == 0:
        return 0.0 if off <= estimate.error <= REFERENCE_RELATIVE_ERROR else math.inf
    return off / abs(truth)


REFERENCE = tuple(_reference_checks())
