"""What one update rule does to one game: spectrum, step sizes that converge, verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import mpmath
import sympy as sp

from gantheory.records import How
from gantheory.symbolic.dynamics.circle import roots_in_balls
from gantheory.symbolic.dynamics.equilibria import Equilibrium, equilibria
from gantheory.symbolic.dynamics.methods import Method, make_method, read_step
from gantheory.symbolic.dynamics.operators import characteristic, eigenvalues, eta, lamda, operator
from gantheory.symbolic.dynamics.rates import BestRate, best_rate, spectral_radius
from gantheory.symbolic.dynamics.record import Dynamics
from gantheory.symbolic.dynamics.steps import StepSizes, companion, step_sizes
from gantheory.symbolic.dynamics.verdict import Decision, Fate, decide, is_affine


@dataclass(frozen=True)
class Analysis:
    """The theory of one method on one game at one step size.

    Attributes:
        dynamics: the game as given.
        method: how it is trained.
        step: the step size, rational and positive.
        equilibria: of the game as given.
        equilibrium: the one whose neighbourhood the update is studied in; None where the game
            has none that can be linearised.
        decision: the verdict.
    """

    dynamics: Dynamics
    method: Method
    step: sp.Rational
    equilibria: tuple[Equilibrium, ...]
    equilibrium: Equilibrium | None
    decision: Decision

    @cached_property
    def jacobian(self) -> sp.Matrix | None:
        """The Jacobian of the field that the method follows."""
        return _jacobian(self.dynamics, self.method, self.equilibrium)

    @cached_property
    def operator(self) -> sp.Matrix | None:
        """The update's Jacobian in the step size ``eta``; None for the flow."""
        if self.jacobian is None or self.method.rule is None:
            return None
        return operator(self.method.rule, self.jacobian, len(self.dynamics.players[0]))

    @cached_property
    def transverse(self) -> sp.Matrix | None:
        """A matrix with the update's spectrum across a line or plane of equilibria.

        The operator itself unless equilibria are not isolated; then the eigenvalue 1 along them
        is divided out.
        """
        if self.operator is None or self.jacobian is None or not self.family:
            return self.operator
        polynomial = characteristic(self.operator)
        along = sp.Poly((lamda - 1) ** self.family, lamda)
        return companion(polynomial.quo(along))

    @cached_property
    def family(self) -> int:
        """The dimension of the set of equilibria, where the linear update fixes each of them."""
        matrix = self.jacobian
        if matrix is None or matrix.free_symbols or matrix.has(sp.Float):
            return 0
        missing = matrix.rows - matrix.rank()
        simple = matrix.rank() == (matrix**2).rank()
        return missing if simple else 0

    @cached_property
    def eigenvalues(self) -> list[sp.Expr] | None:
        """Exact eigenvalues: of the update in ``eta``; of the Jacobian for the flow."""
        matrix = self.jacobian if self.method.rule is None else self.operator
        return None if matrix is None else eigenvalues(matrix)

    @cached_property
    def eigenvalues_at_step(self) -> list[sp.Expr]:
        """Eigenvalues at the step size: exact where a formula is found, else 15 digits."""
        if self.jacobian is None:
            return []
        if self.operator is None:
            exact = self.eigenvalues
            return exact if exact is not None else _numeric_eigenvalues(self.jacobian)
        matrix = self.operator.subs(eta, self.step)
        exact = eigenvalues(matrix)
        return exact if exact is not None else _numeric_eigenvalues(matrix)

    @cached_property
    def spectral_radius(self) -> float | None:
        """Largest modulus of an eigenvalue of the update; of the time-``step`` map for the flow."""
        if self.jacobian is None or self.jacobian.free_symbols:
            return None
        if self.operator is None:
            largest = max(sp.re(value).evalf(25) for value in self.eigenvalues_at_step)
            return float(sp.exp(self.step * largest))
        return float(spectral_radius(self.operator.subs(eta, self.step)))

    @cached_property
    def step_sizes(self) -> StepSizes | None:
        """The exact step sizes that converge near the equilibrium, by linearisation.

        None where the Jacobian is not rational. The flow follows its verdict.
        """
        if self.jacobian is None or not all(entry.is_rational for entry in self.jacobian):
            return None
        if self.operator is None:
            fate, everything = self.decision.fate, sp.Interval.open(0, sp.oo)
            return StepSizes(
                everything if fate is Fate.CONVERGES else sp.S.EmptySet,
                everything if fate is Fate.BOUNDED else sp.S.EmptySet,
            )
        return step_sizes(self.transverse)

    @cached_property
    def best(self) -> BestRate | None:
        """The best step size and its spectral radius, for games of two variables."""
        if self.transverse is None or self.step_sizes is None or self.transverse.rows > 4:
            return None
        if len(self.dynamics.variables) > 2:  # resultants of high degree take minutes
            return None
        return best_rate(self.transverse)

    def as_dict(self) -> dict[str, Any]:
        """Return the analysis under its stable JSON keys."""
        sizes = self.step_sizes
        return {
            "game": self.dynamics.name,
            "title": self.dynamics.title,
            "zero_sum": self.dynamics.zero_sum,
            "field": {
                str(v): str(f)
                for v, f in zip(self.dynamics.variables, self.dynamics.field, strict=True)
            },
            "equilibria": [e.as_dict() for e in self.equilibria],
            "update": {
                "method": self.method.name,
                "options": {k: str(v) for k, v in self.method.options.items()},
                "step": float(self.step),
                "eigenvalues": [str(value) for value in self.eigenvalues_at_step],
                "eigenvalues_in_step": None
                if self.eigenvalues is None
                else [str(value) for value in self.eigenvalues],
                "spectral_radius": self.spectral_radius,
                "linear": is_affine(self),
                "converges_for": None if sizes is None else show_set(sizes.converges),
                "converges_for_numbers": None if sizes is None else _numbers(sizes.converges),
                "bounded_for": None if sizes is None else show_set(sizes.bounded),
                "verdict": str(self.decision.fate),
                "how": str(self.decision.how),
                "reason": self.decision.reason,
            },
        }


