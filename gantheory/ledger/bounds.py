"""Inequalities between the divergences of the original GAN, and false neighbours of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from gantheory.ledger.twins import twin_of
from gantheory.records import How, Verdict
from gantheory.verify import Check

# Each constant is the best one: a right side smaller by a thousandth is false.
BOUNDS = {
    "triangular/4 <= jsd": How.CERTIFIED,
    "jsd <= log(2)/2*triangular": How.CERTIFIED,
    "jsd <= log(2)*tv": How.CERTIFIED,
    "kl_qm <= kl_qp/2": How.CERTIFIED,
    "tv**2 <= kl_pq/2": How.PROVED,
}


def _bound_checks() -> Iterator[Check]:
    for number, (law, how) in enumerate(BOUNDS.items(), start=1):
        check = Check(f"bound.{number}", law, partial(_decide, law), how)
        left, right = law.split(" <= ")
        false = f"{left} <= 0.999*({right})"
        yield check
        yield twin_of(check, false, partial(_decide, false))


def _decide(statement: str) -> Verdict:
    from gantheory.inequalities import prove

    return prove(statement)


BOUND_CHECKS = tuple(_bound_checks())
