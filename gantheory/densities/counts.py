"""Laws of counts by their names: Poisson, geometric, negative binomial, binomial and Zipf."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, ClassVar

import mpmath
import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from gantheory.densities.base import Array, Density, Domain, generator, parameter, register_family
from gantheory.densities.gammas import excess, in_digits
from gantheory.densities.inherited import of_family
from gantheory.densities.univariate import LogRatio, log_quotient
from gantheory.errors import GantheoryError, unknown_name

SHARE = Domain(1e-12, 1.0, (0.05, 0.95))
LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True)
class Decay:
    """The growth of log p as k → ∞: factorial·k·log k + k·log(base) + log·log k + O(1).

    Of laws with factorial −1 the terms in k alone are kept, for they count in differences only.
    """

    factorial: int = 0
    base: float = 1.0
    log: Fraction = Fraction(0)


class Counts(Density):
    """A law on first, first + 1, ..., last."""

    dim = 0
    first: float = 0
    last: float = math.inf
    decay: Decay | None = None  # None where ``last`` is finite
    wraps: ClassVar[str] = "log_mass"
    wrappers: ClassVar[frozenset[str]] = frozenset({"logpdf", "pdf"})
    normalised: bool = True  # known to sum to 1; else every sum checks it

    def log_mass(self, k: Array) -> Array:
        """Return log P(X = k) at whole numbers of the support, and between them smoothly."""
        raise NotImplementedError

    @property
    def log_magnitude(self) -> float:
        """The size of the constants inside log P, which its rounding scales with."""
        return 4.0

    def size(self, k: Array) -> Array:
        """Return what the rounding of log P at k scales with, beyond its own size."""
        return np.full_like(k, self.log_magnitude)

    @property
    def center(self) -> tuple[float, float]:
        """Where the mass sits, and how wide."""
        raise NotImplementedError

    def logpdf(self, x: ArrayLike) -> Array:
        k = np.asarray(x, float)
        inside = (k >= self.first) & (k <= self.last) & (k == np.floor(k))
        low = float(self.first)
        return np.where(inside, self.log_mass(np.where(inside, k, low)), -np.inf)

    def scores(self, name: str, k: Array) -> Array:
        """Return the derivative of log P in a parameter."""
        raise unknown_name(f"parameter of {self}:", name, self.parameters)

    def score_size(self, name: str, k: Array) -> Array:
        """Return how many roundings a score is off by, beyond eight of its own size."""
        return np.zeros_like(k)

    def score(self, name: str, x: ArrayLike) -> Array:
        return self.scores(name, np.asarray(x, float))

    def log_ratio(self, other: Any, k: Array) -> LogRatio | None:
        """Return log p − log q without cancellation for a relative, with the size of its terms."""
        return None


class _Alone(Counts):
    """What holds of any law of counts of which the masses alone are known."""

    __str__ = Counts.__str__
    normalised = False
    sample, score, log_ratio = Counts.sample, Counts.score, Counts.log_ratio
    score_size = Counts.score_size

    @property
    def decay(self) -> Decay | None:  # type: ignore[override]
        if math.isfinite(self.last):
            return None
        raise GantheoryError(f"{self}: how its masses fall is not known; define decay")

    def scores(self, name: str, k: Array) -> Array:
        if name in self.parameters:
            raise GantheoryError(f"{self}: its score in {name} is not known; define scores")
        return Counts.scores(self, name, k)


Counts.known_alone = _Alone


def remainder_of_stirling(x: Array) -> Array:
    """Return log Γ(x + 1) − (x + ½)·log x + x − ½·log 2π, and for x = 0 the log of 1/√(2π)."""
    far = np.maximum(x, 16.0)
    square = 1 / (far * far)
    series = 1 / 1260 - square * (1 / 1680 - square / 1188)
    series = 1 / 12 - square * (1 / 360 - square * series)
    with np.errstate(all="ignore"):
        near = special.gammaln(x + 1) - special.xlogy(x + 0.5, x) + x - LOG_SQRT_2PI
    return np.where(x >= 16, series / far, np.where(x > 0, near, -LOG_SQRT_2PI))


def deviance(k: Array, mean: Array | float) -> Array:
    """Return k·log(k/mean) + mean − k ≥ 0 without cancellation.

    Source: C. Loader (2000), Fast and accurate computation of binomial probabilities.
    """
    with np.errstate(all="ignore"):
        w = (mean - k) / k
        near = k * excess(w, np.log1p(w))
        far = k * (np.log(k) - np.log(mean)) + (mean - k)  # w itself has rounded
    return np.where(k > 0, np.where(np.abs(w) < 0.5, near, far), mean)


def minus_product(k: Array, a: float, b: float | Fraction) -> Array:
    """Return k − a·b, where the product is taken exactly."""
    exact = Fraction(a) * Fraction(b)
    product = float(exact)
    return np.asarray((k - product) - float(exact - Fraction(product)))


def log_complements(p: float, q: float) -> float:
    """Return log((1 − p)/(1 − q)), whose digits 1 − p and 1 − q need not have.

    >>> round(log_complements(0.5, 0.25), 12) == round(math.log(0.5 / 0.75), 12)
    True
    """
    small = (q - p) / (1 - q)
    return math.log1p(small) if abs(small) < 0.5 else math.log1p(-p) - math.log1p(-q)


def _off_mean(k: Array, n: Array | float, share: float) -> Array:
    """Return what a rounding of share, or of 1 − share, makes of a binomial mass."""
    return 4 * np.abs(k - n * share)


def _log_poisson(k: Array, rate: Array | float) -> Array:
    half = np.where(k > 0, 0.5 * np.log(np.where(k > 0, k, 1.0)), 0.0)
    return -deviance(k, rate) - remainder_of_stirling(k) - half - LOG_SQRT_2PI


def _log_binomial(k: Array, n: Array | float, share: float) -> Array:
    """Return the log of C(n, k)·share^k·(1 − share)^(n − k), for real n and k too."""
    rest = n - k
    inner = (k > 0) & (rest > 0)
    a, b, whole = np.where(inner, k, 1.0), np.where(inner, rest, 1.0), np.where(inner, n, 2.0)
    log = remainder_of_stirling(whole) - remainder_of_stirling(a) - remainder_of_stirling(b)
    log = log - deviance(a, whole * share) - deviance(b, whole * (1 - share))
    log = log + 0.5 * (np.log(whole) - np.log(a) - np.log(b)) - LOG_SQRT_2PI
    with np.errstate(all="ignore"):
        ends = np.where(k > 0, k * math.log(share), rest * math.log1p(-share))
    return np.where(inner, log, ends)


@register_family
@dataclass(frozen=True)
class Poisson(Counts):
    """The Poisson law on 0, 1, 2, ... with mean ``rate``."""

    name: ClassVar[str] = "poisson"
    rate: float = parameter(Domain(1e-12, 1e10, (0.2, 20.0)))

    @property
    def decay(self) -> Decay:  # type: ignore[override]
        return Decay(-1, self.rate, Fraction(-1, 2))

    @property
    def center(self) -> tuple[float, float]:
        return self.rate, 1 + math.sqrt(self.rate)

    def log_mass(self, k: Array) -> Array:
        return _log_poisson(k, self.rate)

    def scores(self, name: str, k: Array) -> Array:
        if name == "rate":
            return (k - self.rate) / self.rate
        return super().scores(name, k)

    def log_ratio(self, other: Any, k: Array) -> LogRatio | None:
        if not of_family(other, Poisson):
            return None
        one, two = k * log_quotient(self.rate, other.rate), self.rate - other.rate
        return one - two, np.abs(one) + abs(two)

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return generator(rng).poisson(self.rate, n).astype(float)


class Failures(Counts):
    """The number of failures before a number of successes of probability p."""

    p: float

    @property
    def successes(self) -> float:
        raise NotImplementedError

    @property
    def decay(self) -> Decay:  # type: ignore[override]
        return Decay(0, 1 - self.p, Fraction(self.successes) - 1)

    @property
    def center(self) -> tuple[float, float]:
        r, rest = self.successes, 1 - self.p
        return r * rest / self.p, 1 + (1 + math.sqrt(r * rest)) / self.p

    def log_mass(self, k: Array) -> Array:
        r = self.successes
        if r == 1:
            return math.log(self.p) + k * math.log1p(-self.p)
        return np.log(r / (r + k)) + _log_binomial(np.full_like(k, r), r + k, self.p)

    def size(self, k: Array) -> Array:
        r = self.successes
        return super().size(k) + (0.0 if r == 1 else _off_mean(np.full_like(k, r), r + k, self.p))

    def scores(self, name: str, k: Array) -> Array:
        if name == "p":
            return -minus_product(k, self.successes, 1 / Fraction(self.p) - 1) / (1 - self.p)
        return super().scores(name, k)

    def log_ratio(self, other: Any, k: Array) -> LogRatio | None:
        if not of_family(other, Failures) or other.successes != self.successes:
            return None
        one = self.successes * log_quotient(self.p, other.p)
        two = k * log_complements(self.p, other.p)
        return one + two, abs(one) + np.abs(two)


@register_family
@dataclass(frozen=True)
class Geometric(Failures):
    """The number of failures before the first success: P(X = k) = p·(1 − p)^k on 0, 1, 2, ..."""

    name: ClassVar[str] = "geometric"
    p: float = parameter(SHARE)

    @property
    def successes(self) -> float:
        return 1.0

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return generator(rng).geometric(self.p, n) - 1.0


@register_family
@dataclass(frozen=True)
class NegativeBinomial(Failures):
    """The number of failures before ``r`` successes of probability ``p``; r may be any positive."""

    name: ClassVar[str] = "negative_binomial"
    r: float = parameter(Domain(1e-6, 1e9, (0.5, 10.0)))
    p: float = parameter(SHARE)

    @property
    def successes(self) -> float:
        return self.r

    def scores(self, name: str, k: Array) -> Array:
        if name == "r":
            return special.digamma(k + self.r) - special.digamma(self.r) + math.log(self.p)
        return super().scores(name, k)

    def score_size(self, name: str, k: Array) -> Array:
        if name == "r":
            sizes = np.abs(special.digamma(k + self.r)) + abs(float(special.digamma(self.r)))
            return 4 * (sizes + abs(math.log(self.p)))
        return super().score_size(name, k)

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return generator(rng).negative_binomial(self.r, self.p, n).astype(float)


@register_family
@dataclass(frozen=True)
class Binomial(Counts):
    """The number of successes in ``n`` trials of probability ``p``."""

    name: ClassVar[str] = "binomial"
    n: float = parameter(Domain(0, 1e9, (1, 30), integer=True))
    p: float = parameter(SHARE)

    @property
    def last(self) -> float:  # type: ignore[override]
        return self.n

    @property
    def center(self) -> tuple[float, float]:
        return self.n * self.p, 1 + math.sqrt(self.n * self.p * (1 - self.p))

    def log_mass(self, k: Array) -> Array:
        return _log_binomial(k, self.n, self.p)

    def size(self, k: Array) -> Array:
        return super().size(k) + _off_mean(k, self.n, self.p)

    def scores(self, name: str, k: Array) -> Array:
        if name == "p":
            return minus_product(k, self.n, self.p) / (self.p * (1 - self.p))
        return super().scores(name, k)

    def log_ratio(self, other: Any, k: Array) -> LogRatio | None:
        if not of_family(other, Binomial) or other.n != self.n:
            return None
        one = k * log_quotient(self.p, other.p)
        two = (self.n - k) * log_complements(self.p, other.p)
        return one + two, np.abs(one) + np.abs(two)

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return generator(rng).binomial(int(self.n), self.p, n).astype(float)


@lru_cache(maxsize=1024)
def zeta_of(exponent: float) -> tuple[float, ...]:
    """Return log ζ(s) and ζ'(s)/ζ(s)."""

    def compute(s: Any) -> tuple[Any, ...]:
        zeta = mpmath.zeta(s)
        return mpmath.log(zeta), mpmath.zeta(s, derivative=1) / zeta

    return in_digits(compute, exponent)


