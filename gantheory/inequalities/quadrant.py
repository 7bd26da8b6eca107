r"""The sign of a polynomial in two positive variables, by exact cylindrical decomposition.

A polynomial changes sign on the open quadrant a, b > 0 only across its zeros. Above every interval
of a that holds no zero of its discriminant in b, of its leading coefficient or of its value at
b = 0, its zeros in b are separate graphs, so that one rational a of each interval tells all signs
(G. Collins, 1975; only cells of full dimension are needed for a sign that may vanish:
A. Strzeboński, 2000, "Solving systems of strict polynomial inequalities").
"""

from __future__ import annotations

from typing import Any

from flint import fmpq, fmpz_poly

from gantheory.deadline import Undecided
from gantheory.exact.signs.logforms import positive_roots
from gantheory.exact.signs.rationals import simplest

LARGEST_PROJECTION = 300  # degree of a projection whose roots are still isolated


def sign_on_quadrant(poly: Any, kept: str, projected: str) -> int | None:
    """Return 1 or -1 where a polynomial has that sign (or is 0) for all positive values, else None.

    Args:
        poly: squarefree, in the two variables of those names.
        kept: the variable that stays.
        projected: the variable that is eliminated.

    >>> from flint import fmpz_mpoly_ctx
    >>> a, b = fmpz_mpoly_ctx.get(("a", "b"), "lex").gens()
    >>> sign_on_quadrant(a**2 - 2 * a * b + 2 * b**2, "a", "b")
    1
    >>> sign_on_quadrant(a - b, "a", "b") is None
    True
    """
    signs: set[int] = set()
    for sample in _samples(poly, kept, projected):
        signs |= _signs_above(poly, kept, projected, sample)
        if len(signs) > 1:
            return None
    (sign,) = signs
    return sign


def _samples(poly: Any, kept: str, projected: str) -> list[fmpq]:
    """Return one rational value of the kept variable between any two critical ones."""
    ends = [(low, high) for one in _projections(poly, kept, projected) for low, high in one]
    ends.sort(key=lambda pair: pair[0])
    samples, last = [], fmpq(0)
    for low, high in ends:
        if low > last:
            samples.append(simplest(last, low))
        last = max(last, high)
    return [*samples, last + 1]


def _projections(poly: Any, kept: str, projected: str) -> list[list[tuple[fmpq, fmpq]]]:
    coefficients = _in(poly, kept, projected)
    parts = [coefficients[0], coefficients[-1]]
    if len(coefficients) > 2:
        parts.append(_univariate(poly.discriminant(projected), kept))
    return [_roots(part) for part in parts]


def _roots(poly: fmpz_poly) -> list[tuple[fmpq, fmpq]]:
    if poly.degree() > LARGEST_PROJECTION:
        raise Undecided(f"a projection of degree {poly.degree()}")
    _, factors = poly.factor()
    return [(low, high) for one, _ in factors for low, high, _ in positive_roots(one)]


def _signs_above(poly: Any, kept: str, projected: str, sample: fmpq) -> set[int]:
    """Return the signs that a polynomial takes above one value of the kept variable."""
    degree = max(one.degree() for one in _in(poly, kept, projected))
    values = [
        one(sample) * sample.denominator**degree if one != 0 else fmpq(0)
        for one in _in(poly, kept, projected)
    ]
    line = fmpz_poly([int(value.p) for value in values])
    roots = positive_roots(line)
    ends = [fmpq(0), *(end for low, high, _ in roots for end in (low, high))]
    places = [simplest(a, b) for a, b in zip(ends[::2], ends[1::2], strict=False)]
    return {1 if line(place) > 0 else -1 for place in [*places, ends[-1] + 1]}


def _in(poly: Any, kept: str, projected: str) -> list[fmpz_poly]:
    """Return the coefficients in the projected variable, lowest first, as polynomials."""
    names = [str(name) for name in poly.context().names()]
    i, j = names.index(kept), names.index(projected)
    rows: dict[int, dict[int, int]] = {}
    for powers, value in poly.to_dict().items():
        row = rows.setdefault(int(powers[j]), {})
        row[int(powers[i])] = row.get(int(powers[i]), 0) + int(value)
    return [_dense(rows.get(k, {})) for k in range(max(rows) + 1)]


def _univariate(poly: Any, kept: str) -> fmpz_poly:
    names = [str(name) for name in poly.context().names()]
    i = names.index(kept)
    return _dense({int(powers[i]): int(value) for powers, value in poly.to_dict().items()})


def _dense(row: dict[int, int]) -> fmpz_poly:
    return fmpz_poly([row.get(k, 0) for k in range(max(row, default=0) + 1)])
