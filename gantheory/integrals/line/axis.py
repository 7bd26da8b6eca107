"""The axis on which two laws are compared: moving both alike changes no divergence and no W1.

An image loc + scale·X far from 0 has its centres and ends rounded to the spacing of binary64
numbers there, which may be wider than the law itself. Both laws of a pair are moved to where that
costs the least, by an exact difference; their parameters keep their meaning, under other names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from gantheory.densities.images import AffineImage
from gantheory.densities.inherited import of_family
from gantheory.densities.mixtures import Mixture
from gantheory.densities.restricted import Restrict
from gantheory.densities.univariate import Univariate
from gantheory.rounding import EPS

GAIN = 0.5  # the share of what rounding displaces that must go for a move to be worth it
FREE = EPS  # of a width: a displacement that costs no more than any other rounding
NARROW = 0.25  # of a width: a law displaced by more may lie between all that is looked at


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
            size = sum(map(displaced, there))
            if size < GAIN * least:
                best, least = there, size
    known = {name: renamed(q, best[1], name) for name in names}
    kept = {name: own for name, own in known.items() if own is not None}
    return (*best, kept) if len(kept) == len(names) else (p, q, {name: name for name in names})


def displaced(law: Univariate) -> float:
    """Return how far rounding moves a law's anchors, as a share of its narrowest width."""
    if of_family(law, Mixture):
        return max(map(displaced, law.components))
    return law.misplaced / min(width for _, width in law.centers) if law.misplaced else 0.0


def is_too_narrow(law: Univariate) -> bool:
    """Whether rounding moves a law, or a component, by so much that it may not be seen."""
    return displaced(law) > NARROW


def _places(law: Univariate) -> Iterator[float]:
    """Return where the images within a law lie."""
    if of_family(law, AffineImage):
        yield law.loc
    parts = law.components if of_family(law, Mixture) else ()
    for part in (law.base,) if of_family(law, Restrict) else parts:
        yield from _places(part)


def moved(law: Univariate, by: float) -> Univariate:
    """Return the law of X − by: with numbers of its own where they are exact, or as an image."""
    if of_family(law, Mixture):
        return replace(law, components=tuple(moved(part, by) for part in law.components))
    if of_family(law, AffineImage) and _is_exact(law.loc, by):
        return replace(law, loc=law.loc - by)
    if of_family(law, Restrict) and _is_exact(law.a, by) and _is_exact(law.b, by):
        return replace(law, base=moved(law.base, by), a=law.a - by, b=law.b - by)
    return AffineImage(law, -by, 1.0)


def _is_exact(x: float, by: float) -> bool:
    return math.isinf(x) or Fraction(x) - Fraction(by) == Fraction(x - by)


def renamed(law: Univariate, there: Univariate, name: str) -> str | None:
    """Return the name of a parameter of a law in the moved one, or None where it has none.

    The ``scale`` of what has none of its own stretches it about 0, which is moved too.
    """
    if there is law:
        return name
    if of_family(there, AffineImage):
        return f"base.{name}" if there.base is law else name
    if of_family(law, Restrict) and of_family(there, Restrict):
        inner = name.removeprefix("base.")
        own = renamed(law.base, there.base, inner) if inner != name else None
        return f"base.{own}" if own else name if name in ("a", "b", "loc") else None
    match = re.fullmatch(r"components\[(\d+)\]\.(.+)", name)
    if match and of_family(law, Mixture) and of_family(there, Mixture):
        k = int(match[1])
        own = renamed(law.components[k], there.components[k], match[2])
        return f"components[{k}].{own}" if own else None
    return name if name != "scale" else None
