"""The score at which the condition p·f_p(t) + q·f_q(t) = 0 holds, for each ratio p/q."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import sympy as sp
from scipy.optimize.elementwise import find_root

from gantheory.compiled import compiled
from gantheory.densities.base import Array
from gantheory.functions import choice, relu, t

FARTHEST = 1e100  # a score beyond it is none
GROWTH = 8.0
NEWTON = 8
RESTING = 1e-14

Function = Callable[[Array, Array], Array]
Forces = Callable[[Array, Array], tuple[Array, Array]]


def is_smooth(expr: sp.Expr) -> bool:
    """Whether an integrand has no kink."""
    return not expr.has(relu, choice, sp.Abs, sp.Piecewise, sp.Heaviside)


def compiled_force(expr: sp.Expr, names: Sequence[sp.Symbol]) -> Function:
    """Return an expression in t and the moments as a function of arrays."""
    found = compiled([t, *names], expr)

    def function(score: Array, values: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.broadcast_to(np.asarray(found(score, *values), float), np.shape(score))

    return function


def zeros_of_forces(force: Forces, shape: tuple[int, ...], near: Array | None = None) -> Array:
    """Return for each place k the score at which force(t, k), which falls, is 0.

    Where it has one sign throughout the score is infinite, on the side that it points to.

    Args:
        force: the force and its slope at scores t of places k.
        shape: of the places.
        near: scores to begin with.
    """
    places = np.arange(int(np.prod(shape)))
    found = np.full(places.shape, np.nan)
    if near is not None:
        found = _refined(force, near.ravel().copy(), places)
    open_places = places[np.isnan(found)]
    if len(open_places):
        found[open_places] = _bracketed(force, open_places)
    return found.reshape(shape)


def _refined(force: Forces, score: Array, places: Array) -> Array:
    """Return what Newton's method comes to rest at within a few steps; else nan."""
    for _ in range(NEWTON):
        value, slope = force(score, places)
        with np.errstate(all="ignore"):
            step = -value / slope
            score = score + step
            resting = np.abs(step) <= RESTING * (1 + np.abs(score))
        if resting.all():
            break
    return np.where(resting & (slope < 0), score, np.nan)


def _bracketed(force: Forces, places: Array) -> Array:
    """Return the zeros by brackets that grow until the force changes its sign."""
    low, high = np.full(places.shape, -1.0), np.full(places.shape, 1.0)
    above, below = force(low, places)[0], force(high, places)[0]
    while max(-low.min(), high.max()) < FARTHEST:
        wrong_low, wrong_high = ~(above > 0), ~(below < 0)
        if not (wrong_low | wrong_high).any():
            break
        low[wrong_low] *= GROWTH
        high[wrong_high] *= GROWTH
        above[wrong_low] = _beyond(force(low[wrong_low], places[wrong_low])[0], np.inf)
        below[wrong_high] = _beyond(force(high[wrong_high], places[wrong_high])[0], -np.inf)
    found = np.where(above > 0, np.inf, -np.inf)
    inside = (above > 0) & (below < 0)
    if inside.any():
        at = places[inside].astype(float)
        ends = low[inside], high[inside]
        found[inside] = find_root(lambda s, k: force(s, k.astype(int))[0], ends, args=(at,)).x
    return found


def _beyond(values: Array, back: float) -> Array:
    """Read what overflows beyond the largest score as a force that drives back from there."""
    return np.where(np.isnan(values), back, values)
