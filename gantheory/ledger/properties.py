"""Properties that publications state of a loss, which are no formulas: signs and limits.

Each law has its false twin: the same property of the derived function with one thing changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gantheory.derivations.derivation import Derivation
from gantheory.exact.signs import sign_on_positive
from gantheory.functions import r
from gantheory.losses.loss import Loss
from gantheory.records import How, Verdict
from gantheory.verify import decided


@dataclass(frozen=True)
class _Law:
    """A property by name: what it says, what its twin says, and what decides either."""

    says: str
    twin: str
    decide: Callable[[str, Derivation, bool], Verdict]


def _second_order(statement: str, theory: Derivation, twin: bool) -> Verdict:
    """Decide the sign of d²V/dt² at D* for every r."""
    condition = theory.second_order
    if condition is None or condition.derivative is None:
        return Verdict(statement, How.UNDECIDED, reason="no second-order condition is derived")
    bend = -condition.derivative if twin else condition.derivative
    return _signed(statement, sign_on_positive(-bend, r), -bend, ">0")


def _is_divergence(statement: str, theory: Derivation, twin: bool) -> Verdict:
    if theory.followed is None:
        return Verdict(statement, How.UNDECIDED, reason="what is followed is not derived")
    bend = -theory.followed.curvature if twin else theory.followed.curvature
    return _signed(statement, sign_on_positive(bend, r), bend, ">=0")


def _only_at_equality(statement: str, theory: Derivation, twin: bool) -> Verdict:
    """Decide f'' >= 0: isolated zeros of an analytic f'' leave f strictly convex."""
    if theory.followed is None:
        return Verdict(statement, How.UNDECIDED, reason="what is followed is not derived")
    bend = theory.followed.curvature
    bend = bend - bend.subs(r, 2) if twin else bend
    return _signed(statement, sign_on_positive(bend, r), bend, ">=0")


_MEETS = {">0": {">0"}, ">=0": {">0", ">=0"}}  # ">=0" excludes a function that is 0 throughout


def _signed(statement: str, found: Any, expression: Any, wanted: str) -> Verdict:
    """Return the verdict on a sign for all r > 0; an undecided sign decides nothing."""
    sides = str(expression), f"{wanted.removesuffix('0')} 0"
    if found.sign == "undecided" or (wanted == ">0" and found.sign == ">=0"):
        return Verdict(statement, How.UNDECIDED, *sides, reason=found.reason)
    if found.sign in _MEETS[wanted]:
        return Verdict(statement, found.how, *sides, reason=found.reason)
    where = "everywhere" if found.counterexample is None else f"at r = {found.counterexample}"
    return Verdict(statement, How.REFUTED, *sides, counterexample=f"it is {found.sign}: {where}")


def _vanishing(statement: str, theory: Derivation, twin: bool) -> Verdict:
    """Decide whether the weight r²·g''(r) tends to 0; without a limit nothing is decided."""
    found = None if theory.saturation is None else theory.saturation.limit_at_0
    if found is None:
        return Verdict(statement, How.UNDECIDED, reason="the limit of the weight is not decided")
    shown = f"the weight r²·g''(r) tends to {found} as r tends to 0"
    if bool(found == 0) is not twin:
        return Verdict(statement, How.PROVED, str(found), "not 0" if twin else "0", reason=shown)
    return Verdict(statement, How.REFUTED, str(found), "0", counterexample=shown)


_VANISHES = "the gradient in log r vanishes on fakes that D* recognises"
_REMAINS = "the gradient does not vanish on fakes that D* recognises"
LAWS = {
    "second-order": _Law(
        "D* is the unique global maximum of V, by concavity",
        "D* is the unique global maximum of -V, by concavity",
        _second_order,
    ),
    "is-divergence": _Law(
        "what the generator follows is an f-divergence",
        "what the generator climbs is an f-divergence",
        _is_divergence,
    ),
    "equality": _Law(
        "what the generator follows is 0 only at p = q",
        "what the generator follows, its curvature at r = 2 taken off, is 0 only at p = q",
        _only_at_equality,
    ),
    "vanishing": _Law(_VANISHES, _REMAINS, _vanishing),
    "not-vanishing": _Law(_REMAINS, _VANISHES, lambda s, d, twin: _vanishing(s, d, not twin)),
}


def decide_zero_sum(loss: Loss, theory: Derivation, claimed: bool) -> Verdict:
    """Decide whether the generator's loss is the part of V that depends on it."""
    said = "G's loss is the value that D maximises"
    statement = f"{loss.name}: {said}" + ("" if claimed else ", is false")
    payoffs = f"fake payoff {loss.fake}, generator's loss {loss.generator}"
    return decided(statement, theory.zero_sum, payoffs, claimed=claimed)
