"""What a user declares of a law of their own, held against its log-density before it is believed.

Everything is looked at where the stated centers are: that the log-density is a vectorised function
of real numbers, that tails leave a finite mass, and that a distribution function, its inverse, a
slope and a mean are those of this density. What only an integral can show (the mass) is checked
by every integral.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.tails import Growing, Tail
from gantheory.errors import GantheoryError, unknown_name

if TYPE_CHECKING:
    from gantheory.densities.user import OwnDensity

KNOWN = ("cdf", "ppf", "slope", "mean", "sample")
ROUGH = 5e-3  # relative: what a numerical look at a right function may differ by
MOST = 400  # pieces of a numerical look: of wider laws nothing is said
_X, _W = np.polynomial.legendre.leggauss(24)


def check_shape(support: Any, centers: Any, kinks: Any, tails: Any) -> None:
    """Raise where a support, centers, kinks or tails are not of the form that they must have."""
    low, high = _numbers("support", support, 2)
    if not low < high:
        raise GantheoryError(f"own density: support ({low:g}, {high:g}) is empty")
    for place in _listed("centers", centers):
        center, width = _numbers("a center with its width", place, 2)
        if not (low <= center <= high and 0 < width < math.inf and math.isfinite(center)):
            raise GantheoryError(
                f"own density: center ({center:g}, {width:g}) must lie in ({low:g}, {high:g}) and "
                "have a positive width"
            )
    for kink in _numbers("kinks", kinks):
        if not low <= kink <= high or not math.isfinite(kink):
            raise GantheoryError(f"own density: kink {kink:g} must lie in ({low:g}, {high:g})")
    if len(_listed("tails", tails)) != 2 or not all(
        t is None or isinstance(t, Tail) for t in tails
    ):
        raise GantheoryError("own density: tails must be two of gantheory.densities.Tail, or None")


def _numbers(what: str, given: Any, count: int | None = None) -> list[float]:
    """Return a list of numbers that are none of them nan."""
    try:
        found = [float(x) for x in _listed(what, given)]
    except (TypeError, ValueError):
        raise GantheoryError(f"own density: {what} must be numbers") from None
    if any(math.isnan(x) for x in found) or (count is not None and len(found) != count):
        wanted = "numbers" if count is None else f"{count} numbers"
        raise GantheoryError(f"own density: {what} must be {wanted}, and none of them nan")
    return found


def _listed(what: str, given: Any) -> list[Any]:
    try:
        return list(given)
    except TypeError:
        raise GantheoryError(f"own density: {what} must be a list") from None


def called(law: OwnDensity, what: str, function: Callable[[Array], Any], x: Array) -> Array:
    """Return what a user's function makes of an array, refusing what is no array of numbers."""
    if not callable(function):
        raise GantheoryError(f"{law}: {what} must be a function of an array")
    try:
        with np.errstate(all="ignore"):
            value = np.asarray(function(x))
    except GantheoryError:
        raise
    except Exception as error:  # whatever a user's code may raise
        raise GantheoryError(
            f"{law}: {what} raises {type(error).__name__} for an array: {str(error)[:80]}"
        ) from None
    if value.dtype.kind not in "fiu":
        raise GantheoryError(f"{law}: {what} must return real numbers, not {value.dtype}")
    if value.shape != x.shape:
        raise GantheoryError(
            f"{law}: {what} maps shape {x.shape} to {value.shape}; it must be vectorised"
        )
    return value.astype(float)


def check_law(law: OwnDensity) -> None:
    """Raise where what was declared does not belong to the log-density."""
    called(law, "its log-density", law.log_function, _places(law))
    for name in law.functions:
        if name not in KNOWN:
            raise unknown_name("function of an own density", name, KNOWN)
    _check_mass(law)
    law.check_tails()
    for name, check in (("slope", _slope), ("cdf", _levels), ("ppf", _quantiles), ("mean", _mean)):
        if law.functions.get(name) is not None:
            check(law)


def _places(law: OwnDensity) -> Array:
    """Return points of the support next to each center, away from kinks and ends."""
    low, high = law.interval
    found = [c + t * w for c, w in law.centers for t in (-0.83, -0.31, 0.27, 0.71)]
    edges = [*law.inner_kinks, *law.interval]
    width = min(w for _, w in law.centers)
    away = [x for x in found if low < x < high and all(abs(x - e) > 0.01 * width for e in edges)]
    return np.array(away or [law.centers[0][0]])


