"""``gantheory curve``: divergences and gradients against distance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gantheory.cli import completion, json_option, print_json, quiet_option
from gantheory.cli.files import file_option
from gantheory.errors import GantheoryError, require

if TYPE_CHECKING:
    from gantheory.integrals.curves import Curve, Family, Target, Vanishing
    from gantheory.losses.loss import Loss
    from gantheory.report.plots.along import Measured

FIGURES = (".png", ".svg", ".pdf")
TABLES = (".csv", ".parquet")
PICTURES = ("losses", "vanishing", "modes", "optimum", "pushforward")
MEASURED_AT = (0.5, 1.0, 2.0, 3.0, 4.0)  # beyond, D* is so steep that training to it takes long


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
    help="Adds each loss with D's slope penalised, like 'r1(1)'; may be repeated.",
)
@click.option("--family", default="distance", show_default=True, help="A named family of pairs.")
@click.option("--p", "p", help="P as text, in which d varies, instead of the family's.")
@click.option("--q", "q", help="Q as text, in which d varies, instead of the family's.")
@click.option("--from", "start", type=float, help="First value of d.")
@click.option("--to", "stop", type=float, help="Last value of d.")
@click.option("--points", type=click.IntRange(2, 100_000), default=201, show_default=True)
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
      gantheory curve -g non-saturating -d tv --p "laplace(0, 1)" --q "laplace(d, 2)" --to 6
      gantheory curve -g minimax --regulariser "r1(1)" --from 0.2 --points 25 --out r1.png
      gantheory curve --figure losses --out losses.svg
    """  # fmt: skip
    _check(outputs, figure)
    if figure != "curves":
        _picture(figure, p or "normal(0, 1)", q or "normal(2, 1)", generator, outputs, as_json)
        return
    chosen = _family(family, p, q, start, stop)
    if file is not None and not losses:
        losses = (file.name,)
    if not losses and not divergences:
        from gantheory.losses.classic import CLASSIC

        divergences, losses = ("jsd",), tuple(loss.name for loss in CLASSIC)
    job = _Job(chosen, losses, divergences, points, regularisers)
    job.run(measure, seed, quiet=quiet or as_json)
    written = [str(_write(path, job)) for path in outputs]
    if as_json:
        print_json(job.as_dict() | {"files": written})
    else:
        _show(job, written)


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

    family = find_family(name)
    if p or q:
        family = replace(family, p=p or family.p, q=q or family.q, axis="d")
    low, high = family.range
    low, high = (low if start is None else start), (high if stop is None else stop)
    if not low < high:
        raise GantheoryError(f"--from {low:g} must be less than --to {high:g}")
    return replace(family, range=(low, high))


class _Job:
    """One run of the command: the targets, their curves, and what was measured."""

    def __init__(
        self,
        family: Family,
        losses: tuple[str, ...],
        divergences: tuple[str, ...],
        points: int,
        regularisers: tuple[str, ...] = (),
    ) -> None:
        import numpy as np

        from gantheory.integrals.curves import Target

        self.family, self.losses, self.regularisers = family, losses, regularisers
        self.d = np.linspace(*family.range, points)
        self.targets: list[Target] = [*map(Target.of, divergences)]
        self.targets += [Target.followed_by(loss) for loss in losses]
        self.curves: list[Curve] = []
        self.marks: list[Vanishing] = []
        self.measured: list[Measured] = []

    def run(self, measure: bool, seed: int, quiet: bool) -> None:
        """Integrate the curves, find where gradients vanish, and train where asked."""
        from rich.console import Console
        from rich.progress import Progress

        from gantheory.integrals.curves import curves, penalised_curves, vanishing

        with Progress(console=Console(stderr=True), disable=quiet, transient=True) as bar:
            task = bar.add_task("integrating", total=None)
            self.curves = curves(
                self.targets, self.family, self.d,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )  # fmt: skip
            self.curves += penalised_curves(
                self.losses, self.regularisers, self.family, self.d,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )  # fmt: skip
            self.marks = [vanishing(target, self.family) for target in self.targets]
            if measure:
                self.measured = _measure(self, seed, bar)

    def table(self) -> Any:
        """Return the curves under their labels."""
        from gantheory.integrals.curves import tabulate

        return tabulate(self.d, self.curves, self.family)

    def figure(self) -> Any:
        """Return the curves as a figure."""
        from gantheory.report.plots import plot_curves

        return plot_curves(
            self.d, self.curves, axis=self.family.axis, title=str(self.family),
            marks=self.marks, measured=self.measured,
        )  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """Return everything under stable keys."""
        parts = ("value", "value_error", "gradient", "gradient_error")
        return {
            "family": {"p": self.family.p, "q": self.family.q, "axis": self.family.axis},
            "d": self.d.tolist(),
            "curves": {
                c.target.label: {part: getattr(c, part).tolist() for part in parts}
                | {"title": c.target.title, "terms": dict(c.target.terms), "notes": list(c.reasons)}
                for c in self.curves
            },
            "vanishing": [
                {
                    "target": m.target.label,
                    "peak": m.peak,
                    "peak_gradient": m.peak_gradient,
                    "fraction": m.fraction,
                    "falls_at": m.falls_at,
                }
                for m in self.marks
            ],
            "measured": [
                {
                    "target": m.label,
                    "d": m.d,
                    "gradient": m.gradient.value,
                    "error": m.gradient.error,
                    "error_probability": m.gradient.error_probability,
                }
                for m in self.measured
            ],
        }


