"""The table of divergences checks itself: each generator is convex and 0 at r = 1."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from gantheory.divergences import DIVERGENCES, FDivergence
from gantheory.records import How, Verdict
from gantheory.verify import Check

SOURCE = "Csiszár (1967); Ali and Silvey (1966): f convex on (0, ∞), f(1) = 0"


def _table_checks() -> Iterator[Check]:
    for entry in DIVERGENCES.values():
        for name, sentence, decide in (
            ("normalised", "f(1) = 0", _normalised),
            ("convex", "f is convex on (0, ∞)", _convex),
        ):
            statement = f"{entry.title}: {sentence}"
            run = partial(decide, entry.name, statement)
            yield Check(f"divergence.{entry.name}.{name}", statement, run, How.PROVED, "", SOURCE)


def _normalised(name: str, statement: str) -> Verdict:
    from gantheory.symbolic.atoms import r
    from gantheory.symbolic.generator import formula
    from gantheory.symbolic.published import equal

    return equal(formula(DIVERGENCES[name]).subs(r, 1), "0", statement)


def _convex(name: str, statement: str) -> Verdict:
    from gantheory.symbolic.atoms import r
    from gantheory.symbolic.generator import curvature
    from gantheory.symbolic.signs import sign_on_positive

    entry: FDivergence = DIVERGENCES[name]
    smooth, atoms = curvature(entry)
    negative = [mass for _, mass in atoms if not mass > 0]
    sign = sign_on_positive(smooth, r)
    convex = sign.sign in {">0", ">=0"} or smooth == 0
    if convex and not negative:
        return Verdict(statement, How.PROVED if smooth == 0 else sign.how, left=str(smooth))
    how = How.UNDECIDED if sign.how is How.UNDECIDED else How.REFUTED
    example = None if sign.counterexample is None else f"at r = {sign.counterexample}"
    return Verdict(statement, how, left=str(smooth), right=">= 0", counterexample=example)


DIVERGENCE_TABLE = tuple(_table_checks())
