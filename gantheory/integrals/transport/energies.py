r"""The energy distance of any two laws on the line with distribution functions.

.. math:: \mathcal{E} = 2\int (F_p - F_q)^2\,dx

It is finite for heavier tails than either of the expectations that it is made of: those of the
Cauchy law are.

Source: G. J. Székely, M. L. Rizzo (2013), Journal of Statistical Planning and Inference 143(8).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.univariate import Univariate
from gantheory.integrals.line.axis import on_one_axis
from gantheory.integrals.line.estimates import finished
from gantheory.integrals.line.inputs import input_noise
from gantheory.integrals.line.integrals import line_integrals
from gantheory.integrals.line.panels import Panels, level_crossings, rays
from gantheory.integrals.line.probe import panels_of
from gantheory.integrals.line.quadrature import NodeSamples, OneIntegrand, integrate
from gantheory.integrals.transport.gaps import Gap, alive, hull
from gantheory.records import Estimate

LEAST = -1.5  # the power of a density from which on ∫ F² diverges


def energy_on_the_line(p: Univariate, q: Univariate) -> Estimate:
    """Return 2∫(F_p − F_q)² with its error."""
    noise = input_noise(p, q)
    p, q, _ = on_one_axis(p, q, set())
    if p == q:
        return Estimate(0.0, method="closed form")
    if (answer := is_infinite(p, q)) is not None:
        return answer
    sample = _Squares(p, q, Gap(p, q))
    panels, log_left, resolved = panels_of(sample, rays(p, q, (hull(p, q),)))
    with np.errstate(all="ignore"):
        owner, root, _ = level_crossings(panels, sample.moved, (0.0,))
    (found,) = line_integrals(integrate(sample, panels.split(owner, root)), log_left, resolved)
    if not found.resolved or not math.isfinite(found.error):
        return Estimate.undetermined("the integral of the energy distance does not converge")
    away = 4 * (p.misplaced + q.misplaced) * math.exp(-found.shift)
    value = finished(replace(found, error=found.error + away), noise, p, q)
    log = None if value.log_value is None else value.log_value + math.log(2)
    return replace(value, value=2 * value.value, error=2 * value.error, log_value=log)


def is_infinite(p: Univariate, q: Univariate) -> Estimate | None:
    """Decide by the tails whether ∫(F_p − F_q)² is infinite."""
    for end, side in ((-math.inf, +1), (math.inf, -1)):
        tails = [law.tail(end, side) for law in (p, q) if law.support[side < 0] == end]
        if any(tail is None for tail in tails):
            return Estimate.undetermined(f"a tail at {end:g} is not known; state the tails")
        heavy = [tail.log for tail in tails if tail and tail.is_algebraic and tail.log >= LEAST]
        if len(heavy) == 2 and heavy[0] == heavy[1]:
            return Estimate.undetermined(
                f"two tails as heavy at {end:g}: whether they cancel is open"
            )
        if heavy:
            power = float(max(heavy))
            return Estimate.infinite(f"a density falls like abs(x)^{power:g} at {end:g}")
    return None


@dataclass(frozen=True)
class _Squares(OneIntegrand):
    """(F_p − F_q)² at nodes."""

    p: Univariate
    q: Univariate
    gap: Gap

    def moved(self, panels: Panels, xi: Array) -> Array:
        """Return F_p − F_q."""
        return self.gap.at(panels.at(xi)[0])[0]

    def __call__(self, panels: Panels, xi: Array, drift: Array | float = 0.0) -> NodeSamples:
        with np.errstate(all="ignore"):
            at, weight = panels.at(xi, drift)
            difference, error = self.gap.at(at)
            size = np.maximum(np.abs(difference), error)
            log_size = np.where(size > 0, np.log(size), self.gap.log_underflow(at))
            mantissa = np.where(size > 0, (difference / size) ** 2, 1.0)
            noise = np.where(size > 0, 2 * error / size + (error / size) ** 2, 1.0)
            mantissa = np.maximum(mantissa, 1e-3 * noise)
            return alive(weight + 2 * log_size, mantissa, noise / mantissa)
