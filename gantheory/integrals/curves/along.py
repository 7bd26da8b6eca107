"""Divergences and their gradients along a one-parameter family of pairs of densities.

A family is two density texts in which the letter ``d`` stands for the number that varies. Whole
curves of location-scale laws and their mixtures are integrated in bulk; every point whose stated
error there is too large, and every other family, goes to `gantheory.integrals.divergence` instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gantheory.densities import Density
from gantheory.densities.base import Array
from gantheory.errors import GantheoryError, require_finite, several
from gantheory.files import replacing
from gantheory.integrals import divergence, divergence_table
from gantheory.integrals.bulk.doublexp import Wanted, integrate_twice, is_served
from gantheory.integrals.curves.families import Family, find_family, slopes_of
from gantheory.integrals.curves.labelled import Curves
from gantheory.integrals.curves.penalised import penalised_numbers
from gantheory.integrals.curves.rows import rows
from gantheory.integrals.curves.targets import Target
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.losses.classic import CLASSIC
from gantheory.losses.loss import Loss
from gantheory.records import Estimate, Status

POINTS = 201  # of a curve, unless another number is asked for
TOLERANCE = 1e-10  # relative: beyond it a point of a curve is integrated on its own
Progress = Callable[[int, int], None]  # (points done, points in all)


@dataclass(frozen=True)
class TargetCurve:
    """One target along the family: values and gradients in d with bounds of their errors."""

    target: Target
    value: Array
    value_error: Array
    gradient: Array
    gradient_error: Array
    reasons: tuple[str, ...] = ()


def curve(
    divergences: Iterable[Any] | str = (),
    family: Family | str = "distance",
    values: Iterable[float] | None = None,
    *,
    p: str | None = None,
    q: str | None = None,
    points: int = POINTS,
    losses: Iterable[Loss | str] | str = (),
    regulariser: str | Iterable[str] = (),
    tolerance: float = TOLERANCE,
    progress: Progress | None = None,
) -> Curves:
    """Return divergences and their derivatives in d along a family.

    Args:
        divergences: names, or anything that `gantheory.divergence` accepts; with no losses either,
            the Jensen-Shannon divergence and the classic losses.
        family: a `Family`, or the name of one of `FAMILIES`.
        values: the values of d; by default ``points`` over the family's usual range.
        p, q: laws as text, in which d varies, instead of the family's.
        points: how many values of d there are where they are not given.
        losses: losses whose followed divergence is added, under the loss's name; ``LOSS.loss`` and
            ``LOSS.value`` add those.
        regulariser: penalties on D's slope, as ``"r1(1)"``: each adds for every loss the best
            penalised D's value V and, as the gradient, what the generator follows with D held.
        tolerance: relative error beyond which a point is integrated on its own.
        progress: called with (points done, points in all) where that takes time.

    Returns:
        `Curves`: the column ``d`` and for each target ``NAME``, ``NAME_error``,
        ``NAME_gradient`` and ``NAME_gradient_error``, in nats and nats per unit of d, with a plot
        and tables for polars, pandas and CSV.

    >>> found = curve(["tv", "w1"], values=[1.0, 2.0])
    >>> found["w1"].tolist()
    [1.0, 2.0]
    """
    family = find_family(family, p, q)
    places = np.linspace(*family.range, points) if values is None else _checked(values)
    divergences = several("divergence", divergences, str, "a name such as 'jsd', or several")
    losses = several("loss", losses, (str, Loss), "a name such as 'minimax', or several")
    penalties = several("regulariser", regulariser, str, "text like 'r1(1)', or several")
    divergences, losses = usual(divergences, losses)
    targets = [*map(Target.of, divergences), *map(Target.followed_by, losses)]
    found = curves(targets, family, places, tolerance, progress)
    found += penalised_curves(losses, penalties, family, places, progress)
    return tabulate(places, found, family)


def usual(divergences: Sequence[Any], losses: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
    """Return what is asked for, or where that is nothing what most people look at first."""
    if divergences or losses:
        return divergences, losses
    return ["jsd"], [loss.name for loss in CLASSIC]


def penalised_curves(
    losses: Iterable[Loss | str],
    regularisers: Iterable[str],
    family: Family,
    points: Array,
    progress: Progress | None = None,
) -> list[TargetCurve]:
    """Return the curve of every loss under every penalty: see `curve`."""
    found = []
    for loss in losses:
        for regulariser in regularisers:
            target, numbers, reasons = penalised_numbers(
                loss, regulariser, family, points, progress
            )
            value, error, gradient, gradient_error = numbers
            found.append(
                TargetCurve(target, value, error, gradient, gradient_error, tuple(reasons))
            )
    return found


def tabulate(points: Array, found: Sequence[TargetCurve], family: Family | None = None) -> Curves:
    """Return curves under their labels: see `curve` for the columns."""
    columns: dict[str, Array] = {"d": points}
    for one in found:
        label = one.target.label
        columns[label], columns[f"{label}_error"] = one.value, one.value_error
        columns[f"{label}_gradient"] = one.gradient
        columns[f"{label}_gradient_error"] = one.gradient_error
    return Curves(columns) if family is None else Curves(columns, family.axis, str(family))


def write_table(table: Curves, path: Path | str) -> Path:
    """Write curves as CSV or Parquet, whole or not at all.

    Raises:
        GantheoryError: for another ending, or a place that cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() == ".csv":
        return table.to_csv(path)
    if path.suffix.lower() != ".parquet":
        raise GantheoryError(f"cannot write {path.name!r} as a table; use .csv or .parquet")
    frame = table.to_polars()
    with replacing(path) as partial:
        frame.write_parquet(partial)
    return path


