"""Distributions of torch: the family that each stands for, and what is composed of several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gantheory.densities.base import Density, make
from gantheory.densities.images import moved
from gantheory.densities.mapped import folded, image_of
from gantheory.errors import GantheoryError

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
    "NegativeBinomial": (
        ("total_count", "probs"),
        lambda r, p: make("negative_binomial", r=r, p=1 - p),
    ),
    "Binomial": (("total_count", "probs"), lambda n, p: make("binomial", n=n, p=p)),
    "Bernoulli": (("probs",), lambda p: make("discrete", masses=(1 - p, p))),
}
# of torch's transforms, and of their inverses: the formula of the image
MAPS = {
    "ExpTransform": "exp(z)",
    "SigmoidTransform": "1/(1 + exp(-z))",
    "TanhTransform": "tanh(z)",
    "SoftplusTransform": "softplus(z)",
}
INVERSES = {
    "ExpTransform": "log(z)",
    "SigmoidTransform": "log(z) - log(1 - z)",
    "TanhTransform": "log((1 + z)/(1 - z))/2",
}


def of_torch(given: Any) -> Density:
    """Return the law that a distribution of torch stands for."""
    kind = type(given).__name__
    if kind in COMPOSED:
        return COMPOSED[kind](given)
    if kind not in TORCH:
        known = ", ".join(sorted({*TORCH, *COMPOSED}))
        raise GantheoryError(f"torch's {kind} has no family here; known: {known}")
    if any(getattr(given, name).numel() != 1 for name in TORCH[kind][0]):
        raise GantheoryError(f"torch's {kind} of a batch: give one law at a time")
    return _nth(given, 0)


def _nth(given: Any, k: int) -> Density:
    """Return the k-th law of a batch of one family."""
    kind = type(given).__name__
    if kind in ("MultivariateNormal", "LowRankMultivariateNormal"):
        dim = given.event_shape[0]
        means, covariances = given.loc.reshape(-1, dim), _covariance(given)
        return _normal(_floats(means[k]), _floats(covariances.reshape(-1, dim, dim)[k]))
    if kind == "Independent":
        return _independent(given.base_dist, k)
    if kind not in TORCH:
        raise GantheoryError(f"torch's {kind} in a mixture: it has no family here")
    names, law = TORCH[kind]
    numbers = [getattr(given, name).expand(given.batch_shape).reshape(-1)[k] for name in names]
    return law(*(float(number) for number in numbers))


def _covariance(given: Any) -> Any:
    """Return covariances, those of low rank summed in double precision."""
    if not hasattr(given, "cov_factor"):
        return given.covariance_matrix
    factor = given.cov_factor.detach().double()
    return factor @ factor.mT + given.cov_diag.detach().double().diag_embed()


def _independent(base: Any, k: int) -> Density:
    """Return the law of the k-th row of independent coordinates."""
    dim = base.batch_shape[-1] if base.batch_shape else 1
    laws = [_nth(base, k * dim + j) for j in range(dim)]
    if dim == 1:
        return laws[0]
    if all(law.name == "normal" for law in laws):
        scales = [law.parameters["scale"] for law in laws]
        return _normal([law.parameters["loc"] for law in laws], np.diag(np.square(scales)).tolist())
    return make("product", laws=tuple(laws))


def _normal(loc: list[float], cov: list[list[float]]) -> Density:
    if len(loc) == 1:
        return make("normal", loc=loc[0], scale=cov[0][0] ** 0.5)
    return make("normal_nd", loc=loc, cov=symmetric(cov))


def symmetric(cov: Any) -> list[list[float]]:
    """Return a covariance that is symmetric to the last digit."""
    return (np.tril(cov) + np.tril(cov, -1).T).tolist()


def _floats(tensor: Any) -> Any:
    return tensor.detach().double().tolist()


def _shares(tensor: Any) -> tuple[float, ...]:
    """Return probabilities that sum to 1 in double precision."""
    found = np.asarray(_floats(tensor))
    if found.ndim != 1:
        raise GantheoryError("torch's probabilities of a batch: give one law at a time")
    return tuple((found / found.sum()).tolist())


def _single(given: Any) -> Density:
    if given.batch_shape.numel() != 1:
        raise GantheoryError(f"torch's {type(given).__name__} of a batch: give one law at a time")
    return _nth(given, 0)


def _alone(given: Any) -> Density:
    if given.reinterpreted_batch_ndims == 0:
        return of_torch(given.base_dist)
    if given.reinterpreted_batch_ndims != 1 or len(given.base_dist.batch_shape) != 1:
        raise GantheoryError(
            "torch's Independent: one dimension of the base's batch must be the coordinates"
        )
    return _independent(given.base_dist, 0)


def _mixture(given: Any) -> Density:
    if given.batch_shape:
        raise GantheoryError("torch's MixtureSameFamily of a batch: give one law at a time")
    weights = _shares(given.mixture_distribution.probs)
    laws = tuple(_nth(given.component_distribution, k) for k in range(len(weights)))
    if laws[0].dim > 1:
        return make("mixture_2d", weights_of=weights, laws=laws)
    return make("mixture", weights=weights, components=laws)


def _transformed(given: Any) -> Density:
    """Return the image of a law on the line under torch's transforms, one after the other."""
    law = of_torch(given.base_dist)
    for transform in given.transforms:
        law = _image(law, transform)
    return law


def _image(law: Density, transform: Any) -> Density:
    """Return the image of a law under one of torch's transforms, composed or inverse too."""
    kind = type(transform).__name__
    if kind == "ComposeTransform":
        for part in transform.parts:
            law = _image(law, part)
        return law
    inverse = kind == "_InverseTransform"
    if inverse:
        transform = transform.inv
        kind = type(transform).__name__
    if kind == "AffineTransform":
        loc, scale = _number(transform.loc), _number(transform.scale)
        return moved(moved(law, -loc, 1.0), 0.0, 1 / scale) if inverse else moved(law, loc, scale)
    if kind == "PowerTransform":
        power = _number(transform.exponent)
        return image_of(f"z**({1 / power if inverse else power!r})", law)
    if kind == "AbsTransform" and not inverse:
        return folded(law)
    if kind == "ExpTransform" and not inverse and law.name == "normal":
        return make("lognormal", **law.parameters)
    if kind == "SigmoidTransform" and inverse and law == make("uniform", a=0.0, b=1.0):
        return make("logistic", loc=0.0, scale=1.0)
    if (formula := (INVERSES if inverse else MAPS).get(kind)) is None:
        of = f"the inverse of {kind}" if inverse else kind
        raise GantheoryError(
            f"torch's {of} of {law} is not known; give its formula in z to "
            "gantheory.densities.pushforward.pushforward"
        )
    return image_of(formula, law)


def _number(given: Any) -> float:
    """Return a number that torch may hold in a tensor."""
    if getattr(given, "numel", lambda: 1)() != 1:
        raise GantheoryError("torch's transform by a batch of numbers: give one law at a time")
    return float(given)


COMPOSED: dict[str, Callable[[Any], Density]] = {
    "MultivariateNormal": _single,
    "LowRankMultivariateNormal": _single,
    "Independent": _alone,
    "MixtureSameFamily": _mixture,
    "TransformedDistribution": _transformed,
    "Dirichlet": lambda given: make("dirichlet", concentration=tuple(_floats(given.concentration))),
    "Categorical": lambda given: make("discrete", masses=_shares(given.probs)),
    "OneHotCategorical": lambda given: make("discrete", masses=_shares(given.probs)),
}
