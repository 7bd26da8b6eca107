r"""Derivatives of the energy distance of any two laws on the line with distribution functions.

.. math:: \partial_\theta \mathcal{E} = 4\int (F_p - F_q)\,v_\theta\,q\,dx

with v how fast the quantiles of q move. Where only the score of q is known, the distance itself is
interpolated at Chebyshev points of the parameter, of which it is an analytic function, and the
interpolant is differentiated: its error is what the last coefficients and the errors of the values
make of the derivative.

Source of the interpolant: L. N. Trefethen (2013), Approximation Theory and Approximation Practice,
chapters 7 and 8.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.polynomial import chebyshev

from gantheory.densities.base import Array
from gantheory.densities.univariate import Points, Univariate
from gantheory.errors import GantheoryError
from gantheory.integrals.line.axis import on_one_axis
from gantheory.integrals.line.estimates import finished
from gantheory.integrals.line.inputs import input_noise
from gantheory.integrals.line.integrals import line_integrals
from gantheory.integrals.line.moving import moves_one_way
from gantheory.integrals.line.panels import Panels, level_crossings, rays
from gantheory.integrals.line.probe import panels_of
from gantheory.integrals.line.quadrature import NodeSamples, OneIntegrand, integrate
from gantheory.integrals.transport.energies import energy_on_the_line, is_infinite
from gantheory.integrals.transport.gaps import Gap, alive, hull
from gantheory.records import Estimate, Status
from gantheory.rounding import EPS
from gantheory.wrt import split_parameter

NODES = 20
REACHES = (0.3, 0.08, 0.02)  # of the parameter's size, until the coefficients die down
CONVERGED = 1e-9  # relative to the derivative's terms
NOT_CONVERGED = "the integral of the energy distance's derivative does not converge"


def energy_slope(p: Univariate, q: Univariate, wrt: str) -> Estimate:
    """Return the derivative of the energy distance in a parameter, with its error."""
    side, parameter = split_parameter(wrt)
    p, q = (p, q) if side == "q" else (q, p)
    ours, theirs, names = on_one_axis(p, q, {parameter})
    if ours == theirs:  # where it is least
        return Estimate(0.0, method="closed form")
    if (known := is_infinite(ours, theirs)) is not None:
        return Estimate.undetermined(f"energy has no derivative here: its value is {known}")
    name = names.get(parameter, parameter)
    if refusal := moves_one_way(name, theirs):
        return refusal
    if theirs.velocity(name, Points.at(np.zeros(1))) is None:
        return _interpolated(p, q, parameter)
    return _integrated(ours, theirs, name, input_noise(p, q))


def _integrated(p: Univariate, q: Univariate, name: str, noise: float) -> Estimate:
    sample = _Moved(q, name, Gap(p, q))
    panels, log_left, resolved = panels_of(sample, rays(p, q, (hull(p, q),)))
    with np.errstate(all="ignore"):
        owner, root, _ = level_crossings(panels, sample.apart, (0.0,))
    (found,) = line_integrals(integrate(sample, panels.split(owner, root)), log_left, resolved)
    if not found.resolved or not math.isfinite(found.error):
        return Estimate.undetermined(NOT_CONVERGED)
    away = 4 * (p.misplaced + q.misplaced) * math.exp(-found.shift)
    return finished(replace(found, error=found.error + away), noise, p, q)


@dataclass(frozen=True)
class _Moved(OneIntegrand):
    """4 q·velocity·(F_p − F_q) at nodes."""

    q: Univariate
    name: str
    gap: Gap

    def apart(self, panels: Panels, xi: Array) -> Array:
        """Return F_p − F_q."""
        return self.gap.at(panels.at(xi)[0])[0]

    def __call__(self, panels: Panels, xi: Array, drift: Array | float = 0.0) -> NodeSamples:
        with np.errstate(all="ignore"):
            at, log_jacobian = panels.at(xi, drift)
            difference, error = self.gap.at(at)
            velocity = self.q.velocity(self.name, at)
            rate = np.zeros_like(difference) if velocity is None else velocity
            log_q = self.q.log_density(at)
            size = np.abs(np.where(np.isfinite(log_q), log_q, 0.0))
            noise = np.minimum(EPS * (8 + self.q.log_magnitude + size), 1.0)
            unsure = 4 * np.abs(rate) * (error + 8 * EPS * np.abs(difference))
            moved = np.where(difference == 0, 0.0, 4 * rate * difference)
        return alive(log_jacobian + log_q, moved, noise, unsure)


def _interpolated(p: Univariate, q: Univariate, parameter: str) -> Estimate:
    """Return the derivative of an interpolant in a parameter that is a number."""
    owner = _owner(q, parameter)
    at = getattr(owner, parameter, None)
    if owner is None or not isinstance(at, float | int):
        return Estimate.undetermined(
            f"how the quantiles of {q} move with {parameter} is not known; use differences of "
            "values"
        )

    def value(there: float) -> Estimate:
        return energy_on_the_line(p, _with(q, parameter, there))

    for reach in REACHES:
        try:
            found = _differentiated(value, float(at), reach * max(abs(at), 0.1))
        except GantheoryError:
            continue  # the parameter has left its range
        if found is not None:
            return found
    return Estimate.undetermined(
        f"the energy distance is not seen to be smooth in {parameter}; use differences of values"
    )


def _owner(law: Univariate, parameter: str) -> Univariate | None:
    """Return the law, or the one that it is an image of, which has a parameter."""
    if parameter in {f.name for f in fields(law)}:  # type: ignore[arg-type]
        return law
    base = getattr(law, "base", None)
    return _owner(base, parameter) if isinstance(base, Univariate) else None


def _with(law: Univariate, parameter: str, value: float) -> Univariate:
    """Return the law with another value of a parameter of its own, or of what it is an image of."""
    if _owner(law, parameter) is law:
        return replace(law, **{parameter: value})  # type: ignore[type-var]
    return replace(law, base=_with(law.base, parameter, value))  # type: ignore[attr-defined,type-var]


def _differentiated(value: Callable[[float], Estimate], at: float, reach: float) -> Estimate | None:
    """Return the derivative at the middle of an interval; None where the interpolant is rough."""
    nodes = np.cos(math.pi * (np.arange(NODES) + 0.5) / NODES)
    found = [value(at + reach * x) for x in nodes]
    if any(e.status is Status.UNDETERMINED or not math.isfinite(e.value) for e in found):
        return None
    values = np.array([e.value for e in found])
    weights = chebyshev.chebvander(nodes, NODES - 1).T * 2 / NODES
    weights[0] /= 2
    slopes = np.array([chebyshev.chebval(0.0, chebyshev.chebder(row)) for row in np.eye(NODES)])
    terms = (weights @ values) * slopes / reach
    rounded = np.abs(slopes @ weights) @ np.array([e.error for e in found]) / reach
    orders = np.arange(NODES)
    tail = float(np.max(np.abs(weights @ values)[-4:] * orders[-4:])) * NODES / reach
    size = float(np.sum(np.abs(terms)))
    if tail + rounded > CONVERGED * size:
        return None
    error = float(tail + rounded + 16 * EPS * size)
    status = Status.OK if error <= 1e-12 * abs(terms.sum()) else Status.ILL_CONDITIONED
    reason = None if status is Status.OK else "found by an interpolant in the parameter"
    return Estimate(math.fsum(terms), error, status, "interpolation in the parameter", reason)