def _checked(values: Iterable[float]) -> Array:
    give = "a list of finite numbers"
    listed = several("list of values of d", values, (str, bytes), give)
    points = np.asarray([require_finite("a value of d", value) for value in listed])
    if points.ndim != 1 or not len(points) or not np.all(np.isfinite(points)):
        raise GantheoryError("values of d must be a list of finite numbers, and not empty")
    return points


def curves(
    targets: Sequence[Target],
    family: Family,
    points: Array,
    tolerance: float = TOLERANCE,
    progress: Progress | None = None,
) -> list[TargetCurve]:
    """Return the curve of every target: see `curve`, which makes a table of them."""
    kernels = dict.fromkeys(kernel for target in targets for kernel, _ in target.kernels)
    found = _Points(family, points, list(kernels), tolerance, progress)
    return [found.curve(target) for target in targets]


class _Points:
    """Every divergence that the targets need, at every point."""

    def __init__(
        self,
        family: Family,
        points: Array,
        kernels: list[Kernel],
        tolerance: float,
        progress: Progress | None,
    ) -> None:
        self.family, self.points, self.kernels = family, points, kernels
        self.reasons: set[str] = set()
        shape = (len(kernels), 2, len(points))
        self.value, self.error = np.full(shape, np.nan), np.full(shape, np.inf)
        if kernels:
            self._in_bulk(tolerance)
            self._one_by_one(tolerance, progress)

    def _in_bulk(self, tolerance: float) -> None:
        p, q = (rows(text, self.points) for text in (self.family.p, self.family.q))
        if p is None or q is None:
            return
        bulk = [k for k, kernel in enumerate(self.kernels) if is_served(kernel, p, q)]
        wanted = [Wanted(self.kernels[k], flag) for k in bulk for flag in (False, True)]
        if not bulk:
            return
        found = integrate_twice(p, q, wanted, len(self.points), tolerance)
        for row, column in zip([(k, kind) for k in bulk for kind in (0, 1)], found, strict=True):
            self.value[row], self.error[row] = column.value, column.error

    def _missed(self, tolerance: float) -> Array:
        return ~(self.error <= tolerance * np.abs(self.value))

    def _one_by_one(self, tolerance: float, progress: Progress | None) -> None:
        missed = self._missed(tolerance)
        todo = np.nonzero(missed.any(axis=(0, 1)))[0]
        for done, k in enumerate(todo):
            pair = self.family.at(self.points[k])
            self._point(int(k), np.nonzero(missed[:, :, k].any(axis=1))[0], *pair)
            if progress:
                progress(done + 1, len(todo))

    def _point(self, k: int, wanted: Array, p: Density, q: Density) -> None:
        asked = [self.kernels[row] for row in wanted]
        slopes = slopes_of(self.family, self.points[k])
        refusal = None
        try:
            found = divergence_table(asked, p, q, (None, *slopes))
        except GantheoryError as error:  # a derivative that no law knows leaves the values
            found, refusal = divergence_table(asked, p, q), Estimate.undetermined(str(error))
        for row in wanted:
            kernel = self.kernels[row]
            self._keep(row, 0, k, found[kernel, None])
            parts = [] if refusal else [(s, found[kernel, wrt]) for wrt, s in slopes.items()]
            self._keep(row, 1, k, refusal or _combined(parts))

    def _keep(self, row: int, kind: int, k: int, answer: Estimate) -> None:
        if answer.error < self.error[row, kind, k] or not answer.is_finite:
            self.value[row, kind, k], self.error[row, kind, k] = answer.value, answer.error
        if answer.reason:
            self.reasons.add(answer.reason)

    def curve(self, target: Target) -> TargetCurve:
        """Return the curve of one target: a sum of kernels, or a distance point by point."""
        parts = target.kernels
        if not parts:
            return self._distance(target)
        pick = [self.kernels.index(kernel) for kernel, _ in parts]
        weights = np.array([c for _, c in parts])
        value = np.tensordot(weights, self.value[pick], axes=1)
        error = np.tensordot(np.abs(weights), self.error[pick], axes=1)
        return TargetCurve(
            target, value[0], error[0], value[1], error[1], tuple(sorted(self.reasons))
        )

    def _distance(self, target: Target) -> TargetCurve:
        """Return the curve of what has no kernel: one call of `divergence` for each number."""
        answers = np.array([self._both(target.other, d) for d in self.points])
        return TargetCurve(target, *answers.T)

    def _both(self, name: Any, d: float) -> tuple[float, float, float, float]:
        p, q = self.family.at(d)
        value, slopes = divergence(name, p, q), slopes_of(self.family, d)
        try:
            gradient = _combined((s, divergence(name, p, q, wrt=w)) for w, s in slopes.items())
        except GantheoryError as error:
            gradient = Estimate.undetermined(str(error))
        return value.value, value.error, gradient.value, gradient.error


