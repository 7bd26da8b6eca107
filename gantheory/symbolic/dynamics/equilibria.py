"""The equilibria of a game: where they are, what the flow does there, whether they are Nash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from gantheory.records import How
from gantheory.symbolic.dynamics.nash import TINY, NashTest, approximate_nash, check_nash
from gantheory.symbolic.dynamics.operators import eigenvalues
from gantheory.symbolic.dynamics.record import KINKED, Dynamics
from gantheory.symbolic.dynamics.solve import Point, zeros
from gantheory.symbolic.dynamics.steps import Behaviour, behaviour

FLOW = {
    Behaviour.CONVERGES: "asymptotically stable",
    Behaviour.BOUNDED: "centre of the linearised flow",
    Behaviour.GROWS: "defective on the imaginary axis",
    Behaviour.DIVERGES: "unstable",
}
UNLINEARISED = {True: "the field jumps here", False: "the flow depends on the parameters"}


@dataclass(frozen=True)
class Equilibrium:
    """A point where the field vanishes.

    Attributes:
        point: the value of each variable.
        jacobian: of the field; None where the field jumps.
        eigenvalues: of the Jacobian, exact; None where no formula is found.
        flow: what the linearised flow does; None where parameters are free or the field jumps.
        nash: the definition of a Nash equilibrium, checked.
        how: proved, or measured for a point found by iteration.
    """

    point: Point
    jacobian: sp.Matrix | None
    eigenvalues: tuple[sp.Expr, ...] | None
    flow: Behaviour | None
    nash: NashTest
    how: How = How.PROVED

    @property
    def classification(self) -> str:
        """The verdicts in words, dominance kept apart from Nash."""
        nash = self.nash
        words = [nash.kind]
        if nash.kind.startswith("Nash"):
            words.append("differential" if nash.differential else "not differential")
        if self.flow is Behaviour.CONVERGES and nash.kind == "not Nash":
            words[0] = "stable but not Nash"
        flow = FLOW[self.flow] if self.flow else UNLINEARISED[self.jacobian is None]
        dominant = [k + 1 for k in (0, 1) if nash.dominant[k]]
        names = " and ".join(f"player {k}" for k in dominant)
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


def equilibria(dynamics: Dynamics) -> tuple[Equilibrium, ...]:
    """Find the equilibria of a game and classify each.

    >>> from gantheory.symbolic.dynamics.known import bilinear
    >>> [e.classification.split(";")[0] for e in equilibria(bilinear())]
    ['Nash (global)']
    """
    found = zeros(dynamics)
    exact = [classify(dynamics, point) for point in found.points]
    return (*exact, *(_classify_approximate(dynamics, p) for p in found.approximate))


def classify(dynamics: Dynamics, point: Point) -> Equilibrium:
    """Linearise the field at ``point`` and check the definition of a Nash equilibrium there."""
    nash = check_nash(dynamics, point)
    if jumps_at(dynamics, point):
        return Equilibrium(point, None, None, None, nash)
    jacobian = dynamics.jacobian_at(point)
    values = eigenvalues(jacobian)
    kind = flow(jacobian) or _flow_by_eigenvalues(values)
    return Equilibrium(point, jacobian, None if values is None else tuple(values), kind, nash)


def _classify_approximate(dynamics: Dynamics, point: Point) -> Equilibrium:
    nash = approximate_nash(dynamics, point)
    if jumps_at(dynamics, point, TINY):
        return Equilibrium(point, None, None, None, nash, How.MEASURED)
    jacobian = sp.Matrix(dynamics.jacobian_at(point).evalf(15))
    values = np.linalg.eigvals(np.array(jacobian, dtype=float))
    largest = values.real.max()
    kind = Behaviour.CONVERGES if largest < -TINY else Behaviour.DIVERGES
    eigen = tuple(sp.sympify(complex(v)) for v in values)
    decided = kind if abs(largest) > TINY else None
    return Equilibrium(point, jacobian, eigen, decided, nash, How.MEASURED)


def _flow_by_eigenvalues(values: list[sp.Expr] | None) -> Behaviour | None:
    """What the flow does where exact eigenvalues have real parts that are clearly not zero."""
    if values is None or any(v.free_symbols for v in values):
        return None
    parts = [sp.re(v).evalf(30) for v in values]
    if any(part > TINY for part in parts):
        return Behaviour.DIVERGES
    return Behaviour.CONVERGES if all(part < -TINY for part in parts) else None


def jumps_at(dynamics: Dynamics, point: Point, within: float = 0.0) -> bool:
    """Whether a jump of the field passes through ``point``, or this near to it."""
    jumps = dynamics.integrand.atoms(*KINKED)
    heights = [sp.simplify(jump.args[0].subs(point)) for jump in jumps]
    return any(height == 0 or (height.is_number and abs(height) < within) for height in heights)


def flow(jacobian: sp.Matrix) -> Behaviour | None:
    """Decide what the flow ``z' = J z`` does, exactly, for a rational Jacobian.

    The Cayley transform ``(c + J)(c - J)^-1`` maps the left half-plane into the unit circle and
    keeps the eigenvectors; c larger than the row sums keeps it regular.
    """
    if not all(entry.is_rational for entry in jacobian):
        return None
    scale = 1 + max(sum(abs(e) for e in row) for row in jacobian.tolist())
    centre = scale * sp.eye(jacobian.rows)
    return behaviour((centre + jacobian) * (centre - jacobian).inv())
