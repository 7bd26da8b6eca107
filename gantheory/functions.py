"""From checked syntax trees to sympy, and the few function atoms that payoffs are made of.

Kinks have one atom, `relu`: abs(u) = relu(u) + relu(-u) and max(u, v) = v + relu(u - v).
Payoffs written in D become functions of the raw score t that do not overflow:
log(D) = -softplus(-t) and log(1 - D) = -softplus(t).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import sympy as sp

from gantheory.errors import GantheoryError
from gantheory.expressions import CHOICE, greater, number, parse
from gantheory.formulas import PAYOFF, PROBABILITY, RESERVED, SCORE
from gantheory.mean_atoms import (
    LogisticMean,
    hold_order,
    in_balls,
    logistic_exponential,
    logistic_logistic,
)
from gantheory.smoothed import fermi_series, logistic_normal_series

t = sp.Symbol("t", real=True)
r = sp.Symbol("r", positive=True)
LEAK = sp.Rational(1, 100)  # the negative slope of a leaky relu, torch's default


def _rational_odds(score: sp.Expr) -> sp.Expr | None:
    """Return exp(score) where it is rational, as at the score log(D/(1 - D)) of a rational D."""
    if not (score.is_zero or (score.is_number and score.has(sp.log))):
        return None
    odds = sp.exp(score)
    return odds if odds.is_Rational else None


class softplus(sp.Function):
    """log(1 + exp(u)), the antiderivative of the sigmoid."""

    nargs = 1

    @classmethod
    def eval(cls, arg: sp.Expr) -> sp.Expr | None:
        odds = _rational_odds(arg)
        return None if odds is None else sp.log(1 + odds)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return sigmoid(self.args[0])

    def _eval_rewrite_as_log(self, arg: sp.Expr, **_: Any) -> sp.Expr:
        return sp.log(1 + sp.exp(arg))

    def _eval_evalf(self, prec: int) -> sp.Expr:
        return self._eval_rewrite_as_log(self.args[0])._eval_evalf(prec)

    def _eval_is_positive(self) -> bool | None:
        return self.args[0].is_extended_real


class sigmoid(sp.Function):
    """1/(1 + exp(-u))."""

    nargs = 1

    @classmethod
    def eval(cls, arg: sp.Expr) -> sp.Expr | None:
        odds = _rational_odds(arg)
        return None if odds is None else odds / (1 + odds)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return sigmoid(self.args[0]) * sigmoid(-self.args[0])

    def _eval_rewrite_as_exp(self, arg: sp.Expr, **_: Any) -> sp.Expr:
        return 1 / (1 + sp.exp(-arg))

    def _eval_evalf(self, prec: int) -> sp.Expr:
        return self._eval_rewrite_as_exp(self.args[0])._eval_evalf(prec)

    def _eval_is_positive(self) -> bool | None:
        return self.args[0].is_extended_real


class relu(sp.Function):
    """max(u, 0)."""

    nargs = 1

    @classmethod
    def eval(cls, arg: sp.Expr) -> sp.Expr | None:
        if arg.is_nonnegative:
            return arg
        return sp.Integer(0) if arg.is_nonpositive else None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return sp.Heaviside(self.args[0])

    def _eval_evalf(self, prec: int) -> sp.Expr:
        return sp.Max(self.args[0], 0)._eval_evalf(prec)

    def _eval_is_nonnegative(self) -> bool | None:
        return self.args[0].is_extended_real


class choice(sp.Function):
    """The second argument where the first is positive, else the third."""

    nargs = 3

    @classmethod
    def eval(cls, decides: sp.Expr, then: sp.Expr, otherwise: sp.Expr) -> sp.Expr | None:
        if then == otherwise or decides.is_positive:
            return then
        return otherwise if decides.is_nonpositive else None

    def _eval_derivative(self, symbol: sp.Symbol) -> sp.Expr:
        decides, *values = self.args
        return choice(decides, *(sp.diff(value, symbol) for value in values))

    def _eval_evalf(self, prec: int) -> sp.Expr:
        decides, then, otherwise = self.args
        return sp.Piecewise((then, decides > 0), (otherwise, True))._eval_evalf(prec)

    def _eval_is_extended_real(self) -> bool | None:
        return all(value.is_extended_real for value in self.args[1:]) or None


class fermi_dirac(sp.Function):
    """F_k(u), the k-th antiderivative of softplus that vanishes at -oo (`gantheory.smoothed`)."""

    nargs = 2

    @classmethod
    def eval(cls, k: sp.Expr, u: sp.Expr) -> sp.Expr | None:
        hold_order("fermi_dirac(k, u)", k, -1)
        return (sigmoid(u) if k < 0 else softplus(u)) if k <= 0 else None

    def fdiff(self, argindex: int = 2) -> sp.Expr:
        return fermi_dirac(self.args[0] - 1, self.args[1])

    def _eval_evalf(self, prec: int) -> sp.Expr | None:
        k, u = self.args
        return in_balls(lambda u: fermi_series(int(k), u), prec, u)

    def _latex(self, printer: Any) -> str:
        k, u = map(printer._print, self.args)
        return rf"\mathrm{{Fermi}}_{{{k}}}\left({u}\right)"

    def _eval_is_positive(self) -> bool | None:
        return self.args[1].is_extended_real


class logistic_normal(sp.Function):
    """L_k(u, s): E[softplus(u + s*Z)], Z standard normal, differentiated k times in u."""

    nargs = 3

    @classmethod
    def eval(cls, k: sp.Expr, u: sp.Expr, s: sp.Expr) -> sp.Expr | None:
        hold_order("logistic_normal(k, u, s)", k, 0)
        if s.has(t, r) or s.is_positive is not True:
            raise GantheoryError("logistic_normal(k, u, s) needs a width s > 0 without the score")
        return None

    def fdiff(self, argindex: int = 2) -> sp.Expr:
        if argindex != 2:
            raise sp.ArgumentIndexError(self, argindex)
        return logistic_normal(self.args[0] + 1, *self.args[1:])

    def _eval_evalf(self, prec: int) -> sp.Expr | None:
        k, u, s = self.args
        return in_balls(lambda u, s: logistic_normal_series(int(k), u, s[0]), prec, u, s)

    def _latex(self, printer: Any) -> str:
        k, u, s = map(printer._print, self.args)
        return rf"\mathrm{{LN}}_{{{k}}}\left({u},\, {s}\right)"

    def _eval_is_positive(self) -> bool | None:
        return self.args[1].is_extended_real if self.args[0] <= 2 else None


MEANS = (fermi_dirac, logistic_normal, LogisticMean)  # without a closed form


def maximum(*values: sp.Expr) -> sp.Expr:
    """Return the largest of ``values`` by relu alone."""
    return reduce(lambda best, value: best + relu(value - best), values)


def minimum(*values: sp.Expr) -> sp.Expr:
    """Return the smallest of ``values`` by relu alone."""
    return -maximum(*(-value for value in values))


def absolute(value: sp.Expr) -> sp.Expr:
    """Return abs(value) by relu alone."""
    return relu(value) + relu(-value)


def sign(value: sp.Expr) -> sp.Expr:
    """Return 1, 0 or -1."""
    return choice(value, sp.Integer(1), choice(-value, sp.Integer(-1), sp.Integer(0)))


def clamp(value: sp.Expr, lower: sp.Expr, upper: sp.Expr) -> sp.Expr:
    """Return min(max(u, lower), upper)."""
    if (upper - lower).is_nonnegative:
        return lower + relu(value - lower) - relu(value - upper)
    return minimum(maximum(value, lower), upper)


def leaky_relu(value: sp.Expr, slope: sp.Expr = LEAK) -> sp.Expr:
    """Return u where it is positive, else slope*u."""
    return relu(value) - slope * relu(-value)


def huber(value: sp.Expr, width: sp.Expr = sp.S.One) -> sp.Expr:
    """Return u**2/2 within the width d, and d*(abs(u) - d/2) beyond."""
    held = clamp(value, -width, width)
    return held * (value - held / 2)


def logsumexp(one: sp.Expr, other: sp.Expr) -> sp.Expr:
    """Return log(exp(u) + exp(v))."""
    return other + softplus(one - other)


def _more_by_one(value: sp.Expr) -> sp.Expr:
    """Return 1 + u, which is a sigmoid where u is the negative of one."""
    return sigmoid(-(-value).args[0]) if isinstance(-value, sigmoid) else 1 + value


def logarithm(value: sp.Expr) -> sp.Expr:
    """Return log(value), split over products and stable where a factor is a sigmoid."""
    if value.is_Mul:
        parts = [logarithm(factor) for factor in value.args if factor.is_positive]
        rest = sp.Mul(*(factor for factor in value.args if not factor.is_positive))
        return _tidy(sp.Add(*parts) + (sp.log(rest) if rest != 1 else 0))
    if value.is_Pow and value.base.is_positive:
        return value.exp * logarithm(value.base)
    if isinstance(value, sigmoid):
        return -softplus(-value.args[0])
    return sp.log(value)


FUNCTIONS: Mapping[str, Callable[..., sp.Expr]] = {
    "log": logarithm, "exp": sp.exp, "sqrt": sp.sqrt, "abs": absolute, "max": maximum,
    "min": minimum, "relu": relu, "softplus": softplus, "sigmoid": sigmoid, "tanh": sp.tanh,
    "atan": sp.atan, "sin": sp.sin, "cos": sp.cos, "erf": sp.erf,
    "log1p": lambda u: logarithm(_more_by_one(u)), "expm1": lambda u: sp.exp(u) - 1,
    "logsumexp": logsumexp, "sign": sign, "clamp": clamp, "leaky_relu": leaky_relu,
    "huber": huber, "fermi_dirac": fermi_dirac, "logistic_normal": logistic_normal,
    "logistic_exponential": logistic_exponential, "logistic_logistic": logistic_logistic,
}  # fmt: skip


def parameter_symbol(name: str, positive: bool = True) -> sp.Symbol:
    """Return the symbol of a free parameter."""
    if name in RESERVED:
        raise GantheoryError(
            f"parameter {name!r} has a fixed meaning ({', '.join(sorted(RESERVED))} are taken); "
            "rename it"
        )
    return sp.Symbol(name, positive=True) if positive else sp.Symbol(name, real=True)


def to_sympy(
    source: str | ast.expr,
    parameters: Mapping[str, sp.Expr] | None = None,
    ratio: bool = False,
    finite: bool = True,
) -> sp.Expr:
    """Return the sympy expression of a payoff, given as text or as a checked tree.

    ``parameters`` maps the free names to their symbols; names not in it are positive symbols.
    With ``ratio`` the name ``r`` is the density ratio, as in the generators of divergences;
    with ``finite=False`` the result may be infinite, as the end of an interval may.

    >>> to_sympy("log(1 - D)")
    -softplus(t)
    """
    tree = parse(source, PAYOFF) if isinstance(source, str) else source
    names: dict[str, sp.Expr] = {SCORE: t, PROBABILITY: sigmoid(t), **(parameters or {})}
    if ratio:
        names["r"] = r
    expr = _walk(tree, names)
    return _checked(expr, source) if finite else expr


def _walk(node: ast.expr, names: Mapping[str, sp.Expr]) -> sp.Expr:
    value = number(node)
    if value is not None:
        return sp.Rational(value.numerator, value.denominator)
    match node:
        case ast.Name(id=name):
            return names[name] if name in names else parameter_symbol(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_walk(operand, names)
        case ast.UnaryOp(operand=operand):
            return _walk(operand, names)
        case ast.BinOp(left=left, op=op, right=right):
            return _real(_operate(op, _walk(left, names), _walk(right, names)), node)
        case ast.Call(func=ast.Name(id=name), args=[ast.Compare() as condition, *values]):
            assert name == CHOICE
            left, right, strict = greater(condition)
            gap = _walk(left, names) - _walk(right, names)
            then, otherwise = (_walk(value, names) for value in values)
            # u >= v is no v > u
            return choice(gap, then, otherwise) if strict else choice(-gap, otherwise, then)
        case ast.Call(func=ast.Name(id=name), args=args):
            return _real(FUNCTIONS[name](*(_walk(argument, names) for argument in args)), node)
    raise GantheoryError(f"{ast.unparse(node)[:60]!r} is not an expression")


def _real(expr: sp.Expr, node: ast.expr) -> sp.Expr:
    """Refuse a constant that is not real where it arises; sympy might cancel it later."""
    return _checked(expr, node) if expr.is_number and expr.is_finite is not False else expr


def _operate(op: ast.operator, left: sp.Expr, right: sp.Expr) -> sp.Expr:
    match op:
        case ast.Add():
            return _tidy(left + right)
        case ast.Sub() if left == 1 and isinstance(right, sigmoid):
            return sigmoid(-right.args[0])
        case ast.Sub():
            return _tidy(left - right)
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right
    return left**right


def _tidy(expr: sp.Expr) -> sp.Expr:
    """Replace c*softplus(u) - c*softplus(-u) by c*u, which is what log(D/(1 - D)) should read."""
    if not expr.is_Add:
        return expr
    terms = list(expr.args)
    for term in expr.args:
        for atom in term.atoms(softplus) if term in terms else ():
            coefficient = term / atom
            mirrored = -coefficient * softplus(-atom.args[0])
            if not coefficient.has(softplus) and mirrored in terms:
                terms.remove(term)
                terms.remove(mirrored)
                terms.append(coefficient * atom.args[0])
                break
    return sp.Add(*terms)


def _checked(expr: sp.Expr, source: str | ast.expr) -> sp.Expr:
    shown = source if isinstance(source, str) else ast.unparse(source)
    if expr.has(sp.zoo, sp.nan, sp.oo, -sp.oo, sp.I):
        raise GantheoryError(
            f"payoff {shown[:60]!r} is not a finite real number wherever it is evaluated; "
            "check logarithms, roots and divisions of constants"
        )
    return expr
