"""What an estimator's mean and gradients are on samples: the route that differentiates nothing."""

from __future__ import annotations

import numpy as np

from gantheory.compiled import compiled
from gantheory.densities import Density, parse_density
from gantheory.densities.base import Array
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError
from gantheory.estimators.derive import EstimatorDerivation, derive_estimator
from gantheory.estimators.record import Estimator
from gantheory.functions import r
from gantheory.integrals.montecarlo import METHOD, MISS, bernstein_half_width, exceedance
from gantheory.records import Estimate
from gantheory.wrt import split_parameter

DRAWS = 200_000


def measure_estimator(
    loss: str | Estimator,
    p: Density | str,
    q: Density | str,
    *,
    wrt: str = "q.loc",
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Return an estimator's mean and its three gradients from samples of q.

    Args:
        loss: an estimator without free parameters.
        p: the reference density, or its text.
        q: the trained density, or its text.
        wrt: a parameter of q.
        draws: how many samples.
        seed: of the samples.

    Returns:
        ``value``, and the gradients ``followed``, ``reward`` and ``weighted`` in ``wrt``, each with
        an interval that misses with probability at most 1e-6.

    >>> found = measure_estimator("k1", "normal(0, 1)", "normal(1, 1)", draws=20000)
    >>> abs(found["followed"].value) < found["followed"].error
    True
    """
    first, second = parse_density(p), parse_density(q)
    side, name = split_parameter(wrt)
    if side != "q" or not isinstance(first, Univariate) or not isinstance(second, Univariate):
        raise GantheoryError(f"wrt={wrt!r}: give a parameter of q, both laws on the line")
    derived = derive_estimator(loss)
    x = second.sample(np.random.default_rng(seed), draws)
    ratio = np.exp(first.logpdf(x) - second.logpdf(x))
    score = second.score(name, x)
    k, weight = (_at(derived, part, ratio) for part in ("k", "weight"))
    terms = {
        "value": k,
        "followed": weight * score,
        "reward": k * score,
        "weighted": (k + weight) * score,
    }
    return {part: _mean(values) for part, values in terms.items()}


def _at(derived: EstimatorDerivation, part: str, ratio: Array) -> Array:
    expr = derived.formula if part == "k" else derived.weight
    if expr is None or expr.free_symbols - {r}:
        names = ", ".join(derived.definition.parameters) or "its reason"
        raise GantheoryError(
            f"estimator {derived.definition.name!r} cannot be measured: give numbers for {names}"
        )
    with np.errstate(all="ignore"):
        return np.broadcast_to(np.asarray(compiled([r], expr)(ratio)), ratio.shape)


def _mean(values: Array) -> Estimate:
    if not np.all(np.isfinite(values)):
        return Estimate.undetermined("a draw is infinite: p vanishes where q has mass", METHOD)
    error = bernstein_half_width(values, 2 * float(np.ptp(values)), MISS)
    if exceedance(values, error) > MISS:
        return Estimate.undetermined("single draws may outweigh all others", METHOD)
    return Estimate(
        float(values.mean()), error, method=METHOD, error_probability=MISS, evaluations=len(values)
    )
