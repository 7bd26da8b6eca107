"""Inequalities between the divergences of the original GAN, and false neighbours of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from gantheory.records import How, Verdict
from gantheory.verify import Check

# Law -> (how it is known, the false twin with one number moved).
BOUNDS = {
    "triangular/4 <= jsd": (How.CERTIFIED, "0.2501*triangular <= jsd"),
    "jsd <= log(2)/2*triangular": (How.CERTIFIED, "jsd <= 0.3465*triangular"),
    "jsd <= log(2)*tv": (How.CERTIFIED, "jsd <= 0.69*tv"),
    "kl_qm <= kl_qp/2": (How.CERTIFIED, "kl_qm <= kl_qp/4"),
    "tv**2 <= kl_pq/2": (How.PROVED, "tv**2 <= kl_pq/3"),
}


def _bound_checks() -> Iterator[Check]:
    for number, (law, (how, twin)) in enumerate(BOUNDS.items(), start=1):
        yield Check(f"bound.{number}", law, partial(_decide, law), how)
        yield Check(f"bound.{number}-twin", twin, partial(_decide, twin), How.REFUTED,
                    twin_of=f"bound.{number}")  # fmt: skip


def _decide(statement: str) -> Verdict:
    from gantheory.symbolic import prove

    return prove(statement)


BOUND_CHECKS = tuple(_bound_checks())
