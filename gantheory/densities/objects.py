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
from gantheory.densities.scipy_new import of_new
from gantheory.densities.torch_objects import TORCH, of_torch, symmetric
from gantheory.densities.univariate import Univariate
from gantheory.densities.user import own_density
from gantheory.errors import GantheoryError, wrong_type

Maker = Callable[..., Density]
MOST_MASSES = 10_000


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
    "arcsine": lambda v, loc, scale: _standard("beta", "a", "b")((0.5, 0.5), loc, scale),
    "powerlaw": lambda v, loc, scale: _standard("beta", "a", "b")((v[0], 1.0), loc, scale),
    "levy": lambda v, loc, scale: _stretched("inverse_gamma", "shape")((0.5,), loc, scale / 2),
}
# laws in space, by the type of their frozen object
SPACE: dict[str, Callable[[Any], Density]] = {
    "multivariate_normal_frozen": lambda law: (
        make("normal_nd", loc=law.mean, cov=law.cov)
        if len(law.mean) > 1
        else make("normal", loc=float(law.mean[0]), scale=math.sqrt(float(law.cov[0, 0])))
    ),
    "multivariate_t_frozen": lambda law: make(
        "student_t_nd", df=float(law.df), loc=law.loc, shape=law.shape
    ),
    "dirichlet_frozen": lambda law: make("dirichlet", concentration=tuple(map(float, law.alpha))),
}
COUNTS: dict[str, Callable[..., Density]] = {
    "poisson": lambda mu: make("poisson", rate=mu),
    "binom": lambda n, p: make("binomial", n=n, p=p),
    "nbinom": lambda n, p: make("negative_binomial", r=n, p=p),
    "zipf": lambda a: make("zipf", exponent=a),
    "bernoulli": lambda p: make("discrete", masses=(1 - p, p)),
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
        return of_torch(given)
    if kind.__name__ == "gaussian_kde" and hasattr(given, "dataset"):
        return _of_kde(given)
    if kind.__module__.startswith("scipy.stats"):
        if kind.__name__ == "rv_histogram":
            return _of_histogram(given)
        if hasattr(given, "freeze") and hasattr(given, "numargs"):
            if given.numargs:
                raise GantheoryError(
                    f"scipy.stats.{given.name} without its shapes; call it, like "
                    f"scipy.stats.{given.name}({given.shapes}) with numbers"
                )
            given = given()
        if kind.__name__ in SPACE:
            return SPACE[kind.__name__](given)
        if hasattr(given, "dist"):
            return _of_frozen(given)
        if hasattr(given, "icdf"):
            return _of_new(given)
    give = (
        "text like 'normal(0, 1)', samples in an array or a list, a distribution of SciPy or "
        "torch, or a pair (x, pdf)"
    )
    raise wrong_type("density", given, give)


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
        if (masses := _masses(given)) is not None:
            return masses
        raise GantheoryError(
            f"scipy.stats.{name}{' moved by loc' if loc else ''} has no family here; known: "
            f"{', '.join(COUNTS)}, geom with loc=-1 (failures), and laws on 0, 1, ..., n"
        )
    return _by_quantiles(name, given.logpdf, given.support(), given.ppf, given.cdf, given.mean())


def _masses(given: Any) -> Density | None:
    """Return a law on finitely many whole numbers from 0 on by its masses, else None."""
    low, high = given.support()
    if not 0 <= low <= high <= MOST_MASSES:
        return None
    places = np.arange(high + 1)
    masses = given.pmf(places)
    if abs(float(np.sum(masses)) - 1) > 1e-9:  # some lie between the whole numbers
        return None
    return make("discrete", masses=tuple((masses / np.sum(masses)).tolist()))


def _of_histogram(given: Any) -> Density:
    """Return SciPy's law of a histogram: a mixture of uniforms."""
    edges, heights = given._hbins, given._hpdf[1:-1]
    shares = [
        (float(h * (b - a)), float(a), float(b))
        for h, a, b in zip(heights, edges[:-1], edges[1:], strict=True)
        if h > 0
    ]
    parts = tuple(make("uniform", a=a, b=b) for _, a, b in shares)
    return make("mixture", weights=tuple(share for share, *_ in shares), components=parts)


def _of_new(given: Any) -> Density:
    """Return the law of SciPy's new infrastructure."""
    if (known := of_new(given, recognised)) is not None:
        return known
    kind = type(given).__name__
    if any(base.__name__ == "DiscreteDistribution" for base in type(given).__mro__):
        if (masses := _masses(given)) is not None:
            return masses
        raise GantheoryError(f"scipy.stats.{kind} has no family here")
    return _by_quantiles(kind, given.logpdf, given.support(), given.icdf, given.cdf, given.mean())


def _by_quantiles(
    name: str, log: Any, support: Any, quantile: Any, cdf: Any, mean: Any
) -> Univariate:
    """Return a law known by its functions alone, which is taken to be one bump."""
    low, middle, high = (float(quantile(level)) for level in (0.16, 0.5, 0.84))
    ends = tuple(float(end) for end in support)

    def log_density(x: Any) -> Any:
        with np.errstate(all="ignore"):  # far out a formula is nan where no mass is left
            value = np.asarray(log(x))
        return np.where(np.isnan(value), -np.inf, value)

    shape: dict[str, Any] = {"support": ends, "centers": [(middle, (high - low) / 2)]}
    known = {"cdf": cdf, "ppf": quantile, "mean": float(mean)}
    try:
        return own_density(log_density, **shape, **known)
    except GantheoryError:  # their generic cdf and quantiles are rough, or fail
        pass
    try:
        return own_density(log_density, **shape)
    except GantheoryError as error:
        raise GantheoryError(
            f"scipy.stats.{name} is read by its functions as one smooth bump, which it is not: "
            f"{error}; declare it by own_density with its kinks, centers and tails"
        ) from None


def _of_kde(given: Any) -> Density:
    if given.d != 1:
        rows, cov = given.dataset.T.tolist(), symmetric(given.covariance)
        laws = tuple(make("normal_nd", loc=row, cov=cov) for row in rows)
        return make("mixture_2d", weights_of=tuple(map(float, given.weights)), laws=laws)
    points = tuple(float(x) for x in given.dataset[0])
    width = math.sqrt(float(given.covariance[0, 0]))
    weights = tuple(float(w) for w in given.weights)
    return make("normal_mixture", weights=weights, locs=points, scales=(width,) * len(points))


__all__ = ["COUNTS", "SCIPY", "TORCH", "recognised"]
