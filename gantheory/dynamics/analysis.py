"""What one update rule does to one game: spectrum, step sizes that converge, verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import sympy as sp

from gantheory.dynamics.circle import roots_in_balls
from gantheory.dynamics.description import describe
from gantheory.dynamics.equilibria import (
    RestPoint,
    equilibria,
    jacobian_in_balls,
    within_time,
)
from gantheory.dynamics.games import get_game
from gantheory.dynamics.methods import Method, make_method, read_step
from gantheory.dynamics.operators import characteristic, eigenvalues, eta, lamda, operator
from gantheory.dynamics.rates import BestRate, best_rate, spectral_radius
from gantheory.dynamics.record import Game
from gantheory.dynamics.solve import Point
from gantheory.dynamics.spectrum import (
    Balls,
    ball_matrix,
    eigenvalue_balls,
    operator_in_balls,
)
from gantheory.dynamics.steps import StepSizes, companion, step_sizes
from gantheory.dynamics.verdict import Behaviour, Decision, decide, is_affine
from gantheory.dynamics.zeros import Zeros, zeros_of_field
from gantheory.records import How
from gantheory.shown import Overview, Shown

SECONDS = 8.0  # for exact step sizes, and for the best of them
PLACES = tuple(sp.Rational(k, 2) for k in (0, 2, -2, 1, -1, 20, -20, 200, -200))


@dataclass(frozen=True, repr=False)
class Analysis(Shown):
    """The theory of one method on one game at one step size.

    Attributes:
        dynamics: the game as given.
        method: how it is trained.
        step: the step size, rational and positive.
        zeros: where the field of the game vanishes, and how completely that is known.
        equilibria: of the game as given.
        equilibrium: the one whose neighbourhood the update is studied in; None where the game
            has none that can be linearised.
        decision: the verdict.

    >>> from gantheory.dynamics.games import get_game
    >>> analyse(get_game("bilinear")).decision.behaviour.value
    'diverges'
    """

    dynamics: Game
    method: Method
    step: sp.Rational
    zeros: Zeros
    equilibria: tuple[RestPoint, ...]
    equilibrium: RestPoint | None
    decision: Decision

    def overview(self) -> Overview:
        """Return the verdict, and what it rests on."""
        return describe(self, self.decision)

    def __repr__(self) -> str:
        overview = self.overview()
        return f"Analysis({overview.title}: {dict(overview.rows)['verdict']})"

    @cached_property
    def point(self) -> Point:
        """Where the update is studied: the equilibrium, or one point of a line of equilibria."""
        assert self.equilibrium is not None
        return sample(self.dynamics, self.equilibrium.point)

    @cached_property
    def jacobian(self) -> sp.Matrix | None:
        """The Jacobian at `point` of the field that the method follows."""
        return _jacobian(self.dynamics, self.method, self.equilibrium)

    @cached_property
    def is_rational(self) -> bool:
        """Whether the point is exact and the Jacobian there rational, so that algebra decides."""
        exact = self.equilibrium is not None and self.equilibrium.how is How.PROVED
        matrix = self.jacobian
        return exact and matrix is not None and all(entry.is_rational for entry in matrix)

    @cached_property
    def operator(self) -> sp.Matrix | None:
        """The update's Jacobian in the step size ``eta``; None for the flow or without formula."""
        if self.jacobian is None or self.method.rule is None:
            return None
        rule, matrix, split = self.method.rule, self.jacobian, len(self.dynamics.players[0])
        return within_time(lambda: operator(rule, matrix, split))

    @cached_property
    def at_step(self) -> sp.Matrix | None:
        """The operator at the step size; None for a flow and where the step has no solution."""
        if self.operator is None:
            return None
        matrix = self.operator.subs(eta, self.step)
        return None if matrix.has(sp.zoo, sp.nan, sp.oo) else matrix

    @cached_property
    def balls(self) -> Balls | None:
        """The update's Jacobian at the step size, or the flow's, enclosed in balls."""
        enclosed = _jacobian_in_balls(self)
        if enclosed is None or self.method.rule is None:
            return enclosed
        split = len(self.dynamics.players[0])
        return operator_in_balls(self.method.rule, enclosed, split, self.step)

    @cached_property
    def reduced_operator(self) -> sp.Matrix | None:
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
        """The dimension of a set of equilibria through `point`, where its tangent is all of ker J.

        The set itself is known, from the free variables of an exact solution; a zero eigenvalue
        alone does not make one.
        """
        matrix, chosen = self.jacobian, self.equilibrium
        if matrix is None or chosen is None or not self.is_rational:
            return 0
        missing = matrix.rows - matrix.rank()
        simple = matrix.rank() == (matrix**2).rank()
        return missing if simple and missing == chosen.dimension else 0

    @cached_property
    def eigenvalues(self) -> list[sp.Expr] | None:
        """Exact eigenvalues: of the update in ``eta``; of the Jacobian for the flow."""
        matrix = self.jacobian if self.method.rule is None else self.operator
        return None if matrix is None else within_time(lambda: eigenvalues(matrix))

    @cached_property
    def eigenvalues_at_step(self) -> list[sp.Expr]:
        """Eigenvalues at the step size: exact where a formula is found, else 15 digits."""
        matrix = self.jacobian if self.method.rule is None else self.at_step
        if self.is_rational and matrix is not None:
            exact = eigenvalues(matrix)
            return exact if exact is not None else _numeric_eigenvalues(matrix)
        if matrix is not None and matrix.free_symbols:
            return eigenvalues(matrix) or []
        found = None if self.balls is None else eigenvalue_balls(self.balls)
        values = [] if found is None else [complex(value) for value in found]
        return [sp.Float(v.real, 15) + sp.I * sp.Float(v.imag, 15) for v in values]

    @cached_property
    def spectral_radius(self) -> float | None:
        """Largest modulus of an eigenvalue of the update; of the time-``step`` map for the flow."""
        values = self.eigenvalues_at_step
        if not values or any(value.free_symbols for value in values):
            return None
        if self.method.rule is None:
            return float(sp.exp(self.step * max(sp.re(value).evalf(25) for value in values)))
        if self.is_rational and self.at_step is not None:
            return float(spectral_radius(self.at_step))
        return max(abs(complex(value)) for value in values)

    @cached_property
    def step_sizes(self) -> StepSizes | None:
        """The exact step sizes that converge near the equilibrium, by linearisation.

        None where the Jacobian is not rational. The flow follows its verdict.
        """
        if not self.is_rational:
            return None
        if self.method.rule is None:
            behaviour, everything = self.decision.behaviour, sp.Interval.open(0, sp.oo)
            return StepSizes(
                everything if behaviour is Behaviour.CONVERGES else sp.S.EmptySet,
                everything if behaviour is Behaviour.BOUNDED else sp.S.EmptySet,
            )
        matrix = self.reduced_operator
        return None if matrix is None else within_time(lambda: step_sizes(matrix), SECONDS)

    @cached_property
    def best(self) -> BestRate | None:
        """The best step size and its spectral radius, for games of two variables."""
        matrix = self.reduced_operator
        if matrix is None or self.step_sizes is None or not 0 < matrix.rows <= 4:
            return None
        if len(self.dynamics.variables) > 2:  # resultants of high degree take minutes
            return None
        return within_time(lambda: best_rate(matrix), SECONDS)

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
            "equilibria_complete": self.zeros.complete,
            "equilibria_scope": self.zeros.statement,
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
                "verdict": str(self.decision.behaviour),
                "how": str(self.decision.how),
                "reason": self.decision.reason,
            },
        }


