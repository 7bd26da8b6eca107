"""Divergences by sampling: an independent route with an interval, for laws on the line."""

from __future__ import annotations

import math

import numpy as np

from gantheory.densities.univariate import Points, Univariate
from gantheory.errors import GantheoryError
from gantheory.numeric.infinite import Ends, infinite
from gantheory.numeric.kernels import Kernel
from gantheory.numeric.line.breaks import tied_terms, with_ties
from gantheory.numeric.ratio import Ratio
from gantheory.records import Estimate

DRAWS = 200_000
# A normal interval of this many standard errors misses with probability 1e-6.
MISS, DEVIATIONS = 1e-6, 4.891638475699015


def by_sampling(
    kernel: Kernel, p: Univariate, q: Univariate, seed: int = 0, draws: int = DRAWS
) -> Estimate:
    """Return a divergence as the mean of q f̃(p/q)/m over draws from m = (p + q)/2.

    Half of the draws come from each law. The interval is asymptotic: with a heavy-tailed
    integrand it may be too narrow, and the estimate says so.
    """
    if (answer := infinite(kernel, Ends(p, q))) is not None:
        return answer
    rng = np.random.default_rng(seed)
    x = np.stack([p.sample(rng, draws // 2), q.sample(rng, draws // 2)])
    if not np.all(np.isfinite(x)):
        raise GantheoryError(f"{p} or {q}: a draw overflowed; use method='quadrature'")
    with np.errstate(all="ignore"):
        at = Points.at(x)
        n = Ratio.of(p.log_density(at), q.log_density(at))
        weight, mantissa = kernel.value(n)
        log_m = np.logaddexp(n.log_p, n.log_q) - math.log(2)
        terms = np.where(np.isneginf(weight), 0.0, np.exp(weight - log_m) * mantissa)
    value = float(terms.mean())
    spread = math.sqrt(float(terms.var(axis=1, ddof=1).sum()) / (2 * draws))
    heavy = float(terms.max()) > 0.05 * float(terms.sum())
    warnings = ("one draw carries over 5% of the sum: the interval is not to be trusted",) * heavy
    found = Estimate(
        value,
        DEVIATIONS * spread,
        method="monte carlo",
        error_probability=MISS,
        evaluations=draws,
        warnings=warnings,
    )
    return with_ties(found, float(tied_terms(kernel, n, log_m).mean()))