def _combined(parts: Iterable[tuple[float, Estimate]]) -> Estimate:
    """Return Σ coefficient·estimate, with the errors added up."""
    parts = list(parts)
    reasons = [e.reason for _, e in parts if e.reason]
    if any(e.status is Status.UNDETERMINED for _, e in parts):
        return Estimate.undetermined(reasons[0])
    return Estimate(
        math.fsum(c * e.value for c, e in parts),
        math.fsum(abs(c) * e.error for c, e in parts),
        reason=reasons[0] if reasons else None,
    )


@dataclass(frozen=True)
class Vanishing:
    """Where a gradient is largest, and where it has fallen to a fraction of that."""

    target: Target
    peak: float
    peak_gradient: float
    fraction: float
    falls_at: float | None


def vanishing(what: Any, family: Family | str = "distance", fraction: float = 0.01) -> Vanishing:
    """Find where the gradient's size peaks, and where it falls to ``fraction`` of the peak.

    ``falls_at`` is None where the gradient never falls so far within the family's range.

    >>> round(vanishing("jsd").falls_at, 3)
    6.632
    """
    from scipy.optimize import brentq, minimize_scalar

    family, target = find_family(family), Target.of(what)

    def size(d: float) -> float:
        return float(np.abs(curves([target], family, np.array([d]))[0].gradient[0]))

    grid = np.linspace(*family.range, 101)
    sizes = np.abs(curves([target], family, grid)[0].gradient)
    if np.isnan(sizes).all():
        return Vanishing(target, math.nan, math.nan, fraction, None)
    top = int(np.nanargmax(sizes))
    around = grid[max(top - 1, 0)], grid[min(top + 1, len(grid) - 1)]
    found = minimize_scalar(lambda d: -size(d), bounds=around, method="bounded",
                            options={"xatol": 1e-9})  # fmt: skip
    peak, height = (float(found.x), -float(found.fun))
    if height < sizes[top]:
        peak, height = float(grid[top]), float(sizes[top])
    falls = None
    below = np.nonzero(sizes[top:] < fraction * height)[0]
    if len(below):
        bracket = peak, grid[top + int(below[0])]
        falls = float(brentq(lambda d: size(d) - fraction * height, *bracket, xtol=1e-10))
    return Vanishing(target, peak, height, fraction, falls)
