r"""The Wasserstein-2 distance on the line, by the quantiles of both laws.

.. math:: W_2^2 = \int_0^1 (F_p^{-1} - F_q^{-1})^2\,du, \qquad
          \partial_\theta W_2^2 = 2\int_0^1 (F_q^{-1} - F_p^{-1})\,v_\theta(F_q^{-1})\,du

with v how fast q's quantiles move. Both halves of (0, 1) are walked in t = −log of the level, which
counts from the nearer end, so tails keep their digits down to levels of 1e-300.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.inherited import of_family
from gantheory.densities.normal import Normal
from gantheory.densities.univariate import Points, Univariate
from gantheory.errors import GantheoryError
from gantheory.integrals.line.estimates import finished
from gantheory.integrals.line.inputs import input_noise
from gantheory.integrals.line.integrals import LineIntegral, line_integrals
from gantheory.integrals.line.panels import Panels
from gantheory.integrals.line.quadrature import NodeSamples, integrate
from gantheory.integrals.transport.gaps import CDF_NOISE, Coupling, alive
from gantheory.integrals.transport.moments import infinite_moment
from gantheory.records import Estimate
from gantheory.rounding import EPS
from gantheory.wrt import split_parameter

METHOD = "quadrature of quantiles"
CLOSED = "closed form"
KINK = "W2 has a kink where the two laws are equal, so it has no derivative there"
DEEPEST = 690.0  # exp(−690) = 1e-300 is about the smallest level in binary64
NEAR = math.log(2.0)  # t at the median


def w2_line(p: Univariate, q: Univariate, wrt: str | None = None) -> Estimate:
    """Return W2 of two laws with quantile functions, or its derivative in one parameter.

    Raises:
        GantheoryError: for a parameter that moves the quantiles in a way that is not known.
    """
    name = None
    if wrt:
        law, name = split_parameter(wrt)
        p, q = (p, q) if law == "q" else (q, p)
        _check_velocity(q, name)
    if p == q:
        return Estimate.undetermined(KINK) if wrt else Estimate(0.0, method=CLOSED)
    coupling = Coupling.of(p, q)
    if coupling and not coupling.slope and name in (None, "loc"):
        return _shifted(coupling.offset, name)
    known = infinite_moment(2, p, q, None if name else coupling)
    if known is not None:
        reason = f"W2 has no derivative here: its value is {known}"
        return Estimate.undetermined(reason) if wrt else known
    if of_family(p, Normal) and of_family(q, Normal):
        return _normals(q.loc - p.loc, q.scale - p.scale, name)
    return _integrated(_Sampler(p, q, coupling), name)


def _check_velocity(q: Univariate, name: str) -> None:
    q.score(name, np.array([q.centers[0][0]]))  # raises where there is no such parameter
    if q.velocity(name, Points.at(np.zeros(1))) is None:
        raise GantheoryError(
            f"w2: how the quantiles of {q} move with {name} is not known; differentiate in a "
            "location or scale, or take differences of values"
        )


def _shifted(offset: float, name: str | None) -> Estimate:
    """Return W2 of a pure shift, which is finite even where no moment is."""
    if name:
        return Estimate(math.copysign(1.0, offset), method=CLOSED)
    return Estimate(abs(offset), EPS * abs(offset), method="pure shift")


def _normals(offset: float, widening: float, name: str | None) -> Estimate:
    value = math.hypot(offset, widening)
    if name is None:
        return Estimate(value, 4 * EPS * value, method=CLOSED)
    slope = (offset if name == "loc" else widening) / value
    return Estimate(slope, 8 * EPS * abs(slope), method=CLOSED)


def _integrated(sample: _Sampler, name: str | None) -> Estimate:
    p, q = sample.p, sample.q
    depths = [_depth(p, q, side) for side in (-1, 1)]
    panels = Panels.of(
        (0.0, float(side), 0.0, a, b)
        for side, depth in zip((-1, 1), depths, strict=True)
        for a, b in pairwise(_edges(p, q, side, depth))
    )
    square = _finished(sample, panels, depths)
    known = square.resolved and math.isfinite(square.error)
    if not known or not 0 < square.error < square.value:
        return Estimate.undetermined(
            "the integral of W2 does not converge: the tails decay too slowly, or the quantiles of "
            "the two laws cannot be told apart"
        )
    noise = input_noise(p, q)
    if name is None:
        root = math.sqrt(square.value)
        value = replace(square, value=root, error=square.error / (2 * root), shift=square.shift / 2)
        return replace(finished(value, noise, p, q), method=METHOD)
    slope = _finished(replace(sample, name=name), panels, depths)
    scale = math.exp(slope.shift - square.shift / 2) / math.sqrt(square.value)
    error = slope.error + abs(slope.value) * square.error / (2 * square.value)
    found = replace(
        slope,
        value=slope.value * scale,
        error=error * scale,
        absolute=slope.absolute * scale,
        shift=0.0,
    )
    return replace(finished(found, noise, p, q), method=METHOD)


def _finished(sample: _Sampler, panels: Panels, depths: list[float]) -> LineIntegral:
    """Return the integral, with what lies beyond the deepest level as error."""
    sums = integrate(sample, panels)
    ends = Panels.of(
        (0.0, float(side), 0.0, depth - back, depth - back)
        for side, depth in zip((-1, 1), depths, strict=True)
        for back in (1.0, 0.0)
    )
    with np.errstate(all="ignore"):
        got = sample(ends, ends.low[:, None])
        size = (got.log_weight[0] + np.log(np.abs(got.mantissa[0]))).reshape(2, 2)
        rate = size[:, 0] - size[:, 1]
        # four times the exponential's remainder, as for the other tails
        left = np.where(np.isneginf(size[:, 1]), -np.inf, size[:, 1] - np.log(rate) + math.log(4.0))
    left = np.where(np.isnan(left), np.inf, left)
    return line_integrals(sums, np.atleast_1d(np.logaddexp(*left)), np.ones(1, bool))[0]


def _edges(p: Univariate, q: Univariate, side: int, depth: float) -> Array:
    """Return the edges of panels in t: where either law's bumps and ends are, and in between."""
    places = [
        x
        for law in (p, q)
        for x in (*law.breakpoints, *(c + k * w for c, w in law.centers for k in (-3, -1, 1, 3)))
    ]
    edges = [NEAR, *np.arange(1.0, depth, 1.0 + depth / 40), depth]
    for law in (p, q):
        level = np.asarray((law.cdf if side < 0 else law.sf)(np.array(places)), float)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = -np.log(level)
        edges += [float(v) for v in t if NEAR < v < depth]
    return np.unique(edges)


