"""Sympy expressions as torch operations that neither overflow nor lose their gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import sympy
import torch
from sympy import Expr, Symbol
from torch import Tensor
from torch.nn import functional

from gantheory.errors import GantheoryError
from gantheory.functions import sigmoid, softplus
from gantheory.residues import LAWS, logistic_rule
from gantheory.smoothed import HALF_LINE, logistic_derivative, normal_rule, polynomial
from simulations.networks import SOFTPLUS_LINEAR_FROM

# exp saturates here, continued by its tangent: e^70 = 2.5e30 and e^690 = 1e299 leave room for
# products, and for sums over a batch, below the largest float32 (3.4e38) and float64 (1.8e308).
LARGEST_EXPONENT = {torch.float32: 70.0, torch.float64: 690.0}


def exp(x: Tensor) -> Tensor:
    """Return e^x, continued beyond the dtype's range by its tangent, so it stays finite."""
    largest = LARGEST_EXPONENT.get(x.dtype, 70.0)
    capped = x.clamp(max=largest)
    return torch.exp(capped) * (1 + (x - capped))


def held_exp(x: Tensor) -> Tensor:
    """Return e^x, held at its largest value beyond: the slope of `exp`."""
    return torch.exp(x.clamp(max=LARGEST_EXPONENT.get(x.dtype, 70.0)))


def smooth_relu(x: Tensor) -> Tensor:
    """Return log(1 + e^x) to the last digit at both ends."""
    return functional.softplus(x, threshold=SOFTPLUS_LINEAR_FROM)


def step(x: Tensor) -> Tensor:
    """Return 1 where x > 0 else 0: the slope that torch gives relu, 0 at the kink."""
    return (x > 0).to(x.dtype)


def _choose(x: Tensor, then: Any, otherwise: Any) -> Tensor:
    """Return ``then`` where x > 0, else ``otherwise``."""
    value: Tensor = torch.where(x > 0, then, otherwise)
    return value if value.dtype == x.dtype else value.to(x.dtype)


def _power(x: Tensor, exponent: Any) -> Tensor:
    """Return x to an exponent, by the exact operation where torch has one."""
    match exponent:
        case -1.0:
            return x.reciprocal()
        case 0.5:
            return x.sqrt()
        case 2.0:
            return x.square()
    return torch.pow(x, exponent)


def _fermi_dirac(k: float, u: Tensor) -> Tensor:
    """Return F_k(u), a mean of sigmoids; above 0 by reflection."""
    y, weights = (torch.as_tensor(one, dtype=u.dtype, device=u.device) for one in HALF_LINE)
    order = int(k)
    low = torch.where(u > 0, -u, u)[..., None]
    sums = (torch.sigmoid(low - y) * (y**order * weights)).sum(-1) / math.factorial(order)
    above = polynomial(order, u, math.pi) + (-1) ** order * sums
    return torch.where(u > 0, above, sums)


def _logistic_normal(k: float, u: Tensor, s: float) -> Tensor:
    """Return the k-th derivative of E[softplus(u + s·Z)] as a sum over Z."""
    return _summed(k, u, normal_rule(s))


def _logistic_mean(law: str, k: float, u: Tensor, p: float, q: float) -> Tensor:
    """Return the k-th derivative of E[softplus(u + p·X/q)] as a sum over X."""
    return _summed(k, u, logistic_rule(law, p / q))


def _summed(k: float, u: Tensor, rule: tuple[np.ndarray, np.ndarray]) -> Tensor:
    places, weights = (torch.as_tensor(one, dtype=u.dtype, device=u.device) for one in rule)
    w = u[..., None] + places
    values: Tensor = logistic_derivative(int(k), torch.sigmoid(w), smooth_relu(w))
    return (values * weights).sum(-1)


def _sum(*terms: Any) -> Any:
    return (
        math.fsum(terms) if all(isinstance(x, float) for x in terms) else sum(terms[1:], terms[0])
    )


