"""Oracles: formulas evaluated as they are written, in many digits, and sums over cells.

They share no code with the derivation or the quadrature that they judge.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np

from gantheory.densities.univariate import Univariate
from gantheory.divergences import RATIO, FDivergence
from gantheory.expressions import parse
from gantheory.formulas import PAYOFF
from gantheory.losses.loss import Loss
from gantheory.records import Estimate

DIGITS = 60  # of the oracles' sums, far beyond the 16 of what they judge
TINY_MASS = 1e-9  # below it a difference of two distribution functions has few digits
CDF_ERROR = 1e-14  # absolute error granted to a distribution function in double precision

FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "log": mpmath.log, "exp": mpmath.exp, "sqrt": mpmath.sqrt, "abs": abs, "max": max, "min": min,
    "relu": lambda x: max(x, mpmath.mpf(0)), "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)), "tanh": mpmath.tanh, "atan": mpmath.atan,
    "sin": mpmath.sin, "cos": mpmath.cos, "erf": mpmath.erf, "log1p": mpmath.log1p,
    "expm1": mpmath.expm1, "sign": mpmath.sign,
    "clamp": lambda x, low, high: min(max(x, low), high),
    "logsumexp": lambda x, y: mpmath.log(mpmath.exp(x) + mpmath.exp(y)),
    "fermi_dirac": lambda k, x: -mpmath.polylog(int(k) + 1, -mpmath.exp(x)).real,
    "logistic_normal": lambda k, x, s: _blurred(int(k), x, s),
    "logistic_exponential": lambda k, x, p, q: _mean_of_softplus(int(k), x, p / q, 0),
    "logistic_logistic": lambda k, x, p, q: _mean_of_softplus(int(k), x, p / q, -1),
    "leaky_relu": lambda x, slope=None: (
        x if x > 0 else x / 100 if slope is None else slope * x
    ),
    "huber": lambda x, d=1: x * x / 2 if abs(x) <= d else d * (abs(x) - mpmath.mpf(d) / 2),
}  # fmt: skip


def _blurred(k: int, x: Any, s: Any) -> Any:
    """Return E[softplus⁽ᵏ⁾(x + sZ)], the derivatives moved to the normal density by parts.

    The trapezoidal rule errs by exp(−2πa/h) where the integrand is analytic up to ±ai, a = π/s.
    """
    digits = mpmath.mp.dps * mpmath.log(10) + 20
    step = min(mpmath.pi, mpmath.pi**2 / s) / digits * 2
    count = int((mpmath.sqrt(2 * digits) + s) / step) + 1

    def term(z: Any) -> Any:
        weight = mpmath.hermite(k, z / mpmath.sqrt(2)) / (mpmath.sqrt(2) * s) ** k
        return weight * mpmath.npdf(z) * mpmath.log1p(mpmath.exp(x + s * z))

    return step * mpmath.fsum(term(step * j) for j in range(-count, count + 1))


def _mean_of_softplus(k: int, x: Any, s: Any, least: int) -> Any:
    """Return E[softplus⁽ᵏ⁾(x + sX)] over an exponential law, or (least -1) a logistic one."""

    def term(y: Any) -> Any:
        density = mpmath.sech(y / 2) ** 2 / 4 if least else mpmath.exp(-y)
        function = FUNCTIONS[("softplus", "sigmoid")[k]] if k < 2 else _slope_of_sigmoid(k - 1)
        return density * function(x + s * y)

    far, middle = 3 * mpmath.mp.dps, abs(x / s)
    cuts = {mpmath.mpf(0), *(c for c in (1, 6, 30, middle, middle + 4 / abs(s)) if c < far), far}
    return mpmath.quad(term, sorted({c * side for c in cuts for side in (1, least)}))


def _slope_of_sigmoid(k: int) -> Callable[[Any], Any]:
    return lambda v: -mpmath.polylog(-k, -mpmath.exp(v)).real


COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip


def evaluate(tree: ast.expr, names: Mapping[str, Any]) -> Any:
    """Return the value of a checked expression, by the present working precision of mpmath."""
    match tree:
        case ast.Constant(value=value):
            return mpmath.mpf(repr(value))
        case ast.Name(id=name):
            return names[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -evaluate(operand, names)
        case ast.UnaryOp(operand=operand):
            return evaluate(operand, names)
        case ast.BinOp(left=left, op=op, right=right):
            return _arithmetic(op, evaluate(left, names), evaluate(right, names))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return COMPARISONS[type(op)](evaluate(left, names), evaluate(right, names))
        case ast.Call(func=ast.Name(id="where"), args=[condition, then, otherwise]):
            return evaluate(then if evaluate(condition, names) else otherwise, names)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return FUNCTIONS[name](*(evaluate(argument, names) for argument in arguments))
    raise AssertionError(f"{type(tree).__name__} has passed the parser")


def _arithmetic(op: ast.operator, a: Any, b: Any) -> Any:
    match op:
        case ast.Add():
            return a + b
        case ast.Sub():
            return a - b
        case ast.Mult():
            return a * b
        case ast.Div():
            return a / b
    return a**b


def payoff(text: str, t: Any) -> Any:
    """Return a payoff at the raw score ``t``, its formula taken as it is written.

    >>> float(payoff("log(1 - D)", 0.0))
    -0.6931471805599453
    """
    t = mpmath.mpf(t)
    return evaluate(_parsed(text), {"t": t, "D": FUNCTIONS["sigmoid"](t)})


@lru_cache(maxsize=256)
def _parsed(text: str) -> ast.expr:
    """Return a payoff's tree: a search evaluates one formula at thousands of scores."""
    return parse(text, PAYOFF)


