"""From the densities that users write to analytic laws in ball arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from gantheory.errors import GantheoryError
from gantheory.exact.arb import stored
from gantheory.integrals.certified.laws import (
    Analytic,
    AnalyticGumbel,
    AnalyticLaplace,
    AnalyticLaw,
    AnalyticLogistic,
    AnalyticMixture,
    AnalyticNormal,
    AnalyticStudentT,
    AnalyticUniform,
    LogGamma,
    LogitBeta,
)

_LAWS = {
    "normal": AnalyticNormal,
    "laplace": AnalyticLaplace,
    "logistic": AnalyticLogistic,
    "gumbel": AnalyticGumbel,
}
_LINE = (*_LAWS, "student_t", "cauchy", "uniform", "normal_mixture", "mixture", "affine")
_HALF_LINE = ("gamma", "lognormal")  # by y = log x
_INTERVAL = ("beta", "uniform(0, 1)")  # by y = log x/(1 − x)


def analytic_laws(p: Any, q: Any) -> tuple[Analytic, Analytic]:
    """Return the analytic laws of two densities, on the axis on which both live on the whole line.

    Divergences do not change under a bijection: gamma and lognormal laws meet in log x, beta laws
    and the uniform law on (0, 1) in log x/(1 − x).

    Raises:
        GantheoryError: for a family that is not analytic piece by piece, or two that share no axis.
    """
    names = {p.name, q.name}
    if names <= {"gamma", "lognormal"}:
        return _in_logarithms(p), _in_logarithms(q)
    if "beta" in names and all(one.name == "beta" or _is_unit(one) for one in (p, q)):
        return _in_log_odds(p), _in_log_odds(q)
    for one in (p, q):
        if one.name in ("gamma", "lognormal", "beta"):
            raise GantheoryError(
                f"certified mode meets {' and '.join(sorted(names))} on no common axis; it takes "
                "gamma and lognormal laws together, and beta laws with uniform(0, 1)"
            )
    return _law(p.name, p.parameters), _law(q.name, q.parameters)


def _is_unit(one: Any) -> bool:
    return one.name == "uniform" and (one.parameters["a"], one.parameters["b"]) == (0, 1)


def _in_logarithms(one: Any) -> AnalyticLaw:
    v = one.parameters
    if one.name == "lognormal":
        return AnalyticNormal(v.get("loc", 0), v.get("scale", 1))
    return LogGamma(0, v.get("scale", 1), shape=v["shape"])


def _in_log_odds(one: Any) -> AnalyticLaw:
    return LogitBeta(1, 1) if one.name == "uniform" else LogitBeta(*one.parameters.values())


def _law(name: str, parameters: Mapping[str, Any]) -> Analytic:
    """Return the analytic law of a density's name and parameters.

    Raises:
        GantheoryError: for a family that is not analytic piece by piece.
    """
    if name in _LAWS:
        return _LAWS[name](parameters.get("loc", 0), parameters.get("scale", 1))
    if name in ("student_t", "cauchy"):
        df = parameters.get("df", 1)
        return AnalyticStudentT(parameters.get("loc", 0), parameters.get("scale", 1), df=df)
    if name == "uniform":
        return AnalyticUniform(parameters["a"], parameters["b"])
    if name in ("normal_mixture", "mixture"):
        return _mixture(parameters)
    if name == "affine":
        return _affine(**parameters)
    raise GantheoryError(
        f"certified mode does not know the density {name!r}; it has "
        f"{', '.join((*_LINE, *_HALF_LINE, *_INTERVAL))}; take one, or another method"
    )


def _affine(base: Any, loc: Any, scale: Any) -> Analytic:
    """Return loc + scale·X as a member of X's own family."""
    inner, shift, stretch = _law(base.name, base.parameters), stored(loc), stored(scale)
    if isinstance(inner, AnalyticMixture):
        parts = tuple(_moved(part, shift, stretch) for part in inner.parts)
        return AnalyticMixture(inner.weights, parts)
    return _moved(inner, shift, stretch)


def _moved(one: AnalyticLaw, shift: Fraction, stretch: Fraction) -> AnalyticLaw:
    if isinstance(one, AnalyticGumbel) and stretch < 0:
        raise GantheoryError("certified mode does not know a reflected gumbel; use scale > 0")
    loc = shift + stretch * stored(one.loc)
    if isinstance(one, AnalyticUniform):
        low, high = sorted((loc, shift + stretch * stored(one.scale)))
        return AnalyticUniform(low, high)
    return replace(one, loc=loc, scale=abs(stretch) * stored(one.scale))


def _mixture(parameters: Mapping[str, Any]) -> AnalyticMixture:
    weights: Sequence[Any] = parameters["weights"]
    if "components" in parameters:
        parts: tuple[AnalyticLaw, ...] = tuple(
            _component(part) for part in parameters["components"]
        )
    else:
        pairs = zip(parameters["locs"], parameters["scales"], strict=True)
        parts = tuple(AnalyticNormal(loc, scale) for loc, scale in pairs)
    total = sum((stored(w) for w in weights), Fraction(0))
    kept = [(stored(w) / total, part) for w, part in zip(weights, parts, strict=True) if w > 0]
    return AnalyticMixture(tuple(w for w, _ in kept), tuple(part for _, part in kept))


def _component(part: Any) -> AnalyticLaw:
    one = _law(part.name, part.parameters)
    if isinstance(one, AnalyticMixture) or one.support:
        raise GantheoryError("certified mode takes mixtures of laws on the whole line only")
    return one
