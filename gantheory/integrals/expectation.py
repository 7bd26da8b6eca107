"""Expectations of a function of the log density ratio, straight from their definition.

This is the independent route beside the divergence engine: it integrates what a paper prints
(E_p[a(t*)], E_q[score · c(t*)]) with SciPy's tanh-sinh rule on panels cut at the densities' own
breakpoints, and shares neither kernels nor quadrature with `gantheory.integrals.divergence`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.integrate import tanhsinh

from gantheory.densities import Density
from gantheory.records import Estimate
from gantheory.rounding import EPS

# Asked of each panel; the rule's own estimate is then reported, not this number.
RELATIVE_TOLERANCE = 1e-13
# The estimate of the rule is no bound: one of ten random mixtures was off by twice as much.
SLACK = 8.0


def expectation(
    payoff: Callable[[np.ndarray], np.ndarray],
    under: Density,
    p: Density,
    q: Density,
    *,
    score_of: str | None = None,
) -> Estimate:
    r"""Return :math:`E[\phi(u)]` for u = log p − log q, or :math:`E[s\,\phi(u)]` with a score.

    Args:
        payoff: the function φ of u, vectorised.
        under: the density the expectation is taken under; p or q.
        p: the data density, one-dimensional.
        q: the generator's density, one-dimensional.
        score_of: a parameter of ``under``; weighs by the score s = ∂ log under/∂ parameter, so
            that the result is the gradient of E[φ] with φ held fixed.
    """

    def integrand(x: np.ndarray) -> np.ndarray:
        log_under = under.logpdf(x)
        weight = np.exp(log_under)
        if score_of is not None:
            weight = weight * under.score(score_of, x)
        with np.errstate(invalid="ignore"):
            terms = weight * payoff(p.logpdf(x) - q.logpdf(x))
        return np.where(np.isneginf(log_under) | (weight == 0), 0.0, terms)

    edges = np.unique([*p.breakpoints, *q.breakpoints])
    lower, upper = under.support
    inside = edges[(edges > lower) & (edges < upper)]
    cuts = np.concatenate([[lower], inside, [upper]])
    panels = tanhsinh(integrand, cuts[:-1], cuts[1:], rtol=RELATIVE_TOLERANCE, maxlevel=12)
    value = float(np.sum(panels.integral))
    rounding = 8 * EPS * float(np.sum(np.abs(panels.integral)))
    return Estimate(
        value,
        SLACK * float(np.sum(panels.error)) + rounding,
        method="tanh-sinh",
        evaluations=int(np.sum(panels.nfev)),
    )
