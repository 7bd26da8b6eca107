"""Where the field of a game vanishes: exact solutions, and whether they are all of them."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp
from sympy.polys.polyerrors import PolynomialError

from gantheory.deadline import OutOfTime, time_limit
from gantheory.dynamics.record import Game

Point = dict[sp.Symbol, sp.Expr]
MAX_BRANCHES = 200  # of the case distinction; the games of the catalogue need fewer than ten
SECONDS = 5.0  # for the case distinction; the games of the catalogue need a tenth


class Unsolved(Exception):
    """A branch of the case distinction that no formula solves."""


def exact_zeros(dynamics: Game) -> tuple[list[Point], bool]:
    """Solve ``field = 0`` by cases, try the candidates besides, and say if these are all.

    Variables that stay free stand for themselves: a line or plane of equilibria.

    >>> from gantheory.dynamics.known import dirac
    >>> exact_zeros(dirac("minimax"))
    ([{theta: 0, psi: 0}], True)
    """
    found: list[Point] = []
    complete = not dynamics.field.has(sp.Integral)
    if complete:
        try:
            with time_limit(SECONDS):
                _split(list(dynamics.field), {}, dynamics.variables, found, [MAX_BRANCHES])
        except (Unsolved, OutOfTime):
            complete = False
    guesses = [dict(p) for p in dynamics.candidates if dynamics.field_at(p).is_zero_matrix]
    admitted = [p for p in [*found, *guesses] if _admitted(dynamics, p)]
    return _distinct(admitted, dynamics), complete


def solve_all(equations: list[sp.Expr], variables: Sequence[sp.Symbol]) -> list[Point]:
    """Return all real solutions; variables that stay free are left out of a point.

    Raises:
        Unsolved: where a factor resists.
    """
    found: list[Point] = []
    _split(equations, {}, variables, found, [MAX_BRANCHES])
    return found


def _split(
    equations: list[sp.Expr],
    known: Point,
    variables: Sequence[sp.Symbol],
    found: list[Point],
    budget: list[int],
) -> None:
    """Collect into ``found`` every real solution of ``equations``, by cases."""
    budget[0] -= 1
    if budget[0] < 0:
        raise Unsolved
    split = [_factors(equation, variables) for equation in equations]
    cases = [factors for factors in split if factors is not None]
    if any(not factors for factors in cases):
        return  # an equation without a factor that can vanish
    if not cases:
        found.append(known)
        return
    factors = min(cases, key=lambda fs: max(_difficulty(f, variables) for f in fs))
    rest = [sp.Mul(*case) for case in cases if case is not factors]
    unsolved = False
    for factor in factors:
        try:
            _follow(factor, rest, known, variables, found, budget)
        except Unsolved:  # other factors may still have solutions to give
            unsolved = True
    if unsolved:
        raise Unsolved


def _follow(
    factor: sp.Expr,
    rest: list[sp.Expr],
    known: Point,
    variables: Sequence[sp.Symbol],
    found: list[Point],
    budget: list[int],
) -> None:
    """Collect the solutions at which one factor vanishes."""
    for assignment, extra in _isolate(factor, variables):
        put = [sp.simplify(e.subs(assignment)) for e in [*rest, *extra]]
        if not any(e.has(sp.zoo, sp.nan, sp.oo) for e in put):
            solved = {k: v.subs(assignment) for k, v in known.items()} | assignment
            left = [v for v in variables if v not in assignment]
            _split(put, solved, left, found, budget)


def _factors(equation: sp.Expr, variables: Sequence[sp.Symbol]) -> list[sp.Expr] | None:
    """The factors that can vanish; None for the equation 0 = 0."""
    numerator = sp.numer(sp.together(equation))
    if sp.simplify(numerator) == 0:
        return None
    if not numerator.has(*variables):
        return []
    try:
        factors = [base for base, _ in sp.factor_list(numerator)[1]]
    except PolynomialError:  # fractional powers of transcendental parts
        factors = list(sp.Mul.make_args(numerator))
    return [f for f in factors if f.has(*variables) and not f.is_nonzero]


def _difficulty(factor: sp.Expr, variables: Sequence[sp.Symbol]) -> int:
    """How hard a factor is to solve for one variable: 0 and 1 linear, 2 polynomial, 9 neither."""
    scores = [9]
    for variable in variables:
        if factor.has(variable) and factor.is_polynomial(variable):
            poly = sp.Poly(factor, variable)
            linear = poly.degree() == 1
            scores.append((0 if not poly.LC().has(*variables) else 1) if linear else 2)
    return min(scores)


def _isolate(factor: sp.Expr, variables: Sequence[sp.Symbol]) -> list[tuple[Point, list[sp.Expr]]]:
    """Solve one factor for its easiest variable: assignments, each with further equations."""
    present = [v for v in variables if factor.has(v)]
    variable = min(present, key=lambda v: _difficulty(factor, [v]) + _leading(factor, v, present))
    if not factor.is_polynomial(variable):
        raise Unsolved
    poly = sp.Poly(factor, variable)
    if poly.degree() == 1:
        slope, constant = poly.all_coeffs()
        cases: list[tuple[Point, list[sp.Expr]]] = [({variable: -constant / slope}, [])]
        return [*cases, ({}, [slope, constant])] if slope.has(*variables) else cases
    if poly.degree() <= 2 and all(c.is_rational for c in poly.all_coeffs()):
        return [({variable: root}, []) for root in dict.fromkeys(poly.real_roots())]
    if poly.degree() == 2 and not poly.LC().has(*variables):
        return [({variable: root}, []) for root in sp.roots(poly) if root.is_real is not False]
    raise Unsolved


def _leading(factor: sp.Expr, variable: sp.Symbol, present: Sequence[sp.Symbol]) -> int:
    return int(
        bool(factor.is_polynomial(variable)) and sp.Poly(factor, variable).LC().has(*present)
    )


def _admitted(dynamics: Game, point: Point) -> bool:
    """Whether a point is real, inside the declared domain and off the jumps of the field."""
    for variable, value in point.items():
        if value.is_real is False or value.has(sp.I):
            return False
        inside = dynamics.domains.get(variable, sp.Reals).contains(value)
        if inside == sp.false or (variable.is_positive and value.is_positive is False):
            return False
    return True


def _distinct(points: list[Point], dynamics: Game) -> list[Point]:
    """Each point once, all variables present."""
    full = [{v: p.get(v, v) for v in dynamics.variables} for p in points]
    unique: list[Point] = []
    for point in full:
        if not any(_lies_on(point, other) for other in unique):
            unique = [other for other in unique if not _lies_on(other, point)] + [point]
    return unique


def _lies_on(point: Point, other: Point) -> bool:
    """Whether a point is one of those that ``other`` stands for by its free variables."""
    free = {v: point[v] for v, value in other.items() if v == value}
    return all(sp.simplify(value.subs(free) - point[v]) == 0 for v, value in other.items())
