r"""Limits of a derivation, and what is read at P = Q, held against the formulas as typed.

Quantities are evaluated at the ratios 2**±100 and 2**±400. A closed form's are near their limits at
the second: payoffs tend to theirs like a power or a logarithm of r. Along an implicit score they
may be slower, like 1/sqrt(log r), so that there a limit is refuted only where the distance to it
is not small and hardly shrinks from one ratio to the other; an infinite one where nothing grows.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import sympy as sp
from flint import arb

from gantheory.derivations.at_ratio import At, Point
from gantheory.derivations.derivation import Derivation
from gantheory.exact.assumptions import Assumptions
from gantheory.exact.signs.balls import NoEnclosure, enclose, piece_at
from gantheory.functions import r
from gantheory.theory.records import OptimalDiscriminator

NEAR, FAR = 100, 400  # binary digits of the ratios at which limits are looked at
SLOW = 0.02  # 1/log(2**400) is 0.0036
SHRINKS = 0.9  # of a distance, from NEAR to FAR: one like 1/log log r shrinks to 0.75
GROWS = 1.02  # and log log r grows by 1.3

Reading = tuple[arb | None, arb | None]  # at NEAR and at FAR


def is_attained(optimum: OptimalDiscriminator, point: Point) -> bool:
    """Return whether the optimum at a ratio is the payoffs' value at a score."""
    for branch in optimum.branches:
        if branch.ratios[1] == sp.oo or enclose(branch.ratios[1], point) > point[r]:
            return branch.attained
    return False


@dataclass
class Ends:
    """A derivation at very small and very large ratios, at one point of its parameters."""

    derivation: Derivation
    parameters: Assumptions
    values: Point
    draw: random.Random

    @cached_property
    def even(self) -> At:
        """The derivation at r = 1; its score is not used."""
        return At(
            self.derivation, self.parameters, {**self.values, r: arb(1)}, arb(0), False, self.draw
        )

    @cached_property
    def best(self) -> arb | None:
        """F(1) as stated."""
        return self.even.ball(self.derivation.value and self.derivation.value.constant)

    @cached_property
    def ends(self) -> dict[int, tuple[At | None, At | None]]:
        """The derivation at NEAR and FAR, for small (-1) and large (1) ratios."""
        return {
            side: (self.at(arb(2) ** (side * NEAR)), self.at(arb(2) ** (side * FAR)))
            for side in (-1, 1)
        }

    def at(self, ratio: arb) -> At | None:
        """Return the derivation at a ratio; None where the optimal score is infinite."""
        optimum, point = self.derivation.optimum, {**self.values, r: ratio}
        assert optimum is not None
        try:
            piece = piece_at(optimum.score, point)
            score = enclose(piece, point)
            if not score.is_finite() or not is_attained(optimum, point):
                return None
        except NoEnclosure:
            return None
        return At(self.derivation, self.parameters, point, score, piece.has(r), self.draw)

    def confirm(self) -> None:
        """Hold all limits, and what is read at P = Q, against the formulas."""
        if self.best is not None:
            self.even.confirm_maximum(self.best)
            if self.derivation.equilibrium is not None:
                loss = self.derivation.equilibrium.discriminator_loss
                self.even.agree("V at P = Q", -loss, self.best)
        for what, stated, reading in (*self.saturation(), *self.disjoint()):
            self.hold(what, stated, reading)

    def saturation(self) -> Iterator[tuple[str, sp.Expr | None, Reading]]:
        """Yield the stated limits of both weights of the gradient, with what is read."""
        found = self.derivation.saturation
        if found is None:
            return
        for side, in_ratio, in_score in (
            (-1, found.limit_at_0, found.score_limit_at_0),
            (1, found.limit_at_inf, found.score_limit_at_inf),
        ):
            near, far = (
                (None, None) if at is None else at.slope_of_loss() for at in self.ends[side]
            )
            yield "the weight in the score", in_score, (near[0], far[0])
            yield "the weight of the gradient", in_ratio, (near[1], far[1])

    def disjoint(self) -> Iterator[tuple[str, sp.Expr | None, Reading]]:
        """Yield what is stated on disjoint supports, with what is read."""
        stated = self.derivation.disjoint
        if stated is None or self.best is None:
            return
        loss = self.even.ball(self.derivation.loss and self.derivation.loss.constant)
        values: list[arb | None] = []
        losses: list[arb | None] = []
        for none, whole in zip(*self.ends.values(), strict=True):
            if none is None or whole is None:
                values.append(None)
                losses.append(None)
                continue
            values.append(none.payoff("fake") + whole.payoff("real") - self.best)
            read = none.payoff("generator") + whole.payoff("generator") / whole.point[r]
            losses.append(None if loss is None else read - loss)
        if isinstance(stated.value, sp.Expr):
            yield "the value on disjoint supports", stated.value, (values[0], values[1])
        if isinstance(stated.loss, sp.Expr):
            yield "the loss on disjoint supports", stated.loss, (losses[0], losses[1])

    def hold(self, what: str, stated: sp.Expr | None, reading: Reading) -> None:
        """Fail where a limit is certainly not approached."""
        near, far = reading
        if stated is None or far is None or not far.is_finite():
            return
        limit = self.even.ball(stated)
        if stated.is_infinite:
            side = 1 if stated > 0 else -1
            if near is not None and side * far < GROWS * side * near and side * near > 0:
                self.even.fail(f"{what} does not grow to {stated}", far, near)
            return
        if limit is None or not limit.is_finite():
            return
        if not abs(far - limit) > SLOW * (1 + abs(limit)):
            return
        slow = near is not None and abs(far - limit) < SHRINKS * abs(near - limit)
        if self.derivation.solved is not None or not slow:
            self.even.fail(f"the limit of {what} is not approached", far, limit)
