"""``gantheory simulate``: run one experiment, keep what it measures, judge it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gantheory.cli import completion, json_option, print_json, quiet_option
from gantheory.errors import require, require_simulations

if TYPE_CHECKING:
    from gantheory.ledger.simulated import Simulation
    from simulations.experiments.base import Experiment, Record


@click.command()
@click.argument("name", required=False, shell_complete=completion.experiments)
@click.option("--quick", is_flag=True, help="Fewer cases and shorter training.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR",
    help="Where the record and the figure go.  [default: runs/NAME]",
)  # fmt: skip
@click.option("--device", default="cpu", show_default=True, help="A torch device, as cuda.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    envvar="MNIST_DIR",
    show_envvar=True,
    help="For digits: the folder of MNIST's IDX files.  [default: scikit-learn's 8x8 digits]",
)
@click.option(
    "--tensorboard",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write the measured curves as event files too.",
)
@quiet_option
@json_option
def command(
    name: str | None,
    quick: bool,
    seed: int,
    out: Path | None,
    device: str,
    data: Path | None,
    tensorboard: Path | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Run the experiment NAME; without NAME, list the experiments.

    The record is written after every case: interrupt it at will, and the same command goes on
    where it stopped. Exit status 0 if every verdict is as it should be, 1 otherwise.

    \b
    Example:
      gantheory simulate optimal-discriminator --quick
    """
    require_simulations("gantheory simulate")
    require("gantheory simulate", "torch", "torch")
    if name is None:
        return _list(as_json)
    from gantheory.ledger.simulated import simulate
    from simulations.experiments import load

    experiment = load(name)
    if tensorboard:
        require("--tensorboard", "tensorboard", "tensorboard")
    folder = out or Path("runs") / experiment.name
    with _shown(experiment, quick, hidden=quiet or as_json) as progress, _resumable(folder):
        found = simulate(
            experiment.name, quick=quick, seed=seed, device=device,
            data=_asked(experiment, data), out=folder, tensorboard=tensorboard, progress=progress,
        )  # fmt: skip
    figure = _draw(found, folder)
    return _report(found, folder / "record.json", figure, as_json)


@contextmanager
def _resumable(folder: Path) -> Iterator[None]:
    """Say of an interrupt what is kept, where a case was finished before it."""
    try:
        yield
    except KeyboardInterrupt:
        if not _has_cases(folder / "record.json"):
            raise
        kept = f"finished cases are kept in {str(folder)!r}, and the same command goes on"
        raise KeyboardInterrupt(kept) from None


def _has_cases(record: Path) -> bool:
    try:
        return bool(json.loads(record.read_text(encoding="utf-8"))["measurements"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _asked(experiment: Experiment, folder: Path | None) -> Path | None:
    """Return the folder of data; one that the environment names for others is passed over."""
    from click.core import ParameterSource

    given = click.get_current_context().get_parameter_source("data")
    return folder if experiment.reads_data or given is ParameterSource.COMMANDLINE else None


def _list(as_json: bool) -> int:
    from rich.table import Table

    from gantheory.report.terminal import console
    from simulations.experiments import load, names

    experiments = [load(name) for name in names()]
    if as_json:
        print_json({"experiments": [experiment.as_dict() for experiment in experiments]})
        return 0
    table = Table("experiment", "claim", "minutes", "--quick")
    for e in experiments:
        table.add_row(e.name, e.claim, f"{e.minutes:g}", f"{e.quick_minutes:g}")
    console().print(table)
    return 0


@contextmanager
def _shown(
    experiment: Experiment, quick: bool, *, hidden: bool
) -> Iterator[Callable[[Record], None]]:
    """Show a bar of the cases that are measured, moved by the record after each."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(file=sys.stderr), disable=hidden) as progress:
        task = progress.add_task(experiment.name, total=len(experiment.cases(quick)))

        def move(record: Record) -> None:
            last = f": {record.measurements[-1].case}" if record.measurements else ""
            done = len(record.measurements)
            progress.update(task, completed=done, description=experiment.name + last)

        yield move


def _draw(simulation: Simulation, folder: Path) -> Path | None:
    if find_spec("matplotlib") is None:
        return None
    import matplotlib as mpl

    mpl.use("Agg")
    from gantheory.report.plots.style import save_figure

    figure = simulation.draw()
    for suffix in ("svg", "png"):
        save_figure(figure, folder / f"figure.{suffix}")
    return folder / "figure.png"


def _report(simulation: Simulation, path: Path, figure: Path | None, as_json: bool) -> int:
    if as_json:
        kept = {"record": str(path), "figure": str(figure) if figure else None}
        print_json(simulation.as_dict() | kept)
    else:
        from gantheory.report.tables import print_outcomes

        click.echo(f"{simulation.experiment.title}: {simulation.experiment.claim}")
        print_outcomes(simulation.outcomes)
        click.echo(f"record: {path}")
        if figure:
            click.echo(f"figure: {figure}")
    return 0 if simulation.as_expected else 1
