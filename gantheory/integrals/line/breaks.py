"""Where a generator f is not smooth: kinks (point masses of its curvature) and jumps.

A jump occurs in what a loss's generator reads: its loss at the optimal discriminator, which
for the hinge loss is 1 where p < q and −1 where p > q. Where the ratio p/q stays at a jump on a
set of positive probability, any value between its two sides is as good; their mean is taken there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gantheory.densities.base import Array
from gantheory.divergences.ratio import Ratio
from gantheory.divergences.stable import Integrand, Scaled
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.records import Estimate, Status
from gantheory.rounding import EPS


@dataclass(frozen=True)
class Kink:
    """A unit point mass of curvature at r = e^level: f̃ = max(0, ±(r − e^level)), 0 at r = 1."""

    level: float

    def value(self, n: Ratio) -> Scaled:
        """Return q f̃(p/q)."""
        if self.level == 0:  # half of the hockey stick on either side: (r − 1)⁺ up to (r − 1)/2
            return n.log_top, -np.expm1(-n.v) / 2
        beyond = n.u > self.level if self.level > 0 else n.u < self.level
        weight = np.where(n.u > self.level, n.log_p, n.log_q + self.level)
        return weight, np.where(beyond, -np.expm1(-np.abs(n.u - self.level)), 0.0)

    def slope(self, n: Ratio) -> Scaled:
        """Return q G(u)."""
        if self.level == 0:
            return n.log_q, -np.sign(n.u) / 2
        beyond = n.u > self.level if self.level > 0 else n.u < self.level
        sign = -1.0 if self.level > 0 else 1.0
        return n.log_q + self.level, np.where(beyond, sign, 0.0)

    def slope_far(self, n: Ratio) -> Scaled:
        """Return q·(G(u) − G(−∞))."""
        return n.log_q + self.level, -np.heaviside(n.u - self.level, 0.5)


@dataclass(frozen=True)
class Jump:
    """A unit jump at r = e^level: f̃ is 0 on the side of r = 1 and ±1 beyond, or ±1/2 about it.

    With ``turned`` it is that jump with p and q exchanged: r times it at 1/r.
    """

    level: float
    turned: bool = False

    def value(self, n: Ratio) -> Scaled:
        """Return q f̃(p/q)."""
        if self.turned:
            return Jump(-self.level).value(n.swapped)
        height = np.heaviside(self._above(n), 0.5)
        return n.log_q, height - (0.5 if self.level == 0 else float(self.level < 0))

    def slope(self, n: Ratio) -> Scaled:
        """Return q G(u) without the point mass at the jump."""
        return (n.log_q, np.zeros(n.u.shape)) if self.turned else self.value(n)

    def slope_far(self, n: Ratio) -> Scaled:
        """Return q·(G(u) − G(−∞)) without the point mass at the jump."""
        height = np.heaviside(self._above(n), 0.5)
        return n.log_q, np.zeros(n.u.shape) if self.turned else height

    def _above(self, n: Ratio) -> Array:
        return np.where(is_at_level(n, self.level), 0.0, n.u - self.level)


def is_at_level(n: Ratio, level: float) -> Array:
    """Return where p = e^level·q to within the rounding of u."""
    with np.errstate(invalid="ignore"):
        return np.abs(n.u - level) <= ratio_rounding(n, level)


def ratio_rounding(n: Ratio, level: float = 0.0) -> Array:
    """Return a bound on the rounding error of u − level."""
    if n.doubt is not None:
        return n.doubt + EPS * abs(level)
    size = 4 + abs(level) + np.abs(n.log_p) + np.abs(n.log_q)
    return 4 * EPS * np.where(np.isfinite(size), size, 0.0)


TIED = (
    "p/q stays at a jump of the loss on a set of positive probability, where a whole interval of "
    "scores is optimal: the loss may be anything within the error"
)


def with_ties(estimate: Estimate, lost: float) -> Estimate:
    """Return an estimate that says what is ``lost`` where p/q stays at a jump."""
    if not lost:
        return estimate
    error, status = estimate.error + lost, Status.ILL_CONDITIONED
    return replace(estimate, error=error, status=status, reason=TIED)


def ties(kernel: Kernel) -> Integrand:
    """Return the integrand of what a loss may differ by, where p/q stays at one of its jumps."""

    def integrand(n: Ratio) -> Scaled:
        lost = np.zeros(n.u.shape)
        for level, height in kernel.jumps:
            lost += abs(height) / 2 * is_at_level(n, level)
        return n.log_q, lost

    return integrand


KINKED = (
    "p/q stays at a kink of {name} on a set of positive probability, whose points leave it to both "
    "sides when {parameter} moves: the derivatives from the two sides differ; move one of the laws"
)


def ties_at_kinks(kernel: Kernel) -> Integrand:
    """Return q on the set where p/q stays at a kink: there G may be that of either side."""

    def integrand(n: Ratio) -> Scaled:
        return n.log_q, np.sum(
            [is_at_level(n, level) for level in kernel.kinks], axis=0, dtype=float
        )

    return integrand


def terms_at_levels(kernel: Kernel, n: Ratio, log_m: Array | float = 0.0) -> Array:
    """Return what each point may add to the loss where p/q stays at a jump, divided by m."""
    weight, mantissa = ties(kernel)(n)
    with np.errstate(invalid="ignore"):
        return np.where(np.isneginf(weight), 0.0, np.exp(weight - log_m) * mantissa)


def break_integrands(
    kinks: Sequence[tuple[float, float]], jumps: Sequence[tuple[float, float]], turned: bool
) -> list[tuple[Kink | Jump, float]]:
    """Return kinks (level, mass) and jumps (level, height) as integrands with their weights."""
    bent = [(Kink(level), mass) for level, mass in kinks]
    return [*bent, *((Jump(level, turned), height) for level, height in jumps)]
