"""Rings and grids in the plane: equal bumps at regular places, of which some may be missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gantheory.densities.base import (
    POSITIVE,
    Array,
    Domain,
    parameter,
    parameter_text,
    register_family,
)
from gantheory.densities.plane import Spatial, Tangent, widened
from gantheory.errors import GantheoryError, shown

COUNT = Domain(0.0, 10_001.0, (2.0, 12.0), integer=True)


SIDE = Domain(0.0, 101.0, (2.0, 5.0), integer=True)


class _Modes(Spatial):
    """Equal-weight isotropic normals at given places, some of which may be missing."""

    dim = 2
    _length: ClassVar[str]  # the parameter that all means are proportional to
    scale: float
    keep: Any

    def places(self) -> Array:
        """Return the means of all modes, those left out too."""
        raise NotImplementedError

    def _check_keep(self) -> None:
        if self.keep is None:
            return
        count = len(self.places())
        kept = self.keep if isinstance(self.keep, Sequence | np.ndarray) else (self.keep,)
        indices = tuple(int(k) for k in kept)
        if not indices or len(set(indices)) < len(indices) or not set(indices) <= set(range(count)):
            raise GantheoryError(
                f"{self.name}: keep={shown(self.keep)} must be different indices "
                f"from 0 to {count - 1}"
            )
        object.__setattr__(self, "keep", tuple(float(k) for k in indices))

    @property
    def components(self) -> list[tuple[float, Array, Array]]:
        places = self.places()
        kept = range(len(places)) if self.keep is None else [int(k) for k in self.keep]
        return [(1.0, places[k], self.scale**2 * np.eye(2)) for k in kept]

    def tangent(self, name: str) -> Tangent:
        if name == "scale":
            return widened(self, self.scale)
        if name == self._length:
            spread = self.means / getattr(self, name)
            return Tangent(np.zeros_like(self.weights), spread, np.zeros_like(self.covariances))
        return super().tangent(name)

    def _names(self) -> set[str]:
        return super()._names() | {self._length}

    def __str__(self) -> str:
        shown = {k: v for k, v in self.parameters.items() if v is not None}
        return f"{self.name}({', '.join(f'{k}={parameter_text(v)}' for k, v in shown.items())})"


@register_family
@dataclass(frozen=True)
class RingMixture2d(_Modes):
    """Equal-weight isotropic normals, evenly spaced on a circle around the origin.

    ``keep`` lists the indices of the modes that are present; all of them by default. Mode k sits at
    the angle 2πk/modes.
    """

    name: ClassVar[str] = "ring_mixture_2d"
    _length: ClassVar[str] = "radius"
    modes: float = parameter(COUNT, default=8.0)
    radius: float = parameter(POSITIVE, default=2.0)
    scale: float = parameter(POSITIVE, default=0.02)
    keep: Any = None

    def __post_init__(self) -> None:
        self._check_keep()

    def places(self) -> Array:
        angles = 2 * np.pi * np.arange(int(self.modes)) / int(self.modes)
        return self.radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


@register_family
@dataclass(frozen=True)
class GridMixture2d(_Modes):
    """Equal-weight isotropic normals on a square grid of ``side`` by ``side`` around the origin.

    ``keep`` lists the indices of the modes that are present, counted row by row from below.
    """

    name: ClassVar[str] = "grid_mixture_2d"
    _length: ClassVar[str] = "spacing"
    side: float = parameter(SIDE, default=5.0)
    spacing: float = parameter(POSITIVE, default=2.0)
    scale: float = parameter(POSITIVE, default=0.05)
    keep: Any = None

    def __post_init__(self) -> None:
        self._check_keep()

    def places(self) -> Array:
        line = self.spacing * (np.arange(int(self.side)) - (int(self.side) - 1) / 2)
        y, x = np.meshgrid(line, line, indexing="ij")
        return np.stack([x.ravel(), y.ravel()], axis=1)
