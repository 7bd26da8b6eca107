"""The local maxima of r·a(t) + b(t) along the score axis, and which of them is highest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import sympy as sp

from gantheory.deadline import OutOfTime, Undecided
from gantheory.exact.algebra import Algebra
from gantheory.exact.assumptions import Assumptions, Range, interior
from gantheory.exact.derivative import derivative
from gantheory.exact.limits import limit
from gantheory.exact.roots import roots_between
from gantheory.functions import r
from gantheory.theory.coordinates import Coordinate, Payoffs
from gantheory.theory.curvature import UNDEFINED
from gantheory.theory.patterns import EVERYWHERE, Pattern, is_at_most, stationarity
from gantheory.theory.pieces import Piece, algebra_on


@dataclass(frozen=True)
class Branch:
    """The optimum for all r in ``ratios``: its coordinate, and what kind of point it is.

    ``kind`` is ``"stationary"``, ``"kink"``, ``"end"`` (an attained end of the domain),
    ``"limit"`` (an end that is approached and never reached) or ``"plateau"`` (one of a stretch
    of scores that are equally good for every r). ``real``, ``fake``, ``generator`` and ``link``
    are the payoffs and the discriminator's output there, as functions of r.

    Attributes:
        derivatives: a'(x) and b'(x) up to one factor, at a stationary point.
        loss_in_x: c(x) on the piece of a stationary point.
        ratio_in_x: ρ(x) = −b'(x)/a'(x), the ratio at which x is stationary.
        slope: c'(t) in the raw score at the optimum; None where the loss has a kink there.
        plateau: the pieces of a stretch of equally good scores.
        piece: that on which a stationary point moves.
        undetermined: why the generator's loss is not determined; empty where it is.
        passed: whether r·a + b goes on to rise beyond this end, where the generator's loss jumps.
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
    loss_in_x: sp.Expr | None = None
    ratio_in_x: sp.Expr | None = None
    slope: sp.Expr | None = None
    plateau: tuple[Piece, ...] = ()
    piece: Piece | None = None
    undetermined: str = ""
    passed: bool = False

    @property
    def attained(self) -> bool:
        """Whether some score attains the optimum."""
        return self.kind != "limit"


REASONS = {
    "kink": "the derivative changes sign at a kink",
    "end": "the derivative does not change sign before the end of the domain",
    "limit": "the supremum is approached at an open end of the domain",
    "plateau": "the derivative vanishes along a stretch of scores, all of them optimal",
}


