"""The verdict on a method: what algebra and certified signs say becomes of a trajectory."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import sympy as sp

from gantheory.deadline import OutOfTime, time_limit
from gantheory.dynamics.centre import Reduced, reduce_flow, reduce_update
from gantheory.dynamics.equilibria import FLOW, flow
from gantheory.dynamics.lyapunov import distance_along_flow
from gantheory.dynamics.operators import characteristic, eta, lamda
from gantheory.dynamics.spectrum import eigenvalue_balls, flow_in_balls, update_in_balls
from gantheory.dynamics.steps import Stability, companion, stability
from gantheory.records import How

if TYPE_CHECKING:
    from gantheory.dynamics.analysis import Analysis


SECONDS = 15.0  # for the verdict of the theory; the games of the catalogue need a tenth


class Behaviour(StrEnum):
    """What a general trajectory does in the long run."""

    CONVERGES = "converges"
    BOUNDED = "bounded orbit"
    DIVERGES = "diverges"
    CYCLE = "limit cycle"
    PERIODIC = "periodic cycle"
    LEAVES = "leaves the domain"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Decision:
    """What a trajectory does, how it is known and why; ``theorem`` is quoted, computed nowhere."""

    behaviour: Behaviour
    how: How
    reason: str
    theorem: str = ""


LINEARISED = "linearised stability (Khalil 2002, Nonlinear Systems, theorem 4.7)"
ITERATED = "linearised stability of iterations (Ortega and Rheinboldt 1970, theorem 10.1.3)"
DISTANCE = "Lyapunov's theorem on stability (Khalil 2002, Nonlinear Systems, 4.1 and 4.4)"
CENTRE = "the centre manifold theorem (Carr 1981, Applications of Centre Manifold Theory)"


def decide(analysis: Analysis) -> Decision:
    """The verdict, as far as algebra and certified signs go."""
    if analysis.equilibrium is None or analysis.jacobian is None:
        reason = "no equilibrium is known"
        if analysis.equilibria:
            reason = "the field jumps at the equilibrium"
        elif analysis.zeros.complete:
            reason = "there is no equilibrium"
        return _undecided(f"{reason}; linearisation does not apply")
    if analysis.dynamics.parameters:
        names = ", ".join(map(str, analysis.dynamics.parameters))
        return _undecided(f"give numbers for {names}")
    try:
        with time_limit(SECONDS):
            return _decide(analysis)
    except OutOfTime:
        return _undecided(f"the theory took longer than {SECONDS:g} seconds")


def _undecided(reason: str) -> Decision:
    return Decision(Behaviour.UNDECIDED, How.UNDECIDED, reason)


def _decide(analysis: Analysis) -> Decision:
    linear = analysis.method.clip is None and is_affine(analysis) and _is_whole(analysis)
    if analysis.method.rule is None:
        found = _from_distance(analysis)
        if found is not None:
            return found
    kind, how = _linear_stability(analysis)
    if linear and kind is not None:
        return _linear_decision(analysis, kind, how)
    if kind is Stability.CONVERGES:
        why = f"near {_place(analysis)}: {_why(analysis, kind)}"
        theorem = LINEARISED if analysis.method.rule is None else ITERATED
        return Decision(Behaviour.CONVERGES, how, why, theorem)
    if analysis.method.name == "simultaneous" and analysis.method.clip is None:
        found = _euler_leaves_spheres(analysis)
        if found is not None:
            return found
    if kind is not Stability.DIVERGES:
        found = on_centre_manifold(analysis)
        if found is not None:
            return found
    what = _why(analysis, kind) if kind else "an eigenvalue is neutral or too near to it"
    return _undecided(f"{what} at the equilibrium; {_scope(analysis)}")


def is_affine(analysis: Analysis) -> bool:
    """Whether the field that the method follows is affine, so that its spectrum decides all."""
    field = analysis.method.game(analysis.dynamics).field
    return not any(
        sp.expand(sp.diff(f, v)).free_symbols & set(analysis.dynamics.variables)
        for f in field
        for v in analysis.dynamics.variables
    )


def _is_whole(analysis: Analysis) -> bool:
    """Whether no variable can leave its domain."""
    return all(span == sp.Reals for span in analysis.dynamics.domains.values())


def _linear_stability(analysis: Analysis) -> tuple[Stability | None, How]:
    """What the linearisation does: exactly where it is rational, else certified in balls."""
    if analysis.is_rational:
        if analysis.method.rule is None:
            assert analysis.jacobian is not None
            across = flow(analysis.jacobian, analysis.family)
            return across, How.PROVED
        if analysis.at_step is not None and analysis.reduced_operator is not None:
            across = stability(analysis.reduced_operator.subs(eta, analysis.step))
            if across is Stability.CONVERGES:
                return across, How.PROVED
            return stability(analysis.at_step), How.PROVED
        return None, How.UNDECIDED
    values = None if analysis.balls is None else eigenvalue_balls(analysis.balls)
    if analysis.method.rule is None:
        kind = None if analysis.balls is None else flow_in_balls(analysis.balls)
    else:
        kind = update_in_balls(values)
    return kind, How.CERTIFIED


_BEHAVIOURS = {
    Stability.CONVERGES: Behaviour.CONVERGES,
    Stability.BOUNDED: Behaviour.BOUNDED,
    Stability.GROWS: Behaviour.DIVERGES,
    Stability.DIVERGES: Behaviour.DIVERGES,
}
_WHY = {
    Stability.CONVERGES: "spectral radius below 1",
    Stability.BOUNDED: "all eigenvalues on or inside the unit circle, with full eigenvectors on it",
    Stability.GROWS: "a defective eigenvalue on the unit circle: growth like a power of the steps",
    Stability.DIVERGES: "spectral radius above 1",
}
_WHY_FLOW: dict[Stability, str] = {
    Stability.CONVERGES: "eigenvalues have Re < 0",
    **{kind: FLOW[kind] for kind in Stability if kind is not Stability.CONVERGES},
}


def _scope(analysis: Analysis) -> str:
    """Why the linearisation does not decide everywhere."""
    thing = "the field" if analysis.method.rule is None else "the update"
    return "the domain has ends" if is_affine(analysis) else f"{thing} is not linear"


def _why(analysis: Analysis, kind: Stability) -> str:
    across = " across the set of equilibria" if analysis.family else ""
    return (_WHY_FLOW if analysis.method.rule is None else _WHY)[kind] + across


def _place(analysis: Analysis) -> str:
    if not analysis.family:
        return "the equilibrium"
    where = ", ".join(f"{v} = {value}" for v, value in analysis.point.items())
    return f"the set of equilibria at {where}"


def _linear_decision(analysis: Analysis, kind: Stability, how: How) -> Decision:
    thing = "linear field" if analysis.method.rule is None else "linear update"
    return Decision(_BEHAVIOURS[kind], how, f"{thing}, {_why(analysis, kind)}")


def _from_distance(analysis: Analysis) -> Decision | None:
    """What the distance to an isolated exact equilibrium says about the flow."""
    assert analysis.equilibrium is not None
    if analysis.equilibrium.how is not How.PROVED or analysis.equilibrium.dimension:
        return None
    distance = distance_along_flow(analysis.dynamics, analysis.equilibrium.point)
    whole = _is_whole(analysis)
    if distance.attracts:
        start = "every start" if whole else "every start nearer to it than the edge of the domain"
        reason = f"from {start}: the distance to the equilibrium falls"
        return Decision(Behaviour.CONVERGES, distance.how, reason, DISTANCE)
    if distance.sign == "= 0":
        reason = "the flow conserves the distance to the equilibrium"
        if not whole:
            reason += ", as long as it stays in the domain"
        return Decision(Behaviour.BOUNDED, distance.how, reason)
    return None


def _euler_leaves_spheres(analysis: Analysis) -> Decision | None:
    """Euler's |z + h v|^2 = |z|^2 + h^2 |v|^2, with no other zero of v: then |z| must grow.

    Bounded, it would converge, and v would vanish on a sphere around the equilibrium.
    """
    assert analysis.equilibrium is not None
    alone = len(analysis.equilibria) == 1 and not analysis.equilibrium.dimension
    if not (alone and analysis.zeros.complete and analysis.equilibrium.how is How.PROVED):
        return None
    distance = distance_along_flow(analysis.dynamics, analysis.equilibrium.point)
    if distance.sign != "= 0" or not _is_whole(analysis):
        return None
    reason = "the flow conserves the distance, so each step adds the squared length of the field"
    return Decision(Behaviour.DIVERGES, distance.how, reason)


def on_centre_manifold(analysis: Analysis) -> Decision | None:
    """Decide by the reduced equation where one eigenvalue is neutral and the others attract."""
    reduced = reduce(analysis)
    if reduced is None or analysis.method.clip is not None:
        return None
    if reduced.attracts is None:
        return _undecided(
            f"one neutral eigenvalue, {reduced.neutral}; on the centre manifold all terms up to "
            f"order {reduced.order} vanish or have no known sign"
        )
    about = f"on the centre manifold {reduced.equation}"
    if reduced.attracts:
        why = f"near the equilibrium, slowly: {about}"
        return Decision(Behaviour.CONVERGES, How.PROVED, why, CENTRE)
    return _undecided(f"the equilibrium repels, proved: {about}")


def reduce(analysis: Analysis) -> Reduced | None:
    """The reduced equation, or None where the neutral eigenvalue is not a single 0, 1 or -1."""
    if not analysis.is_rational or analysis.family:
        return None
    game, point, rule = (
        analysis.method.game(analysis.dynamics),
        analysis.point,
        analysis.method.rule,
    )
    if rule is None:
        assert analysis.jacobian is not None
        neutral = _single_neutral(analysis.jacobian, (0,))
        return None if neutral is None else reduce_flow(game, point)
    if analysis.at_step is None:
        return None
    neutral = _single_neutral(analysis.at_step, (1, -1))
    if neutral is None:
        return None
    return reduce_update(game, point, rule, analysis.at_step, analysis.step, neutral)


def _single_neutral(matrix: sp.Matrix, candidates: tuple[int, ...]) -> int | None:
    """The simple eigenvalue among ``candidates``, if all other eigenvalues attract."""
    polynomial = characteristic(matrix)
    for value in candidates:
        factor = sp.Poly(lamda - value, lamda)
        rest, remainder = polynomial.div(factor)
        if not remainder.is_zero:
            continue
        if rest.degree() == 0:
            return value
        others = companion(rest)
        kind = flow(others) if candidates == (0,) else stability(others)
        if kind is Stability.CONVERGES:
            return value
    return None
