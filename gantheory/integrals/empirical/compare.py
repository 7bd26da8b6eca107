"""One distance between two samples, or between samples and a known law.

On the line the law is taken as it is. In space it is taken by draws of its own, and what these add
is in the error of the value, which holds but with the stated probability.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gantheory.densities import parse_density
from gantheory.densities.base import Density
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError, unknown_name
from gantheory.integrals.counting.sums import has_masses
from gantheory.integrals.empirical import entropic, intervals, line, space
from gantheory.integrals.transport.against import (
    Weighted,
    distance_of_points,
    distance_of_two,
)
from gantheory.integrals.transport.points import mmd2_of_points, mmd2_of_two
from gantheory.integrals.transport.radial import RadialKernel, kernel_named
from gantheory.records import Estimate, Status
from gantheory.rounding import EPS
from gantheory.samples import Samples, is_sample_like, samples
from gantheory.shown import Overview

FEWEST, MOST = 200, 2000  # draws of a law: where transport problems are solved, and elsewhere
ERROR = 0.05  # the probability that an interval for the laws misses, where none is asked for
METRICS = ("w1", "w2", "energy", "mmd2", "sliced_w1", "sliced_w2", "ks", "sinkhorn")
LENGTHS = ("w1", "w2", "energy", "sliced_w1", "sliced_w2")  # which grow like the unit of length
LEAST = 1e-140  # of numbers, below which their squares leave binary64
GUARANTEES = {"ks": intervals.of_ks, "mmd2": intervals.of_mmd}
ALIASES = {"kolmogorov_smirnov": "ks", "kolmogorov-smirnov": "ks"}
Sharp = tuple[float, float, float]  # a value, its error, and how likely that is exceeded


@dataclass(frozen=True, repr=False)
class SampleEstimate(Estimate):
    """A number of the empirical laws, with an interval for that of the laws behind the samples.

    Attributes:
        lower, upper: the interval.
        interval_error: the probability with which it may miss.
        interval_method: how it was found.

    >>> from gantheory import between_samples
    >>> round(between_samples("w1", [1.0, 2.0, 4.0], [2.0, 3.0, 3.5]).value, 12)
    0.833333333333
    """

    lower: float = 0.0
    upper: float = math.inf
    interval_error: float = 0.0
    interval_method: str = ""

    def overview(self) -> Overview:
        """Return what an estimate says, and how the interval was found."""
        title, rows = super().overview()
        return Overview(title, (*rows, ("interval", self.interval_method)))

    def __str__(self) -> str:
        if self.status is Status.UNDETERMINED:
            return super().__str__()
        return (
            f"{super().__str__()} of the samples; of the laws in [{self.lower:.6g}, "
            f"{self.upper:.6g}] but with probability {self.interval_error:g}"
        )


def between_samples(
    name: str,
    p: Samples | Density,
    q: Samples | Density,
    *,
    kernel: str = "gaussian",
    bandwidth: float = 1.0,
    eps: float | None = None,
    order: float = 2,
    guaranteed: bool = False,
    interval_error: float = ERROR,
    seed: int = 0,
) -> SampleEstimate:
    """Return a distance of two samples, or of samples and a law, or of two laws in space by draws.

    Args:
        name: one of `METRICS`.
        p, q: samples or densities, as `divergence` takes them; on the line one must be samples.
        kernel, bandwidth: of MMD: ``"gaussian"``, ``"laplacian"`` or ``"imq"``, and its width.
        eps: the weight of the entropy in ``"sinkhorn"``.
        order: the power of the distance that is the cost there, 1 or 2.
        guaranteed: of ks and mmd2, take the wider interval that holds for samples of any size.
        interval_error: the probability with which the interval for the laws may miss.
        seed: of the bootstrap, of random directions and of draws.

    Returns:
        The value of the empirical laws, or of draws, with its error, and an interval for the laws.

    >>> from gantheory.samples import samples
    >>> between_samples("w1", samples([0.0, 1.0]), samples([2.0, 3.0])).value
    2.0
    """
    name = ALIASES.get(name, name)
    p, q = (samples(law) if is_sample_like(law) else parse_density(law) for law in (p, q))
    radial = kernel_named(kernel, bandwidth)
    profile = radial.of_bandwidth(bandwidth)
    _check(name, p, q, guaranteed, interval_error)
    if any(not isinstance(law, Samples) and law.dim > 1 for law in (p, q)):
        how = {"guaranteed": guaranteed, "interval_error": interval_error, "seed": seed, "eps": eps}
        return _by_draws(name, p, q, kernel=kernel, bandwidth=bandwidth, order=order, **how)
    if name == "sinkhorn":
        return _sinkhorn(p, q, eps, order, interval_error)
    if isinstance(p, Samples) and isinstance(q, Samples):
        if name in LENGTHS and (unit := _unit(p, q)):
            return _in_units(unit, name, p, q, interval_error=interval_error, seed=seed)
        value, error, chance = _value(name, p, q, profile, seed)
    else:
        known = _to_law(name, p, q, radial, bandwidth)
        if known.status is not Status.OK:
            return _unknown(known, interval_error)
        value, error, chance = known.value, known.error, 0.0
    drawn = [law for law in (p, q) if isinstance(law, Samples)]
    radius, method = (
        _guaranteed(name, drawn, interval_error) if guaranteed
        else _resampled(name, drawn, profile, interval_error, seed))  # fmt: skip
    lower, upper = _interval(name, value, error, radius)
    return SampleEstimate(
        value, error, Status.OK, "empirical laws", error_probability=chance, lower=lower,
        upper=upper, interval_error=interval_error, interval_method=method,
        warnings=() if math.isfinite(radius) else (_no_interval(name, drawn),))  # fmt: skip


def _in_units(unit: float, name: str, p: Samples, q: Samples, **how: Any) -> SampleEstimate:
    """Return a distance that is a length, of samples measured in a unit."""
    found = between_samples(name, *(Samples(x.points / unit, x.source) for x in (p, q)), **how)
    sizes = {key: unit * getattr(found, key) for key in ("value", "error", "lower", "upper")}
    return replace(found, **sizes)


def _unit(p: Samples, q: Samples) -> float:
    """Return a power of 2 near the largest number, where all are so small that squares are 0."""
    reach = max(float(np.max(np.abs(law.points))) for law in (p, q))
    return 2.0 ** max(math.frexp(reach)[1], -1022) if 0 < reach < LEAST else 0.0


def _by_draws(name: str, p: Samples | Density, q: Samples | Density, **chosen: Any) -> Any:
    """Return a distance in which a law in space is taken by draws of its own.

    They are another stream of random numbers than the bootstrap's. What they add to the value is
    bounded as the distance of their law to the law that they are drawn from.
    """
    rng = np.random.default_rng([chosen["seed"], 1])
    size = max([len(law) for law in (p, q) if isinstance(law, Samples)], default=0)
    count = min(max(size, FEWEST), intervals.MOST_IN_SPACE)
    if not name.startswith("w") and name != "sinkhorn":
        count = max(min(MOST, intervals.MOST_PAIRED - size), FEWEST)
    laws = [
        law if isinstance(law, Samples) else Samples(law.sample(rng, count), f"draws of {law}")
        for law in (p, q)
    ]
    found = between_samples(name, *laws, **chosen)
    miss = chosen["interval_error"]
    if name == "sinkhorn":
        error = max(found.upper - found.value, found.value - found.lower)
    else:
        drawn = [law for law, given in zip(laws, (p, q), strict=True) if law is not given]
        profile = kernel_named(chosen["kernel"], chosen["bandwidth"])
        radius, _ = _resampled(
            name, drawn, profile.of_bandwidth(chosen["bandwidth"]), miss, chosen["seed"]
        )
        lower, upper = _interval(name, found.value, found.error, radius)
        error = max(upper - found.value, found.value - lower)
    return replace(
        found, error=error, method=f"{count} draws of a law in space", error_probability=miss
    )  # fmt: skip


def _check(
    name: str, p: Samples | Density, q: Samples | Density, guaranteed: bool, interval_error: float
) -> None:
    if name not in METRICS:
        raise unknown_name("distance of samples", name, METRICS)
    if guaranteed and name not in GUARANTEES:
        raise GantheoryError(f"guaranteed=True is known for {' and '.join(GUARANTEES)}, not {name}")
    if not 0 < interval_error < 1:
        raise GantheoryError(f"interval_error={interval_error!r} must lie between 0 and 1")
    if max(p.dim, 1) != max(q.dim, 1):  # 0: of laws of counts
        raise GantheoryError(f"{p} and {q} differ in dimension: {p.dim} and {q.dim}")


def _guaranteed(name: str, drawn: list[Samples], error: float) -> tuple[float, str]:
    """Return how far the laws may be whatever the samples' size, and what that bound is called."""
    radius = sum(GUARANTEES[name](len(law), error / len(drawn)) for law in drawn)
    return radius, intervals.CONCENTRATION


