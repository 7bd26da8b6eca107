"""Write a curvature as an exact combination of named divergences, by linear algebra.

A curvature is split into partial fractions: coordinates over powers of r and of 1/(1 + r). The
named divergences have theirs, derived from their generators, and a combination is an exact
solution of linear equations. All combinations with the fewest terms are found; those with
positive coefficients come first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations

import sympy as sp

from gantheory.deadline import Undecided
from gantheory.divergences import DIVERGENCES, FDivergence, power
from gantheory.exact.algebra import Algebra
from gantheory.exact.assumptions import Assumptions
from gantheory.exact.exponents import solve_rows
from gantheory.exact.partial import parts_of
from gantheory.functions import r
from gantheory.theory.curvature import Atoms, algebra_of
from gantheory.theory.generator import curvature

Key = tuple[sp.Expr, sp.Expr]  # base and exponent of a partial fraction
Vector = Mapping[Key, Fraction]
Combination = dict[str, sp.Expr]


@dataclass(frozen=True)
class Identification:
    """The named combinations that equal a curvature: the preferred one first, none if unnamed."""

    combinations: tuple[Combination, ...]

    @property
    def terms(self) -> Combination:
        """The preferred combination; empty for no divergence at all or for an unnamed one."""
        return self.combinations[0] if self.combinations else {}


def identify(expr: sp.Expr, atoms: Atoms, parameters: Assumptions) -> Identification:
    """Return every combination of named divergences with the fewest terms.

    >>> r = sp.Symbol("r", positive=True)
    >>> identify(1 / (r**2 * (1 + r)), (), Assumptions()).terms
    {'kl_mp': 2}
    """
    if expr.has(sp.Piecewise):
        return Identification(())
    try:
        target, forced = _coordinates(expr, parameters)
    except Undecided:
        return Identification(())
    kinks: Combination = {}
    for place, mass in atoms:
        if place != 1:
            return Identification(())
        kinks["tv"] = mass
    found = _fewest(target, parameters)
    combined = [{**one, **forced, **kinks} for one in found]
    return Identification(tuple(sorted(combined, key=lambda one: _rank(one, parameters))))


def combination_text(terms: Mapping[str, sp.Expr]) -> str:
    """Return a combination as text in the language of claims.

    >>> combination_text({"kl_qp": sp.Integer(1), "jsd": sp.Integer(-2)})
    'kl_qp - 2*jsd'
    """
    symbols = {name: sp.Symbol(name) for name in terms}
    text = ""
    for name, value in terms.items():
        shown = str(value * symbols[name])
        negative = shown.startswith("-")
        text += (" - " if negative else " + ") + shown.lstrip("-") if text else shown
    return text or "0"


def _coordinates(expr: sp.Expr, parameters: Assumptions) -> tuple[dict[Key, sp.Expr], Combination]:
    """Split a curvature; powers of r that belong to no named divergence name themselves."""
    algebra = algebra_of((sp.Integer(0), sp.oo), parameters)
    target: dict[Key, sp.Expr] = {}
    forced: Combination = {}
    known = _keys(_named())
    for part in parts_of(expr, r, algebra):
        key = (part.base, part.exponent)
        if key in known:
            target[key] = part.coefficient
        elif part.base == r:
            forced[_power_name(part.exponent + 2)] = part.coefficient
        else:
            raise Undecided("a pole that no named divergence has")
    return target, forced


def _power_name(alpha: sp.Expr) -> str:
    """Return the name of the power divergence of order ``alpha``."""
    alpha = sp.cancel(alpha)
    if alpha.is_Rational:
        try:
            return power(Fraction(int(alpha.p), int(alpha.q))).name
        except ValueError:
            return f"power_{alpha}"
    text = str(alpha).replace(" ", "")
    return f"power_{text}" if alpha.is_Symbol else f"power_({text})"


def _named() -> dict[str, Vector]:
    """Return the coordinates of every named divergence that has some, and no point masses."""
    return _coordinates_of(tuple(DIVERGENCES.values()))


@lru_cache(maxsize=8)
def _coordinates_of(entries: tuple[FDivergence, ...]) -> dict[str, Vector]:
    found = {entry.name: _vector(entry) for entry in entries}
    return {name: vector for name, vector in found.items() if vector}


def _vector(entry: FDivergence) -> Vector:
    """Return a curvature in powers of r and of linear functions of r; empty where it is none."""
    algebra = algebra_of((sp.Integer(0), sp.oo), Assumptions())
    try:
        expr, atoms = curvature(entry)
        parts = [] if atoms else parts_of(expr, r, algebra)
    except Undecided:
        return {}
    if not all(part.coefficient.is_Rational for part in parts):
        return {}
    return {
        (part.base, part.exponent): Fraction(int(part.coefficient.p), int(part.coefficient.q))
        for part in parts
    }


def _fewest(target: Mapping[Key, sp.Expr], parameters: Assumptions) -> list[Combination]:
    """Return all combinations of named divergences with the fewest terms that give ``target``."""
    if not target:
        return [{}]
    table, numbers = _named(), dict(zip(target, _generic(list(target.values())), strict=True))
    for size in range(1, len(_keys(table)) + 1):
        found = [
            exact
            for names in combinations(table, size)
            if _solution([table[name] for name in names], numbers) is not None
            and (exact := _exactly({name: table[name] for name in names}, target, parameters))
        ]
        if found:
            return found
    return []


def _keys(table: Mapping[str, Vector]) -> frozenset[Key]:
    return frozenset(key for vector in table.values() for key in vector)


def _solution(columns: Sequence[Vector], target: Vector) -> list[Fraction] | None:
    keys = {key for column in columns for key in column}
    if not keys >= {key for key, value in target.items() if value}:
        return None
    zero = Fraction(0)
    rows = [[*(column.get(key, zero) for column in columns), target.get(key, zero)] for key in keys]
    found = solve_rows(rows, len(columns))
    return None if found is None or not all(found) else found


def _exactly(
    columns: Mapping[str, Vector], target: Mapping[Key, sp.Expr], parameters: Assumptions
) -> Combination | None:
    """Return the combination with exact coefficients, which may contain parameters."""
    total = [sp.Integer(0)] * len(columns)
    vectors = tuple(frozenset(vector.items()) for vector in columns.values())
    for key, value in target.items():
        unit = _left_inverse(vectors, key)
        total = [a + b * value for a, b in zip(total, unit, strict=True)]
    algebra = Algebra(parameters.sample)
    exact = {name: algebra.normal(value) for name, value in zip(columns, total, strict=True)}
    for key in _keys(columns) | set(target):
        sides = (exact[n] * sp.Rational(*_ratio(column.get(key))) for n, column in columns.items())
        if not algebra.is_zero(sp.Add(*sides) - target.get(key, sp.Integer(0))):
            return None
    return exact


def _ratio(value: Fraction | None) -> tuple[int, int]:
    return (value.numerator, value.denominator) if value else (0, 1)


@lru_cache(maxsize=4096)
def _left_inverse(
    vectors: tuple[frozenset[tuple[Key, Fraction]], ...], key: Key
) -> list[sp.Rational]:
    """Return the coefficients with which one coordinate enters the solution."""
    columns = [dict(vector) for vector in vectors]
    keys = sorted({k for column in columns for k in column}, key=str)
    matrix = sp.Matrix([[sp.Rational(*_ratio(column.get(k))) for column in columns] for k in keys])
    if key not in keys:
        return [sp.Integer(0)] * len(columns)
    inverse = (matrix.T * matrix).inv() * matrix.T
    return list(inverse[:, keys.index(key)])


def _generic(values: Sequence[sp.Expr]) -> list[Fraction]:
    """Return the values at one rational point of the generators that they share.

    A combination that is exact is exact there; `_exactly` then decides, so that an accident of
    the point costs time and never correctness.
    """
    if all(value.is_Rational for value in values):
        return [Fraction(int(value.p), int(value.q)) for value in values]
    symbols = sorted({s for value in values for s in value.free_symbols}, key=str)
    sample = {symbol: 0.7310732 + 0.1 * k for k, symbol in enumerate(symbols)}
    quotients = Algebra(sample).quotients(values)
    points = [Fraction(3 * k * k + 7, 2 * k + 3) for k in range(len(quotients[0].generators))]
    return [_at(q.num, points) / _at(q.den, points) for q in quotients]


def _at(polynomial: object, points: Sequence[Fraction]) -> Fraction:
    total = Fraction(0)
    for exponents, c in polynomial.to_dict().items():  # type: ignore[attr-defined]
        term = Fraction(int(c.p), int(c.q))
        for point, k in zip(points, exponents, strict=False):
            term *= point ** int(k)
        total += term
    return total


def _rank(one: Combination, parameters: Assumptions) -> tuple[int, int, tuple[int, ...]]:
    """Order combinations: fewest terms, then positive ones, then the order of the table."""
    positive = all(parameters.sign(value) == 1 for value in one.values())
    order = list(DIVERGENCES)
    places = tuple(order.index(name) if name in order else len(order) for name in one)
    return len(one), 0 if positive else 1, places
