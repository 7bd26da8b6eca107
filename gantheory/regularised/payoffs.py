"""A loss's payoffs and their slopes as functions of scores, and whether the problem is concave."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from scipy import special
from scipy.optimize import brentq

from gantheory.densities.base import Array
from gantheory.errors import GantheoryError
from gantheory.exact.assumptions import Assumptions
from gantheory.functions import relu, t, to_sympy
from gantheory.losses import plain
from gantheory.losses.loss import Loss
from gantheory.theory.pieces import domain_of

STABLE = {"softplus": lambda x: np.logaddexp(0.0, x), "sigmoid": special.expit}
PART_OF_A_SIZE = 1e-9  # a positive second derivative beyond this part of its size is no rounding
FLAT = 1e-60
FAR = np.array([1e6, 1e12])  # scores at which a payoff shows that it has no bound
SIZES = np.concatenate([[0.0], np.geomspace(1e-6, 300.0, 200)])

Function = Callable[[Array], Array]


@dataclass(frozen=True)
class PenalisedPayoffs:
    """a, b and c with their derivatives, on the domain of scores from ``low`` to ``high``."""

    real: tuple[Function, Function, Function]
    fake: tuple[Function, Function, Function]
    generator: tuple[Function, Function]
    low: float
    high: float
    linear: bool
    quadratic: bool

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
        for name, (_, _, bend) in (("real", self.real), ("fake", self.fake)):
            values = bend(self.grid)
            size = np.abs(values[np.isfinite(values)]).max(initial=0.0)
            if np.any(values > PART_OF_A_SIZE * size):
                where = float(self.grid[np.argmax(values > PART_OF_A_SIZE * size)])
                return (
                    f"the payoff on {name} samples is not concave at the score {where:.3g}: a "
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
        GantheoryError: for free parameters, and for kinks, which a smooth solver does not see.
    """
    if loss.parameters:
        names = ", ".join(loss.parameters)
        raise GantheoryError(f"loss {loss.name!r} needs numbers for {names}; see Loss.given")
    loss = plain(loss)
    parts = {name: to_sympy(getattr(loss, name)) for name in ("real", "fake", "generator")}
    kinked = [name for name in ("real", "fake") if parts[name].has(relu, sp.Piecewise, sp.Abs)]
    if kinked:
        raise GantheoryError(
            f"loss {loss.name!r} has a kink in its payoff on {kinked[0]} samples: only smooth "
            "payoffs are solved under a penalty"
        )
    low, high, _, _ = domain_of(loss, Assumptions())
    bends = [sp.diff(parts[name], t, 2) for name in ("real", "fake")]
    return PenalisedPayoffs(
        _derivatives(parts["real"]),
        _derivatives(parts["fake"]),
        _derivatives(parts["generator"])[:2],
        float(low),
        float(high),
        all(sp.simplify(bend) == 0 for bend in bends),
        all(not sp.simplify(bend).has(t) for bend in bends),
    )


def _derivatives(expr: sp.Expr) -> tuple[Function, Function, Function]:
    first = sp.diff(expr, t)
    return _function(expr), _function(first), _function(sp.diff(first, t))


def _function(expr: sp.Expr) -> Function:
    compiled: Any = sp.lambdify(t, expr, [STABLE, "numpy"])

    def function(score: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.broadcast_to(np.asarray(compiled(score), float), np.shape(score))

    return function
