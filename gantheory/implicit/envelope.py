r"""The optimum for every r: the upper envelope of the local maxima.

Each local maximum has a value F_k(r) = r·a(t_k) + b(t_k) with F_k' = a(t_k), which does not fall:
F_k is convex. So on [x, y] it lies above its tangents and below its chord, and with
F_i(x) + a_i(x)(y − x) > F_j(y) and F_i(x) > F_j(x), F_i is higher throughout. Where r tends to
infinity a_i(x) ≥ a_j(∞) does; where r tends to 0, b_i(x) ≥ b_j(0). Where they tend to the same,
their expansions are compared (`gantheory.implicit.ties`).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from flint import arb, ctx

from gantheory.deadline import Undecided, check_time
from gantheory.errors import InternalError
from gantheory.implicit.reals import Real
from gantheory.implicit.sections import Section
from gantheory.implicit.stationary import (
    EVERYWHERE,
    INFINITY,
    ZERO,
    Arc,
    Local,
    Ratios,
    Rest,
    limit_at,
    local_maxima,
)
from gantheory.implicit.ties import is_higher_beyond

# Where in log r local maxima are compared before anything is proved, the ends of a cell with them
SHARES = (1e-9, 1e-4, 0.04, 0.19, 0.37, 0.53, 0.71, 0.86, 0.97, 1 - 1e-4, 1 - 1e-9)
MOST_CUTS = 12  # tries, each with one ratio more
FAR = 40  # binary digits of the largest and smallest of them
MOST = 400  # intervals of ratios on which two local maxima are compared
FURTHEST = 60  # quarterings and quadruplings of a ratio towards 0 and infinity
EQUAL_WITHIN = arb(2) ** -100
ROUNDED = 12  # binary digits that the payoffs at a score may have lost
EQUALLY_GOOD = (
    "two scores are equally good for an interval of ratios, and which of them is taken decides "
    "the generator's loss"
)


@dataclass(frozen=True)
class Segment:
    """The optimum for all r in ``ratios``, a local maximum, between two scores.

    ``start`` and ``stop`` are the scores at the lower and the upper ratio.
    """

    ratios: Ratios
    local: Local
    start: Real
    stop: Real
    undetermined: str = ""


@dataclass(frozen=True)
class Path:
    """The optimal score for every r > 0, or the direction in which there is none."""

    segments: tuple[Segment, ...]
    unbounded: str | None = None

    def at(self, ratio: arb) -> Segment:
        """Return the segment that a ratio lies in, at an end the lower one.

        Raises:
            Undecided: where the ratio is too near to an end of one to tell.
        """
        for segment in self.segments:
            high = segment.ratios[1].ball
            if ratio < high or ratio == high:
                return segment
            if not ratio > high:
                raise Undecided("the ratio is too near to one at which the optimum jumps to tell")
        raise InternalError("the last segment ends at infinity")


def optimal_path(sections: list[Section]) -> Path:
    """Return the optimum for every r > 0."""
    if unbounded := _unbounded(sections):
        return Path((), "r*a(t) + b(t) grows without bound " + ", and ".join(unbounded))
    found = local_maxima(sections)
    if not found:
        raise Undecided("no maximum was found")
    levels = [level for one in found for level in one.ratios if level not in EVERYWHERE]
    breaks = [ZERO, *_distinct(levels), INFINITY]
    segments: list[Segment] = []
    for cell in itertools.pairwise(breaks):
        check_time()
        middle = _inside(cell)
        local = [
            one for one in found if one.ratios[0].ball < middle and middle < one.ratios[1].ball
        ]
        if not local:
            raise Undecided(f"no maximum was found near r = {float(middle):.6g}")
        segments += _best(cell, local)
    return Path(tuple(_merged(segments)))


def _inside(cell: Ratios) -> arb:
    """Return a ratio within a cell."""
    low, high = cell[0].ball, cell[1].ball
    if not cell[1].is_finite:
        return (2 * low + 1).mid() if low > 0 else arb(1)
    return ((low * high).sqrt() if low > 0 else high / 2).mid()


def _distinct(levels: list[Real]) -> list[Real]:
    kept: list[Real] = []
    for level in sorted(levels, key=lambda one: float(one.ball.mid())):
        if kept and kept[-1].ball.overlaps(level.ball):
            if kept[-1].exact is None and level.exact is not None:
                kept[-1] = level
        elif level.ball > 0 and level.is_finite:
            kept.append(level)
    return kept


def _unbounded(sections: list[Section]) -> list[str]:
    """Say where r·a + b grows without bound, for which r and towards which score."""
    ways: list[str] = []
    for section in sections:
        for end, side in ((section.lower, 1), (section.upper, -1)):
            ratios = _infinite_at(section, end, side)
            if ratios:
                way = f"as t -> {end.shown} for {ratios}"
                if way not in ways:
                    ways.append(way)
    return ways


def _infinite_at(section: Section, end: Real, side: int) -> str | None:
    a, b = section.payoffs.real, section.payoffs.fake
    limits = [limit_at(expr, end, side).ball for expr in (a, b)]
    infinite = [not value.is_finite() for value in limits]
    signs = [
        (1 if value > 0 else -1) if far else 0 for value, far in zip(limits, infinite, strict=True)
    ]
    if 1 not in signs:
        return None
    if -1 not in signs:
        return "every r > 0"
    quotient = limit_at(-b / a, end, side)
    if quotient.ball.is_finite() and not quotient.ball > 0:
        return "every r > 0" if signs[0] == 1 else None
    if not quotient.is_finite:
        return None if signs[0] == 1 else "every r > 0"
    return f"r > {quotient.shown}" if signs[0] == 1 else f"r < {quotient.shown}"


def _value(local: Local, ratio: arb) -> arb:
    a, b = local.payoffs_at(ratio)
    return ratio * a + b


def _best(cell: Ratios, local: list[Local]) -> list[Segment]:
    """Cut a cell where another local maximum becomes the highest, and prove each part."""
    if len(local) == 1:
        return [_segment(cell, local[0])]
    local = [one for one in local if not _is_below_all(one, cell)]
    samples = [_sample(cell, share) for share in SHARES]
    for _ in range(MOST_CUTS):
        segments = _taken(cell, local, samples)
        try:
            for segment in segments:
                for other in local:
                    if other is not segment.local:
                        _prove(segment.local, other, segment.ratios)
            return segments
        except _Overtaken as found:
            samples = sorted([*samples, found.ratio], key=float)
    raise Undecided("too many local maxima take turns in being the highest")


class _Overtaken(Exception):
    """Another local maximum is certainly higher at a ratio."""

    def __init__(self, ratio: arb) -> None:
        super().__init__(f"at r = {float(ratio):.6g}")
        self.ratio = ratio


def _taken(cell: Ratios, local: list[Local], samples: list[arb]) -> list[Segment]:
    """Cut a cell where the highest of some local maxima changes between sampled ratios."""
    winners = [_highest(local, x) for x in samples]
    segments, low, current = [], cell[0], winners[0]
    for k in range(1, len(samples)):
        for level, following in _changes(
            samples[k - 1], samples[k], winners[k - 1], winners[k], local
        ):
            segments.append(_segment((low, level), current))
            low, current = level, following
    return [*segments, _segment((low, cell[1]), current)]


def _is_below_all(one: Local, cell: Ratios) -> bool:
    return not all(one.at(_inside(cell), name).is_finite() for name in ("real", "fake"))


def _highest(local: list[Local], ratio: arb) -> Local:
    """Return the local maximum with the largest value, by its centre."""
    return max(local, key=lambda one: float(_value(one, ratio).mid()))


def _sample(cell: Ratios, share: float) -> arb:
    """Return a ratio of a cell, evenly spaced in log r."""
    low, high = cell[0].ball, cell[1].ball
    top = high if cell[1].is_finite else low.max(arb(1)) * arb(2) ** FAR
    bottom = low if low > 0 else top.min(arb(1)) / arb(2) ** FAR
    return (bottom * (top / bottom) ** arb(share)).mid()


def _changes(
    low: arb, high: arb, first: Local, last: Local, local: list[Local], depth: int = 0
) -> list[tuple[Real, Local]]:
    """Return (ratio, next maximum) for each change of the highest between two ratios."""
    if first is last:
        return []
    if depth > 8:
        raise Undecided("too many local maxima take turns in being the highest")
    crossing = _crossing(low, high, first, last)
    rival = _highest(local, crossing.ball)
    if (
        rival is first
        or rival is last
        or not _value(rival, crossing.ball) > _value(first, crossing.ball)
    ):
        return [(crossing, last)]
    middle = crossing.ball.mid()
    return [
        *_changes(low, middle, first, rival, local, depth + 1),
        *_changes(middle, high, rival, last, local, depth + 1),
    ]


def _crossing(low: arb, high: arb, first: Local, last: Local) -> Real:
    """Return the ratio between two at which the second maximum becomes the higher one."""
    guess = ((low + high) / 2).mid()
    for _ in range(200):
        gain = _value(last, guess) - _value(first, guess)
        if gain.contains(0):
            break
        low, high = (low, guess) if gain > 0 else (guess, high)
        slope = last.at(guess, "real") - first.at(guess, "real")  # of the gain
        following = (guess - gain / slope).mid() if slope > 0 else low
        guess = following if low < following < high else ((low + high) / 2).mid()
        if not low < guess < high:
            break
    if all(_equal_values(first, last, ratio) for ratio in (low, (low + high) / 2, high)):
        raise Undecided(EQUALLY_GOOD)
    if not gain.contains(0):
        return Real(low.union(high))
    slope = last.at(guess, "real") - first.at(guess, "real")
    near = guess - gain / slope if slope > 0 else low.union(high)
    return Real(near if near.is_finite() else low.union(high))


def _equal_values(first: Local, last: Local, ratio: arb) -> bool:
    return _are_equal(_state(first, ratio), _state(last, ratio), ratio)


State = tuple[arb, arb, arb]


class _States:
    """Values and slopes of local maxima at ratios, each worked out once."""

    def __init__(self) -> None:
        self.known: dict[tuple[int, str], State] = {}

    def __call__(self, local: Local, ratio: arb) -> State:
        """Return F, F' = a, and b at a ratio."""
        key = id(local), str(ratio.man_exp())
        if key not in self.known:
            self.known[key] = _state(local, ratio)
        return self.known[key]


