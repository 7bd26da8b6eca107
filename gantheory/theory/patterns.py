"""The sign of S = r·a'(x) + b'(x) along one smooth piece of the score axis, for every r.

S = a'(x)·(r − ρ(x)) with ρ = −b'/a'. Where a' and ρ' have one sign each, or a and b are both
concave, S changes sign at most once along the piece.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import sympy as sp

from gantheory.deadline import Undecided, check_time
from gantheory.exact.algebra import Algebra, floating_value
from gantheory.exact.assumptions import Assumptions, Range, interior
from gantheory.exact.derivative import derivative
from gantheory.exact.limits import limit
from gantheory.exact.roots import in_order, roots_between, solve_factor
from gantheory.functions import r
from gantheory.theory.pieces import Piece, algebra_on, balls_along, cut

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


def stationarity(piece: Piece, x: sp.Symbol, algebra: Algebra) -> tuple[sp.Expr, sp.Expr]:
    """Return a'(x) and b'(x), so that S = r·a' + b'."""
    return (
        algebra.normal(derivative(piece.payoffs.real, x)),
        algebra.normal(derivative(piece.payoffs.fake, x)),
    )


class Patterns:
    """The sign patterns of S along single pieces."""

    def __init__(self, x: sp.Symbol, parameters: Assumptions) -> None:
        self.x, self.parameters = x, parameters
        self._certificates: dict[Piece, str | None] = {}

    def monotone_parts(self, piece: Piece) -> list[Piece]:
        """Cut a piece until S changes sign at most once along each part, for every r."""
        check_time()
        if self._certificate(piece) is not None:
            return [piece]
        a, b = stationarity(piece, self.x, algebra_on(piece, self.x, self.parameters))
        wronskian = a * derivative(b, self.x) - b * derivative(a, self.x)
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
        if self._changes(expr, piece):
            return None
        return self.parameters.sign(expr, {self.x: (piece.lower, piece.upper)})

    def _changes(self, expr: sp.Expr, piece: Piece) -> bool:
        """Whether single points show both signs: cheaper than to look for one that holds."""
        signs = {ball > 0 for (ball,) in balls_along((expr,), piece, self.x, self.parameters)}
        return len(signs) > 1

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
        slope = algebra.normal(derivative(ratio, self.x))
        if self._sign(a, piece) and self._sign(slope, piece) is not None:
            return "monotone"
        bends = [self._sign(algebra.normal(derivative(part, self.x)), piece) for part in (a, b)]
        falling = all(bend in (0, -1) for bend in bends)
        return "concave" if falling and -1 in bends else None

    def along(self, piece: Piece) -> list[Pattern]:
        """Return the sign pattern of S for every r > 0."""
        algebra = algebra_on(piece, self.x, self.parameters)
        a, b = stationarity(piece, self.x, algebra)
        if a == 0 or b == 0:
            return [Pattern(EVERYWHERE, _symbol(self._sign(a + b, piece)))]
        ratio = algebra.normal(-b / a)
        if self._certificate(piece) == "concave":
            return self._concave(piece, a, b, ratio)
        sign, slope = self._sign(a, piece), self._sign(derivative(ratio, self.x), piece)
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
        reason = "r·a' + b' = a'·(r - ρ), ρ = -b'/a', with a' and ρ' of one sign each"
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
            lower = sp.Integer(0) if is_at_most(lower, ZERO, self.parameters) else lower
            if lower != sp.oo and not is_at_most(upper, lower, self.parameters):
                kept.append(Pattern((lower, upper), signs))
        return kept

    def _concave(self, piece: Piece, a: sp.Expr, b: sp.Expr, ratio: sp.Expr) -> list[Pattern]:
        """S falls along the piece: its signs at the two ends say where its zero is."""
        low, high = self._sign_at_end(a, b, piece, 0), self._sign_at_end(a, b, piece, 1)
        breaks = in_order([e for e in (low[1], high[1]) if e is not None], self.parameters)
        patterns = []
        for cell in pairwise([ZERO, *breaks, sp.oo]):
            first, last = (self._side(s, e, cell) for s, e in (low, high))
            signs = "-" if first <= 0 else "+" if last >= 0 else "+-"
            patterns.append(Pattern(cell, signs))
        return self._with_peak(piece, patterns, ratio, "a(t) and b(t) are concave on the domain")

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
        return sign if is_at_most(change, cell[0], self.parameters) else -sign

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
        if self.x not in ratio.free_symbols:  # a' and b' are proportional: S vanishes with a'
            slope = derivative(piece.payoffs.real, self.x)
            (root,) = self._roots(slope, piece)
            return root
        algebra = Algebra({**values, self.x: interior(piece.lower, piece.upper, self.parameters)})
        for root in _candidates(ratio, self.x, algebra):
            point = floating_value(root, values)
            low, high = (_value(e, self.parameters) for e in (piece.lower, piece.upper))
            reached = floating_value(ratio, {**values, self.x: point})
            if low < point < high and math.isclose(reached, values[r], rel_tol=1e-6):
                return root
        raise Undecided(f"no closed form for the solution of {ratio} = r")

    def flat_ratio(self, piece: Piece) -> sp.Expr | None:
        """Return the ratio at which S vanishes along the whole piece, if there is one."""
        algebra = algebra_on(piece, self.x, self.parameters)
        a, b = stationarity(piece, self.x, algebra)
        if a == 0 or b == 0:
            return None
        ratio = algebra.normal(-b / a)
        constant = self.x not in ratio.free_symbols and self.parameters.sign(ratio) == 1
        return ratio if constant else None


def is_at_most(a: sp.Expr, b: sp.Expr, parameters: Assumptions) -> bool:
    """Return whether a <= b for all legal parameters; the two may be infinite."""
    if a == -sp.oo or b == sp.oo or a == b:
        return True
    if a == sp.oo or b == -sp.oo:
        return False
    sign = parameters.sign(a - b)
    if sign is None:
        raise Undecided(f"the order of {a} and {b} depends on the parameters")
    return sign <= 0


def _symbol(sign: int | None) -> str:
    return {1: "+", -1: "-", 0: "0"}[0 if sign is None else sign]


def _value(point: sp.Expr, parameters: Assumptions) -> float:
    return float(point) if point.is_infinite else floating_value(point, parameters.sample)


def _candidates(ratio: sp.Expr, x: sp.Symbol, algebra: Algebra) -> list[sp.Expr]:
    """Return the solutions of ρ(x) = r in closed form."""
    found: list[sp.Expr] = []
    reasons = []
    for equation in equations(ratio, x, algebra):
        for factor, power in algebra.quotient(equation).factors()[1]:
            if power > 0 and x in factor.free_symbols:
                try:
                    found += solve_factor(factor, x, algebra)
                except Undecided as reason:
                    reasons.append(reason)
        if found:
            return found
    raise reasons[0] if reasons else Undecided(f"no solution of {ratio} = r")


def equations(ratio: sp.Expr, x: sp.Symbol, algebra: Algebra) -> Iterator[sp.Expr]:
    """Yield ρ(x) = r, and a root of it with fewer generators, as what is to be 0."""
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
