"""``gantheory check``: derive, integrate, train and judge the original GAN."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gantheory.cli import completion, json_option, print_json, quiet_option
from gantheory.errors import GantheoryError, require, require_simulations
from gantheory.progress import tracked

if TYPE_CHECKING:
    from gantheory.verify import Check, Outcome


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=completion.checks)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("report"), show_default=True,
    metavar="DIR", help="Directory of the report, index.html.",
)  # fmt: skip
@click.option("--quick", is_flag=True, help="Leave the training out.")
@quiet_option
@json_option
def command(ids: tuple[str, ...], out: Path, quick: bool, quiet: bool, as_json: bool) -> int:
    """Run every check of the original GAN and decide what documents state, or those with an ID.

    A report is written.

    Exit status 0 if every verdict is as it should be, 1 otherwise.

    \b
    Example:
      gantheory check --quick --out report
      gantheory check minimax.value 003-84
    """
    _ensure_writable(out)
    require("the report", "report", "jinja2", "latex2mathml", "matplotlib")
    require_simulations("gantheory check")
    if not quick:
        require("training (leave it out with --quick)", "torch", "torch")
    from gantheory.api import choose_checks
    from gantheory.report import html, tables

    checks = choose_checks(ids, quick=quick)
    outcomes, interrupted = _decide(checks, show_progress=not (as_json or quiet))
    if interrupted and not outcomes:
        raise KeyboardInterrupt
    page = html.write_check(out, outcomes, planned=len(checks))
    as_expected = all(outcome.as_expected for outcome in outcomes) and not interrupted
    if as_json:
        print_json(_as_dict(outcomes, page, as_expected, len(checks)))
    else:
        tables.print_outcomes(outcomes, planned=len(checks))
        click.echo(f"report: {page.resolve()}")
    if interrupted:
        raise KeyboardInterrupt(f"the report {str(page)!r} holds what was decided")
    return 0 if as_expected else 1


def _decide(checks: list[Check], *, show_progress: bool) -> tuple[list[Outcome], bool]:
    """Return the outcomes, and whether an interrupt cut them short."""
    from gantheory.ledger.checks import run

    outcomes: list[Outcome] = []
    stages = tracked(run(checks), len(checks), "checking", quiet=not show_progress)
    try:
        for outcome in stages:
            outcomes.append(outcome)
    except KeyboardInterrupt:
        return outcomes, True
    return outcomes, False


def _ensure_writable(out: Path) -> None:
    """Refuse, before any work, a directory that the report cannot be written to."""
    nearest = next(parent for parent in (out, *out.resolve().parents) if parent.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise GantheoryError(f"cannot write to {str(out)!r}; name a writable directory with --out")


def _as_dict(
    outcomes: list[Outcome], page: Path, as_expected: bool, planned: int
) -> dict[str, Any]:
    return {
        "as_expected": as_expected,
        "planned": planned,
        "report": str(page),
        "checks": [
            {
                "id": outcome.check.id,
                "expected": outcome.check.expected,
                "as_expected": outcome.as_expected,
                "seconds": round(outcome.seconds, 3),
                **outcome.verdict.as_dict(),
            }
            for outcome in outcomes
        ],
    }
