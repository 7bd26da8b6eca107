"""An audit on the terminal."""

from __future__ import annotations

from rich.padding import Padding
from rich.text import Text

from gantheory.audits.description import what_it_does, what_it_is
from gantheory.audits.record import Audit, Severity
from gantheory.report import terminal

STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def show_audit(audit: Audit) -> None:
    """Print what a loss is, what it does, and the findings with their evidence."""
    console = terminal.console(highlight=False)
    console.print(Text(audit.name, style="bold"))
    for title, lines in (("What it is", what_it_is(audit)), ("What it does", what_it_does(audit))):
        console.print(Text(f"\n{title}", style="bold"))
        for line in lines:
            console.print(Padding(Text(line), (0, 0, 0, 3)))
    console.print(Text("\nWhat is wrong or surprising", style="bold"))
    if not audit.findings:
        console.print(Padding(Text("nothing was found"), (0, 0, 0, 3)))
    for finding in audit.findings:
        head = Text(f"{finding.severity.value} ", style=STYLES[finding.severity])
        head.append(f"[{finding.kind.value}] ", style="bold")
        head.append(finding.message)
        console.print(Padding(head, (0, 0, 0, 3)))
        console.print(Padding(Text(f"remedy: {finding.remedy}"), (0, 0, 0, 5)))
        console.print(Padding(Text(finding.evidence, style="dim"), (0, 0, 1, 5)))
