"""The terms of a sum over whole numbers, with what rounding makes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.counts import Counts, Decay
from gantheory.densities.discrete import Discrete
from gantheory.divergences.ratio import Ratio
from gantheory.integrals.kernels.kernel import Integrand
from gantheory.rounding import EPS

REACH = 42.0  # widths from the middle within which a law is summed from the start
FAR = 700.0  # of log k: beyond, k is hardly held by binary64


@dataclass(frozen=True)
class Sum:
    value: float
    error: float
    size: float
    count: int
    reason: str | None = None


class Terms:
    """The terms of one sum, with what rounding makes of them."""

    def __init__(
        self, integrand: Integrand, p: Counts | Discrete, q: Counts | Discrete, score: str | None
    ) -> None:
        self.integrand, self.p, self.q, self.score = integrand, p, q, score

    def __call__(self, k: Array) -> tuple[Array, Array]:
        """Return the terms at whole numbers, and bounds on their errors."""
        with np.errstate(all="ignore"):
            return self._valued(self.p.logpdf(k), self.q.logpdf(k), k, self._score(k))

    def in_log(self, t: Array) -> tuple[Array, Array]:
        """Return the terms at k = e^t, smoothly, times e^t, and bounds on their errors.

        Beyond what binary64 holds log-masses, their difference and the score go on in t as
        straight lines, as those of a power law do.
        """
        with np.errstate(all="ignore"):
            k, more = np.exp(np.minimum(t, FAR)), np.maximum(t - FAR, 0.0)
            slopes = [slope_in_log(law) for law in (self.p, self.q)]
            log_p, log_q = (
                (law.log_mass(k) if isinstance(law, Counts) else law.logpdf(k))
                + np.where(more > 0, float(slope) * more, 0.0)
                for law, slope in zip((self.p, self.q), slopes, strict=True)
            )
            score = self._score(k)
            if score is not None:
                ends = np.asarray(self._score(np.exp([FAR - 100, FAR])))
                score = score + (ends[1] - ends[0]) / 100 * more
            apart = more * float(slopes[0] - slopes[1]) if all(map(math.isfinite, slopes)) else 0.0
            return self._valued(log_p, log_q, k, score, apart, t)

    def _score(self, k: Array) -> Array | None:
        if self.score is None:
            return None
        assert isinstance(self.q, Counts)
        inside = (k >= self.q.first) & (k <= self.q.last)  # what is 0 outside stays 0
        place = np.where(inside, k, float(self.q.first))
        return np.where(inside, self.q.scores(self.score, place), 0.0)

    def _valued(
        self,
        log_p: Array,
        log_q: Array,
        k: Array,
        score: Array | None,
        apart: Array | float = 0.0,
        weight: Array | float = 0.0,
    ) -> tuple[Array, Array]:
        """Return terms times e^weight; ``apart`` is what log p − log q has more than at k."""
        u = log_p - log_q
        off_p, off_q = (
            4 * EPS * np.where(np.isfinite(log), np.abs(log) + size_of(law, k), 0.0)
            for law, log in ((self.p, log_p), (self.q, log_q))
        )
        doubt = off_p + off_q
        both = np.isfinite(log_p) & np.isfinite(log_q)
        known = self.p.log_ratio(self.q, k) if isinstance(self.p, Counts) else None
        if known is not None:
            sizes = known[1] + np.abs(apart)
            u = np.where(both, known[0] + apart, u)
            doubt = np.where(both, 8 * EPS * sizes, doubt)
        alive = ~(np.isneginf(log_p) & np.isneginf(log_q))
        doubt = np.where(both, doubt, 0.0)
        log_p, log_q = log_p + weight, log_q + weight
        value = self._at(log_p, log_q, u, alive)
        noise = np.where(alive, 16 * EPS * np.abs(value), 0.0)
        own = np.zeros_like(u) if known is not None else np.ones_like(u)
        for one, other, change in (
            (0.0, 0.0, doubt), (off_p, 0.0, own * off_p), (0.0, off_q, -own * off_q),
        ):  # fmt: skip
            moved = self._at(log_p + one, log_q + other, u + change, alive)
            noise = noise + 1.01 * np.abs(np.where(alive, moved - value, 0.0))
        if score is None:
            return value, noise
        assert isinstance(self.q, Counts)
        off = EPS * (8 * np.abs(score) + self.q.score_size(str(self.score), k))
        moves = ~np.isneginf(log_q)  # what has no mass moves none, whatever p/q is there
        value, noise = (np.where(moves, part, 0.0) for part in (value, noise))
        lost = np.where(moves, off * np.abs(value), 0.0)
        return value * score, noise * np.abs(score) + lost

    def _at(self, log_p: Array, log_q: Array, u: Array, alive: Array) -> Array:
        weight, mantissa = self.integrand(Ratio.of(log_p, log_q, np.where(alive, u, 0.0)))
        return np.where(alive & ~np.isneginf(weight), np.exp(weight) * mantissa, 0.0)


def slope_in_log(law: Counts | Discrete) -> Fraction | float:
    """Return how fast log P falls per unit of log k, far out."""
    decay = decay_of(law)
    power = decay is not None and not decay.factorial and decay.base == 1.0
    return decay.log if decay is not None and power else -math.inf


def size_of(law: Counts | Discrete, k: Array) -> Array:
    """Return what the rounding of log P at k scales with, beyond its own size."""
    return law.size(k) if isinstance(law, Counts) else np.full_like(k, 4.0)


def ends_of(law: Counts | Discrete) -> tuple[float, float]:
    if isinstance(law, Discrete):
        return 0.0, float(len(law.masses) - 1)
    return float(law.first), float(law.last)


def window_of(law: Counts | Discrete) -> tuple[float, float]:
    if isinstance(law, Discrete):
        return ends_of(law)
    center, width = law.center
    first, last = ends_of(law)
    return max(first, center - REACH * width), min(last, center + REACH * width)


def decay_of(law: Counts | Discrete) -> Decay | None:
    return law.decay if isinstance(law, Counts) else None