def masses(density: Univariate, points: Sequence[float]) -> list[float]:
    """Return the probability of each of the ``len(points) + 1`` cells between the points."""
    below = [0.0, *(float(level) for level in density.cdf(np.asarray(points))), 1.0]
    above = [1.0, *(float(level) for level in density.sf(np.asarray(points))), 0.0]
    # The smaller tail keeps its digits, so take the difference on that side.
    return [
        max(high - low if high < 0.5 else over - beyond, 0.0)
        for low, high, over, beyond in zip(below, below[1:], above, above[1:], strict=False)
    ]


def on_cells(entry: FDivergence, p: Sequence[float], q: Sequence[float]) -> Estimate:
    """Return a lower bound on the divergence of two discrete laws: Σ q·f(p/q) in many digits.

    A multiple of r − 1 is added to f that makes it non-negative everywhere, so that cells of
    nearly no mass, which are left out, only lower the sum. The error is what an error of
    `CDF_ERROR` in every mass may change.
    """
    tree = parse(entry.f, RATIO)

    def f(r: Any) -> Any:
        return evaluate(tree, {"r": r})

    with mpmath.workdps(DIGITS):
        tilt = _slope(f, mpmath.mpf(1))  # a subgradient, at a kink too
        value = error = mpmath.mpf(0)
        for a, b in zip(map(mpmath.mpf, p), map(mpmath.mpf, q), strict=True):
            if min(a, b) > TINY_MASS:
                height, slope = f(a / b) - tilt * (a / b - 1), _slope(f, a / b) - tilt
                value += b * height
                error += CDF_ERROR * (abs(slope) + abs(height - a / b * slope))
        return Estimate(float(value), float(error), method="sum over cells")


def _slope(f: Callable[[Any], Any], r: Any) -> Any:
    step = r * mpmath.mpf(10) ** -20
    return (f(r + step) - f(r - step)) / (2 * step)


def value_on_cells(
    loss: Loss, p: Sequence[float], q: Sequence[float], t: Sequence[float]
) -> Estimate:
    """Return V(D) = Σ p·a(t) + q·b(t) for the discriminator with score ``t[k]`` on cell k."""
    value = error = mpmath.mpf(0)
    with mpmath.workdps(DIGITS):
        for mass_p, mass_q, score in zip(p, q, t, strict=True):
            real, fake = payoff(loss.real, score), payoff(loss.fake, score)
            value += mass_p * real + mass_q * fake
            # a payoff like 2*sqrt(1 - t) - 2 rounds its constants, however small t is
            error += CDF_ERROR * (abs(real) + abs(fake)) + mpmath.mpf(10) ** (2 - DIGITS)
    return Estimate(float(value), float(error), method="sum over cells")
