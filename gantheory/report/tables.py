"""Outcomes as a table in the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gantheory.records import How
from gantheory.report.view import SIGNS, group, headline, judgement, readable, sides
from gantheory.verify import Outcome

STYLES = {
    How.PROVED: "blue",
    How.CERTIFIED: "cyan",
    How.MEASURED: "green",
    How.REFUTED: "magenta",
    How.UNDECIDED: "yellow",
}


MANY = 400  # beyond, what is as it should be is only counted


def print_outcomes(outcomes: Sequence[Outcome], console: Console | None = None) -> None:
    """Print every outcome by section, then the headline; of very many only what stands out."""
    console = console or Console()
    shown = outcomes if len(outcomes) <= MANY else [o for o in outcomes if _stands_out(o)]
    for section in group(shown):
        console.print(outcome_table(section.title, section.outcomes))
    if len(shown) < len(outcomes):
        counts = Counter(str(o.verdict.how) for o in outcomes if not _stands_out(o))
        counted = ", ".join(f"{count} {how}" for how, count in counts.items())
        console.print(f"not listed, as they should be: {counted}")
    style = "bold green" if all(outcome.as_expected for outcome in outcomes) else "bold red"
    console.print(headline(outcomes), style=style)


def _stands_out(outcome: Outcome) -> bool:
    return not outcome.as_expected or outcome.verdict.how is How.UNDECIDED


def outcome_table(title: str, outcomes: Sequence[Outcome]) -> Table:
    """Return a table of outcomes: verdict, statement, what was found.

    A row is short where the verdict is as it should be, and tells everything where it is not.
    """
    table = Table(title=title, title_justify="left", title_style="bold", expand=False)
    table.add_column("verdict", no_wrap=True)
    table.add_column("statement", ratio=2)
    table.add_column("found", ratio=1)
    for outcome in outcomes:
        table.add_row(_verdict(outcome), _statement(outcome), _numbers(outcome))
    return table


def _verdict(outcome: Outcome) -> str:
    how = outcome.verdict.how
    shown = f"[{STYLES[how]}]{SIGNS[how]} {how}[/]"
    return shown if outcome.as_expected else f"{shown}\n[bold red]{judgement(outcome)}[/]"


def _statement(outcome: Outcome) -> str:
    statement = escape(readable(outcome.check.statement))
    if outcome.as_expected:
        return statement
    found = outcome.verdict.counterexample or outcome.verdict.reason or ""
    return f"{statement}\n[dim]{escape(outcome.check.id)}\n{escape(found)}[/]"


def _numbers(outcome: Outcome) -> str:
    shown = sides(outcome.verdict)
    if outcome.as_expected:
        return escape(readable(shown[0][1])) if shown else ""
    return "\n".join(escape(f"{label} {text}") for label, text in shown)
