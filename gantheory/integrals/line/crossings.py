r"""What the jumps of f add to an integral: where p/q crosses them, and how fast that place moves.

Where u = log p − log q crosses a jump of height s at x, ∫ q f(p/q) has in a parameter θ of q the
derivative −s·q(x)·∂θ log q(x)/abs(u'(x)) beside the integral: the crossing moves with the velocity
∂θ log q/u'.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.univariate import Points
from gantheory.divergences.ratio import Ratio
from gantheory.divergences.stable import Integrand, Scaled
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.integrals.line.breaks import ratio_rounding
from gantheory.integrals.line.integrals import Output, Pair
from gantheory.integrals.line.panels import SAMPLES, Panels, level_crossings, rays, sampled, signs
from gantheory.integrals.line.probe import Probe
from gantheory.rounding import EPS

ROUNDS = 30  # halvings of a panel in which u may touch a level twice between its samples
SAME = 1e-9  # crossings nearer than this share of a panel are one, found from both its sides
ASIDE = 1e-6  # of a panel: how far from a crossing the slopes on its two sides are taken
BESIDE = 1e-6  # of u: how far from a kink its two sides are read
BENT = 1e-3  # relative: slopes that differ by more have a kink between them, or nearly touch


@dataclass(frozen=True)
class Crossings:
    """The places where u crosses one level, as parallel arrays.

    Attributes:
        at: the places.
        mass: q times how far each may lie from the true crossing.
        aside: how far from each the slopes on its two sides are taken.
    """

    at: Points
    mass: Array
    aside: Array


@dataclass(frozen=True)
class Term:
    """What the jumps add to a value or derivative: a number and its error, or why there is none."""

    value: float = 0.0
    error: float = 0.0
    refusal: str | None = None

    def plus(self, other: Term) -> Term:
        """Return the sum of two terms; one refusal is enough."""
        refusal = self.refusal or other.refusal
        return Term(self.value + other.value, self.error + other.error, refusal)


def jump_term(kernel: Kernel, parameter: str | None, pair: Pair) -> Term:
    """Return what the jumps of a kernel add to its value (an error alone), or to a derivative."""
    value = error = 0.0
    for level, height in kernel.jumps:
        panels = _searched(pair, level)
        if panels is None:
            touching = f"p/q touches {np.exp(level):g}, where {kernel.name} jumps"
            return Term(refusal=f"{touching}; move one of the laws")
        found = _crossings(pair, panels, level)
        if parameter is None:
            error += abs(height) * float(found.mass.sum())
            continue
        moved = _moved(pair, parameter, found)
        if moved.refusal:
            return moved
        if len(found.mass) != _sign_changes(pair, panels, level):
            return Term(refusal=f"the places where p/q = {np.exp(level):g} could not be told apart")
        value -= height * moved.value
        error += abs(height) * moved.error
    return Term(value, error)


def kink_error(kernel: Kernel, parameter: str, formula: int, pair: Pair) -> float:
    """Return what a derivative is off by as no number is the very place where p/q is at a kink.

    There q·G jumps, between the two sides of a place that is known to its rounding and that of u.
    """
    error = 0.0
    for level in kernel.kinks:
        found = _crossings(pair, _panels(pair), level)
        with np.errstate(all="ignore"):
            score = np.abs(pair.q.scores(parameter, found.at)) + pair.q.score_size(parameter)
        height = _height(kernel.slopes[formula], level)
        error += height * float(np.where(found.mass > 0, found.mass * score, 0.0).sum())
    return error


def _height(slope: Integrand, level: float) -> float:
    """Return by how much G jumps at a level of u."""
    sides = np.array([level - BESIDE, level + BESIDE])
    weight, mantissa = slope(Ratio.of(sides, np.zeros(2)))
    return float(np.abs(np.diff(np.exp(weight) * mantissa))[0])


def _moved(pair: Pair, parameter: str, crossings: Crossings) -> Term:
    """Return Σ q·∂θ log q/abs(u') over the crossings."""
    p, q, x = pair.p, pair.q, crossings.at.x
    with np.errstate(all="ignore"):
        slope = p.slope(crossings.at) - q.slope(crossings.at)
        sides = [_slope(pair, x + side * crossings.aside) for side in (-1.0, 1.0)]
        bend = np.abs(sides[1] - sides[0]) / np.abs(slope)
        terms = (
            np.exp(q.log_density(crossings.at)) * q.scores(parameter, crossings.at) / np.abs(slope)
        )
        size = np.abs(p.slope(crossings.at)) + np.abs(q.slope(crossings.at))
    if (bad := ~(bend <= BENT)).any():
        return Term(
            refusal=f"p/q crosses a jump at x = {x[bad][0]:.6g} where it has a kink, or all but "
            "touches it: the derivatives from the two sides may differ; move one of the laws"
        )
    off = crossings.mass / np.maximum(np.exp(q.log_density(crossings.at)), 1e-300)
    relative = 8 * EPS * (1 + size / np.abs(slope)) + off * (size + bend / crossings.aside)
    return Term(float(terms.sum()), float((np.abs(terms) * relative).sum()))


def _slope(pair: Pair, x: Array) -> Array:
    at = Points.at(x)
    return pair.p.slope(at) - pair.q.slope(at)


def _crossings(pair: Pair, panels: Panels, level: float) -> Crossings:
    with np.errstate(all="ignore"):
        owner, root, steepness = level_crossings(panels, pair.u, [level])
        own = panels.take(owner)
        at, log_jacobian = own.at(root[:, None])
        n = pair.ratio_at(at, log_jacobian)
        away = np.maximum(ratio_rounding(n, level)[:, 0], np.abs(n.u[:, 0] - level))
        off = away / steepness + EPS * np.abs(root)
        width = np.exp(log_jacobian[:, 0]) * (own.high - own.low)
        mass = np.exp(n.log_q[:, 0]) * off
        flat = Points(*(getattr(at, name)[:, 0] for name in at.__dataclass_fields__))
        order = np.argsort(flat.x)
        apart = np.diff(flat.x[order], prepend=-np.inf) > SAME * width[order]
        kept = order[apart & (n.log_q[order, 0] > -np.inf)]
    return Crossings(
        Points(*(getattr(flat, name)[kept] for name in flat.__dataclass_fields__)),
        mass[kept],
        ASIDE * width[kept],
    )


def _sign_changes(pair: Pair, panels: Panels, level: float) -> int:
    """Return how often u crosses a level, by its signs alone; where a density jumps, u may too."""
    laws = (pair.p, pair.q)
    cuts = sorted({x for law in laws for piece in law.pieces for x in piece} |
                  {x for law in laws for x in law.kinks})  # fmt: skip
    xi = sampled(panels)
    with np.errstate(all="ignore"):
        x = panels.at(xi)[0].x
        sign = signs(pair.u(panels, xi) - level)
        middle = panels.at(0.5 * (panels.low + panels.high)[:, None])[0].x
    group = np.repeat(np.searchsorted(cuts, middle), xi.shape[1], axis=1)
    order = np.lexsort((x.ravel(), group.ravel()))
    sign, group = sign.ravel()[order], group.ravel()[order]
    sign, group = sign[sign != 0], group[sign != 0]
    return int(((sign[1:] != sign[:-1]) & (group[1:] == group[:-1])).sum())


def _searched(pair: Pair, level: float) -> Panels | None:
    """Return panels in which no two crossings hide between samples, or None where u may touch."""
    panels = _panels(pair)
    done: list[Panels] = []
    for _ in range(ROUNDS):
        near = _may_hide(pair, panels, level)
        done.append(panels.take(np.nonzero(~near)[0]))
        if not near.any():
            return reduce(Panels.joined, done)
        panels = panels.halves(np.nonzero(near)[0])
    return None


def _panels(pair: Pair) -> Panels:
    """Return panels wherever q, or the smaller of p and q, counts."""
    outputs = [Output(_q, None, False), Output(_smaller, None, False)]
    return Probe.of(pair.sampler(outputs, rough=True), rays(pair.p, pair.q)).cut()[0]


def _q(n: Ratio) -> Scaled:
    return n.log_q, np.ones(n.u.shape)


def _smaller(n: Ratio) -> Scaled:
    return n.log_bottom, np.ones(n.u.shape)


def _may_hide(pair: Pair, panels: Panels, level: float) -> Array:
    """Return the panels in which a parabola through three samples of one sign crosses the level."""
    half = 0.5 * (panels.high - panels.low)[:, None]
    with np.errstate(all="ignore"):
        y = pair.u(panels, panels.low[:, None] + half * (1 + SAMPLES)) - level
        a, b, c = y[:, :-2], y[:, 1:-1], y[:, 2:]
        bend = a - 2 * b + c
        vertex = b - (c - a) ** 2 / (8 * bend)
        dips = (a * b > 0) & (b * c > 0) & (np.abs(b) <= np.abs(a)) & (np.abs(b) <= np.abs(c))
        flat = np.all(np.abs(y) <= 1e-12, axis=1)  # a tie: counted elsewhere
        return np.asarray((dips & (vertex * b <= 0) & (bend != 0)).any(axis=1) & ~flat)