def _resampled(
    name: str, drawn: list[Samples], kernel: Any, error: float, seed: int
) -> tuple[float, str]:
    """Return how far the laws may be, by a bootstrap, and what that is called.

    One sample's Kolmogorov-Smirnov distance has a bound for every size that is no wider.
    """
    if name == "ks" and len(drawn) == 1:
        return _guaranteed(name, drawn, error)
    if name != "ks" and any(map(_is_one_point, drawn)):
        return math.inf, intervals.EACH
    space_w1 = name == "w1" and drawn[0].dim > 1
    if name in intervals.NORMS and not space_w1:
        points = [law.points for law in drawn]
        return intervals.joint_radius(name, points, kernel, error, seed), intervals.JOINT
    share = error / len(drawn)
    metric = name.removeprefix("sliced_") if drawn[0].dim == 1 else name
    radii = [intervals.alone(metric, law.points, share, seed + k) for k, law in enumerate(drawn)]
    return sum(radii), intervals.EACH


def _sinkhorn(
    p: Samples | Density, q: Samples | Density, eps: float | None, order: float, miss: float
) -> SampleEstimate:
    """Return the entropic transport cost of two samples, with the interval of its limit law."""
    if not isinstance(p, Samples) or not isinstance(q, Samples):
        raise GantheoryError(
            f"sinkhorn of {p} and {q}: on the line it is known between samples; else draw from "
            "the law: samples(law.sample(0, 1000))"
        )
    found = entropic.sinkhorn(p.points, q.points, eps, order)
    alone = _is_one_point(p) or _is_one_point(q)
    radius = math.inf if alone else found.radius(miss)
    converged = found.error <= 1e-6 * abs(found.value)
    return SampleEstimate(
        found.value,
        found.error,
        Status.OK if converged else Status.ILL_CONDITIONED,
        "empirical laws",
        None if converged else "Sinkhorn's iterations had not converged; take a larger eps",
        lower=found.value - found.error - radius,
        upper=found.value + found.error + radius,
        interval_error=miss,
        interval_method=entropic.LIMIT_LAW,
        warnings=(
            f"it is <c, plan> + eps*KL(plan|p x q) with c = distance^{order:g}, eps = {eps:g}; "
            f"<c, plan> alone, as ot.sinkhorn2 returns it, is {found.linear:.12g}",
        ),
    )


