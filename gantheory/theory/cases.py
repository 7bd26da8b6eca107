"""Answers that depend on a parameter: conditions on it, and values piecewise in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import sympy as sp

from gantheory.exact.algebra import Algebra
from gantheory.exact.assumptions import Assumptions, Range, interior

RELATIONS = {"==": sp.Eq, ">=": sp.Ge, ">": sp.Gt}


def undecided_factor(
    expr: sp.Expr, parameters: Assumptions, ranges: Mapping[sp.Symbol, Range] | None = None
) -> sp.Expr:
    """Return the factors of an expression whose signs are open, times the sign of the others.

    >>> a = sp.Symbol("a", positive=True)
    >>> undecided_factor(1 / a - 1, Assumptions({"a": a}, {a: (sp.S.Zero, sp.oo)}, {a: 0.8}))
    1 - a
    """
    within = {symbol: interior(*cell, parameters) for symbol, cell in (ranges or {}).items()}
    content, factors = Algebra(parameters.sample | within).factors(expr)
    sign, loose = int(sp.sign(content)), []
    for base, power in factors:
        if power.is_Integer and power % 2 == 0:
            continue
        known = parameters.sign(base, ranges)
        if known is None:
            loose.append(base)
        else:
            sign *= known
    return sp.expand(sign * loose[0]) if len(loose) == 1 else sp.Mul(sign, *loose)


def condition(expr: sp.Expr, relation: str, parameters: Assumptions) -> sp.Basic:
    """Return ``expr relation 0`` as a condition on the parameters, solved where it is linear.

    >>> a = sp.Symbol("a", positive=True)
    >>> condition(1 / a - 1, ">=", Assumptions({"a": a}, {a: (sp.S.Zero, sp.oo)}, {a: 0.8}))
    a <= 1
    """
    left = undecided_factor(expr, parameters)
    compare = RELATIONS[relation]
    free = sorted(left.free_symbols, key=str)
    if len(free) == 1 and left.is_polynomial(free[0]) and sp.degree(left, free[0]) == 1:
        slope, rest = sp.Poly(left, free[0]).all_coeffs()
        place = -rest / slope
        if slope.is_positive or relation == "==":
            return compare(free[0], place)
        return {">=": sp.Le, ">": sp.Lt}[relation](free[0], place)
    return compare(left, 0)


def piecewise(cases: Sequence[tuple[sp.Expr, sp.Basic]]) -> sp.Expr:
    """Return the first value whose condition holds; the last condition is true.

    >>> piecewise([(sp.Integer(2), sp.true)])
    2
    """
    kept: list[tuple[sp.Expr, sp.Basic]] = []
    for k, (value, holds) in enumerate(cases):
        if any(holds == earlier for _, earlier in kept):
            continue
        if isinstance(holds, sp.Eq) and _agree(value, cases[k + 1][0], holds):
            continue
        if kept and kept[-1][0] == value:
            kept[-1] = (value, sp.Or(kept[-1][1], holds) if holds != sp.true else sp.true)
        else:
            kept.append((value, holds))
    return kept[0][0] if len(kept) == 1 else sp.Piecewise(*kept)


def _agree(value: sp.Expr, following: sp.Expr, holds: sp.Eq) -> bool:
    """Whether two values are the same where a parameter has one given value."""
    if value == following:
        return True
    symbol, number = holds.args
    return bool(
        symbol.is_Symbol
        and value.xreplace({symbol: number}) == following.xreplace({symbol: number})
    )


def in_cases(function: Callable[..., sp.Expr], *values: sp.Expr) -> sp.Expr:
    """Apply a function of expressions in every case of those that are piecewise.

    >>> a = sp.Symbol("a", positive=True)
    >>> in_cases(lambda x: -x, sp.Piecewise((a, a < 1), (1, True)))
    Piecewise((-a, a < 1), (-1, True))
    """
    ways = [
        one.args if isinstance(one, sp.Piecewise) else [(one, sp.true)] for one in values
    ]  # the first pair of cases that both hold is the pair of the first that hold
    return piecewise(
        [
            (function(*(value for value, _ in way)), sp.And(*(holds for _, holds in way)))
            for way in product(*ways)
        ]
    )
