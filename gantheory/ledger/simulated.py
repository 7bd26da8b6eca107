"""Verdicts from the records of experiments: what was measured, judged by the one comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gantheory.errors import GantheoryError, shown
from gantheory.files import locked
from gantheory.records import How, Verdict
from gantheory.shown import Overview, Shown
from gantheory.verify import Check, Outcome, agree, at_least, at_most
from simulations.experiments import load
from simulations.experiments.base import Comparison, Experiment, Measurement, Record, Setting

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ASSUMPTIONS = ("fresh samples are independent of the training samples",)


@dataclass(frozen=True, repr=False)
class Simulation(Shown):
    """An experiment that was run: what it measured, and the verdict on each comparison.

    Attributes:
        experiment: the claim, its cases and who states it.
        record: the setting, and what every case gave.
        outcomes: the verdicts, false twins included.

    >>> found = simulate("sensitivity", quick=True)  # doctest: +SKIP
    >>> found.as_expected  # doctest: +SKIP
    True
    """

    experiment: Experiment
    record: Record
    outcomes: tuple[Outcome, ...]

    def overview(self) -> Overview:
        """Return whether all came out as it should, the claim, and every verdict."""
        odd = sum(not outcome.as_expected for outcome in self.outcomes)
        so = f"{odd} not as they should be" if odd else "all as they should be"
        rows = [("claim", self.experiment.claim)]
        for outcome in self.outcomes:
            verdict = outcome.verdict
            found = "" if verdict.left is None else f": {verdict.left} against {verdict.right}"
            rows.append((str(verdict.how), f"{outcome.check.statement}{found}"))
        title = f"{self.experiment.name}, {len(self.outcomes)} verdicts, {so}"
        return Overview(title, tuple(rows))

    @property
    def as_expected(self) -> bool:
        """Return whether every law held and every false twin was refuted."""
        return all(outcome.as_expected for outcome in self.outcomes)

    def draw(self) -> Figure:
        """Return the experiment's figure (needs matplotlib)."""
        return self.experiment.draw(self.record.measurements)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON data, as ``gantheory simulate --json`` prints it."""
        return {
            **self.experiment.as_dict(),
            "as_expected": self.as_expected,
            "verdicts": [_verdict(outcome) for outcome in self.outcomes],
            "numbers": {m.case: m.numbers for m in self.record.measurements},
        }


def simulate(
    name: str,
    *,
    quick: bool = False,
    seed: int = 0,
    device: str = "cpu",
    data: str | Path | None = None,
    out: str | Path | None = None,
    tensorboard: str | Path | None = None,
    progress: Callable[[Record], None] = lambda record: None,
) -> Simulation:
    """Train real GANs for the experiment ``name``, and judge what is measured against the theory.

    Args:
        name: an experiment, as ``gantheory simulate`` lists them.
        quick: fewer cases and shorter training.
        seed: of all randomness.
        device: a torch device, as ``"cuda"``.
        data: the folder of your own data, for an experiment that reads any.
        out: a folder for the record, written after every case: the same call goes on where an
            interrupted one stopped. Without it nothing is kept.
        tensorboard: a folder for the measured curves as event files.
        progress: called with the record at the start and after every case.

    Raises:
        GantheoryError: an unknown name, a missing device, data that cannot be read, or a folder
            that another run or another setting holds.
    """
    from simulations.threads import one_thread

    if not callable(progress):
        raise GantheoryError(f"progress={shown(progress)} must be a function of the record")
    experiment = load(name)
    setting = Setting(seed, quick, _device(device), _data(experiment, data))
    with locked(Path(out), "--out") if out else nullcontext(), one_thread():
        record = _run(experiment, setting, Path(out) / "record.json" if out else None, progress)
    if tensorboard is not None:
        from simulations.runs import log_measurements

        log_measurements(tensorboard, record.measurements)
    return Simulation(experiment, record, outcomes(experiment, record.measurements))


def _run(
    experiment: Experiment, setting: Setting, path: Path | None, progress: Callable[[Record], None]
) -> Record:
    """Measure every case that the record in ``path`` lacks, writing it after each."""
    blank = Record(experiment.name, setting)
    record = Record.resume(path, experiment.name, setting) if path else blank
    if path:
        record.write(path)  # an unwritable place shows before the work, not after it
    progress(record)
    for measurement in experiment.run(setting, record.measurements):
        record = record.extended(measurement)
        if path:
            record.write(path)
        progress(record)
    return record


def _device(name: str) -> str:
    import torch

    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError):
        raise GantheoryError(f"device {name!r} is not available here; use --device cpu") from None
    return name


def _data(experiment: Experiment, folder: str | Path | None) -> str | None:
    """Return where the experiment's data are; what is missing or damaged shows before the work."""
    if experiment.reads_data:
        from simulations.data import digits

        digits(Path(folder) if folder else None)
    elif folder:
        raise GantheoryError(f"--data {folder}: {experiment.name} reads no data; leave it out")
    return str(Path(folder).resolve()) if folder else None


def _verdict(outcome: Outcome) -> dict[str, Any]:
    return {
        "id": outcome.check.id,
        "expected": str(outcome.check.expected),
        "as_expected": outcome.as_expected,
        **outcome.verdict.as_dict(),
    }


def judge_comparison(comparison: Comparison) -> Verdict:
    """Return the verdict on one comparison."""
    sides = comparison.statement, comparison.left, comparison.right
    if comparison.relation == "=":
        return agree(*sides, apart=comparison.apart, assumptions=ASSUMPTIONS)
    bound = {"<=": at_most, ">=": at_least}[comparison.relation]
    verdict = bound(*sides, assumptions=ASSUMPTIONS)
    return _surely(verdict, comparison) if comparison.surely else verdict


def _surely(verdict: Verdict, comparison: Comparison) -> Verdict:
    """Return a verdict that holds only where the whole interval satisfies the bound."""
    found, bound = comparison.left, comparison.right
    low, high = (found.value + sign * (found.error + bound.error) for sign in (-1, 1))
    within = high <= bound.value if comparison.relation == "<=" else low >= bound.value
    if within or verdict.how is not How.MEASURED:
        return verdict
    interval = f"from {low:.4g} to {high:.4g} holds the bound {bound.value:.4g}"
    return replace(verdict, how=How.UNDECIDED, reason=f"too few samples: the interval {interval}")


def outcomes(experiment: Experiment, measured: Iterable[Measurement]) -> tuple[Outcome, ...]:
    """Return every verdict of an experiment, those on single cases and those on all together."""
    finished = tuple(measured)
    comparisons = [c for measurement in finished for c in measurement.comparisons]
    comparisons += experiment.conclude(finished)
    return tuple(_outcome(comparison, experiment.source) for comparison in comparisons)


def _outcome(comparison: Comparison, source: str) -> Outcome:
    verdict = judge_comparison(comparison)
    check = Check(
        comparison.id,
        comparison.statement,
        lambda: verdict,
        How(comparison.expected),
        source=source,
        trains=True,
        twin_of=comparison.twin_of,
    )
    return Outcome(check, verdict)
