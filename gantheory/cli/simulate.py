"""``gantheory simulate``: run one experiment, keep what it measures, judge it."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gantheory.cli import json_option, print_json
from gantheory.errors import GantheoryError, require, require_simulations

if TYPE_CHECKING:
    from gantheory.verify import Outcome
    from simulations.experiments.base import Experiment, Record, Setting


@click.command()
@click.argument("name", required=False)
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
@json_option
def command(
    name: str | None,
    quick: bool,
    seed: int,
    out: Path | None,
    device: str,
    data: Path | None,
    tensorboard: Path | None,
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
    import torch

    from gantheory.files import locked
    from simulations.experiments import Setting, load
    from simulations.experiments.base import Record

    torch.set_num_threads(1)  # two threads collapse on a shared machine, and never helped
    experiment = load(name)
    if tensorboard:
        require("--tensorboard", "tensorboard", "tensorboard")
    setting = Setting(seed, quick, _device(device), _data(experiment, data))
    folder = out or Path("runs") / experiment.name
    path = folder / "record.json"
    with locked(folder, "--out"):
        record = Record.resume(path, experiment.name, setting)
        record.write(path)  # an unwritable place shows before the work, not after it
        record = _measure(experiment, setting, record, path, show_progress=not as_json)
        figure = _draw(experiment, record, folder)
    if tensorboard:
        from simulations.runs import log_measurements

        log_measurements(tensorboard, record.measurements)
    return _report(experiment, record, path, figure, as_json)


def _device(name: str) -> str:
    import torch

    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError):
        raise GantheoryError(f"device {name!r} is not available here; use --device cpu") from None
    return name


def _data(experiment: Experiment, folder: Path | None) -> str | None:
    """Return where the experiment's data are; the environment may name a folder for others."""
    from click.core import ParameterSource

    if experiment.reads_data:
        from simulations.data import digits

        digits(folder)  # what is missing or damaged shows before the work
        return str(folder.resolve()) if folder else None
    given = click.get_current_context().get_parameter_source("data")
    if folder and given is ParameterSource.COMMANDLINE:
        raise GantheoryError(f"--data {folder}: {experiment.name} reads no data; leave it out")
    return None


def _list(as_json: bool) -> int:
    from rich.console import Console
    from rich.table import Table

    from simulations.experiments import load, names

    experiments = [load(name) for name in names()]
    if as_json:
        print_json({"experiments": [_described(experiment) for experiment in experiments]})
        return 0
    table = Table("experiment", "claim", "minutes", "--quick")
    for e in experiments:
        table.add_row(e.name, e.claim, f"{e.minutes:g}", f"{e.quick_minutes:g}")
    Console().print(table)
    return 0


def _described(experiment: Experiment) -> dict[str, Any]:
    shown = ("name", "title", "claim", "expected", "minutes", "quick_minutes", "source", "command")
    return {key: getattr(experiment, key) for key in shown}


def _measure(
    experiment: Experiment, setting: Setting, record: Record, path: Path, *, show_progress: bool
) -> Record:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    cases = experiment.cases(setting.quick)
    done = {measurement.case for measurement in record.measurements}
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, disable=not show_progress) as progress:
        task = progress.add_task(experiment.name, total=len(cases), completed=len(done))
        for measurement in experiment.run(setting, record.measurements):
            record = record.extended(measurement)
            record.write(path)
            progress.update(task, advance=1, description=f"{experiment.name}: {measurement.case}")
    return record


def _draw(experiment: Experiment, record: Record, folder: Path) -> Path | None:
    if find_spec("matplotlib") is None:
        return None
    import matplotlib as mpl

    mpl.use("Agg")
    figure = experiment.draw(record.measurements)
    for suffix in ("svg", "png"):
        figure.savefig(folder / f"figure.{suffix}", dpi=150)
    return folder / "figure.png"


def _report(
    experiment: Experiment, record: Record, path: Path, figure: Path | None, as_json: bool
) -> int:
    from gantheory.ledger.simulated import outcomes

    judged = outcomes(experiment, record.measurements)
    as_expected = all(outcome.as_expected for outcome in judged)
    if as_json:
        print_json(
            {
                **_described(experiment),
                "as_expected": as_expected,
                "record": str(path),
                "figure": str(figure) if figure else None,
                "verdicts": [_verdict(outcome) for outcome in judged],
                "numbers": {m.case: m.numbers for m in record.measurements},
            }
        )
    else:
        _print(experiment, judged, path, figure)
    return 0 if as_expected else 1


def _verdict(outcome: Outcome) -> dict[str, Any]:
    return {
        "id": outcome.check.id,
        "expected": str(outcome.check.expected),
        "as_expected": outcome.as_expected,
        **outcome.verdict.as_dict(),
    }


def _print(
    experiment: Experiment, judged: tuple[Outcome, ...], path: Path, figure: Path | None
) -> None:
    from gantheory.report.tables import print_outcomes

    click.echo(f"{experiment.title}: {experiment.claim}")
    print_outcomes(judged)
    click.echo(f"record: {path}")
    if figure:
        click.echo(f"figure: {figure}")
