"""Verdicts from the records of experiments: what was measured, judged by the one comparison."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gantheory.records import How, Verdict
from gantheory.verify import Check, Outcome, agree, at_least, at_most
from simulations.experiments.base import Comparison, Experiment, Measurement

ASSUMPTIONS = ("fresh samples are independent of the training samples",)


def judge(comparison: Comparison) -> Verdict:
    """Return the verdict on one comparison."""
    sides = comparison.statement, comparison.left, comparison.right
    if comparison.relation == "=":
        return agree(*sides, apart=comparison.apart, assumptions=ASSUMPTIONS)
    bound = {"<=": at_most, ">=": at_least}[comparison.relation]
    verdict = bound(*sides, assumptions=ASSUMPTIONS)
    return _surely(verdict, comparison) if comparison.surely else verdict


def _surely(verdict: Verdict, comparison: Comparison) -> Verdict:
    """Return a verdict that holds only where the whole interval satisfies the bound."""
    found, bound = comparison.left, comparison.right
    low, high = (found.value + sign * (found.error + bound.error) for sign in (-1, 1))
    within = high <= bound.value if comparison.relation == "<=" else low >= bound.value
    if within or verdict.how is not How.MEASURED:
        return verdict
    interval = f"from {low:.4g} to {high:.4g} holds the bound {bound.value:.4g}"
    return replace(verdict, how=How.UNDECIDED, reason=f"too few samples: the interval {interval}")


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
