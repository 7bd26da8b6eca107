"""A derivation on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from gantheory.critics import CriticDerivation
from gantheory.derivations.derivation import Derivation
from gantheory.records import How

STYLES = {
    How.PROVED: "green",
    How.CERTIFIED: "green",
    How.MEASURED: "cyan",
    How.REFUTED: "red",
    How.UNDECIDED: "yellow",
}


def show(derivation: Derivation | CriticDerivation) -> None:
    """Print the steps, each with how it is known."""
    console = Console(highlight=False)
    console.print(Text(derivation.title, style="bold"))
    if derivation.definition.reference is not None:
        console.print(Text(str(derivation.definition.reference), style="dim"))
    for number, step in enumerate(derivation.steps, 1):
        head = Text(f"\n{number}. {step.title}  ", style="bold")
        head.append(step.known, style="yellow" if step.theorem else STYLES[step.how])
        if because := step.because:
            head.append(f": {because}", style="dim")
        console.print(head)
        console.print(Padding(Text(step.text), (0, 0, 0, 3)))
    if derivation.no_optimum:
        console.print(Text(f"\n{derivation.no_optimum}", style="yellow"))
    for name, reason in (derivation.undecided or {}).items():
        console.print(Text(f"\nundecided: {name}, because {reason}", style="yellow"))
    console.print(Text("\nAssumptions", style="bold"))
    for assumption in derivation.assumptions:
        console.print(Padding(Text(f"- {assumption}"), (0, 0, 0, 3)))
