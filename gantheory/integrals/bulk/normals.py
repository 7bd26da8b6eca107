r"""Divergences of normal laws to a few roundings, however close or far the two are.

With δ the difference of the means, w = (σ_p² − σ_q²)/σ_q² and w − log(1 + w) summed without
cancellation,

.. math:: \mathrm{KL} = \tfrac12 [w - \log(1 + w) + (\delta/\sigma_q)^2],\qquad
   \log\!\int p^\alpha q^{1-\alpha} = \tfrac12 [(1-\alpha)\log(1+w) - \log(1 + (1-\alpha)w)]
   - \frac{\alpha(1-\alpha)\,(\delta/\sigma_q)^2}{2(1 + (1-\alpha)w)}.

Arrays broadcast; the errors are those of rounding, the parameters taken as the numbers they are.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy import special

from gantheory.densities.base import Array, Density
from gantheory.densities.gammas import excess
from gantheory.densities.inherited import of_family
from gantheory.densities.normal import Normal
from gantheory.divergences import FDivergence, find_divergence
from gantheory.integrals.line.estimates import CAREFUL
from gantheory.integrals.line.inputs import input_noise
from gantheory.records import Estimate
from gantheory.rounding import EPS

ROUNDINGS = 32 * EPS  # of a sum of two positive terms, each of which has a few
BRINK = 1e-6  # of 1 + (1 − α)w against its terms: nearer to infinity digits are lost
CHUNK = 4096  # pairs at once: a formula's arrays then stay in a core's own cache
Answer = tuple[
    Array, Array
]  # values, and bounds on their errors; nan where another route is needed


@dataclass(frozen=True)
class NormalPairs:
    """Two normal laws, or arrays of them."""

    loc: Array
    scale: Array
    other_loc: Array
    other_scale: Array

    @property
    def exchanged(self) -> NormalPairs:
        """The pair with p and q exchanged."""
        return NormalPairs(self.other_loc, self.other_scale, self.loc, self.scale)

    @property
    def shift(self) -> Array:
        """The difference of the means in units of q's width."""
        return (self.loc - self.other_loc) / self.other_scale

    @property
    def wider(self) -> Array:
        """(σ_p² − σ_q²)/σ_q², to a few roundings."""
        s, k = self.scale, self.other_scale
        return ((s - k) / k) * ((s + k) / k)

    @property
    def log_wider(self) -> Array:
        """log(σ_p²/σ_q²), which is accurate where the two are not close."""
        return np.asarray(2 * np.log(self.scale / self.other_scale))


def _kl(pair: NormalPairs) -> Answer:
    value = 0.5 * (excess(pair.wider, pair.log_wider) + pair.shift**2)
    return value, ROUNDINGS * value


def _jeffreys(pair: NormalPairs) -> Answer:
    s, k = pair.scale, pair.other_scale
    widths = ((s - k) / s) * ((s + k) / k)
    value = 0.5 * (widths**2 + pair.shift**2 + pair.exchanged.shift**2)
    return value, ROUNDINGS * value


def _log_affinity(pair: NormalPairs, order: float) -> Answer:
    rest, w = 1 - order, pair.wider
    spread = 1 + rest * w
    one, other = excess(rest * w, np.log(spread)), rest * excess(w, pair.log_wider)
    far = order * rest * pair.shift**2 / (2 * spread)
    size = 0.5 * (np.abs(one) + np.abs(other)) + np.abs(far)
    condition = (1 + np.abs(rest * w)) / spread  # what the rounding of w does to the spread
    log = np.where(condition < -1 / BRINK, np.nan, 0.5 * (one - other) - far)
    log = np.where((condition < 0) & (condition > -1 / BRINK), np.inf, log)
    known = (condition > 0) & (condition < 1 / BRINK)
    error = np.where(known, ROUNDINGS * size * condition, np.nan)
    return log, np.where(np.isposinf(log), 0.0, error)


def _affinity(pair: NormalPairs) -> Answer:
    log, error = _log_affinity(pair, 0.5)
    return np.exp(log), np.exp(log) * (error + EPS)


def _power(order: Fraction, factor: Fraction | int) -> Callable[[NormalPairs], Answer]:
    scale = float(factor / (order * (order - 1)))

    def compute(pair: NormalPairs) -> Answer:
        log, error = _log_affinity(pair, float(order))
        value = scale * np.expm1(log)
        rounding = abs(scale) * np.exp(log) * error * 1.01 + 4 * EPS * np.abs(value)
        return value, np.where(np.isposinf(log), 0.0, rounding)

    return compute


def _apart(pair: NormalPairs) -> Array:
    """Return half the distance of the means in units of √2 widths; nan for unequal widths."""
    apart = np.abs(pair.shift) / (2 * np.sqrt(2.0))
    return np.where(pair.scale == pair.other_scale, apart, np.nan)


def _total_variation(pair: NormalPairs) -> Answer:
    value = special.erf(_apart(pair))
    return value, 8 * EPS * value


def _overlap(pair: NormalPairs) -> Answer:
    apart = _apart(pair)
    value = special.erfc(apart)
    return value, 8 * EPS * value * (1 + 2 * apart**2)


FORMS: dict[str, Callable[[NormalPairs], Answer]] = {
    "kl_pq": _kl,
    "kl_qp": lambda pair: _kl(pair.exchanged),
    "jeffreys": _jeffreys,
    "bc": _affinity,
    "tv": _total_variation,
    "tv_gap": _overlap,
}


def _form_of(name: str) -> Callable[[NormalPairs], Answer] | None:
    """Return what computes a divergence of two normals in closed form, or None."""
    if name in FORMS:
        return FORMS[name]
    entry = find_divergence(name)
    if not isinstance(entry, FDivergence) or entry.power is None:
        return None
    return _power(*entry.power)


def of_normals(name: str, pair: NormalPairs) -> Answer | None:
    """Return a divergence of normals, element by element; None where no formula is known.

    >>> pair = NormalPairs(*map(np.asarray, (0.0, 1.0, [1.0, 2.0], 1.0)))
    >>> value, error = of_normals("kl_pq", pair)
    >>> value.tolist()
    [0.5, 2.0]
    """
    form = _form_of(name)
    if form is None:
        return None
    with np.errstate(all="ignore"):
        if pair.loc.size <= CHUNK:
            return form(pair)
        flat = [np.ravel(part) for part in vars(pair).values()]
        parts = [
            form(NormalPairs(*(part[k : k + CHUNK] for part in flat)))
            for k in range(0, pair.loc.size, CHUNK)
        ]
    value, error = (
        np.concatenate(part).reshape(pair.loc.shape) for part in zip(*parts, strict=True)
    )
    return value, error


def between_two(name: str | None, p: Density, q: Density) -> Estimate | None:
    """Return a KL divergence of two normals; None for other laws, or where it needs more care."""
    if name not in ("kl_pq", "kl_qp", "jeffreys"):
        return None
    if not of_family(p, Normal) or not of_family(q, Normal):
        return None
    found = of_normals(name, NormalPairs(*map(np.float64, (p.loc, p.scale, q.loc, q.scale))))  # type: ignore[arg-type]
    assert found is not None
    value = float(found[0])
    if not sys.float_info.min <= value < math.inf:  # equal laws, or beyond the range of binary64
        return None
    error = float(found[1]) + input_noise(p, q) * value
    if not error <= CAREFUL * value:
        return None
    return Estimate(value, error, method="closed form", log_value=math.log(value))
