"""``gantheory protocols``: published toys, what was printed of them, and what we measured."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from gantheory.cli import completion, json_option, print_json, quiet_option
from gantheory.errors import GantheoryError, require, require_simulations

if TYPE_CHECKING:
    from simulations.protocols import Protocol, ProtocolOutcome


@click.command(name="protocols")
@click.argument("name", required=False, shell_complete=completion.protocols)
@click.option("--run", "runs", is_flag=True, help="Train it and measure it, as published.")
@click.option("--steps", type=click.IntRange(1), help="With --run: shorten it to so many steps.")
@click.option("--seeds", default="0:4", show_default=True, help="With --run: as 0:4, or 1,2,7:10.")
@click.option("--device", default="cpu", show_default=True, help="A torch device, as cuda.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR",
    help="With --run: checkpoints and the outcome; the same command goes on after a crash.",
)  # fmt: skip
@quiet_option
@json_option
def command(
    name: str | None,
    runs: bool,
    steps: int | None,
    seeds: str,
    device: str,
    out: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Show the published toy NAME: its recipe, the printed numbers, and ours beside them.

    Without NAME, list all. A run that was shortened is labelled so, never shown as the protocol.

    \b
    Example:
      gantheory protocols pacgan-ring
      gantheory protocols dirac-r1 --run --seeds 0
    """
    require_simulations("gantheory protocols")
    require("gantheory protocols", "torch", "torch")
    if name is None:
        if runs:
            raise GantheoryError("--run needs a name; `gantheory protocols` lists them")
        _list(as_json)
        return
    from simulations.protocols import get_protocol, outcomes_of

    protocol = get_protocol(name)
    if not runs:
        _check_no_run()
    outcomes = list(outcomes_of(name))
    if runs:
        from gantheory.cli.sweep import whole_numbers

        outcomes.append(_run(protocol, whole_numbers(seeds), steps, device, out, quiet or as_json))
    if as_json:
        print_json(_as_dict(protocol, outcomes))
    else:
        _show(protocol, outcomes)


def _check_no_run() -> None:
    """Raise where options say how to train, and nothing says to train."""
    context = click.get_current_context()
    for option in ("steps", "seeds", "device", "out"):
        if context.get_parameter_source(option) is ParameterSource.COMMANDLINE:
            raise GantheoryError(f"--{option} says how to train; add --run")


def _run(
    protocol: Protocol, seeds: list[int], steps: int | None, device: str, out: Path | None,
    hidden: bool,
) -> ProtocolOutcome:  # fmt: skip
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    from simulations.protocols import run_protocol

    columns = BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(file=sys.stderr), disable=hidden) as progress:
        task = progress.add_task("steps", total=None)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        try:
            return run_protocol(
                protocol, seeds=seeds, steps=steps, device=device, out=out, progress=show
            )
        except KeyboardInterrupt:
            if out is None or not list(out.glob("checkpoint.*")):
                raise
            kept = f"a checkpoint is kept in {str(out)!r}, and the same command goes on"
            raise KeyboardInterrupt(kept) from None


def _list(as_json: bool) -> None:
    from simulations.protocols import get_protocol, list_protocols

    protocols = [get_protocol(name) for name in list_protocols()]
    if as_json:
        print_json([_as_dict(protocol, None) for protocol in protocols])
        return
    from gantheory.cli.listing import print_list

    rows = [
        {"name": p.name, "title": p.title, "source": p.source, "steps": f"{p.recipe.steps:,}"}
        for p in protocols
    ]
    print_list(["name", "title"], rows, beside={"source": "from", "steps": "steps"})


def _as_dict(protocol: Protocol, outcomes: list[ProtocolOutcome] | None) -> dict[str, Any]:
    from simulations.protocols import outcomes_of, published_of
    from simulations.runs import as_plain

    measured = outcomes_of(protocol.name) if outcomes is None else outcomes
    return {
        "name": protocol.name, "title": protocol.title, "source": protocol.source,
        "loss": protocol.loss, "rates": list(protocol.rates), "noise": protocol.noise,
        "recipe": as_plain(protocol.recipe), "differs": protocol.differs,
        "published": [row.as_dict() for row in published_of(protocol.name)],
        "measured": [found.as_dict() for found in measured],
    }  # fmt: skip


def _show(protocol: Protocol, outcomes: list[ProtocolOutcome]) -> None:
    from gantheory.cli.wrapping import say
    from simulations.protocols import published_of
    from simulations.protocols.results import QUANTITIES, table_rows

    say(f"{protocol.name}: {protocol.title}")
    for what, text in protocol.overview().rows:
        say(f"{what}: {text}")
    for row in table_rows(published_of(protocol.name), outcomes):
        say(row.who)
        numbers = ", ".join(f"{QUANTITIES[k][0]} {v}" for k, v in row.numbers.items())
        for line in filter(None, (numbers, row.remark)):
            say(f"  {line}")
    if not outcomes:
        say("not measured here yet: add --run")