class Maxima:
    """The maxima of all pieces together."""

    def __init__(
        self, pieces: Sequence[Piece], coordinate: Coordinate, parameters: Assumptions
    ) -> None:
        self.pieces, self.coordinate, self.parameters = pieces, coordinate, parameters
        self.x = coordinate.symbol

    def on(self, cell: Range, patterns: Sequence[Sequence[Pattern]]) -> list[Branch]:
        """Return every local maximum on a cell, from the changes of S from + to -."""
        chosen = [self._at(cell, piece) for piece in patterns]
        found: list[Branch] = []
        rising = True
        for first, last in self._stretches(chosen):
            piece, pattern = self.pieces[first], chosen[first]
            rising = rising or not piece.joined  # a falling piece after a gap peaks at its end
            ends = last == len(chosen) - 1 or not self.pieces[last + 1].joined
            if pattern.signs == "0":
                if rising and (ends or chosen[last + 1].signs[0] == "-"):
                    found.append(self._plateau(cell, self.pieces[first : last + 1]))
                rising = False
                continue
            if rising and pattern.signs[0] == "-":
                passed = piece.climbed and chosen[first - 1].signs[-1] == "-"
                found.append(replace(self._end(cell, first, 1), passed=passed))
            if pattern.signs == "+-":
                found.append(self._stationary(cell, piece, pattern))
            rising = pattern.signs[-1] == "+"
            if rising and ends:
                passed = bool(self._climbs(last + 1) and chosen[last + 1].signs[0] == "+")
                found.append(replace(self._end(cell, first, -1), passed=passed))
        if not found:
            raise Undecided("no maximum was found")
        return found

    def _climbs(self, k: int) -> bool:
        return k < len(self.pieces) and self.pieces[k].climbed

    def _stretches(self, patterns: Sequence[Pattern]) -> Iterator[tuple[int, int]]:
        """Yield the first and the last piece of each run of flat pieces, other pieces alone."""
        k = 0
        while k < len(patterns):
            last = k
            if patterns[k].signs == "0":
                while (
                    last + 1 < len(patterns)
                    and self.pieces[last + 1].joined
                    and patterns[last + 1].signs == "0"
                ):
                    last += 1
            yield k, last
            k = last + 1

    def _at(self, cell: Range, patterns: Sequence[Pattern]) -> Pattern:
        """Return the pattern that holds on a cell of ratios."""
        for pattern in patterns:
            lower, upper = pattern.ratios
            if is_at_most(lower, cell[0], self.parameters) and is_at_most(
                cell[1], upper, self.parameters
            ):
                return pattern
        raise Undecided("the ratios at which the optimum changes depend on the parameters")

    def _end(self, cell: Range, k: int, side: int) -> Branch:
        """Return the branch at the lower (1) or upper (-1) end of the ``k``-th piece."""
        piece = self.pieces[k]
        point, closed = (
            (piece.lower, piece.closed_lower) if side == 1 else (piece.upper, piece.closed_upper)
        )
        inner = side == 1 and piece.joined
        kind = "limit" if not closed else "kink" if inner else "end"
        payoffs = piece.payoffs.map(lambda part: self._payoff_at(part, point, side))
        a, b = payoffs.real, payoffs.fake
        supremum = r * a + b
        if kind == "limit" and not (a.is_finite and b.is_finite):
            total = r * piece.payoffs.real + piece.payoffs.fake
            within = self.parameters.including(r, cell, interior(*cell, self.parameters))
            supremum = limit(total, self.x, point, side, within)
        slopes = [self._slope_at(piece, point, side)]
        if inner:
            slopes.append(self._slope_at(self.pieces[k - 1], point, -1))
        slope = slopes[0] if len(set(slopes)) == 1 else None
        c, link = payoffs.generator, payoffs.link
        return Branch(cell, point, kind, a, b, c, link, REASONS[kind], supremum, slope=slope)

    def _payoff_at(self, expr: sp.Expr, point: sp.Expr, side: int) -> sp.Expr:
        return payoff_at(expr, self.x, point, side, self.parameters)

    def _slope_along(self, piece: Piece) -> sp.Expr:
        """Return c'(t) along a piece: dc/dx over dt/dx."""
        rate = derivative(self.coordinate.score, self.x)
        return algebra_on(piece, self.x, self.parameters).normal(
            derivative(piece.payoffs.generator, self.x) / rate
        )

    def _slope_at(self, piece: Piece, point: sp.Expr, side: int | None) -> sp.Expr | None:
        """Return c'(t) at an end of a piece, or for ``side`` None at a point inside of it."""
        try:
            slope = self._slope_along(piece)
            if side is None:
                return slope.xreplace({self.x: point})  # normal forms are taken in r
            return self._payoff_at(slope, point, side)
        except OutOfTime:
            raise
        except Undecided:
            return None

    def _stationary(self, cell: Range, piece: Piece, pattern: Pattern) -> Branch:
        """Return the branch at a stationary point inside of a piece."""
        peak = pattern.peak
        assert peak is not None
        algebra = algebra_on(piece, self.x, self.parameters)
        payoffs = piece.payoffs.map(lambda part: part.xreplace({self.x: peak}))
        a, b = stationarity(piece, self.x, algebra)
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
            derivatives=(a, b),
            loss_in_x=piece.payoffs.generator,
            ratio_in_x=None if a == 0 else -b / a,
            slope=self._slope_at(piece, peak, None),
            piece=piece,
        )

    def _plateau(self, cell: Range, pieces: Sequence[Piece]) -> Branch:
        """Return the branch of a stretch along which a and b are both constant."""
        x, payoffs = middle(pieces, self.coordinate, self.parameters)
        varies = not all(self._is_constant(piece) for piece in pieces)
        return Branch(
            cell,
            x,
            "plateau",
            payoffs.real,
            payoffs.fake,
            payoffs.generator,
            payoffs.link,
            REASONS["plateau"],
            r * payoffs.real + payoffs.fake,
            slope=None if varies else sp.Integer(0),
            plateau=tuple(pieces),
            undetermined=(
                "the discriminator's payoffs are constant over an interval of scores on which "
                "the generator's loss is not, so that the loss is not determined"
                if varies
                else ""
            ),
        )

    def _is_constant(self, piece: Piece) -> bool:
        slope = derivative(piece.payoffs.generator, self.x)
        return algebra_on(piece, self.x, self.parameters).is_zero(slope)

    def best(self, local: Sequence[Branch]) -> list[Branch]:
        """Return the highest of several local maxima, cutting the cell where they cross."""
        first, *others = [branch for branch in local if not branch.passed]
        best = [first]
        for other in others:
            best = [piece for one in best for piece in self._higher(one, other)]
        return best

    def _higher(self, one: Branch, other: Branch) -> list[Branch]:
        lower, upper = one.ratios
        sample = {**self.parameters.sample, r: interior(lower, upper, self.parameters)}
        algebra = Algebra(sample)
        gain = algebra.normal(other.supremum - one.supremum)
        if gain == 0:
            kept = one if one.attained else other if other.attained else one
            alone = one.attained != other.attained and one.x == other.x
            if alone or algebra.is_zero(other.generator - one.generator):
                return [replace(kept, ratios=one.ratios)]
            doubt = (
                f"two scores are optimal for {_where(one.ratios)}, and the generator's loss "
                "differs between them"
            )
            return [replace(kept, ratios=one.ratios, undetermined=doubt, slope=None)]
        crossings = roots_between(gain, r, lower, upper, self.parameters)
        chosen = []
        for cell in pairwise([lower, *crossings, upper]):
            sign = self.parameters.sign(gain, {r: cell})
            if sign is None:
                raise Undecided("which of two local maxima is higher is not known")
            chosen.append(replace(other if sign > 0 else one, ratios=cell))
        return chosen


