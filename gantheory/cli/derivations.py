"""A derivation on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gantheory.derivations.exposition import Step
from gantheory.derivations.notation import Letter
from gantheory.derivations.ratios import AtRatio
from gantheory.divergences.symbols import in_prose
from gantheory.records import How
from gantheory.report import terminal

if TYPE_CHECKING:
    from gantheory.critics import CriticDerivation
    from gantheory.derivations.derivation import Derivation

STYLES = {
    How.PROVED: "green",
    How.CERTIFIED: "green",
    How.ASSUMED: "yellow",
    How.MEASURED: "cyan",
    How.REFUTED: "red",
    How.UNDECIDED: "yellow",
}


WORDS = {how.value: style for how, style in STYLES.items()}


def show(derivation: Derivation | CriticDerivation, steps: bool = False) -> None:
    """Print the answer, and where asked for the steps, each with how it is known."""
    console = terminal.console(highlight=False)
    console.print(Text(derivation.title, style="bold"))
    if derivation.definition.reference is not None:
        console.print(Text(str(derivation.definition.reference), style="dim"))
    console.print(_answer(derivation))
    if derivation.summary and not steps:
        counted = {"steps": len(derivation.steps), "assumptions": len(derivation.assumptions)}
        counts = ", ".join(f"{count} {name}" for name, count in counted.items() if count)
        console.print(Text(f"\n{counts}: shown by --steps", style="dim"))
        return
    console.print(_steps(derivation.steps))
    if derivation.no_optimum:
        console.print(Text(f"\n{derivation.no_optimum}", style="yellow"))
    for name, reason in (derivation.undecided or {}).items():
        console.print(Text(f"\nundecided: {name}, because {reason}", style="yellow"))
    if derivation.notation:
        console.print(Text("\nNotation", style="bold"))
        console.print(_notation(derivation.notation))
    console.print(Text("\nAssumptions", style="bold"))
    for assumption in map(in_prose, derivation.assumptions):
        console.print(_beside("-", Text(assumption)))


INDENT = (0, 0, 0, 2)


def _beside(mark: str, text: Text) -> Padding:
    """Return a text beside its mark, so that what does not fit goes on under the text."""
    grid = Table.grid(padding=(0, 1))
    grid.add_row(mark, text)
    return Padding(grid, INDENT)


def _steps(steps: Sequence[Step]) -> Table:
    """Return numbered steps: the title, how it is known and why, and below what is found."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="bold", justify="right")
    for number, step in enumerate(steps, 1):
        head = Text(f"{step.title}  ", style="bold")
        head.append(step.known, style="yellow" if step.theorem else STYLES[step.how])
        if because := step.because:
            head.append(f": {because}", style="dim")
        grid.add_row()
        grid.add_row(f"{number}.", head)
        grid.add_row("", Text(step.text))
    return grid


def _notation(letters: Sequence[Letter]) -> Padding:
    """Return what letters stand for, a line each."""
    grid = Table.grid(padding=(0, 2))
    for one in letters:
        grid.add_row(Text(one.text), Text(one.meaning))
    return Padding(grid, INDENT)


def _answer(derivation: Derivation | CriticDerivation) -> Table:
    """Return the summary as a table without lines: a label, what is said, how it is known."""
    table = Table.grid(padding=(0, 2))
    for style in ("bold", "", "dim"):
        table.add_column(style=style, overflow="fold")
    for line in derivation.summary:
        table.add_row(line.label, Text(line.text), Text(line.known, style=WORDS[line.known]))
    return table


def show_ratios(rows: tuple[AtRatio, ...]) -> None:
    """Print the optimum and the curvatures at density ratios, each number with its error."""
    if not rows:
        return
    console = terminal.console(highlight=False)
    console.print(Text("\nAt density ratios r = p/q", style="bold"))
    console.print("value, loss and followed are curvatures: f''(r), apart from point masses")
    for row in rows:
        console.print(Text(f"r = {row.r:g}", style="bold"))
        for name in ("t", "D", "value", "loss", "followed"):
            found = getattr(row, name)
            none = f"not determined there: {row.reasons.get(name, 'not derived')}"
            shown = none if found is None else str(found)
            console.print(Padding(Text(f"{name:9s} {shown}"), (0, 0, 0, 3)))
