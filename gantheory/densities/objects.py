"""Laws that other libraries hold: distributions of SciPy and torch, KDEs, and pairs (x, pdf).

An object is mapped to the exact family where there is one. Another continuous law of SciPy is taken
by its log-density, its support and its quantiles; its tails are then not known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gantheory.densities.base import Density, make
from gantheory.densities.gridded import gridded
from gantheory.densities.univariate import Univariate
from gantheory.densities.user import own_density
from gantheory.errors import GantheoryError

Maker = Callable[..., Density]
NOTHING = -1e5  # of log p where a density has left the range of binary64


def _moved(name: str, *shapes: str) -> Maker:
    """Return what makes a family of parameters loc and scale from SciPy's."""
    return lambda values, loc, scale: make(
        name, **dict(zip(shapes, values, strict=True)), loc=loc, scale=scale
    )


def _stretched(name: str, *shapes: str) -> Maker:
    """Return what makes a family of a scale alone, moved where SciPy moves it."""

    def law(values: tuple[float, ...], loc: float, scale: float) -> Density:
        found = make(name, **dict(zip(shapes, values, strict=True)), scale=scale)
        return make("affine", base=found, loc=loc, scale=1.0) if loc else found

    return law


def _standard(name: str, *shapes: str) -> Maker:
    """Return what makes a family without a scale, as an image where SciPy moves it."""

    def law(values: tuple[float, ...], loc: float, scale: float) -> Density:
        found = make(name, **dict(zip(shapes, values, strict=True)))
        unmoved = (loc, scale) == (0, 1)
        return found if unmoved else make("affine", base=found, loc=loc, scale=scale)

    return law


def _lognormal(values: tuple[float, ...], loc: float, scale: float) -> Density:
    found = make("lognormal", loc=math.log(scale), scale=values[0])
    return make("affine", base=found, loc=loc, scale=1.0) if loc else found


def _truncated(values: tuple[float, ...], loc: float, scale: float) -> Density:
    a, b = (loc + scale * end for end in values)
    return make("truncnormal", loc=loc, scale=scale, a=a, b=b)


def _circle(values: tuple[float, ...], loc: float, scale: float) -> Density:
    if scale != 1:
        raise GantheoryError(
            f"vonmises with scale={scale:g}: the circle has no scale; leave it out"
        )
    return make("von_mises", loc=loc, concentration=values[0])


SCIPY: dict[str, Maker] = {
    "norm": _moved("normal"),
    "laplace": _moved("laplace"),
    "logistic": _moved("logistic"),
    "gumbel_r": _moved("gumbel"),
    "cauchy": _moved("cauchy"),
    "t": _moved("student_t", "df"),
    "gennorm": _moved("generalised_normal", "shape"),
    "skewnorm": _moved("skew_normal", "shape"),
    "gamma": _stretched("gamma", "shape"),
    "erlang": _stretched("gamma", "shape"),
    "expon": _stretched("exponential"),
    "halfnorm": _stretched("half_normal"),
    "halfcauchy": _stretched("half_cauchy"),
    "weibull_min": _stretched("weibull", "shape"),
    "rayleigh": _stretched("rayleigh"),
    "invgamma": _stretched("inverse_gamma", "shape"),
    "pareto": _stretched("pareto", "shape"),
    "fisk": _stretched("log_logistic", "shape"),
    "chi2": lambda v, loc, scale: (
        _stretched("gamma", "shape")((v[0] / 2,), loc, 2 * scale)
        if (loc, scale) != (0, 1)
        else make("chi_squared", df=v[0])
    ),
    "beta": _standard("beta", "a", "b"),
    "uniform": lambda v, loc, scale: make("uniform", a=loc, b=loc + scale),
    "triang": lambda v, loc, scale: make(
        "triangular", a=loc, mode=loc + v[0] * scale, b=loc + scale
    ),
    "lognorm": _lognormal,
    "truncnorm": _truncated,
    "vonmises": _circle,
}
COUNTS: dict[str, Callable[..., Density]] = {
    "poisson": lambda mu: make("poisson", rate=mu),
    "binom": lambda n, p: make("binomial", n=n, p=p),
    "nbinom": lambda n, p: make("negative_binomial", r=n, p=p),
    "zipf": lambda a: make("zipf", exponent=a),
    "bernoulli": lambda p: make("discrete", masses=(1 - p, p)),
}
# of torch: the names of an object's numbers, and what they make
TORCH: dict[str, tuple[tuple[str, ...], Callable[..., Density]]] = {
    "Normal": (("loc", "scale"), lambda m, s: make("normal", loc=m, scale=s)),
    "Laplace": (("loc", "scale"), lambda m, s: make("laplace", loc=m, scale=s)),
    "Cauchy": (("loc", "scale"), lambda m, s: make("cauchy", loc=m, scale=s)),
    "Gumbel": (("loc", "scale"), lambda m, s: make("gumbel", loc=m, scale=s)),
    "StudentT": (("df", "loc", "scale"), lambda n, m, s: make("student_t", df=n, loc=m, scale=s)),
    "LogNormal": (("loc", "scale"), lambda m, s: make("lognormal", loc=m, scale=s)),
    "Gamma": (("concentration", "rate"), lambda k, r: make("gamma", shape=k, scale=1 / r)),
    "Chi2": (("df",), lambda n: make("chi_squared", df=n)),
    "Exponential": (("rate",), lambda r: make("exponential", scale=1 / r)),
    "HalfNormal": (("scale",), lambda s: make("half_normal", scale=s)),
    "HalfCauchy": (("scale",), lambda s: make("half_cauchy", scale=s)),
    "InverseGamma": (
        ("concentration", "rate"),
        lambda k, r: make("inverse_gamma", shape=k, scale=r),
    ),
    "Weibull": (("concentration", "scale"), lambda k, s: make("weibull", shape=k, scale=s)),
    "Pareto": (("alpha", "scale"), lambda a, s: make("pareto", shape=a, scale=s)),
    "Beta": (("concentration1", "concentration0"), lambda a, b: make("beta", a=a, b=b)),
    "Kumaraswamy": (
        ("concentration1", "concentration0"),
        lambda a, b: make("kumaraswamy", a=a, b=b),
    ),
    "VonMises": (
        ("loc", "concentration"),
        lambda m, k: make("von_mises", loc=m, concentration=k),
    ),
    "Uniform": (("low", "high"), lambda a, b: make("uniform", a=a, b=b)),
    "Poisson": (("rate",), lambda r: make("poisson", rate=r)),
    "Geometric": (("probs",), lambda p: make("geometric", p=p)),
    "Binomial": (("total_count", "probs"), lambda n, p: make("binomial", n=n, p=p)),
    "Bernoulli": (("probs",), lambda p: make("discrete", masses=(1 - p, p))),
}


