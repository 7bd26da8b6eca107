"""Samples and log-densities in torch: known laws, two-dimensional mixtures, and digits."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch import distributions as laws

from gantheory.densities import parse_density
from gantheory.densities.base import Density
from gantheory.densities.inherited import of_family
from gantheory.densities.mixing import AnyMixture
from gantheory.densities.plane import Spatial
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError, unknown_name
from simulations.counter import Places

Array = NDArray[np.float64]


def as_density(density: Density | str) -> Density:
    """Return ``density``, read from text such as ``"normal(0, 1)"`` where it is one.

    Raises:
        GantheoryError: for what is no law, as an array.
    """
    if isinstance(density, str):
        return parse_density(density)
    if not isinstance(density, Density):
        shape = getattr(density, "shape", None)
        what = type(density).__name__ + (f" of shape {tuple(shape)}" if shape is not None else "")
        raise GantheoryError(
            f"{what} is no law: give a density such as 'normal(0, 1)' here; where samples are "
            "asked for, simulations.points.points(data) makes data of it"
        )
    return density


def stratified(density: Density | str, rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Return R independent replicates of n stratified samples, shape (R, n), each row in order.

    Row by row x_i = F⁻¹((i + u_i)/n) with u_i uniform on [0, 1): one sample in each of n slices
    of equal probability. The mean of any function over a row is unbiased, with less variance
    than n independent samples give.
    """
    replicates, strata = shape
    levels = (np.arange(strata) + rng.random((replicates, strata))) / strata
    return quantile(as_density(density), levels)


