"""Normal laws in the plane and in more dimensions, and mixtures of them: rings, grids, any sum.

Every law here is a weighted sum of multivariate normals, and says so (`Spatial.weights`, `.means`,
`.covariances`): that structure is what makes integration over the plane safe.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from gantheory.densities.base import (
    POSITIVE,
    Array,
    Density,
    generator,
    parameter,
    parameter_text,
    register_family,
)
from gantheory.errors import GantheoryError, shown, unknown_name


class Spatial(Density):
    """A finite mixture of normal laws in two or more dimensions."""

    @property
    def components(self) -> list[tuple[float, Array, Array]]:
        """The (weight, mean, covariance) of each normal, before weights are normalised."""
        raise NotImplementedError

    @cached_property
    def _stacked(self) -> tuple[Array, Array, Array]:
        weights, means, covariances = zip(*self.components, strict=True)
        total = math.fsum(weights)
        return np.array(weights) / total, np.array(means, float), np.array(covariances, float)

    @property
    def weights(self) -> Array:
        """The weights, which sum to 1."""
        return self._stacked[0]

    @property
    def means(self) -> Array:
        """The means, of shape (components, dim)."""
        return self._stacked[1]

    @property
    def covariances(self) -> Array:
        """The covariances, of shape (components, dim, dim)."""
        return self._stacked[2]

    @cached_property
    def factors(self) -> Array:
        """The lower Cholesky factors of the covariances."""
        return np.linalg.cholesky(self.covariances)

    def logpdf(self, x: ArrayLike) -> Array:
        logs = self.log_parts(x)
        top = logs.max(axis=0)
        return top + np.log(np.exp(logs - top).sum(axis=0))

    def log_parts(self, x: ArrayLike) -> Array:
        """Return log(weight·density) of each component at points of shape (..., dim)."""
        x = np.asarray(x, float)
        if x.shape[-1:] != (self.dim,):
            raise GantheoryError(f"{self}: points of shape {x.shape} must end in {self.dim}")
        inverse = np.linalg.inv(self.factors)
        rows = []
        for weight, mean, inv in zip(self.weights, self.means, inverse, strict=True):
            z = (x - mean) @ inv.T
            scale = math.fsum(np.log(np.diag(inv)))
            constant = math.log(weight) + scale - 0.5 * self.dim * math.log(2 * math.pi)
            rows.append(constant - 0.5 * np.sum(z * z, axis=-1))
        return np.stack(rows)

    def rounding(self, x: Array, log: Array) -> Array:
        """Return a bound on the rounding error of the log-density, in units of rounding.

        The square of the standardised distance is rounded as often as the root of the condition
        of a covariance says, and a place far from 0 by its own size against the widths.
        """
        spectra = np.linalg.eigvalsh(self.covariances)
        root = float(np.sqrt(spectra[:, -1] / np.maximum(spectra[:, 0], 1e-300)).max())
        size = (
            2 + np.abs(np.where(np.isfinite(log), log, 0.0)) + float(np.abs(np.log(spectra)).max())
        )
        far = np.abs(x).max(axis=-1) / math.sqrt(max(float(spectra[:, 0].min()), 1e-300))
        return 8 * (root - 1) * size + far * np.sqrt(2 * size)

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        rng = generator(rng)
        which = rng.choice(len(self.weights), size=n, p=self.weights)
        z = rng.standard_normal((n, self.dim))
        return self.means[which] + np.einsum("nij,nj->ni", self.factors[which], z)

    def score(self, name: str, x: ArrayLike) -> Array:
        """Return Σ share·[w'/w + (Σ⁻¹y)·m' + ½ (Σ⁻¹y)ᵀΣ'(Σ⁻¹y) − ½ tr Σ⁻¹Σ'], y = x − m."""
        x, logs, tangent = np.asarray(x, float), self.log_parts(x), self.tangent(name)
        share = np.exp(logs - logs.max(axis=0))
        share = share / share.sum(axis=0)
        total = np.zeros(x.shape[:-1])
        for k, inverse in enumerate(np.linalg.inv(self.covariances)):
            pull = (x - self.means[k]) @ inverse
            rate = tangent.weights[k] / self.weights[k] + pull @ tangent.means[k]
            rate = rate + 0.5 * np.sum((pull @ tangent.covariances[k]) * pull, axis=-1)
            total += share[k] * (rate - 0.5 * np.trace(inverse @ tangent.covariances[k]))
        return total

    def tangent(self, name: str) -> Tangent:
        """Return how the weights, means and covariances move with a parameter.

        Besides its own parameters every law has ``loc[i]`` and ``scale``: those of its affine image
        loc + scale·X at loc = 0, scale = 1, where it has no scale of its own.
        """
        still = np.zeros_like(self.weights)
        axis = re.fullmatch(r"loc\[(\d)\]", name)
        if axis and int(axis[1]) < self.dim:
            shift = np.tile(np.eye(self.dim)[int(axis[1])], (len(still), 1))
            return Tangent(still, shift, np.zeros_like(self.covariances))
        if name == "scale":
            return Tangent(still, self.means, 2 * self.covariances)
        raise unknown_name(f"parameter of {self}:", name, self._names())

    def _names(self) -> set[str]:
        return {"scale", *(f"loc[{k}]" for k in range(self.dim))}


@dataclass(frozen=True)
class Tangent:
    """The derivatives of a mixture's weights, means and covariances in one parameter."""

    weights: Array
    means: Array
    covariances: Array


