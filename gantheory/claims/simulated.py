"""Verdicts from the records of experiments: what was measured, judged by the one comparison."""

from __future__ import annotations

from collections.abc import Iterable

from gantheory.records import How, Verdict
from gantheory.verify import Check, Outcome, agree, at_most
from simulations.experiments.base import Comparison, Experiment, Measurement

ASSUMPTIONS = ("fresh samples are independent of the training samples",)


def judge(comparison: Comparison) -> Verdict:
    """Return the verdict on one comparison."""
    sides = comparison.statement, comparison.left, comparison.right
    if comparison.relation == "<=":
        return at_most(*sides, assumptions=ASSUMPTIONS)
    return agree(*sides, apart=comparison.apart, assumptions=ASSUMPTIONS)


def outcomes(experiment: Experiment, measured: Iterable[Measurement]) -> tuple[Outcome, ...]:
    """Return every verdict of an experiment, those on single cases and those on all together."""
    finished = tuple(measured)
    comparisons = [c for measurement in finished for c in measurement.comparisons]
    comparisons += experiment.conclude(finished)
    return tuple(_outcome(comparison, experiment.source) for comparison in comparisons)


def _outcome(comparison: Comparison, source: str) -> Outcome:
    verdict = judge(comparison)
    check = Check(
        comparison.id,
        comparison.statement,
        lambda: verdict,
        How(comparison.expected),
        source=source,
        trains=True,
        twin_of=comparison.twin_of,
    )
    return Outcome(check, verdict)
