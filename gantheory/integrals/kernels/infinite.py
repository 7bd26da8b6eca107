"""Whether a divergence is infinite: decided by supports and tails, before any quadrature."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from gantheory.densities.tails import Growing, Tail
from gantheory.densities.univariate import Place, Univariate, nearest, reaches
from gantheory.divergences.stable import Growth
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.records import Estimate, Status


@dataclass(frozen=True)
class End:
    """A point that an integral over both supports approaches from one side, and both tails there.

    A tail is None where the density does not state it.
    """

    point: Place
    p: Tail | None
    q: Tail | None

    @cached_property
    def u(self) -> Growing:
        """How log p − log q grows toward the point, both tails being known."""
        assert self.p is not None
        assert self.q is not None
        return Growing.of(1, self.p, -1, self.q)


class SharedEnds:
    """The ends that two densities share, looked up once for all divergences of the pair."""

    def __init__(self, p: Univariate, q: Univariate) -> None:
        self.p, self.q = p, q

    @cached_property
    def shared(self) -> list[End]:
        """Return every end at which an integral over both supports may diverge."""
        places, laws = shared_ends(self.p, self.q), (self.p, self.q)
        return [End(x, *(law.exact_tail(x, side) for law in laws)) for x, side in places]


def infinite(kernel: Kernel, ends: SharedEnds) -> Estimate | None:
    """Return the infinite or undetermined answer, or None where the divergence is finite."""
    causes = _causes(kernel, ends)
    if _signs(kernel) in ({1}, {-1}):
        return next(causes, None)  # nothing can make up for it
    found = list(causes)
    for answer in found:
        if answer.status is not Status.INFINITE:
            return answer
    if len({answer.value for answer in found}) > 1:
        reasons = " and to ".join(f"{a.value} because {a.reason}" for a in found[:2])
        return Estimate.undetermined(f"the integral diverges to {reasons}: it has no value")
    return found[0] if found else None


def _is_unbounded_above(kernel: Kernel) -> bool:
    """Whether f'(∞) is infinite."""
    return kernel.at_infinity.power > 1 or kernel.at_infinity.logs > 0


def _signs(kernel: Kernel) -> set[int]:
    """Return the signs of the infinities that the divergence may reach."""
    zero, infinity = kernel.at_zero, kernel.at_infinity
    above = {infinity.sign} if _is_unbounded_above(kernel) else set()
    return above if zero.is_finite else {*above, zero.sign}


def _causes(kernel: Kernel, ends: SharedEnds) -> Iterator[Estimate]:
    """Return every place at which the integral diverges, or may."""
    p, q = ends.p, ends.q
    zero, infinity = kernel.at_zero, kernel.at_infinity
    unbounded_above, unbounded_below = _is_unbounded_above(kernel), not zero.is_finite
    if unbounded_above and kernel.singular_p and (gap := uncovered(p.exact_pieces, q.exact_pieces)):
        yield _infinite(infinity, f"p has mass on {_shown(gap)}, where q = 0")
    if unbounded_below and kernel.singular_q and (gap := uncovered(q.exact_pieces, p.exact_pieces)):
        yield _infinite(zero, f"q has mass on {_shown(gap)}, where p = 0")
    if unbounded_above or unbounded_below:
        yield from (answer for end in ends.shared if (answer := _at_end(kernel, end)))


def _infinite(growth: Growth, reason: str) -> Estimate:
    if growth.sign:
        return Estimate.infinite(reason, sign=growth.sign)
    return Estimate.undetermined(f"{reason}, and infinite terms of both signs may cancel there")


def _at_end(kernel: Kernel, end: End) -> Estimate | None:
    p, q = end.p, end.q
    if p is None or q is None:
        which = "p" if p is None else "q"
        return Estimate.undetermined(
            f"the tail of {which} at {nearest(end.point):g} is not known, so {kernel.name} may be "
            "infinite; state the tails of the density"
        )
    direction = end.u.direction
    if not direction:
        return None
    growth = kernel.at_infinity if direction > 0 else kernel.at_zero
    if _converges(growth, p, q, end.u):
        return None
    ratio = "p/q" if direction > 0 else "q/p"
    return _infinite(
        growth,
        f"toward x = {nearest(end.point):g}, {ratio} grows too fast for the integral to converge: "
        f"log p ~ {p}, log q ~ {q}",
    )


def _converges(growth: Growth, p: Tail, q: Tail, u: Growing) -> bool:
    return Growing.of(growth.power, p, 1 - growth.power, q).times_logs(growth.logs, u).integrable


def shared_ends(p: Univariate, q: Univariate) -> list[tuple[Place, int]]:
    """Return every (place, side) at which an integral over both supports may diverge."""
    both = p.exact_pieces, q.exact_pieces
    places = sorted((x, side) for x in p.exact_breaks | q.exact_breaks for side in (-1, +1))
    return [end for end in places if all(reaches(pieces, *end) for pieces in both)]


def uncovered(
    pieces: tuple[tuple[Place, Place], ...], cover: tuple[tuple[Place, Place], ...]
) -> tuple[Place, Place] | None:
    """Return an interval inside ``pieces`` that ``cover`` leaves out, or None."""
    for low, high in pieces:
        start = low
        for a, b in cover:
            if b <= start:
                continue
            if a > start:
                return start, min(a, high)
            start = max(start, b)
            if start >= high:
                break
        if start < high:
            return start, high
    return None


def _shown(interval: tuple[Place, Place]) -> str:
    """Return an interval as text."""
    low, high = map(nearest, interval)
    if f"{low:g}" == f"{high:g}":
        length = nearest(interval[1] - interval[0])
        why = " (by the exact binary64 parameters)" if math.ulp(high) > length / 4 else ""
        return f"an interval of length {length:.2g} at {low:g}{why}"
    left = "(" if math.isinf(low) else "["
    right = ")" if math.isinf(high) else "]"
    return f"{left}{low:g}, {high:g}{right}"
