"""A law of masses against a density: mutually singular, so f(0) + f'(∞) whatever the two are.

The masses lie on a null set of the density, so P and Q share nothing, as laws on disjoint supports
do (Liese, Vajda 2006, IEEE Trans. Inf. Theory 52(10), section II).
"""

from __future__ import annotations

from dataclasses import replace

from gantheory.densities import Density
from gantheory.densities.bounded import Uniform
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError
from gantheory.integrals.counting.sums import has_masses
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.integrals.line.estimates import sweep_line
from gantheory.records import Estimate

METHOD = "mutually singular laws"
APART = Uniform(0.0, 1.0), Uniform(2.0, 3.0)  # any two laws on disjoint supports give the value


def are_singular(p: Density, q: Density) -> bool:
    """Whether one law has masses on numbers and the other a density on the line."""
    laws = {has_masses(law): law for law in (p, q)}
    return len(laws) == 2 and isinstance(laws[False], Univariate)


def divergence_of_singular_laws(
    kernel: Kernel, p: Density, q: Density, wrt: str | None
) -> Estimate:
    """Return f(0) + f'(∞), which may be infinite.

    Raises:
        GantheoryError: for a derivative, and for a law that is not known to have mass 1.
    """
    if wrt is not None:
        raise GantheoryError(
            f"wrt={wrt!r}: {kernel.name} of masses against a density is one number whatever their "
            "parameters, so it has no gradient to follow; leave wrt out"
        )
    for law in (p, q):
        if not getattr(law, "normalised", True):
            raise GantheoryError(f"{law} is not known to have mass 1, as it must have here")
    masses, density = (p, q) if has_masses(p) else (q, p)
    found = sweep_line({kernel.name: kernel}, *APART, [None])[kernel.name, None]
    return replace(found, method=METHOD, reason=f"{masses} has masses, {density} a density")
