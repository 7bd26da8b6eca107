"""All zeros of a field in a box, each proved to exist and to be the only one near it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp
from flint import arb, arb_mat

from gantheory.deadline import OutOfTime, check_time
from gantheory.dynamics.balls import enclose_on_box

BOXES = 20_000  # examined before the search gives up: some seconds for two variables
SMALLEST = 2.0**-14  # a box as small as this that nothing decides is reported as undecided
TIGHT = 1e-9  # relative width of the enclosure of a zero
MARGIN = 0.1  # of a box on each side, so that a zero on the edge of two boxes is inside one

Vector = list[arb]


@dataclass(frozen=True)
class Search:
    """What a box was found to contain.

    Attributes:
        zeros: disjoint enclosures, each of exactly one zero, at which the Jacobian is regular.
        unresolved: boxes that may hold further zeros: where the Jacobian is singular, where the
            field jumps, or where the search gave up.
    """

    zeros: tuple[Vector, ...]
    unresolved: tuple[Vector, ...]


@dataclass(frozen=True)
class System:
    """A field and its Jacobian, to be enclosed over boxes."""

    variables: Sequence[sp.Symbol]
    field: Sequence[sp.Expr]
    jacobian: sp.Matrix
    jumps: Sequence[sp.Expr]  # arguments whose zeros are kinks or jumps of the field

    def values(self, box: Vector) -> Vector:
        """Return the enclosure of the field."""
        known, seen = self._named(box), dict[sp.Expr, arb]()
        return [enclose_on_box(entry, known, seen) for entry in self.field]

    def slopes(self, box: Vector) -> arb_mat | None:
        """Return the enclosure of the Jacobian; None where the field is not smooth or unknown."""
        known, seen = self._named(box), dict[sp.Expr, arb]()
        if any(enclose_on_box(jump, known, seen).contains(0) for jump in self.jumps):
            return None
        n = len(self.variables)
        entries = [enclose_on_box(entry, known, seen) for entry in self.jacobian]
        return arb_mat(n, n, entries) if all(e.is_finite() for e in entries) else None

    def _named(self, box: Vector) -> Mapping[sp.Symbol, arb]:
        return dict(zip(self.variables, box, strict=True))


def search(system: System, start: Vector, budget: int = BOXES) -> Search:
    r"""Find all zeros in a box by bisection and Krawczyk's operator.

    For a box X with middle m and any matrix Y near the inverse Jacobian,
    :math:`K(X) = m - Y v(m) + (1 - Y J(X))(X - m)` holds every zero in X: none if it does not
    meet X, and exactly one if it lies inside X. Krawczyk (1969); Moore (1977).
    """
    waiting, zeros, unresolved = deque([start]), list[tuple[Vector, Vector]](), list[Vector]()
    for _ in range(budget):
        if not waiting:
            break
        box = waiting[0]
        try:
            check_time()
            decided = _decided(system, box, start, zeros, unresolved)
        except OutOfTime:
            break
        waiting.popleft()
        if not decided and _radius(box) < SMALLEST:
            unresolved.append(box)
        elif not decided:
            waiting.extend(_halves(box))
    return Search(tuple(zero for zero, _ in zeros), (*unresolved, *waiting))


def _decided(
    system: System,
    box: Vector,
    start: Vector,
    zeros: list[tuple[Vector, Vector]],
    unresolved: list[Vector],
) -> bool:
    """Whether nothing in ``box`` is left to be found; a zero found is added to ``zeros``."""
    if any(_inside(box, unique) for _, unique in zeros) or _excluded(system, box):
        return True
    found = _zero_near(system, box)
    if found is None:
        return False
    if not any(_inside(found[0], unique) for _, unique in zeros):
        if _inside(found[0], start):
            zeros.append(found)
        elif meets(found[0], start):
            unresolved.append(found[0])
    return _inside(box, found[1])


def _excluded(system: System, box: Vector) -> bool:
    """Whether the field, or its mean-value form, vanishes nowhere in the box."""
    if any(not value.contains(0) for value in system.values(box)):
        return True
    slopes = system.slopes(box)
    if slopes is None:
        return False
    middle = [side.mid() for side in box]
    offset = _column([side - m for side, m in zip(box, middle, strict=True)])
    form = _column(system.values(middle)) + slopes * offset
    return any(not entry.contains(0) for entry in form.entries())


def _zero_near(system: System, box: Vector) -> tuple[Vector, Vector] | None:
    """A tight enclosure of the only zero in a slightly larger box, and that box; or None."""
    wide = [side + arb(0, MARGIN) * side.rad() for side in box]
    image = _krawczyk(system, wide)
    if image is None or not all(w.contains_interior(k) for w, k in zip(wide, image, strict=True)):
        return None
    tight, radius = image, np.inf
    while _radius(tight) < radius / 2 and image is not None:
        radius, image = _radius(tight), _krawczyk(system, tight)
        if image is not None:
            tight = [t.intersection(k) for t, k in zip(tight, image, strict=True)]
    return (tight, wide) if _radius(tight) < TIGHT * (1 + _size(tight)) else None


def _radius(box: Vector) -> float:
    return max(float(side.rad()) for side in box)


def _size(box: Vector) -> float:
    return max(float(side.abs_upper()) for side in box)


def _krawczyk(system: System, box: Vector) -> Vector | None:
    slopes = system.slopes(box)
    if slopes is None:
        return None
    n, middle = len(box), [side.mid() for side in box]
    centre = np.array([[float(slopes[i, j].mid()) for j in range(n)] for i in range(n)])
    try:
        inverse = np.linalg.inv(centre)
    except np.linalg.LinAlgError:
        return None
    if not np.isfinite(inverse).all():
        return None
    guess = arb_mat(n, n, [arb(float(e)) for e in inverse.ravel()])
    one = arb_mat(n, n, [arb(int(i == j)) for i in range(n) for j in range(n)])
    offset = _column([side - m for side, m in zip(box, middle, strict=True)])
    values = _column(system.values(middle))
    image = _column(middle) - guess * values + (one - guess * slopes) * offset
    entries: Vector = image.entries()
    return entries if all(e.is_finite() for e in entries) else None


def _column(entries: Vector) -> arb_mat:
    return arb_mat(len(entries), 1, entries)


def _inside(box: Vector, other: Vector) -> bool:
    return all(o.contains(b) for b, o in zip(box, other, strict=True))


def _halves(box: Vector) -> Iterator[Vector]:
    """Cut the longest side, a long positive one at its geometric mean."""
    k = max(range(len(box)), key=lambda i: _length(box[i]))
    low, high = float(box[k].lower()), float(box[k].upper())
    cut = (low * high) ** 0.5 if 0 < 4 * low < high else (low + high) / 2
    for left, right in ((box[k].lower(), arb(cut)), (arb(cut), box[k].upper())):
        yield [left.union(right) if i == k else side for i, side in enumerate(box)]


def _length(side: arb) -> float:
    low, high = float(side.lower()), float(side.upper())
    return np.log(high / low) if 0 < 4 * low < high else high - low


def clusters(boxes: Sequence[Vector]) -> list[Vector]:
    """Join boxes that touch into their hulls."""
    hulls: list[Vector] = []
    for box in boxes:
        near = [h for h in hulls if meets(h, box)]
        for hull in near:
            hulls.remove(hull)
            box = [a.union(b) for a, b in zip(hull, box, strict=True)]
        hulls.append(box)
    return hulls


def meets(box: Vector, other: Vector) -> bool:
    """Whether two boxes have a point in common."""
    return all(o.overlaps(b) for b, o in zip(box, other, strict=True))
