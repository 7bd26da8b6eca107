"""A loss with means over random names, or with several heads, as a loss of plain formulas.

Heads that are summed have scores of their own, each with the same optimum, so that K of them have
K times the payoffs of one.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace

import sympy as sp
from sympy.printing.str import StrPrinter

from gantheory.deadline import OutOfTime, Undecided
from gantheory.errors import GantheoryError
from gantheory.exact.assumptions import Assumptions
from gantheory.expectations.integrate import mean_over
from gantheory.expectations.laws import MarginLaw, law_of
from gantheory.expressions import parse
from gantheory.formulas import PAYOFF, RANDOM, means_in, names_in
from gantheory.functions import to_sympy
from gantheory.losses.loss import Loss


class _Typed(StrPrinter):
    """Prints an expression as a user would type it."""

    def _print_Pi(self, expr: sp.Expr) -> str:
        return "(4*atan(1))"

    def _print_Exp1(self, expr: sp.Expr) -> str:
        return "exp(1)"

    def _print_Abs(self, expr: sp.Expr) -> str:
        return f"abs({self._print(expr.args[0])})"

    def _print_choice(self, expr: sp.Expr) -> str:
        decides, then, otherwise = map(self._print, expr.args)
        return f"where({decides} > 0, {then}, {otherwise})"


def typed(expr: sp.Expr) -> str:
    """Return an expression as a user would type it.

    >>> typed(sp.exp(1) * sp.Abs(sp.Symbol("t")))
    'exp(1)*abs(t)'
    """
    return str(_Typed().doprint(expr))


def written_out(loss: Loss) -> Loss:
    """Return a loss with its means worked out and its heads summed; any other as it is.

    Raises:
        Undecided: where a mean has no closed form here.

    >>> flipped = Loss("mine", "t", "-E[m*t**2]", "-t", laws={"m": "bernoulli(1/4)"})
    >>> written_out(flipped).fake
    '-(t ** 2 / 4)'
    """
    if not loss.laws and loss.heads == 1:
        return loss
    parameters = Assumptions.of(loss.parameters)
    laws = {name: law_of(text, parameters) for name, text in loss.laws.items()}
    parts = [getattr(loss, part) for part in ("real", "fake", "generator")]
    real, fake, generator = (
        _summed(_without_means(part, laws, parameters), loss.heads) for part in parts
    )
    return replace(
        loss, real=real, fake=fake, generator=generator, laws={}, heads=1, claims=(), typed=loss
    )


def _summed(formula: str, heads: int) -> str:
    return formula if heads == 1 else f"{heads}*({formula})"


def _without_means(text: str, laws: Mapping[str, MarginLaw], parameters: Assumptions) -> str:
    tree = parse(text, RANDOM)
    if not means_in(tree):
        return text
    return ast.unparse(_Means(laws, parameters).visit(tree))


class _Means(ast.NodeTransformer):
    """Puts closed forms in the place of means, inner ones first."""

    def __init__(self, laws: Mapping[str, MarginLaw], parameters: Assumptions) -> None:
        self.laws, self.parameters = laws, parameters

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """Return the mean of what is in the brackets over each random name in it."""
        inner: ast.expr = self.visit(node.slice)
        names = sorted(names_in(inner) & {*self.laws})
        symbols = {name: sp.Dummy(name, real=True) for name in names}
        expr = to_sympy(inner, {**self.parameters.symbols, **symbols})
        for name in names:
            expr = mean_over(expr, symbols[name], self.laws[name], self.parameters)
        text = typed(expr)
        try:
            return parse(text, PAYOFF)
        except OutOfTime:
            raise
        except GantheoryError:
            raise Undecided(f"{ast.unparse(node)[:60]} has too long a closed form") from None