def payoff_at(
    expr: sp.Expr, x: sp.Symbol, point: sp.Expr, side: int, parameters: Assumptions
) -> sp.Expr:
    """Return a payoff at a coordinate, by its limit from above (1) or below (-1) where needed."""
    if point.is_finite and point != 0:
        value = expr.xreplace({x: point})
        if not value.has(*UNDEFINED):
            return Algebra(parameters.sample).normal(value)
    return limit(expr, x, point, side, parameters)


def middle(
    pieces: Sequence[Piece], coordinate: Coordinate, parameters: Assumptions
) -> tuple[sp.Expr, Payoffs]:
    """Return one coordinate of a stretch (its centre in t, a finite end, or t = 0) and payoffs."""
    first, last = pieces[0], pieces[-1]
    lower, upper = (coordinate.to_score(end) for end in (first.lower, last.upper))
    if lower.is_finite and upper.is_finite:
        score = (lower + upper) / 2
    elif upper.is_finite:
        score = upper if last.closed_upper else upper - 1
    elif lower.is_finite:
        score = lower if first.closed_lower or first.joined else lower + 1
    else:
        score = sp.Integer(0)
    x = coordinate.of_score(score)
    for piece in pieces:
        below = 1 if piece.upper == sp.oo else parameters.sign(piece.upper - x)
        if below in (0, 1):
            break
    side = 1 if below == 1 else -1
    return x, piece.payoffs.map(
        lambda part: payoff_at(part, coordinate.symbol, x, side, parameters)
    )


def _where(cell: Range) -> str:
    return "every r > 0" if cell == EVERYWHERE else f"{cell[0]} < r < {cell[1]}"
