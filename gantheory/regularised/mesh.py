"""Where a penalised discriminator is solved: intervals of the line, and their first elements."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.univariate import Points, Univariate
from gantheory.errors import GantheoryError

NEGLIGIBLE = 1e-17  # the mass of each law beyond the ends of the mesh
FAINT = -600.0  # log of a penalty's weight that binary64 still squares and divides
EVEN = np.arange(0.0, 8.25, 0.5)  # of a bump's width, from its centre: as far as normal laws reach
GROWTH = 1.5  # of the elements beyond
CLOSEST = 0.12  # of the neighbouring gap: nearer points are left out
WIDEST = 400  # elements to begin with
RISE = 6.0  # of log p within an element
HALVINGS = 12
STEEP = 0.5  # rise of log p from 1e-6 to 1e-9 of a width from an end: a negative power
GRADES = 22  # elements towards such an end, each a quarter of the one before


def ends_of(law: Univariate) -> tuple[float, float]:
    """Return the interval outside of which a law has a negligible mass."""
    low, high = law.support
    if math.isfinite(low) and math.isfinite(high):
        return low, high
    try:
        near = float(law.ppf(NEGLIGIBLE)), float(law.isf(NEGLIGIBLE))
        if all(map(math.isfinite, near)):
            return max(low, near[0]), min(high, near[1])
    except GantheoryError:
        pass  # no quantiles: follow the density itself
    return (low if math.isfinite(low) else _faint(law, -1)), (
        high if math.isfinite(high) else _faint(law, 1)
    )


def _faint(law: Univariate, side: int) -> float:
    """Return where the density times the distance to the centres has faded away."""
    centre, width = max(law.centers, key=lambda bump: side * bump[0] + 8 * bump[1])
    distance = width
    while distance < 1e18 * width:
        x = centre + side * distance
        if float(law.logpdf(x)) + math.log(distance) < math.log(NEGLIGIBLE):
            return x
        distance *= 1.25
    return centre + side * distance


def intervals(p: Univariate, q: Univariate, real: bool, fake: bool) -> list[tuple[float, float]]:
    """Return where the penalty's weight is positive and binary64 can hold it.

    Elsewhere the penalty holds nothing: D takes each point's best score at no cost.
    """
    laws = [law for law, used in ((p, real), (q, fake)) if used]
    joined = supports(p, q, laws)
    return [found for piece in joined for found in _held(laws, elements(p, q, *piece))]


def supports(p: Univariate, q: Univariate, laws: list[Univariate]) -> list[tuple[float, float]]:
    """Return where some laws have densities, as far as p or q has mass."""
    reach = [ends_of(law) for law in (p, q)]
    low, high = min(a for a, _ in reach), max(b for _, b in reach)
    pieces = sorted(piece for law in laws for piece in law.pieces)
    joined: list[tuple[float, float]] = []
    for a, b in ((max(a, low), min(b, high)) for a, b in pieces):
        if joined and a <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], b)
        elif a < b:
            joined.append((a, b))
    return joined


def _held(laws: list[Univariate], grid: Array) -> list[tuple[float, float]]:
    """Return the parts of an interval on which the weight is not faint, seen on its elements."""

    def is_held(x: float) -> bool:
        return any(float(law.logpdf(x)) > FAINT for law in laws)

    ends = [grid[0] + 1e-9 * (grid[1] - grid[0]), grid[-1] - 1e-9 * (grid[-1] - grid[-2])]
    held = [is_held(x) for x in (ends[0], *grid[1:-1], ends[1])]
    found: list[tuple[float, float]] = []
    first: float | None = float(grid[0]) if held[0] else None
    for k in range(1, len(grid)):
        if held[k] and not held[k - 1]:
            first = _border(is_held, grid[k], grid[k - 1])
        elif held[k - 1] and not held[k]:
            assert first is not None
            found.append((first, _border(is_held, grid[k - 1], grid[k])))
            first = None
    if first is not None:
        found.append((first, float(grid[-1])))
    return found


def _border(is_held: Callable[[float], bool], near: float, far: float) -> float:
    """Return the last point held between one that is and one that is not."""
    for _ in range(60):
        middle = 0.5 * (near + far)
        near, far = (middle, far) if is_held(middle) else (near, middle)
    return float(near)


def elements(p: Univariate, q: Univariate, low: float, high: float) -> Array:
    """Return the first elements of an interval: even over each bump, growing in the tails."""
    fixed = {low, high, *(x for law in (p, q) for x in _breaks(law) if low < x < high)}
    points = set()
    for law in (p, q):
        for centre, width in law.centers:
            far = max(abs(low - centre), abs(high - centre)) / width
            count = max(0, math.ceil(math.log(max(far / EVEN[-1], 1.0)) / math.log(GROWTH)))
            grid = np.concatenate([EVEN, EVEN[-1] * GROWTH ** np.arange(1, count + 1)])
            points |= {centre + side * width * x for x in grid for side in (-1, 1)}
    fixed |= {x for end in fixed for x in _graded(p, q, end, low, high)}
    inner = sorted(x for x in points if low < x < high)
    kept = _thinned(sorted(fixed), inner)
    if len(kept) > WIDEST:
        kept = np.unique(np.concatenate([sorted(fixed), kept[:: len(kept) // WIDEST + 1]]))
    return _levelled(p, q, kept)


def _levelled(p: Univariate, q: Univariate, edges: Array) -> Array:
    """Halve elements until no density changes by more than polynomials of their degree follow."""
    for _ in range(HALVINGS):
        logs = [np.maximum(law.logpdf(edges), 1.2 * FAINT) for law in (p, q)]
        steep = np.any([np.abs(np.diff(one)) > RISE for one in logs], axis=0)
        steep &= np.diff(edges) > 1e-12 * np.abs(edges[1:])
        if not steep.any() or len(edges) > 4 * WIDEST:
            break
        edges = np.sort(np.concatenate([edges, (0.5 * (edges[:-1] + edges[1:]))[steep]]))
    return edges


def _breaks(law: Univariate) -> set[float]:
    """Return where a density may end or bend; a smooth bump's centre is no such place."""
    ends = {end for piece in law.pieces for end in piece if math.isfinite(end)}
    return ends | set(law.kinks)


