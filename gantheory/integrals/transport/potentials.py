r"""Derivatives of the Wasserstein-1 distance, from its optimal critic or from moving quantiles.

With the critic ψ, ψ' = sign(F_p − F_q), the distance is E_q ψ − E_p ψ, and ψ does not change to
first order (the envelope theorem):

.. math:: \partial_\theta W_1 = \int q\,s_\theta\,\psi\,dx
          = \int q\,v_\theta\,\mathrm{sign}(F_p - F_q)\,dx

with s the score of q and v how fast its quantiles move. The second form is used where v is known.
Where F_p = F_q on a stretch that the parameter moves mass across, the distance has a kink.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.univariate import Points, Univariate
from gantheory.integrals.line.estimates import finished
from gantheory.integrals.line.integrals import LineIntegral, line_integrals
from gantheory.integrals.line.moving import beside, moving_points
from gantheory.integrals.line.panels import SAMPLES, Panels, level_crossings, rays
from gantheory.integrals.line.probe import panels_of
from gantheory.integrals.line.quadrature import NodeSamples, OneIntegrand, integrate
from gantheory.integrals.transport.gaps import Gap, alive, hull
from gantheory.integrals.transport.moments import NO_SETTLING, without_mean
from gantheory.records import Estimate
from gantheory.rounding import EPS

KINK = "W1 has a kink where the two laws are equal, so it has no derivative there"
# As a share of the integral of the absolute value: what rounding alone never reaches, as its
# doubts are about 1e-13 wide.
DOUBT = 1e-7


def w1_slope(p: Univariate, q: Univariate, parameter: str, noise: float) -> Estimate:
    """Return the derivative of W1(p, q) in a parameter of q; ``noise`` is what input rounds off."""
    if p == q:
        return Estimate.undetermined(KINK)
    gap = Gap(p, q)
    known = without_mean(p, q, gap.coupling if parameter == "loc" else None)
    if known is not None:
        return Estimate.undetermined(f"W1 has no derivative here: its value is {known}")
    for point, _ in moving_points(q, parameter):
        if q.velocity(parameter, Points.at(np.zeros(1))) is None and _unbounded(q, point):
            return Estimate.undetermined(
                f"q is unbounded at {point:g}, which moves with {parameter}; use a one-sided "
                "difference of values"
            )
    return _integrated(gap, parameter, noise)


def _unbounded(q: Univariate, point: float) -> bool:
    tails = [q.tail(point, side) for side in (-1, +1)]
    return any(tail is None or tail.is_unbounded for tail in tails)


def _integrated(gap: Gap, parameter: str, noise: float) -> Estimate:
    p, q = gap.p, gap.q
    center = sorted(q.centers)[len(q.centers) // 2][0]
    rough = _Sampler(gap, parameter, _Signs.unknown(center))
    panels, log_left, resolved = panels_of(rough, rays(p, q, (hull(p, q),)))
    with np.errstate(all="ignore"):
        owner, root, _ = level_crossings(panels, rough.moved, (0.0,))
        signs = _Signs.of(gap, panels, owner, root, center)
    panels = panels.split(owner, root)
    sample = replace(rough, signs=signs)
    sums = integrate(sample, panels)
    (found,) = line_integrals(sums, log_left, resolved)
    if not found.resolved or not math.isfinite(found.error):
        return Estimate.undetermined(NO_SETTLING)
    (doubts,) = line_integrals(
        integrate(replace(sample, doubt=True), panels), np.full(1, -np.inf), np.ones(1, bool)
    )
    doubt = doubts.value * math.exp(doubts.shift - found.shift)
    doubt += sample.at_knots() * math.exp(-found.shift)
    if not math.isfinite(doubt):
        return Estimate.undetermined(NO_SETTLING)
    if doubt > DOUBT * found.absolute:
        return Estimate.undetermined(
            f"F_p = F_q, or nearly so, where mass moves with {parameter}: {KINK}"
        )
    found = replace(found, error=found.error + doubt)
    return finished(_with_ends(found, sample), noise, p, q)


def _with_ends(integral: LineIntegral, sample: _Sampler) -> LineIntegral:
    """Add the terms of the jumps of q that move: velocity·[q(x−) − q(x+)]·ψ(x)."""
    if sample.by_quantiles:
        return integral
    scale = math.exp(-integral.shift)
    for point, velocity in moving_points(sample.gap.q, sample.parameter):
        for side in (-1, +1):
            at = beside(point, side)
            level = float(np.exp(sample.gap.q.log_density(at)[0]))
            term = -side * velocity * level * float(sample.signs.critic(at)[0]) * scale
            integral = replace(
                integral,
                value=integral.value + term,
                error=integral.error + 8 * EPS * abs(term),
                absolute=integral.absolute + abs(term),
            )
    return integral


@dataclass(frozen=True)
class _Signs:
    """sign(F_p − F_q) as a step function, and how much of the line leaves it in doubt.

    ``after[k]`` is the sign between ``knots[k − 1]`` and ``knots[k]``; ``doubtful`` is the length
    in doubt up to each of ``places``. Outside of ``open`` both functions are below the range of
    binary64, and the sign is that of the heavier tail. The critic vanishes at ``center``.
    """

    center: float
    knots: Array
    after: Array
    places: Array
    doubtful: Array
    open: tuple[float, float] = (-math.inf, math.inf)
    widths: Array | None = None  # by how much each knot may be off

    @classmethod
    def unknown(cls, center: float) -> _Signs:
        """Return one sign everywhere: it bounds the critic of any other."""
        return cls(center, np.zeros(0), np.ones(1), np.zeros(1), np.zeros(1))

    @classmethod
    def of(cls, gap: Gap, panels: Panels, owner: Array, root: Array, center: float) -> _Signs:
        """Return the signs between the roots found, and those that no sample settles."""
        half = 0.5 * (panels.high - panels.low)[:, None]
        xi = panels.low[:, None] + half * (1 + SAMPLES)
        x = np.unique(panels.at(xi)[0].x)
        x = x[np.isfinite(x)]
        value, error = gap.sign(Points.at(x))
        within = _open(gap, x, value, error)
        beyond = (x < within[0]) | (x > within[1])
        sure = (np.abs(value) > error) | beyond
        value = np.where(
            beyond,
            np.where(x < within[0], gap.tail_sign(-math.inf), gap.tail_sign(math.inf)),
            value,
        )
        at_roots, log_jacobian = panels.take(owner).at(root[:, None])
        order = np.argsort(at_roots.x[:, 0])
        roots = at_roots.x[order, 0]
        spacing = (EPS * np.abs(root) * np.exp(log_jacobian[:, 0]))[order]  # of a panel's ends
        knots = _knots(x[sure], np.sign(value[sure]), roots, x[~sure])
        cell = np.diff(np.concatenate([x[:1], 0.5 * (x[1:] + x[:-1]), x[-1:]]))
        lengths = np.where(sure, 0.0, np.minimum(cell, _blur(gap, x, error)))
        at_knots = _blur(gap, knots, gap.sign(Points.at(knots))[1])
        if len(roots):
            at_knots = at_knots + spacing[np.argmin(np.abs(knots[:, None] - roots), axis=1)]
        edges = np.concatenate([[-math.inf], knots, [math.inf]])
        after = [_sign_between(a, b, x[sure], value[sure]) for a, b in pairwise(edges)]
        places = np.concatenate([x, knots])
        order = np.argsort(places, kind="stable")
        widths = np.minimum(at_knots, cell.max())
        total = np.cumsum(np.concatenate([lengths, widths])[order])
        return cls(center, knots, np.array(after), places[order], total, within, widths)

    def sign(self, x: Array) -> Array:
        """Return the sign of F_p − F_q."""
        return self.after[np.searchsorted(self.knots, x)]

    def critic(self, at: Points) -> Array:
        """Return ψ: the integral of the sign from the centre."""
        start = np.searchsorted(self.knots, self.center)
        total = self.after[start] * at.minus(self.center)
        for k, knot in enumerate(self.knots):
            bend = self.after[k + 1] - self.after[k]
            if knot >= self.center:
                total = total + bend * np.maximum(at.minus(knot), 0.0)
            else:
                total = total - bend * np.minimum(at.minus(knot), 0.0)
        return total

    def doubt(self, x: Array) -> Array:
        """Return how much the critic may be off: twice the length in doubt from the centre."""
        here, there = (np.interp(v, self.places, self.doubtful) for v in (x, self.center))
        return 2 * np.abs(here - there)


def _blur(gap: Gap, x: Array, error: Array) -> Array:
    """Return how wide a root's place is left open by an error of F_p − F_q, at most."""
    if gap.coupling:
        steep = abs(gap.coupling.slope) / gap.coupling.scale * np.ones_like(x)
    else:
        steep = np.abs(gap.p.pdf(x) - gap.q.pdf(x))
    return np.where(error > 0, 2 * error / steep, np.where(steep > 0, 0.0, np.inf))


