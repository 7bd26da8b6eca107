"""The steps of a derivation with the score as parameter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import sympy as sp

from gantheory.derivations import extremes, opening, steps
from gantheory.derivations.exposition import Step
from gantheory.derivations.notation import Letter
from gantheory.derivations.typeset import typeset
from gantheory.records import How
from gantheory.theory.curvature import sum_text
from gantheory.theory.printing import plain
from gantheory.theory.records import Curvature

if TYPE_CHECKING:
    from gantheory.derivations.derivation import Derivation

LONG = 60  # operations of a formula that is written out; a longer one is named by its parts
BY_PARTS = {
    "F''": ("-a'**3/W", r"-\frac{a'^3}{W}"),
    "h''": ("-N*a'**3/W**3", r"-\frac{N a'^3}{W^3}"),
    "g''": ("-c'*a'**3/(b'*W)", r"-\frac{c' a'^3}{b' W}"),
}
PARTS = {
    "W = a'*b'' - b'*a''": "W = a'b'' - b'a''",
    "N = c'*(W'*a' - 2*W*a'') - c''*W*a'": "N = c'(W'a' - 2Wa'') - c''Wa'",
}
SHORT = (Letter("W, N", "W, N", "short for what stands beside the formula"),)
BALLS = "signs by ball arithmetic on all scores, and by expansions with bounds near the ends"


def steps_along(derivation: Derivation) -> tuple[Step, ...]:
    """Return the steps of a derivation with the score as parameter."""
    return (
        opening.game(derivation),
        opening.pointwise(),
        *_stationarity(derivation),
        *_optimum(derivation),
        *steps.second_order_steps(derivation),
        *(step for one in _curvatures(derivation) for step in one),
        *extremes.saturation_steps(derivation.saturation),
        *extremes.disjoint_steps(derivation),
        *extremes.equilibrium_steps(derivation),
    )


def _stationarity(derivation: Derivation) -> Iterator[Step]:
    assert derivation.value is not None
    arcs = iter(derivation.value.parametric)
    for branch in derivation.optimum.branches if derivation.optimum else ():
        if branch.kind != "stationary":
            continue
        arc, (low, high) = next(arcs), map(end_text, branch.ratios)
        yield Step(
            "The score as parameter" if (low, high) == ("0", "oo") else
            f"The score as parameter for {low} < r < {high}",
            f"r*a'(t) + b'(t) = 0 where r = {plain(arc.ratio)}, which is monotone from t = "
            f"{end_text(arc.start)} to {end_text(arc.stop)}: t* is its inverse, and everything "
            "else is a function of t.",
            rf"r = -\frac{{b'(t)}}{{a'(t)}} = {typeset(arc.ratio)}",
            *_how(derivation, BALLS),
        )  # fmt: skip


def _how(derivation: Derivation, certified: str) -> tuple[How, str]:
    """Return how the optimum is known: by concavity for all parameters, or by enclosures."""
    second = derivation.second_order
    if second is not None and second.how is How.PROVED:
        return second.how, second.reason
    return How.CERTIFIED, certified


def end_text(place: sp.Expr) -> str:
    """Return an end as text, an enclosed one to 15 digits."""
    return f"{float(place):.15g}" if place.is_Float else plain(place)


def _optimum(derivation: Derivation) -> Iterator[Step]:
    optimum, value = derivation.optimum, derivation.value
    assert optimum is not None
    arcs = iter(value.parametric if value else ())
    ways = []
    for branch in optimum.branches:
        low, high = map(end_text, branch.ratios)
        arc = next(arcs, None) if branch.kind == "stationary" else None
        where = f"for {low} < r < {high} "
        if arc is None:
            ways.append(where + f"t* = {end_text(branch.x)} ({branch.kind})")
        else:
            ways.append(where + f"t* runs from {end_text(arc.start)} to {end_text(arc.stop)}")
    attained = "" if optimum.attained else " The supremum is approached and not attained."
    yield Step(
        "The optimal discriminator",
        "; ".join(ways).capitalize() + "." + attained,
        rf"t^* = {typeset(optimum.score)}",
        *_how(derivation, "of every local maximum of r*a(t) + b(t) the highest is taken"),
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


def _curvature_step(curvature: Curvature, symbol: str) -> Step:
    """Return the formula of a curvature; a long one in the derivatives of the payoffs."""
    arcs, parts = curvature.parametric, ""
    if all(one.curvature.count_ops() < LONG for one in arcs):
        texts = [f"{plain(one.curvature)} at r = {plain(one.ratio)}" for one in arcs]
        shown = [typeset(one.curvature) for one in arcs]
    else:
        general, latex = BY_PARTS[symbol]
        texts, shown = [f"{general} at r = -b'/a'"], [latex]
        used = [one for one in PARTS if one[0] in general]
        parts = "".join(f", {one}" for one in used)
        shown += [PARTS[one] for one in used]
    formula = sum_text("; ".join(texts), curvature.atoms) or "0"
    return Step(
        f"The curvature {symbol} in the score",
        f"{symbol} = {formula}{parts}.",
        f"{symbol} = " + r",\ ".join(shown or ["0"]),
        How.PROVED,
        "by implicit differentiation of r*a'(t) + b'(t) = 0",
    )