def _check_mass(law: OwnDensity) -> None:
    """Raise where a stated tail holds an infinite mass."""
    for end, tail in zip(law.interval, (law.lower_tail, law.upper_tail), strict=True):
        if tail is not None and not Growing.of(1, tail, 0, tail).integrable:
            raise GantheoryError(
                f"{law}: with the tail stated at {end:g} ({tail}) its mass is infinite"
            )


def _density(law: OwnDensity, x: Array) -> Array:
    value = called(law, "its log-density", law.log_function, x)
    return np.exp(np.where(np.isnan(value), -np.inf, value))


def _mass(law: OwnDensity, a: float, b: float, moment: int = 0) -> float:
    """Return ∫ x^moment·p over [a, b] in pieces of the least width; nan where they are too many."""
    low, high = max(a, law.interval[0]), min(b, law.interval[1])
    if not low < high:
        return 0.0
    pieces = int((high - low) / min(w for _, w in law.centers)) + 1
    if pieces > MOST:
        return math.nan
    cuts = np.linspace(low, high, pieces + 1)
    cuts = np.unique(np.concatenate([cuts, [k for k in law.inner_kinks if low < k < high]]))
    middle, half = 0.5 * (cuts[1:] + cuts[:-1])[:, None], 0.5 * np.diff(cuts)[:, None]
    x = middle + half * _X
    return float(np.sum(half * _W * (_density(law, x.ravel()).reshape(x.shape) * x**moment)))


def _slope(law: OwnDensity) -> None:
    x, step = _places(law), 1e-4 * min(w for _, w in law.centers)
    given = called(law, "its slope", law.functions["slope"], x)
    up, down = (called(law, "its log-density", law.log_function, x + s * step) for s in (1, -1))
    seen = (up - down) / (2 * step)
    off = ~(np.abs(given - seen) <= ROUGH * (np.abs(seen) + 1e-4 / step))
    if off.any():
        raise _belied(law, "slope", float(x[off][0]), given[off][0], seen[off][0])


def _levels(law: OwnDensity) -> None:
    x = np.sort(_places(law))
    given = called(law, "its cdf", law.functions["cdf"], x)
    for k in range(len(x) - 1):
        seen = _mass(law, float(x[k]), float(x[k + 1]))
        if not abs(given[k + 1] - given[k] - seen) <= ROUGH * seen + 1e-9:
            raise _belied(
                law, "cdf between x and the next place", x[k], given[k + 1] - given[k], seen
            )
    if not np.all((given >= 0) & (given <= 1)):
        raise GantheoryError(f"{law}: its cdf leaves [0, 1]; give P(X <= x)")
    if math.isinf(law.interval[0]) and (law.lower_tail is None or law.lower_tail.is_algebraic):
        return
    start = max(law.interval[0], law.centers[0][0] - 1e9 * law.centers[0][1])
    least = float(called(law, "its cdf", law.functions["cdf"], np.array([start]))[0])
    if not -1e-9 <= least <= 0.05:
        raise GantheoryError(f"{law}: its cdf is {least:.3g} at its lower end; give P(X <= x)")


def _quantiles(law: OwnDensity) -> None:
    level = np.array([0.25, 0.5, 0.75])
    x = called(law, "its ppf", law.functions["ppf"], level)
    seen = _mass(law, float(x[0]), float(x[2]))
    if not np.all(np.diff(x) > 0) or abs(seen - 0.5) > ROUGH:
        raise _belied(law, "ppf: the mass between its quartiles", float(x[0]), 0.5, seen)


def _mean(law: OwnDensity) -> None:
    tails = [t for t, e in zip((law.lower_tail, law.upper_tail), law.interval, strict=True)
             if math.isinf(e)]  # fmt: skip
    if any(tail is None or tail.is_algebraic for tail in tails):
        return  # mass far out may count
    reach = max(w for _, w in law.centers)
    low = min(c for c, _ in law.centers) - 60 * reach
    high = max(c for c, _ in law.centers) + 60 * reach
    seen, given = _mass(law, low, high, 1), float(law.functions["mean"])
    if math.isnan(given) or abs(given - seen) > 0.01 * reach:
        raise _belied(law, "mean", law.centers[0][0], given, seen)


def _belied(law: OwnDensity, what: str, x: float, given: float, seen: float) -> GantheoryError:
    return GantheoryError(
        f"{law}: its {what} is given as {given:.6g} near x={x:.6g}, where its log-density has "
        f"{seen:.6g}; correct one of them"
    )
