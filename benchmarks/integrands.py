"""The integrands of eight divergences and of their derivatives, as a careful person writes them.

Without cancellation, in u = log p − log q, for scalars or for arrays: the competitors of
`divergences` and `curves` integrate them with SciPy. They share no code with the package.
"""

from __future__ import annotations

import math
import types

import numpy as np
from scipy import special

NAMES = ("kl_pq", "kl_qp", "jsd", "kl_pm", "kl_qm", "hellinger2", "tv", "triangular")
LOG2 = math.log(2)


def softplus(u):
    return max(u, 0.0) + math.log1p(math.exp(-abs(u)))


def sigmoid(u):
    return 1 / (1 + math.exp(-u)) if u >= 0 else math.exp(u) / (1 + math.exp(u))


SCALAR = types.SimpleNamespace(
    softplus=softplus,
    sigmoid=sigmoid,
    sqrt=math.sqrt,
    absolute=abs,
    ahead=lambda u: 1.0 if u > 0 else 0.0,
    weighted=lambda p, u: p * u if p else 0.0,
)
ARRAY = types.SimpleNamespace(
    softplus=lambda u: np.logaddexp(0, u),
    sigmoid=special.expit,
    sqrt=np.sqrt,
    absolute=np.abs,
    ahead=lambda u: np.where(u > 0, 1.0, 0.0),
    weighted=lambda p, u: p * u,
)


def value(name, m):
    """Return the integrand of one divergence as a function of p, q and u."""
    softplus, sigmoid, sqrt, absolute, weighted = (
        m.softplus, m.sigmoid, m.sqrt, m.absolute, m.weighted,
    )  # fmt: skip
    return {
        "kl_pq": lambda p, q, u: weighted(p, u) - p + q,
        "kl_qp": lambda p, q, u: weighted(q, -u) + p - q,
        "jsd": lambda p, q, u: (p * (LOG2 - softplus(-u)) + q * (LOG2 - softplus(u))) / 2,
        "kl_pm": lambda p, q, u: p * (LOG2 - softplus(-u)) + (q - p) / 2,
        "kl_qm": lambda p, q, u: q * (LOG2 - softplus(u)) + (p - q) / 2,
        "hellinger2": lambda p, q, u: (sqrt(p) - sqrt(q)) ** 2 / 2,
        "tv": lambda p, q, u: absolute(p - q) / 2,
        "triangular": lambda p, q, u: (p - q) * (2 * sigmoid(u) - 1),
    }[name]


def slope(name, m):
    """Return q·(G(u) − c) as a function of p, q and u, with f's derivative G and any constant c.

    Times the score ∂ log q it integrates to the derivative, since the score's mean is 0; the
    constants are those that keep the tails from cancelling.
    """
    softplus, sigmoid, sqrt, ahead, weighted = (
        m.softplus, m.sigmoid, m.sqrt, m.ahead, m.weighted,
    )  # fmt: skip
    return {
        "kl_pq": lambda p, q, u: -p,
        "kl_qp": lambda p, q, u: weighted(q, -u),
        "jsd": lambda p, q, u: -q * softplus(u) / 2,
        "kl_pm": lambda p, q, u: -q * sigmoid(u),
        "kl_qm": lambda p, q, u: -q * (softplus(u) - sigmoid(u)),
        "hellinger2": lambda p, q, u: -sqrt(p * q) / 2,
        "tv": lambda p, q, u: -q * ahead(u),
        "triangular": lambda p, q, u: -4 * q * sigmoid(u) ** 2,
    }[name]