def recognised(given: Any) -> Density:
    """Return the law that an object of another library stands for.

    Raises:
        GantheoryError: for anything that is no law, in one line.
    """
    kind = type(given)
    if isinstance(given, tuple) and len(given) == 2:
        return gridded(*given)
    if kind.__module__.startswith("torch.distributions"):
        return _of_torch(given)
    if kind.__name__ == "gaussian_kde" and hasattr(given, "dataset"):
        return _of_kde(given)
    if kind.__module__.startswith("scipy.stats"):
        if hasattr(given, "dist"):
            return _of_frozen(given)
        if hasattr(given, "icdf"):
            return _of_new(given)
    raise GantheoryError(
        f"an object of type {kind.__name__!r} is no density; give text like 'normal(0, 1)', a "
        "distribution of SciPy or torch, or a pair (x, pdf)"
    )


def _of_frozen(given: Any) -> Density:
    name, dist = str(given.dist.name), given.dist
    shapes, loc, scale = dist._parse_args(*given.args, **given.kwds)
    if any(np.ndim(x) for x in (*shapes, loc, scale)):
        raise GantheoryError(f"scipy.stats.{name} of arrays: give one law at a time")
    values, loc = tuple(float(x) for x in shapes), float(loc)
    if name in SCIPY:
        return SCIPY[name](values, loc, float(scale))
    if hasattr(dist, "pmf"):
        if name == "geom" and loc == -1:
            return make("geometric", p=values[0])
        if name in COUNTS and not loc:
            return COUNTS[name](*values)
        raise GantheoryError(
            f"scipy.stats.{name}{' moved by loc' if loc else ''} has no family here; known: "
            f"{', '.join(COUNTS)}, and geom with loc=-1 (failures)"
        )
    return _by_quantiles(given.logpdf, given.support(), given.ppf, given.cdf, given.mean())


def _of_new(given: Any) -> Density:
    """Return the law of SciPy's new infrastructure."""
    kind = type(given).__name__
    if kind == "Normal":
        return make("normal", loc=float(given.mu), scale=float(given.sigma))
    if kind == "Uniform":
        return make("uniform", a=float(given.a), b=float(given.b))
    if kind == "Mixture":
        parts = tuple(recognised(part) for part in given.components)
        return make("mixture", weights=tuple(map(float, given.weights)), components=parts)
    return _by_quantiles(given.logpdf, given.support(), given.icdf, given.cdf, given.mean())


def _by_quantiles(log: Any, support: Any, quantile: Any, cdf: Any, mean: Any) -> Univariate:
    """Return a law known by its functions alone, which is taken to be one bump."""
    low, middle, high = (float(quantile(level)) for level in (0.16, 0.5, 0.84))
    ends = tuple(float(end) for end in support)

    def log_density(x: Any) -> Any:
        with np.errstate(all="ignore"):  # far out the logarithm of 0, where no mass is left
            return np.fmax(log(x), NOTHING)

    return own_density(
        log_density,
        support=(ends[0], ends[1]),
        centers=[(middle, (high - low) / 2)],
        cdf=cdf,
        ppf=quantile,
        mean=float(mean),
    )


def _of_kde(given: Any) -> Density:
    if given.d != 1:
        raise GantheoryError(f"gaussian_kde in {given.d} dimensions: only on the line")
    points = tuple(float(x) for x in given.dataset[0])
    width = math.sqrt(float(given.covariance[0, 0]))
    weights = tuple(float(w) for w in given.weights)
    return make("normal_mixture", weights=weights, locs=points, scales=(width,) * len(points))


def _of_torch(given: Any) -> Density:
    kind = type(given).__name__
    if kind not in TORCH:
        raise GantheoryError(
            f"torch's {kind} has no family here; known: {', '.join(sorted(TORCH))}"
        )
    names, law = TORCH[kind]
    numbers = [getattr(given, name) for name in names]
    if any(number.numel() != 1 for number in numbers):
        raise GantheoryError(f"torch's {kind} of a batch: give one law at a time")
    return law(*(float(number) for number in numbers))