def _graded(p: Univariate, q: Univariate, end: float, low: float, high: float) -> set[float]:
    """Return points that crowd towards a place where a density is infinite."""
    found: set[float] = set()
    for side in (-1, 1):
        far = high if side > 0 else low
        if end == far:
            continue
        size = min(abs(far - end), min(width for law in (p, q) for _, width in law.centers))
        near = [np.array([end + side * size * step for step in (1e-9, 1e-6)])]
        values = [law.logpdf(near[0]) for law in (p, q)]
        if any(np.all(np.isfinite(v)) and v[0] - v[1] > STEEP for v in values):
            finest = max(1e-13 * abs(end), size * 4.0**-GRADES)
            steps = size * 4.0 ** -np.arange(GRADES)
            found |= {end + side * step for step in steps if step > finest}
    return {x for x in found if low < x < high}


def _thinned(fixed: list[float], inner: list[float]) -> Array:
    """Return fixed points, and of the others those that do not crowd."""
    found = [fixed[0]]
    everything = sorted({*fixed, *inner})
    kept = set(fixed)
    gaps = np.diff(everything)
    for k, x in enumerate(everything[1:], 1):
        local = float(np.median(gaps[max(0, k - 4) : k + 4]))
        if x in kept:
            if len(found) > 1 and found[-1] not in kept and x - found[-1] < CLOSEST * local:
                found.pop()
            found.append(x)
        elif x - found[-1] >= max(CLOSEST, 0.5) * local:
            found.append(x)
    return np.array(found)


def mass_outside(law: Univariate, pieces: list[tuple[float, float]]) -> float:
    """Return the mass of a law outside of some intervals."""
    inside = 0.0
    for low, high in pieces:
        below, above = Points.at(np.array([low, high])), Points.at(np.array([low, high]))
        if float(law.cdf(low)) > 0.5:
            inside += float(law.above(above)[0] - law.above(above)[1])
        else:
            inside += float(law.below(below)[1] - law.below(below)[0])
    return max(0.0, 1.0 - inside)
