"""The steps of a derivation with the score as parameter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import sympy as sp

from gantheory.derivations import opening, steps
from gantheory.derivations.exposition import Step
from gantheory.implicit.stationary import Arc
from gantheory.records import How
from gantheory.theory.records import Curvature, text

if TYPE_CHECKING:
    from gantheory.derivations.derivation import Derivation


def steps_along(derivation: Derivation) -> tuple[Step, ...]:
    """Return the steps of a derivation with the score as parameter."""
    return (
        opening.game(derivation),
        opening.pointwise(),
        *_stationarity(derivation),
        *_optimum(derivation),
        *steps.second_order(derivation),
        *(step for one in _curvatures(derivation) for step in one),
        *steps.saturation(derivation),
        *steps.disjoint(derivation),
        *steps.equilibrium(derivation),
    )


def _stationarity(derivation: Derivation) -> Iterator[Step]:
    assert derivation.implicit is not None
    for segment in derivation.implicit.path.segments:
        if not isinstance(segment.local, Arc):
            continue
        ratio = segment.local.part.slopes.ratio
        low, high = (one.shown for one in segment.ratios)
        yield Step(
            "The score as parameter" if (low, high) == ("0", "oo") else
            f"The score as parameter for {low} < r < {high}",
            f"r*a'(t) + b'(t) = 0 where r = {ratio}, which is monotone from t = "
            f"{segment.start.shown} to {segment.stop.shown}: t* is its inverse, and everything "
            "else is a function of t.",
            rf"r = -\frac{{b'(t)}}{{a'(t)}} = {sp.latex(ratio)}",
            How.CERTIFIED,
            "signs by ball arithmetic on all scores, and by expansions with bounds near the ends",
        )  # fmt: skip


def _optimum(derivation: Derivation) -> Iterator[Step]:
    optimum, implicit = derivation.optimum, derivation.implicit
    assert optimum is not None
    assert implicit is not None
    ways = [
        f"for {s.ratios[0].shown} < r < {s.ratios[1].shown} "
        + (
            f"t* runs from {s.start.shown} to {s.stop.shown}"
            if isinstance(s.local, Arc)
            else f"t* = {s.local.place.shown} ({s.local.kind})"
        )
        for s in implicit.path.segments
    ]
    attained = "" if optimum.attained else " The supremum is approached and not attained."
    yield Step(
        "The optimal discriminator",
        "; ".join(ways).capitalize() + "." + attained,
        rf"t^* = {sp.latex(optimum.score)}",
        How.CERTIFIED,
        "every local maximum of r*a + b is listed, and the highest is taken",
    )


def _curvatures(derivation: Derivation) -> Iterator[Iterator[Step]]:
    for name, left, verb, latex, symbol in (
        ("value", "V(D*)", "value reports", r"V(D^*)", "F''"),
        ("loss", "E_q[c(t*)]", "loss reads", r"\mathbb{E}_q[c(t^*)]", "h''"),
        ("followed", "The followed quantity", "generator follows", r"D_g(P\|Q)", "g''"),
    ):
        found = getattr(derivation, name)
        if found is None:
            continue
        yield iter([_curvature_step(found, symbol)])
        yield steps.name_of(left, verb, found, latex)


def _curvature_step(found: Curvature, symbol: str) -> Step:
    parts = [f"{one.curvature} at r = {one.ratio}" for one in found.parametric] or ["0"]
    masses = "".join(f" + {text(mass)}*delta(r - {text(place)})" for place, mass in found.atoms)
    shown = [sp.latex(one.curvature) for one in found.parametric] or ["0"]
    return Step(
        f"The curvature {symbol} in the score",
        f"{symbol} = " + "; ".join(parts) + masses + ".",
        f"{symbol} = " + r",\ ".join(shown),
        How.PROVED,
        "by implicit differentiation of r*a'(t) + b'(t) = 0",
    )
