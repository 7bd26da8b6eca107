"""What a torch operation does to one entry of its tensors, in sympy: the table of the audit.

A rule takes one expression for each tensor among the arguments, and numbers as they are. An
operation that is not in a table is not guessed at: its result is unknown (see `trace`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache, partial
from typing import Any

import numpy as np
import sympy as sp

from gantheory.functions import absolute, logarithm, maximum, minimum, relu, sigmoid, softplus

ONE, ZERO = sp.Integer(1), sp.Integer(0)
LARGEST_DENOMINATOR = 4096  # of the fractions that a program computes, such as one over a count
LARGEST_LOGARITHM = 10  # log 2, log 4 and log 10 occur; beyond them a decimal is as clear


@lru_cache(maxsize=4096, typed=True)
def exact(value: Any) -> sp.Expr:
    """Return a number of a program as the number that its author typed.

    A double that a single holds is read as the single's shortest decimal: 0.9 in a float32
    buffer is 0.899999976, and meant 9/10. Fractions of small integers and logarithms of small
    integers are recognised where they agree to the last bits.

    >>> exact(0.8999999761581421), exact(1 / 3), exact(math.log(2))
    (9/10, 1/3, log(2))
    """
    if isinstance(value, bool | np.bool_):
        return sp.true if value else sp.false
    if isinstance(value, int | np.integer):
        return sp.Integer(int(value))
    number = float(value)
    if math.isnan(number):
        return sp.nan
    if math.isinf(number):
        return sp.oo if number > 0 else -sp.oo
    for constant, name in ((math.e, sp.E), (math.pi, sp.pi)):
        if abs(number) == constant:
            return name if number > 0 else -name
    single = abs(number) < 3e38 and float(np.float32(number)) == number
    shortest = Fraction(str(np.float32(number)) if single else repr(number))
    simple = Fraction(number).limit_denominator(LARGEST_DENOMINATOR)
    close = float(np.float32(float(simple))) == number if single else _same(float(simple), number)
    if close and simple and simple.denominator < shortest.denominator:
        shortest = simple
    if shortest.denominator > 10**12:
        for k in range(2, LARGEST_LOGARITHM + 1):
            multiple = Fraction(number / math.log(k)).limit_denominator(8)
            if multiple and _same(float(multiple) * math.log(k), number):
                return sp.Rational(multiple.numerator, multiple.denominator) * sp.log(k)
    return sp.Rational(shortest.numerator, shortest.denominator)


def _same(left: float, right: float) -> bool:
    return abs(left - right) <= 4e-16 * abs(right)


def add(a: sp.Expr, b: sp.Expr, alpha: Any = 1) -> sp.Expr:
    """Return a + alpha·b, where 1 − sigmoid(u) reads sigmoid(−u)."""
    total = indicator(a) + exact(alpha) * indicator(b)
    if total.is_Add and len(total.args) == 2 and total.args[0] == 1:
        other = -total.args[1]
        if isinstance(other, sigmoid):
            return sigmoid(-other.args[0])
    return total


def indicator(condition: sp.Basic) -> sp.Expr:
    """Return 1 where ``condition`` holds and 0 elsewhere; numbers stay as they are."""
    if condition is sp.true or condition is sp.false:
        return ONE if condition is sp.true else ZERO
    if isinstance(condition, sp.Expr):  # a symbol is a Boolean to sympy, too
        return condition
    return sp.Piecewise((ONE, condition), (ZERO, True))


def times(a: sp.Basic, b: sp.Basic) -> sp.Expr:
    """Return a·b."""
    return indicator(a) * indicator(b)


def power_of(a: sp.Basic, b: sp.Basic) -> sp.Expr:
    """Return a to the power b."""
    return indicator(a) ** indicator(b)


def where(condition: sp.Basic, a: sp.Basic, b: sp.Basic) -> sp.Expr:
    """Return a where ``condition`` holds and b elsewhere."""
    if condition is sp.true or condition is sp.false:
        return indicator(a) if condition is sp.true else indicator(b)
    return sp.Piecewise((indicator(a), condition), (indicator(b), True))


def clamped(a: sp.Expr, low: Any = None, high: Any = None) -> sp.Expr:
    """Return a, kept between the two bounds that are given."""
    if low is not None:
        a = maximum(as_element(low), a)
    return a if high is None else minimum(as_element(high), a)


def as_element(value: Any) -> sp.Expr:
    """Return an argument as an expression, a number being exact."""
    return value if isinstance(value, sp.Basic) else exact(value)


def _softplus(a: sp.Expr, beta: Any = 1, threshold: Any = 20) -> sp.Expr:
    beta = exact(beta)
    return softplus(beta * a) / beta


def _threshold(a: sp.Expr, bound: Any, value: Any) -> sp.Expr:
    if exact(bound) == exact(value):
        return maximum(exact(value), a)
    return sp.Piecewise((a, a > exact(bound)), (exact(value), True))


def _leaky(a: sp.Expr, slope: Any = 0.01) -> sp.Expr:
    return relu(a) - exact(slope) * relu(-a)


def _elu(a: sp.Expr, alpha: Any = 1, scale: Any = 1, input_scale: Any = 1) -> sp.Expr:
    below = exact(alpha) * (sp.exp(-relu(-exact(input_scale) * a)) - 1)
    return exact(scale) * (relu(a) + below)


def _with_logits(x: sp.Expr, y: sp.Expr, weight: Any = None, pos_weight: Any = None) -> sp.Expr:
    positive = ONE if pos_weight is None else as_element(pos_weight)
    loss = positive * y * softplus(-x) + (1 - y) * softplus(x)
    return loss if weight is None else as_element(weight) * loss


def _cross_entropy(x: sp.Expr, y: sp.Expr, weight: Any = None) -> sp.Expr:
    loss = ZERO if y == 0 else -y * logarithm(x)
    if y != 1:
        loss -= (1 - y) * logarithm(add(ONE, -x))
    return loss if weight is None else as_element(weight) * loss


def _smooth_l1(x: sp.Expr, y: sp.Expr, beta: Any = 1.0) -> sp.Expr:
    """Return |d| − β/2 beyond β and d²/(2β) below: with k = min(|d|, β), k·(|d| − k/2)/β."""
    size, width = absolute(x - y), exact(beta)
    if width == 0:
        return size
    core = minimum(size, width)
    return core * (size - core / 2) / width


def _huber(x: sp.Expr, y: sp.Expr, delta: Any = 1.0) -> sp.Expr:
    return exact(delta) * _smooth_l1(x, y, delta)


def _sign(a: sp.Expr) -> sp.Expr:
    if a.is_number:
        return sp.sign(a)
    return sp.Piecewise((ONE, a > 0), (-ONE, a < 0), (ZERO, True))


def _compare(relation: Callable[[Any, Any], Any], a: Any, b: Any) -> sp.Basic:
    return relation(indicator(as_element(a)), indicator(as_element(b)))


def _divide(a: sp.Basic, b: sp.Basic, rounding_mode: str | None = None) -> sp.Expr:
    if rounding_mode is not None:
        raise NotImplementedError
    return indicator(a) / indicator(b)


def _log_to(base: int, a: sp.Expr) -> sp.Expr:
    return logarithm(a) / sp.log(base)


POINTWISE: Mapping[str, Callable[..., sp.Basic]] = {
    "add": add, "sub": lambda a, b, alpha=1: add(a, indicator(b), -alpha),
    "rsub": lambda a, b, alpha=1: add(indicator(b), indicator(a), -alpha),
    "mul": times, "div": _divide, "true_divide": _divide,
    "neg": lambda a: -indicator(a), "abs": absolute, "reciprocal": lambda a: 1 / a,
    "pow": power_of, "float_power": power_of, "square": lambda a: a**2,
    "sqrt": sp.sqrt, "rsqrt": lambda a: 1 / sp.sqrt(a),
    "exp": sp.exp, "exp2": lambda a: 2**a, "expm1": lambda a: sp.exp(a) - 1,
    "log": logarithm, "log1p": lambda a: logarithm(add(ONE, a)),
    "log2": partial(_log_to, 2), "log10": partial(_log_to, 10),
    "sigmoid": sigmoid, "special_expit": sigmoid, "tanh": sp.tanh, "atan": sp.atan,
    "erf": sp.erf, "erfc": lambda a: 1 - sp.erf(a), "sin": sp.sin, "cos": sp.cos,
    "cosh": lambda a: (sp.exp(a) + sp.exp(-a)) / 2, "sinh": lambda a: (sp.exp(a) - sp.exp(-a)) / 2,
    "softplus": _softplus, "relu": relu, "leaky_relu": _leaky, "elu": _elu,
    "threshold": _threshold, "hardtanh": lambda a, low=-1, high=1: clamped(a, low, high),
    "clamp": clamped, "clip": clamped, "clamp_min": clamped,
    "clamp_max": lambda a, high: clamped(a, None, high),
    "maximum": maximum, "minimum": minimum, "fmax": maximum, "fmin": minimum,
    "logaddexp": lambda a, b: b + softplus(a - b),
    "where": where, "sign": _sign, "sgn": _sign,
    "gt": partial(_compare, sp.Gt), "ge": partial(_compare, sp.Ge),
    "lt": partial(_compare, sp.Lt), "le": partial(_compare, sp.Le),
    "eq": partial(_compare, sp.Eq), "ne": partial(_compare, sp.Ne),
    "logical_not": sp.Not, "logical_and": sp.And, "logical_or": sp.Or,
    "bitwise_not": sp.Not, "bitwise_and": sp.And, "bitwise_or": sp.Or,
    "masked_fill": lambda a, mask, value: where(mask, as_element(value), a),
    "isnan": lambda a: sp.false, "isinf": lambda a: sp.false, "isfinite": lambda a: sp.true,
    "hardsigmoid": lambda a: clamped(a / 6 + sp.Rational(1, 2), 0, 1),
    "xlogy": lambda a, b: times(a, logarithm(b)), "gelu": lambda a, **_: a * (1 + sp.erf(
        a / sp.sqrt(2))) / 2,
    "addcmul": lambda a, b, c, value=1: a + exact(value) * b * c,
    "addcdiv": lambda a, b, c, value=1: a + exact(value) * b / c,
    "lerp": lambda a, b, weight: a + as_element(weight) * (b - a),
    "nan_to_num": lambda a, *_: a, "silu": lambda a: a * sigmoid(a),
    "log_sigmoid_forward": lambda a: -softplus(-a),
}  # fmt: skip

LOSSES: Mapping[str, Callable[..., sp.Expr]] = {  # pointwise, then reduced by the last argument
    "mse_loss": lambda x, y: (x - y) ** 2,
    "l1_loss": lambda x, y: absolute(x - y),
    "smooth_l1_loss": _smooth_l1,
    "huber_loss": _huber,
    "soft_margin_loss": lambda x, y: softplus(-y * x),
    "binary_cross_entropy": _cross_entropy,
    "binary_cross_entropy_with_logits": _with_logits,
}


def mean(values: Sequence[sp.Basic]) -> sp.Expr:
    """Return the mean."""
    return sum_over(values) / len(values)


def sum_over(values: Sequence[sp.Basic]) -> sp.Expr:
    """Return the sum."""
    return sp.Add(*map(indicator, values))


def norm(values: Sequence[sp.Basic], order: Any = 2) -> sp.Expr:
    """Return the vector norm of the given order."""
    if len(values) == 1:
        return absolute(indicator(values[0]))
    if order == 1:
        return sp.Add(*(absolute(value) for value in values))
    if order != 2:
        raise NotImplementedError
    return sp.sqrt(sp.Add(*(value**2 for value in values)))


def variance(values: Sequence[sp.Basic], correction: Any = 1) -> sp.Expr:
    """Return the variance with the given correction of the degrees of freedom."""
    centre = mean(values)
    return sum_over([(value - centre) ** 2 for value in values]) / (len(values) - correction)


def log_sum_exp(values: Sequence[sp.Expr]) -> sp.Expr:
    """Return log Σ exp, of two values as a softplus."""
    if len(values) == 1:
        return values[0]
    if len(values) == 2:
        return values[1] + softplus(values[0] - values[1])
    return sp.log(sp.Add(*map(sp.exp, values)))


REDUCTIONS: Mapping[str, Callable[..., sp.Basic]] = {
    "sum": sum_over, "mean": mean, "prod": lambda values: sp.Mul(*map(indicator, values)),
    "amax": lambda values: maximum(*values), "amin": lambda values: minimum(*values),
    "logsumexp": log_sum_exp,
    "all": lambda values: sp.And(*values), "any": lambda values: sp.Or(*values),
}  # fmt: skip