def _product(*factors: Any) -> Any:
    return math.prod(factors[1:], start=factors[0])


OPERATIONS: dict[str, Callable[..., Any]] = {
    "Add": _sum,
    "Mul": _product,
    "Pow": _power,
    "exp": exp,
    "log": torch.log,
    "tanh": torch.tanh,
    "atan": torch.atan,
    "sin": torch.sin,
    "cos": torch.cos,
    "erf": torch.erf,
    "fermi_dirac": _fermi_dirac,
    "logistic_normal": _logistic_normal,
    **{f"logistic_{law}": partial(_logistic_mean, law) for law in LAWS},
    "choice": _choose,
    "sigmoid": torch.sigmoid,
    "softplus": smooth_relu,
    "relu": torch.relu,
    "Heaviside": lambda x, *_: step(x),
    "step": step,
    "Abs": torch.abs,
    "sign": torch.sign,
    "Max": lambda *xs: _fold(torch.maximum, xs),
    "Min": lambda *xs: _fold(torch.minimum, xs),
}


def _fold(operation: Callable[[Tensor, Tensor], Tensor], values: tuple[Any, ...]) -> Tensor:
    example = next(value for value in values if isinstance(value, Tensor))
    tensors = [v if isinstance(v, Tensor) else torch.full_like(example, v) for v in values]
    result = tensors[0]
    for value in tensors[1:]:
        result = operation(result, value)
    return result


def program(
    expression: Expr, variable: Symbol, *, slope: bool = False
) -> Callable[[Tensor], Tensor]:
    """Return a function that evaluates ``expression`` at a tensor, each shared part once.

    With ``slope`` exponentials beyond the dtype's range are held rather than continued, as the
    derivative of a continued one is.

    Raises:
        GantheoryError: for a free parameter, or a function that has no torch operation.
    """
    code, result = _compile(expression, variable, slope)

    def run(x: Tensor) -> Tensor:
        values: list[Any] = [x]
        for operation, arguments in code:
            values.append(operation(*(values[a] if isinstance(a, int) else a for a in arguments)))
        if isinstance(result, float):
            return torch.full_like(x, result) + 0 * x
        value: Tensor = values[result]
        return value

    return run


def preallocated(
    expression: Expr, variable: Symbol, x: Tensor, out: Tensor, *, slope: bool = False
) -> list[Callable[[], Any]]:
    """Return the same evaluation as calls on preallocated memory, from ``x`` into ``out``."""
    code, result = _compile(expression, variable, slope)
    if isinstance(result, float):
        return [partial(out.fill_, result)]
    if result == 0:
        return [partial(out.copy_, x)]
    memory: list[Tensor] = [
        x,
        *(torch.empty(x.shape, dtype=x.dtype, device=x.device) for _ in code),
    ]
    memory[result] = out
    calls: list[Callable[[], Any]] = []
    for slot, (operation, arguments) in enumerate(code, start=1):
        values = [memory[a] if isinstance(a, int) else a for a in arguments]
        calls.append(_into(operation, values, memory[slot]))
    return calls


def _into(operation: Callable[..., Any], values: list[Any], out: Tensor) -> Callable[[], Any]:
    """Return a call that writes the result into ``out``, allocating nothing where torch can."""
    if operation is torch.sigmoid or operation is torch.tanh:
        return partial(operation, *values, out=out)
    if operation in (_product, _sum) and len(values) == 2:
        tensor, other = sorted(values, key=lambda value: isinstance(value, float))
        if operation is _product and isinstance(other, float) and other == -1.0:
            return partial(torch.neg, tensor, out=out)
        return partial(torch.mul if operation is _product else torch.add, tensor, other, out=out)

    def call() -> None:
        out.copy_(operation(*values))

    return call


Code = list[tuple[Callable[..., Any], list[float | int]]]


def _compile(expression: Expr, variable: Symbol, slope: bool) -> tuple[Code, float | int]:
    """Return the operations of an expression, and the slot or the constant that is its value."""
    code: Code = []
    operations = {**OPERATIONS, "exp": held_exp} if slope else OPERATIONS
    return code, _place(expression, operations, {variable: 0}, code)