def _is_one_point(drawn: Samples) -> bool:
    """Whether all points are one, of which a bootstrap makes nothing else."""
    return bool(np.all(drawn.points == drawn.points[0]))


def _no_interval(name: str, drawn: list[Samples]) -> str:
    if (alone := next(filter(_is_one_point, drawn), None)) is not None:
        return f"no interval for the laws: {alone} are one and the same, which tells no spread"
    few = intervals.MOST_IN_SPACE if name.startswith("w") else intervals.MOST_PAIRED
    return f"no interval for the laws: the bootstrap of {name} takes at most {few} points here"


def _value(name: str, p: Samples, q: Samples, kernel: Any, seed: int) -> Sharp:
    x, y = p.points, q.points
    if name == "mmd2":
        return (*space.empirical_mmd2(kernel, x, y), 0.0)
    if p.dim == 1:
        plain = name.removeprefix("sliced_")
        on_line: dict[str, Callable[..., float]] = {
            "w1": line.empirical_w1, "w2": line.empirical_w2,
            "energy": line.empirical_energy, "ks": line.ks,
        }  # fmt: skip
        value = on_line[plain](x, y)
        reach = max(abs(float(z)) for z in (x.min(), x.max(), y.min(), y.max()))
        return value, EPS * (4 * value + (0.0 if name == "ks" else 2 * reach)), 0.0
    if name == "ks":
        raise GantheoryError(f"ks of {p} and {q}: it is a distance on the line; take a column")
    if name == "energy":
        return (*space.energy_in_space(x, y), 0.0)
    if name.startswith("sliced"):
        return space.sliced(int(name[-1]), x, y, seed)
    return (*space.transport(int(name[-1]), x, y), 0.0)


def _to_law(
    name: str, p: Samples | Density, q: Samples | Density, kernel: RadialKernel, bandwidth: float
) -> Estimate:
    drawn, law = (p, q) if isinstance(p, Samples) else (q, p)
    assert isinstance(drawn, Samples)
    assert isinstance(law, Density)
    plain = name.removeprefix("sliced_")
    if has_masses(law):
        points, masses = Weighted.of_sample(drawn.points), Weighted.of_counts(law)
        if name == "mmd2":
            return mmd2_of_two(points, masses, kernel, bandwidth)
        return distance_of_two(plain, points, masses)
    assert isinstance(law, Univariate)
    points = Weighted.of_sample(drawn.points)
    if name == "mmd2":
        return mmd2_of_points(points, law, kernel, bandwidth)
    return distance_of_points(plain, points, law)


def _unknown(answer: Estimate, interval_error: float) -> SampleEstimate:
    """Return an answer that is infinite, or none: of the laws behind samples nothing is said."""
    return SampleEstimate(
        answer.value, answer.error, answer.status, "empirical laws", answer.reason,
        interval_error=interval_error, interval_method="none",
    )  # fmt: skip


def _interval(name: str, value: float, error: float, radius: float) -> tuple[float, float]:
    """Return value ± (radius + error), in the metric of which some names are the square."""
    low, high = max(value - error, 0.0), value + error
    if intervals.square_root_of(name):
        root, top = math.sqrt(low), math.sqrt(high)
        low, high = max(root - radius, 0.0) ** 2, (top + radius) ** 2
        return low, min(high, 2.0) if name == "mmd2" else high
    low, high = max(low - radius, 0.0), high + radius
    return low, min(high, 1.0) if name == "ks" else high