def _measure(job: _Job, seed: int, bar: Any) -> list[Measured]:
    """Train a discriminator to its optimum at several d, and measure the frozen gradients."""
    from gantheory.errors import MissingExtraError, require_simulations
    from gantheory.integrals.curves.families import slopes_of
    from gantheory.report.plots import Measured

    require_simulations("--measure")
    try:
        from simulations.fit import fit_discriminator
        from simulations.measure import frozen_gradient
    except ImportError:
        raise MissingExtraError("--measure", "torch") from None
    moving = list(slopes_of(job.family, job.d[0]))
    if not job.losses or len(moving) != 1 or not moving[0].startswith("q."):
        raise GantheoryError("--measure needs a loss, and a family in which one number of q varies")
    wrt, found = moving[0], []
    low, high = job.family.range
    places = [d for d in MEASURED_AT if low < d < high] or [0.5 * (low + high)]
    task = bar.add_task("training", total=len(places) * len(job.losses))
    for d in places:
        p, q = (str(law) for law in job.family.at(d))
        slope = slopes_of(job.family, d)[wrt]
        trained: dict[tuple[str, str], Any] = {}
        for loss in job.losses:
            key = _payoffs(loss)
            if key not in trained:  # games that differ in the generator share their D
                trained[key] = fit_discriminator(loss, p, q, seed=seed)
            estimate = frozen_gradient(loss, p, q, wrt, discriminator=trained[key], seed=seed)
            found.append(Measured(loss, d, _times(slope, estimate)))
            bar.advance(task)
    return found


def _payoffs(loss: str) -> tuple[str, str]:
    from gantheory.losses import get_loss

    return get_loss(loss).real, get_loss(loss).fake


def _times(slope: float, estimate: Any) -> Any:
    from dataclasses import replace

    return replace(estimate, value=slope * estimate.value, error=abs(slope) * estimate.error)


def _write(path: Path, job: _Job) -> Path:
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
        click.echo(f"wrote {path}")


def _tables(job: _Job, width: int) -> Iterator[Any]:
    """Yield the values and derivatives as tables, as many as whole numbers and names need."""
    from rich.box import SIMPLE
    from rich.table import Table

    from gantheory.cli.listing import side_by_side

    shown = _shown(len(job.d))
    texts = [
        [[_cell(part[k]) for k in shown] for part in (c.value, c.gradient)] for c in job.curves
    ]
    labels = [curve.target.label for curve in job.curves]
    widths = [
        max(len(label), *map(len, value)) + max(map(len, slope)) + 4
        for label, (value, slope) in zip(labels, texts, strict=True)
    ]
    for group in side_by_side(widths, width - 2, 8):
        table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
        for head in ("d", *(part for k in group for part in (labels[k], "∂"))):
            table.add_column(head, justify="right", overflow="fold")
        for row, k in enumerate(shown):
            table.add_row(f"{job.d[k]:g}", *(part[row] for one in group for part in texts[one]))
        yield table


def _show(job: _Job, written: list[str]) -> None:
    from rich.console import Console
    from rich.padding import Padding

    console = Console()
    console.print(f"{job.family}: values in nats, and their derivatives ∂ in d", highlight=False)
    for mark in job.marks:
        console.print(Padding(_sentence(mark), (0, 0, 0, 2)))
    for table in _tables(job, console.width):
        console.print(table)
    for line in _without_slope(job):
        console.print(line, highlight=False)
    for note in sorted({reason for curve in job.curves for reason in curve.reasons}):
        console.print(f"note: {note}", highlight=False)
    for m in job.measured:
        console.print(
            f"{m.label} at d = {m.d:g}: measured {m.gradient.value:.5g} ± {m.gradient.error:.1g}",
            highlight=False,
        )
    for path in written:
        console.print(f"wrote {path}", highlight=False, soft_wrap=True)


def _cell(number: float) -> str:
    """Return a number to four digits; a note below the table says why there is none.

    >>> _cell(-0.0), _cell(float("inf")), _cell(float("nan"))
    ('0', '∞', 'none')
    """
    if math.isnan(number):
        return "none"
    return f"{number + 0.0:.4g}".replace("inf", "∞")


def _without_slope(job: _Job) -> Iterator[str]:
    """Yield where curves have a value but no slope, or none that is determined."""
    for one in job.curves:
        pairs = zip(job.d, one.value, one.gradient, strict=True)
        at = [d for d, value, slope in pairs if math.isnan(slope) and not math.isnan(value)]
        if at:
            places = ", ".join(f"{d:g}" for d in at[:5]) + (", ..." if len(at) > 5 else "")
            name = one.target.title or one.target.label
            yield f"{name}: no slope exists at d = {places}, or none is determined; see the note"


def _shown(count: int) -> list[int]:
    return sorted({round(k * (count - 1) / 10) for k in range(11)})


def _sentence(mark: Vanishing) -> str:
    name, top = mark.target.title or mark.target.label, f"{mark.peak_gradient:.5g}"
    if math.isnan(mark.peak_gradient):
        return f"{name}: the gradient is not determined anywhere here"
    if mark.falls_at is None:
        return f"{name}: gradient never falls to {mark.fraction:.0%} of its largest size {top} here"
    return (
        f"{name}: gradient is largest at d = {mark.peak:.4g} ({top}) and has fallen to "
        f"{mark.fraction:.0%} of that at d = {mark.falls_at:.4g}"
    )