def _depth(p: Univariate, q: Univariate, side: int) -> float:
    """Return the largest t up to which the quantiles of both laws invert their functions."""
    ladder = np.concatenate([np.arange(5.0, 40.0, 1.0), np.geomspace(40.0, DEEPEST, 20)])
    good = np.ones(len(ladder), bool)
    for law in (p, q):
        with np.errstate(all="ignore"):
            x, error = _quantile(law, ladder, side)
            good &= np.isfinite(x) & (error <= 1e-6 * np.maximum(np.abs(x), _width(law)))
    last = len(ladder) if good.all() else int(np.argmin(good))
    return float(ladder[max(last - 1, 0)])


def _width(law: Univariate) -> float:
    return max(w for _, w in law.centers)


def _quantile(law: Univariate, t: Array, side: int) -> tuple[Array, Array]:
    """Return the quantile at exp(−t) from one end, and a bound on its error by inverting it."""
    level = np.exp(-t)
    x = np.asarray((law.ppf if side < 0 else law.isf)(level), float)
    back = np.asarray((law.cdf if side < 0 else law.sf)(x), float)
    wrong = np.abs(back - level) + CDF_NOISE * level
    density = law.pdf(x)
    steep = np.divide(wrong, density, out=np.zeros_like(wrong), where=density > 0)
    return x, steep + 2 * EPS * np.abs(x)


@dataclass(frozen=True)
class _Sampler:
    """The squared distance of two quantiles, or its derivative's integrand, in t."""

    p: Univariate
    q: Univariate
    coupling: Coupling | None
    name: str | None = None

    def __call__(self, panels: Panels, t: Array, drift: Array | float = 0.0) -> NodeSamples:
        upper = panels.side > 0
        apart, noise, rate = np.zeros((3, *t.shape))
        with np.errstate(all="ignore"):
            for rows, side in ((~upper, -1), (upper, 1)):
                if rows.any():
                    apart[rows], noise[rows], rate[rows] = self._at(t[rows], side)
            if self.name is None:
                off = (2 * np.abs(apart) + noise) * noise
                return alive(-t, apart**2, np.full(t.shape, 4 * EPS), off)
            return alive(-t, apart * rate, np.full(t.shape, 16 * EPS), noise * np.abs(rate))

    def _at(self, t: Array, side: int) -> tuple[Array, Array, Array]:
        """Return F_q⁻¹ − F_p⁻¹, its error, and the velocity of q's quantile."""
        y, error = _quantile(self.q, t, side)
        velocity = None if self.name is None else self.q.velocity(self.name, Points.at(y))
        rate = np.zeros_like(y) if velocity is None else velocity
        if self.coupling:
            stretch = abs(self.coupling.slope) / self.coupling.scale
            apart = self.coupling.at(Points.at(y))
            return apart, stretch * error + 4 * EPS * np.abs(apart), rate
        x, other = _quantile(self.p, t, side)
        return y - x, error + other, rate
