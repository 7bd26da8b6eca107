"""A loss's payoffs and their slopes as functions of scores, and whether the problem is concave."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import sympy as sp
from scipy.optimize import brentq

from gantheory.densities.base import Array
from gantheory.errors import GantheoryError
from gantheory.exact.assumptions import Assumptions
from gantheory.functions import t, to_sympy
from gantheory.losses import plain
from gantheory.losses.loss import Loss
from gantheory.regularised.branches import (
    SAME,
    SIZES,
    Function,
    Smooth,
    extended,
    function,
    joined,
    kinks_of,
)
from gantheory.theory.pieces import domain_of

PART_OF_A_SIZE = 1e-9  # a positive second derivative beyond this part of its size is no rounding
FLAT = 1e-60
FAR = np.array([1e6, 1e12])  # scores at which a payoff shows that it has no bound


@dataclass(frozen=True)
class PenalisedPayoffs:
    """a, b and c with their derivatives, on the domain of scores from ``low`` to ``high``.

    At ``kinks`` the slopes of a and b fall by ``drops``: the derivatives of ``real`` and ``fake``
    are those of a and b with the falls filled up.
    """

    real: Smooth
    fake: Smooth
    generator: tuple[Function, Function]
    low: float
    high: float
    linear: bool
    quadratic: bool
    kinks: tuple[float, ...] = ()
    drops: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())

    @property
    def middle(self) -> float:
        """A score inside the domain."""
        if math.isinf(self.low) and math.isinf(self.high):
            return 0.0
        if math.isinf(self.high):
            return self.low + 1.0
        return self.high - 1.0 if math.isinf(self.low) else 0.5 * (self.low + self.high)

    @property
    def grid(self) -> Array:
        """Scores all over the domain."""
        if np.isinf(self.low) and np.isinf(self.high):
            return np.concatenate([-SIZES[:0:-1], SIZES])
        if np.isinf(self.high):
            return self.low + SIZES[1:]
        if np.isinf(self.low):
            return self.high - SIZES[:0:-1]
        return np.linspace(self.low, self.high, 403)[1:-1]

    def why_not_concave(self) -> str | None:
        """Return at which score a payoff bends upward, or None where none does."""
        for name, (_, _, bend), drops in zip(
            ("real", "fake"), (self.real, self.fake), self.drops, strict=True
        ):
            values = bend(self.grid)
            size = np.abs(values[np.isfinite(values)]).max(initial=0.0)
            upward = list(self.grid[values > PART_OF_A_SIZE * size])
            upward += [k for k, drop in zip(self.kinks, drops, strict=False) if drop < -SAME]
            if upward:
                return (
                    f"the payoff on {name} samples is not concave at the score {upward[0]:.3g}: a "
                    "penalised discriminator may have several optima"
                )
        return None

    @property
    def is_flat_on_recognised(self) -> bool:
        """Whether G's loss has no slope at the score that D gives to fakes that it is sure of."""
        values = self.fake[0](self.grid)
        best = self.grid[np.argmax(np.where(np.isfinite(values), values, -np.inf))]
        return bool(abs(self.generator[1](np.array(best))) < FLAT)

    def most(self, name: str) -> float:
        """Return the supremum of a concave payoff over all scores, where D is not penalised."""
        value, slope, _ = getattr(self, name)
        places, slopes = self.grid, slope(self.grid)
        falls = np.flatnonzero((slopes[:-1] > 0) & (slopes[1:] < 0))
        if len(falls):  # an inner maximum of a concave function
            k = falls[0]
            best = brentq(lambda x: float(slope(np.array(x))), places[k], places[k + 1])
            places = np.append(places, best)
        else:
            known = value(places)
            ends = [side * FAR for side, end in ((-1, self.low), (1, self.high)) if math.isinf(end)]
            if np.any(value(np.array(ends)) > np.max(known[np.isfinite(known)]) + 1):
                return math.inf
        values = value(places)
        return float(np.max(values[np.isfinite(values)]))


def penalised_payoffs(loss: Loss) -> PenalisedPayoffs:
    """Return a loss's payoffs in numbers.

    Raises:
        GantheoryError: for free parameters, and for payoffs that jump.
    """
    if loss.parameters:
        names = ", ".join(loss.parameters)
        raise GantheoryError(f"loss {loss.name!r} needs numbers for {names}; see Loss.given")
    loss = plain(loss)
    parts = {name: to_sympy(getattr(loss, name)) for name in ("real", "fake", "generator")}
    low, high, *closed = domain_of(loss, Assumptions())
    ends = [end for end, rests in zip((low, high), closed, strict=True) if rests]
    for end in ends:
        if _is_finite_at(parts, end):
            parts = {name: extended(part, end, end == low) for name, part in parts.items()}
            low, high = (-sp.oo, high) if end == low else (low, sp.oo)
    real, fake, generator = parts.values()
    kinks = kinks_of((real, fake))
    bends = [] if kinks else [sp.diff(part, t, 2) for part in (real, fake)]
    whose = f"the payoff of loss {loss.name!r} on"
    a, a_drops = joined(real, kinks, f"{whose} real samples")
    b, b_drops = joined(fake, kinks, f"{whose} fake samples")
    return PenalisedPayoffs(
        a,
        b,
        (function(generator), function(sp.diff(generator, t))),
        float(low),
        float(high),
        not kinks and all(sp.simplify(bend) == 0 for bend in bends),
        not kinks and all(not sp.simplify(bend).has(t) for bend in bends),
        kinks,
        (a_drops, b_drops),
    )


def _is_finite_at(parts: dict[str, sp.Expr], end: sp.Expr) -> bool:
    """Whether both payoffs of D have finite values and slopes at an end of the domain."""
    place = np.array(float(end))
    found = [f(place) for name in ("real", "fake")
             for f in (function(parts[name]), function(sp.diff(parts[name], t)))]  # fmt: skip
    return bool(np.all(np.isfinite(found)))