def analyse(game: Game | str, method: Method | str = "simultaneous", step: Any = "0.1") -> Analysis:
    """Derive what a method does to a game at one step size.

    Args:
        game: a game, or its name as `get_game` takes it.
        method: a method, or its name; `make_method` has the options of each.
        step: the step size, a number or its text, taken exactly.

    >>> from gantheory.dynamics.known import bilinear
    >>> found = analyse(bilinear(), "optimistic", "0.1")
    >>> str(found.decision.behaviour), found.step_sizes.converges
    ('converges', Interval.open(0, sqrt(3)/3))
    """
    method = method if isinstance(method, Method) else make_method(method)
    rational = read_step(step)
    game = game if isinstance(game, Game) else get_game(game)
    solved = zeros_of_field(game)
    found = equilibria(game, solved)
    undecided = Decision(Behaviour.UNDECIDED, How.UNDECIDED, "")
    empty = Analysis(game, method, rational, solved, found, _choose(found), undecided)
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


def _choose(found: tuple[RestPoint, ...]) -> RestPoint | None:
    """The first equilibrium that can be linearised, Nash before others."""
    usable = [e for e in found if e.jacobian is not None]
    return min(usable, key=lambda e: not e.nash.kind.startswith("Nash"), default=None)


def sample(dynamics: Game, point: Point) -> Point:
    """One exact point of a set of equilibria: its free variables at simple numbers."""
    free = [v for v in dynamics.variables if point[v] == v]
    put: Point = {}
    for variable in free:
        inside = dynamics.domains.get(variable, sp.Reals)
        simple = (p for p in PLACES if inside.contains(p) == sp.true)
        first = next(simple, None)
        put[variable] = (inside.inf + inside.sup) / 2 if first is None else first
    return {v: sp.simplify(value.subs(put)) for v, value in point.items()}


def _jacobian(dynamics: Game, method: Method, equilibrium: RestPoint | None) -> sp.Matrix | None:
    if equilibrium is None or equilibrium.jacobian is None:
        return None
    point = sample(dynamics, equilibrium.point)
    if method.consensus is None or dynamics.noise:
        moved = equilibrium.dimension
        plain = dynamics.jacobian_at(point) if moved else equilibrium.jacobian
        if method.consensus is None:
            return plain
        # the squared length of an expectation; at a zero of v only J'J remains
        return plain - method.consensus * plain.T * plain
    matrix = method.game(dynamics).jacobian_at(point)
    return matrix if equilibrium.how is How.PROVED else sp.Matrix(matrix.evalf(15))


def _jacobian_in_balls(analysis: Analysis) -> Balls | None:
    matrix, chosen = analysis.jacobian, analysis.equilibrium
    if matrix is None or chosen is None:
        return None
    if chosen.how is How.PROVED:
        return ball_matrix(matrix)
    return jacobian_in_balls(analysis.method.game(analysis.dynamics), chosen.enclosure)


def _numeric_eigenvalues(matrix: sp.Matrix) -> list[sp.Expr]:
    """Eigenvalues of a rational matrix to 15 digits, from balls."""
    values = [complex(ball) for ball in roots_in_balls(characteristic(matrix))]
    return [sp.Float(v.real, 15) + sp.I * sp.Float(v.imag, 15) for v in values]
