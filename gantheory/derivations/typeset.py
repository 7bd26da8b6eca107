"""Expressions as LaTeX, with names of several letters as words."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.printing.latex import LatexPrinter, translate

from gantheory.theory.printing import SortedOnce

MEANS = ("E_p", "E_q")
SHORT = {"eps": r"\varepsilon"}  # usual abbreviations of Greek letters


class _Words(SortedOnce, LatexPrinter):
    def _print_Symbol(self, expr: sp.Symbol, style: str = "plain") -> str:
        name: str = expr.name
        if name in SHORT:
            return SHORT[name]
        if name.isalpha() and len(name) > 1 and translate(name) == name and name.isascii():
            return rf"\mathrm{{{name}}}"
        return super()._print_Symbol(expr)

    def _print_Function(self, expr: sp.Function, exp: Any = None) -> str:
        name = expr.func.__name__
        if name in MEANS and exp is None:
            return rf"\mathbb{{E}}_{name[2:]}\left[{self._print(expr.args[0])}\right]"
        return str(super()._print_Function(expr, exp))


def typeset(expr: sp.Basic) -> str:
    """Return LaTeX for an expression; ``prior`` is one word, not a product of five letters.

    >>> typeset(sp.Symbol("prior") * sp.Symbol("alpha") ** 2)
    '\\\\alpha^{2} \\\\mathrm{prior}'
    """
    return str(_Words().doprint(expr))
