"""What a terminal shows of decided statements: a line each, or all that a verdict stands on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gantheory.divergences.symbols import in_prose
from gantheory.ledger.statements.entry import UNCHECKABLE, Row, Test
from gantheory.ledger.statements.kinds import steps_behind
from gantheory.ledger.statements.routes import again
from gantheory.records import How, Verdict, is_quoted
from gantheory.report import terminal
from gantheory.report.view import SIGNS


def print_rows(
    rows: Sequence[Row], *, explain: bool = False, console: Console | None = None
) -> None:
    """Print the statements by source, then how many got which verdict."""
    console = console or terminal.console()
    for title, group in groupby(rows, key=lambda row: row.entry.source.title):
        console.print(f"[bold]{escape(title)}[/]")
        for row in group:
            if explain:
                for line in explained(row):
                    line = terminal.wrapped(line, console.width) if console.is_terminal else line
                    console.print(line, markup=False, highlight=False, soft_wrap=True)
            else:
                console.print(_line(row))
    counts = Counter(row.how for row in rows)
    console.print(
        f"{len(rows)} claim{'s' * (len(rows) != 1)}: "
        + ", ".join(f"{n} {how}" for how, n in counts.items())
    )
    for row in rows:
        if not row.as_expected:
            markup = f"{row.entry.id} is {row.how}, recorded as {row.entry.verdict}; {row.reason}"
            console.print(f"[bold red]{escape(markup)}[/]")


def mark_of(how: str) -> str:
    """Return the sign of a verdict."""
    return "–" if how == UNCHECKABLE else SIGNS[How(how)]


def _line(row: Row) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=13)
    table.add_column(ratio=1, overflow="fold")
    markup = f"[bold]{escape(row.entry.id)}[/]  {escape(in_prose(row.entry.statement))}"
    for label, text in remarks_on_row(row):
        markup += f"\n[dim]{label}: {escape(in_prose(text))}[/]"
    how = row.how if row.how != UNCHECKABLE else "not machine-\ncheckable"
    table.add_row(f"{mark_of(row.how)} {how}", markup)
    return table


def remarks_on_row(row: Row) -> Iterator[tuple[str, str]]:
    """Yield what belongs to a verdict: counterexample, what is true, assumptions, reason."""
    if row.counterexample:
        yield "counterexample", row.counterexample
    if row.entry.correction:
        yield ("in truth" if row.how == How.REFUTED else "but"), row.entry.correction.statement
    if plain := [text for text in row.entry.assumptions if not is_quoted(text)]:
        yield "assuming", "; ".join(plain)
    if quoted := list(filter(is_quoted, row.assumptions)):
        yield "from what is quoted", "; ".join(quoted)
    if row.how in (How.UNDECIDED, UNCHECKABLE) and row.reason:
        yield "because", row.reason


def explained(row: Row) -> Iterator[str]:
    """Yield all that a verdict stands on, line by line."""
    entry = row.entry
    yield f"{entry.id}  {mark_of(row.how)} {row.how}: {in_prose(entry.statement)}"
    yield f"  {entry.stated}; kind: {entry.kind or 'not said'}; {entry.place}"
    yield from (f"  assuming: {in_prose(text)}" for text in row.assumptions)
    for check, verdict in zip(entry.checks, row.verdicts, strict=True):
        yield from _explained_check(check, verdict)
    if entry.correction:
        truth = in_prose(entry.correction.statement)
        yield f"  {'in truth' if row.how == How.REFUTED else 'but'}: {truth}"
        for check, verdict in zip(entry.correction.checks, row.corrected, strict=True):
            yield from _explained_check(check, verdict)
    if entry.reason:
        yield f"  because: {entry.reason}"
    yield f"  {row.seconds:.1f} s"


def _explained_check(check: Test, verdict: Verdict) -> Iterator[str]:
    yield f"  {SIGNS[verdict.how]} {verdict.how}: {in_prose(verdict.statement)}"
    yield f"      asked: {check}"
    if verdict.left is not None or verdict.right is not None:
        yield f"      found {verdict.left}, against {verdict.right}" + (
            f", within {verdict.error:.1e}" if verdict.error else ""
        )
    for text in (verdict.counterexample, verdict.reason):
        if text:
            yield f"      {in_prose(text)}"
    steps = [f"{step.title} ({step.how})" for step in steps_behind(check)]
    if steps:
        yield f"      derived in steps: {', '.join(steps)}"
    second = again(check)
    if second is not None:
        yield f"      again, by a route of its own: {SIGNS[second.how]} {second.how}: " + (
            in_prose(second.counterexample or second.reason or "")
        )
