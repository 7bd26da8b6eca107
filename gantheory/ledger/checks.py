"""The ledger: every checkable statement with its source, the verdict it should get, its check."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from gantheory.errors import GantheoryError
from gantheory.ledger.bounds import BOUND_CHECKS
from gantheory.ledger.catalogue import CATALOGUE_CHECKS
from gantheory.ledger.divergences import DIVERGENCE_TABLE
from gantheory.ledger.integrals import INTEGRALS
from gantheory.ledger.reference import REFERENCE
from gantheory.ledger.survey import SURVEY_CHECKS
from gantheory.ledger.training import TRAINING
from gantheory.records import How, Verdict
from gantheory.verify import Check, Outcome

ALL = (
    *CATALOGUE_CHECKS,
    *BOUND_CHECKS,
    *DIVERGENCE_TABLE,
    *REFERENCE,
    *INTEGRALS,
    *SURVEY_CHECKS,
    *TRAINING,
)
CHECKS: dict[str, Check] = {check.id: check for check in ALL}


def run(checks: Iterable[Check]) -> Iterator[Outcome]:
    """Decide each check in turn; one that cannot be decided says so, with the error as reason."""
    for check in checks:
        started = time.perf_counter()
        try:
            verdict = check.run()
        except (GantheoryError, ArithmeticError) as error:
            verdict = Verdict(check.statement, How.UNDECIDED, reason=str(error))
        yield Outcome(check, verdict, time.perf_counter() - started)
