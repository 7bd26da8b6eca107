"""The statements of the documents as checks, for the report, `gantheory check` and the docs."""

from __future__ import annotations

from functools import cache, partial

from gantheory.ledger.statements.deciding import all_entries, decide_entry
from gantheory.ledger.statements.entry import UNCHECKABLE, Entry, Row
from gantheory.records import How, Verdict
from gantheory.verify import Check


@cache
def statement_checks() -> dict[str, Check]:
    """Return a check for every statement, by its id, grouped by source in reading order."""
    return {entry.id: statement_check(entry) for entry in all_entries()}


def statement_check(entry: Entry) -> Check:
    """Return the check of one statement; what no machine decides stays undecided, openly."""
    machine = entry.verdict != UNCHECKABLE
    return Check(
        entry.id,
        entry.statement,
        partial(_decide, entry),
        How(entry.verdict) if machine else How.UNDECIDED,
        source=entry.stated,
        trains=entry.slow,
        document=entry.source.title,
    )


def _decide(entry: Entry) -> Verdict:
    return verdict_of(decide_entry(entry))


def verdict_of(row: Row) -> Verdict:
    """Return one verdict for a statement: undecided where what corrects it does not hold."""
    correction = row.entry.correction
    reason = correction.statement if correction and row.corrects else row.reason
    if row.how == UNCHECKABLE:
        reason = f"{UNCHECKABLE}: {row.reason}"
    how = How(row.how) if row.how != UNCHECKABLE and row.corrects else How.UNDECIDED
    return Verdict(
        row.entry.statement, how,
        counterexample=row.counterexample,
        reason=reason,
        assumptions=row.own_assumptions,
    )  # fmt: skip
