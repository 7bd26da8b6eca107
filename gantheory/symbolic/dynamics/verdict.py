"""The verdict on a method: what algebra and certified signs say becomes of a trajectory."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import sympy as sp

from gantheory.records import How
from gantheory.symbolic.dynamics.equilibria import FLOW
from gantheory.symbolic.dynamics.lyapunov import distance_along_flow
from gantheory.symbolic.dynamics.operators import eta
from gantheory.symbolic.dynamics.steps import Behaviour, behaviour

if TYPE_CHECKING:
    from gantheory.symbolic.dynamics.analysis import Analysis

CLEAR = 1e-9  # distance of a computed radius from 1 beyond which 25 digits decide


class Fate(StrEnum):
    """What becomes of a general trajectory."""

    CONVERGES = "converges"
    BOUNDED = "bounded orbit"
    DIVERGES = "diverges"
    CYCLE = "limit cycle"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Decision:
    """A fate, how it is known and why."""

    fate: Fate
    how: How
    reason: str


def decide(analysis: Analysis) -> Decision:
    """The verdict, as far as algebra and certified signs go."""
    if analysis.equilibrium is None or analysis.jacobian is None:
        reason = "the field jumps at the equilibrium" if analysis.equilibria else "no equilibrium"
        return Decision(Fate.UNDECIDED, How.UNDECIDED, f"{reason}; linearisation does not apply")
    if analysis.dynamics.parameters:
        names = ", ".join(map(str, analysis.dynamics.parameters))
        return Decision(Fate.UNDECIDED, How.UNDECIDED, f"give numbers for {names}")
    linear = analysis.method.clip is None and is_affine(analysis)
    kind, how = _linear_behaviour(analysis)
    if analysis.method.rule is None:
        return _decide_flow(analysis, kind, how, linear)
    return _decide_update(analysis, kind, how, linear)


def is_affine(analysis: Analysis) -> bool:
    """Whether the field that the method follows is affine, so that its spectrum decides all."""
    field = analysis.method.game(analysis.dynamics).field
    return not any(
        sp.expand(sp.diff(f, v)).free_symbols & set(analysis.dynamics.variables)
        for f in field
        for v in analysis.dynamics.variables
    )


def _linear_behaviour(analysis: Analysis) -> tuple[Behaviour | None, How]:
    matrix = analysis.jacobian
    assert matrix is not None
    if analysis.method.rule is None:
        equilibrium = analysis.equilibrium
        assert equilibrium is not None
        return equilibrium.flow, equilibrium.how
    assert analysis.operator is not None
    exact = analysis.equilibrium is not None and analysis.equilibrium.how is How.PROVED
    if exact and all(entry.is_rational for entry in matrix):
        assert analysis.transverse is not None
        across = behaviour(analysis.transverse.subs(eta, analysis.step))
        if across is Behaviour.CONVERGES:
            return across, How.PROVED
        return behaviour(analysis.operator.subs(eta, analysis.step)), How.PROVED
    radius = analysis.spectral_radius
    if radius is None or abs(radius - 1) < CLEAR:
        return None, How.UNDECIDED
    return (Behaviour.CONVERGES if radius < 1 else Behaviour.DIVERGES), How.MEASURED


def _decide_flow(analysis: Analysis, kind: Behaviour | None, how: How, linear: bool) -> Decision:
    assert analysis.equilibrium is not None
    distance = distance_along_flow(analysis.dynamics, analysis.equilibrium.point)
    if distance.attracts:
        return Decision(
            Fate.CONVERGES, distance.how, "from every start: the distance to the equilibrium falls"
        )
    if distance.sign == "= 0":
        return Decision(
            Fate.BOUNDED, How.PROVED, "the flow conserves the distance to the equilibrium"
        )
    if linear and kind is not None:
        return Decision(_FATES[kind], how, f"linear field, {FLOW[kind]}")
    if kind is Behaviour.CONVERGES:
        return Decision(Fate.CONVERGES, how, "near the equilibrium: eigenvalues have Re < 0")
    why = FLOW[kind] if kind else "eigenvalues on or near the imaginary axis"
    return Decision(
        Fate.UNDECIDED, How.UNDECIDED, f"nonlinear field, {why}; no Lyapunov function found"
    )


_FATES = {
    Behaviour.CONVERGES: Fate.CONVERGES,
    Behaviour.BOUNDED: Fate.BOUNDED,
    Behaviour.GROWS: Fate.DIVERGES,
    Behaviour.DIVERGES: Fate.DIVERGES,
}
_WHY = {
    Behaviour.CONVERGES: "spectral radius below 1",
    Behaviour.BOUNDED: "all eigenvalues on or inside the unit circle, with full eigenvectors on it",
    Behaviour.GROWS: "a defective eigenvalue on the unit circle: growth like a power of the steps",
    Behaviour.DIVERGES: "spectral radius above 1",
}


def _decide_update(analysis: Analysis, kind: Behaviour | None, how: How, linear: bool) -> Decision:
    if linear and kind is not None:
        where = " across the set of equilibria" if analysis.family else ""
        return Decision(_FATES[kind], how, f"linear update, {_WHY[kind]}{where}")
    if kind is Behaviour.CONVERGES:
        return Decision(Fate.CONVERGES, how, f"near the equilibrium: {_WHY[kind]}")
    plain = analysis.method.name == "simultaneous" and analysis.method.clip is None
    if plain and _euler_leaves_spheres(analysis):
        return Decision(
            Fate.DIVERGES,
            How.PROVED,
            "the flow conserves the distance, so each step adds the squared length of the field",
        )
    why = _WHY[kind] if kind else "the spectral radius is too near 1"
    return Decision(
        Fate.UNDECIDED, How.UNDECIDED, f"{why} at the equilibrium; the update is not linear"
    )


def _euler_leaves_spheres(analysis: Analysis) -> bool:
    """Whether |z + h v|^2 = |z|^2 + h^2 |v|^2 with no other zero of v, so that |z| must grow."""
    assert analysis.equilibrium is not None
    distance = distance_along_flow(analysis.dynamics, analysis.equilibrium.point)
    alone = len(analysis.equilibria) == 1 and analysis.equilibrium.how is How.PROVED
    return distance.sign == "= 0" and alone
