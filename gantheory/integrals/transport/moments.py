"""Whether a Wasserstein distance is infinite: decided by the tails, before any quadrature."""

from __future__ import annotations

import math

from gantheory.densities.univariate import Univariate
from gantheory.integrals.transport.gaps import Coupling
from gantheory.records import Estimate

NO_SETTLING = "the integral of W1 does not converge; its tails decay too slowly"


def without_mean(p: Univariate, q: Univariate, coupling: Coupling | None) -> Estimate | None:
    """Decide whether W1 is infinite; a pure shift costs its distance whatever the tails."""
    if coupling and not coupling.slope:
        return None
    return infinite_moment(1, p, q, coupling)


def infinite_moment(
    order: int, p: Univariate, q: Univariate, coupling: Coupling | None
) -> Estimate | None:
    """Decide by the tails whether E abs(X − Y)^order is infinite, or None where it is finite."""
    name, lacking = f"W{order}", {1: "mean", 2: "second moment"}[order]
    for end, side in ((-math.inf, +1), (math.inf, -1)):
        tails = [d.tail(end, side) for d in (p, q) if d.support[side < 0] == end]
        if any(tail is None for tail in tails):
            return Estimate.undetermined(
                f"a tail at {end:g} is not known, so {name} may be infinite; state the tails"
            )
        heavy = [t.log for t in tails if t and t.is_algebraic]
        without = [power for power in heavy if power >= -1 - order]
        if not without:
            continue
        if len(without) == 2 and without[0] == without[1] and coupling is None:
            return Estimate.undetermined(
                f"p and q both lack a {lacking} toward {end:g}, with the same order of decay; "
                "whether their tails cancel is not decided"
            )
        return Estimate.infinite(
            f"no {lacking}: a density falls like abs(x)^{float(max(without)):g} at {end:g}"
        )
    return None
