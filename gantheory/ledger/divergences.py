"""The table of divergences checks itself: each generator is convex and 0 at r = 1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from gantheory.divergences import FDivergence
from gantheory.ledger.twins import twin_of
from gantheory.records import How, Verdict
from gantheory.verify import Check

SOURCE = "Csiszár (1967); Ali and Silvey (1966): f convex on (0, ∞), f(1) = 0"


def divergence_checks(entry: FDivergence) -> Iterator[Check]:
    """Yield what a generator has to be, each with its false twin."""
    for name, sentence, decide, false, changed in (
        ("normalised", "f(1) = 0", _normalised, "f + 1 is 0 at r = 1", "({f}) + 1"),
        ("convex", "f is convex on (0, ∞)", _convex, "-f is convex on (0, ∞)", "-({f})"),
    ):
        statement, twin = f"{entry.title}: {sentence}", f"{entry.title}: {false}"
        run = partial(decide, entry, statement)
        law = Check(f"divergence.{entry.name}.{name}", statement, run, How.PROVED, "", SOURCE)
        other = replace(entry, f=changed.format(f=entry.f))
        yield law
        yield twin_of(law, twin, partial(decide, other, twin))


def _normalised(entry: FDivergence, statement: str) -> Verdict:
    from gantheory.functions import r
    from gantheory.ledger.published import equal
    from gantheory.theory.generator import formula

    return equal(formula(entry).subs(r, 1), "0", statement)


def _convex(entry: FDivergence, statement: str) -> Verdict:
    """Decide f'' >= 0 and the sign of every kink; f'' = 0 without a kink is no divergence."""
    from gantheory.exact.signs import sign_on_positive
    from gantheory.functions import r
    from gantheory.theory.generator import curvature

    smooth, atoms = curvature(entry)
    sign = sign_on_positive(smooth, r)
    falling = [f"the kink at r = {place} bends by {mass}" for place, mass in atoms if not mass > 0]
    if sign.sign in {">0", ">=0", "=0"} and not falling:
        return Verdict(statement, sign.how, left=str(smooth), right=">= 0")
    if falling or sign.counterexample is not None:
        example = (falling or [f"at r = {sign.counterexample}"])[0]
        return Verdict(
            statement, How.REFUTED, left=str(smooth), right=">= 0", counterexample=example
        )
    reason = sign.reason or "no sign of f'' is known"
    return Verdict(statement, How.UNDECIDED, left=str(smooth), right=">= 0", reason=reason)
