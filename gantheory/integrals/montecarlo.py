r"""Divergences by sampling: an independent route with an interval that holds at any sample size.

The divergence is the mean of Z = q f̃(p/q)/m over draws from m = (p + q)/2, half of them from each
law and taken in pairs. A normal interval would need a sample size that nobody can name; instead

.. math:: |\bar Z - E Z| \le \sqrt{2 V_n \log(4/\delta)/n} + \frac{7 R \log(4/\delta)}{3(n - 1)}

with probability 1 − δ, V_n the sample variance and R the range of Z. A bounded divergence has a
known range. An unbounded one is answered only where (1) the tails of both laws say that Z has four
moments, and (2) the largest draws, whose tail is fitted, make it less probable than δ that a single
draw exceeds what the interval allows, and (3) on the line, what lies beyond twice the range R that
was seen adds next to nothing to the mean (`unmet`): a rare bump need not be met by any draw.

Sources: A. Maurer, M. Pontil (2009), COLT, arXiv:0907.3740, theorem 4; J. R. M. Hosking,
J. R. Wallis (1987), Technometrics 29 (the fitted tail).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from gantheory.densities.base import Array, Density
from gantheory.densities.tails import Growing
from gantheory.densities.univariate import Points, Univariate
from gantheory.divergences.ratio import LOG2, Ratio
from gantheory.divergences.stable import Growth
from gantheory.errors import GantheoryError
from gantheory.integrals.kernels.infinite import End, SharedEnds, infinite
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.integrals.line.breaks import terms_at_levels, with_ties
from gantheory.records import Estimate, Status

METHOD = "monte carlo"
DRAWS = 200_000
MISS = 1e-6
MATTERS = 0.1  # of the interval: what is less in the mean may stay unmet
MOMENTS = 4  # of Z: two for the interval, and two more for its sample variance
USE = "use method='quadrature', or a bounded divergence such as jsd"


def by_sampling(
    kernel: Kernel,
    p: Density,
    q: Density,
    seed: int = 0,
    draws: int = DRAWS,
    error_probability: float = MISS,
) -> Estimate:
    """Return a divergence of any two laws that can be sampled, with its interval.

    Where no interval can be stated the answer is undetermined, with the reason.
    """
    on_the_line = False
    if isinstance(p, Univariate) and isinstance(q, Univariate):
        on_the_line = True
        if (known := _by_tails(kernel, SharedEnds(p, q))) is not None:
            return known
    rng = np.random.default_rng(seed)
    halves = [_terms(kernel, law.sample(rng, draws // 2), p, q) for law in (p, q)]
    z = 0.5 * (halves[0][0] + halves[1][0])
    if not np.all(np.isfinite(z)):
        return Estimate.undetermined(f"a draw of one law fell where the other is 0; {USE}", METHOD)
    bounded = is_bounded(kernel)
    spread = range_of_integrand(kernel) if bounded else 2 * float(np.ptp(z))
    error = bernstein_half_width(z, spread, error_probability)
    if not bounded and exceedance(z, error) > error_probability:
        return Estimate.undetermined(
            f"single draws may outweigh all others: {draws} draws give no interval; {USE}", METHOD
        )
    if not bounded and isinstance(p, Univariate) and isinstance(q, Univariate):
        lost = unmet(kernel, p, q, float(z.min()) - spread / 2, float(z.max()) + spread / 2)
        if lost > MATTERS * error:
            return Estimate.undetermined(
                f"places that none of {draws} draws met add {lost:.2g} or more; {USE}", METHOD
            )
        error += lost
    found = Estimate(
        float(z.mean()),
        error,
        Status.OK if bounded or on_the_line else Status.BLIND,
        METHOD,
        error_probability=error_probability,
        evaluations=2 * len(z),
    )
    return with_ties(found, 0.5 * sum(lost for _, lost in halves))


def unmet(kernel: Kernel, p: Univariate, q: Univariate, low: float, high: float) -> float:
    """Return roughly what places where Z leaves [low, high] add to the mean of its size.

    Trapezia between places whose distances to each center grow by a fortieth: enough to tell
    whether a bump, or a peak far from all of them, was overlooked by the draws.
    """
    places: list[Array] = []
    for center, width in {*p.centers, *q.centers}:
        away = width * np.geomspace(1e-3, 1e8, 1000)
        places += [center - away, np.array([center]), center + away]
    x = np.unique(np.concatenate(places))
    with np.errstate(all="ignore"):
        n = Ratio.of(*(law.log_density(Points.at(x)) for law in (p, q)))
        weight, mantissa = kernel.value(n)
        z = np.exp(weight - np.logaddexp(n.log_p, n.log_q) + LOG2) * mantissa
        part = np.exp(weight) * np.abs(mantissa) * np.gradient(x)
    return float(np.sum(part[((z < low) | (z > high)) & ~np.isnan(part)]))


def bernstein_half_width(z: Array, spread: float, error_probability: float) -> float:
    """Return the empirical Bernstein bound of a mean of independent draws within a range."""
    n, log = len(z), math.log(4 / error_probability)
    return math.sqrt(2 * float(z.var(ddof=1)) * log / n) + 7 * spread * log / (3 * (n - 1))


def exceedance(z: Array, error: float) -> float:
    """Return how probably one of as many draws exceeds half of what ``error`` allows the sum.

    A generalised Pareto law is fitted to the largest 3·sqrt(n) draws by their probability-weighted
    moments, and its shape is taken two standard errors heavier.
    """
    size = np.sort(np.abs(z - np.median(z)))
    top = min(len(z) // 5, int(3 * math.sqrt(len(z))))
    above = size[-top:] - size[-top - 1]
    mean = float(above.mean())
    if mean == 0:
        return 0.0
    ranks = 1 - (np.arange(1, top + 1) - 0.35) / top
    weighted = float((ranks * above).mean())
    shape = 2 - mean / (mean - 2 * weighted) + 2 / math.sqrt(top)
    scale = 2 * mean * weighted / (mean - 2 * weighted)
    far = max(len(z) * error / 2 - float(size[-top - 1]), 0.0)
    shape = max(shape, 1e-3)
    return top * math.exp(-math.log1p(shape * far / scale) / shape)


def _terms(kernel: Kernel, x: Array, p: Density, q: Density) -> tuple[Array, float]:
    """Return Z at draws, and what a loss that jumps may differ by on average."""
    if not np.all(np.isfinite(x)):
        raise GantheoryError(f"{p} or {q}: a draw overflowed; use method='quadrature'")
    with np.errstate(all="ignore"):
        logs = [
            law.log_density(Points.at(x)) if isinstance(law, Univariate) else law.logpdf(x)
            for law in (p, q)
        ]
        n = Ratio.of(*logs)
        weight, mantissa = kernel.value(n)
        log_m = np.logaddexp(n.log_p, n.log_q) - LOG2
        terms = np.where(np.isneginf(weight), 0.0, np.exp(weight - log_m) * mantissa)
    return terms, float(terms_at_levels(kernel, n, log_m).mean())


def is_bounded(kernel: Kernel) -> bool:
    """Whether Z is bounded: f(0) and f'(∞) are finite."""
    above = kernel.at_infinity
    return kernel.at_zero.is_finite and above.power <= 1 and not above.logs


