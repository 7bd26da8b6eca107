"""The optimal discriminator: the global maximiser of r·a(t) + b(t), with the reason why.

On a piece where the payoffs are smooth, S(x; r) = r·a'(x) + b'(x) = a'(x)·(r − ρ(x)) with
ρ = −b'/a'. Where a' and ρ' have one sign each, or a and b are both concave, S changes sign at
most once along the piece, so its sign pattern is known for every r: rising, falling, a peak at
the solution of ρ(x) = r, or a valley. Patterns of adjacent pieces give every local maximum; where
there are several, their values are compared exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import sympy as sp

from gantheory.symbolic.algebra import Algebra
from gantheory.symbolic.asymptotics import limit
from gantheory.symbolic.atoms import r
from gantheory.symbolic.limits import Undecided
from gantheory.symbolic.patterns import (
    EVERYWHERE,
    ZERO,
    Pattern,
    Patterns,
    is_at_most,
    stationarity,
)
from gantheory.symbolic.pieces import Coordinate, Piece, algebra_on
from gantheory.symbolic.positivity import Parameters, Range, interior
from gantheory.symbolic.roots import in_order, roots_between


@dataclass(frozen=True)
class Flat:
    """At the single ratio ``r`` every coordinate between two ends is optimal."""

    ratio: sp.Expr
    piece: Piece


@dataclass(frozen=True)
class Branch:
    """The optimum for all r in ``ratios``: its coordinate, and what kind of point it is.

    ``kind`` is ``"stationary"``, ``"kink"``, ``"end"`` (an attained end of the domain) or
    ``"limit"`` (an end that is approached and never reached). ``real``, ``fake``, ``generator``
    and ``link`` are the payoffs and the discriminator's output there, as functions of r.
    """

    ratios: Range
    x: sp.Expr
    kind: str
    real: sp.Expr
    fake: sp.Expr
    generator: sp.Expr
    link: sp.Expr
    reason: str
    supremum: sp.Expr  # F(r) = r·a + b at the optimum
    derivatives: tuple[sp.Expr, sp.Expr] | None = None

    @property
    def attained(self) -> bool:
        """Whether some score attains the optimum."""
        return self.kind != "limit"


@dataclass(frozen=True)
class Optimum:
    """The optimal discriminator for every r > 0, or the direction in which there is none."""

    branches: tuple[Branch, ...]
    flats: tuple[Flat, ...] = ()
    unbounded: str | None = None

    @property
    def attained(self) -> bool:
        """Whether the optimum is attained for every r."""
        return all(branch.attained for branch in self.branches)


def optimise(pieces: Sequence[Piece], coordinate: Coordinate, parameters: Parameters) -> Optimum:
    """Find the global maximum of r·a + b for every r > 0."""
    signs = Patterns(coordinate.symbol, parameters)
    search = _Search(coordinate.symbol, parameters)
    pieces = [part for piece in pieces for part in signs.monotone_parts(piece)]
    patterns = [signs.along(piece) for piece in pieces]
    breaks = in_order(
        [e for piece in patterns for p in piece for e in p.ratios if e not in EVERYWHERE],
        parameters,
    )
    branches: list[Branch] = []
    unbounded: list[Branch] = []
    for cell in pairwise([ZERO, *breaks, sp.oo]):
        chosen = [search.at(cell, piece) for piece in patterns]
        local = search.local_maxima(cell, pieces, chosen)
        endless = [branch for branch in local if branch.supremum == sp.oo]
        unbounded += endless[:1]
        if not unbounded:
            branches += search.best(cell, local)
    if unbounded:
        return Optimum((), unbounded=_direction(unbounded, coordinate))
    for piece, found in zip(pieces, patterns, strict=True):
        search.forbid_plateau(piece, found)
    ratios = [(signs.flat_ratio(piece), piece) for piece in pieces]
    flats = [Flat(ratio, piece) for ratio, piece in ratios if ratio is not None]
    kept = [f for f in flats if _is_optimal(f, branches, parameters)]
    return Optimum(tuple(_merged(branches)), tuple(kept))


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


def _is_optimal(flat: Flat, branches: Sequence[Branch], parameters: Parameters) -> bool:
    """A flat stretch is optimal where the optimum jumps across it."""
    for before, after in pairwise(branches):
        if parameters.sign(before.ratios[1] - flat.ratio) == 0:
            return before.x != after.x
    return False


class _Search:
    """The maxima of all pieces together."""

    def __init__(self, x: sp.Symbol, parameters: Parameters) -> None:
        self.x, self.parameters = x, parameters

    def at(self, cell: Range, patterns: Sequence[Pattern]) -> Pattern:
        """Return the pattern that holds on a cell of ratios."""
        for pattern in patterns:
            lower, upper = pattern.ratios
            if is_at_most(lower, cell[0], self.parameters) and is_at_most(
                cell[1], upper, self.parameters
            ):
                return pattern
        raise Undecided("the ratios at which the optimum changes depend on the parameters")

    def local_maxima(
        self, cell: Range, pieces: Sequence[Piece], patterns: Sequence[Pattern]
    ) -> list[Branch]:
        """Return every local maximum on a cell, from the changes of S from + to -."""
        found: list[Branch] = []
        rising = True
        for k, (piece, pattern) in enumerate(zip(pieces, patterns, strict=True)):
            rising = rising or not piece.joined  # a falling piece after a gap peaks at its end
            if rising and pattern.signs[0] in "-0":
                kind = _kind(piece.closed_lower, not piece.joined)
                found.append(self.branch(cell, piece, piece.lower, 1, kind))
            if pattern.signs == "+-":
                assert pattern.peak is not None
                found.append(self.stationary(cell, piece, pattern))
            rising = pattern.signs[-1] == "+"
            if rising and (k == len(pieces) - 1 or not pieces[k + 1].joined):
                kind = _kind(piece.closed_upper, True)
                found.append(self.branch(cell, piece, piece.upper, -1, kind))
        return found

    def forbid_plateau(self, piece: Piece, patterns: Sequence[Pattern]) -> None:
        """Refuse a stretch of scores that are equally good for an interval of ratios."""
        if all(pattern.signs != "0" or _is_point(pattern.ratios) for pattern in patterns):
            return
        slope = sp.diff(piece.payoffs.generator, self.x)
        if not algebra_on(piece, self.x, self.parameters).is_zero(slope):
            raise Undecided(
                "the discriminator's payoffs are constant over an interval of scores on which "
                "the generator's loss is not, so that the loss is not determined"
            )

    def branch(self, cell: Range, piece: Piece, point: sp.Expr, side: int, kind: str) -> Branch:
        """Return the branch at an end of a piece."""
        a, b, c, link = (
            self._payoff_at(part, point, side)
            for part in (
                piece.payoffs.real,
                piece.payoffs.fake,
                piece.payoffs.generator,
                piece.payoffs.link,
            )
        )
        reason = {
            "kink": "the derivative changes sign at a kink",
            "end": "the derivative does not change sign before the end of the domain",
            "limit": "the supremum is approached at an open end of the domain",
        }[kind]
        supremum = r * a + b
        if kind == "limit" and not (a.is_finite and b.is_finite):
            total = r * piece.payoffs.real + piece.payoffs.fake
            within = self.parameters.including(r, cell, interior(*cell, self.parameters))
            supremum = limit(total, self.x, point, side, within)
        return Branch(cell, point, kind, a, b, c, link, reason, supremum)

    def _payoff_at(self, expr: sp.Expr, point: sp.Expr, side: int) -> sp.Expr:
        if point.is_finite and point != 0:
            value = expr.xreplace({self.x: point})
            if not value.has(sp.zoo, sp.nan, sp.oo):
                return Algebra(self.parameters.sample).normal(value)
        return limit(expr, self.x, point, side, self.parameters)

    def stationary(self, cell: Range, piece: Piece, pattern: Pattern) -> Branch:
        """Return the branch at a stationary point inside of a piece."""
        peak = pattern.peak
        algebra = algebra_on(piece, self.x, self.parameters)
        payoffs = piece.payoffs.map(lambda part: part.xreplace({self.x: peak}))
        return Branch(
            cell,
            peak,
            "stationary",
            payoffs.real,
            payoffs.fake,
            payoffs.generator,
            payoffs.link,
            pattern.reason,
            r * payoffs.real + payoffs.fake,
            derivatives=stationarity(piece, self.x, algebra),
        )

    def best(self, cell: Range, local: list[Branch]) -> list[Branch]:
        """Return the highest of several local maxima, cutting the cell where they cross."""
        if not local:
            raise Undecided("no maximum was found")
        best = [local[0]]
        for other in local[1:]:
            best = [piece for one in best for piece in self._higher(one, other)]
        return best

    def _higher(self, one: Branch, other: Branch) -> list[Branch]:
        lower, upper = one.ratios
        sample = {**self.parameters.sample, r: interior(lower, upper, self.parameters)}
        algebra = Algebra(sample)
        gain = algebra.normal(other.supremum - one.supremum)
        if gain == 0:
            if algebra.is_zero(other.generator - one.generator):
                return [one]
            raise Undecided(
                f"two scores are optimal for {_where(one.ratios)}, and the generator's loss "
                "differs between them"
            )
        crossings = roots_between(gain, r, lower, upper, self.parameters)
        chosen = []
        for cell in pairwise([lower, *crossings, upper]):
            sign = self.parameters.sign(gain, {r: cell})
            if sign is None:
                raise Undecided("which of two local maxima is higher is not known")
            chosen.append(replace(other if sign > 0 else one, ratios=cell))
        return chosen


def _is_point(ratios: Range) -> bool:
    return bool(ratios[0] == ratios[1])


def _kind(closed: bool, at_end: bool) -> str:
    if not closed:
        return "limit"
    return "end" if at_end else "kink"