@dataclass(frozen=True)
class Law:
    """A sampler of a density, for training: independent points, or stratified ones on the line.

    With ``block`` each run of that many points holds one point of every slice of probability
    1/block, so a minibatch of that size is stratified. In more dimensions the density is a sum of
    normals (`gantheory.densities.plane`). Independent points of a family with a generator of its
    own, as gamma and Student laws, come from that: 40 to 60 ns a point where their quantile
    functions take 700.
    """

    density: Density
    block: int = 1

    def __post_init__(self) -> None:
        if self.dim > 1 and (self.block > 1 or not of_family(self.density, Spatial)):
            raise GantheoryError(
                f"Law({self.density}, block={self.block}): stratified points need a law on the "
                "line, and independent ones in more dimensions a sum of normals"
            )
        if self.dim < 1:
            raise GantheoryError(f"{self.density} is a law of counts; training needs a density")

    @property
    def counts(self) -> bool:
        """Whether points are a function of counted numbers; else their family draws them."""
        law = self.density
        if self.block > 1 or of_family(law, Spatial):
            return True
        quick = law.name in _QUANTILES or of_family(law, AnyMixture)
        return quick or type(law).sample is Univariate.sample

    @property
    def dim(self) -> int:
        """Return the dimension of one point."""
        return self.density.dim

    def sample(self, n: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        """Return n points, shape (n, dim)."""
        if of_family(self.density, Spatial):
            return _sum_of_normals(self.density, n, generator).to(dtype)
        if not self.counts:
            rng = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
            drawn = np.asarray(self.density.sample(rng, n), np.float64)
            return torch.from_numpy(drawn)[:, None].to(dtype)
        u = torch.rand(n, generator=generator, dtype=torch.float64)
        levels = (torch.arange(n) % self.block + u) / self.block
        return torch.from_numpy(quantile(self.density, levels.numpy()))[:, None].to(dtype)

    def points(self, places: Places) -> Tensor:
        """Return points made from numbers that are counted, for all members at once."""
        if of_family(self.density, Spatial):
            return _placed(self.density, places.uniform()[..., 0], places.normal(self.dim))
        levels = (places.order()[..., None] % self.block + places.uniform()) / self.block
        return torch_quantile(self.density, levels)


def _sum_of_normals(law: Spatial, n: int, generator: torch.Generator) -> Tensor:
    """Return n independent points, shape (n, dim), in float64."""
    u = torch.rand(n, generator=generator, dtype=torch.float64)
    return _placed(law, u, torch.randn(n, law.dim, generator=generator, dtype=torch.float64))


def _placed(law: Spatial, u: Tensor, z: Tensor) -> Tensor:
    """Return points of a sum of normals: u (...) chooses the part, z (..., dim) the place."""
    weights, means, factors = (x.to(u.device) for x in _tensor(law.weights, law.means, law.factors))
    chosen = torch.searchsorted(weights.cumsum(0), u).clamp_(max=len(weights) - 1)
    return means[chosen] + torch.einsum("...ij,...j->...i", factors[chosen], z)


_LEAST_LEVEL = 2.0**-64  # below every other level that a generator of 53 bits draws


def quantile(density: Density, levels: Array) -> Array:
    """Map levels in [0, 1), uniformly distributed, to the law: by its quantile function.

    A mixture gives each part, in order, its share of the levels, and maps by the part's own
    quantile function: not monotone, but a map of the uniform law to the mixture all the same.
    """
    if not of_family(density, AnyMixture):
        ppf: Callable[[Array], Array] = density.ppf  # type: ignore[attr-defined]
        inside = np.clip(levels, _LEAST_LEVEL, np.nextafter(1.0, 0.0))  # 0 and 1 may lie at ±∞
        return np.asarray(ppf(inside), dtype=np.float64)
    shares = np.exp(density.log_weights)
    starts = np.cumsum(shares) - shares
    chosen = np.searchsorted(starts, levels, side="right") - 1
    inner = np.clip((levels - starts[chosen]) / shares[chosen], 0.0, 1.0)
    result = np.empty_like(levels)
    for k, part in enumerate(density.parts):
        result[chosen == k] = quantile(part, inner[chosen == k])
    return result


def torch_quantile(density: Density, levels: Tensor) -> Tensor:
    """Return `quantile` of levels inside (0, 1), on their device where torch has the formula."""
    if density.name in _QUANTILES:
        return _QUANTILES[density.name](levels, **density.parameters)
    found = quantile(density, levels.cpu().numpy())
    return torch.from_numpy(found).to(levels.device)


_QUANTILES: dict[str, Callable[..., Tensor]] = {
    "normal": lambda u, loc, scale: loc + scale * torch.special.ndtri(u),
    "uniform": lambda u, a, b: a + (b - a) * u,
    "logistic": lambda u, loc, scale: loc + scale * torch.logit(u),
}


def bulk(density: Density, outside: float) -> tuple[float, float]:
    """Return an interval that leaves at most the mass ``outside`` of a law at either end."""
    parts = density.parts if of_family(density, AnyMixture) else (density,)
    ends = np.array([quantile(part, np.array([outside, 1 - outside])) for part in parts])
    return float(ends[:, 0].min()), float(ends[:, 1].max())


def torch_logpdf(density: Density | str) -> Callable[[Tensor], Tensor]:
    """Return the log-density of a law as a differentiable torch function of points.

    Points have the shape (...) on the line and (..., dim) in more dimensions, where the law is a
    sum of normals. The formulas are those of `torch.distributions`, which share no code with
    `gantheory.densities`.

    >>> torch_logpdf("normal(0, 1)")(torch.zeros(1, dtype=torch.float64)).item()  # -log(2π)/2
    -0.9189385332046727
    """
    law = as_density(density)
    if of_family(law, Spatial):
        weights, means, covariances = _tensor(law.weights, law.means, law.covariances)
        normals = laws.MultivariateNormal(means, covariances, validate_args=False)
        return laws.MixtureSameFamily(
            laws.Categorical(weights), normals, validate_args=False
        ).log_prob
    if law.name not in _TORCH:
        raise unknown_name("density with a torch formula:", law.name, _TORCH)
    built: laws.Distribution = _TORCH[law.name](**law.parameters)
    return built.log_prob


def _tensor(*values: object) -> list[Tensor]:
    return [torch.as_tensor(value, dtype=torch.float64) for value in values]


def _family(kind: Callable[..., laws.Distribution]) -> Callable[..., laws.Distribution]:
    return lambda **values: kind(*_tensor(*values.values()), validate_args=False)


def _mixture(**values: object) -> laws.Distribution:
    weights, locs, scales = _tensor(*values.values())
    return laws.MixtureSameFamily(
        laws.Categorical(weights), laws.Normal(locs, scales.expand_as(locs)), validate_args=False
    )


def _logistic(loc: float, scale: float) -> laws.Distribution:
    low, high, centre, width = _tensor(0.0, 1.0, loc, scale)
    moves = [laws.SigmoidTransform().inv, laws.AffineTransform(centre, width)]
    return laws.TransformedDistribution(laws.Uniform(low, high), moves, validate_args=False)


def _gamma(shape: float, scale: float) -> laws.Distribution:
    concentration, rate = _tensor(shape, 1 / scale)
    return laws.Gamma(concentration, rate, validate_args=False)


_TORCH: dict[str, Callable[..., laws.Distribution]] = {
    "normal": _family(laws.Normal),
    "laplace": _family(laws.Laplace),
    "student_t": _family(laws.StudentT),
    "cauchy": _family(laws.Cauchy),
    "gumbel": _family(laws.Gumbel),
    "uniform": _family(laws.Uniform),
    "lognormal": _family(laws.LogNormal),
    "beta": _family(laws.Beta),
    "gamma": _gamma,
    "logistic": _logistic,
    "normal_mixture": _mixture,
}


@dataclass(frozen=True)
class Modes:
    """Equal-weight isotropic normals of one deviation around given centres in the plane."""

    centres: tuple[tuple[float, float], ...]
    scale: float

    dim = 2

    def sample(self, n: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        """Return n independent points, shape (n, 2)."""
        centres = torch.tensor(self.centres, dtype=dtype)
        chosen = torch.randint(len(self.centres), (n,), generator=generator)
        noise = torch.randn(n, 2, generator=generator, dtype=dtype)
        return centres[chosen] + self.scale * noise

    def points(self, places: Places) -> Tensor:
        """Return points made from numbers that are counted, for all members at once."""
        u = places.uniform()[..., 0]
        centres = torch.tensor(self.centres, dtype=u.dtype, device=u.device)
        return centres[(u * len(centres)).long()] + self.scale * places.normal(2)


def ring(modes: int = 8, radius: float = 1.0, scale: float = 0.01) -> Modes:
    """Return normals evenly spaced on a circle: the published ring (Lin et al., 1712.04086)."""
    angles = [2 * math.pi * k / modes for k in range(modes)]  # the end point is not repeated
    return Modes(tuple((radius * math.cos(a), radius * math.sin(a)) for a in angles), scale)


def grid(side: int = 5, spacing: float = 2.0, scale: float = 0.05) -> Modes:
    """Return normals on a square grid about 0: the published grid of 25 (1712.04086)."""
    places = [spacing * (k - (side - 1) / 2) for k in range(side)]
    return Modes(tuple((x, y) for x in places for y in places), scale)


@dataclass(frozen=True)
class SwissRoll:
    """A spiral in the plane with noise: t(cos t, sin t), t uniform on [3π/2, 9π/2], scaled.

    The defaults are those of WGAN-GP's toy (Gulrajani et al., 2017, arXiv:1704.00028): the first
    and third coordinate of scikit-learn's swiss roll with noise 0.25, divided by 7.5.
    """

    noise: float = 0.25
    divisor: float = 7.5

    dim = 2

    def sample(self, n: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        """Return n independent points, shape (n, 2)."""
        u = torch.rand(n, generator=generator, dtype=dtype)
        return self._placed(u, torch.randn(n, 2, generator=generator, dtype=dtype))

    def points(self, places: Places) -> Tensor:
        """Return points made from numbers that are counted, for all members at once."""
        return self._placed(places.uniform()[..., 0], places.normal(2))

    def _placed(self, u: Tensor, z: Tensor) -> Tensor:
        t = 1.5 * math.pi * (1 + 2 * u)
        return (torch.stack([t * t.cos(), t * t.sin()], -1) + self.noise * z) / self.divisor


@dataclass(frozen=True)
class Digits:
    """Grey images of digits: pixels in [0, 1] of shape (n, side²), and labels of shape (n,)."""

    pixels: Array
    labels: NDArray[np.int64]
    side: int
    origin: str


def digits(folder: str | os.PathLike[str] | None = None) -> Digits:
    """Return MNIST from the IDX files in ``folder``, else scikit-learn's 1797 8×8 digits.

    ``folder`` holds ``train-images-idx3-ubyte`` and ``train-labels-idx1-ubyte``, gzipped or not.

    Raises:
        GantheoryError: where they are missing, damaged, or do not belong together.
    """
    if folder:
        return _idx_digits(Path(folder))
    from sklearn.datasets import load_digits

    data = load_digits()
    return Digits(data.data / 16.0, data.target.astype(np.int64), 8, "scikit-learn's 8x8 digits")


def _idx_digits(place: Path) -> Digits:
    images = read_idx(_find(place, "train-images-idx3-ubyte"))
    labels = read_idx(_find(place, "train-labels-idx1-ubyte"))
    if images.ndim != 3 or images.shape[1] != images.shape[2] or not images.size:
        raise GantheoryError(f"IDX files in {place}: images {images.shape} must be (n, side, side)")
    if labels.shape != images.shape[:1] or labels.max() > 9:
        raise GantheoryError(
            f"IDX files in {place}: labels {labels.shape} up to {labels.max(initial=0)} must be "
            f"one digit for each of the {len(images)} images"
        )
    pixels = images.reshape(len(images), -1) / 255.0
    return Digits(pixels, labels.astype(np.int64), images.shape[1], f"IDX files in {place}")


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Return the array in an IDX file of unsigned bytes (two zero bytes, type, dimensions, data).

    Raises:
        GantheoryError: where it cannot be read or unpacked, the header is not IDX, or the length
            is not what it says.
    """
    try:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "not a whole gzip file"
        raise GantheoryError(f"cannot read {path}: {reason}; fetch the file again") from None
    if len(raw) < 4 or raw[:3] != b"\x00\x00\x08" or len(raw) < 4 + 4 * raw[3]:
        raise GantheoryError(f"{path} is no IDX file of unsigned bytes; use the published files")
    shape = tuple(int(n) for n in np.frombuffer(raw, ">u4", raw[3], offset=4))
    data = np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3])
    if data.size != math.prod(shape):
        raise GantheoryError(
            f"{path} holds {data.size} bytes where its header says {shape}; fetch the file again"
        )
    return data.reshape(shape)


def _find(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz", folder / name.replace("-idx", ".idx")):
        if path.is_file():
            return path
    raise GantheoryError(
        f"no {name} in {folder}; put the IDX file there, or give neither --data nor MNIST_DIR"
    )
