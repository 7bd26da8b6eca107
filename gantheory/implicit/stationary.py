r"""Every local maximum of r·a(t) + b(t), with the ratios r for which it is one.

S(t; r) = r·a'(t) + b'(t) = a'(t)·(r − ρ(t)) with ρ = −b'/a' and
ρ' = −W/a'², W = a'b'' − b'a''. Between the zeros of a', b' and W, S is of one sign for every r
but where ρ passes r. There it falls, and the point is a maximum, exactly where a'W < 0: an `Arc`,
on which t*(r) solves ρ(t) = r. At a `Rest` (a kink, an end of the domain, a stretch of equally
good scores) S changes sign for an interval of ratios, between the values of ρ at its two sides.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import sympy as sp
from flint import arb

from gantheory.deadline import Undecided, check_time
from gantheory.functions import t
from gantheory.implicit.atscore import function_of, stationary_score
from gantheory.implicit.isolation import Function, limit_near, zeros
from gantheory.implicit.reals import Real
from gantheory.implicit.sections import Section, generic_point, vanishes
from gantheory.implicit.tidying import slope_of, tidied, turning
from gantheory.theory.coordinates import Payoffs

ZERO, INFINITY = Real.of(sp.Integer(0)), Real.of(sp.oo)

Ratios = tuple[Real, Real]


class Slopes:
    """The derivatives of the discriminator's payoffs on a section."""

    def __init__(self, payoffs: Payoffs) -> None:
        self.payoffs = payoffs
        self.real, self.fake = slope_of(payoffs.real), slope_of(payoffs.fake)
        self.wronskian = tidied(self.real * slope_of(self.fake) - self.fake * slope_of(self.real))

    @cached_property
    def functions(self) -> tuple[Function, Function, Function]:
        """a', b' and what has the sign of W."""
        turns = min(
            (self.wronskian, turning(self.real, self.fake)), key=lambda one: int(one.count_ops())
        )
        return tuple(function_of(e) for e in (self.real, self.fake, turns))  # type: ignore[return-value]

    @cached_property
    def values(self) -> dict[str, Function]:
        """The payoffs themselves."""
        return {name: function_of(getattr(self.payoffs, name)) for name in vars(self.payoffs)}

    @property
    def ratio(self) -> sp.Expr:
        """ρ = −b'/a'."""
        return -self.fake / self.real


@dataclass(frozen=True)
class _Part:
    """A part of a section on which a', b' and W are of one sign each (0: throughout)."""

    section: Section
    slopes: Slopes
    lower: Real
    upper: Real
    real: int
    fake: int
    wronskian: int

    @property
    def is_flat(self) -> bool:
        """Whether both payoffs are constant."""
        return self.real == 0 == self.fake

    def level(self, side: int) -> Real:
        """Return the limit of ρ at the lower (1) or the upper (-1) end."""
        end = self.lower if side == 1 else self.upper
        values = [function.value(end.ball) for function in self.slopes.functions[:2]]
        if end.is_finite and all(v.is_finite() for v in values) and not values[0].contains(0):
            exact = end.exact is not None and self.slopes.ratio.xreplace({t: end.exact})
            ball = -values[1] / values[0]
            return Real(ball, exact if isinstance(exact, sp.Expr) and exact.is_finite else None)
        if end.exact is not None:
            return limit_at(self.slopes.ratio, end, side)
        if end.is_finite and not values[1].contains(0):
            return INFINITY if self.real * self.fake < 0 else Real.of(-sp.oo)
        raise Undecided(f"the ratio that makes t = {end.shown} stationary is not known")


def limit_at(expr: sp.Expr, end: Real, side: int) -> Real:
    """Return a limit at an end of an interval, from above (1) or from below (-1)."""
    if t not in expr.free_symbols:
        return Real.of(expr)
    function = Function(expr, t)
    if end.is_finite:
        value = function.value(end.ball)
        if value.is_finite():
            if end.exact is None:
                return Real(value)
            exact = expr.xreplace({t: end.exact})
            if not exact.has(sp.nan, sp.zoo, sp.oo, -sp.oo, sp.AccumBounds):
                return Real.of(exact)
    if end.exact is None:
        raise Undecided(f"the limit of {str(expr)[:60]} at t = {end.shown} is not known")
    return Real.of(limit_near(expr, t, end, side))


def _parts_of(section: Section) -> list[_Part]:
    """Cut a section at all zeros of a', b' and W."""
    slopes = Slopes(section.payoffs)
    lower, upper = section.lower, section.upper
    still = [
        (t not in f.expr.free_symbols and f.expr == 0) or vanishes(f.expr, lower, upper)
        for f in slopes.functions
    ]
    places: list[Real] = []
    for function, is_zero in zip(slopes.functions, still, strict=True):
        if not is_zero and t in function.expr.free_symbols:
            places += zeros(function, lower, upper)
    ends = [lower, *_distinct(places), upper]
    found = []
    for low, high in itertools.pairwise(ends):
        check_time()
        middle = generic_point(low, high)
        signs = [
            0 if is_zero else function.sign(middle)
            for function, is_zero in zip(slopes.functions, still, strict=True)
        ]
        if None in signs:
            raise Undecided(f"the signs of the payoffs' derivatives near {middle} are not known")
        found.append(_Part(section, slopes, low, high, *signs))  # type: ignore[arg-type]
    return found