def _state(local: Local, ratio: arb) -> State:
    a, b = local.payoffs_at(ratio)
    return ratio * a + b, a, b


def _prove(best: Local, other: Local, ratios: Ratios) -> None:
    """See that one local maximum is higher than another for all ratios between two.

    Raises:
        Undecided: where it is not shown.
    """
    states, start = _States(), _inside(ratios)
    low, high = ratios
    x = low.ball.mid() if low.ball > 0 else _from_there(best, other, start, -1, states)
    y = high.ball.mid() if high.is_finite else _from_there(best, other, start, 1, states)
    waiting = [(x, y)]
    for _ in range(MOST):
        if not waiting:
            return
        check_time()
        x, y = waiting.pop()
        for ratio in (x, y):
            one, two = states(best, ratio), states(other, ratio)
            if two[0] > one[0] and not _are_equal(one, two, ratio):
                raise _Overtaken(ratio)
        if not _is_higher(best, other, x, y, states):
            middle = ((x * y).sqrt()).mid()
            waiting += [(x, middle), (middle, y)]
    raise Undecided(f"which of two local maxima is higher near r = {float(x):.6g} is not known")


def _from_there(best: Local, other: Local, start: arb, way: int, states: _States) -> arb:
    """Return a ratio beyond which (1), or below which (-1), one maximum stays the higher."""
    name = "real" if way == 1 else "fake"
    limit = other.limit(name, -way)
    most = limit.ball
    level = best.payoffs[name].exact if isinstance(best, Rest) else None
    even = level is not None and level == limit.exact  # which balls do not see
    tied = limit.exact is not None and best.limit(name, -way).exact == limit.exact
    for k in range(0 if tied and not even else FURTHEST):
        ratio = (start * arb(4) ** (way * k)).mid()
        one, two = states(best, ratio), states(other, ratio)
        if one[0] > two[0] and (even or one[1 if way == 1 else 2] >= most):
            return ratio
    if all(_equal_values(best, other, ratio) for ratio in (start, (start * arb(4) ** way).mid())):
        raise Undecided(EQUALLY_GOOD)
    higher, ratio = is_higher_beyond(best, other, way)
    if not higher:
        raise _Overtaken(ratio)
    return ratio


