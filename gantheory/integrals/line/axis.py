"""The axis on which two laws are compared: moving both alike changes no divergence and no W1.

An image loc + scale·X far from 0 has its centres and ends rounded to the spacing of binary64
numbers there, which may be wider than the law itself. Both laws of a pair are moved to where that
costs the least, by an exact difference; their parameters keep their meaning, under other names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from gantheory.densities.images import Affine, Restrict
from gantheory.densities.mixtures import Mixture
from gantheory.densities.univariate import Univariate

GAIN = 0.5  # the share of what rounding displaces that must go for a move to be worth it
FREE = 2.0**-52  # of a width: a displacement that costs no more than any other rounding


def on_one_axis(
    p: Univariate, q: Univariate, names: set[str]
) -> tuple[Univariate, Univariate, dict[str, str]]:
    """Return both laws where rounding displaces them least, and there the ``names`` of q's scores.

    Where a name has no equal there, both stay where they are.
    """
    best, least = (p, q), displaced(p) + displaced(q)
    if least > FREE:
        for place in sorted({*_places(p), *_places(q)}):
            there = (moved(p, place), moved(q, place))
            size = sum(displaced(law) if law else 1 / FREE for law in there)
            if there[0] and there[1] and size < GAIN * least:
                best, least = (there[0], there[1]), size
    known = {name: renamed(q, name) if best[1] is not q else name for name in names}
    kept = {name: own for name, own in known.items() if own is not None}
    return (*best, kept) if len(kept) == len(names) else (p, q, {name: name for name in names})


def displaced(law: Univariate) -> float:
    """Return how far rounding moves a law's anchors, as a share of its narrowest width."""
    return law.misplaced / min(width for _, width in law.centers) if law.misplaced else 0.0


def _places(law: Univariate) -> Iterator[float]:
    """Return where the images within a law lie."""
    if isinstance(law, Affine):
        yield law.loc
    for part in _parts(law):
        yield from _places(part)


def _parts(law: Univariate) -> tuple[Univariate, ...]:
    if isinstance(law, Mixture):
        return law.components
    return (law.base,) if isinstance(law, Restrict) else ()


def moved(law: Univariate, by: float) -> Univariate | None:
    """Return the law of X − by, or None where a number of its own would have to be rounded."""
    if isinstance(law, Affine):
        return _with(law, loc=_less(law.loc, by))
    if isinstance(law, Restrict):
        return _with(law, base=moved(law.base, by), a=_less(law.a, by), b=_less(law.b, by))
    if isinstance(law, Mixture):
        parts = tuple(moved(part, by) for part in law.components)
        return _with(law, components=None if None in parts else parts)
    return Affine(law, -by, 1.0)


def _less(x: float, by: float) -> float | None:
    """Return x − by where that is exact."""
    return x - by if abs(x) == float("inf") or Fraction(x) - Fraction(by) == x - by else None


def _with(law: Univariate, **changes: object) -> Univariate | None:
    return None if None in changes.values() else replace(law, **changes)  # type: ignore[type-var]


def renamed(law: Univariate, name: str) -> str | None:
    """Return the name of a parameter of a law in `moved`, or None where it has none.

    The ``scale`` of what has none of its own stretches it about 0, which is moved too.
    """
    if isinstance(law, Affine):
        return name
    if isinstance(law, Restrict):
        inner = name.removeprefix("base.")
        own = renamed(law.base, inner) if inner != name else None
        return f"base.{own}" if own else name if name in ("a", "b", "loc") else None
    if isinstance(law, Mixture):
        if match := re.fullmatch(r"components\[(\d+)\]\.(.+)", name):
            own = renamed(law.components[int(match[1])], match[2])
            return f"components[{match[1]}].{own}" if own else None
        return name if name != "scale" else None
    return f"base.{name}"
