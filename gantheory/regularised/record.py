"""The best discriminator under a penalty on its slope: its numbers, each with its error."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from gantheory.densities import Density
from gantheory.densities.base import Array
from gantheory.densities.univariate import Univariate
from gantheory.losses.loss import Loss
from gantheory.records import Estimate, Status
from gantheory.regularised.bounds import change, missed_by, moved
from gantheory.regularised.elements import Solution
from gantheory.regularised.energies import Quadratic
from gantheory.regularised.mesh import mass_outside, supports
from gantheory.regularised.payoffs import PenalisedPayoffs, penalised_payoffs
from gantheory.regularised.plane import Grid
from gantheory.regularised.regulariser import Regulariser
from gantheory.regularised.resting import Resting
from gantheory.rounding import EPS
from gantheory.shown import Shown
from gantheory.wrt import parameter_of_q

METHOD = "finite elements"
IN_PLANE = "bilinear elements on three grids"
ROUNDING = 64 * EPS
LOOSE = 1e-13  # of a law's mass, outside of where the penalty acts
COARSE = 1e-3  # relative: a number that two resolutions see so differently is not resolved
FREE = "the scores that come next to the supremum do not agree on it"
SAFETY = 4.0  # the finer of two resolutions is nearer than their difference, by far when smooth
HALF = 0.5  # of the difference of two extrapolations: the second misses a fifteenth where smooth
SETTLED = 1e-10  # relative: where Newton's steps end in the plane, and what lies outside of the box


@dataclass(frozen=True, repr=False)
class RegularisedDiscriminator(Shown):
    """The best discriminator under a penalty on its slope.

    Attributes:
        loss: the game.
        p: the data density.
        q: the generator's density.
        regulariser: the penalty.
        value: V(D) = E_p[a] + E_q[b], without the penalty.
        penalty: ½·E[γ·t'²], or the gradient penalty.
        objective: what D maximises, V − penalty; its error is a bound by duality, and so are those
            of value and penalty.
        reason: why there are no numbers, where there are none.
        symmetry: what the score depends on, where p and q stand for laws in more dimensions.

    >>> from gantheory import optimal_discriminator
    >>> best = optimal_discriminator("minimax", "normal(0, 1)", "normal(1, 1)", regulariser="r1(1)")
    >>> best.score(-1.0).value > best.score(2.0).value
    True
    """

    loss: Loss
    p: Density
    q: Density
    regulariser: Regulariser
    value: Estimate
    penalty: Estimate
    objective: Estimate
    reason: str | None = None
    loose: float = 0.0
    pieces: tuple[Solution, ...] = field(default=(), repr=False, compare=False)
    finer: tuple[Solution, ...] = field(default=(), repr=False, compare=False)
    symmetry: str | None = None

    def gradient(self, wrt: str = "q.loc") -> Estimate:
        """Return the derivative of the generator's loss in a parameter of q, with D held.

        It is E_q[c'(t)·t'·v] where the parameter moves each sample at the speed v, and
        E_q[c(t)·∂log q] for any other parameter.
        """
        name = parameter_of_q(wrt)
        if self.reason is not None:
            return Estimate.undetermined(self.reason, METHOD)
        payoffs, q = penalised_payoffs(self.loss), self.q
        assert isinstance(q, Univariate)
        if (why := self._not_followed(payoffs)) is not None:
            return Estimate.undetermined(why, METHOD)
        terms = [moved(q, name, payoffs, one) for one in self.finer]
        coarse = [moved(q, name, payoffs, one) for one in self.pieces]
        found = between(sum(map(np.sum, terms)), sum(map(np.sum, coarse)), terms, METHOD)
        held = [one.moving if isinstance(one, Resting) else one for one in self.finer
                if isinstance(one.energy, Quadratic)]  # fmt: skip
        off = sum(missed_by(one, *change(q, name, payoffs, one)) for one in held)
        if not math.isfinite(off):
            return Estimate.undetermined(FREE, METHOD)
        return replace(found, error=float(found.error + off))

    def _not_followed(self, payoffs: PenalisedPayoffs) -> str | None:
        """Say where fakes are on which the penalty does not hold D, and its slope is not known."""
        if self.regulariser.everywhere:
            return None
        p, q, weights = self.p, self.q, (self.regulariser.on_real, self.regulariser.on_fake)
        assert isinstance(p, Univariate)
        assert isinstance(q, Univariate)
        used = [law for law, weight in zip((p, q), weights, strict=True) if weight]
        torn = mass_outside(q, supports(p, q, used))
        if torn > LOOSE:
            where = "where the penalty's weight is 0, so that D may jump"
        elif self.loose > LOOSE and not payoffs.is_flat_on_recognised and not self._rests:
            torn, where = self.loose, "where the penalty's weight is below 1e-260"
        else:
            return None
        return f"q has the mass {torn:.3g} {where}; penalise fake samples too, as in 'both(1)'"

    @property
    def _rests(self) -> bool:
        """Whether D is constant where the penalty hardly holds it, as it rests on a kink."""
        return all(isinstance(one, Resting) and all(one.rests) for one in self.finer)

    def score(self, x: float) -> Estimate:
        """Return t(x); undetermined where nothing holds the score."""
        if self.reason is not None:
            return Estimate.undetermined(self.reason, METHOD)
        place = np.array([float(x)])
        for fine, coarse in zip(self.finer, self.pieces, strict=True):
            if fine.edges[0] <= place[0] <= fine.edges[-1]:
                one, other = (float(s.at(place)[0]) for s in (fine, coarse))
                error = SAFETY * abs(one - other) + 1e3 * ROUNDING * (1 + abs(one))
                return Estimate(one, error, method=METHOD)
        return Estimate.undetermined(
            f"x = {float(place[0]):g} lies where the penalty's weight vanishes", METHOD
        )

    def as_dict(self, wrt: str | None = None) -> dict[str, Any]:
        """Return the stable JSON keys."""
        numbers = {"value": self.value, "penalty": self.penalty, "objective": self.objective}
        if wrt is not None:
            numbers["gradient"] = self.gradient(wrt)
        return {
            "loss": self.loss.name,
            "p": str(self.p),
            "q": str(self.q),
            "regulariser": str(self.regulariser),
            "wrt": wrt,
            "symmetry": self.symmetry,
            **{name: one.as_dict() for name, one in numbers.items()},
        }  # fmt: skip

    def __str__(self) -> str:
        note = "" if self.symmetry is None else f"{self.symmetry}\n"
        head = f"{note}{self.loss.name} with {self.regulariser} on p = {self.p}, q = {self.q}\n"
        if self.reason is None:
            head += f"V(D) = {self.value}\npenalty = {self.penalty}\n"
        elif self.objective.status is not Status.OK:
            return f"{head}undetermined: {self.reason}"
        else:
            return f"{head}{self.reason}\nsupremum of V - penalty = {self.objective}"
        return f"{head}V - penalty = {self.objective}"


@dataclass(frozen=True, repr=False)
class PlaneDiscriminator(RegularisedDiscriminator):
    """The best discriminator in the plane; errors are from three resolutions.

    >>> from gantheory import optimal_discriminator
    >>> p, q = "normal_nd((0, 0), ((1, 0), (0, 2)))", "normal_nd((1, 0), ((1, 0), (0, 1)))"
    >>> best = optimal_discriminator("minimax", p, q, regulariser="r1(1)")
    >>> best.score((-1.0, 0.0)).value > best.score((2.0, 0.0)).value
    True
    """

    grids: tuple[Grid, ...] = field(default=(), repr=False, compare=False)

    def gradient(self, wrt: str = "q.loc[0]") -> Estimate:
        """Return the derivative of the generator's loss in a parameter of q, E_q[c(t)·∂log q]."""
        name = parameter_of_q(wrt)
        if self.reason is not None:
            return Estimate.undetermined(self.reason, IN_PLANE)
        return extrapolated(self.grids, lambda grid: grid.moved(name))

    def score(self, x: Any) -> Estimate:
        """Return t at a place (x, y) of the box."""
        if self.reason is not None:
            return Estimate.undetermined(self.reason, IN_PLANE)
        place, (coarse, fine) = np.asarray(x, float), self.grids[-2:]
        if place.shape != (2,) or not fine.holds(place):
            return Estimate.undetermined(f"{x} is no place (x, y) of the box", IN_PLANE)
        value = fine.at(place)
        error = 2 * abs(value - coarse.at(place)) + fine.bend_at(place) + SETTLED * (1 + abs(value))
        return Estimate(value, error, method=IN_PLANE)


def extrapolated(grids: Sequence[Grid], number: Callable[[Grid], float]) -> Estimate:
    """Return what a number tends to as the cells of three grids are halved, C·h² taken out."""
    values = [number(grid) for grid in grids]
    first, second = ((4 * fine - coarse) / 3 for coarse, fine in pairwise(values))
    error = HALF * abs(second - first) + SETTLED * (1 + abs(second))
    if error > COARSE * abs(second) and error > 1e-8:
        return Estimate.undetermined(
            f"three grids give {first:.6g} and {second:.6g}: the laws are not resolved", IN_PLANE
        )
    return Estimate(second, error, method=IN_PLANE)


def between(fine: float, coarse: float, terms: Sequence[Array], method: str) -> Estimate:
    """Return the finer of two resolutions, with their difference and the rounding as its error."""
    rounding = ROUNDING * float(sum(np.abs(one).sum() for one in terms)) + LOOSE
    error = SAFETY * abs(float(fine) - float(coarse)) + rounding
    if error > COARSE * abs(fine) and error > 1e-8:
        return Estimate.undetermined(
            f"two resolutions give {coarse:.6g} and {fine:.6g}: the laws are not resolved", method
        )
    return Estimate(float(fine), float(error), method=method)