def _distinct(places: list[Real]) -> list[Real]:
    ordered = sorted(places, key=lambda place: float(place.ball.mid()))
    kept: list[Real] = []
    for place in ordered:
        if kept and kept[-1].ball.overlaps(place.ball):
            if kept[-1].exact is None:
                kept[-1] = (
                    place if place.exact is not None else Real(kept[-1].ball.union(place.ball))
                )
        else:
            kept.append(place)
    return kept


@dataclass(frozen=True)
class Arc:
    """Scores that are stationary, each for its one ratio ρ(t), and maxima there."""

    part: _Part
    ratios: Ratios
    kind: str = field(default="stationary", init=False)

    @property
    def rises(self) -> bool:
        """Whether the score rises with the ratio."""
        return self.part.real > 0

    def score(self, ratio: arb) -> arb:
        """Return a ball around t*(r), the one root of S on the part."""
        real, fake, _ = self.part.slopes.functions
        return stationary_score(real, fake, self.part.lower, self.part.upper, ratio)

    def at(self, ratio: arb, name: str) -> arb:
        """Return a payoff at t*(r)."""
        return self.part.slopes.values[name].value(self.score(ratio))

    def payoffs_at(self, ratio: arb) -> tuple[arb, arb]:
        """Return a and b at t*(r), at an end of the ratios their limits there."""
        for end, side in zip(self.ratios, (1, -1), strict=True):
            if end.ball.overlaps(ratio):
                return self.limit("real", side).ball, self.limit("fake", side).ball
        score, values = self.score(ratio), self.part.slopes.values
        return values["real"].value(score), values["fake"].value(score)

    def limit(self, name: str, side: int) -> Real:
        """Return the limit of a payoff where r tends to the lower (1) or upper (-1) end."""
        forward = side if self.rises else -side
        end = self.part.lower if forward == 1 else self.part.upper
        return limit_at(getattr(self.part.slopes.payoffs, name), end, forward)

    def attains(self, side: int) -> bool:
        """Whether the score at the lower (1) or upper (-1) end has the payoffs of its part."""
        section = self.part.section
        if side == (1 if self.rises else -1):
            inside = self.part.lower is not section.lower
            return inside or section.joined or section.closed_lower
        return self.part.upper is not section.upper or section.closed_upper


@dataclass(frozen=True)
class Rest:
    """A score at which the maximum rests for an interval of ratios, or a stretch of them.

    Attributes:
        kind: ``"kink"``, ``"end"``, ``"limit"`` (approached and not attained) or ``"plateau"``.
        beside: the parts below and above it, where there are such.
        flat: the parts of a plateau.
    """

    place: Real
    kind: str
    ratios: Ratios
    payoffs: dict[str, Real]
    beside: tuple[_Part | None, _Part | None]
    flat: tuple[_Part, ...] = ()

    def score(self, ratio: arb) -> arb:
        """Return the score."""
        return self.place.ball

    def at(self, ratio: arb, name: str) -> arb:
        """Return a payoff there."""
        return self.payoffs[name].ball

    def payoffs_at(self, ratio: arb) -> tuple[arb, arb]:
        """Return a and b there."""
        return self.payoffs["real"].ball, self.payoffs["fake"].ball

    def attains(self, side: int) -> bool:
        """Return True: the payoffs are read on the side on which the score is attained."""
        return True

    def limit(self, name: str, side: int) -> Real:
        """Return a payoff there."""
        return self.payoffs[name]


Local = Arc | Rest


def local_maxima(sections: list[Section]) -> list[Local]:
    """Return all local maxima, in the order of their scores."""
    parts = [part for section in sections for part in _parts_of(section)]
    found: list[Local] = []
    for part in parts:
        if part.real * part.fake < 0 and part.real * part.wronskian < 0:
            levels = part.level(1), part.level(-1)
            low, high = levels if part.real > 0 else levels[::-1]
            if is_less(low, high):
                found.append(Arc(part, (low, high)))
    found += _rests(parts)
    return found


def is_less(one: Real, other: Real) -> bool:
    """Whether a ratio is certainly below another."""
    return bool(one.ball < other.ball)


def _rests(parts: list[_Part]) -> Iterator[Rest]:
    k = 0
    while k < len(parts):
        stop = k
        if parts[k].is_flat:
            while (
                stop + 1 < len(parts)
                and _joins(parts[stop + 1], parts[stop])
                and parts[stop + 1].is_flat
            ):
                stop += 1
            yield from _plateau(parts, k, stop)
        else:
            yield from _ends(parts, k)
        k = stop + 1


