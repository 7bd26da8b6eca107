"""Any generator f in ball arithmetic: q f(p/q) from log q and log p/q, without overflow."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flint import acb

from gantheory.divergences import RATIO
from gantheory.divergences.stable import Balls
from gantheory.errors import GantheoryError
from gantheory.exact.arb import exact_ball, softplus
from gantheory.expressions import number, parse


def integrand_of(f: str) -> Balls:
    """Return q f(p/q) as a function of log p, log q and log p/q.

    >>> twice = integrand_of("2*r - 2")(acb(1), acb(0), acb(1), False)
    >>> twice.contains(2 * acb(1).exp() - 2)
    True
    """
    tree = parse(f, RATIO)

    def integrand(a: acb, b: acb, u: acb, analytic: bool) -> acb:
        return _At(u, analytic).weighted(tree, b)

    return integrand


@dataclass(frozen=True)
class _At:
    """A formula in r at one u = log r: what is positive by its form is known by its logarithm.

    So e^w·r·log r is exp(w + u)·u: nothing overflows, and no branch of log is crossed.
    """

    u: acb
    analytic: bool

    def weighted(self, node: ast.expr, w: acb) -> acb:
        """Return e^w times the value of a checked formula."""
        if (log := self.log(node)) is not None:
            return (w + log).exp()
        match node:
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.weighted(operand, w)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.weighted(left, w) + self.weighted(right, w)
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                return self.weighted(left, w) - self.weighted(right, w)
            case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as op, right=right):
                side = 1 if isinstance(op, ast.Mult) else -1
                if (log := self.log(right)) is not None:
                    return self.weighted(left, w + side * log)
                if side > 0 and (log := self.log(left)) is not None:
                    return self.weighted(right, w + log)
        return w.exp() * self.value(node)

    def log(self, node: ast.expr) -> acb | None:
        """Return the logarithm of what is positive for every r by its form, else None."""
        value = number(node)
        if value is not None:
            return acb(exact_ball(value)).log() if value > 0 else None
        match node:
            case ast.Name():
                return self.u
            case ast.BinOp(left=left, op=ast.Add() | ast.Mult() | ast.Div() as op, right=right):
                a, b = self.log(left), self.log(right)
                if a is None or b is None:
                    return None
                if isinstance(op, ast.Add):
                    return a + softplus(b - a, self.analytic)
                return a + b if isinstance(op, ast.Mult) else a - b
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                a = self.log(left)
                return None if a is None else a * self.value(right)
            case ast.Call(func=ast.Name(id="sqrt"), args=[inner]):
                a = self.log(inner)
                return None if a is None else a / 2
            case ast.Call(func=ast.Name(id="exp"), args=[inner]):
                return self.value(inner)
        return None

    def value(self, node: ast.expr) -> acb:
        """Return the value of a checked formula."""
        value = number(node)
        if value is not None:
            return acb(exact_ball(value))
        if (log := self.log(node)) is not None:
            return log.exp()
        match node:
            case ast.UnaryOp(op=op, operand=operand):
                inner = self.value(operand)
                return -inner if isinstance(op, ast.USub) else inner
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._power(self.value(left), right)
            case ast.BinOp(left=left, op=op, right=right):
                return _OPERATIONS[type(op)](self.value(left), self.value(right))
            case ast.Call(func=ast.Name(id="log"), args=[inner]) if (
                log := self.log(inner)
            ) is not None:
                return log
            case ast.Call(func=ast.Name(id=name), args=args):
                return _FUNCTIONS[name](*map(self.value, args), self.analytic)
        raise GantheoryError(f"{ast.unparse(node)[:60]!r} has no ball")

    def _power(self, base: acb, exponent: ast.expr) -> acb:
        order = number(exponent)
        if order is not None and order.denominator == 1:
            return base ** int(order)
        return (self.value(exponent) * base.log(analytic=self.analytic)).exp()


_OPERATIONS: Mapping[type[ast.operator], Callable[[acb, acb], acb]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
_FUNCTIONS: Mapping[str, Callable[..., acb]] = {
    "log": lambda x, analytic: x.log(analytic=analytic),
    "exp": lambda x, analytic: x.exp(),
    "sqrt": lambda x, analytic: x.sqrt(analytic=analytic),
    "abs": lambda x, analytic: x.real_abs(analytic=analytic),
    "relu": lambda x, analytic: x.real_max(acb(0), analytic=analytic),
    "softplus": lambda x, analytic: softplus(x, analytic),
    "sigmoid": lambda x, analytic: 1 / (1 + (-x).exp()),
    "tanh": lambda x, analytic: x.tanh(),
    "atan": lambda x, analytic: x.atan(),
    "max": lambda *args: _largest(args[:-1], args[-1]),
    "min": lambda *args: -_largest([-x for x in args[:-1]], args[-1]),
}


def _largest(values: list[acb] | tuple[acb, ...], analytic: bool) -> acb:
    most = values[0]
    for value in values[1:]:
        most = most.real_max(value, analytic=analytic)
    return most
