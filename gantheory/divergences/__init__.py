r"""The named f-divergences: one entry each, a name and its generator f.

Everything else about a divergence (its curvature f'', f(0), f'(∞), its symmetry) is derived from f,
never stored. Nats throughout. Adding one is one entry in one of these files, or
`gantheory.register` from outside.
"""

from gantheory.divergences.powers import power_name
from gantheory.divergences.record import RATIO, Complement, FDivergence
from gantheory.divergences.table import (
    COMPLEMENTS,
    DIVERGENCES,
    find_among,
    find_divergence,
    in_catalogue,
    named,
    power,
    with_stable,
)

__all__ = [
    "COMPLEMENTS",
    "DIVERGENCES",
    "RATIO",
    "Complement",
    "FDivergence",
    "find_among",
    "find_divergence",
    "in_catalogue",
    "named",
    "power",
    "power_name",
    "with_stable",
]
