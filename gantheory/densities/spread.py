"""Laws in space made from those on the line: independent coordinates, or any direction."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from gantheory.densities.base import (
    Array,
    Density,
    Domain,
    generator,
    parameter,
    parameter_text,
    register_family,
)
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError, unknown_name
from gantheory.wrt import split_parameter

DIMENSION = Domain(1, 1e4, (2, 6), integer=True)


@register_family
@dataclass(frozen=True)
class Product(Density):
    """Independent coordinates, each with a law on the line.

    >>> from gantheory.densities import parse_density
    >>> print(parse_density("product((normal(0, 1), laplace(0, 1)))"))
    product((normal(0, 1), laplace(0, 1)))
    """

    name: ClassVar[str] = "product"
    laws: tuple[Univariate, ...] = parameter(None)

    def __post_init__(self) -> None:
        laws = self.laws if isinstance(self.laws, tuple | list) else ()
        if len(laws) < 2 or not all(isinstance(law, Univariate) for law in laws):
            raise GantheoryError(
                "product: laws must be two or more densities on the line, like "
                "product((normal(0, 1), laplace(0, 1)))"
            )
        object.__setattr__(self, "laws", tuple(laws))

    @property
    def dim(self) -> int:  # type: ignore[override]
        """The number of coordinates."""
        return len(self.laws)

    def logpdf(self, x: ArrayLike) -> Array:
        x = np.asarray(x, float)
        return np.sum([law.logpdf(x[..., k]) for k, law in enumerate(self.laws)], axis=0)

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        rng = generator(rng)
        return np.stack([law.sample(rng, n) for law in self.laws], axis=-1)

    def coordinate(self, name: str) -> tuple[int, str]:
        """Return the coordinate and the parameter that ``laws[k].name`` means."""
        match = re.fullmatch(r"laws\[(\d+)\]\.(.+)", name)
        if not match or int(match[1]) >= self.dim:
            known = [
                f"laws[{k}].{key}" for k, law in enumerate(self.laws) for key in law.parameters
            ]
            raise unknown_name(f"parameter of {self}:", name, known)
        return int(match[1]), match[2]


@register_family
@dataclass(frozen=True)
class Radial(Density):
    """A law in ``dim`` dimensions about ``loc``: a radius with a law on (0, ∞), in any direction.

    >>> from gantheory.densities import parse_density
    >>> print(parse_density("radial(gamma(3, 1), 3)"))
    radial(gamma(3, 1), 3, 0)
    """

    name: ClassVar[str] = "radial"
    radius: Univariate = parameter(None)  # noqa: RUF009
    dimensions: float = parameter(DIMENSION)
    loc: Any = parameter(None, default=0.0)  # noqa: RUF009

    def __post_init__(self) -> None:
        if not isinstance(self.radius, Univariate) or self.radius.support[0] < 0:
            shown = parameter_text(self.radius) if isinstance(self.radius, Density) else "radius"
            raise GantheoryError(
                f"radial: {shown} must be a density on the positive half-line, such as gamma(3, 1)"
            )
        place = self.loc if isinstance(self.loc, tuple | list) else (self.loc,) * self.dim
        try:
            numbers = tuple(float(x) for x in place)
        except (TypeError, ValueError):
            numbers = ()
        if len(numbers) != self.dim or not all(map(math.isfinite, numbers)):
            raise GantheoryError(f"radial: loc must be one number, or {self.dim} of them")
        object.__setattr__(self, "loc", numbers if any(numbers) else 0.0)

    @property
    def dim(self) -> int:  # type: ignore[override]
        """The number of dimensions."""
        return int(self.dimensions)

    @property
    def log_sphere(self) -> float:
        """The logarithm of the surface of the unit sphere."""
        return math.log(2) + self.dim / 2 * math.log(math.pi) - math.lgamma(self.dim / 2)

    def logpdf(self, x: ArrayLike) -> Array:
        r = np.linalg.norm(np.asarray(x, float) - np.asarray(self.loc, float), axis=-1)
        with np.errstate(divide="ignore"):
            return self.radius.logpdf(r) - (self.dim - 1) * np.log(r) - self.log_sphere

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        rng = generator(rng)
        z = rng.standard_normal((n, self.dim))
        z /= np.linalg.norm(z, axis=1, keepdims=True)
        return np.asarray(self.loc) + z * self.radius.sample(rng, n)[:, None]


def of_radius(wrt: str | None) -> str | None:
    """Return the parameter of a radius that a parameter of its radial law means."""
    if wrt is None:
        return None
    law, name = split_parameter(wrt)
    if not name.startswith("radius."):
        raise GantheoryError(f"wrt={wrt!r}: radial laws about one place have radius.<parameter>")
    return f"{law}.{name.removeprefix('radius.')}"
