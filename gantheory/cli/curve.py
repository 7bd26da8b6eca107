"""``gantheory curve``: divergences and gradients against distance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gantheory.cli import completion, json_option, note, print_json, quiet_option
from gantheory.cli.curve_job import Job
from gantheory.cli.curves import show_curves
from gantheory.cli.files import file_option
from gantheory.errors import GantheoryError, require

if TYPE_CHECKING:
    from gantheory.integrals.curves import Family
    from gantheory.losses.loss import Loss

FIGURES = (".png", ".svg", ".pdf")
TABLES = (".csv", ".parquet")
PICTURES = ("losses", "vanishing", "modes", "optimum", "pushforward")


@click.command()
@click.option(
    "-g",
    "--loss",
    "losses",
    multiple=True,
    shell_complete=completion.losses,
    help="A loss: adds what its generator follows; LOSS.loss or LOSS.value those.",
)
@file_option
@click.option(
    "-d",
    "--divergence",
    "divergences",
    multiple=True,
    help="A divergence by name.",
    shell_complete=completion.divergences,
)
@click.option(
    "--regulariser",
    "regularisers",
    multiple=True,
    shell_complete=completion.regularisers,
    help="Adds each loss with D's slope penalised, like 'r1(1)'; may be repeated.",
)
@click.option(
    "--family", default="distance", show_default=True, shell_complete=completion.pairs,
    help="A named family of pairs.",
)  # fmt: skip
@click.option("--p", "p", help="P as text, in which d varies, instead of the family's.")
@click.option("--q", "q", help="Q as text, in which d varies, instead of the family's.")
@click.option("--from", "start", type=float, help="First value of d.")
@click.option("--to", "stop", type=float, help="Last value of d.")
@click.option("--points", type=click.IntRange(2, 100_000), default=201, show_default=True)
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1),
    default=1e-10,
    help="Relative error beyond which a point is integrated on its own.  [default: 1e-10]",
)
@click.option(
    "--figure",
    type=click.Choice(["curves", *PICTURES]),
    default="curves",
    show_default=True,
    help="What to draw.",
)
@click.option(
    "--generator",
    default="z + 2*tanh(3*z)",
    show_default=True,
    help="G as a formula in z, for --figure pushforward.",
)
@click.option(
    "--out",
    "outputs",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="FILE.png, .svg, .pdf, .csv or .parquet; may be repeated.",
)
@click.option("--measure", is_flag=True, help="Train discriminators and lay their gradients over.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the training.")
@quiet_option
@json_option
def command(
    losses: tuple[str, ...],
    file: Loss | None,
    divergences: tuple[str, ...],
    regularisers: tuple[str, ...],
    family: str,
    p: str | None,
    q: str | None,
    start: float | None,
    stop: float | None,
    points: int,
    tolerance: float,
    figure: str,
    generator: str,
    outputs: tuple[Path, ...],
    measure: bool,
    seed: int,
    quiet: bool,
    as_json: bool,
) -> None:
    """Plot divergences and their gradients along a family of pairs of densities.

    Without -g and -d: JSD and what the minimax, non-saturating and reverse-KL generators follow,
    for P = normal(0, 1) and Q = normal(d, 1). The point at which a gradient has fallen to 1% of
    its maximum is found and marked.

    Other pictures: losses (log(1 - D) and -log D, with their slopes in D and in the logit),
    vanishing (minimax, non-saturating and W1), modes (what losing modes costs), optimum (D* over P
    and Q) and pushforward (how a generator carries z to x).

    \b
    Examples:
      gantheory curve --out survey.png --out survey.csv
      gantheory curve -g hinge.loss -g "alpha-gan(alpha=1/2)" --out losses.csv
      gantheory curve -g non-saturating -d tv --p "laplace(0, 1)" \\
          --q "laplace(d, 2)" --to 6
      gantheory curve -g minimax --regulariser "r1(1)" --from 0.2 --points 25 \\
          --out r1.png
      gantheory curve --figure losses --out losses.svg
    """  # fmt: skip
    _check(outputs, figure)
    if figure != "curves":
        _picture(figure, p or "normal(0, 1)", q or "normal(2, 1)", generator, outputs, as_json)
        return
    chosen = _family(family, p, q, start, stop)
    if file is not None and not losses:
        losses = (file.name,)
    job = Job(chosen, losses, divergences, points, regularisers, tolerance)
    job.run(measure, seed, quiet=quiet or as_json)
    written = [str(_write(path, job)) for path in outputs]
    if as_json:
        print_json(job.as_dict() | {"files": written})
    else:
        show_curves(job)
        for path in written:
            note(f"wrote {path}")


def _check(outputs: tuple[Path, ...], figure: str) -> None:
    """Refuse files of an unknown kind, and places that do not exist, before any work."""
    allowed = FIGURES + TABLES if figure == "curves" else FIGURES
    for path in outputs:
        if path.suffix.lower() not in allowed:
            raise GantheoryError(f"--out {path.name!r}: use one of {', '.join(allowed)}")
        if not path.parent.is_dir():
            raise GantheoryError(f"--out {str(path)!r}: the directory does not exist; create it")
    if any(path.suffix.lower() in FIGURES for path in outputs):
        require("a figure", "plots", "matplotlib")
    if any(path.suffix.lower() == ".parquet" for path in outputs):
        require("a Parquet file", "plots", "polars")
    if figure != "curves" and not outputs:
        raise GantheoryError(f"--figure {figure} needs --out FILE, as in --out {figure}.png")


def _family(
    name: str, p: str | None, q: str | None, start: float | None, stop: float | None
) -> Family:
    from dataclasses import replace

    from gantheory.integrals.curves import find_family

    family = find_family(name, p, q)
    low, high = family.range
    low, high = (low if start is None else start), (high if stop is None else stop)
    if not low < high:
        raise GantheoryError(f"--from {low:g} must be less than --to {high:g}")
    return replace(family, range=(low, high))


def _write(path: Path, job: Job) -> Path:
    from gantheory.integrals.curves import write_table
    from gantheory.report.plots import save_figure

    if path.suffix.lower() in FIGURES:
        return save_figure(job.figure(), path)
    return write_table(job.table(), path)


def _picture(
    name: str, p: str, q: str, generator: str, outputs: tuple[Path, ...], as_json: bool
) -> None:
    from gantheory.densities.pushforward import pushforward
    from gantheory.report import plots

    drawn = {
        "losses": plots.plot_losses,
        "vanishing": plots.plot_vanishing,
        "modes": plots.plot_mode_dropping,
        "optimum": lambda: plots.plot_optimum(p, q),
        "pushforward": lambda: plots.plot_pushforward(pushforward(generator)),
    }[name]()
    written = [str(plots.save_figure(drawn, path)) for path in outputs]
    if as_json:
        print_json({"figure": name, "files": written})
        return
    for path in written:
        note(f"wrote {path}")
