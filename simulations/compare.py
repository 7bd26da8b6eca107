"""Intervals and tests: what a finite sample can and cannot say, at a stated error probability."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gantheory.errors import GantheoryError
from gantheory.records import Estimate
from gantheory.rounding import EPS

Array = NDArray[np.float64]
Seed = int | tuple[int, ...]

ERROR_PROBABILITY = 1e-8  # of one interval; a suite of 50 stays under 1e-6
_ROUNDING = 64 * EPS  # of a mean of means, in units of the largest one


def half_width(
    replicates: Array, error_probability: float = ERROR_PROBABILITY, axis: int = -1
) -> Array:
    r"""Return the half-width of Student's interval for the mean along ``axis``, skewness allowed.

    With R independent replicates of standard deviation s it is :math:`x s/\sqrt R` where

    .. math:: 2\,P(T_{R-1} > x)\,\exp\frac{|\gamma| x^3}{3\sqrt R} = \delta,

    δ the stated error probability. The exponential is the first-order effect of the skewness γ on
    the tail of a self-normalised mean (Jing, Shao and Wang, 2003, Annals of Probability 31); γ is
    estimated from the replicates and raised by two of its own standard errors, √(6/R). Asymptotic
    in R, for replicates with a finite third moment; infinite where the skewness forbids such a δ.
    Replicates of any size are welcome: 1e300 and 1e-300 give the digits of 1.
    """
    count = replicates.shape[axis]
    if count < 16:
        raise GantheoryError(f"an interval from {count} replicates; use at least 16")
    unit = _unit(replicates, axis)
    scaled = replicates / unit  # exact, and its cubes neither overflow nor vanish
    centred = scaled - scaled.mean(axis=axis, keepdims=True)
    rounding = _ROUNDING * np.abs(scaled).max(axis=axis)
    spread = np.sqrt((centred**2).sum(axis=axis) / (count - 1))
    skewness = np.abs((centred**3).mean(axis=axis)) / np.maximum(spread, rounding + 1e-100) ** 3
    raised = np.minimum(skewness, math.sqrt(count)) + 2 * math.sqrt(6 / count)
    quantile = _quantile(raised / (3 * math.sqrt(count)), error_probability, count - 1)
    with np.errstate(invalid="ignore"):
        width = quantile * spread / math.sqrt(count)
    wide = np.where(spread <= rounding, 0.0, width) + rounding
    return np.asarray(wide * unit.squeeze(axis))


def _unit(replicates: Array, axis: int = -1) -> Array:
    """Return the power of two next above the largest absolute value along ``axis``, kept."""
    exponent = np.frexp(np.abs(replicates).max(axis=axis, keepdims=True))[1]
    return np.asarray(np.ldexp(1.0, np.clip(exponent, -1021, 1023)))


def _quantile(tilt: Array, error_probability: float, freedom: int) -> Array:
    """Solve 2·P(T > x)·exp(tilt·x³) = error_probability by iteration; inf without a solution."""
    from scipy import stats

    x = np.full(np.shape(tilt), stats.t.isf(error_probability / 2, freedom))
    for _ in range(12):  # contracts by 3·tilt·x a turn, at most ½ in use
        x = stats.t.isf(error_probability / 2 * np.exp(-tilt * x**3), freedom)
    # Beyond 3·tilt·x = 1 the tilt grows faster than the tail falls: no x is far enough out.
    return np.where(3 * tilt * x < 1, x, np.inf)


def mean_of(
    replicates: Array,
    error_probability: float = ERROR_PROBABILITY,
    method: str = "independent replicates, Student's t",
    evaluations: int = 0,
) -> Estimate:
    """Return the mean of independent replicates with its interval (see `half_width`).

    >>> mean_of(np.linspace(-1, 1, 101)).error > 0.1
    True
    """
    if not np.isfinite(replicates).all():
        return Estimate.undetermined(
            f"{int((~np.isfinite(replicates)).sum())} of {replicates.size} replicates are not "
            "finite: the expectation is infinite or the discriminator overflowed",
            method,
        )
    error = float(half_width(replicates, error_probability))
    if not math.isfinite(error):  # an infinite interval would agree with anything
        return Estimate.undetermined(
            f"{replicates.size} replicates are too few, or too skewed, for an interval that "
            f"misses with probability {error_probability:g}; use more replicates",
            method,
        )
    unit = _unit(replicates)
    return Estimate(
        float(((replicates / unit).mean() * unit).item()),
        error,
        method=method,
        error_probability=error_probability,
        evaluations=evaluations,
    )


def proportion(
    successes: int, trials: int, error_probability: float = ERROR_PROBABILITY
) -> Estimate:
    """Return a share with its exact binomial interval (Clopper and Pearson, 1934).

    The half-width is the larger side, so the interval is symmetric and still conservative.

    >>> round(proportion(50, 100, 0.05).error, 4)
    0.1017
    """
    from scipy import stats

    interval = stats.binomtest(successes, trials).proportion_ci(1 - error_probability, "exact")
    share = successes / trials
    error = max(share - interval.low, interval.high - share)
    return Estimate(
        share,
        float(error),
        method="count, Clopper-Pearson",
        error_probability=error_probability,
        evaluations=trials,
    )


def across_seeds(values: Array, error_probability: float) -> Estimate:
    r"""Return the interval of the median over independent seeds, whatever their law.

    With n seeds in order it reaches from the k-th to the (n + 1 − k)-th, k the largest whole number
    with :math:`2\,P(B(n, 1/2) < k) \le \delta`: of a run's result the median lies outside with at
    most that probability, for every law (Thompson, 1936, Annals of Mathematical Statistics 7). No
    interval of this kind exists for the mean: with eight seeds Student's, at a stated 1 %, missed
    the mean of skewed laws in 2 to 10 % of trials. The value is the interval's centre.

    >>> across_seeds(np.array([3.0, 1.0, 2.0, 9.0, 4.0, 5.0, 6.0, 7.0]), 0.01).error
    4.0
    """
    from scipy.special import bdtr

    count, finite = len(values), np.isfinite(values)
    outside = 2 * bdtr(np.arange(count), count, 0.5)  # with as many seeds left out on either side
    rank = int((outside <= error_probability).sum()) - 1
    method = "median over seeds, order statistics"
    if not finite.all():
        lost = f"{int((~finite).sum())} of {count} seeds ended in no finite number; lower the rates"
        return Estimate.undetermined(lost, method)
    if rank < 0:
        few = f"{count} seeds are too few for an error probability of {error_probability:g}"
        return Estimate.undetermined(f"{few}; use {_seeds_for(error_probability)}", method)
    low, high = np.sort(values)[[rank, count - 1 - rank]].tolist()
    return Estimate(
        (low + high) / 2,
        (high - low) / 2,
        method=method,
        error_probability=float(outside[rank]),
        evaluations=count,
    )


def _seeds_for(error_probability: float) -> int:
    """Return the least n with 2·2⁻ⁿ at most the error probability."""
    return math.ceil(1 - math.log2(error_probability))


def union(estimates: list[Estimate]) -> float:
    """Return a bound on the probability that any of the intervals misses (Bonferroni)."""
    return min(1.0, sum(estimate.error_probability for estimate in estimates))


def kolmogorov_smirnov(first: Array, second: Array) -> float:
    """Return the p-value of the two-sample Kolmogorov-Smirnov test in one dimension."""
    from scipy import stats

    return float(stats.ks_2samp(first.ravel(), second.ravel()).pvalue)


def energy_test(first: Array, second: Array, seed: Seed, resamples: int = 999) -> float:
    """Return the permutation p-value of the energy distance between samples of shape (n, d).

    Exact under exchangeability; at least 1/(resamples + 1). Székely and Rizzo (2004),
    Testing for equal distributions in high dimension.
    """
    from scipy.spatial.distance import cdist

    pooled = np.concatenate([first, second])
    distances = cdist(pooled, pooled)
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.ones(len(first)), np.zeros(len(second))])
    draws = np.stack([labels, *(rng.permutation(labels) for _ in range(resamples))], axis=1)
    # With distances fixed, 2 E|X-Y| - E|X-X'| - E|Y-Y'| is a quadratic form in the labels.
    n, m = len(first), len(second)
    ones = distances @ draws
    within_first = np.einsum("ij,ij->j", draws, ones) / n**2
    total = distances.sum()
    cross = (draws * (distances.sum(axis=1)[:, None] - ones)).sum(axis=0) / (n * m)
    within_second = (total - n**2 * within_first - 2 * n * m * cross) / m**2
    statistic = 2 * cross - within_first - within_second
    slack = 1e-12 * abs(statistic[0])  # equal permutations may round differently
    return float((1 + (statistic[1:] >= statistic[0] - slack).sum()) / (resamples + 1))


def classifier_test(first: Array, second: Array, seed: Seed) -> tuple[float, float]:
    """Return held-out accuracy and p-value of a nearest-neighbour classifier two-sample test.

    Half of each sample trains the classifier (scikit-learn's, k = √n), the other half is
    labelled; under equal laws its hits are binomial with probability ½. Lopez-Paz and Oquab
    (2017), Revisiting classifier two-sample tests, arXiv:1610.06545.
    """
    from scipy import stats
    from sklearn.neighbors import KNeighborsClassifier

    rng = np.random.default_rng(seed)
    count = min(len(first), len(second))
    points = np.concatenate([rng.permutation(first)[:count], rng.permutation(second)[:count]])
    labels = np.repeat([1, 0], count)
    test = np.tile(np.arange(count) % 2 == 1, 2)
    neighbours = KNeighborsClassifier(max(1, round(math.sqrt(count))))
    neighbours.fit(points[~test], labels[~test])
    hits = int((neighbours.predict(points[test]) == labels[test]).sum())
    trials = int(test.sum())
    return hits / trials, float(stats.binomtest(hits, trials, 0.5, "greater").pvalue)
