"""Expressions as text, the terms of a sum sorted once for all that is said of it.

The steps of a derivation show one sum within many formulas, as text and as LaTeX, and sorting its
terms is dearer than writing them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sympy as sp
from sympy.printing.printer import Printer
from sympy.printing.str import StrPrinter

MOST = 512  # sums whose order is kept; a derivation shows some forty


class SortedOnce(Printer):
    """A printer of SymPy's that sorts the terms of a sum the first time that any one shows it."""

    def _as_ordered_terms(self, expr: sp.Add, order: str | None = None) -> list[sp.Expr]:
        if order or self.order:
            return list(super()._as_ordered_terms(expr, order))
        return list(_sorted(expr))


@lru_cache(MOST)
def _sorted(total: sp.Add) -> tuple[sp.Expr, ...]:
    return tuple(total.as_ordered_terms())


class _Plain(SortedOnce, StrPrinter):
    """SymPy's text."""


def plain(expr: Any) -> str:
    """Return what ``str`` does of an expression, faster where its sums were shown before.

    >>> plain(sp.Symbol("r") ** 2 + 1)
    'r**2 + 1'
    """
    return str(_Plain().doprint(expr))
