"""Modes covered, share of high quality, and mass per mode, by the published protocol.

A sample is of high quality within three standard deviations of its nearest mode, and a mode is
covered when one such sample is nearest to it (Lin et al., 2018, arXiv:1712.04086, after Srivastava
et al., 2017). A perfect sampler scores 1 − e^(−9/2) = 98.889 % in the plane, not 100 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gantheory.errors import GantheoryError
from gantheory.records import Estimate
from simulations.compare import ERROR_PROBABILITY, proportion
from simulations.data import Modes

Array = NDArray[np.float64]
RADIUS = 3.0  # standard deviations
CEILING = 1 - math.exp(-(RADIUS**2) / 2)  # of the share of high quality, in the plane
SAMPLES = 2500  # of the published protocol


@dataclass(frozen=True)
class Coverage:
    """How one set of samples covers a mixture's modes.

    Attributes:
        modes: how many of ``total`` are covered.
        quality: the share of high quality, with its exact binomial interval; undetermined where no
            sample is a number, and with a warning where some are not (they count as poor).
        masses: the share of the samples of high quality that each mode got.
        reverse_kl: Σ m log(m K) over those shares m, K = ``total``, in nats; nan without any.
    """

    modes: int
    total: int
    quality: Estimate
    masses: tuple[float, ...]
    reverse_kl: float

    @property
    def floor(self) -> float:
        """The least reverse KL that this many covered modes allow: log(K/k)."""
        return math.log(self.total / self.modes) if self.modes else math.inf


def coverage(points: Array, law: Modes, error_probability: float = ERROR_PROBABILITY) -> Coverage:
    """Return how ``points`` of shape (n, 2) cover the modes of ``law``.

    >>> from simulations.data import ring
    >>> law = ring(4)
    >>> coverage(np.array(law.centres[:2]), law).floor == math.log(2)
    True
    """
    from scipy.spatial import KDTree

    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise GantheoryError(f"points of shape {points.shape}; give (n, 2) with n of at least 1")
    finite = np.asarray(np.isfinite(points).all(axis=1))
    distance, nearest = KDTree(np.array(law.centres)).query(np.where(finite[:, None], points, 1e9))
    good = finite & (distance <= RADIUS * law.scale)
    counts = np.bincount(nearest[good], minlength=len(law.centres))
    masses = counts / max(counts.sum(), 1)
    held = masses[masses > 0]
    kl = float((held * np.log(held * len(masses))).sum()) if held.size else math.nan
    quality = _quality(int(good.sum()), finite, error_probability)
    return Coverage(int((counts > 0).sum()), len(masses), quality, tuple(masses.tolist()), kl)


def _quality(good: int, finite: NDArray[np.bool_], error_probability: float) -> Estimate:
    lost = int((~finite).sum())
    if lost == len(finite):
        return Estimate.undetermined(
            f"none of {lost} samples is finite: the generator left the numbers; lower its rate",
            "count, Clopper-Pearson",
        )
    share = proportion(good, len(finite), error_probability)
    warning = f"{lost} of {len(finite)} samples are not finite, and count as poor"
    return replace(share, warnings=(warning,)) if lost else share