def analyse(dynamics: Dynamics, method: Method | str, step: Any) -> Analysis:
    """Derive what a method does to a game at one step size.

    >>> from gantheory.symbolic.dynamics.known import bilinear
    >>> found = analyse(bilinear(), "optimistic", "0.1")
    >>> str(found.decision.fate), found.step_sizes.converges
    ('converges', Interval.open(0, sqrt(3)/3))
    """
    method = make_method(method) if isinstance(method, str) else method
    rational = read_step(step)
    found = equilibria(dynamics)
    chosen = _choose(found)
    empty = Analysis(
        dynamics, method, rational, found, chosen, Decision(Fate.UNDECIDED, How.UNDECIDED, "")
    )
    return replace(empty, decision=decide(empty))


def show_set(steps: sp.Set) -> str:
    """Return a set of step sizes as text: ``(0, sqrt(3)/3)``, ``none``, a union with ``U``."""
    if steps is sp.S.EmptySet:
        return "none"
    parts = steps.args if isinstance(steps, sp.Union) else (steps,)
    return " U ".join(_show_interval(part) for part in parts)


def _numbers(steps: sp.Set) -> list[list[float]]:
    """The intervals of a set as pairs of numbers."""
    parts = steps.args if isinstance(steps, sp.Union) else (steps,)
    return [[float(p.start), float(p.end)] for p in parts if isinstance(p, sp.Interval)]


def _show_interval(part: sp.Set) -> str:
    if isinstance(part, sp.FiniteSet):
        return "{" + ", ".join(str(point) for point in part) + "}"
    left, right = "(" if part.left_open else "[", ")" if part.right_open else "]"
    return f"{left}{part.start}, {part.end}{right}"


def _choose(found: tuple[Equilibrium, ...]) -> Equilibrium | None:
    """The first equilibrium that can be linearised, Nash before others."""
    usable = [e for e in found if e.jacobian is not None]
    return min(usable, key=lambda e: not e.nash.kind.startswith("Nash"), default=None)


def _jacobian(
    dynamics: Dynamics, method: Method, equilibrium: Equilibrium | None
) -> sp.Matrix | None:
    if equilibrium is None:
        return None
    if method.consensus is None:
        return equilibrium.jacobian
    if dynamics.noise:  # the squared length of an expectation; at a zero of v only J'J remains
        plain = equilibrium.jacobian
        return None if plain is None else plain - method.consensus * plain.T * plain
    return method.game(dynamics).jacobian_at(equilibrium.point)


def _numeric_eigenvalues(matrix: sp.Matrix) -> list[sp.Expr]:
    """Eigenvalues to 15 digits, from balls where the matrix is rational."""
    if all(entry.is_rational for entry in matrix):
        balls = roots_in_balls(characteristic(matrix))
        values = [complex(ball) for ball in balls]
    else:
        with mpmath.workdps(30):
            rows = [[mpmath.mpmathify(e.evalf(30)) for e in row] for row in matrix.tolist()]
            values = [complex(v) for v in mpmath.eig(mpmath.matrix(rows), right=False)]
    return [sp.Float(v.real, 15) + sp.I * sp.Float(v.imag, 15) for v in values]
