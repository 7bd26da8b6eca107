"""Spectral radii over whole grids of step sizes and regularisers, in one batched call."""

from __future__ import annotations

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike, NDArray

from gantheory.compiled import compiled
from gantheory.dynamics.operators import eta


def spectral_map(
    operator: sp.Matrix, weight: sp.Symbol, steps: ArrayLike, weights: ArrayLike
) -> NDArray[np.float64]:
    """Return the spectral radius of an update, shape (weights, steps).

    Args:
        operator: its Jacobian in the step size ``eta`` and ``weight``.
        weight: the symbol of the regulariser's weight.
        steps: step sizes, shape (m,).
        weights: shape (n,).
    """
    h, w = np.meshgrid(np.asarray(steps, dtype=float), np.asarray(weights, dtype=float))
    entries = compiled((eta, weight), list(operator))(h, w)
    full = np.stack([np.broadcast_to(entry, h.shape) for entry in entries], axis=-1)
    matrices = full.reshape(*h.shape, operator.rows, operator.cols)
    radii: NDArray[np.float64] = np.abs(np.linalg.eigvals(matrices)).max(-1)
    return radii
