"""The games, and the pairs of one-dimensional densities, on which theory and training meet."""

from __future__ import annotations

from gantheory.losses import list_losses
from gantheory.losses.loss import Loss
from simulations.theory import bind

# Name -> (p, q). Smooth and of full support, so that every divergence of the original GAN is
# finite; q has a location and a scale, which the generator moves.
PAIRS: dict[str, tuple[str, str]] = {
    "shifted": ("normal(0, 1)", "normal(1.7, 1)"),
    "wider": ("normal(0, 1)", "normal(1, 2)"),
    "narrower": ("normal(0, 1.5)", "normal(0.5, 1)"),
    "two-modes": ("normal_mixture((0.5, 0.5), (-2, 2), (1, 1))", "normal(0, 2)"),
    "logistic": ("logistic(0, 1)", "normal(0.5, 2)"),
    "skewed": ("normal(0, 1)", "gumbel(1, 1)"),
}
# The pair on which the source's claim is decided: P = N(0, 1), Q = N(1.7, 1).
SPINE = "shifted"

# Games with free parameters are played at these: usual label smoothing, the 0-1 coding of least
# squares, orders away from 1 and from each other, rarer reals, an epsilon large enough to matter.
PARAMETERS: dict[str, dict[str, float]] = {
    "one-sided-smoothing": {"a": 0.9},
    "one-sided-smoothing-non-saturating": {"a": 0.9},
    "two-sided-smoothing": {"a": 0.9, "b": 0.1},
    "two-sided-smoothing-non-saturating": {"a": 0.9, "b": 0.1},
    "class-priors": {"prior": 0.3},
    "non-saturating-epsilon": {"eps": 0.01},
    "least-squares": {"a": 0.0, "b": 1.0, "c": 1.0},
    "f-gan-power": {"alpha": 0.5},
    "f-gan-power-alternative": {"alpha": 0.5},
    "energy-based": {"m": 1.0},
    "alpha-gan": {"alpha": 2.0},
    "dual-alpha": {"alpha_D": 0.5, "alpha_G": 2.0},
    "dual-alpha-non-saturating": {"alpha_D": 0.5, "alpha_G": 2.0},
}


def played(name: str) -> Loss:
    """Return the catalogue's game, its free parameters bound to `PARAMETERS`."""
    return bind(name, PARAMETERS.get(name))


def objectives() -> tuple[str, ...]:
    """Return one game for each different discriminator: same payoffs, same D, trained once."""
    return tuple(dict.fromkeys(map(same_discriminator, list_losses())))


def same_discriminator(name: str) -> str:
    """Return the first game of the catalogue whose discriminator plays for the same payoffs.

    >>> same_discriminator("non-saturating")
    'minimax'
    """
    found = played(name)
    same = (found.real, found.fake, found.domain)
    return next(
        other
        for other in list_losses()
        if same == (played(other).real, played(other).fake, played(other).domain)
    )
