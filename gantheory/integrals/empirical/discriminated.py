r"""What samples show of an f-divergence: a lower bound, by a classifier that never saw the points.

Any event A gives :math:`D_f(P\|Q) \ge D_f((P(A), P(A^c))\|(Q(A), Q(A^c)))`. A is where a
classifier trained on one half of the samples says "P"; its probabilities are bounded on the other
half by exact binomial intervals. Both halves take both parts, and the better bound counts. The two
samples must be independent; where they show that they are not, nothing is bounded.

Source of the intervals: C. J. Clopper, E. S. Pearson (1934), Biometrika 26.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.stats import beta

from gantheory.densities.base import Array, Density
from gantheory.densities.discrete import Discrete
from gantheory.divergences import FDivergence, in_catalogue
from gantheory.errors import GantheoryError, require
from gantheory.integrals.empirical.compare import ERROR, SampleEstimate
from gantheory.integrals.empirical.space import as_rows
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.integrals.plane.boxes import divergence_of_masses
from gantheory.records import Status
from gantheory.samples.record import Samples

LEAST = 20  # points of each sample: with fewer, no bound is above 0


def least_divergence(
    kernel: Kernel,
    p: Samples | Density,
    q: Samples | Density,
    *,
    interval_error: float = ERROR,
    seed: int = 0,
) -> SampleEstimate:
    """Return a number below which an f-divergence of the laws behind two samples does not lie.

    The divergence itself is not determined by samples: the answer is undetermined, and its
    ``lower`` holds the bound, which is wrong with probability ``interval_error`` at most.
    """
    if not isinstance(kernel.entry, FDivergence) or not in_catalogue(kernel.entry):
        raise GantheoryError(
            f"{kernel.name} of samples: only a lower bound of an f-divergence can be had from them"
        )
    if not isinstance(p, Samples) or not isinstance(q, Samples):
        raise GantheoryError(
            f"{kernel.name} of {p} and {q}: samples have no density; give samples of both, or a "
            "density fitted to the samples, such as samples(x).kde()"
        )
    if p.dim != q.dim:
        raise GantheoryError(f"{p} and {q} differ in dimension: {p.dim} and {q.dim}")
    if min(len(p), len(q)) < LEAST:
        raise GantheoryError(
            f"{p} and {q}: at least {LEAST} points of each are needed (probabilities are "
            "discrete(masses=[...]))"
        )
    require("a lower bound by a classifier", "samples", "sklearn")
    if shared := _shared(as_rows(p.points), as_rows(q.points)):
        lower, bound = 0.0, f"they share {shared}, so they are not independent and bound nothing"
    else:
        halves = _halves(p, q, seed)
        lower = max(_bound(kernel, *pair, interval_error / 2) for pair in halves)
        bound = (
            f"it is at least {lower:.6g}, by a classifier on points that it never saw (wrong with "
            f"probability {interval_error:g} at most)"
        )
    reason = (
        f"samples do not determine {kernel.name}: {bound}; for the divergence of fitted models "
        "give samples(x).kde()"
    )
    return SampleEstimate(
        math.nan, math.inf, Status.UNDETERMINED, "cross-fitted classifier", reason,
        lower=lower, interval_error=interval_error, interval_method="Clopper-Pearson intervals",
    )  # fmt: skip


def _shared(p: Array, q: Array) -> str | None:
    """Say what two samples share that independent ones cannot, or almost never do.

    Points that neither sample repeats come from laws without masses, of which no two draws agree.
    """
    distinct = [np.unique(rows, axis=0) for rows in (p, q)]
    if np.array_equal(p[np.lexsort(p.T)], q[np.lexsort(q.T)]):
        return "all their points"
    if any(len(one) < len(rows) for one, rows in zip(distinct, (p, q), strict=True)):
        return None
    common = len(p) + len(q) - len(np.unique(np.concatenate(distinct), axis=0))
    return f"{common} point{'s' * (common > 1)} that neither repeats" if common else None


def _halves(p: Samples, q: Samples, seed: int) -> list[tuple[list[Array], list[Array]]]:
    """Return (training, held out) rows of both samples, in both ways."""
    rng = np.random.default_rng(seed)
    parts = [np.array_split(rng.permutation(as_rows(law.points)), 2) for law in (p, q)]
    halves = [[part[k] for part in parts] for k in (0, 1)]
    return [(halves[0], halves[1]), (halves[1], halves[0])]


def _bound(kernel: Kernel, training: list[Array], held: list[Array], error: float) -> float:
    says_p = _classifier(training)
    counts = [(int(np.sum(says_p(rows))), len(rows)) for rows in held]
    (low, high), (other_low, other_high) = (_binomial(k, n, error / 2) for k, n in counts)
    if low > other_high:
        a, b = low, other_high
    elif high < other_low:
        a, b = high, other_low
    else:
        return 0.0
    found = divergence_of_masses(kernel, Discrete((a, 1 - a)), Discrete((b, 1 - b)))
    return max(found.value - found.error, 0.0)


def _binomial(k: int, n: int, error: float) -> tuple[float, float]:
    """Return the interval of Clopper and Pearson for a probability."""
    low = float(beta.ppf(error / 2, k, n - k + 1)) if k else 0.0
    high = float(beta.isf(error / 2, k + 1, n - k)) if k < n else 1.0
    return low, high


def _classifier(training: list[Array]) -> Any:
    """Return a function that says which rows look like the first sample."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    rows = np.concatenate(training)
    labels = np.repeat([1, 0], [len(part) for part in training])
    odds = len(training[0]) / len(rows)
    model = HistGradientBoostingClassifier(max_iter=60, max_depth=4, random_state=0)
    model.fit(rows, labels)
    return lambda x: model.predict_proba(x)[:, 1] > odds
