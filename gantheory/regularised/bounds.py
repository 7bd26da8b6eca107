"""What the generator feels of a penalised score, and how far numbers of it may be off."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.univariate import Points, Univariate
from gantheory.records import Estimate, Status
from gantheory.regularised.elements import (
    SLOPES,
    VALUES,
    WEIGHTS,
    Solution,
    gathered,
    hessian,
    hold,
    solve_bands,
    spread,
)
from gantheory.regularised.payoffs import PenalisedPayoffs

BEND = 1e-5  # of a score, for the bend of G's loss
BEYOND = 1.25  # for what is of second order in the difference
LOCAL = 3.0  # the part of an element in a difference may be larger than its part in the gap
LEVEL = 1e-9  # of a functional: what is no more does not see constants


def off_by(gap: float, penalty: Estimate) -> float:
    r"""Return by how much a penalty may be off where V - penalty is within δ of its supremum.

    Between two scores the penalty N, the square of a norm, has :math:`N(t - t^*) \le \delta`
    where t* is best, as V is concave: so that it is off by :math:`\delta + 2\sqrt{\delta N(t)}`
    at most. The penalty of what slopes exceed a target by has the same bound.

    Source: H. Bauschke, P. Combettes (2017), Convex Analysis, theorem 18.15 (for the excess).
    """
    if penalty.status is not Status.OK:
        return 0.0
    return gap + 2 * math.sqrt(gap * max(penalty.value, 0.0))


def missed_by(s: Solution, values: Array, slopes: Array) -> float:
    r"""Return an estimate of how much a functional differs at the maximiser, to first order.

    A difference e of scores costs :math:`\tfrac12\langle e, He\rangle` or more, H the negative of
    the second derivative of J, and that is at most the gap δ. A linear functional of e is
    :math:`\langle z, He\rangle` with :math:`Hz = g`, so that

    .. math:: |g(e)| \le \Big(2\delta \int w z'^2 - z^2\,\partial_t^2(p a + q b)\,dx\Big)^{1/2} .

    Where a law is faint that is far too wide, and the sum over elements of the same root is taken,
    as if each element had the part of the cost that its own part of the gap allows. That is no
    theorem; the factors were set by neighbours of the maximiser, which needed up to 1.8.

    Args:
        s: a score next to the maximiser.
        values: what the functional multiplies e by at the quadrature points.
        slopes: what it multiplies e' by.
    """
    right = gathered((s.half * WEIGHTS * values) @ VALUES + (WEIGHTS * slopes) @ SLOPES)
    for held in (s.payoffs.linear, True):  # else a constant may be free
        band = hessian(s)
        if held:
            hold(band)
            if abs(right.sum()) > LEVEL * np.abs(right).sum():
                continue
        if (found := solve_bands(band, right)) is not None:
            return _costs(s, spread(found, len(s.nodes)))
    return math.inf


def _costs(s: Solution, z: Array) -> float:
    """Return what a dual score allows, of all elements together or one by one."""
    with np.errstate(all="ignore"):
        steep = np.sqrt(s.energy.bend(s.stiffness, s.slope)) * (z @ SLOPES.T / s.half)
        high = np.sqrt(np.maximum(-s.bend, 0.0)) * (z @ VALUES.T)
        cost = s.integral(steep**2 + high**2)
        parts = np.where(s.gap > 0, np.sqrt(2 * np.maximum(s.gap, 0.0)) * np.sqrt(cost), 0.0)
        whole = float(np.sqrt(2 * s.gap.sum() * cost.sum()))
    return BEYOND * float(np.fmin(whole, LOCAL * parts.sum()))


def moved(q: Univariate, name: str, payoffs: PenalisedPayoffs, one: Solution) -> Array:
    """Return what each element adds to the derivative of E_q[c(t)] with t held."""
    density = one.both[1]
    at = Points.at(one.x)
    velocity = q.velocity(name, at)
    if velocity is not None:
        pull: Callable[[Array], Array] = payoffs.generator[1]
        return one.integral(density * pull(one.score) * one.slope * velocity)
    with np.errstate(all="ignore"):
        score = q.scores(name, at)
        terms = np.where(density > 0, density * score * payoffs.generator[0](one.score), 0.0)
    return one.integral(terms)


def change(
    q: Univariate, name: str, payoffs: PenalisedPayoffs, one: Solution
) -> tuple[Array, Array]:
    """Return the derivative of what `moved` integrates in the score, and in its slope."""
    density, pull = one.both[1], payoffs.generator[1]
    at = Points.at(one.x)
    velocity = q.velocity(name, at)
    if velocity is not None:
        step = BEND * (1 + np.abs(one.score))
        bend = (pull(one.score + step) - pull(one.score - step)) / (2 * step)
        return density * bend * one.slope * velocity, density * pull(one.score) * velocity
    with np.errstate(all="ignore"):
        score = q.scores(name, at)
        terms = np.where(density > 0, density * score * pull(one.score), 0.0)
    return terms, np.zeros_like(terms)
