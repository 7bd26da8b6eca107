"""The optimal discriminator: the global maximiser of r·a(t) + b(t), with the reason why.

On a piece where the payoffs are smooth, S(x; r) = r·a'(x) + b'(x) = a'(x)·(r − ρ(x)) with
ρ = −b'/a'. Where a' and ρ' have one sign each, or a and b are both concave, S changes sign at
most once along the piece, so its sign pattern is known for every r: rising, falling, a peak at
the solution of ρ(x) = r, or a valley. Patterns of adjacent pieces give every local maximum; where
there are several, their values are compared exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import sympy as sp

from gantheory.symbolic.algebra import Algebra, evaluate
from gantheory.symbolic.asymptotics import limit
from gantheory.symbolic.atoms import r
from gantheory.symbolic.limits import Undecided, check_time
from gantheory.symbolic.pieces import Coordinate, Payoffs, Piece, algebra_on, cut
from gantheory.symbolic.positivity import Parameters, Range, interior
from gantheory.symbolic.roots import in_order, roots_between, solve_factor

ZERO = sp.Integer(0)
EVERYWHERE: Range = (ZERO, sp.oo)


@dataclass(frozen=True)
class Pattern:
    """The sign of S along one piece, for all r in ``ratios``.

    ``signs`` is ``"+"``, ``"-"``, ``"0"``, ``"+-"`` (a peak at ``peak``) or ``"-+"`` (a valley).
    """

    ratios: Range
    signs: str
    peak: sp.Expr | None = None
    reason: str = ""


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


def stationarity(piece: Piece, x: sp.Symbol, algebra: Algebra) -> tuple[sp.Expr, sp.Expr]:
    """Return a'(x) and b'(x), so that S = r·a' + b'."""
    return (
        algebra.normal(sp.diff(piece.payoffs.real, x)),
        algebra.normal(sp.diff(piece.payoffs.fake, x)),
    )


def optimise(pieces: Sequence[Piece], coordinate: Coordinate, parameters: Parameters) -> Optimum:
    """Find the global maximum of r·a + b for every r > 0."""
    search = _Search(coordinate.symbol, parameters)
    pieces = [part for piece in pieces for part in search.monotone_parts(piece)]
    patterns = [search.patterns(piece) for piece in pieces]
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
    flats = [f for k, piece in enumerate(pieces) for f in search.flats(piece, patterns[k])]
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
    def __init__(self, x: sp.Symbol, parameters: Parameters) -> None:
        self.x, self.parameters = x, parameters
        self._certificates: dict[Piece, str | None] = {}

    # The sign patterns of one piece.

    def monotone_parts(self, piece: Piece) -> list[Piece]:
        """Cut a piece until S changes sign at most once along each part, for every r."""
        check_time()
        if self._certificate(piece) is not None:
            return [piece]
        a, b = stationarity(piece, self.x, algebra_on(piece, self.x, self.parameters))
        wronskian = a * sp.diff(b, self.x) - b * sp.diff(a, self.x)
        cuts = in_order(
            [root for expr in (a, b, wronskian) if expr != 0 for root in self._roots(expr, piece)],
            self.parameters,
        )
        parts = cut(piece, cuts)
        if any(self._certificate(part) is None for part in parts):
            raise Undecided(
                "the sign of the derivative of r*a(t) + b(t) along the domain is not known"
            )
        return parts

    def _roots(self, expr: sp.Expr, piece: Piece) -> list[sp.Expr]:
        return roots_between(expr, self.x, piece.lower, piece.upper, self.parameters)

    def _sign(self, expr: sp.Expr, piece: Piece) -> int | None:
        return self.parameters.sign(expr, {self.x: (piece.lower, piece.upper)})

    def _certificate(self, piece: Piece) -> str | None:
        """Return why S changes sign at most once: the two signs, or concavity."""
        if piece not in self._certificates:
            self._certificates[piece] = self._find_certificate(piece)
        return self._certificates[piece]

    def _find_certificate(self, piece: Piece) -> str | None:
        algebra = algebra_on(piece, self.x, self.parameters)
        a, b = stationarity(piece, self.x, algebra)
        if a == 0 or b == 0:
            return "one-sided" if self._sign(a + b, piece) is not None else None
        ratio = algebra.normal(-b / a)
        slope = algebra.normal(sp.diff(ratio, self.x))
        if self._sign(a, piece) and self._sign(slope, piece) is not None:
            return "monotone"
        bends = [self._sign(algebra.normal(sp.diff(part, self.x)), piece) for part in (a, b)]
        falling = all(bend in (0, -1) for bend in bends)
        return "concave" if falling and -1 in bends else None

    def patterns(self, piece: Piece) -> list[Pattern]:
        """Return the sign pattern of S for every r > 0."""
        algebra = algebra_on(piece, self.x, self.parameters)
        a, b = stationarity(piece, self.x, algebra)
        if a == 0 or b == 0:
            return [Pattern(EVERYWHERE, _symbol(self._sign(a + b, piece)))]
        ratio = algebra.normal(-b / a)
        if self._certificate(piece) == "concave":
            return self._concave(piece, a, b, ratio)
        sign, slope = self._sign(a, piece), self._sign(sp.diff(ratio, self.x), piece)
        assert sign is not None
        ends = (self._at_end(ratio, piece, 0), self._at_end(ratio, piece, 1))
        if slope == 0:
            return self._split(ends[0], ends[0], _symbol(-sign), _symbol(sign), "")
        if slope == 1:
            low, high = ends
            below, above = _symbol(-sign), _symbol(sign)
        else:
            high, low = ends
            below, above = _symbol(-sign), _symbol(sign)
        between = "+-" if sign == slope else "-+"
        reason = "S = a'(r - ρ) with a' and ρ' of one sign each"
        return self._with_peak(piece, self._split(low, high, below, above, between), ratio, reason)

    def _at_end(self, expr: sp.Expr, piece: Piece, which: int) -> sp.Expr:
        point, side = ((piece.lower, 1), (piece.upper, -1))[which]
        return limit(expr, self.x, point, side, self.parameters)

    def _split(
        self, low: sp.Expr, high: sp.Expr, below: str, above: str, between: str
    ) -> list[Pattern]:
        """Return the patterns below, between and above two ratios, kept to r > 0."""
        cells = [((ZERO, low), below), ((low, high), between), ((high, sp.oo), above)]
        kept = []
        for (lower, upper), signs in cells:
            lower = sp.Integer(0) if self._is_at_most(lower, ZERO) else lower
            if lower != sp.oo and not self._is_at_most(upper, lower):
                kept.append(Pattern((lower, upper), signs))
        return kept

    def _is_at_most(self, a: sp.Expr, b: sp.Expr) -> bool:
        if a == -sp.oo or b == sp.oo or a == b:
            return True
        if a == sp.oo or b == -sp.oo:
            return False
        sign = self.parameters.sign(a - b)
        if sign is None:
            raise Undecided(f"the order of {a} and {b} depends on the parameters")
        return sign <= 0

    def _concave(self, piece: Piece, a: sp.Expr, b: sp.Expr, ratio: sp.Expr) -> list[Pattern]:
        """S falls along the piece: its signs at the two ends say where its zero is."""
        low, high = self._sign_at_end(a, b, piece, 0), self._sign_at_end(a, b, piece, 1)
        breaks = in_order([e for e in (low[1], high[1]) if e is not None], self.parameters)
        patterns = []
        for cell in pairwise([ZERO, *breaks, sp.oo]):
            first, last = (self._side(s, e, cell) for s, e in (low, high))
            signs = "-" if first <= 0 else "+" if last >= 0 else "+-"
            patterns.append(Pattern(cell, signs))
        return self._with_peak(piece, patterns, ratio, "a and b are concave on the domain")

    def _sign_at_end(
        self, a: sp.Expr, b: sp.Expr, piece: Piece, which: int
    ) -> tuple[int, sp.Expr | None]:
        """Return the sign of S at an end for large r, and the ratio where it changes, if any."""
        signs = []
        for part in (a, b):
            value = self._at_end(part, piece, which)
            sign = int(sp.sign(value)) if value.is_infinite else self.parameters.sign(value)
            if sign is None:
                raise Undecided(f"the sign of {value} depends on the parameters")
            signs.append(sign)
        if signs[0] * signs[1] >= 0:
            return signs[0] or signs[1], None
        change = limit(
            -b / a, self.x, *((piece.lower, 1), (piece.upper, -1))[which], self.parameters
        )
        return signs[0], None if change in (ZERO, sp.oo) else change

    def _side(self, sign: int, change: sp.Expr | None, cell: Range) -> int:
        if change is None:
            return sign
        return sign if self._is_at_most(change, cell[0]) else -sign

    def _with_peak(
        self, piece: Piece, patterns: list[Pattern], ratio: sp.Expr, reason: str
    ) -> list[Pattern]:
        return [
            replace(p, peak=self._solve(piece, ratio, p.ratios), reason=reason)
            if p.signs == "+-"
            else p
            for p in patterns
        ]

    def _solve(self, piece: Piece, ratio: sp.Expr, cell: Range) -> sp.Expr:
        """Return the one solution x of ρ(x) = r inside of the piece.

        Every candidate solves ρ(x)^m = r^m exactly for some m, so that ρ(x) = ±r along the whole
        cell; one point tells the sign, and whether the candidate lies inside.
        """
        values = {**self.parameters.sample, r: interior(*cell, self.parameters)}
        algebra = Algebra({**values, self.x: interior(piece.lower, piece.upper, self.parameters)})
        for root in _candidates(ratio, self.x, algebra):
            point = evaluate(root, values)
            low, high = (_value(e, self.parameters) for e in (piece.lower, piece.upper))
            reached = evaluate(ratio, {**values, self.x: point})
            if low < point < high and math.isclose(reached, values[r], rel_tol=1e-6):
                return root
        raise Undecided(f"no closed form for the solution of {ratio} = r")

    def flats(self, piece: Piece, patterns: Sequence[Pattern]) -> list[Flat]:
        """Return the ratios at which S vanishes along the whole piece."""
        algebra = algebra_on(piece, self.x, self.parameters)
        a, b = stationarity(piece, self.x, algebra)
        if a == 0 or b == 0:
            return []
        ratio = algebra.normal(-b / a)
        if self.x in ratio.free_symbols or self.parameters.sign(ratio) != 1:
            return []
        return [Flat(ratio, piece)]

    # The maxima of all pieces together.

    def at(self, cell: Range, patterns: Sequence[Pattern]) -> Pattern:
        """Return the pattern that holds on a cell of ratios."""
        for pattern in patterns:
            lower, upper = pattern.ratios
            if self._is_at_most(lower, cell[0]) and self._is_at_most(cell[1], upper):
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


def _symbol(sign: int | None) -> str:
    return {1: "+", -1: "-", 0: "0"}[0 if sign is None else sign]


def _value(point: sp.Expr, parameters: Parameters) -> float:
    return float(point) if point.is_infinite else evaluate(point, parameters.sample)


def _candidates(ratio: sp.Expr, x: sp.Symbol, algebra: Algebra) -> list[sp.Expr]:
    """Return the solutions of ρ(x) = r in closed form."""
    found: list[sp.Expr] = []
    reasons = []
    for equation in _equations(ratio, x, algebra):
        for factor, power in algebra.quotient(equation).factors()[1]:
            if power > 0 and x in factor.free_symbols:
                try:
                    found += solve_factor(factor, x, algebra)
                except Undecided as reason:
                    reasons.append(reason)
        if found:
            return found
    raise reasons[0] if reasons else Undecided(f"no solution of {ratio} = r")


def _equations(ratio: sp.Expr, x: sp.Symbol, algebra: Algebra) -> Iterator[sp.Expr]:
    yield ratio - r
    rooted = _rooted(ratio, x, algebra)
    if rooted is not None:
        yield rooted


def _rooted(ratio: sp.Expr, x: sp.Symbol, algebra: Algebra) -> sp.Expr | None:
    """Take the root of ρ(x) = r that leaves no fractional or symbolic power of x."""
    content, factors = algebra.factors(ratio)
    moving = [(base, e) for base, e in factors if x in base.free_symbols]
    if not moving or not content.is_positive:
        return None
    common = moving[0][1]
    quotients = [algebra.normal(e / common) for _, e in moving]
    if not all(q.is_Rational for q in quotients):
        return None
    order = math.lcm(*(int(q.q) for q in quotients))
    left = sp.Mul(*(base ** (q * order) for (base, _), q in zip(moving, quotients, strict=True)))
    fixed = sp.Mul(content, *(base**e for base, e in factors if x not in base.free_symbols))
    return left - (r / fixed) ** (order / common)


__all__ = ["Branch", "Flat", "Optimum", "Payoffs", "optimise"]
