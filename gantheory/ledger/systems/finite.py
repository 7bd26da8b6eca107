"""Finite laws with rational masses: their entropies and divergences, exactly."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any, TypeVar

from gantheory.exact.logsums import LogSum, log_of_rational, total

Point = TypeVar("Point", bound=Hashable)
Law = Mapping[Any, Fraction]
TABLE = tuple(product((0, 1), repeat=2))  # the points of a joint law of two numbers, each 0 or 1


def laws_on_points(points: Sequence[Any], parts: int, *, positive: bool = False) -> Iterator[Law]:
    """Yield every law on some points whose masses are multiples of 1/parts.

    >>> len(list(laws_on_points("abc", 4))), len(list(laws_on_points("abc", 4, positive=True)))
    (15, 3)
    """
    least = int(positive)
    for counts in _compositions(len(points), parts, least):
        yield {x: Fraction(n, parts) for x, n in zip(points, counts, strict=True)}


def _compositions(length: int, parts: int, least: int) -> Iterator[tuple[int, ...]]:
    if length == 1:
        yield (parts,)
        return
    for first in range(least, parts - least * (length - 1) + 1):
        for rest in _compositions(length - 1, parts - first, least):
            yield (first, *rest)


def image(law: Law, move: Callable[[Any], Any]) -> Law:
    """Return the law of a function of a draw."""
    found: dict[Any, Fraction] = {}
    for x, mass in law.items():
        found[move(x)] = found.get(move(x), Fraction(0)) + mass
    return found


def marginal(joint: Law, axis: int) -> Law:
    """Return the law of one coordinate."""
    return image(joint, lambda point: point[axis])


def given(joint: Law, axis: int, value: object) -> Law:
    """Return the law of the point given one coordinate, whose value has positive mass."""
    mass = marginal(joint, axis)[value]
    return {x: m / mass for x, m in joint.items() if x[axis] == value}


def expected_log(law: Law, of: Mapping[Any, Fraction]) -> LogSum | None:
    """Return Σ law(x) log of(x); None where it is -∞."""
    used = {x: mass for x, mass in law.items() if mass}
    if any(of[x] == 0 for x in used):
        return None
    return total(mass * log_of_rational(of[x]) for x, mass in used.items())


def entropy(law: Law) -> LogSum:
    """Return H(p) = -Σ p log p."""
    found = expected_log(law, law)
    assert found is not None
    return -found


def kl(p: Law, q: Law) -> LogSum | None:
    """Return KL(p‖q) of laws on the same points; None where it is infinite."""
    cross = expected_log(p, q)
    return None if cross is None else -cross - entropy(p)


def jsd(p: Law, q: Law) -> LogSum:
    """Return the Jensen-Shannon divergence, in nats."""
    middle = {x: (p[x] + q[x]) / 2 for x in p}
    parts = [kl(p, middle), kl(q, middle)]
    return total(part for part in parts if part is not None) * Fraction(1, 2)


def information(joint: Law) -> LogSum:
    """Return the mutual information of the two coordinates: H(x) + H(y) - H(x, y)."""
    return entropy(marginal(joint, 0)) + entropy(marginal(joint, 1)) - entropy(joint)


def law_text(law: Law) -> str:
    """Return a law as text.

    >>> law_text({0: Fraction(1, 3), 1: Fraction(2, 3)})
    '(1/3, 2/3)'
    """
    return f"({', '.join(map(str, law.values()))})"