def range_of_integrand(kernel: Kernel) -> float:
    """Return the range of Z = 2f̃(r)/(1 + r), by its values on a fine grid of log r."""
    side = np.concatenate([[0.0], np.geomspace(1e-6, 700.0, 2000), [np.inf]])
    u = np.concatenate([-side[:0:-1], side])
    with np.errstate(all="ignore"):
        log_p = np.where(np.isposinf(u), 0.0, u)
        log_q = np.where(np.isposinf(u), -np.inf, 0.0)
        weight, mantissa = kernel.value(Ratio.of(log_p, log_q))
        z = np.exp(weight - np.logaddexp(log_p, log_q) + LOG2) * mantissa
    z = np.where(np.isneginf(weight), 0.0, z)
    return 1.001 * float(np.ptp(z))  # what smooth functions may do between the points


def _by_tails(kernel: Kernel, ends: SharedEnds) -> Estimate | None:
    """Return the infinite or undetermined answer that the tails alone decide."""
    if (answer := infinite(kernel, ends)) is not None:
        return answer
    for end in ends.shared:
        for growth in _steep(kernel, end):
            if not growth.integrable:
                return Estimate.undetermined(
                    f"toward x = {end.point:g} the draws have no finite moment of order {MOMENTS}, "
                    f"so that no interval can be stated; {USE}",
                    METHOD,
                )
    return None


def _steep(kernel: Kernel, end: End) -> Iterator[Growing]:
    """Return how m·Z^k grows where Z is unbounded: like a divergence of other powers.

    Where f grows like r^a·u^l, m·Z^k does like q·r^(1 + k(a − 1))·u^(kl) as r → ∞, and like
    q·r^(ka)·u^(kl) as r → 0.
    """
    if end.p is None or end.q is None or is_bounded(kernel):
        return
    direction, k = end.u.direction, MOMENTS
    above: Growth = kernel.at_infinity
    if direction > 0 and (above.power > 1 or above.logs):
        yield _powers(1 + k * (float(above.power) - 1), k * above.logs, end)
    elif direction < 0 and not kernel.at_zero.is_finite:
        yield _powers(k * float(kernel.at_zero.power), k * kernel.at_zero.logs, end)


def _powers(power: float, logs: int, end: End) -> Growing:
    assert end.p is not None
    assert end.q is not None
    return Growing.of(power, end.p, 1 - power, end.q).times_logs(logs, end.u)
