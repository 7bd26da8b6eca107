r"""MMD² of any two laws on the line with distribution functions, and its derivatives.

.. math:: \mathrm{MMD}^2 = E_p W - E_q W = \int (p - q)\,W\,dx, \qquad
          \partial_\theta \mathrm{MMD}^2 = -2\int q\,s_\theta\,W\,dx

with the witness W (`Witness`) and the score s of q; the ends of q that move with θ add
velocity·[q(x−) − q(x+)]·W(x) to the second integral.

Source: A. Gretton et al. (2012), Journal of Machine Learning Research 13.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.univariate import Univariate
from gantheory.divergences.ratio import Ratio
from gantheory.divergences.stable import Integrand
from gantheory.integrals.line.axis import is_too_narrow, on_one_axis
from gantheory.integrals.line.estimates import COLLAPSED, finished
from gantheory.integrals.line.inputs import input_noise
from gantheory.integrals.line.integrals import LineIntegral, Output, Pair, line_integrals
from gantheory.integrals.line.moving import beside, moves_one_way, moving_points
from gantheory.integrals.line.panels import Panels, rays
from gantheory.integrals.line.probe import Sampling, panels_of
from gantheory.integrals.line.quadrature import NodeSamples, OneIntegrand, integrate
from gantheory.integrals.transport.gaps import Gap, alive
from gantheory.integrals.transport.radial import RadialKernel
from gantheory.integrals.transport.witness import Witness
from gantheory.records import Estimate
from gantheory.rounding import EPS
from gantheory.wrt import split_parameter

NOT_CONVERGED = "the integral of MMD² does not converge"


def mmd2_on_the_line(
    p: Univariate,
    q: Univariate,
    kernel: RadialKernel,
    bandwidth: float,
    wrt: str | None = None,
) -> Estimate:
    """Return MMD² with a kernel of a bandwidth, or its derivative, with its error."""
    side, parameter = split_parameter(wrt) if wrt else ("q", "")
    p, q = (p, q) if side == "q" else (q, p)
    noise = input_noise(p, q)
    p, q, names = on_one_axis(p, q, {parameter} if wrt else set())
    if law := next(filter(is_too_narrow, (p, q)), None):
        return Estimate.undetermined(COLLAPSED.format(law=law))
    if p == q:  # where it is least, so that its derivative vanishes too
        return Estimate(0.0, method="closed form")
    parameter = names.get(parameter, "")
    if wrt and (refusal := _no_derivative(parameter, q)):
        return refusal
    witness = Witness.of(Gap(p, q), kernel, bandwidth)
    sample: Sampling = (
        _Slope(q, parameter, witness) if wrt else WitnessIntegrand(Pair(p, q), witness, _difference)
    )
    panels, log_left, resolved = panels_of(sample, rays(p, q, finest=bandwidth))
    (found,) = line_integrals(integrate(sample, panels), log_left, resolved)
    if wrt:
        found = _with_ends(found, q, parameter, witness)
    away = 4 * (p.misplaced + q.misplaced) / bandwidth * math.exp(min(-found.shift, 700.0))
    found = replace(found, error=found.error + away)
    if not found.resolved or not math.isfinite(found.error):
        return Estimate.undetermined(NOT_CONVERGED)
    return finished(found, noise, p, q)


def _no_derivative(parameter: str, q: Univariate) -> Estimate | None:
    if refusal := moves_one_way(parameter, q):
        return refusal
    for point, _ in moving_points(q, parameter):
        tails = [q.tail(point, side) for side in (-1, +1)]
        if any(tail is None or tail.is_unbounded for tail in tails):
            return Estimate.undetermined(
                f"q is unbounded at {point:g}, which moves with {parameter}; use a one-sided "
                "difference of values"
            )
    return None


def _difference(n: Ratio) -> tuple[Array, Array]:
    """Return p − q as a weight and a mantissa."""
    return n.log_top, np.copysign(n.drop, n.u)


@dataclass(frozen=True)
class WitnessIntegrand(OneIntegrand):
    """A density times W at nodes: one made of p and q, such as p − q."""

    pair: Pair
    witness: Witness
    density: Integrand

    def __call__(self, panels: Panels, xi: Array, drift: Array | float = 0.0) -> NodeSamples:
        got = self.pair.sampler([Output(self.density)])(panels, xi, drift)
        with np.errstate(all="ignore"):
            value, error = self.witness.at(panels.at(xi, drift)[0])
            unsure = np.abs(got.mantissa) * error
            if got.unsure is not None:
                unsure = unsure + got.unsure * (np.abs(value) + error)
        unsure = np.where(np.isneginf(got.log_weight), 0.0, unsure)
        return NodeSamples(got.log_weight, got.mantissa * value, got.noise, unsure, got.lost)


@dataclass(frozen=True)
class _Slope(OneIntegrand):
    """−2 q·score·W at nodes."""

    q: Univariate
    parameter: str
    witness: Witness

    def __call__(self, panels: Panels, xi: Array, drift: Array | float = 0.0) -> NodeSamples:
        with np.errstate(all="ignore"):
            at, log_jacobian = panels.at(xi, drift)
            log_q = self.q.log_density(at)
            size = np.abs(np.where(np.isfinite(log_q), log_q, 0.0))
            noise = np.minimum(EPS * (8 + self.q.log_magnitude + size), 1.0)
            value, error = self.witness.at(at)
            score = self.q.scores(self.parameter, at)
            constant = 8 * EPS * self.q.score_size(self.parameter)
            unsure = 2 * (constant * np.abs(value) + np.abs(score) * error)
            mantissa = np.where(value == 0, 0.0, -2 * score * value)
        return alive(log_jacobian + log_q, mantissa, noise, unsure)


def _with_ends(
    integral: LineIntegral, q: Univariate, parameter: str, witness: Witness
) -> LineIntegral:
    """Add what the jumps of q that move do."""
    scale = math.exp(min(-integral.shift, 700.0))
    for point, velocity in moving_points(q, parameter):
        for side in (-1, +1):
            at = beside(point, side)
            value, error = (float(part[0]) for part in witness.at(at))
            level = 2 * side * velocity * float(np.exp(q.log_density(at)[0])) * scale
            integral = replace(
                integral,
                value=integral.value + level * value,
                error=integral.error + abs(level) * (error + 8 * EPS * abs(value)),
                absolute=integral.absolute + abs(level * value),
            )
    return integral
