"""What a user declares of a law of their own, held against its log-density before it is believed.

That the log-density is a vectorised function of real numbers, and that tails leave a finite mass.
What only an integral can show (the mass) is checked by every integral.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gantheory.densities.base import Array, refuse_unreal
from gantheory.densities.tails import Growing, Tail
from gantheory.errors import GantheoryError, unknown_name

if TYPE_CHECKING:
    from gantheory.densities.user import OwnDensity

SECONDS = 0.3  # after which a slow function is looked at in no more places
FEWEST = 10  # powers of 2: places that are looked at whatever that takes
KNOWN = ("cdf", "ppf", "slope", "mean", "sample")


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
    refuse_unreal(f"own density: {what}", given)
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


def refining(powers: int) -> Iterator[Array]:
    """Yield shares of a whole, that are evenly spaced after each round, down to 2^-powers.

    No further round is begun once `SECONDS` have passed: a function that takes a millisecond at
    each place is looked at in fewer.
    """
    start, low = time.perf_counter(), 0
    for power in range(min(FEWEST, powers), powers + 1):
        size = 2.0**-power
        yield np.arange(size, 1.0, 2 * size if low else size)
        low = power
        if time.perf_counter() - start > SECONDS:
            return


def check_law(law: OwnDensity) -> None:
    """Raise where what was declared does not belong to the log-density."""
    called(law, "its log-density", law.log_function, np.array([c for c, _ in law.centers]))
    for name in law.functions:
        if name not in KNOWN:
            raise unknown_name("function of an own density", name, KNOWN)
    _check_mass(law)
    law.check_tails()


def _check_mass(law: OwnDensity) -> None:
    """Raise where a stated tail holds an infinite mass."""
    for end, tail in zip(law.interval, (law.lower_tail, law.upper_tail), strict=True):
        if tail is not None and not Growing.of(1, tail, 0, tail).integrable:
            raise GantheoryError(
                f"{law}: with the tail stated at {end:g} ({tail}) its mass is infinite"
            )
