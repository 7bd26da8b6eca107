r"""W1 and W2 of radial laws and of products, by those of the laws on the line they are made of.

Of radial laws about one place they are those of the radii: no plan costs less, since
:math:`\bigl|\|x\| - \|y\|\bigr| \le \|x - y\|`, and moving every point along its own ray costs as
much. Of products :math:`W_2^2` is the sum over the coordinates, and where all but one are alike W1
is that of this one.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from gantheory.densities import Density
from gantheory.densities.inherited import of_family
from gantheory.densities.spread import Product, Radial, of_radius
from gantheory.errors import GantheoryError
from gantheory.records import Estimate, Status
from gantheory.rounding import EPS

METHOD = "coordinate by coordinate"


def from_lines(
    line: Callable[..., Estimate], order: int, p: Density, q: Density, wrt: str | None
) -> Estimate | None:
    """Return W1 or W2, where it is made of those on the line, which ``line`` gives; else None."""
    if p.dim != q.dim:
        return None
    if of_family(p, Radial) and of_family(q, Radial) and p.loc == q.loc:
        return line(p.radius, q.radius, of_radius(wrt))
    if not (of_family(p, Product) and of_family(q, Product)):
        return None
    if wrt is not None:
        raise GantheoryError(f"wrt={wrt!r}: of products only the value of w{order} is known")
    pairs = [(a, b) for a, b in zip(p.laws, q.laws, strict=True) if a != b]
    if len(pairs) <= 1:
        return line(*pairs[0], None) if pairs else Estimate(0.0, method=METHOD)
    return _added([line(*pair, None) for pair in pairs]) if order == 2 else None


def _added(parts: list[Estimate]) -> Estimate:
    """Return the root of a sum of squares."""
    for status in (Status.INFINITE, Status.UNDETERMINED):
        if (found := next((part for part in parts if part.status is status), None)) is not None:
            return found
    value = math.hypot(*(part.value for part in parts))
    error = math.hypot(*(part.error for part in parts)) + 4 * EPS * value  # Minkowski
    return Estimate.of_sum(value, error, METHOD, "an error of a coordinate is large")
