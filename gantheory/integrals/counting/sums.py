"""Divergences of two laws on whole numbers, by summing until what is left is bounded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeGuard

import mpmath
import numpy as np
from scipy.integrate import tanhsinh

from gantheory.densities.base import Array, Density
from gantheory.densities.counts import Counts, Decay
from gantheory.densities.discrete import Discrete
from gantheory.densities.inherited import of_family
from gantheory.divergences.ratio import Ratio
from gantheory.errors import GantheoryError
from gantheory.integrals.counting.closed import kl_of_family
from gantheory.integrals.kernels.kernel import Growth, Integrand, Kernel
from gantheory.records import Estimate, Status

EPS = 2.0**-52
ROUGH = 1e-9  # by which masses of a user's law may miss 1
METHOD = "sum"
REACH = 42.0  # widths from the middle within which a law is summed from the start
CHUNK = 1 << 17
MOST = 1 << 23  # terms: seconds
SLOW = 20_000  # terms from which on a sum that falls like a power is continued by an integral
FAR = 700.0  # of log k: beyond, k is hardly held by binary64
DOUBLINGS = 30  # of log k, over which the rest of a sum that falls like a power is integrated
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
LEFT = 1e-18  # of the sum: what a block may hold where the sum is ended


def divergence_of_counts(
    kernel: Kernel, p: Counts | Discrete, q: Counts | Discrete, wrt: str | None = None
) -> Estimate:
    """Return a divergence of two laws of counts, or its derivative in a parameter such as q.rate.

    Errors: rounding of each term, and a bound on the terms that are left out.
    """
    if (known := _infinite(kernel, p, q)) is not None:
        if wrt is None:
            return known
        return Estimate.undetermined(f"{kernel.name} has no derivative here: its value is {known}")
    check_masses(p, q)
    if (known := kl_of_family(kernel.known, p, q, wrt)) is not None:
        return known
    if wrt is None:
        return _finished([_summed(kernel.value, p, q, None)], 1)
    law, _, parameter = wrt.partition(".")
    if law == "p":
        kernel, p, q = kernel.exchanged(), q, p
    if not isinstance(q, Counts):
        raise GantheoryError(f"wrt={wrt!r}: a discrete law has no parameters; leave it out")
    q.scores(parameter, np.array([float(q.first)]))  # raises for an unknown one
    return _finished([_summed(slope, p, q, parameter) for slope in kernel.slopes], kernel.sign)


def has_masses(law: Density) -> TypeGuard[Counts | Discrete]:
    """Whether a law is one of masses on whole numbers, which can be summed."""
    return isinstance(law, Counts) or of_family(law, Discrete)


def check_masses(*laws: Counts | Discrete) -> None:
    """Raise where a law that is not known to sum to 1 does not."""
    for law in laws:
        if getattr(law, "normalised", True):
            continue
        total = _summed(lambda n: (n.log_p, np.ones_like(n.log_p)), law, law, None)
        if not abs(total.value - 1) <= total.error + ROUGH:
            raise GantheoryError(
                f"{law}: its masses sum to {total.value:.9g}, not 1; correct log_mass, or state "
                "its center"
            )


@dataclass(frozen=True)
class _Sum:
    value: float
    error: float
    size: float
    count: int
    reason: str | None = None


def _finished(found: list[_Sum], sign: int) -> Estimate:
    best = min(found, key=lambda total: total.error)
    if best.reason or not math.isfinite(best.error):
        return Estimate.undetermined(best.reason or "the sum does not converge", METHOD)
    careful = best.error <= 1e-12 * abs(best.value) or not best.value
    status = Status.OK if careful else Status.ILL_CONDITIONED
    reason = None if careful else "terms of both signs cancel, or fall slowly"
    log = math.log(best.value) if sign * best.value > 0 and sign > 0 else None
    return Estimate(
        sign * best.value, best.error, status, METHOD, reason, 0.0, log, evaluations=best.count
    )


class _Terms:
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
            slopes = [_slope_in_log(law) for law in (self.p, self.q)]
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
        return self.q.scores(self.score, k)

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
        return value * score, noise * np.abs(score) + off * np.abs(value)

    def _at(self, log_p: Array, log_q: Array, u: Array, alive: Array) -> Array:
        weight, mantissa = self.integrand(Ratio.of(log_p, log_q, np.where(alive, u, 0.0)))
        return np.where(alive & ~np.isneginf(weight), np.exp(weight) * mantissa, 0.0)


def _slope_in_log(law: Counts | Discrete) -> Fraction | float:
    """Return how fast log P falls per unit of log k, far out."""
    decay = _decay(law)
    power = decay is not None and not decay.factorial and decay.base == 1.0
    return decay.log if decay is not None and power else -math.inf


def _summed(
    integrand: Integrand, p: Counts | Discrete, q: Counts | Discrete, score: str | None
) -> _Sum:
    terms = _Terms(integrand, p, q, score)
    first = min(_ends(law)[0] for law in (p, q))
    last = max(_ends(law)[1] for law in (p, q))
    windows = [_window(law) for law in (p, q)]
    low = max(first, math.floor(min(window[0] for window in windows)))
    high = min(last, math.ceil(max(window[1] for window in windows)))
    if high - low > MOST:
        reason = f"{p} and {q} need {high - low:.0e} terms; only {MOST:.0e} are summed"
        return _Sum(math.nan, math.inf, 0.0, 0, reason)
    total = _block(terms, low, high)
    step = max(64, int(high - low) // 2)
    while low > first:
        further = max(first, low - step)
        block = _block(terms, further, low - 1)
        total, low = _joined(total, block), further
        if block.size <= LEFT * total.size:
            break
    while high < last:
        slow = high - first > SLOW and _falls_slowly(p, q)
        if slow:
            return _joined(total, _beyond(terms, high))
        block = _block(terms, high + 1, min(last, high + step))
        total, high = _joined(total, block), min(last, high + step)
        if block.size <= LEFT * total.size and (math.isfinite(last) or not _falls_slowly(p, q)):
            rest = _rest(terms, high)
            return _Sum(total.value, total.error + rest, total.size, total.count)
        if total.count > MOST:
            reason = "the sum does not converge; its terms fall too slowly"
            return _Sum(math.nan, math.inf, 0.0, total.count, reason)
    return total


def _joined(a: _Sum, b: _Sum) -> _Sum:
    return _Sum(a.value + b.value, a.error + b.error, a.size + b.size, a.count + b.count, b.reason)


def _block(terms: _Terms, low: float, high: float) -> _Sum:
    value, error, size = [0.0], 0.0, 0.0
    for start in range(int(low), int(high) + 1, CHUNK):
        found, noise = terms(np.arange(start, min(start + CHUNK, int(high) + 1), dtype=float))
        value.append(math.fsum(found))
        error += float(np.sum(noise))
        size += float(np.sum(np.abs(found)))
    return _Sum(math.fsum(value), error, size, int(high - low) + 1)


def _rest(terms: _Terms, high: float) -> float:
    """Return what terms beyond ``high`` may add, as twice a geometric series of their ratio."""
    found, _ = terms(np.array([high - 32, high]))
    before, after = map(abs, found)
    if not after:
        return 0.0
    ratio = (after / before) ** (1 / 32) if before > after else 1 - 1e-9
    return 2 * after * ratio / (1 - ratio)


def _beyond(terms: _Terms, high: float) -> _Sum:
    """Return Σ over k > high of terms that fall like a power, by the midpoint rule's own sum.

    Σ f(k) = ∫ f + f'(h)/24 − 7f'''(h)/5760 + ... from h = high + ½ on (Euler and Maclaurin).
    """
    h = high + 0.5
    edges = math.log(h) + np.append(0.0, 2.0 ** np.arange(-1, DOUBLINGS))
    if math.inf in (-_slope_in_log(terms.p), -_slope_in_log(terms.q)):
        edges = np.unique(np.minimum(edges, FAR))  # log P is no straight line in log k
    height = np.abs(terms.in_log(edges)[0]) * np.diff(edges, append=2 * edges[-1])
    most = float(np.max(height))
    count = int(np.nonzero(height > LEFT * most)[0][-1]) + 1 if most else 1
    low, top = edges[:-1][:count], edges[1:][:count]
    found = tanhsinh(
        lambda t: terms.in_log(t)[0], low, top, rtol=1e-13, atol=LEFT * most, maxlevel=12
    )
    parts = np.asarray(found.integral)
    half = (top - low)[:, None] / 2
    _, noise = terms.in_log(low[:, None] + half * (1 + _NODES))
    step = 1e-2 * h
    near = h + step * np.arange(5.0)
    places = terms.in_log(np.log(near))[0] / near
    slope = float(np.dot([-25 / 12, 4, -3, 4 / 3, -1 / 4], places)) / step
    third = float(np.abs(np.diff(places, 3)).max()) / step**3
    size = float(np.sum(np.abs(parts)))
    error = 8 * float(np.sum(found.error)) + float(np.sum((noise @ _WEIGHTS) * half[:, 0]))
    error += third * 7 / 2880 + abs(slope) * 1e-5 + 8 * EPS * size
    if count == len(edges):  # what is left beyond the last edge is not known
        error = math.inf
    return _Sum(math.fsum(parts) + slope / 24, error, size, int(np.sum(found.nfev)))


def size_of(law: Counts | Discrete, k: Array) -> Array:
    """Return what the rounding of log P at k scales with, beyond its own size."""
    return law.size(k) if isinstance(law, Counts) else np.full_like(k, 4.0)


def _ends(law: Counts | Discrete) -> tuple[float, float]:
    if isinstance(law, Discrete):
        return 0.0, float(len(law.masses) - 1)
    return float(law.first), float(law.last)


def _window(law: Counts | Discrete) -> tuple[float, float]:
    if isinstance(law, Discrete):
        return _ends(law)
    center, width = law.center
    first, last = _ends(law)
    return max(first, center - REACH * width), min(last, center + REACH * width)


def _decay(law: Counts | Discrete) -> Decay | None:
    return law.decay if isinstance(law, Counts) else None


def _falls_slowly(p: Counts | Discrete, q: Counts | Discrete) -> bool:
    """Whether the mass of either law falls like a power."""
    found = [decay for decay in (_decay(p), _decay(q)) if decay is not None]
    return any(not decay.factorial and decay.base == 1.0 for decay in found)


def _infinite(kernel: Kernel, p: Counts | Discrete, q: Counts | Discrete) -> Estimate | None:
    """Return the infinite answer, decided by supports and by decay alone, or None."""
    above, below = kernel.at_infinity, kernel.at_zero
    unbounded = above.power > 1 or above.logs > 0
    if unbounded and kernel.singular_p and (point := _uncovered(p, q)) is not None:
        return Estimate.infinite(f"p has mass at {point:g}, where q = 0", sign=above.sign or 1)
    if not below.is_finite and kernel.singular_q and (point := _uncovered(q, p)) is not None:
        return Estimate.infinite(f"q has mass at {point:g}, where p = 0", sign=below.sign or 1)
    ours, theirs = _decay(p), _decay(q)
    if ours is None or theirs is None:
        return None
    direction = _growth(1, ours, -1, theirs)
    if not direction[0]:
        return None
    growth: Growth = above if direction[0] > 0 else below
    if (direction[0] > 0 and not unbounded) or (direction[0] < 0 and below.is_finite):
        return None
    a = Fraction(growth.power)
    sign, logs = _growth(a, ours, 1 - a, theirs)
    power = growth.logs * (1 if direction[1] is None else 0)
    converges = sign < 0 if logs is None else logs + power < -1
    if converges:
        return None
    ratio = "p/q" if direction[0] > 0 else "q/p"
    return Estimate.infinite(
        f"{ratio} grows too fast as k grows for the sum to converge", sign=growth.sign or 1
    )


def _growth(
    a: Fraction | int, p: Decay, b: Fraction | int, q: Decay
) -> tuple[int, Fraction | None]:
    """Return the sign of the growth of a·log p + b·log q, and its log term where that decides."""
    factorial = a * p.factorial + b * q.factorial
    if factorial:
        return (1 if factorial > 0 else -1), None
    with mpmath.workdps(60):
        linear = mpmath.mpf(a.numerator) / a.denominator * mpmath.log(p.base)
        linear += mpmath.mpf(b.numerator) / b.denominator * mpmath.log(q.base)
        if abs(linear) > mpmath.mpf(10) ** -50:
            return (1 if linear > 0 else -1), None
    logs = a * p.log + b * q.log
    return (1 if logs > 0 else -1 if logs < 0 else 0), Fraction(logs)


def _uncovered(p: Counts | Discrete, q: Counts | Discrete) -> float | None:
    """Return a point at which p has mass and q has none."""
    if isinstance(p, Discrete) or isinstance(q, Discrete):
        size = max(len(law.masses) for law in (p, q) if isinstance(law, Discrete)) + 2
        k = np.arange(float(size))
        alone = ~np.isneginf(p.logpdf(k)) & np.isneginf(q.logpdf(k))
        return float(k[alone][0]) if alone.any() else None
    (first, last), (start, end) = _ends(p), _ends(q)
    return first if first < start else end + 1 if last > end else None
