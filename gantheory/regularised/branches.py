"""A payoff with kinks as smooth branches between them, and continued beyond ends it may rest on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import sympy as sp
from scipy.optimize import brentq

from gantheory.compiled import compiled
from gantheory.densities.base import Array
from gantheory.errors import GantheoryError
from gantheory.functions import choice, relu, t

SIZES = np.concatenate([[0.0], np.geomspace(1e-6, 300.0, 200)])
SAME = 1e-9  # relative: values on both sides of a kink, and places of kinks

Function = Callable[[Array], Array]
Smooth = tuple[Function, Function, Function]  # a function and two derivatives


def function(expr: sp.Expr) -> Function:
    """Return a formula as a function of scores."""
    values = compiled([t], expr)

    def at(score: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.broadcast_to(np.asarray(values(score), float), np.shape(score))

    return at


def derivatives(expr: sp.Expr) -> Smooth:
    """Return a smooth formula and two derivatives as functions of scores."""
    first = sp.diff(expr, t)
    return function(expr), function(first), function(sp.diff(first, t))


def kinks_of(exprs: Sequence[sp.Expr]) -> tuple[float, ...]:
    """Return the scores at which a relu, or what chooses between cases, changes sign."""
    grid = np.concatenate([-SIZES[:0:-1], SIZES])
    found: list[float] = []
    for argument in {one.args[0] for expr in exprs for one in expr.atoms(relu, choice)}:
        here = function(argument)
        values = here(grid)
        places = [float(x) for x in grid[values == 0]]
        for k in np.flatnonzero(values[:-1] * values[1:] < 0):
            places.append(brentq(lambda x, f=here: float(f(np.array(x))), grid[k], grid[k + 1]))
        found += [x for x in places if all(abs(x - y) > SAME * (1 + abs(x)) for y in found)]
    return tuple(sorted(found))


def joined(expr: sp.Expr, kinks: Sequence[float], whose: str) -> tuple[Smooth, tuple[float, ...]]:
    """Return a payoff f, of which the derivatives are those of f + Σ J·relu(t − k), and each J.

    That sum has a continuous slope: J is by how much the slope of f falls at the kink k.

    Raises:
        GantheoryError: for a payoff that jumps.
    """
    if not kinks:
        return derivatives(expr), ()
    places = np.array(kinks)
    middles = [kinks[0] - 1, *((places[:-1] + places[1:]) / 2), kinks[-1] + 1]
    parts = [derivatives(_branch(expr, float(middle))) for middle in middles]
    drops = []
    for k, place in enumerate(places):
        before, after = ([float(one(place)) for one in part[:2]] for part in parts[k : k + 2])
        if abs(before[0] - after[0]) > SAME * (1 + abs(before[0])):
            raise GantheoryError(
                f"{whose} jumps at the score {place:.6g}: only continuous payoffs are solved"
            )
        drops.append(before[1] - after[1])

    def piecewise(order: int) -> Function:
        def at(score: Array) -> Array:
            index = np.searchsorted(places, score)
            lifts = (
                np.concatenate([[0.0], np.cumsum(drops)]) if order == 1 else np.zeros(len(parts))
            )
            values = np.stack([part[order](score) for part in parts])
            found: Array = np.take_along_axis(values, index[None], 0)[0] + lifts[index]
            return found

        return at

    return (piecewise(0), piecewise(1), piecewise(2)), tuple(drops)


def _branch(expr: sp.Expr, place: float) -> sp.Expr:
    """Return a formula as it is around a score, without relus and cases."""
    while kinked := [one for one in expr.atoms(relu, choice) if not one.args[0].has(relu, choice)]:
        one = min(kinked, key=sp.default_sort_key)
        positive = float(function(one.args[0])(np.array(place))) > 0
        if isinstance(one, choice):
            chosen = one.args[1 if positive else 2]
        else:
            chosen = one.args[0] if positive else sp.S.Zero
        expr = expr.xreplace({one: chosen})
    return expr


def extended(expr: sp.Expr, end: sp.Expr, lower: bool) -> sp.Expr:
    """Continue a payoff beyond an end of its domain, falling so steeply that no score goes there.

    On a stretch where the best score rests on the end nothing flows, so that the end holds back
    p·a' + q·b' and no more: an exact penalty of a larger slope has the same optimum.
    """
    side = 1 if lower else -1
    inward = function(sp.diff(_branch(expr, float(end) + 1e-9 * side), t))(np.array(float(end)))
    held = end + side * relu(side * (t - end))
    return expr.subs(t, held) - (sp.ceiling(abs(float(inward))) + 1) * relu(-side * (t - end))
