"""The optimal discriminator: the global maximiser of r·a(t) + b(t), with the reason why.

On a piece where the payoffs are smooth, S(x; r) = r·a'(x) + b'(x) = a'(x)·(r − ρ(x)) with
ρ = −b'/a'. Where a' and ρ' have one sign each, or a and b are both concave, S changes sign at
most once along the piece, so its sign pattern is known for every r: rising, falling, a peak at
the solution of ρ(x) = r, or a valley. Patterns of adjacent pieces give every local maximum; where
there are several, their values are compared exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import sympy as sp

from gantheory.deadline import OutOfTime, Undecided
from gantheory.exact.assumptions import Assumptions, Range, interior
from gantheory.exact.limits import limit
from gantheory.exact.roots import in_order
from gantheory.functions import r
from gantheory.theory.coordinates import Coordinate
from gantheory.theory.curvature import UNDEFINED, value_at
from gantheory.theory.foresight import see_solvable
from gantheory.theory.maxima import Branch, Maxima
from gantheory.theory.patterns import EVERYWHERE, ZERO, Patterns
from gantheory.theory.pieces import Piece, algebra_on


@dataclass(frozen=True)
class Flat:
    """At the single ratio ``r`` every coordinate between two ends is optimal."""

    ratio: sp.Expr
    piece: Piece


@dataclass(frozen=True)
class Optimum:
    """The optimal discriminator for every r > 0, or the direction in which there is none.

    ``local`` holds every local maximum, so that ties at single ratios can be named.
    """

    branches: tuple[Branch, ...]
    flats: tuple[Flat, ...] = ()
    unbounded: str | None = None
    local: tuple[Branch, ...] = field(default=(), repr=False)

    @property
    def attained(self) -> bool:
        """Whether the optimum is attained for every r."""
        return all(branch.attained for branch in self.branches)


def optimise(pieces: Sequence[Piece], coordinate: Coordinate, parameters: Assumptions) -> Optimum:
    """Find the global maximum of r·a + b for every r > 0."""
    for score in _poles(pieces, coordinate, parameters):
        way = f"as t -> {score} for every r > 0"
        return Optimum((), unbounded=f"r*a(t) + b(t) grows without bound {way}")
    see_solvable(pieces, coordinate.symbol, parameters)
    signs = Patterns(coordinate.symbol, parameters)
    pieces = [part for piece in pieces for part in signs.monotone_parts(piece)]
    patterns = [signs.along(piece) for piece in pieces]
    maxima = Maxima(pieces, coordinate, parameters)
    breaks = in_order(
        [e for piece in patterns for p in piece for e in p.ratios if e not in EVERYWHERE],
        parameters,
    )
    branches: list[Branch] = []
    everywhere: list[Branch] = []
    unbounded: list[Branch] = []
    for cell in pairwise([ZERO, *breaks, sp.oo]):
        local = maxima.on(cell, patterns)
        everywhere += local
        endless = [branch for branch in local if branch.supremum == sp.oo]
        unbounded += endless[:1]
        if not unbounded:
            branches += maxima.best(local)
    if unbounded:
        return Optimum((), unbounded=_direction(unbounded, coordinate))
    ratios = [(signs.flat_ratio(piece), piece) for piece in pieces]
    merged = tuple(_merged(branches))
    flats = [
        Flat(ratio, piece)
        for ratio, piece in ratios
        if ratio is not None and _is_best(piece, ratio, merged, coordinate.symbol, parameters)
    ]
    return Optimum(merged, tuple(flats), local=tuple(everywhere))


def _poles(
    pieces: Sequence[Piece], coordinate: Coordinate, parameters: Assumptions
) -> Iterator[sp.Expr]:
    """Yield the scores at ends of pieces where r·a + b tends to oo for every r > 0."""
    x = coordinate.symbol
    within = parameters.including(r, EVERYWHERE, interior(*EVERYWHERE, parameters))
    for piece in pieces:
        total = r * piece.payoffs.real + piece.payoffs.fake
        for point, side in ((piece.lower, 1), (piece.upper, -1)):
            if point.is_finite and not total.xreplace({x: point}).has(*UNDEFINED):
                continue
            try:
                if limit(total, x, point, side, within) == sp.oo:
                    yield coordinate.to_score(point)
            except OutOfTime:
                raise
            except Undecided:  # it depends on r, or on parameters: the patterns tell
                continue


def _direction(unbounded: Sequence[Branch], coordinate: Coordinate) -> str:
    joined: list[tuple[sp.Expr, Range]] = []
    for branch in unbounded:
        score, (lower, upper) = coordinate.to_score(branch.x), branch.ratios
        if joined and joined[-1][0] == score and joined[-1][1][1] == lower:
            joined[-1] = (score, (joined[-1][1][0], upper))
        else:
            joined.append((score, (lower, upper)))
    ways = (f"as t -> {score} for {_where(cell)}" for score, cell in joined)
    return "r*a(t) + b(t) grows without bound " + ", and ".join(ways)


def _where(cell: Range) -> str:
    return "every r > 0" if cell == EVERYWHERE else f"{cell[0]} < r < {cell[1]}"


def _merged(branches: Sequence[Branch]) -> list[Branch]:
    """Join neighbouring branches that are the same function of r."""
    merged: list[Branch] = []
    for branch in branches:
        last = merged[-1] if merged else None
        if last and replace(last, ratios=branch.ratios) == branch:
            merged[-1] = replace(last, ratios=(last.ratios[0], branch.ratios[1]))
        else:
            merged.append(branch)
    return merged


def _is_best(
    piece: Piece,
    ratio: sp.Expr,
    branches: Sequence[Branch],
    x: sp.Symbol,
    parameters: Assumptions,
) -> bool:
    """Whether r·a + b, constant along the piece at this ratio, is its supremum there."""
    total = ratio * piece.payoffs.real + piece.payoffs.fake
    level = limit(total, x, piece.lower, 1, parameters)
    best = supremum_at(branches, ratio, parameters)
    return best is not None and algebra_on(piece, x, parameters).is_zero(level - best)


def supremum_at(
    branches: Sequence[Branch], ratio: sp.Expr, parameters: Assumptions
) -> sp.Expr | None:
    """Return F at one ratio; None where no branch is known to reach it."""
    for branch in branches:
        if _reaches(branch, ratio, parameters):
            return branch_at(branch, branch.supremum, ratio, parameters)
    return None


def branch_at(branch: Branch, expr: sp.Expr, ratio: sp.Expr, parameters: Assumptions) -> sp.Expr:
    """Return a function of r that belongs to a branch at a ratio of the branch or its end."""
    at_end = parameters.sign(branch.ratios[0] - ratio) == 0
    return value_at(expr, ratio, 1 if at_end else -1, parameters)


def _reaches(branch: Branch, ratio: sp.Expr, parameters: Assumptions) -> bool:
    lower, upper = branch.ratios
    above = parameters.sign(ratio - lower)
    below = 1 if upper == sp.oo else parameters.sign(upper - ratio)
    return above in (0, 1) and below in (0, 1)


@dataclass(frozen=True)
class Optima:
    """Scores that are optimal at one ratio: a single coordinate, or all between two.

    ``pieces`` are those that an interval runs through; ``branch`` is the local maximum that a
    single point belongs to.
    """

    ratio: sp.Expr
    lower: sp.Expr
    upper: sp.Expr
    pieces: tuple[Piece, ...] = ()
    branch: Branch | None = None


def optima_at(optimum: Optimum, ratio: sp.Expr, parameters: Assumptions) -> list[Optima]:
    """Return all scores that are optimal at one ratio, neighbours joined, in increasing order."""
    best = supremum_at(optimum.branches, ratio, parameters)
    if best is None:
        raise Undecided(f"the optimum at r = {ratio} depends on the parameters")
    found = [
        Optima(ratio, flat.piece.lower, flat.piece.upper, (flat.piece,))
        for flat in optimum.flats
        if parameters.sign(flat.ratio - ratio) == 0
    ]
    for branch in optimum.local:
        if _reaches(branch, ratio, parameters):
            level = branch_at(branch, branch.supremum, ratio, parameters)
            if parameters.sign(level - best) == 0:
                found.append(optima_of(branch, ratio, parameters))
    return _joined(_attained(found, parameters), parameters)


def _open_ends(piece: Piece) -> list[sp.Expr]:
    """Return the ends of a piece at which it is only approached."""
    ends = (piece.lower, piece.closed_lower), (piece.upper, piece.closed_upper)
    return [end for end, closed in ends if not closed]


def _attained(found: list[Optima], parameters: Assumptions) -> list[Optima]:
    """Leave out scores that are only approached, where the same score is attained."""

    def approached(one: Optima) -> bool:
        if one.branch is None:
            return False
        ends = _open_ends(one.branch.piece) if one.branch.piece else []
        return not one.branch.attained or any(_same(one.lower, e, parameters) for e in ends)

    attained = [one for one in found if not approached(one)]
    return [
        one
        for one in found
        if one in attained or not any(_same(one.lower, a.lower, parameters) for a in attained)
    ]


def optima_of(branch: Branch, ratio: sp.Expr, parameters: Assumptions) -> Optima:
    """Return what a branch says is optimal at a ratio."""
    if branch.plateau:
        return Optima(ratio, branch.plateau[0].lower, branch.plateau[-1].upper, branch.plateau)
    point = branch_at(branch, branch.x, ratio, parameters)
    return Optima(ratio, point, point, branch=branch)


def _joined(found: list[Optima], parameters: Assumptions) -> list[Optima]:
    """Join stretches that overlap or touch; a point inside of a stretch adds nothing.

    A point that is approached from both sides of a jump of the generator's loss counts twice, and
    one at an end that a stretch does not attain has a loss of its own.
    """
    places = in_order([end for one in found for end in (one.lower, one.upper)], parameters)

    def place(end: sp.Expr) -> int:
        return next(k for k, p in enumerate(places) if p == end or _same(p, end, parameters))

    joined: list[Optima] = []
    alone: list[Optima] = []
    for one in sorted(found, key=lambda one: (place(one.lower), -place(one.upper))):
        last = joined[-1] if joined else None
        here = [other for other in joined if place(other.lower) == place(one.lower)]
        apart = bool(here) and all(_jumps(other, one, parameters) for other in here)
        if last is None or place(one.lower) > place(last.upper) or apart:
            joined.append(one)
        elif one.pieces:
            upper = max(last.upper, one.upper, key=place)
            pieces = tuple(dict.fromkeys((*last.pieces, *one.pieces)))
            joined[-1] = Optima(last.ratio, last.lower, upper, pieces)
        elif last.pieces and one.branch is not None and one.branch.attained:
            ends = [end for piece in last.pieces for end in _open_ends(piece)]
            if any(_same(end, one.lower, parameters) for end in ends):
                alone.append(one)
    return [*joined, *alone]


def _jumps(one: Optima, other: Optima, parameters: Assumptions) -> bool:
    """Whether the generator's loss differs between two approaches to one score."""
    branches = [two.branch for two in (one, other) if two.branch is not None]
    if len(branches) < 2 or all(branch.attained for branch in branches):
        return False
    losses = [branch_at(branch, branch.generator, one.ratio, parameters) for branch in branches]
    if any(loss.is_infinite for loss in losses):
        return bool(losses[0] != losses[1])
    return parameters.sign(losses[0] - losses[1]) in (1, -1)


def _same(a: sp.Expr, b: sp.Expr, parameters: Assumptions) -> bool:
    return a.is_finite is True and b.is_finite is True and parameters.sign(a - b) == 0