def _joins(part: _Part, before: _Part) -> bool:
    return part.section is before.section or part.section.joined


def _climbs(part: _Part, before: _Part) -> bool:
    """Whether D's payoffs continue, though the generator's loss may jump."""
    return _joins(part, before) or part.section.climbed


def _neighbours(parts: list[_Part], first: int, last: int) -> tuple[_Part | None, _Part | None]:
    """Return the parts on both sides to which D's payoffs continue."""
    below = parts[first - 1] if first and _climbs(parts[first], parts[first - 1]) else None
    after = last + 1 < len(parts) and _climbs(parts[last + 1], parts[last])
    return below, parts[last + 1] if after else None


def _ends(parts: list[_Part], k: int) -> Iterator[Rest]:
    """Yield the rests at both ends of a part; one between two parts belongs to the upper one."""
    part = parts[k]
    below, above = _neighbours(parts, k, k)
    if not (below and below.is_flat):
        ratios = _meet(EVERYWHERE if below is None else _rising(below), _falling(part))
        kind = "kink" if below else "end" if part.section.closed_lower else "limit"
        for one, side in _read(part, below):
            yield from _rest(one, side, kind, ratios, (below, part))
    if above is None:
        kind = "end" if part.section.closed_upper else "limit"
        yield from _rest(part, -1, kind, _rising(part), (part, None))


def _read(part: _Part, below: _Part | None) -> list[tuple[_Part, int]]:
    """Return on which sides of a part's lower end the payoffs are those of the score itself.

    Where G's loss jumps and has no value at the score, both sides stay.
    """
    if below is None or _joins(part, below) or part.section.closed_lower:
        return [(part, 1)]
    return [(below, -1)] if below.section.closed_upper else [(below, -1), (part, 1)]


EVERYWHERE: Ratios = (ZERO, INFINITY)


def _rest(
    part: _Part,
    side: int,
    kind: str,
    ratios: Ratios | None,
    beside: tuple[_Part | None, _Part | None],
) -> Iterator[Rest]:
    if ratios is None:
        return
    end = part.lower if side == 1 else part.upper
    payoffs = {name: limit_at(expr, end, side) for name, expr in vars(part.slopes.payoffs).items()}
    yield Rest(end, kind, ratios, payoffs, beside)


def _plateau(parts: list[_Part], first: int, last: int) -> Iterator[Rest]:
    below, above = _neighbours(parts, first, last)
    ratios = _meet(
        EVERYWHERE if below is None else _rising(below),
        EVERYWHERE if above is None else _falling(above),
    )
    if ratios is None:
        return
    flat = tuple(parts[first : last + 1])
    place = _centre(flat)
    home = next(p for p in flat if p is flat[-1] or not place.ball > p.upper.ball)
    payoffs = {name: limit_at(expr, place, 1) for name, expr in vars(home.slopes.payoffs).items()}
    yield Rest(place, "plateau", ratios, payoffs, (below, above), flat)


def _centre(flat: tuple[_Part, ...]) -> Real:
    """Return one score of a stretch: its centre, a finite end, or 0."""
    first, last = flat[0], flat[-1]
    low, high = first.lower, last.upper
    if low.is_finite and high.is_finite:
        if low.exact is None or high.exact is None:
            return Real((low.ball + high.ball) / 2)
        return Real.of((low.exact + high.exact) / 2)
    if high.is_finite:
        return high if last.section.closed_upper else _shifted(high, -1)
    if low.is_finite:
        return low if first.section.closed_lower or first.section.joined else _shifted(low, 1)
    return ZERO


def _shifted(place: Real, by: int) -> Real:
    return Real(place.ball + by, None if place.exact is None else place.exact + by)


def _rising(part: _Part) -> Ratios | None:
    """Return the ratios at which S > 0 just below the upper end of a part."""
    return _ratios(part, part.real, part.fake, -1)


def _falling(part: _Part) -> Ratios | None:
    """Return the ratios at which S < 0 just above the lower end of a part."""
    return _ratios(part, -part.real, -part.fake, 1)


def _ratios(part: _Part, real: int, fake: int, side: int) -> Ratios | None:
    """Return the ratios at which r·|a'|·real + |b'|·fake > 0 near an end."""
    if real >= 0 and fake >= 0:
        return None if real == 0 == fake else EVERYWHERE
    if real <= 0 and fake <= 0:
        return None
    level = part.level(side)
    found = (level, INFINITY) if real > 0 else (ZERO, level)
    return found if is_less(*found) else None


def _meet(one: Ratios | None, other: Ratios | None) -> Ratios | None:
    if one is None or other is None:
        return None
    low = other[0] if is_less(one[0], other[0]) else one[0]
    high = other[1] if is_less(other[1], one[1]) else one[1]
    return (low, high) if is_less(low, high) else None


__all__ = ["Arc", "Local", "Rest", "local_maxima"]
