"""Which statements are asked for, and what becomes of each."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path

from gantheory.deadline import Undecided
from gantheory.errors import GantheoryError, require_type, several, unknown_name
from gantheory.ledger.statements.entry import (
    UNCHECKABLE,
    VERDICTS,
    Entry,
    Row,
    Test,
    conjunction,
)
from gantheory.ledger.statements.reading import read_file, read_ledger
from gantheory.ledger.statements.routes import again
from gantheory.progress import tracked
from gantheory.records import How, Verdict

SAID = ("true", "true under assumptions", "false")


@cache
def all_entries() -> tuple[Entry, ...]:
    """Return every statement of the toolkit's own ledger, by source in reading order."""
    folder = files("gantheory.ledger.statements").joinpath("data")
    names = sorted(found.name for found in folder.iterdir() if found.name.endswith(".toml"))
    return tuple(
        entry
        for name in names
        for entry in read_ledger(folder.joinpath(name).read_text("utf-8"), name, trusted=True)
    )


def choose(
    ids: Iterable[str] = (),
    *,
    source: str | None = None,
    quick: bool = False,
    ledger: str | Path | None = None,
) -> tuple[Entry, ...]:
    """Return the entries asked for.

    Args:
        ids: of single statements; all by default.
        source: the key of a document, or a part of its title.
        quick: leave out what takes more than a few seconds.
        ledger: the file of another ledger.

    Raises:
        GantheoryError: for an unknown id or source, with the nearest ones.
    """
    entries = all_entries() if ledger is None else read_file(Path(ledger))
    known = {entry.id: entry for entry in entries}
    wanted = tuple(ids)
    for id in wanted:
        require_type("claim", id, str, "an id such as '003-84'")
        if id not in known:
            raise unknown_name("claim", id, known)
    chosen = tuple(known[id] for id in wanted) or entries
    if source is not None:
        require_type("source", source, str, "the key of a document, or a part of its title")
        sources = {entry.source.key: entry.source.title for entry in entries}
        matching = [k for k, title in sources.items()
                    if k == source or source.casefold() in title.casefold()]  # fmt: skip
        if not matching:
            raise unknown_name("source", source, [*sources, *sources.values()])
        chosen = tuple(entry for entry in chosen if entry.source.key in matching)
    return tuple(entry for entry in chosen if not (quick and entry.slow))


def decide_all(entries: Iterable[Entry]) -> Iterator[Row]:
    """Decide each entry in turn."""
    for entry in entries:
        yield decide_entry(entry)


def decide_entry(entry: Entry) -> Row:
    """Compute the verdict of one entry: how all its checks together are known."""
    started = time.perf_counter()
    verdicts = tuple(_decide(check) for check in entry.checks)
    corrected = (
        tuple(_decide(check) for check in entry.correction.checks) if (entry.correction) else ()
    )
    how = str(conjunction(verdicts, entry.assumptions))
    if not entry.checks and entry.verdict == UNCHECKABLE:
        how = UNCHECKABLE
    return Row(entry, how, verdicts, corrected, time.perf_counter() - started)


def _decide(check: Test) -> Verdict:
    try:
        found = check.decide()
        return _on_instances(check, found) if found.how is How.ASSUMED else found
    except (GantheoryError, ArithmeticError, Undecided) as error:
        return Verdict(str(check), How.UNDECIDED, reason=str(error))


def _on_instances(check: Test, verdict: Verdict) -> Verdict:
    """Return what is known of a check that rests on a quoted theorem: what its instances show."""
    second = again(check)
    if second is None or not second.holds:
        why = "no instance of it is computed" if second is None else second.counterexample
        reason = f"it rests on a theorem that is quoted, and {why}"
        return replace(verdict, how=How.UNDECIDED, reason=reason)
    return replace(verdict, how=How.MEASURED, reason=f"instances: {second.reason}")


def check_verdict(verdict: str | None) -> None:
    """Refuse, before any work, a verdict that no statement can get.

    Raises:
        GantheoryError: with the nearest ones.
    """
    if verdict is not None:
        require_type("verdict", verdict, str, f"one of {', '.join((*VERDICTS, *SAID))}")
    if verdict is not None and verdict not in (*VERDICTS, *SAID):
        raise unknown_name("verdict", verdict, (*VERDICTS, *SAID))


def matches(row: Row, verdict: str | None) -> bool:
    """Return whether a row has the verdict asked for, in either vocabulary."""
    return verdict is None or verdict in (row.how, row.verdict)


def claims(
    ids: str | Iterable[str] = (),
    *,
    source: str | None = None,
    verdict: str | None = None,
    quick: bool = False,
    ledger: str | Path | None = None,
) -> list[Row]:
    """Decide statements of documents about GANs, or of a ledger of your own.

    All of them take some two minutes; a terminal or a notebook shows how far they are.

    Args:
        ids: of single statements; all by default.
        source: the key of a document, or a part of its title.
        verdict: keep those alone that get this verdict, such as ``"refuted"`` or ``"false"``.
        quick: leave out what takes more than a few seconds.
        ledger: the file of your own ledger, in TOML.

    >>> [row.verdict for row in claims(["003-84", "003-89"])]
    ['false', 'true']
    """
    check_verdict(verdict)
    wanted = several("claim", ids, str, "an id such as '003-84', or several")
    entries = choose(wanted, source=source, quick=quick, ledger=ledger)
    rows = tracked(decide_all(entries), len(entries), "deciding")
    return [row for row in rows if matches(row, verdict)]
