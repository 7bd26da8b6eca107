"""What is said of a loss curve, as records: ranges, plateaus and certified bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sympy as sp

from gantheory.derivations.wording import value_text
from gantheory.divergences.symbols import in_prose
from gantheory.errors import GantheoryError
from gantheory.shown import Overview, Shown
from gantheory.theory.records import text

GUARDED = (
    "a guard inside the logarithm is reached: the loss and its gradient are flat there; use the "
    "form with softplus of the logit instead"
)
NEAR = 0.02  # a plateau is read off a plot: two printed digits
MOST_HEADS = 16  # discriminators that audio models sum: 8 in HiFi-GAN, 5 to 11 elsewhere
HEADS = 0.005  # how well a sum of heads must fit: any value is near some multiple of a plateau


@dataclass(frozen=True)
class Plateau:
    """A value at which a loss may stop moving, and what that means.

    Attributes:
        loss: ``"discriminator"`` or ``"generator"``.
        value: the exact value.
        when: the state of the training that gives it.
        meaning: what follows, and what does not.
    """

    loss: str
    value: sp.Expr
    when: str
    meaning: str

    @property
    def number(self) -> float | None:
        """The value as a number; None with free parameters."""
        return as_number(self.value)


@dataclass(frozen=True)
class LossRange:
    """What a loss can read while the discriminator is optimal.

    Attributes:
        equilibrium: its value at P = Q.
        lowest: its infimum over all P and Q; None where it is not derived.
        highest: its supremum.
        may_be_negative: whether any discriminator makes it negative; None where not decided.
    """

    equilibrium: sp.Expr | None
    lowest: sp.Expr | None
    highest: sp.Expr | None
    may_be_negative: bool | None


@dataclass(frozen=True)
class Bound:
    """What one measured discriminator loss certifies about P and Q.

    Attributes:
        loss: the measured loss, an expectation on fresh samples.
        divergence: the combination that is bounded from below.
        at_least: the bound; at most zero where nothing is certified.
        remark: how to read it.
    """

    loss: float
    divergence: str
    at_least: float
    remark: str


@dataclass(frozen=True, repr=False)
class Explanation(Shown):
    """The answers for one loss.

    >>> from gantheory.report.explain import explain
    >>> explain("minimax").bound_rule
    '2*jsd >= 2*log(2) - (discriminator loss)'
    """

    definition: Any
    discriminator: LossRange
    generator: LossRange
    plateaus: tuple[Plateau, ...]
    gradient: str
    vanishing: bool | None
    follows: str
    reports: str
    bound: Bound | None = None
    vanishing_in_score: bool | None = None
    stuck: float | None = None

    def overview(self) -> Overview:
        """Return what the losses read, what G follows, and at which values a loss may stop."""
        rows = [*self._stuck_rows()] if self.stuck is not None else []
        rows += [
            ("discriminator's loss", _range_text(self.discriminator)),
            ("generator's loss", _range_text(self.generator)),
            ("G follows", self.follows),
            ("gradient", self.gradient),
            ("bound", self.bound_rule),
        ]
        rows += [(f"stops at {value_text(one.value)}", f"{one.loss}: {one.when}; {one.meaning}")
                 for one in self.usual_plateaus if self.stuck is None]  # fmt: skip
        shown = ((label, in_prose(said)) for label, said in rows)
        return Overview(f"What the losses of {self.definition.title} mean", tuple(shown))

    def _stuck_rows(self) -> Iterator[tuple[str, str]]:
        """Yield what the value at which a loss has stopped may be."""
        named = f"stuck at {self.stuck:g}"
        for one in self.stuck_at:
            yield named, f"{one.loss}: {one.when}; {one.meaning}"
        if not self.stuck_at:
            yield named, "no plateau of this loss"

    @property
    def stuck_at(self) -> tuple[Plateau, ...]:
        """The plateaus that the value at which a loss has stopped may be, the nearest first."""
        return () if self.stuck is None else self.meanings(self.stuck)

    @property
    def bound_rule(self) -> str:
        """The rule by which a discriminator loss bounds the divergence that V reports."""
        even = self.discriminator.equilibrium
        start = "" if even == 0 else f"{value_text(even)} "
        return f"{self.reports} >= {start}-{' ' if start else ''}(discriminator loss)"

    def certify(self, loss: float) -> Bound:
        """Return what a measured discriminator loss certifies, since V(D) <= V(D*).

        Raises:
            GantheoryError: where the loss has free parameters, or its value is undecided.
        """
        even = self.discriminator.equilibrium
        at_equality = None if even is None else as_number(even)
        if at_equality is None:
            raise GantheoryError(
                f"loss {self.definition.name!r} has free parameters or an undecided value; "
                "a bound needs a loss with numbers"
            )
        if not math.isfinite(loss):
            raise GantheoryError(f"discriminator loss {loss} must be a finite number")
        at_least = at_equality - loss
        return Bound(loss, self.reports, at_least, _remark(at_least, self.discriminator, loss))

    def meanings(self, value: float) -> tuple[Plateau, ...]:
        """Return the plateaus that a stuck ``value`` may be, the nearest first.

        Those within one unit of its last digit; else the nearest within two digits; else sums of
        several heads that fit.
        """
        apart = {
            one: abs(one.number - value)
            for one in self.plateaus
            if one.number is not None and math.isfinite(one.number)
        }
        close = sorted(apart, key=lambda one: apart[one])
        found = [one for one in close if apart[one] <= _unit(value)]
        if not found and close and apart[close[0]] <= NEAR * max(1.0, abs(value)):
            found = [one for one in close if apart[one] <= apart[close[0]] * (1 + 1e-9)]
        return tuple(found or self._heads(value))

    def _heads(self, value: float) -> list[Plateau]:
        """Return the plateaus of which a value is a small multiple, the fewest heads first."""
        return [
            Plateau(
                one.loss,
                heads * one.value,
                f"{heads} heads are summed, each at {value_text(one.value)}: {one.when}",
                one.meaning,
            )
            for heads in range(2, MOST_HEADS + 1)
            for one in self.usual_plateaus
            if one.number and abs(heads * one.number - value) <= min(HEADS, _unit(value))
        ]

    @property
    def usual_plateaus(self) -> tuple[Plateau, ...]:
        """The plateaus that no numerical guard makes."""
        return tuple(one for one in self.plateaus if one.meaning != GUARDED)

    def as_dict(self) -> dict[str, Any]:
        """Return the stable JSON keys."""
        stopped = {} if self.stuck is None else {"stuck": [*map(_plateau_dict, self.stuck_at)]}
        return {
            "definition": self.definition.as_dict(),
            "discriminator_loss": _range_dict(self.discriminator),
            "generator_loss": _range_dict(self.generator),
            "plateaus": [*map(_plateau_dict, self.plateaus)],
            "gradient": {"vanishing": self.vanishing,
                         "vanishing_in_score": self.vanishing_in_score, "where": self.gradient},
            "follows": self.follows,
            "bound": {"rule": self.bound_rule, **(vars(self.bound) if self.bound else {})},
        } | stopped  # fmt: skip


def _plateau_dict(one: Plateau) -> dict[str, Any]:
    return {"loss": one.loss, "value": text(one.value), "number": one.number,
            "when": one.when, "meaning": one.meaning}  # fmt: skip


def _range_text(losses: LossRange) -> str:
    """Return what a loss reads at P = Q and between which ends it lies while D is optimal."""
    even = value_text(losses.equilibrium) or "undetermined"
    if losses.lowest is None:
        return f"{even} at P = Q, its range is not derived"
    between = f"between {value_text(losses.lowest)} and {value_text(losses.highest)}"
    return f"{even} at P = Q, {between} while D is optimal"


def _unit(value: float) -> float:
    """Return one unit of the last decimal that was typed, at most 0.1."""
    exponent = Decimal(repr(value)).as_tuple().exponent
    return min(0.1, 10.0 ** int(exponent)) * (1 + 1e-9)


def _remark(at_least: float, possible: LossRange, measured: float) -> str:
    lowest = None if possible.lowest is None else as_number(possible.lowest)
    if lowest is not None and measured < lowest - 1e-12:
        return (
            f"impossible: no discriminator gets below {lowest:.6g} in expectation; check whether "
            "the loss averages its two terms, uses another logarithm, or was read on training data"
        )
    if at_least <= 0:
        return "nothing is certified: a constant discriminator does as well"
    return (
        "any discriminator within the loss's domain certifies this, on fresh samples and up to "
        "their sampling error"
    )


def as_number(value: sp.Expr) -> float | None:
    """Return a constant as a float, infinities included; None with free symbols."""
    return None if value.free_symbols else float(value)


def _range_dict(losses: LossRange) -> dict[str, Any]:
    def shown(value: sp.Expr | None) -> dict[str, Any] | None:
        return None if value is None else {"value": text(value), "number": as_number(value)}

    return {
        "equilibrium": shown(losses.equilibrium),
        "lowest": shown(losses.lowest),
        "highest": shown(losses.highest),
        "may_be_negative": losses.may_be_negative,
    }