def _is_higher(best: Local, other: Local, x: arb, y: arb, states: _States) -> bool:
    """Whether the tangent of one at an end lies above the chord of the other.

    At the ratio where the two take turns they are equal, and the tangent alone decides.
    """
    one = states(best, x), states(best, y)
    two = states(other, x), states(other, y)
    width = y - x
    beyond = one[0][0] + one[0][1] * width > two[1][0]
    before = one[1][0] - one[1][1] * width > two[0][0]
    return bool(
        (beyond and _is_no_less(one[0], two[0], x)) or (before and _is_no_less(one[1], two[1], y))
    )


def _is_no_less(one: State, other: State, ratio: arb) -> bool:
    return bool(one[0] > other[0] or _are_equal(one, other, ratio))


def _are_equal(one: State, other: State, ratio: arb) -> bool:
    """Whether two values r·a + b differ by next to nothing of their parts, which may be small."""
    parts = [abs(ratio * a).max(abs(b)) for _, a, b in (one, other)]
    rounding = (1 + abs(ratio)) * arb(2) ** (ROUNDED - ctx.prec)
    return bool(abs(one[0] - other[0]) < EQUAL_WITHIN * parts[0].max(parts[1]) + rounding)


def _segment(ratios: Ratios, local: Local) -> Segment:
    if isinstance(local, Rest):
        return Segment(ratios, local, local.place, local.place)
    ends = (
        (local.part.lower, local.part.upper)
        if local.rises
        else (local.part.upper, local.part.lower)
    )
    found = []
    for k in (0, 1):
        own, asked = local.ratios[k], ratios[k]
        same = (
            own is asked
            or (own.exact is not None and own.exact == asked.exact)
            or own.ball.overlaps(asked.ball)
        )
        found.append(ends[k] if same else Real(local.score(asked.ball)))
    return Segment(ratios, local, found[0], found[1])


def _merged(segments: list[Segment]) -> list[Segment]:
    """Join neighbours that are the same maximum."""
    merged: list[Segment] = []
    for one in segments:
        last = merged[-1] if merged else None
        if last and (last.local is one.local):
            merged[-1] = replace(last, ratios=(last.ratios[0], one.ratios[1]), stop=one.stop)
        else:
            merged.append(one)
    return merged


__all__ = ["Arc", "Path", "Rest", "Segment", "optimal_path"]
