"""Inequalities and identities between divergences: proved, certified, refuted or undecided."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

import sympy as sp

from gantheory.deadline import Undecided, check_seconds, time_limit
from gantheory.inequalities.linear import LinearDecision, decide_linear, decide_restricted
from gantheory.inequalities.nonlinear import decide_nonlinear
from gantheory.inequalities.statements import Statement, read_statement
from gantheory.inequalities.twopoint import Laws, enclosed_value, infinite_ones
from gantheory.records import How, Verdict

SECONDS = 2.0
ALL_PAIRS = ("all laws P and Q for which both sides are defined; a side may be +oo",)
RESTRICTED = ("Q is P restricted to an event A with 0 < P(A) < 1",)


@dataclass(frozen=True, repr=False)
class InequalityVerdict(Verdict):
    """What became of a comparison of divergences for all pairs of laws.

    Attributes:
        p: of a refuted one, the probabilities of P on a few points, as exact fractions.
        q: those of Q on the same points.
        ratio: a ratio at which the generators' difference is negative, where there is one.
        boxes: how many intervals of ratios were enclosed.
        seconds: how long it took.

    >>> verdict = prove("jsd < log(2)")
    >>> verdict.p, verdict.q
    (('0', '1'), ('1', '0'))
    """

    p: tuple[str, ...] = ()
    q: tuple[str, ...] = ()
    ratio: str | None = None
    boxes: int = 0
    seconds: float = field(default=0.0, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the stable JSON keys: `counterexample` is two laws on a few points, or None."""
        laws = {"r": self.ratio, "p": list(self.p), "q": list(self.q)}
        return {
            "statement": self.statement,
            "verdict": str(self.how),
            "holds": self.holds,
            "how": str(self.how),
            "counterexample": {**laws, "left": self.left, "right": self.right} if self.p else None,
            "reason": self.reason,
            "assumptions": list(self.assumptions),
            "boxes": self.boxes,
            "seconds": self.seconds,
        }


def prove(
    statement: str, *, restricted: bool = False, seconds: float = SECONDS
) -> InequalityVerdict:
    """Decide a comparison of divergences for all pairs of laws.

    Args:
        statement: for instance ``"jsd <= log(2)/2 * triangular"``: named divergences,
            complements and ``power_<alpha>``, numbers, ``log sqrt exp pi``, and one of
            ``<= >= < > ==``.
        restricted: only for Q = P restricted to an event of any probability 0 < P(A) < 1, which
            is what dropping modes does.
        seconds: time limit of each enclosure.

    Returns:
        A verdict: proved (exact algebra), certified (ball arithmetic over all ratios with exact
        ends), refuted (with two laws on a few points and both sides there), undecided.

    Raises:
        GantheoryError: for text that is not such a comparison, or a senseless time limit.

    >>> prove("kl_qm <= kl_qp/2").how
    <How.CERTIFIED: 'certified'>
    >>> prove("jsd <= kl_pq/4").counterexample is not None
    True
    >>> prove("jeffreys == kl_pq + kl_qp").how
    <How.PROVED: 'proved'>
    >>> prove("kl_qm > kl_pm", restricted=True).how
    <How.CERTIFIED: 'certified'>
    """
    start = time.perf_counter()
    check_seconds(seconds)
    read = read_statement(statement)
    route = decide_restricted if restricted else decide_inequality
    try:
        with time_limit(5 * seconds):  # enclosures at two precisions, searches and algebra
            decision = route(read, seconds)
    except Undecided as reason:
        decision = LinearDecision(How.UNDECIDED, str(reason))
    assumptions = RESTRICTED if restricted else ALL_PAIRS
    return _verdict(read, decision, assumptions, time.perf_counter() - start)


def decide_inequality(statement: Statement, seconds: float) -> LinearDecision:
    """Decide a parsed statement by the route that fits it."""
    route = decide_linear if statement.is_linear else decide_nonlinear
    return route(statement, seconds)


def _verdict(
    statement: Statement, decision: LinearDecision, assumptions: tuple[str, ...], seconds: float
) -> InequalityVerdict:
    verdict = InequalityVerdict(
        statement.text,
        decision.how,
        reason=decision.reason,
        assumptions=assumptions,
        relation=statement.relation,
        boxes=decision.boxes,
        seconds=seconds,
    )
    laws = decision.laws
    if laws is None:
        return verdict
    left, right = (_side(side, statement, laws) for side in (statement.left, statement.right))
    return replace(
        verdict,
        left=left,
        right=right,
        counterexample=f"{laws}: {_short(left)} {statement.relation} {_short(right)} fails",
        p=tuple(map(str, laws.p)),
        q=tuple(map(str, laws.q)),
        ratio=None if decision.ratio is None else str(decision.ratio),
    )


def _side(side: sp.Expr, statement: Statement, laws: Laws) -> float:
    """Return one side's value on two laws."""
    value = enclosed_value(side, statement.divergences, laws)
    if value is not None:
        return float(value.mid())
    used = {s: d for s, d in statement.divergences.items() if s in side.free_symbols}
    one = next(iter(infinite_ones(used, laws)))
    return float("inf") if sp.diff(side, one).is_positive else float("-inf")


def _short(value: float) -> str:
    return f"{value:.10g}"
