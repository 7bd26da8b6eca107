"""Steps about the extremes: a discriminator that is sure, disjoint supports, and P = Q."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import sympy as sp

from gantheory.derivations.exposition import Step
from gantheory.derivations.typeset import typeset
from gantheory.derivations.wording import value_text
from gantheory.records import Estimate, How
from gantheory.theory.records import (
    Disjoint,
    Equilibrium,
    Saturation,
)

if TYPE_CHECKING:
    from gantheory.derivations.derivation import Derivation

LONG = 100  # operations of a formula that is written out


def saturation_steps(found: Saturation | None) -> Iterator[Step]:
    if found is None:
        return
    for place, weight, ends, vanishing, symbol, name in (
        ("in log r, what moves the divergence", found.weight,
         (found.limit_at_0, found.limit_at_inf), found.vanishing, "w", "w = r^2*g''"),
        ("in the raw score, what automatic differentiation sees", found.in_score,
         (found.score_limit_at_0, found.score_limit_at_inf), found.vanishing_in_score,
         "c'", "c'(t*)"),
    ):  # fmt: skip
        if weight is None:
            continue
        verdict = {
            True: f"fakes that D recognises (r -> 0) give no gradient {place.split(',')[0]}",
            False: f"fakes that D recognises (r -> 0) still give one {place.split(',')[0]}",
            None: "the limit at r -> 0 is not decided",
        }[vanishing]
        zero, infinity = (value_text(end) or "undecided" for end in ends)
        formula = "r^2 g''(r)" if symbol == "w" else "c'(t^*(r))"
        if weight.count_ops() < LONG:
            name, formula = f"{name} = {weight}", f"{formula} = {typeset(weight)}"
        yield Step(
            f"Where the gradient vanishes, {place.split(',')[0]}",
            f"Per fake sample, {place}: the gradient is {name}, {zero} at r -> 0 "
            f"and {infinity} at r -> oo: {verdict}.",
            rf"{formula} \to {_limit(ends[0])}\ (r \to 0), \quad "
            rf"\to {_limit(ends[1])}\ (r \to \infty)",
            How.UNDECIDED if None in ends else How.PROVED,
            "limits by leading terms",
        )


def _limit(value: sp.Expr | Estimate | None) -> str:
    if isinstance(value, Estimate):
        return rf"\text{{{value_text(value)}}}"
    return r"\text{undecided}" if value is None else typeset(value)


def disjoint_steps(derivation: Derivation) -> Iterator[Step]:
    found = derivation.disjoint
    if found is None:
        return
    values = vars(found)
    if all(value is None for value in values.values()):
        return
    shown = ", ".join(
        f"{name} {value_text(value) or 'undecided'}" for name, value in values.items()
    )
    yield Step(
        "Disjoint supports",
        f"Where P and Q do not overlap, f(0) + f'(oo) is: {shown} (constants left out).",
        r"D_f = f(0) + f'(\infty):\quad "
        + r",\quad ".join(rf"\text{{{name}}}\ {_limit(value)}" for name, value in values.items()),
        _known_on_disjoint(found),
        "limits by leading terms",
    )


def _known_on_disjoint(disjoint: Disjoint) -> How:
    values = tuple(vars(disjoint).values())
    if None in values:
        return How.UNDECIDED
    return How.CERTIFIED if any(isinstance(one, Estimate) for one in values) else How.PROVED


def equilibrium_steps(derivation: Derivation) -> Iterator[Step]:
    found = derivation.equilibrium
    if found is None:
        return
    loss = value_text(found.generator_loss) or "not determined"
    yield Step(
        "At equilibrium",
        f"At P = Q: D = {value_text(found.D)}, the discriminator's loss -V is "
        f"{value_text(found.discriminator_loss)}, the generator's is {loss}.{_as_good(found)}",
        rf"P = Q:\quad D = {typeset(found.D)},\quad -V = {typeset(found.discriminator_loss)},"
        rf"\quad \mathbb{{E}}_q[c] = {_limit(found.generator_loss)}",
        _known_at_equality(found),
        "r = 1",
    )


def _known_at_equality(equilibrium: Equilibrium) -> How:
    """Return how values at P = Q are known: exact ones are proved, enclosed ones certified."""
    if equilibrium.generator_loss is None:
        return How.UNDECIDED
    ranges = [
        end for pair in (equilibrium.D_range, equilibrium.generator_range) if pair for end in pair
    ]
    values = [equilibrium.D, equilibrium.discriminator_loss, equilibrium.generator_loss, *ranges]
    return How.CERTIFIED if any(value.has(sp.Float) for value in values) else How.PROVED


def _as_good(equilibrium: Equilibrium) -> str:
    """Say which other outputs are optimal at P = Q."""
    spread = ""
    if equilibrium.D_range is not None:
        low, high = map(value_text, equilibrium.D_range)
        spread = f" Any D from {low} to {high} is optimal there."
        if equilibrium.generator_range is not None:
            low, high = map(value_text, equilibrium.generator_range)
            spread += f" The generator's loss may then read anything from {low} to {high}."
    for other in equilibrium.others:
        when = "" if other.condition == sp.true else f" where {other.condition}"
        spread += (
            f" D = {value_text(other.D)} is optimal there too{when}, and then the generator's loss "
            f"is {value_text(other.generator_loss)}."
        )
    return spread
