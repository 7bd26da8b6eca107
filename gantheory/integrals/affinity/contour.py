r"""From the affinity of two laws, in any space, to their bounded divergences: one contour integral.

Let :math:`A(\alpha) = \int p^\alpha q^{1-\alpha}`, which is analytic for 0 < Re α < 1, and where
it is known in closed form far beyond. Mellin's inversion of a function of p/q gives, on any line
Re α = c in (0, 1),

.. math::

   \int \min(p, q) &= \frac{1}{2\pi i} \int \frac{A(\alpha)}{\alpha(1-\alpha)}\,d\alpha, &
   \int p \log\frac{p+q}{p} &= \frac{1}{2i} \int \frac{A(\alpha)\,d\alpha}{(1-\alpha)\sin\pi\alpha},
   & \int \frac{pq}{p+q} &= \frac{1}{2i}\int \frac{A(\alpha)\,d\alpha}{\sin\pi\alpha},

and with A = 1 their values at p = q: so the divergence itself is the integral over 1 − A, which
loses nothing where the laws are close. The line is bent to a hyperbola α = c + i·b·sinh(x + iφ),
on which powers of p/q that oscillate die down, and the trapezoidal rule in x converges
exponentially. Its error is read from halving the step.

Sources: P. Flajolet, X. Gourdon, P. Dumas (1995), Theoretical Computer Science 144 (Mellin
transforms); L. N. Trefethen, J. A. C. Weideman (2014), SIAM Review 56(3) (the rule, the hyperbola);
J. P. Imhof (1961), Biometrika 48 (the law of the log-ratio of normals).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gantheory.densities.base import Array
from gantheory.records import Estimate, Status
from gantheory.rounding import EPS

METHOD = "contour integral of the affinity"
REACH = 80.0  # of x, where even 1/(α(1 − α)) is below 1e-34
FIRST, HALVINGS = 0.25, (3, 8)
CONVERGED = 1e-12  # relative
BENDS = (0.0, 0.6, -0.6)
VAGUE = 1e-9
Weight = Callable[[Array], Array]


class Affinity(Protocol):
    """What is known of two laws: log A at complex α, and how it moves with a parameter."""

    def log(self, alpha: Array) -> tuple[Array, Array]:
        """Return log A(α) and the size of the terms that it was summed from."""

    def slope(self, alpha: Array) -> tuple[Array, Array]:
        """Return the derivative of log A(α) in the parameter of q, and the size of its terms."""


def _cosecant(alpha: Array) -> Array:
    """Return π/sin πα, which falls like an exponential away from the real axis."""
    up = np.where(alpha.imag < 0, np.conj(alpha), alpha)
    turn = np.exp(1j * np.pi * up)
    found = -2j * np.pi * turn / (1 - turn * turn)
    return np.where(alpha.imag < 0, np.conj(found), found)


def _of_p(alpha: Array) -> Array:
    return _cosecant(alpha) / (1 - alpha)


def _of_q(alpha: Array) -> Array:
    return _cosecant(alpha) / alpha


def _both(alpha: Array) -> Array:
    return 0.5 * _cosecant(alpha) / (alpha * (1 - alpha))


def _least(alpha: Array) -> Array:
    return 1 / (alpha * (1 - alpha))


@dataclass(frozen=True)
class _Form:
    """A divergence as factor·(value at p = q − integral), or the integral itself: a complement."""

    weight: Weight
    factor: float = 1.0
    complement: bool = False


FORMS = {
    "jsd": _Form(_both),
    "jsd_gap": _Form(_both, complement=True),
    "kl_pm": _Form(_of_p),
    "kl_qm": _Form(_of_q),
    "tv": _Form(_least),
    "tv_gap": _Form(_least, complement=True),
    "triangular": _Form(_cosecant, 4.0),
}


def is_known(name: str | None) -> bool:
    """Whether a divergence is a contour integral of the affinity."""
    return name in FORMS


def divergence_by_affinity(name: str, affinity: Affinity, *, slope: bool = False) -> Estimate:
    """Return a divergence of `FORMS`, or its derivative in the parameter that the affinity knows.

    The line passes where A is least on (0, 1), except for 1 − A, which is smallest next to 1/2.
    """
    form = FORMS[name]
    centre = _saddle(affinity) if form.complement or slope else 0.5
    with np.errstate(all="ignore"):
        log_least = float(affinity.log(np.array([centre + 0j]))[0].real[0])
        value, error, count = _integral(form, affinity, slope, centre, log_least)
    if not (math.isfinite(value) and math.isfinite(error)):
        return Estimate.undetermined(
            f"the contour integral of {name} does not converge; use method='monte carlo'", METHOD
        )
    return _estimate(form, value, error, count, log_least if form.complement or slope else 0.0)


def _estimate(form: _Form, value: float, error: float, count: int, log: float) -> Estimate:
    """Return value·e^log with its error."""
    scale = math.exp(log)
    log_value = math.log(value) + log if value > 0 else None
    careful = error <= VAGUE * abs(value) or value == 0
    if scale * abs(value) < np.finfo(float).tiny and value:
        reason = "below the range of binary64; see log_value"
        return Estimate(scale * value, 1e-321, Status.ILL_CONDITIONED, METHOD, reason,
                        log_value=log_value, evaluations=count)  # fmt: skip
    return Estimate(
        scale * value,
        scale * error,
        Status.OK if careful else Status.ILL_CONDITIONED,
        METHOD,
        None if careful else "the affinity oscillates too long for more digits",
        log_value=log_value,
        evaluations=count,
    )


def _saddle(affinity: Affinity) -> float:
    """Return where A is about least on (0.05, 0.95), which keeps off the poles at 0 and 1."""
    grid = np.linspace(0.05, 0.95, 91)
    with np.errstate(all="ignore"):
        log = affinity.log(grid + 0j)[0].real
    place = int(np.nanargmin(log)) if np.isfinite(log).any() else 45
    return float(grid[place]) if log[45] - log[place] > 1e-3 else 0.5


def _integral(
    form: _Form, affinity: Affinity, slope: bool, centre: float, log: float
) -> tuple[float, float, int]:
    """Return the integral on the first hyperbola on which it settles soon, or on the best."""
    best = math.nan, math.inf, 0
    for halvings in HALVINGS:
        for bend in BENDS:
            found = _bent(form, affinity, slope, centre, bend, log, halvings)
            if math.isfinite(found[0]) and found[1] < best[1]:
                best = found
            if best[1] <= CONVERGED * abs(best[0]):
                return best
    return best


def _bent(
    form: _Form,
    affinity: Affinity,
    slope: bool,
    centre: float,
    bend: float,
    log: float,
    halvings: int,
) -> tuple[float, float, int]:
    """Return the integral on one hyperbola, relative to e^log, its error and how many points."""
    step = FIRST
    x = np.arange(-REACH, REACH + step / 2, step)
    total, rounding, ends = _sum(form, affinity, slope, centre, bend, log, x)
    value, count = step * total, len(x)
    for _ in range(halvings):
        middle = x[:-1] + step / 2 if count == len(x) else np.arange(-REACH + step / 2, REACH, step)
        more, noise, _ = _sum(form, affinity, slope, centre, bend, log, middle)
        total, rounding, step = total + more, rounding + noise, step / 2
        value, before = step * total, value
        count += len(middle)
        error = abs(value - before) + step * rounding + ends
        if (
            abs(value - before) <= max(step * rounding, 4 * EPS * abs(value))
            or not error < math.inf
        ):
            break
    return value, error, count


def _sum(
    form: _Form, affinity: Affinity, slope: bool, centre: float, bend: float, log: float, x: Array
) -> tuple[float, float, float]:
    """Return the sum of samples, that of their rounding errors, and what lies beyond the ends."""
    breadth = min(centre, 1 - centre)
    alpha = centre + 1j * breadth * np.sinh(x + 1j * bend)
    weight = form.weight(alpha) * breadth * np.cosh(x + 1j * bend) / (2 * np.pi)
    log_a, size = affinity.log(alpha)
    if slope:
        moved, terms = affinity.slope(alpha)
        f = weight * np.exp(log_a - log) * moved
        noise = np.abs(weight * np.exp(log_a - log)) * (np.abs(moved) * (1 + size) + terms)
        sign = 1.0 if form.complement else -form.factor
    elif form.complement:
        f, sign = weight * np.exp(log_a - log), 1.0
        noise = np.abs(f) * (1 + size)
    else:
        f, sign = -weight * np.expm1(log_a), form.factor
        noise = np.abs(weight) * (np.exp(log_a.real) * size + np.abs(np.expm1(log_a)))
    dead = np.abs(weight) == 0  # where A itself may have overflowed on the wrong side
    f, noise = np.where(dead, 0.0, f), np.where(dead, 0.0, noise)
    ends = 2 * float(np.abs(f[0]) + np.abs(f[-1]))  # beyond, samples fall like exp(−abs(x))
    rounding = 16 * EPS * float(np.sum(np.minimum(noise, 1e300)))
    return sign * float(np.sum(f.real)), abs(sign) * rounding, abs(sign) * ends
