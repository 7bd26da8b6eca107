"""A user's distribution function, quantiles, slope and mean, held against their log-density.

Each is compared with an integral between places around the stated centers: levels with that of the
density, the log-density with that of its slope. What the integral leaves open is no fault.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from scipy.integrate import tanhsinh

from gantheory.densities.base import Array
from gantheory.densities.declared import called
from gantheory.errors import GantheoryError
from gantheory.rounding import EPS

if TYPE_CHECKING:
    from gantheory.densities.user import OwnDensity

AWAY = np.array([0.31, 0.83, 1.6, 2.7, 4.0, 6.0, 9.0, 13.0])  # widths from a center looked at
MOST = 20  # centers looked around
LEVELS = np.array([1e-6, 1e-4, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1 - 1e-4, 1 - 1e-6])
LOOSE = 1e-4  # of the smaller tail: what levels may be off by, which is then in their error
TIGHT = 1e-9  # relative: the same for a slope, which is taken at its word
MEAN = 1e-6  # of the width: the same for a mean, which no divergence takes
LEAST = 1e-9  # mass of a tail, below which its rounding hides what it is


def check_functions(law: OwnDensity) -> None:
    """Raise where a stated function is not that of the log-density."""
    for name, check in (
        ("cdf", lambda law: law.levels_off), ("ppf", _quantiles), ("slope", _slope), ("mean", _mean)
    ):  # fmt: skip
        if law.functions.get(name) is not None:
            check(law)


def levels_off(law: OwnDensity) -> float:
    """Return by how much of the smaller tail a stated cdf differs from the integral of its density.

    Raises:
        GantheoryError: where it is no distribution function of that density.
    """
    if law.functions.get("cdf") is None:
        return 0.0
    x = _places(law)
    level = called(law, "its cdf", law.functions["cdf"], x)
    if not np.all((level >= 0) & (level <= 1)):
        raise GantheoryError(f"{law}: its cdf leaves [0, 1]; give P(X <= x)")
    return _off(law, "cdf", x, level)


def _places(law: OwnDensity) -> Array:
    """Return places of the support around the centers, and the kinks."""
    low, high = law.interval
    steps = np.concatenate([-AWAY, AWAY])
    found = np.concatenate([center + width * steps for center, width in law.centers[:MOST]])
    within = found[(found > low) & (found < high)]
    inner = [k for k in law.inner_kinks if low < k < high][:MOST]
    return np.unique(np.concatenate([within, [law.centers[0][0]], inner]))


def _integrals(f: Callable[[Array], Array], a: Array, b: Array) -> tuple[Array, Array]:
    """Return the integrals of f over intervals, and bounds on their errors."""
    with np.errstate(all="ignore"):
        found = tanhsinh(f, a, b, rtol=1e-13, maxlevel=9)
    error = np.where(np.isfinite(found.error), found.error, np.inf)
    return np.asarray(found.integral), 10 * error + 1e-14 * np.abs(found.integral)


def _density(law: OwnDensity, x: Array) -> Array:
    value = called(law, "its log-density", law.log_function, x)
    return np.exp(np.where(np.isnan(value), -np.inf, value))


def _off(law: OwnDensity, what: str, x: Array, level: Array) -> float:
    """Return the largest part of the smaller tail by which levels differ from the masses between.

    The first place is held against the mass below it, the last against that above.
    """
    low, high = law.interval
    ends = np.concatenate([[low], x, [high]])
    given = np.diff(np.concatenate([[0.0], level, [1.0]]))
    seen, doubt = _integrals(lambda t: _density(law, t), ends[:-1], ends[1:])
    tail = np.minimum(np.append(level, 1.0), np.insert(1 - level, 0, 1.0))
    with np.errstate(all="ignore"):
        apart = np.maximum(np.abs(given - seen) - 8 * EPS, 0.0)
        part = np.where(tail > LEAST, apart / tail, 0.0)
        sure = np.where(tail > LEAST, (apart - doubt) / tail, apart - doubt)
    k = int(np.nanargmax(np.where(np.isnan(sure), -np.inf, sure)))
    if sure[k] > LOOSE or np.any(given < -8 * EPS):
        k = k if sure[k] > LOOSE else int(np.argmin(given))
        place = f"{what}: the mass between {ends[k]:.6g} and {ends[k + 1]:.6g}"
        raise _belied(law, place, given[k], seen[k])
    return 4 * float(np.nanmax(part))


def _quantiles(law: OwnDensity) -> None:
    x = called(law, "its ppf", law.functions["ppf"], LEVELS)
    low, high = law.interval
    if not (np.all(np.diff(x) > 0) and low <= x[0] and x[-1] <= high):
        raise GantheoryError(
            f"{law}: its ppf must increase with the level from {low:g} to {high:g}; give quantiles"
        )
    _off(law, "ppf", x, LEVELS)


def _slope(law: OwnDensity) -> None:
    x = _places(law)
    value = called(law, "its log-density", law.log_function, x)
    slope = law.functions["slope"]
    grown, doubt = _integrals(lambda t: called(law, "its slope", slope, t), x[:-1], x[1:])
    seen = np.diff(value)
    sizes = np.abs(value[1:]) + np.abs(value[:-1]) + law.log_magnitude
    off = ~(np.abs(grown - seen) <= doubt + TIGHT * np.abs(seen) + 64 * EPS * sizes)
    for k in np.flatnonzero(off & np.isfinite(seen))[:1]:
        place = f"slope: what it adds to log p between {x[k]:.6g} and {x[k + 1]:.6g}"
        raise _belied(law, place, grown[k], seen[k])


def _mean(law: OwnDensity) -> None:
    """Raise where a stated mean is another one; where the tails hide it nothing is said."""
    x = np.concatenate([[law.interval[0]], _places(law), [law.interval[1]]])
    center, width = law.centers[0]
    parts, doubt = _integrals(lambda t: (t - center) * _density(law, t), x[:-1], x[1:])
    seen, given = center + float(np.sum(parts)), float(law.functions["mean"])
    tails = zip(law.interval, (law.lower_tail, law.upper_tail), strict=True)
    hidden = any(math.isinf(end) and (tail is None or tail.is_algebraic) for end, tail in tails)
    if hidden and not math.isfinite(given):
        return
    off = float(np.sum(doubt)) + MEAN * (width + abs(seen - center))
    if math.isnan(given) or abs(given - seen) > off:
        raise _belied(law, "mean", given, seen)


def _belied(law: OwnDensity, what: str, given: float, seen: float) -> GantheoryError:
    return GantheoryError(
        f"{law}: its {what} is {given:.10g} as stated, and {seen:.10g} by its log-density; "
        "correct one of them"
    )
