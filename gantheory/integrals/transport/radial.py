"""Kernels of MMD: functions of the distance between two points, of value 1 at distance 0."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gantheory.densities.base import Array
from gantheory.errors import GantheoryError, shown, unknown_name

Profile = Callable[[Array], Array]


@dataclass(frozen=True)
class RadialKernel:
    """k(x, y) = profile(t²), t = ‖x − y‖/bandwidth.

    Attributes:
        name: identifier.
        profile: of t².
        slope: on the line, the derivative of k in x − y, per bandwidth, at (x − y)/bandwidth.
        bound: of t >= 0, above what the first and second derivatives may be.
        grades: distances in bandwidths between which it is smooth; none: it falls like a power.
            Beyond the last it is below the rounding of 1.
        kinked: whether it bends at 0.
        formula: it, in words.
    """

    name: str
    profile: Profile
    slope: Profile
    bound: Profile
    grades: tuple[float, ...]
    kinked: bool
    formula: str

    def of_bandwidth(self, h: float) -> Profile:
        """Return the kernel of a bandwidth, as a function of squared distances."""
        return lambda d2: self.profile(d2 / (h * h))


_ENTRIES = (
    RadialKernel(
        "gaussian",
        lambda t2: np.exp(-t2 / 2),
        lambda t: -t * np.exp(-t * t / 2),
        lambda t: (1 + t * t) * np.exp(-t * t / 2),
        (3.0, 9.5),
        False,
        "exp(-t^2/2)",
    ),
    RadialKernel(
        "laplacian",
        lambda t2: np.exp(-np.sqrt(t2)),
        lambda t: -np.sign(t) * np.exp(-np.abs(t)),
        lambda t: np.exp(-t),
        (4.0, 14.0, 45.0),
        True,
        "exp(-t)",
    ),
    RadialKernel(
        "imq",
        lambda t2: 1 / np.sqrt(1 + t2),
        lambda t: -t / np.hypot(1, t) ** 3,
        lambda t: 2 / (1 + t * t),
        (),
        False,
        "1/sqrt(1 + t^2)",
    ),
)
KERNELS: dict[str, RadialKernel] = {entry.name: entry for entry in _ENTRIES}
ALIASES = {"rbf": "gaussian", "laplace": "laplacian", "inverse_multiquadric": "imq"}


def kernel_named(name: str, bandwidth: float) -> RadialKernel:
    """Return the kernel of a name, once its bandwidth is found to be legal too.

    >>> kernel_named("Laplace", 2).formula
    'exp(-t)'
    """
    asked = name.lower().replace("-", "_") if isinstance(name, str) else shown(name)
    asked = ALIASES.get(asked, asked)
    if asked not in KERNELS:
        raise unknown_name("kernel", asked, KERNELS)
    if not isinstance(bandwidth, int | float) or not 0 < bandwidth < math.inf:
        raise GantheoryError(f"bandwidth={shown(bandwidth)} must be positive and finite")
    return KERNELS[asked]
