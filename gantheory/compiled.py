"""Formulas of the grammar as functions of numpy arrays, without overflow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import sympy as sp
from scipy import special

from gantheory.residues import LAWS, logistic_mean_array
from gantheory.smoothed import fermi_array, logistic_normal_array

NUMPY: dict[str, Callable[..., Any]] = {
    "softplus": lambda u: np.logaddexp(0.0, u),
    "sigmoid": special.expit,
    "relu": lambda u: np.maximum(u, 0.0),
    "Heaviside": lambda u, at=0.5: np.heaviside(u, at),
    "fermi_dirac": fermi_array,
    "logistic_normal": logistic_normal_array,
    **{f"logistic_{law}": partial(logistic_mean_array, law) for law in LAWS},
    "choice": lambda decides, one, other: np.where(decides > 0, one, other),
}


def compiled(names: Sequence[sp.Symbol], formulas: Any, *, cse: bool = False) -> Callable[..., Any]:
    """Return a function of one array for each name; ``formulas`` may be nested in lists.

    ``cse`` computes once what several formulas share.

    >>> from gantheory.functions import t, to_sympy
    >>> compiled([t], to_sympy("relu(t) + softplus(-t)"))(np.array([-800.0, 800.0])).tolist()
    [800.0, 800.0]
    """
    function: Callable[..., Any] = sp.lambdify(names, formulas, [NUMPY, "numpy"], cse=cse)
    return function
