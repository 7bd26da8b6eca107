"""Checks and verdicts: the single place where two numbers are compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from gantheory.records import Estimate, How, Status, Verdict
from gantheory.shown import Overview, Shown


@dataclass(frozen=True, repr=False)
class Check(Shown):
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
        document: the title of the document whose statement it is, for reports.

    >>> Check("one", "1 = 1", lambda: Verdict("1 = 1", How.PROVED), How.PROVED).run().holds
    True
    """

    id: str
    statement: str
    run: Callable[[], Verdict]
    expected: How
    latex: str = ""
    source: str = ""
    trains: bool = False
    twin_of: str | None = None
    document: str = ""

    def overview(self) -> Overview:
        """Return the statement, the verdict that it should get, and who states it."""
        rows = (("id", self.id), ("should be", str(self.expected)), ("source", self.source),
                ("false twin of", self.twin_of or ""))  # fmt: skip
        return Overview(self.statement, rows)


@dataclass(frozen=True, repr=False)
class Outcome(Shown):
    """A check and the verdict it got.

    >>> check = Check("one", "1 = 1", lambda: Verdict("1 = 1", How.PROVED), How.PROVED)
    >>> Outcome(check, check.run()).as_expected
    True
    """

    check: Check
    verdict: Verdict
    seconds: float = 0.0

    def overview(self) -> Overview:
        """Return the verdict, and whether it is the one that the check should get."""
        overview = self.verdict.overview()
        expected = "as it should be" if self.as_expected else f"it should be {self.check.expected}"
        return Overview(overview.title, (*overview.rows, ("check", f"{self.check.id}, {expected}")))

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the one that the check should get."""
        return self.verdict.how is self.check.expected


def decided(
    statement: str,
    answer: bool | None,
    why: str,
    *,
    claimed: bool = True,
    how: How = How.PROVED,
    assumptions: Iterable[str] = (),
) -> Verdict:
    """Return the verdict on a yes-or-no question of which ``answer`` is an engine's.

    Args:
        statement: what is claimed.
        answer: what the engine decided; None where it did not.
        why: what the answer rests on, or the counterexample.
        claimed: the answer that the statement claims.
        how: how the engine knows its answer.
        assumptions: what the answer rests on.
    """
    if answer is None or how is How.UNDECIDED:
        return Verdict(statement, How.UNDECIDED, reason=why)
    rests = tuple(assumptions)
    if answer is claimed:
        return Verdict(statement, how, reason=why, assumptions=rests)
    return Verdict(statement, How.REFUTED, counterexample=why, assumptions=rests)


def exhausted(statement: str, cases: Iterable[tuple[str, bool]]) -> Verdict:
    """Return the verdict on a statement about finitely many cases, each decided exactly.

    Refuted at the first case in which it fails; where there is no case nothing is decided.
    """
    count = 0
    for case, holds in cases:
        count += 1
        if not holds:
            return decided(statement, False, case)
    return decided(statement, True if count else None, f"all {count} cases, in exact arithmetic")


LARGEST_ALLOWANCE = 0.05  # of what a difference is judged against: beyond it, too little is known


def agree(
    statement: str,
    left: Estimate,
    right: Estimate,
    *,
    apart: float | None = None,
    assumptions: Iterable[str] = (),
) -> Verdict:
    """Decide ``left == right`` within the two stated errors.

    Two infinities of one sign agree. Where either side is undetermined, so is the verdict, and
    where the two errors together exceed 5 % of the theory: numbers that agree within them say
    too little. Errors of estimates with an error probability add up with their probabilities
    (union bound).

    Args:
        statement: what is claimed.
        left: what was found.
        right: the theory.
        apart: how far off the nearest wrong theory is, which then takes the place of the
            theory's own size; to be stated where the theory is 0 (the size is then taken as 1).
        assumptions: what the verdict rests on.

    >>> agree("a = b", Estimate(1.0, 1e-9), Estimate(1.0 + 1e-10, 1e-9)).holds
    True
    """
    verdict = _compare(statement, left, right, abs(_difference(left, right)), "=", assumptions)
    if verdict.how is not How.MEASURED:
        return verdict
    allowed, scale = left.error + right.error, _scale(right, apart)
    if allowed > LARGEST_ALLOWANCE * scale:
        why = "too few samples" if verdict.error_probability else "too wide an error"
        share = f"{allowed:.3g} is allowed, {allowed / scale:.1%} of {scale:.4g}"
        reason = f"{why}: {share}, more than {LARGEST_ALLOWANCE:.0%}"
        return replace(verdict, how=How.UNDECIDED, reason=reason)
    return replace(
        verdict,
        reason=_missed(abs(_difference(left, right)) + allowed, "the two sides may still differ"),
    )


def at_most(
    statement: str, left: Estimate, right: Estimate, *, assumptions: Iterable[str] = ()
) -> Verdict:
    """Decide ``left <= right`` within the two stated errors: refuted only beyond them.

    >>> at_most("a <= b", Estimate(2.0, 1e-9), Estimate(1.0, 1e-9)).holds
    False
    """
    return _bounded(statement, left, right, _difference(left, right), "<=", assumptions)


def at_least(
    statement: str, left: Estimate, right: Estimate, *, assumptions: Iterable[str] = ()
) -> Verdict:
    """Decide ``left >= right`` within the two stated errors: refuted only beyond them."""
    return _bounded(statement, left, right, -_difference(left, right), ">=", assumptions)


def _bounded(
    statement: str,
    left: Estimate,
    right: Estimate,
    excess: float,
    relation: str,
    assumptions: Iterable[str],
) -> Verdict:
    verdict = _compare(statement, left, right, excess, relation, assumptions)
    room = excess + left.error + right.error
    if verdict.how is not How.MEASURED or not room > 0:
        return verdict
    return replace(verdict, reason=_missed(room, "it may still be violated"))


def _missed(size: float, what: str) -> str | None:
    """Say what the measurement could have missed: the largest deviation that it leaves open."""
    return f"{what} by up to {size:.2g}" if size else None


def _scale(theory: Estimate, apart: float | None) -> float:
    """Return what an allowance is judged against: 1 for a computed theory that may be 0."""
    if apart is not None:
        return abs(apart)
    computed_zero = theory.error_probability == 0 and abs(theory.value) <= theory.error
    return 1.0 if computed_zero else abs(theory.value)


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
        relation=relation,
    )


def _disagreement(left: Estimate, right: Estimate, error: float, relation: str) -> str:
    difference = abs(left.value - right.value)
    times = difference / error if error else math.inf
    return (
        f"{left.value:.10g} {relation} {right.value:.10g} fails: "
        f"they differ by {difference:.3g}, {times:.3g} times the stated error {error:.1e}"
    )
