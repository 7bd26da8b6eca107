"""What one run of ``gantheory curve`` integrates, looks for and measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gantheory.errors import GantheoryError

if TYPE_CHECKING:
    from gantheory.integrals.curves import Family, Target, TargetCurve, Vanishing
    from gantheory.report.plots.along import Measured

MEASURED_AT = (0.5, 1.0, 2.0, 3.0, 4.0)  # beyond, D* is so steep that training to it takes long


class Job:
    """One run of the command: the targets, their curves, and what was measured."""

    def __init__(
        self,
        family: Family,
        losses: tuple[str, ...],
        divergences: tuple[str, ...],
        points: int,
        regularisers: tuple[str, ...] = (),
        tolerance: float = 1e-10,
    ) -> None:
        import numpy as np

        from gantheory.integrals.curves import Target, usual

        divergences, losses = map(tuple, usual(divergences, losses))
        self.family, self.losses, self.regularisers = family, losses, regularisers
        self.tolerance = tolerance
        self.d = np.linspace(*family.range, points)
        self.targets: list[Target] = [*map(Target.of, divergences)]
        self.targets += [Target.followed_by(loss) for loss in losses]
        self.curves: list[TargetCurve] = []
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
                self.targets, self.family, self.d, self.tolerance,
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


def _measure(job: Job, seed: int, bar: Any) -> list[Measured]:
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
