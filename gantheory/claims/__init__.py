"""The ledger: every checkable statement with its source, the verdict it should get, its check."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from gantheory.claims.integrals import INTEGRALS
from gantheory.claims.original import ORIGINAL
from gantheory.claims.reference import REFERENCE
from gantheory.claims.survey import SURVEY_CHECKS
from gantheory.claims.training import TRAINING
from gantheory.records import How, Verdict
from gantheory.verify import Check, Outcome

ALL = (*ORIGINAL, *REFERENCE, *INTEGRALS, *SURVEY_CHECKS, *TRAINING)
CHECKS: dict[str, Check] = {check.id: check for check in ALL}


def run(checks: Iterable[Check]) -> Iterator[Outcome]:
    """Decide each check in turn; one that raises ends as undecided, with the error as reason."""
    for check in checks:
        started = time.perf_counter()
        try:
            verdict = check.run()
        except ArithmeticError as error:
            verdict = Verdict(check.statement, How.UNDECIDED, reason=f"the check failed: {error}")
        yield Outcome(check, verdict, time.perf_counter() - started)
