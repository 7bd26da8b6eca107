"""What torch's backward operations do to one entry, in sympy, where autograd runs in a trace.

A rule takes the gradient that comes from above first. Rules of losses take the gradient, the two
tensors and the width of the kink, and are reduced as the loss is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp

from gantheory.audits.elements import ONE, ZERO, as_element, exact
from gantheory.functions import relu, sigmoid


def _between(inside: sp.Expr, value: sp.Expr, low: Any, high: Any) -> sp.Expr:
    conditions = [value >= as_element(low)] if low is not None else []
    conditions += [value <= as_element(high)] if high is not None else []
    return sp.Piecewise((inside, sp.And(*conditions)), (ZERO, True))


def _softplus(g: sp.Expr, x: sp.Expr, beta: Any = 1, threshold: Any = 20) -> sp.Expr:
    return g * sigmoid(exact(beta) * x)


def _threshold(g: sp.Expr, x: sp.Expr, bound: Any) -> sp.Expr:
    return sp.Piecewise((g, x > exact(bound)), (ZERO, True))


def _leaky(g: sp.Expr, x: sp.Expr, slope: Any, is_result: Any = False) -> sp.Expr:
    return sp.Piecewise((g, x > 0), (exact(slope) * g, True))


def _smooth_l1(g: sp.Expr, x: sp.Expr, y: sp.Expr, beta: Any = 1.0) -> sp.Expr:
    """Return g times (x - y)/beta, kept between -1 and 1."""
    width = exact(beta)
    return g * (relu(x - y + width) - relu(x - y - width) - width) / width


def _huber(g: sp.Expr, x: sp.Expr, y: sp.Expr, delta: Any = 1.0) -> sp.Expr:
    return exact(delta) * _smooth_l1(g, x, y, delta)


BACKWARD: Mapping[str, Callable[..., sp.Expr]] = {
    "sigmoid_backward": lambda g, y: g * y * (ONE - y),
    "tanh_backward": lambda g, y: g * (1 - y**2),
    "softplus_backward": _softplus,
    "log_sigmoid_backward": lambda g, x, _: g * sigmoid(-x),
    "threshold_backward": _threshold,
    "leaky_relu_backward": _leaky,
    "hardtanh_backward": lambda g, x, low, high: _between(g, x, low, high),
}
BACKWARD_LOSSES: Mapping[str, Callable[..., sp.Expr]] = {
    "mse_loss_backward": lambda g, x, y: 2 * g * (x - y),
    "smooth_l1_loss_backward": _smooth_l1,
    "huber_loss_backward": _huber,
    "binary_cross_entropy_backward": lambda g, x, y: g * ((1 - y) / (1 - x) - y / x),
    "soft_margin_loss_backward": lambda g, x, y: -g * y * sigmoid(-x * y),
}
