"""Checks and verdicts: the single place where two numbers are compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gantheory.records import Estimate, How, Status, Verdict


@dataclass(frozen=True)
class Check:
    """A statement that a machine can decide, and the verdict it should get.

    Attributes:
        id: stable dotted identifier; the docs bind statements to checks by it.
        statement: what is claimed, as plain text.
        run: decides it.
        expected: how the verdict should know it; `How.REFUTED` for the false twin of a law.
        latex: the statement typeset, where it has a formula.
        source: who states it.
        trains: whether deciding it trains a network.
        twin_of: for a false twin, the id of the law it is the negation of.
    """

    id: str
    statement: str
    run: Callable[[], Verdict]
    expected: How
    latex: str = ""
    source: str = ""
    trains: bool = False
    twin_of: str | None = None


@dataclass(frozen=True)
class Outcome:
    """A check and the verdict it got."""

    check: Check
    verdict: Verdict
    seconds: float = 0.0

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the one that the check should get."""
        return self.verdict.how is self.check.expected


def agree(
    statement: str, left: Estimate, right: Estimate, *, assumptions: Iterable[str] = ()
) -> Verdict:
    """Decide ``left == right`` within the two stated errors.

    Two infinities of one sign agree. Where either side is undetermined, so is the verdict.
    Errors of estimates with an error probability add up with their probabilities (union bound).
    """
    return _compare(statement, left, right, abs(_difference(left, right)), "=", assumptions)


def at_most(
    statement: str, left: Estimate, right: Estimate, *, assumptions: Iterable[str] = ()
) -> Verdict:
    """Decide ``left <= right`` within the two stated errors: refuted only beyond them."""
    return _compare(statement, left, right, _difference(left, right), "<=", assumptions)


def _difference(left: Estimate, right: Estimate) -> float:
    return 0.0 if left.value == right.value else left.value - right.value


def _compare(
    statement: str,
    left: Estimate,
    right: Estimate,
    excess: float,
    relation: str,
    assumptions: Iterable[str],
) -> Verdict:
    undetermined = [side for side in (left, right) if side.status is Status.UNDETERMINED]
    if undetermined:
        return Verdict(statement, How.UNDECIDED, reason=undetermined[0].reason)
    error = left.error + right.error
    if not math.isfinite(error):  # any two numbers would agree within it
        return Verdict(statement, How.UNDECIDED, reason="the stated error is not finite")
    holds = excess <= error
    return Verdict(
        statement,
        How.MEASURED if holds else How.REFUTED,
        left=left.value,
        right=right.value,
        error=error,
        error_probability=left.error_probability + right.error_probability,
        counterexample=None if holds else _disagreement(left, right, error, relation),
        assumptions=tuple(assumptions),
    )


def _disagreement(left: Estimate, right: Estimate, error: float, relation: str) -> str:
    difference = abs(left.value - right.value)
    times = difference / error if error else math.inf
    return (
        f"{left.value:.10g} {relation} {right.value:.10g} fails: "
        f"they differ by {difference:.3g}, {times:.3g} times the stated error {error:.1e}"
    )
