"""Random variables of SciPy's new infrastructure, and what its operations make of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gantheory.densities.base import Density, make
from gantheory.densities.images import moved
from gantheory.densities.mapped import folded, image_of
from gantheory.errors import GantheoryError

Read = Callable[[Any], Density]

FAMILIES: dict[str, Callable[[Any], Density]] = {
    "Normal": lambda given: make("normal", loc=float(given.mu), scale=float(given.sigma)),
    "StandardNormal": lambda given: make("normal", loc=0.0, scale=1.0),
    "Logistic": lambda given: make("logistic", loc=0.0, scale=1.0),
    "Uniform": lambda given: make("uniform", a=float(given.a), b=float(given.b)),
    "Binomial": lambda given: make("binomial", n=float(given.n), p=float(given.p)),
}


def of_new(given: Any, read: Read) -> Density | None:
    """Return the family that a random variable has, or what its operations make; None: neither.

    Args:
        given: a random variable such as ``scipy.stats.Normal()`` or ``2*X + 1``.
        read: what returns the law of any other object, here that of the parts.
    """
    kind = type(given).__name__
    _check_alone(given, kind)
    if kind in FAMILIES:
        return FAMILIES[kind](given)
    if kind in OPERATIONS:
        return OPERATIONS[kind](given, read)
    if (old := _made_from(given)) is not None:
        return read(old(**given._parameters) if given._parameters else old)
    return None


def _check_alone(given: Any, kind: str) -> None:
    """Raise for an array of laws."""
    if any(np.ndim(value) for value in getattr(given, "_parameters", {}).values()):
        raise GantheoryError(f"scipy.stats.{kind} of arrays: give one law at a time")


def _made_from(given: Any) -> Any:
    """Return the older distribution that ``scipy.stats.make_distribution`` was given, or None."""
    for formula in ("_logpdf", "_pdf", "_logpmf", "_pmf"):
        owner = getattr(getattr(type(given), f"{formula}_formula", None), "__self__", None)
        if hasattr(owner, "freeze"):
            return owner
    return None


def _shifted(given: Any, read: Read) -> Density:
    return moved(read(given._dist), float(given.loc), float(given.scale))


def _truncated(given: Any, read: Read) -> Density:
    return make("restrict", base=read(given._dist), a=float(given.lb), b=float(given.ub))


def _order_statistic(given: Any, read: Read) -> Density | None:
    """Return the law of the r-th of n draws where it has a family: that of uniform ones."""
    base, r, n = read(given._dist), float(given.r), float(given.n)
    if base.name != "uniform":
        return None
    a, b = (float(base.parameters[end]) for end in "ab")
    return moved(make("beta", a=r, b=n - r + 1), a, b - a)


def _transformed(given: Any, read: Read) -> Density | None:
    """Return the image under one of the maps that SciPy itself makes; of another one None."""
    g = given._g
    maker = getattr(g, "__qualname__", "")
    if g is np.exp:
        law = read(given._dist)
        return (
            make("lognormal", **law.parameters) if law.name == "normal" else image_of("exp(z)", law)
        )
    if g is np.log:
        return image_of("log(z)", read(given._dist))
    if ".__rtruediv__." in maker:
        return image_of("1/z", read(given._dist))
    if ".__pow__." in maker:
        power = int(g.__closure__[0].cell_contents)
        inner = given._dist._dist if power % 2 == 0 else given._dist  # of abs(X)
        return image_of(f"z**{power}", read(inner))
    return None


def _mixture(given: Any, read: Read) -> Density:
    parts = tuple(read(part) for part in given.components)
    return make("mixture", weights=tuple(map(float, given.weights)), components=parts)


OPERATIONS: dict[str, Callable[[Any, Read], Density | None]] = {
    "ShiftedScaledDistribution": _shifted,
    "TruncatedDistribution": _truncated,
    "OrderStatisticDistribution": _order_statistic,
    "FoldedDistribution": lambda given, read: folded(read(given._dist)),
    "MonotonicTransformedDistribution": _transformed,
    "Mixture": _mixture,
}
