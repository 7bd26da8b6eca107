"""What holds for every pair of laws: the gate through which each value leaves.

A divergence of a convex f is at least 0 and at most f(0) + f'(∞), with f̃ for f; a complement lies
between 0 and its value at p = q (log 2, 1 and 1). An answer that breaks such a bound by more than
its stated error is wrong somewhere, and nothing says where: it becomes undetermined, and is never
moved to the bound.

What the stated error of an integral on the line consists of (`gantheory.integrals.line`):

- the rule: the difference of Gauss and Kronrod on every panel (`quadrature`);
- the cut tails: what an exponential of the rate at the cut may hold beyond it (`probe`);
- rounding of both log-densities and of their constants, of the chart and of the score, relative to
  each sample; of u = log p − log q, relative to u, and where u may be 0 or of the other sign all
  that the integrand changes by (`integrals`);
- ends and jumps of q that move: the rounding of each of their terms (`moving`);
- jumps and kinks of f: where p/q crosses them, and what they weigh where p/q stays (`breaks`);
- parameters: what their rounding to binary64 moves, where two laws are close (`inputs`), and the
  mass by which a user's own density misses 1 (`estimates`).

Along curves in bulk it is that of `gantheory.integrals.bulk.doublexp`; in certified mode the
radius of the ball, to which the tail beyond the window is added (`gantheory.integrals.certified`).
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from gantheory.divergences.ratio import Ratio
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.records import Estimate, Status

ROUNDING = 1e-14  # relative, of the bounds themselves
ANYTHING = (-math.inf, math.inf)


@cache
def bounds_of(kernel: Kernel) -> tuple[float, float]:
    """Return the least and the greatest value that a divergence may have.

    >>> from gantheory.integrals.kernels.stable import kernel_of
    >>> bounds_of(kernel_of("tv"))
    (0.0, 1.0)
    """
    if kernel.known is None:  # only of those is it known that f is convex
        return ANYTHING
    if kernel.at_infinity.power > 1 or kernel.at_infinity.logs or not kernel.at_zero.is_finite:
        return 0.0, math.inf
    ends = [(0.0, 0.0)] if kernel.sign < 0 else [(-math.inf, 0.0), (0.0, -math.inf)]
    return 0.0, sum(_at(kernel, log_p, log_q) for log_p, log_q in ends)


def _at(kernel: Kernel, log_p: float, log_q: float) -> float:
    """Return q f̃(p/q) for two masses."""
    with np.errstate(all="ignore"):
        weight, mantissa = kernel.value(Ratio.of(np.array([log_p]), np.array([log_q])))
        return float((np.exp(weight) * mantissa)[0])


def within_bounds(asked: Any, answer: Estimate) -> Estimate:
    """Return an answer for a kernel or a distance, or undetermined where it cannot be right."""
    low, high = bounds_of(asked) if isinstance(asked, Kernel) else (0.0, math.inf)
    slack = answer.error + ROUNDING * abs(answer.value)
    if math.isnan(answer.value) or low - slack <= answer.value <= high + slack:
        return answer
    if answer.status is Status.INFINITE and not math.isfinite(high):
        return answer
    name = asked.name
    broken = f"less than {low:g}" if answer.value < low else f"more than {high:.6g}"
    return Estimate.undetermined(
        f"{name} came out as {answer}, {broken}, which no two laws have: a density is not what it "
        "states to be, or binary64 does not hold this pair; check its mass, support and tails",
        answer.method,
    )