def _knots(x: Array, sign: Array, roots: Array, unsure: Array) -> Array:
    """Return where the sign changes: a root, else a point in doubt, between two settled ones."""
    knots = []
    for k in np.nonzero(sign[1:] != sign[:-1])[0]:
        low, high = x[k], x[k + 1]
        inner = roots[(roots >= low) & (roots <= high)]
        if not len(inner):
            inner = unsure[(unsure >= low) & (unsure <= high)]
        knots.append(inner[len(inner) // 2] if len(inner) else 0.5 * (low + high))
    return np.array(knots, float)


def _open(gap: Gap, x: Array, value: Array, error: Array) -> tuple[float, float]:
    """Return where F_p − F_q is in the range of binary64, if beyond that the tails tell its sign.

    The heavier tail must agree with the last sign that was computed.
    """
    sure = np.nonzero(np.abs(value) > error)[0]
    if gap.coupling or not len(sure):
        return -math.inf, math.inf
    first, last = sure[0], sure[-1]
    lower = not value[:first].any() and gap.tail_sign(-math.inf) == np.sign(value[first])
    upper = not value[last + 1 :].any() and gap.tail_sign(math.inf) == np.sign(value[last])
    return (float(x[first]) if lower else -math.inf), (float(x[last]) if upper else math.inf)


def _sign_between(low: float, high: float, x: Array, value: Array) -> float:
    inner = (x > low) & (x < high)
    return float(np.sign(value[inner][np.argmax(np.abs(value[inner]))])) if inner.any() else 0.0


@dataclass(frozen=True)
class _Sampler(OneIntegrand):
    """The derivative's integrand at nodes, or a bound on what doubtful signs do to it."""

    gap: Gap
    parameter: str
    signs: _Signs
    doubt: bool = False

    @property
    def by_quantiles(self) -> bool:
        """Whether the velocity of q's quantiles is known, and the score not needed."""
        return self.gap.q.velocity(self.parameter, Points.at(np.zeros(1))) is not None

    def moved(self, panels: Panels, xi: Array) -> Array:
        """Return a quantity with the sign of F_p − F_q."""
        return self.gap.sign(panels.at(xi)[0])[0]

    def at_knots(self) -> float:
        """Return what crossings that lie between two nodes add to the doubt of moving quantiles."""
        rate = self.gap.q.velocity(self.parameter, Points.at(self.signs.knots))
        if rate is None or self.signs.widths is None:
            return 0.0
        with np.errstate(all="ignore"):
            terms = 2 * np.abs(rate) * self.gap.q.pdf(self.signs.knots) * self.signs.widths
        return float(np.where(np.isfinite(terms), terms, 0.0).sum())

    def _unsure(self, at: Points) -> Array:
        value, error = self.gap.sign(at)
        low, high = self.signs.open
        doubtful = (np.abs(value) <= error) & np.isfinite(value)  # at infinity one term decides
        return doubtful & (at.x >= low) & (at.x <= high)

    def __call__(self, panels: Panels, xi: Array, drift: Array | float = 0.0) -> NodeSamples:
        q = self.gap.q
        with np.errstate(all="ignore"):
            at, log_jacobian = panels.at(xi, drift)
            log_q = q.log_density(at)
            noise = EPS * (8 + q.log_magnitude + np.abs(np.where(np.isfinite(log_q), log_q, 0.0)))
            rate = q.velocity(self.parameter, at) if self.by_quantiles else None
            unsure = None
            if rate is None:
                factor = self.signs.doubt(at.x) if self.doubt else self.signs.critic(at)
                mantissa = q.scores(self.parameter, at) * factor
                unsure = 8 * EPS * q.score_size(self.parameter) * np.abs(factor)
            else:
                mantissa = rate * self.signs.sign(at.x)
                if self.doubt:
                    mantissa = np.where(self._unsure(at), 2 * rate, 0.0)
        if self.doubt:
            mantissa, noise = np.abs(mantissa), np.ones_like(noise)
        return alive(log_jacobian + log_q, mantissa, np.minimum(noise, 1.0), unsure)


__all__ = ["w1_slope"]