@lru_cache(maxsize=1024)
def _zeta_quotient(a: float, b: float) -> float:
    """Return log(ζ(a)/ζ(b)), rounded once."""
    return in_digits(lambda s, t: (mpmath.log(mpmath.zeta(s) / mpmath.zeta(t)),), a, b)[0]


@register_family
@dataclass(frozen=True)
class Zipf(Counts):
    """The law on 1, 2, 3, ... with P(X = k) ∝ k^−exponent."""

    name: ClassVar[str] = "zipf"
    first: ClassVar[float] = 1  # type: ignore[misc]
    exponent: float = parameter(Domain(1.001, 1e3, (1.2, 5.0)))

    @property
    def decay(self) -> Decay:  # type: ignore[override]
        return Decay(log=-Fraction(self.exponent))

    @property
    def center(self) -> tuple[float, float]:
        return 1.0, 10.0

    def log_mass(self, k: Array) -> Array:
        return -self.exponent * np.log(k) - zeta_of(self.exponent)[0]

    def scores(self, name: str, k: Array) -> Array:
        if name == "exponent":
            return -np.log(k) - zeta_of(self.exponent)[1]
        return super().scores(name, k)

    def score_size(self, name: str, k: Array) -> Array:
        return np.asarray(2 * (np.log(k) + abs(zeta_of(self.exponent)[1])))

    def log_ratio(self, other: Any, k: Array) -> LogRatio | None:
        if not of_family(other, Zipf):
            return None
        one = (other.exponent - self.exponent) * np.log(k)
        two = _zeta_quotient(other.exponent, self.exponent)
        return one + two, np.abs(one) + abs(two)

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        return generator(rng).zipf(self.exponent, n).astype(float)
