"""Expectations over a law on the line by quadrature in x, where samples would not do."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gantheory.densities.base import Density
from gantheory.densities.univariate import Univariate
from gantheory.records import Estimate
from simulations.data import as_density, bulk

Array = NDArray[np.float64]

BEYOND = 1e-15  # the mass that an integral leaves out at each end


def integral(
    density: Density | str,
    function: Callable[[Tensor], Tensor],
    ends: tuple[float, float] | None = None,
) -> Estimate:
    """Return E[function(x)] by scipy's adaptive cubature; ``function`` maps (n, 1) to (n,).

    The range, by default the law's own bulk, is cut to its support. What is left out beyond an end
    inside of the support is estimated by `_beyond` and added to the error.
    """
    from scipy.integrate import cubature

    law = as_density(density)
    own = bulk(law, BEYOND)
    low, high = np.clip(ends or own, *law.support).tolist()

    def integrand(x: Array) -> Array:
        with torch.no_grad():
            values = function(torch.from_numpy(np.ascontiguousarray(x))).numpy()
        density_at = np.asarray(law.pdf(x[:, 0]))
        # Where the density is rounded to 0 the function may be infinite; nothing is there.
        return np.multiply(density_at, values, out=np.zeros_like(density_at), where=density_at > 0)

    cuts = [low, *(x for x in _cuts(law, high - low) if low < x < high), high]
    with np.errstate(invalid="ignore"):  # of infinite values, which are told below
        parts = [cubature(integrand, [a], [b], rtol=1e-9, atol=1e-11) for a, b in pairwise(cuts)]
    value, error = (float(sum(getattr(x, k) for x in parts)) for k in ("estimate", "error"))
    if not math.isfinite(value + error):
        return Estimate.undetermined(
            f"the integrand leaves float64's numbers under {law}; lower the learning rates",
            "quadrature",
        )
    inside = [x for x, end in zip((low, high), law.support, strict=True) if x != end]
    beyond = sum(_beyond(integrand, x, low + (high - low) / 2) for x in inside)
    return Estimate(value, error + beyond + 1e-13)


def _beyond(integrand: Callable[[Array], Array], end: float, centre: float) -> float:
    r"""Bound the integral beyond ``end`` by how the integrand g falls on the way there.

    Over the last half of the way from the centre, of length T, it falls like
    :math:`x^{-\kappa}`; going on so it leaves :math:`T\,|g(T)|/(\kappa - 1)`, to which a tenth is
    added. No less than 2T·abs(g(T)) is stated, and ∞ where g falls too slowly to be integrable.
    """
    half = end - centre
    places = end - half * np.linspace(0.5, 0.0, 6)
    size = np.abs(integrand(places[:, None]))
    last, before = float(size[-1]), float(size[:-1].max())
    if last * abs(half) < 1e-13:  # as small as what is stated anyhow
        return 2 * abs(half) * last
    decay = math.log2(before / last) - 1 if before > 0 else 0.0
    return abs(half) * last * max(2.0, 1.1 / decay if decay > 0 else math.inf)


def _cuts(law: Density, reach: float) -> list[float]:
    """Return where to cut a range: at kinks, and around every bump in steps that grow eightfold.

    An adaptive rule on one wide piece would miss a narrow law, or the middle of a heavy-tailed one.
    """
    assert isinstance(law, Univariate)
    points = set(law.kinks)
    for centre, width in law.centers:
        steps = width * 8.0 ** np.arange(max(2, math.ceil(math.log(reach / width, 8))))
        points |= {centre, *(centre - steps).tolist(), *(centre + steps).tolist()}
    return sorted(points)
