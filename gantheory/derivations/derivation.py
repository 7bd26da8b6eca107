"""The record of what the engine derives from one loss, and its stable JSON keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy as sp

from gantheory.derivations.along import SHORT, steps_along
from gantheory.derivations.exposition import Exposition, Line, Step
from gantheory.derivations.notation import Letter, legend
from gantheory.derivations.ratios import AtRatio, at_ratio, one_by_one
from gantheory.derivations.solved import Solved
from gantheory.derivations.steps import steps_of
from gantheory.derivations.summary import summary_of
from gantheory.exact.assumptions import Assumptions
from gantheory.implicit.atscore import AtScore
from gantheory.implicit.solution import Implicit
from gantheory.losses.loss import Loss
from gantheory.records import Estimate, How
from gantheory.theory.records import (
    Curvature,
    Disjoint,
    Equilibrium,
    OptimalDiscriminator,
    Saturation,
    SecondOrder,
    text,
)


@dataclass(frozen=True, repr=False)
class Derivation(Exposition):
    """The theory of one separable loss.

    Where the engine cannot decide, ``undecided`` maps the name of what is missing to the reason,
    and the attribute is None; where the discriminator has no optimum, ``no_optimum`` says why.
    """

    definition: Loss
    optimum: OptimalDiscriminator | None = None
    second_order: SecondOrder | None = None
    value: Curvature | None = None
    loss: Curvature | None = None
    followed: Curvature | None = None
    zero_sum: bool | None = None
    saturation: Saturation | None = None
    disjoint: Disjoint | None = None
    equilibrium: Equilibrium | None = None
    assumptions: tuple[str, ...] = ()
    no_optimum: str | None = None
    undecided: dict[str, str] | None = None
    solved: Solved | None = field(default=None, repr=False, compare=False)
    implicit: Implicit | None = field(default=None, repr=False, compare=False)

    @property
    def title(self) -> str:
        """The loss's usual name."""
        return self.definition.title

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The derivation step by step, each with how it is known."""
        if self.solved is not None:
            return steps_of(self, self.solved)
        return () if self.optimum is None else steps_along(self)

    @property
    def notation(self) -> tuple[Letter, ...]:
        """What the letters of the steps stand for, each said once."""
        coordinate = self.solved.coordinate.title if self.solved else "t"
        own = Letter("z", "z", f"the score in another form, {coordinate}")
        return legend((step.latex for step in self.steps), (own, *SHORT), self.definition)

    @cached_property
    def summary(self) -> tuple[Line, ...]:
        """The answer in five lines, each with how it is known."""
        return summary_of(self)

    def at(
        self,
        *ratios: float | Fraction | str | Iterable[float | Fraction],
        parameters: Mapping[str, float | Fraction | str] | None = None,
    ) -> tuple[AtRatio, ...]:
        """Return D*, its score and the curvatures at density ratios, with their errors.

        Args:
            ratios: the ratios r = p/q, one by one or in arrays and lists, which are flattened.
            parameters: a number for each free parameter of the loss.

        >>> from gantheory import derive
        >>> print(derive("minimax").at(3)[0].D)
        0.75 (exact)
        >>> print(derive("alpha-gan").at(3, parameters={"alpha": 2})[0].D)
        0.9 ± 4.5e-17
        """
        found = self._given(parameters or {}) if parameters else self
        return tuple(at_ratio(found.optimum, found.curvatures, one) for one in one_by_one(ratios))

    def _given(self, parameters: Mapping[str, float | Fraction | str]) -> Derivation:
        """Return the optimum and the curvatures with numbers in the place of parameters."""
        numbers = self.definition.given(**parameters).numbers
        symbols = Assumptions.of(self.definition.parameters).symbols
        rule = {
            symbol: sp.Rational(numbers[name].numerator, numbers[name].denominator)
            for name, symbol in symbols.items()
        }
        curvatures = {
            name: replace(
                one,
                curvature=one.curvature.xreplace(rule),
                atoms=tuple((p.xreplace(rule), m.xreplace(rule)) for p, m in one.atoms),
                jumps=tuple((p.xreplace(rule), m.xreplace(rule)) for p, m in one.jumps),
            )
            for name, one in self.curvatures.items()
        }
        optimum = self.optimum and replace(
            self.optimum,
            score=self.optimum.score.xreplace(rule),
            D=self.optimum.D.xreplace(rule),
            flats=tuple(tuple(x.xreplace(rule) for x in flat) for flat in self.optimum.flats),
        )
        return replace(self, optimum=optimum, **curvatures)  # type: ignore[arg-type]

    @property
    def status(self) -> str:
        """``"derived"``, ``"no optimum"`` or ``"undecided"``."""
        if self.no_optimum:
            return "no optimum"
        return "undecided" if self.optimum is None else "derived"

    @property
    def curvatures(self) -> dict[str, Curvature]:
        """The three curvatures that were derived, by name."""
        found = {"value": self.value, "loss": self.loss, "followed": self.followed}
        return {name: one for name, one in found.items() if one is not None}

    def as_dict(self) -> dict[str, Any]:
        """Return the derivation under its stable JSON keys; expressions are text in ``r``."""
        second = self.second_order
        return {
            "definition": self.definition.as_dict(),
            "status": self.status,
            "summary": [asdict(line) for line in self.summary],
            "reason": self.no_optimum or "; ".join((self.undecided or {}).values()) or None,
            "optimal_discriminator": _optimum_dict(self.optimum),
            "second_order": second
            and {"holds": second.holds, "how": second.how.value, "reason": second.reason},
            "value": self.value and self.value.as_dict(),
            "loss": self.loss and self.loss.as_dict(),
            "followed": self.followed and self.followed.as_dict(),
            "zero_sum": self.zero_sum,
            "saturation": saturation_dict(self.saturation),
            "disjoint": self.disjoint
            and {
                name: _number_or_text(getattr(self.disjoint, name))
                for name in ("value", "loss", "followed")
            },
            "equilibrium": _equilibrium_dict(self.equilibrium),
            "steps": [step.as_dict() for step in self.steps],
            "assumptions": list(self.assumptions),
            "undecided": dict(self.undecided or {}),
        }


def _number_or_text(found: sp.Expr | Estimate | None) -> str | dict[str, Any] | None:
    """Return an expression as text, and a certified number with its error."""
    if isinstance(found, Estimate):
        return {"value": found.value, "error": found.error, "how": How.CERTIFIED.value}
    return text(found)


def closed(expr: sp.Expr | None) -> str | None:
    """Return an expression in r as text, None where it is a function of an implicit score."""
    return None if expr is None or expr.has(AtScore) else text(expr)


def _optimum_dict(optimum: OptimalDiscriminator | None) -> dict[str, Any]:
    if optimum is None:
        return {"t": None, "D": None, "attained": False, "flat": [], "plateaus": []}
    flats = [
        {"r": text(ratio), "from": text(lower), "to": text(upper)}
        for ratio, lower, upper in optimum.flats
    ]
    return {
        "t": closed(optimum.score),
        "D": closed(optimum.D),
        "attained": optimum.attained,
        "flat": flats,
        "plateaus": [
            {"r": [text(low), text(high)], "from": text(lower), "to": text(upper)}
            for (low, high), lower, upper in optimum.plateaus
        ],
    }


def saturation_dict(saturation: Saturation | None) -> dict[str, Any] | None:
    """Return the stable JSON keys of both weights of the gradient."""
    if saturation is None:
        return None
    return {
        "weight": closed(saturation.weight),
        "limit_at_0": text(saturation.limit_at_0),
        "limit_at_inf": text(saturation.limit_at_inf),
        "vanishing": saturation.vanishing,
        "score_weight": closed(saturation.in_score),
        "score_limit_at_0": text(saturation.score_limit_at_0),
        "score_limit_at_inf": text(saturation.score_limit_at_inf),
        "score_vanishing": saturation.vanishing_in_score,
    }


def _equilibrium_dict(equilibrium: Equilibrium | None) -> dict[str, Any] | None:
    if equilibrium is None:
        return None
    return {
        "D": text(equilibrium.D),
        "discriminator_loss": text(equilibrium.discriminator_loss),
        "generator_loss": text(equilibrium.generator_loss),
        "D_range": equilibrium.D_range and [text(e) for e in equilibrium.D_range],
        "generator_loss_range": equilibrium.generator_range
        and [text(e) for e in equilibrium.generator_range],
        "other_optima": [
            {"D": text(o.D), "generator_loss": text(o.generator_loss), "when": str(o.condition)}
            for o in equilibrium.others
        ],
    }
