"""The pairs of one-dimensional densities on which theory and training meet."""

from __future__ import annotations

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
