r"""W1 of normal laws in space, where one potential is best for all that is moved.

Of one covariance, W1 is the distance of the means: every point moves along it, and a linear f of
slope 1 gains just that. About one mean m, with covariances that are multiples c² of each other,
every point moves along its ray, and f(x) = ‖x − m‖ gains

.. math:: W_1 = |c-1|\,E\|X-m\|,\qquad E\sqrt{Q} = \frac{1}{2\sqrt\pi}\int_0^\infty
   \big(1 - \textstyle\prod_i(1+2\lambda_i s)^{-1/2}\big)\,s^{-3/2}\,ds,

λ the eigenvalues of the covariance (from :math:`\sqrt{Q}` as an integral of 1 − exp(−sQ)).
"""

from __future__ import annotations

import math

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.plane import Spatial
from gantheory.records import Estimate
from gantheory.rounding import EPS

CLOSED = "closed form"
SAME = 1e-14  # relative: what decimals may have parted
STEP = 0.125  # of the trapezoidal rule in log s: exponentially exact, for it is analytic to ±π
REACH = 84.0  # both tails fall as exp(−|log s|/2)


def w1_of_normals(p: Spatial, q: Spatial) -> Estimate | None:
    """Return W1 of two normal laws in space, or None where no one potential is known to be best."""
    if len(p.covariances) != 1 or len(q.covariances) != 1 or p.dim != q.dim:
        return None
    first, second = p.covariances[0], q.covariances[0]
    apart = float(np.linalg.norm(q.means[0] - p.means[0]))
    square = float(np.trace(second) / np.trace(first))
    if np.abs(second - square * first).max() > SAME * np.abs(second).max():
        return None
    if abs(square - 1) <= SAME:
        widened = SAME * math.sqrt(float(np.trace(first)))  # what a width within SAME may add
        return Estimate(apart, 4 * EPS * apart + widened, method=CLOSED)
    if apart:
        return None
    spectrum = np.linalg.eigvalsh(first)
    if spectrum[0] < 1e-9 * spectrum[-1]:
        return None
    value = abs(math.sqrt(square) - 1) * _mean_norm(spectrum)
    error = 64 * EPS * value + 4 * EPS * (1 + math.sqrt(square)) * _mean_norm(spectrum)
    return Estimate(value, error, method=CLOSED)


def _mean_norm(spectrum: Array) -> float:
    """Return E‖X‖ of a centred normal law with the eigenvalues of its covariance.

    >>> round(_mean_norm(np.array([1.0, 1.0])) / math.sqrt(math.pi / 2), 14)
    1.0
    """
    size = float(spectrum[-1])
    y = np.arange(-REACH, REACH + STEP, STEP)
    logs = np.log1p(2 * np.exp(y)[:, None] * (spectrum / size)).sum(1)
    terms = -np.expm1(-0.5 * logs) * np.exp(-0.5 * y)
    return math.sqrt(size) * STEP * float(terms.sum()) / (2 * math.sqrt(math.pi))