def widened(law: Spatial, scale: float) -> Tangent:
    """Return the tangent in the one standard deviation ``scale`` that all modes of a law have."""
    covariances = 2 * law.covariances / scale
    return Tangent(np.zeros_like(law.weights), np.zeros_like(law.means), covariances)


def _vector(family: str, name: str, value: Any, dim: int | None = None) -> tuple[float, ...]:
    """Return ``value`` as a tuple of finite numbers, of length ``dim`` where it is given."""
    numbers = tuple(float(v) for v in value) if isinstance(value, Sequence | np.ndarray) else ()
    if len(numbers) < 2 or (dim and len(numbers) != dim) or not all(map(math.isfinite, numbers)):
        wanted = (
            f"{dim} numbers, like {shown((0,) * dim)}" if dim else "a list of two or more numbers"
        )
        raise GantheoryError(f"{family}: {name}={shown(value)} must be {wanted}")
    return numbers


def _covariance(family: str, value: Any, dim: int) -> tuple[tuple[float, ...], ...]:
    if (
        not isinstance(value, Sequence | np.ndarray)
        or len(value) != dim
        or any(np.size(row) != dim for row in value)
    ):
        raise GantheoryError(f"{family}: cov={shown(value)} must be symmetric, {dim} by {dim}")
    rows = tuple(_vector(family, "cov", row, dim) for row in value)
    matrix = np.array(rows)
    if matrix.shape != (dim, dim) or not np.array_equal(matrix, matrix.T):
        raise GantheoryError(f"{family}: cov={shown(value)} must be symmetric, {dim} by {dim}")
    if np.linalg.eigvalsh(matrix)[0] <= 0:
        raise GantheoryError(f"{family}: cov={shown(value)} must be positive definite")
    return rows


@register_family
@dataclass(frozen=True)
class Normal2dIso(Spatial):
    """The normal law in the plane with one standard deviation ``scale`` for both axes.

    >>> from gantheory.densities import parse_density
    >>> print(parse_density("normal_2d_iso((1.2, 1.6), 1)"))
    normal_2d_iso((1.2, 1.6), 1)
    """

    name: ClassVar[str] = "normal_2d_iso"
    dim = 2
    loc: tuple[float, float] = parameter(None, default=(0.0, 0.0))
    scale: float = parameter(POSITIVE, default=1.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "loc", _vector(self.name, "loc", self.loc, 2))

    @property
    def components(self) -> list[tuple[float, Array, Array]]:
        return [(1.0, np.array(self.loc), self.scale**2 * np.eye(2))]

    def tangent(self, name: str) -> Tangent:
        return widened(self, self.scale) if name == "scale" else super().tangent(name)


