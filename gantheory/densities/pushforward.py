"""The law of x = G(z), of a formula and of a latent law that may be text."""

from __future__ import annotations

from gantheory.densities.base import Density
from gantheory.densities.mapped import Pushforward, image_of
from gantheory.densities.text import parse_density


def pushforward(formula: str, latent: Density | str = "normal(0, 1)") -> Pushforward:
    """Return the law of x = G(z).

    Args:
        formula: G as text in ``z``, such as ``"z + 2*tanh(3*z)"``.
        latent: the law of z, on the line and with quantiles.

    Raises:
        GantheoryError: for a malformed formula, a latent law without quantiles, a G that is
            infinite where z has mass, or one that is constant on an interval (an atom).

    >>> square = pushforward("z**2")
    >>> round(float(square.pdf(1.0)), 12)  # chi-squared with one degree of freedom
    0.241970724519
    """
    return image_of(formula, parse_density(latent))
