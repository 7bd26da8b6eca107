"""The ledger: every checkable statement with its source, the verdict it should get, its check."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from gantheory.divergences import DIVERGENCES
from gantheory.errors import GantheoryError
from gantheory.ledger.bounds import BOUND_CHECKS
from gantheory.ledger.catalogue import critic_checks, loss_checks
from gantheory.ledger.divergences import divergence_checks
from gantheory.ledger.integrals import INTEGRALS
from gantheory.ledger.reference import REFERENCE
from gantheory.ledger.survey import SURVEY_CHECKS
from gantheory.ledger.training import TRAINING
from gantheory.losses import CATALOGUE, CRITICS
from gantheory.records import How, Verdict
from gantheory.verify import Check, Outcome

FIXED: dict[str, Check] = {
    check.id: check for check in (*BOUND_CHECKS, *REFERENCE, *INTEGRALS, *SURVEY_CHECKS, *TRAINING)
}


class Ledger(Mapping[str, Check]):
    """Every check by its id: what the catalogues say now, and what never changes.

    A loss, a critic or a divergence of your own is among them from `gantheory.register` on.
    """

    def __init__(self) -> None:
        self._made: dict[str, tuple[object, dict[str, Check]]] = {}

    def __getitem__(self, id: str) -> Check:
        return next(checks[id] for checks in self._tables() if id in checks)

    def __contains__(self, id: object) -> bool:
        return any(id in checks for checks in self._tables())

    def __iter__(self) -> Iterator[str]:
        return (id for checks in self._tables() for id in checks)

    def __len__(self) -> int:
        return sum(map(len, self._tables()))

    def _tables(self) -> Iterator[dict[str, Check]]:
        for entries, make in MADE_OF:
            for name, entry in entries.items():
                key = f"{make.__name__}.{name}"
                if self._made.get(key, (None,))[0] is not entry:
                    self._made[key] = entry, {check.id: check for check in make(entry)}
                yield self._made[key][1]
        yield FIXED


# Which catalogue, and what makes an entry's checks.
MADE_OF: tuple[tuple[Mapping[str, Any], Callable[[Any], Iterable[Check]]], ...] = (
    (CATALOGUE, loss_checks),
    (CRITICS, critic_checks),
    (DIVERGENCES, divergence_checks),
)
CHECKS: Mapping[str, Check] = Ledger()


def run(checks: Iterable[Check]) -> Iterator[Outcome]:
    """Decide each check in turn; one that cannot be decided says so, with the error as reason."""
    for check in checks:
        started = time.perf_counter()
        try:
            verdict = check.run()
        except (GantheoryError, ArithmeticError) as error:
            verdict = Verdict(check.statement, How.UNDECIDED, reason=str(error))
        yield Outcome(check, verdict, time.perf_counter() - started)
