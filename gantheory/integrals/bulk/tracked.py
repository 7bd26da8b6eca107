r"""Arrays that know their rounding: each number carries a bound on its distance from the truth.

An operation on x ± e and y ± d returns what they can give at most, and one rounding more:
:math:`|xy - \tilde x\tilde y| \le |x|d + |y|e + ed`, and by the mean value theorem for functions.
Cancellation then shows in the bound of the very element in which it happens.

Source: N. J. Higham (2002), Accuracy and Stability of Numerical Algorithms, 3.3 (running error).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from gantheory.densities.base import Array
from gantheory.rounding import EPS

ULPS = 4.0  # of the functions of numpy; of SciPy's see below
SPECIAL = 64.0  # roundings by which SciPy's gamma, digamma and their like may be off


class Tracked:
    """An array and a bound on the error of each of its elements."""

    __array_ufunc__ = None  # numpy's operators leave us to ours
    __slots__ = ("error", "value")

    def __init__(self, value: Array, error: Array | float = 0.0) -> None:
        self.value, self.error = value, error

    @classmethod
    def of(cls, x: Any) -> Tracked:
        """Return a number of a formula, which is exact where it is whole."""
        if isinstance(x, Tracked):
            return x
        return cls(np.asarray(float(x)), 0.0 if float(x).is_integer() else EPS * abs(float(x)))

    def _rounded(self, value: Array, error: Array | float, ulps: float = 1.0) -> Tracked:
        return Tracked(value, error + ulps * EPS * np.abs(value))

    def __add__(self, other: Any) -> Tracked:
        other = Tracked.of(other)
        return self._rounded(self.value + other.value, self.error + other.error)

    def __neg__(self) -> Tracked:
        return Tracked(-self.value, self.error)

    def __sub__(self, other: Any) -> Tracked:
        return self + -Tracked.of(other)

    def __rsub__(self, other: Any) -> Tracked:
        return -self + other

    def __mul__(self, other: Any) -> Tracked:
        other = Tracked.of(other)
        error = np.abs(self.value) * other.error + self.error * (np.abs(other.value) + other.error)
        return self._rounded(self.value * other.value, error)

    def __truediv__(self, other: Any) -> Tracked:
        other = Tracked.of(other)
        value, least = self.value / other.value, np.abs(other.value) - other.error
        error = (np.abs(value) * other.error + self.error) / least
        return self._rounded(value, np.where(least > 0, error, np.inf))

    def __rtruediv__(self, other: Any) -> Tracked:
        return Tracked.of(other) / self

    def __pow__(self, power: Any) -> Tracked:
        if isinstance(power, Tracked):
            return exp(power * log(self))
        c = float(power)
        value = self.value**c
        relative = self.error / (np.abs(self.value) - self.error)
        spread = np.expm1(np.abs(c) * np.where(relative >= 0, relative, np.inf))
        return self._rounded(value, np.abs(value) * spread, ULPS + abs(c) % 1)

    def __rpow__(self, base: Any) -> Tracked:
        return exp(self * log(Tracked.of(base)))

    __radd__, __rmul__ = __add__, __mul__


def _function(
    f: Callable[[Array], Array], steepest: Callable[[Array, Array], Array], ulps: float = ULPS
) -> Callable[[Any], Tracked]:
    """Return a function of `Tracked`; ``steepest`` bounds its slope between two arrays."""

    def apply(x: Any) -> Tracked:
        x = Tracked.of(x)
        value = f(x.value)
        slope = steepest(x.value - x.error, x.value + x.error)
        error = np.where(np.asarray(x.error) == 0, 0.0, np.abs(slope) * x.error)
        return Tracked(value, error + ulps * EPS * (np.abs(value) + (ulps > ULPS)))

    return apply


def _largest(slope: Callable[[Array], Array]) -> Callable[[Array, Array], Array]:
    """Return the larger slope of both ends, for a function whose slope is monotone."""
    return lambda low, high: np.maximum(np.abs(slope(low)), np.abs(slope(high)))


def _positive(slope: Callable[[Array], Array]) -> Callable[[Array, Array], Array]:
    """Return the slope at the lower end, for a slope that falls on x > 0."""
    return lambda low, high: np.where(low > 0, np.abs(slope(low)), np.inf)


def _polygamma(order: Any, x: Any) -> Tracked:
    n = int(order)
    of = _function(
        lambda x: np.asarray(special.polygamma(n, x)),
        _positive(lambda x: np.asarray(special.polygamma(n + 1, x))),
        SPECIAL,
    )
    return of(x)


log = _function(np.log, _positive(lambda x: 1 / x))
exp = _function(np.exp, _largest(np.exp))
_ROOT_PI = float(np.sqrt(np.pi))
FUNCTIONS: dict[str, Any] = {
    "log": log,
    "exp": exp,
    "sqrt": lambda x: Tracked.of(x) ** 0.5,
    "Abs": lambda x: Tracked(np.abs(Tracked.of(x).value), Tracked.of(x).error),
    "sign_of": lambda x: Tracked(
        np.sign(x.value), np.where(np.abs(x.value) > x.error, 0.0, 2.0 * (np.asarray(x.error) > 0))
    ),
    "erf": _function(special.erf, lambda low, high: np.full_like(low, 2 / _ROOT_PI)),
    "erfc": _function(
        special.erfc, lambda low, high: 2 / _ROOT_PI * np.exp(-(_least(low, high) ** 2))
    ),
    "gamma": lambda x: exp(FUNCTIONS["loggamma"](x)),
    "loggamma": _function(special.gammaln, _largest(special.digamma), SPECIAL),
    "polygamma": _polygamma,
    "digamma": lambda x: _polygamma(0, x),
    "EulerGamma": Tracked(np.asarray(np.euler_gamma), EPS),
    "pi": Tracked(np.asarray(np.pi), 2 * EPS),
    "E": Tracked(np.asarray(np.e), 2 * EPS),
}


def _least(low: Array, high: Array) -> Array:
    """Return the least size of a number between two."""
    return np.where((low < 0) & (high > 0), 0.0, np.minimum(np.abs(low), np.abs(high)))
