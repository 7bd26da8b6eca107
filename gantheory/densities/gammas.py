"""Constants made of log-gammas, in digits enough for their terms to cancel.

A difference of two log-gammas of 1e8 loses nine digits, and a law of that shape needs the rest.
Every such constant is therefore summed in many digits and rounded once; what depends on x is then
written relative to a pivot in the middle of the law, where nothing large is left to cancel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np

from gantheory.densities.base import Array


def in_digits(compute: Callable[..., Any], *numbers: float) -> tuple[float, ...]:
    """Return what ``compute`` makes of exact binary64 numbers, each of its results rounded once.

    Their terms are about as large as the square of the largest number; results as small as the
    square of a rounding of it still keep 20 digits.
    """
    size = max((abs(math.log10(abs(x))) for x in numbers if x), default=0.0)
    with mpmath.workdps(60 + int(3 * size)):
        return tuple(float(value) for value in compute(*map(mpmath.mpf, numbers)))


@lru_cache(maxsize=1024)
def gamma_about(shape: float, scale: float, pivot: float) -> tuple[float, ...]:
    """Return a gamma law at its pivot: log-density and its slope, and what the scores need.

    These are log(pivot/scale) − ψ(shape), pivot − mean and pivot − mode, the last as if the
    shape were above 1.
    """

    def compute(k: Any, s: Any, m: Any) -> tuple[Any, ...]:
        log = (k - 1) * mpmath.log(m / s) - m / s - mpmath.loggamma(k) - mpmath.log(s)
        constant = mpmath.log(m / s) - mpmath.digamma(k)
        return log, (k - 1) / m - 1 / s, constant, m - k * s, m - (k - 1) * s

    return in_digits(compute, shape, scale, pivot)


@lru_cache(maxsize=1024)
def gamma_ratio_about(
    shape: float, scale: float, other_shape: float, other_scale: float, pivot: float
) -> tuple[float, ...]:
    """Return the log ratio of two gamma laws at a pivot, its slope there, and both differences."""

    def compute(k: Any, s: Any, k2: Any, s2: Any, m: Any) -> tuple[Any, ...]:
        rates = 1 / s - 1 / s2
        log = (k - k2) * mpmath.log(m) - m * rates - k * mpmath.log(s) + k2 * mpmath.log(s2)
        log += mpmath.loggamma(k2) - mpmath.loggamma(k)
        return log, (k - k2) / m - rates, k - k2, rates

    return in_digits(compute, shape, scale, other_shape, other_scale, pivot)


@lru_cache(maxsize=1024)
def beta_about(a: float, b: float, pivot: float) -> tuple[float, ...]:
    """Return a beta law at its pivot: log-density, the constants of its scores, and
    (a − 1)(1 − pivot) − (b − 1)·pivot with the slope that follows from it.
    """

    def compute(a: Any, b: Any, m: Any) -> tuple[Any, ...]:
        log = (a - 1) * mpmath.log(m) + (b - 1) * mpmath.log(1 - m) - _log_beta(a, b)
        both = mpmath.digamma(a + b)
        of_a = mpmath.log(m) - mpmath.digamma(a) + both
        of_b = mpmath.log(1 - m) - mpmath.digamma(b) + both
        pull = (a - 1) * (1 - m) - (b - 1) * m
        return log, of_a, of_b, pull, pull / (m * (1 - m))

    return in_digits(compute, a, b, pivot)


@lru_cache(maxsize=1024)
def beta_ratio_about(
    a: float, b: float, other_a: float, other_b: float, pivot: float
) -> tuple[float, ...]:
    """Return the log ratio of two beta laws at a pivot, its slope there, and both differences."""

    def compute(a: Any, b: Any, c: Any, d: Any, m: Any) -> tuple[Any, ...]:
        log = (a - c) * mpmath.log(m) + (b - d) * mpmath.log(1 - m)
        log += _log_beta(c, d) - _log_beta(a, b)
        return log, (a - c) / m - (b - d) / (1 - m), a - c, b - d

    return in_digits(compute, a, b, other_a, other_b, pivot)


def _log_beta(a: Any, b: Any) -> Any:
    return mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)


@lru_cache(maxsize=1024)
def log_beta(a: float, b: float) -> float:
    """Return the log of the beta function."""
    return in_digits(lambda a, b: (_log_beta(a, b),), a, b)[0]


@lru_cache(maxsize=1024)
def student_constants(df: float) -> tuple[float, ...]:
    """Return the log-density of Student's t at 0, and the constant of its score in df."""

    def compute(df: Any) -> tuple[Any, ...]:
        log = mpmath.loggamma((df + 1) / 2) - mpmath.loggamma(df / 2)
        score = mpmath.digamma((df + 1) / 2) - mpmath.digamma(df / 2) - 1 / df
        return log - mpmath.log(mpmath.pi * df) / 2, score

    return in_digits(compute, df)


def excess(w: Array, log_of: Array) -> Array:
    """Return w − log(1 + w) without cancellation; ``log_of`` is log(1 + w) where w is not small.

    With r = w/(2 + w) it is w·r − 2(r³/3 + r⁵/5 + ...), for log(1 + w) = 2 artanh r.
    """
    near = (w > -0.5) & (w < 1)
    small = np.where(near, w, 0.0)
    r = small / (2 + small)
    square, total = r * r, np.zeros_like(r)
    for k in range(37, 1, -2):  # r² <= 1/9: 1/9**18 is below rounding
        total = (total + 1 / k) * square
    return np.where(near, small * r - 2 * r * total, w - log_of)


def log_over(w: Array, x: Array, log_x: Array, pivot: float) -> Array:
    """Return log(x/pivot) from w = x/pivot − 1 where that is small, else from the quotient.

    A difference of logarithms, rounded by their size, is left where the quotient has no digits.
    """
    near, quotient = np.abs(w) < 0.5, x / pivot
    held = (quotient > 1e-290) & np.isfinite(quotient)
    far = np.where(held, np.log(np.where(held, quotient, 1.0)), log_x - math.log(pivot))
    return np.where(near, np.log1p(np.where(near, w, 0.0)), far)


_X, _W = np.polynomial.legendre.leggauss(20)
_EDGES = np.array([0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 40.0])  # exp(−40) is below rounding
_HALF = np.diff(_EDGES) / 2
_NODES = (_EDGES[:-1, None] + _HALF[:, None] * (1 + _X)).ravel()
_WEIGHTS = (_HALF[:, None] * _W).ravel()


def tail_integral(slope: Array, fall: Callable[[Array], Array]) -> Array:
    r"""Return a tail divided by the density at its end, ∫ exp(−slope·t − fall(t)) dt over t > 0.

    ``fall`` ≥ 0 is convex, as it is for a log-concave density; it is asked at t of shape
    (..., nodes). Errors: 1e-14 of itself.
    """
    t = _NODES / slope[..., None]
    with np.errstate(all="ignore"):
        return np.exp(-_NODES - fall(t)) @ _WEIGHTS / slope


@lru_cache(maxsize=1024)
def lognormal_rest(loc: float, pivot: float) -> float:
    """Return log(pivot) − loc: what the rounding of exp(loc) leaves."""
    return in_digits(lambda loc, m: (mpmath.log(m) - loc,), loc, pivot)[0]
