"""Power series for what cancels near zero."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def series(x: Array, coefficients: Array, near: Array, otherwise: Array) -> Array:
    """Return a power series in x where ``near`` holds, and ``otherwise`` elsewhere."""
    found = np.array(otherwise, float)
    few = x[near]
    if few.size:
        found[near] = _polynomial(few, coefficients)
    return found


def _polynomial(x: Array, coefficients: Array) -> Array:
    """Return a polynomial by Horner's rule in x⁴: a quarter of the calls that x would take."""
    square = x * x
    parts = coefficients.reshape(-1, 4) @ np.stack([np.ones_like(x), x, square, square * x])
    square *= square
    total = parts[-1]
    for part in parts[-2::-1]:
        total *= square
        total += part
    return np.asarray(total)


# 20 terms, of which 17 reach 1e-17 for |x| <= 1/2 (factorials) and |x| <= 1/10 (reciprocals)
_K = np.arange(20.0)
_FACTORIAL = np.cumprod(np.maximum(_K, 1.0))
PHI = np.where(_K >= 2, 1 / _FACTORIAL, 0.0)  # exp(x) - 1 - x
_SIGNS = np.where(_K % 2 == 0, 1.0, -1.0)
XLOG = np.where(_K >= 2, _SIGNS / np.maximum(_K * (_K - 1), 1), 0.0)  # (1+x)·log(1+x) - x
LOG = np.where(_K >= 2, _SIGNS / np.maximum(_K, 1), 0.0)  # x - log(1+x)
SP_SIG = _SIGNS * (_K + 1) / (_K + 2)  # (log(1+e) - e/(1+e))/e²
E_LOG = _SIGNS / (_K + 2)  # (e - log(1+e))/e²


def phi(w: Array) -> Array:
    """Return exp(w) − 1 − w without cancellation."""
    return series(w, PHI, np.abs(w) < 0.5, np.expm1(w) - w)