def _place(
    node: Expr,
    operations: dict[str, Callable[..., Any]],
    slots: dict[Expr, int],
    code: Code,
) -> float | int:
    """Return the slot (int) of ``node``'s value, or the value itself (float) of a constant."""
    if node in slots:
        return slots[node]
    if node.is_number:
        return float(node.evalf(20))
    name = node.func.__name__
    if node.is_Symbol or name not in operations:
        what = "a value for parameter" if node.is_Symbol else "a torch operation for"
        raise GantheoryError(f"no {what} {str(node)[:60]!r}")
    arguments = [_place(argument, operations, slots, code) for argument in node.args]
    code.append((operations[name], arguments))
    slots[node] = len(code)
    return slots[node]


def stabilise(expression: Expr) -> Expr:
    """Rewrite exactly, so that no intermediate result over- or underflows where the whole does not.

    1 − σ(x) becomes σ(−x), a product of exponentials and powers of sigmoids one exponential,
    and logarithms of products sums.
    """
    return expression.replace(
        lambda node: node.is_Add or node.is_Mul or node.is_Pow or isinstance(node, sympy.log),
        _rewrite,
    )


def _rewrite(node: Expr) -> Expr:
    if node.is_Add:
        return _complement(node)
    if node.is_Mul:
        return _one_exponential(node)
    if node.is_Pow:
        base, exponent = node.as_base_exp()
        if isinstance(base, sigmoid | sympy.exp) and exponent != 2:
            return sympy.exp(exponent * _log(base))
        return node
    return _expanded_log(node.args[0])


def _log(factor: Expr) -> Expr:
    """Return the logarithm of an exponential or a sigmoid, as an exact expression."""
    return factor.args[0] if isinstance(factor, sympy.exp) else -softplus(-factor.args[0])


def _complement(node: Expr) -> Expr:
    """Replace c − c·σ(x) by c·σ(−x)."""
    constant, rest = node.as_coeff_Add()
    for term in sympy.Add.make_args(rest):
        coefficient, factor = term.as_coeff_Mul()
        if isinstance(factor, sigmoid) and constant != 0 and coefficient == -constant:
            return node - constant - term + constant * sigmoid(-factor.args[0])
    return node


def _one_exponential(node: Expr) -> Expr:
    """Merge the exponentials of a product, and sigmoids beside them, into one exponential."""
    factors = sympy.Mul.make_args(node)
    exponentials = [factor for factor in factors if isinstance(factor, sympy.exp)]
    if not exponentials:
        return node
    if any(factor.is_Add and factor.has(sympy.exp) for factor in factors):
        terms = sympy.Add.make_args(sympy.expand_mul(node))
        return sympy.Add(*map(_one_exponential, terms)) if len(terms) > 1 else node
    merged = [f for f in factors if isinstance(f, sympy.exp | sigmoid)]
    others = [f for f in factors if not isinstance(f, sympy.exp | sigmoid)]
    return sympy.Mul(*others, sympy.exp(sympy.Add(*map(_log, merged))))


def _expanded_log(argument: Expr) -> Expr:
    """Return log(argument) as a sum over its positive factors."""
    total: Expr = sympy.S.Zero
    rest: Expr = sympy.S.One
    for factor in sympy.Mul.make_args(argument):
        base, exponent = factor.as_base_exp() if factor.is_Pow else (factor, sympy.S.One)
        if isinstance(base, sigmoid | sympy.exp):
            total += exponent * _log(base)
        elif base.is_positive and factor is not argument:
            total += exponent * sympy.log(base)
        else:
            rest *= factor
    if rest == 1:
        return total
    if isinstance(rest, sympy.Add) and len(rest.args) == 2 and sympy.S.One in rest.args:
        other = rest - 1
        if isinstance(other, sympy.exp):
            return total + softplus(other.args[0])
    return total + sympy.log(rest)
