"""``gantheory claims``: statements of documents about GANs, each decided by computation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gantheory.cli import completion, json_option, print_json, quiet_option
from gantheory.errors import GantheoryError, require
from gantheory.progress import tracked

if TYPE_CHECKING:
    from gantheory.ledger.statements.entry import Entry, Row


@click.command(name="claims")
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=completion.claims)
@click.option(
    "--source", metavar="S", shell_complete=completion.sources,
    help="Only those of a document: its key, or part of it.",
)  # fmt: skip
@click.option(
    "--verdict", metavar="V", shell_complete=completion.verdicts,
    help="Only those with this verdict, as in 'refuted'.",
)  # fmt: skip
@click.option("--ledger", type=click.Path(path_type=Path), help="Your own ledger, in TOML.")
@click.option("--quick", is_flag=True, help="Leave out what takes more than a few seconds.")
@click.option("--explain", is_flag=True, help="Print all that each verdict stands on.")
@quiet_option
@json_option
def command(
    ids: tuple[str, ...],
    source: str | None,
    verdict: str | None,
    ledger: Path | None,
    quick: bool,
    explain: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Decide what documents about GANs state, sentence by sentence.

    Systems too, from the conditional GAN to the VAE: --source systems. A verdict is computed by
    the engines; the recorded one is only compared with it. Exit status 0 if every verdict is the
    recorded one and every correction holds, 1 otherwise.

    \b
    Examples:
      gantheory claims 003-84 --explain
      gantheory claims --source 003 --verdict refuted --quiet
      gantheory claims --ledger my.toml --json
    """
    from gantheory.ledger.statements.deciding import check_verdict, choose, matches
    from gantheory.report.statements import print_rows

    check_verdict(verdict)
    rows = _decide(choose(ids, source=source, quick=quick, ledger=ledger), quiet=quiet or as_json)
    shown = [row for row in rows if matches(row, verdict)]
    if as_json:
        print_json([row.as_dict() for row in shown])
    else:
        print_rows(shown, explain=explain)
    return 0 if all(row.as_expected for row in rows) else 1


def _decide(entries: tuple[Entry, ...], *, quiet: bool) -> list[Row]:
    from gantheory.ledger.statements.deciding import decide_all
    from gantheory.ledger.statements.kinds import Code, Known

    if not entries:
        raise GantheoryError("no claim is left to decide; leave --quick or --source out")
    if any(check.slow for e in entries for check in e.tests if isinstance(check, Code | Known)):
        require("training (leave it out with --quick)", "torch", "torch")
    found: list[Row] = []
    steps = tracked(decide_all(entries), len(entries), "deciding", quiet=quiet)
    try:
        for row in steps:
            found.append(row)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"{len(found)} of {len(entries)} claims were decided") from None
    return found
