"""The pictures of the report on the original GAN, each with words for who cannot see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gantheory.errors import GantheoryError
from gantheory.losses.classic import CLASSIC
from gantheory.report.svg import Picture

if TYPE_CHECKING:
    from gantheory.integrals.curves import Vanishing

POINTS = 101  # one every tenth of the distance: no corner is seen at the page's width


def original_gan() -> tuple[Picture, ...]:
    """Return the survey figure, recomputed by integration, and the two classic losses.

    The survey figure is left out where a loss has no theory to draw; its checks say why.
    """
    try:
        return survey(), _losses()
    except GantheoryError:
        return (_losses(),)


def survey() -> Picture:
    """Return divergences and gradients against the distance of two unit normals."""
    import numpy as np

    from gantheory.integrals.curves import Target, curves, find_family, vanishing
    from gantheory.report.plots import plot_curves

    family = find_family("distance")
    targets = [Target.of("jsd"), *(Target.followed_by(loss.name) for loss in CLASSIC)]
    d = np.linspace(*family.range, POINTS)
    marks = [vanishing(target, family) for target in targets]
    figure = plot_curves(d, curves(targets, family, d), axis=family.axis, marks=marks)
    return Picture(
        "What the generators follow as the two laws move apart",
        figure,
        f"P = {family.p}, Q = {family.q}; found by quadrature, without training. Above: the "
        "divergence that each generator follows. Below: its derivative, the gradient that the "
        "generator gets.",
        " ".join(_sentence(mark) for mark in marks),
    )


def _sentence(mark: Vanishing) -> str:
    name, peak = mark.target.title or mark.target.label, f"{mark.peak_gradient:.4g}"
    largest = f"The gradient of {name} is largest, {peak}, at d = {mark.peak:.4g}"
    if mark.falls_at is None:
        return f"{largest}, and does not fall to {mark.fraction:.0%} of that in this range."
    return f"{largest}, and has fallen to {mark.fraction:.0%} of that at d = {mark.falls_at:.4g}."


def _losses() -> Picture:
    """Return log(1 − D) and −log D with their slopes in D and in the logit."""
    from gantheory.report.plots import plot_losses

    return Picture(
        "The two classic losses of the generator",
        plot_losses(),
        "Where D is sure that a sample is fake, log(1 − D) has a slope in D, but in the logit, "
        "which the network outputs and through which the gradient flows, its slope vanishes.",
    )
