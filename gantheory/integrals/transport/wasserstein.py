r"""The Wasserstein-1 distance on the line.

.. math:: W_1 = \int |F_p - F_q|\,dx

For two members of one location-scale family the distance is E abs(a + bZ), which loses nothing
when they are close.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.univariate import Univariate
from gantheory.integrals.line.axis import is_too_narrow, on_one_axis
from gantheory.integrals.line.estimates import COLLAPSED, finished
from gantheory.integrals.line.inputs import input_noise
from gantheory.integrals.line.integrals import LineIntegral, line_integrals
from gantheory.integrals.line.moving import moves_one_way
from gantheory.integrals.line.panels import Panels, level_crossings, rays
from gantheory.integrals.line.probe import panels_of
from gantheory.integrals.line.quadrature import NodeSamples, OneIntegrand, integrate
from gantheory.integrals.transport.gaps import Coupling, Gap, alive, hull
from gantheory.integrals.transport.moments import NO_SETTLING, without_mean
from gantheory.integrals.transport.potentials import w1_slope
from gantheory.records import Estimate
from gantheory.rounding import EPS
from gantheory.wrt import split_parameter


def w1(p: Univariate, q: Univariate, wrt: str | None = None) -> Estimate:
    """Return W1 between two laws on the line, or its derivative in one parameter.

    Args:
        p: the data density; it needs a distribution function.
        q: the generator's density.
        wrt: ``"q.loc"``, ``"p.df"``, ``"q.weights[0]"``, ... for the derivative.
    """
    if wrt:
        side, parameter = split_parameter(wrt)
        p, q = (p, q) if side == "q" else (q, p)
        noise = input_noise(p, q)
        p, q, names = on_one_axis(p, q, {parameter})
        if law := next(filter(is_too_narrow, (p, q)), None):
            return Estimate.undetermined(COLLAPSED.format(law=law))
        if refusal := moves_one_way(names[parameter], q):
            return refusal
        return w1_slope(p, q, names[parameter], noise)
    noise = input_noise(p, q)
    p, q, _ = on_one_axis(p, q, set())
    if p == q:
        return Estimate(0.0, method="closed form")
    coupling = Coupling.of(p, q)
    if (answer := without_mean(p, q, coupling)) is not None:
        return answer
    if coupling and not coupling.slope:
        shift = abs(coupling.offset)
        exact = LineIntegral(shift, EPS * shift, shift, 0.0, 0, True)
        return replace(finished(exact, noise, p, q), method="closed form")
    if coupling and abs(coupling.slope) > coupling.scale:
        p, q = q, p  # standard points of the wider law keep more digits
    return _integrated(p, q, noise)


def _integrated(p: Univariate, q: Univariate, noise: float) -> Estimate:
    sample = _Sampler(p, q, Gap(p, q))
    panels, log_left, resolved = panels_of(sample, rays(p, q, (hull(p, q),)))
    with np.errstate(all="ignore"):
        owner, root, _ = level_crossings(panels, sample.moved, (0.0,))
    sums = integrate(sample, panels.split(owner, root))
    (found,) = line_integrals(sums, log_left, resolved)
    if not found.resolved or not math.isfinite(found.error):
        return Estimate.undetermined(NO_SETTLING)
    away = (p.misplaced + q.misplaced) * math.exp(-found.shift)  # which mass may be moved by
    return finished(replace(found, error=found.error + away), noise, p, q)


@dataclass(frozen=True)
class _Sampler(OneIntegrand):
    """|F_p − F_q|, or q times how far the coupling moves mass, at nodes."""

    p: Univariate
    q: Univariate
    gap: Gap

    def moved(self, panels: Panels, xi: Array) -> Array:
        """Return a quantity with the sign of F_p − F_q."""
        return self.gap.sign(panels.at(xi)[0])[0]

    def __call__(self, panels: Panels, xi: Array, drift: Array | float = 0.0) -> NodeSamples:
        with np.errstate(all="ignore"):
            at, weight = panels.at(xi, drift)
            difference, error = self.gap.sign(at)
            if self.gap.coupling:
                log_q = self.q.log_density(at)
                weight = weight + log_q
                error = error + EPS * (8 + np.abs(log_q)) * np.abs(difference)
            # a difference that rounded to 0 still counts with its error
            mantissa = np.maximum(np.abs(difference), 1e-3 * error)
            noise = error / mantissa
            under = np.maximum(np.abs(difference), error) < sys.float_info.min
            if not self.gap.coupling and under.any():
                weight = np.where(under, weight + self.gap.log_underflow(at), weight)
                mantissa, noise = np.where(under, 1.0, mantissa), np.where(under, 1.0, noise)
        return alive(weight, mantissa, noise)
