"""Where the field of a game vanishes: exact solutions, and whether they are all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.optimize
import sympy as sp
from sympy.polys.polyerrors import PolynomialError

from gantheory.symbolic.dynamics.record import Dynamics

Point = dict[sp.Symbol, sp.Expr]
MAX_BRANCHES = 200  # of the case distinction; the games of the catalogue need fewer than ten


@dataclass(frozen=True)
class Zeros:
    """The points where a field vanishes.

    Attributes:
        points: exact points; free variables stand for themselves (a line of equilibria).
        approximate: points found by iteration from many starts, where the rest is unsolved.
        complete: whether it is proved that there are no others.
    """

    points: tuple[Point, ...]
    approximate: tuple[Point, ...] = ()
    complete: bool = True


class Unsolved(Exception):
    """A branch of the case distinction that no formula solves."""


def zeros(dynamics: Dynamics) -> Zeros:
    """Solve ``field = 0`` by splitting products and substituting; try the candidates besides.

    >>> from gantheory.symbolic.dynamics.known import dirac
    >>> zeros(dirac("minimax")).points
    ({theta: 0, psi: 0},)
    """
    field, complete = dynamics.field, True
    found: list[Point] = []
    if field.has(sp.Integral):
        complete = False
    else:
        try:
            found = solve_all(list(field), dynamics.variables)
        except Unsolved:
            complete = False
    guesses = [dict(p) for p in dynamics.candidates if dynamics.field_at(p).is_zero_matrix]
    points = _distinct([p for p in [*found, *guesses] if _admitted(dynamics, p)], dynamics)
    searched = not complete and not field.has(sp.Integral) and not dynamics.parameters
    approximate = _search(dynamics, points) if searched else ()
    return Zeros(tuple(points), approximate, complete)


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
    for factor in factors:
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
    return int(factor.is_polynomial(variable) and sp.Poly(factor, variable).LC().has(*present))


def _admitted(dynamics: Dynamics, point: Point) -> bool:
    """Whether a point is real, inside the declared domain and off the jumps of the field."""
    for variable, value in point.items():
        if value.is_real is False or value.has(sp.I):
            return False
        inside = dynamics.domains.get(variable, sp.Reals).contains(value)
        if inside == sp.false or (variable.is_positive and value.is_positive is False):
            return False
    return True


def _distinct(points: list[Point], dynamics: Dynamics) -> list[Point]:
    """Each point once, all variables present."""
    full = [{v: p.get(v, v) for v in dynamics.variables} for p in points]
    unique: list[Point] = []
    for point in full:
        if point not in unique:
            unique.append(point)
    return unique


def _search(dynamics: Dynamics, known: list[Point]) -> tuple[Point, ...]:
    """Newton's iteration from 60 starts in a box of half-width 3; residual below 1e-12."""
    names = dynamics.variables
    field: Any = sp.lambdify(names, [sp.N(e.rewrite(sp.exp)) for e in dynamics.field], "numpy")
    starts = np.random.default_rng(0).uniform(-3, 3, (60, len(names)))
    isolated = [p for p in known if not any(p[v].free_symbols for v in names)]
    hits = [np.array([float(p[v]) for v in names]) for p in isolated]
    fresh: list[Point] = []
    for start in starts:
        with np.errstate(all="ignore"):
            result = scipy.optimize.root(lambda z: np.array(field(*z), float), start)
        good = result.success and np.abs(result.fun).max() < 1e-12
        if good and all(np.abs(result.x - hit).max() > 1e-6 for hit in hits):
            point = {v: sp.Float(float(c), 12) for v, c in zip(names, result.x, strict=True)}
            if _admitted(dynamics, point):
                hits.append(result.x)
                fresh.append(point)
    return tuple(fresh)
