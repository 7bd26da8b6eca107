"""The equilibria of a game: where they are, what the flow does there, whether they are Nash."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sympy as sp
from flint import arb

from gantheory.deadline import OutOfTime, time_limit
from gantheory.dynamics.balls import enclose_on_box
from gantheory.dynamics.nash import NashTest, check_nash, nash_in_balls
from gantheory.dynamics.operators import characteristic, eigenvalues, lamda
from gantheory.dynamics.record import KINKED, Game, smooth_part
from gantheory.dynamics.solve import Point
from gantheory.dynamics.spectrum import Balls, ball_matrix, eigenvalue_balls, flow_in_balls
from gantheory.dynamics.steps import Stability, companion, stability
from gantheory.dynamics.zeros import Zeros, without_tanh, zeros_of_field
from gantheory.records import How

T = TypeVar("T")
SECONDS = 3.0  # for one quantity that may be left out
FLOW = {
    Stability.CONVERGES: "asymptotically stable",
    Stability.BOUNDED: "centre of the linearised flow",
    Stability.GROWS: "defective on the imaginary axis",
    Stability.DIVERGES: "unstable",
}
CONTINUUM = {1: "line", 2: "plane", 3: "higher-dimensional set"}
UNLINEARISED = {True: "the field jumps here", False: "the flow depends on the parameters"}


@dataclass(frozen=True)
class RestPoint:
    """A point where the field vanishes.

    Attributes:
        point: the value of each variable.
        jacobian: of the field; None where the field jumps.
        eigenvalues: of the Jacobian, exact; None where no formula is found.
        flow: what the linearised flow does; None where parameters are free or the field jumps.
        nash: the definition of a Nash equilibrium, checked.
        how: proved, or certified for a point that balls enclose.
        enclosure: balls around such a point; empty where the point is exact.
    """

    point: Point
    jacobian: sp.Matrix | None
    eigenvalues: tuple[sp.Expr, ...] | None
    flow: Stability | None
    nash: NashTest
    how: How
    enclosure: Mapping[sp.Symbol, arb] = field(default_factory=dict)

    @property
    def dimension(self) -> int:
        """The dimension of the set of equilibria that the point stands for; 0 if it is one."""
        return sum(1 for v, value in self.point.items() if v == value)

    @property
    def classification(self) -> str:
        """The verdicts in words, dominance kept apart from Nash."""
        nash = self.nash
        words = [nash.kind]
        if nash.kind.startswith("Nash"):
            words.append("differential" if nash.differential else "not differential")
        if self.flow is Stability.CONVERGES and nash.kind == "not Nash":
            words[0] = "stable but not Nash"
        flow = FLOW[self.flow] if self.flow else UNLINEARISED[self.jacobian is None]
        dominant = [k + 1 for k in (0, 1) if nash.dominant[k]]
        names = " and ".join(f"player {k}" for k in dominant)
        if self.dimension:
            words.append(f"a {CONTINUUM[min(self.dimension, 3)]} of equilibria")
        words += [flow, f"dominant for {names}" if dominant else "no dominant strategy known"]
        if nash.dominant == (False, False):
            words[-1] = "not dominant for either player"
        return "; ".join(words)

    def as_dict(self) -> dict[str, Any]:
        """Return the equilibrium under its stable JSON keys."""
        matrix: Any = [] if self.jacobian is None else self.jacobian.tolist()
        values = self.eigenvalues
        return {
            "point": {str(v): str(value) for v, value in self.point.items()},
            "jacobian": [[str(entry) for entry in row] for row in matrix] or None,
            "eigenvalues": None if values is None else [str(value) for value in values],
            "classification": self.classification,
            "nash": self.nash.kind,
            "differential_nash": self.nash.differential,
            "replies": [str(reply) for reply in self.nash.replies],
            "dominant": list(self.nash.dominant),
            "not_dominant_because": [text or None for text in self.nash.counterexamples],
            "flow": None if self.flow is None else FLOW[self.flow],
            "how": str(self.how),
        }


def equilibria(dynamics: Game, zeros: Zeros | None = None) -> tuple[RestPoint, ...]:
    """Find the equilibria of a game and classify each.

    >>> from gantheory.dynamics.known import bilinear
    >>> [e.classification.split(";")[0] for e in equilibria(bilinear())]
    ['Nash (global)']
    """
    zeros = zeros_of_field(dynamics) if zeros is None else zeros
    exact = [classify(dynamics, point) for point in zeros.points]
    return (*exact, *(_classify_enclosed(dynamics, box) for box in zeros.enclosed))


def classify(dynamics: Game, point: Point) -> RestPoint:
    """Linearise the field at an exact ``point`` and check the definition of a Nash equilibrium."""
    nash = check_nash(dynamics, point)
    if jumps_at(dynamics, point):
        return RestPoint(point, None, None, None, nash, How.PROVED)
    jacobian = dynamics.jacobian_at(point)
    values = within_time(lambda: eigenvalues(jacobian))
    kind, balls = flow(jacobian), ball_matrix(jacobian)
    if kind is None and balls is not None:
        kind = flow_in_balls(balls)
    return RestPoint(
        point, jacobian, None if values is None else tuple(values), kind, nash, How.PROVED
    )


def _classify_enclosed(dynamics: Game, box: Mapping[sp.Symbol, arb]) -> RestPoint:
    point = {v: sp.Float(float(ball.mid()), 15) for v, ball in box.items()}
    nash = nash_in_balls(dynamics, box)
    if jumps_at(dynamics, box):
        return RestPoint(point, None, None, None, nash, How.CERTIFIED, box)
    balls = jacobian_in_balls(dynamics, box)
    jacobian = sp.Matrix(dynamics.jacobian_at(point).evalf(15))
    values = None if balls is None else eigenvalue_balls(balls)
    numbers = None if values is None else tuple(sp.sympify(complex(v)) for v in values)
    kind = None if balls is None else flow_in_balls(balls)
    return RestPoint(point, jacobian, numbers, kind, nash, How.CERTIFIED, box)


def jacobian_in_balls(dynamics: Game, box: Mapping[sp.Symbol, arb]) -> Balls | None:
    """Enclose the Jacobian of the field on a box."""
    plain = without_tanh(dynamics)
    return ball_matrix(smooth_part(plain.jacobian), box)


def within_time(compute: Callable[[], T], seconds: float = SECONDS) -> T | None:
    """Return what ``compute`` does, or None where it takes longer."""
    try:
        with time_limit(seconds):
            return compute()
    except OutOfTime:
        return None


def jumps_at(dynamics: Game, point: Mapping[sp.Symbol, Any]) -> bool:
    """Whether a jump of the field passes through ``point``, or may pass through a box of balls."""
    jumps = [jump.args[0] for jump in dynamics.integrand.atoms(*KINKED)]
    if any(isinstance(value, arb) for value in point.values()):
        return any(enclose_on_box(jump, point).contains(0) for jump in jumps)
    heights = [sp.simplify(jump.subs(point)) for jump in jumps]
    return any(height == 0 for height in heights)


def flow(jacobian: sp.Matrix, family: int = 0) -> Stability | None:
    """Decide what the flow ``z' = J z`` does, exactly, for a rational Jacobian.

    The Cayley transform ``(c + J)(c - J)^-1`` maps the left half-plane into the unit circle and
    keeps the eigenvectors; c larger than the row sums keeps it regular. If ``family`` eigenvalues
    0 belong to a set of equilibria and all others attract, the flow converges to that set.
    """
    if not all(entry.is_rational for entry in jacobian):
        return None
    if 0 < family < jacobian.rows:
        along = sp.Poly(lamda**family, lamda)
        across = companion(characteristic(jacobian).quo(along))
        if flow(across) is Stability.CONVERGES:
            return Stability.CONVERGES
    scale = 1 + max(sum(abs(e) for e in row) for row in jacobian.tolist())
    centre = scale * sp.eye(jacobian.rows)
    return stability((centre + jacobian) * (centre - jacobian).inv())
