"""Outcomes as a table in the terminal."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gantheory.records import How, Verdict
from gantheory.report import terminal
from gantheory.report.numbers import typeset_powers
from gantheory.report.view import BOUNDS, SIGNS, group, headline, judgement, readable, sides
from gantheory.verify import Outcome

STYLES = {
    How.PROVED: "blue",
    How.CERTIFIED: "cyan",
    How.ASSUMED: "yellow",
    How.MEASURED: "green",
    How.REFUTED: "magenta",
    How.UNDECIDED: "yellow",
}


MANY = 400  # beyond, what is as it should be is only counted


def print_outcomes(
    outcomes: Sequence[Outcome], console: Console | None = None, *, planned: int | None = None
) -> None:
    """Print every outcome by section, then the headline; of very many only what stands out.

    Fewer outcomes than were ``planned`` are those of an interrupted run, which the headline says.

    >>> from gantheory.api import check
    >>> print_outcomes(check("minimax.equilibrium"), Console(quiet=True))
    """
    console = console or terminal.console()
    shown = outcomes if len(outcomes) <= MANY else [o for o in outcomes if _stands_out(o)]
    for section in group(shown):
        console.print(outcome_table(section.title, section.outcomes))
    if len(shown) < len(outcomes):
        counts = Counter(str(o.verdict.how) for o in outcomes if not _stands_out(o))
        counted = ", ".join(f"{count} {how}" for how, count in counts.items())
        console.print(f"not listed, as they should be: {counted}")
    whole = planned is None or planned <= len(outcomes)
    right = whole and all(outcome.as_expected for outcome in outcomes)
    console.print(headline(outcomes, planned), style="bold green" if right else "bold red")


def _stands_out(outcome: Outcome) -> bool:
    return not outcome.as_expected or outcome.verdict.how is How.UNDECIDED


def outcome_table(title: str, outcomes: Sequence[Outcome]) -> Table:
    """Return a table of outcomes: verdict, statement, both sides and how far they are apart.

    The first side is what was found, with the stated error; the second the theory, or the bound
    that is claimed. A statement is short where the verdict is as it should be, and tells
    everything where it is not. Numbers are never cut.
    """
    table = Table(title=title, title_justify="left", title_style="bold", expand=False)
    table.add_column("verdict", overflow="fold")
    table.add_column("statement", ratio=1, overflow="fold")
    for name in ("found", "theory", "apart"):
        table.add_column(name, overflow="fold")
    for outcome in outcomes:
        table.add_row(_verdict(outcome), _statement(outcome), *_numbers(outcome.verdict))
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


def _numbers(verdict: Verdict) -> tuple[str, str, str]:
    """Return what was found with its error, the theory, and how far they are apart."""
    shown = dict(sides(verdict))
    bound = BOUNDS.get(verdict.relation)
    found, theory = shown.get("found") or shown.get("error", ""), shown.get(bound or "theory", "")
    if verdict.how is How.UNDECIDED and not found:
        found = verdict.reason or ""
    return escape(found), escape(f"{bound or ''} {theory}".strip()), _apart(verdict)


def _apart(verdict: Verdict) -> str:
    """Return the difference of two numbers, and its size in stated errors."""
    left, right, error = verdict.left, verdict.right, verdict.error
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        return ""
    if not math.isfinite(left) or not math.isfinite(right):
        return "0" if left == right else "∞"
    difference = typeset_powers(f"{left - right:+.2g}").replace("-", "−")
    if verdict.relation in BOUNDS and verdict.holds:  # how far inside is no disagreement
        return difference
    return (
        f"{difference}, {typeset_powers(f'{abs(left - right) / error:.2g}')} errors"
        if error
        else difference
    )