@register_family
@dataclass(frozen=True)
class NormalNd(Spatial):
    """The normal law with mean ``loc`` and covariance ``cov``, in as many dimensions as loc has."""

    name: ClassVar[str] = "normal_nd"
    aliases = ("multivariate_normal", "mvn")
    loc: tuple[float, ...] = parameter(None)
    cov: tuple[tuple[float, ...], ...] = parameter(None)

    def __post_init__(self) -> None:
        object.__setattr__(self, "loc", _vector(self.name, "loc", self.loc))
        object.__setattr__(self, "cov", _covariance(self.name, self.cov, len(self.loc)))

    @property
    def dim(self) -> int:  # type: ignore[override]
        """The number of dimensions."""
        return len(self.loc)

    @property
    def components(self) -> list[tuple[float, Array, Array]]:
        return [(1.0, np.array(self.loc), np.array(self.cov))]

    def tangent(self, name: str) -> Tangent:
        """Return the tangent; ``cov[i][j]`` moves both of the equal entries."""
        entry = re.fullmatch(r"cov\[(\d)\]\[(\d)\]", name)
        if not entry or max(map(int, entry.groups())) >= self.dim:
            return super().tangent(name)
        i, j = map(int, entry.groups())
        moved = np.zeros_like(self.covariances)
        moved[0, i, j] = moved[0, j, i] = 1.0
        return Tangent(np.zeros(1), np.zeros_like(self.means), moved)

    def _names(self) -> set[str]:
        entries = {f"cov[{i}][{j}]" for i in range(self.dim) for j in range(self.dim)}
        return super()._names() | entries


@register_family
@dataclass(frozen=True)
class SpatialMixture(Spatial):
    """A weighted sum of laws of this module, written ``mixture(0.5*... + 0.5*...)``."""

    name: ClassVar[str] = "mixture_2d"
    weights_of: tuple[float, ...] = parameter(POSITIVE)
    laws: tuple[Spatial, ...] = parameter(None)

    def __post_init__(self) -> None:
        if len(self.weights_of) != len(self.laws) or not self.laws:
            raise GantheoryError("mixture: as many weights as laws are needed, and at least one")
        dims = {law.dim for law in self.laws}
        if len(dims) > 1 or not all(isinstance(law, Spatial) for law in self.laws):
            raise GantheoryError(
                "mixture: all laws must be normals of one dimension, or their sums"
            )
        if abs(math.fsum(self.weights_of) - 1) > 1e-9:  # as for mixtures on the line
            raise GantheoryError(f"mixture: weights sum to {math.fsum(self.weights_of):g}, not 1")

    @property
    def dim(self) -> int:  # type: ignore[override]
        """The number of dimensions."""
        return self.laws[0].dim

    @property
    def components(self) -> list[tuple[float, Array, Array]]:
        return [
            (weight * float(w), mean, covariance)
            for weight, law in zip(self.weights_of, self.laws, strict=True)
            for w, mean, covariance in zip(law.weights, law.means, law.covariances, strict=True)
        ]

    def __str__(self) -> str:
        pairs = zip(self.weights_of, self.laws, strict=True)
        return f"mixture({' + '.join(f'{parameter_text(w)}*{law}' for w, law in pairs)})"

    def tangent(self, name: str) -> Tangent:
        return part_tangent(self, self.laws, name) or super().tangent(name)

    def _names(self) -> set[str]:
        parts = {
            f"components[{k}].{name}" for k, law in enumerate(self.laws) for name in law._names()
        }
        return super()._names() | parts | {f"weights[{k}]" for k in range(len(self.laws))}


def part_tangent(mixture: Spatial, laws: Sequence[Spatial], name: str) -> Tangent | None:
    """Return the tangent in ``components[k].parameter``, or in ``weights[k]``, or None.

    A weight grows at the expense of the others alike.
    """
    match = re.fullmatch(r"(weights|components)\[(\d+)\](?:\.(.+))?", name)
    if not match or int(match[2]) >= len(laws) or (match[1] == "weights") == bool(match[3]):
        return None
    law, start = laws[int(match[2])], sum(len(one.weights) for one in laws[: int(match[2])])
    inside = slice(start, start + len(law.weights))
    moved = Tangent(*(np.zeros_like(part) for part in mixture._stacked))
    if match[1] == "weights":
        moved.weights[:] = -mixture.weights
        moved.weights[inside] += law.weights
        return moved
    inner = law.tangent(match[3])
    moved.weights[inside] = mixture.weights[inside].sum() * inner.weights
    moved.means[inside], moved.covariances[inside] = inner.means, inner.covariances
    return moved
